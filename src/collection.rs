//! Programs of a root file system, with all that they need to run, gathered to be copied into an image.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::elf;

/// Folders searched for a program, in the usual order of a PATH.
pub const PROGRAM_FOLDERS: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Where a loader without a cache looks, in Debian's, Fedora's and Alpine's builds.
pub const LIBRARY_FOLDERS: [&str; 9] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib",
];

/// Symbolic links on the way to one file, as the kernel allows them.
const MOST_LINKS: usize = 40;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{} has no {program} in {}", root.display(), PROGRAM_FOLDERS.join(", "))]
    NoProgram { root: PathBuf, program: String },
    #[error("{file} needs {library}, which is in no library folder")]
    NoLibrary { file: String, library: String },
    #[error("cannot tell what {file} needs: {cause}")]
    Elf { file: String, cause: elf::Error },
    #[error("cannot read {}: {cause}", path.display())]
    Io { path: PathBuf, cause: io::Error },
}

/// Paths, none beginning with a slash, as they must be in an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collection {
    /// Files at the paths where they really are.
    pub files: BTreeSet<String>,
    /// Symbolic links, with their target as it is written.
    pub links: BTreeMap<String, String>,
}

/// Fills a collection from the file system below a root.
pub struct Collector<'a> {
    root: &'a Path,
    collection: Collection,
}

impl<'a> Collector<'a> {
    pub fn new(root: &'a Path) -> Self {
        Self { root, collection: Collection::default() }
    }

    /// Takes a program that must be there. Returns the path at which it was found.
    pub fn program(&mut self, name: &str) -> Result<String, Error> {
        let missing = || Error::NoProgram { root: self.root.to_owned(), program: name.to_owned() };
        self.optional_program(name)?.ok_or_else(missing)
    }

    /// Takes a program where it is there, with what it loads. Returns the path at which it was found.
    pub fn optional_program(&mut self, name: &str) -> Result<Option<String>, Error> {
        for folder in PROGRAM_FOLDERS {
            let path = format!("{folder}/{name}");
            if let Some(file) = self.take(&path)? {
                self.with_libraries(file)?;
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// Takes everything below a folder, where it is there, with what its files load.
    pub fn folder(&mut self, path: &str) -> Result<(), Error> {
        let Some((folder, links)) = self.resolve(path)? else { return Ok(()) };
        self.collection.links.extend(links);
        let entries = match fs::read_dir(self.root.join(&folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(()),
            Err(cause) => return Err(Error::Io { path: folder.into(), cause }),
        };
        for entry in entries {
            let entry = entry.map_err(|cause| Error::Io { path: folder.clone().into(), cause })?;
            let path = format!("/{folder}/{}", entry.file_name().to_string_lossy());
            match self.take(&path)? {
                Some(file) => self.with_libraries(file)?,
                None => self.folder(&path)?,
            }
        }
        Ok(())
    }

    /// Takes the links on the way to a path, where it is there.
    pub fn links_to(&mut self, path: &str) -> Result<(), Error> {
        if let Some((_, links)) = self.resolve(path)? {
            self.collection.links.extend(links);
        }
        Ok(())
    }

    pub fn finish(self) -> Collection {
        self.collection
    }

    /// Takes a file, what it loads, and what that loads. A script loads nothing.
    fn with_libraries(&mut self, file: String) -> Result<(), Error> {
        let mut waiting = vec![file];
        while let Some(file) = waiting.pop() {
            if !self.collection.files.insert(file.clone()) {
                continue;
            }
            let path = self.root.join(&file);
            let program = fs::File::open(&path).map_err(|cause| Error::Io { path, cause })?;
            let needs = match elf::needed(&program) {
                Ok(needs) => needs,
                Err(elf::Error::NotElf) => continue,
                Err(cause) => return Err(Error::Elf { file, cause }),
            };
            for library in needs.interpreter.iter().chain(&needs.needed) {
                let found = self.library(&file, library, &needs.runpath)?;
                waiting.push(found.ok_or_else(|| Error::NoLibrary { file: file.clone(), library: library.clone() })?);
            }
        }
        Ok(())
    }

    fn library(&mut self, file: &str, library: &str, runpath: &[String]) -> Result<Option<String>, Error> {
        if library.starts_with('/') {
            return self.take(library);
        }
        let origin = file.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("/{folder}"));
        let own = runpath.iter().map(|folder| folder.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin));
        for folder in own.chain(LIBRARY_FOLDERS.map(str::to_owned)) {
            if let Some(found) = self.take(&format!("{folder}/{library}"))? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The real path of a regular file, after keeping the links on the way to it; None where there is no such file.
    fn take(&mut self, path: &str) -> Result<Option<String>, Error> {
        match self.resolve(path)? {
            Some((file, links)) if self.root.join(&file).is_file() => {
                self.collection.links.extend(links);
                Ok(Some(file))
            }
            _ => Ok(None),
        }
    }

    fn resolve(&self, path: &str) -> Result<Option<Resolved>, Error> {
        resolve(self.root, path).map_err(|cause| Error::Io { path: path.into(), cause })
    }
}

type Resolved = (String, Vec<(String, String)>);

/// Follows links as a process with this root would: an absolute target begins at the root, and `..` stops there.
fn resolve(root: &Path, path: &str) -> io::Result<Option<Resolved>> {
    let mut waiting: Vec<String> = parts(path);
    let mut done: Vec<String> = Vec::new();
    let mut links = Vec::new();
    while let Some(part) = waiting.pop() {
        if part == ".." {
            done.pop();
            continue;
        }
        done.push(part);
        let here = done.join("/");
        let kind = match fs::symlink_metadata(root.join(&here)) {
            Ok(found) => found.file_type(),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        if kind.is_symlink() {
            let target = fs::read_link(root.join(&here))?.to_string_lossy().into_owned();
            done.pop();
            if target.starts_with('/') {
                done.clear();
            }
            waiting.extend(parts(&target));
            links.push((here, target));
            if links.len() > MOST_LINKS {
                return Err(io::Error::other("too many symbolic links"));
            }
        }
    }
    Ok(Some((done.join("/"), links)))
}

/// The last part first.
fn parts(path: &str) -> Vec<String> {
    let parts = Path::new(path).components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        Component::ParentDir => Some("..".to_owned()),
        _ => None,
    });
    let mut parts: Vec<String> = parts.collect();
    parts.reverse();
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn links(resolved: &Resolved) -> Vec<(&str, &str)> {
        resolved.1.iter().map(|(path, target)| (path.as_str(), target.as_str())).collect()
    }

    #[test]
    fn links_are_followed_inside_the_root() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("usr/bin")).unwrap();
        fs::write(root.path().join("usr/bin/dash"), "x").unwrap();
        symlink("usr/bin", root.path().join("bin")).unwrap();
        symlink("dash", root.path().join("usr/bin/sh")).unwrap();
        symlink("/bin/sh", root.path().join("usr/bin/absolute")).unwrap();
        symlink("../../../../bin/dash", root.path().join("usr/bin/above")).unwrap();

        let sh = resolve(root.path(), "/bin/sh").unwrap().unwrap();
        assert_eq!((sh.0.as_str(), links(&sh)), ("usr/bin/dash", vec![("bin", "usr/bin"), ("usr/bin/sh", "dash")]));
        let absolute = resolve(root.path(), "/usr/bin/absolute").unwrap().unwrap();
        assert_eq!(absolute.0, "usr/bin/dash");
        assert_eq!(links(&absolute), [("usr/bin/absolute", "/bin/sh"), ("bin", "usr/bin"), ("usr/bin/sh", "dash")]);
        assert_eq!(resolve(root.path(), "/usr/bin/above").unwrap().unwrap().0, "usr/bin/dash");
        for missing in ["/bin/none", "/usr/bin/dash/x", "/none/x"] {
            assert_eq!(resolve(root.path(), missing).unwrap(), None, "{missing}");
        }
    }

    #[test]
    fn a_circle_of_links_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        symlink("b", root.path().join("a")).unwrap();
        symlink("a", root.path().join("b")).unwrap();
        assert!(resolve(root.path(), "/a").is_err());
    }

