//! What the docker command sends of a folder: all that its ignore file does not leave out.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::{Found, Ignore};

const IGNORE_FILE: &str = ".dockerignore";

/// A context cannot be read as the docker command would read it.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: {source}", path.display())]
    Ignore { path: PathBuf, source: super::Error },
    #[error("{} is no UTF-8, and patterns are", path.display())]
    Name { path: PathBuf },
}

/// The paths below the folder that belong to the context, folders before what is in them, in the order of their names.
///
/// `dockerfile` is a path within the folder. An ignore file of its own, `DOCKERFILE.dockerignore`, holds for BuildKit
/// alone: where there is one, everything is sent, and the builder leaves out what it must.
pub fn entries(folder: &Path, dockerfile: &str) -> Result<Vec<String>, FolderError> {
    let mut found = Vec::new();
    walk(folder, "", &Found::default(), &ignore(folder, dockerfile)?, &mut found)?;
    Ok(found)
}

fn ignore(folder: &Path, dockerfile: &str) -> Result<Ignore, FolderError> {
    if folder.join(format!("{dockerfile}{IGNORE_FILE}")).is_file() {
        return Ok(Ignore::default());
    }
    let path = folder.join(IGNORE_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ignore::default()),
        Err(source) => return Err(FolderError::Io { path, source }),
    };
    let ignore = Ignore::parse(&text).map_err(|source| FolderError::Ignore { path, source })?;
    Ok(ignore.but_not(IGNORE_FILE).but_not(dockerfile))
}

fn walk(
    root: &Path,
    folder: &str,
    above: &Found,
    ignore: &Ignore,
    entries: &mut Vec<String>,
) -> Result<(), FolderError> {
    let path = root.join(folder);
    let wrong = |source: io::Error| FolderError::Io { path: path.clone(), source };
    let mut children: Vec<fs::DirEntry> = fs::read_dir(&path).and_then(Iterator::collect).map_err(wrong)?;
    children.sort_by_key(fs::DirEntry::file_name);
    for child in children {
        let name = child.file_name().into_string().map_err(|_| FolderError::Name { path: child.path() })?;
        let kind = child.file_type().map_err(wrong)?;
        // No archive can hold one.
        if kind.is_socket() {
            continue;
        }
        let child = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        let found = ignore.of(&child, above);
        if !found.ignored {
            entries.push(child.clone());
        }
        if kind.is_dir() && (!found.ignored || ignore.may_return(&child)) {
            walk(root, &child, &found, ignore, entries)?;
        }
    }
    Ok(())
}

/// Whether a file of the folder belongs to the context.
pub fn sent(folder: &Path, dockerfile: &str, path: &str) -> Result<bool, FolderError> {
    Ok(!ignore(folder, dockerfile)?.of_path(path).ignored)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(ignore: &str, dockerfile: &str, files: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(IGNORE_FILE), ignore).unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        entries(folder.path(), dockerfile).unwrap()
    }

    #[test]
    fn what_is_ignored_is_not_sent_and_its_exceptions_are() {
        let files = ["Dockerfile", "target/big", "target/keep", "src/main.rs"];
        assert_eq!(
            sent("target\n!target/keep\nDockerfile\n", "Dockerfile", &files),
            [".dockerignore", "Dockerfile", "src", "src/main.rs", "target/keep"]
        );
    }

    #[test]
    fn an_ignore_file_of_the_dockerfile_is_left_to_its_builder() {
        let files = ["a.Dockerfile", "a.Dockerfile.dockerignore", "x"];
        assert!(sent("*", "a.Dockerfile", &files).contains(&"x".to_owned()));
    }
}
