//! A folder of the user's as a build context: what belongs to it, with the edits made so far.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use crate::ignore::{FolderError, Sender, entries};

/// In what the packed context differs from the folder.
#[derive(Debug, Default)]
pub(super) struct Changes<'a> {
    /// The Dockerfile's text, where it is not the file's own.
    pub dockerfile: Option<String>,
    /// Lines to add to files, by their path within the context.
    pub additions: Vec<(&'a str, String)>,
}

/// Packs the context below a name, links as links.
pub(super) fn pack(
    folder: &Path,
    dockerfile: &str,
    sender: Sender,
    changes: &Changes<'_>,
    name: &str,
    out: impl Write,
) -> Result<(), FolderError> {
    let mut tar = tar::Builder::new(io::BufWriter::new(out));
    tar.follow_symlinks(false);
    tar.mode(tar::HeaderMode::Complete);
    let root = |cause: io::Error| FolderError::Io { path: folder.to_owned(), cause };
    tar.append_dir(name, folder).map_err(root)?;
    for entry in entries(folder, dockerfile, sender)? {
        let path = folder.join(&entry);
        let added: String =
            changes.additions.iter().filter(|(path, _)| *path == entry).map(|(_, line)| line.as_str()).collect();
        let packed_as = Path::new(name).join(&entry);
        let packed = match &changes.dockerfile {
            Some(text) if entry == dockerfile => append_text(&mut tar, &path, &packed_as, &format!("{text}{added}")),
            _ => append(&mut tar, &path, &packed_as, &added),
        };
        packed.map_err(|cause| FolderError::Io { path, cause })?;
    }
    tar.into_inner().and_then(|mut out| out.flush()).map_err(root)
}

/// A text in the place of a file's own, or of what a link leads to.
fn append_text(tar: &mut tar::Builder<impl Write>, path: &Path, name: &Path, text: &str) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_metadata(&fs::metadata(path)?);
    header.set_size(text.len() as u64);
    tar.append_data(&mut header, name, text.as_bytes())
}

/// A file that changes while it is read would make an archive that nobody could read.
fn append(tar: &mut tar::Builder<impl Write>, path: &Path, name: &Path, added: &str) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_file() {
        return tar.append_path_with_name(path, name);
    }
    let mut header = tar::Header::new_gnu();
    header.set_metadata(&metadata);
    header.set_size(metadata.len() + added.len() as u64);
    if !added.is_empty() {
        // Now: builders may trust size and time.
        header.set_mtime(u64::try_from(time::OffsetDateTime::now_utc().unix_timestamp()).unwrap_or(0));
    }
    let mut file = File::open(path)?;
    let mut content = Read::by_ref(&mut file).take(metadata.len()).chain(added.as_bytes());
    tar.append_data(&mut header, name, &mut content)?;
    let (rest, _) = content.into_inner();
    if rest.limit() > 0 || file.read(&mut [0])? > 0 {
        return Err(io::Error::other("it changed while it was read"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_packed_as_a_link_and_a_socket_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("link")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        let mut packed = Vec::new();
        pack(folder.path(), "Dockerfile", Sender::Command, &Changes::default(), "context", &mut packed).unwrap();
        let mut archive = tar::Archive::new(&packed[..]);
        let entries: Vec<_> = archive.entries().unwrap().map(|entry| entry.unwrap()).collect();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[1].header().entry_type(), tar::EntryType::Symlink);
        assert_eq!(entries[1].link_name().unwrap().unwrap(), Path::new("nowhere"));
    }

    #[test]
    fn an_edit_is_in_the_archive_and_not_in_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("main.py"), "print(1)").unwrap();
        let mut packed = Vec::new();
        let changes = Changes { dockerfile: None, additions: vec![("main.py", "\n# edit\n".to_owned())] };
        pack(folder.path(), "Dockerfile", Sender::Command, &changes, "context", &mut packed).unwrap();
        let mut archive = tar::Archive::new(&packed[..]);
        let mut file = archive.entries().unwrap().map(|entry| entry.unwrap()).nth(1).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "print(1)\n# edit\n");
        assert_eq!(fs::read_to_string(folder.path().join("main.py")).unwrap(), "print(1)");
    }

    #[test]
    fn another_dockerfile_is_in_the_archive_and_not_in_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("Dockerfile"), "FROM a\n").unwrap();
        let mut packed = Vec::new();
        let changes = Changes { dockerfile: Some("FROM ours\n".to_owned()), additions: Vec::new() };
        pack(folder.path(), "Dockerfile", Sender::Command, &changes, "context", &mut packed).unwrap();
        let mut archive = tar::Archive::new(&packed[..]);
        let mut file = archive.entries().unwrap().map(|entry| entry.unwrap()).nth(1).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "FROM ours\n");
        assert_eq!(fs::read_to_string(folder.path().join("Dockerfile")).unwrap(), "FROM a\n");
    }
}