    #[test]
    fn a_program_of_this_machine_comes_whole() {
        let root = Path::new("/");
        let mut collector = Collector::new(root);
        for program in ["sh", "sha256sum"] {
            let found = collector.program(program).unwrap();
            assert!(arrives(&collector.collection, &found), "{found}");
        }
        let collection = collector.finish();
        for file in &collection.files {
            let needs = elf::needed(&fs::File::open(root.join(file)).unwrap()).unwrap();
            assert!(needs.interpreter.iter().all(|path| arrives(&collection, path)), "{file}: {needs:?}");
            for library in &needs.needed {
                let mut folders = LIBRARY_FOLDERS.iter();
                assert!(
                    folders.any(|folder| arrives(&collection, &format!("{folder}/{library}"))),
                    "{file} needs {library}"
                );
            }
        }
    }

    /// Whether a path leads to a file through nothing but the collection's own links and files.
    fn arrives(collection: &Collection, path: &str) -> bool {
        resolve(Path::new("/"), path).unwrap().is_some_and(|(file, links)| {
            let linked = |(path, target): &(String, String)| collection.links.get(path) == Some(target);
            collection.files.contains(&file) && links.iter().all(linked)
        })
    }

    #[test]
    fn a_program_that_is_missing_is_named_and_a_script_loads_nothing() {
        let root = tempfile::tempdir().unwrap();
        let mut collector = Collector::new(root.path());
        assert!(matches!(collector.program("sh"), Err(Error::NoProgram { program, .. }) if program == "sh"));
        fs::create_dir(root.path().join("bin")).unwrap();
        fs::write(root.path().join("bin/sh"), "#!/bin/other\n").unwrap();
        assert_eq!(collector.program("sh").unwrap(), "/bin/sh");
        assert_eq!(collector.finish().files.into_iter().collect::<Vec<_>>(), ["bin/sh"]);
    }

    #[test]
    fn a_folder_comes_with_its_links_and_what_is_below_it() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("lib/plugins/more")).unwrap();
        fs::write(root.path().join("lib/plugins/a"), "x").unwrap();
        fs::write(root.path().join("lib/plugins/more/b"), "x").unwrap();
        symlink("a", root.path().join("lib/plugins/c")).unwrap();
        let mut collector = Collector::new(root.path());
        collector.folder("/lib/plugins").unwrap();
        collector.folder("/lib/none").unwrap();
        let collection = collector.finish();
        assert_eq!(collection.files.iter().collect::<Vec<_>>(), ["lib/plugins/a", "lib/plugins/more/b"]);
        assert_eq!(collection.links.iter().collect::<Vec<_>>(), [(&"lib/plugins/c".to_owned(), &"a".to_owned())]);
    }
}
