//! Files as one deterministic layer: sorted, owned by root, without times, named by its content.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::ImageError;

/// What stands at a path of the layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Local(PathBuf),
    Text(&'static str),
    Link(String),
    Folder,
}

/// Writes the layer into a folder, under a name made from its digest. Returns the file, the digest and its bytes.
pub(super) fn write(entries: &BTreeMap<String, Content>, folder: &Path) -> Result<(PathBuf, String, u64), ImageError> {
    let wrong = |error: io::Error| ImageError::file(folder.display(), error);
    std::fs::create_dir_all(folder).map_err(wrong)?;
    let file = tempfile::NamedTempFile::new_in(folder).map_err(wrong)?;
    let mut tar =
        tar::Builder::new(Hashing { inner: BufWriter::with_capacity(1 << 20, file), digest: Sha256::new(), bytes: 0 });
    for (path, content) in entries {
        append(&mut tar, path.trim_start_matches('/'), content).map_err(|error| ImageError::file(path, error))?;
    }
    let hashing = tar.into_inner().map_err(wrong)?;
    let digest = crate::units::hex(&hashing.digest.finalize());
    let file = hashing.inner.into_inner().map_err(|error| wrong(error.into_error()))?;
    let path = folder.join(format!("{digest}.tar"));
    file.persist(&path).map_err(|error| wrong(error.error))?;
    Ok((path, format!("sha256:{digest}"), hashing.bytes))
}

fn append(tar: &mut tar::Builder<impl Write>, path: &str, content: &Content) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    match content {
        Content::Folder => {
            header.set_entry_type(tar::EntryType::Directory);
            header.set_mode(if path == "tmp" { 0o1777 } else { 0o755 });
            header.set_size(0);
            tar.append_data(&mut header, format!("{path}/"), io::empty())
        }
        Content::Link(target) => {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_mode(0o777);
            header.set_size(0);
            tar.append_link(&mut header, path, target)
        }
        Content::Text(text) => {
            header.set_mode(0o644);
            header.set_size(text.len() as u64);
            tar.append_data(&mut header, path, text.as_bytes())
        }
        Content::Local(source) => {
            let file = File::open(source)?;
            let metadata = file.metadata()?;
            header.set_mode(0o755 & metadata.permissions().mode() | 0o444);
            header.set_size(metadata.len());
            tar.append_data(&mut header, path, file)
        }
    }
}

/// Counts and digests what passes.
struct Hashing<W> {
    inner: W,
    digest: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let length = self.inner.write(buffer)?;
        self.digest.update(&buffer[..length]);
        self.bytes += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_are_the_same_layer_and_the_digest_is_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("program");
        std::fs::write(&source, "content").unwrap();
        let entries = BTreeMap::from([
            ("/usr/bin/program".to_owned(), Content::Local(source)),
            ("/bin".to_owned(), Content::Link("usr/bin".to_owned())),
            ("/tmp".to_owned(), Content::Folder),
        ]);
        let (first, digest, bytes) = write(&entries, folder.path()).unwrap();
        let (second, again, _) = write(&entries, folder.path()).unwrap();
        assert_eq!((&first, &digest), (&second, &again));
        let written = std::fs::read(&first).unwrap();
        assert_eq!(bytes, written.len() as u64);
        assert_eq!(digest, format!("sha256:{}", crate::units::hex(&Sha256::digest(&written))));
    }
}
