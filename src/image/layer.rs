//! One layer of an image, and how files become one that is deterministic: sorted, owned by root, without times.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A layer in the user's cache folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// An uncompressed tar archive.
    pub file: PathBuf,
    /// `sha256:` of the file.
    pub digest: String,
    pub bytes: u64,
}

/// What stands at a path of the layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    File(PathBuf),
    Text(&'static str),
    Link(String),
    Folder,
}

/// Writes the layer as an uncompressed archive. Paths do not begin with a slash.
pub(super) fn write(entries: &BTreeMap<String, Content>, out: impl Write) -> io::Result<()> {
    let mut tar = tar::Builder::new(out);
    for (path, content) in entries {
        append(&mut tar, path, content).map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))?;
    }
    tar.into_inner()?.flush()
}

fn append(tar: &mut tar::Builder<impl Write>, path: &str, content: &Content) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    match content {
        Content::Folder => {
            header.set_entry_type(tar::EntryType::Directory);
            header.set_mode(if path == "tmp" { 0o1777 } else { 0o755 });
            tar.append_data(&mut header, format!("{path}/"), io::empty())
        }
        Content::Link(target) => {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_mode(0o777);
            tar.append_link(&mut header, path, target)
        }
        Content::Text(text) => {
            header.set_mode(0o644);
            header.set_size(text.len() as u64);
            tar.append_data(&mut header, path, text.as_bytes())
        }
        Content::File(source) => {
            let file = File::open(source)?;
            let metadata = file.metadata()?;
            header.set_mode(0o755 & metadata.permissions().mode() | 0o444);
            header.set_size(metadata.len());
            tar.append_data(&mut header, path, file)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_are_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("program");
        let layer = || {
            std::fs::write(&source, "content").unwrap();
            let entries = BTreeMap::from([
                ("usr/bin/program".to_owned(), Content::File(source.clone())),
                ("bin".to_owned(), Content::Link("usr/bin".to_owned())),
                ("tmp".to_owned(), Content::Folder),
                ("etc/group".to_owned(), Content::Text("root:x:0:\n")),
            ]);
            let mut bytes = Vec::new();
            write(&entries, &mut bytes).unwrap();
            bytes
        };
        let first = layer();
        assert_eq!(first, layer());
        let mut archive = tar::Archive::new(first.as_slice());
        let paths: Vec<String> =
            archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
        assert_eq!(paths, ["bin", "etc/group", "tmp/", "usr/bin/program"]);
    }
}
