//! What is sent of a folder: all that its ignore file does not leave out.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::pattern::Version;
use super::{Found, Ignore, Sender};

const IGNORE_FILE: &str = ".dockerignore";

/// A context cannot be read as the docker command would read it.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("{}: {cause}", path.display())]
    Io { path: PathBuf, cause: io::Error },
    #[error("{}: {cause}", path.display())]
    Ignore { path: PathBuf, cause: super::Error },
    #[error("{} is no UTF-8, and patterns are", path.display())]
    Name { path: PathBuf },
}

/// The paths below the folder that belong to the context, folders before what is in them.
///
/// `dockerfile` is a path within the folder; an API client can send it nowhere else.
pub fn entries(folder: &Path, dockerfile: &str, sender: Sender) -> Result<BTreeSet<String>, FolderError> {
    let mut entries = BTreeSet::new();
    for ignore in ignores(folder, dockerfile, sender)? {
        walk(folder, "", &Found::default(), &ignore, &mut entries)?;
    }
    entries.extend(named(folder, dockerfile, sender));
    if sender != Sender::Classic {
        let above = |path: &String| path.match_indices('/').map(|(end, _)| path[..end].to_owned()).collect::<Vec<_>>();
        let folders: Vec<String> = entries.iter().flat_map(above).collect();
        entries.extend(folders);
    }
    Ok(entries)
}

/// Whether a file of the folder belongs to the context, by whichever docker command.
pub fn sent(folder: &Path, dockerfile: &str, path: &str) -> Result<bool, FolderError> {
    let ignores = ignores(folder, dockerfile, Sender::Command)?;
    Ok(path == dockerfile || ignores.iter().any(|ignore| ignore.sends(path)))
}

/// What is sent apart from the context, and so without regard to ignore files. The classic builder has no such way.
fn named(folder: &Path, dockerfile: &str, sender: Sender) -> Vec<String> {
    let named = match sender {
        Sender::Classic => Vec::new(),
        Sender::Buildkit => vec![dockerfile.to_owned()],
        Sender::Command => vec![dockerfile.to_owned(), own(dockerfile), IGNORE_FILE.to_owned()],
    };
    let mut files: Vec<String> = named.iter().flat_map(|file| with_target(folder, file)).collect();
    files.retain(|file| folder.join(file).is_file());
    files
}

/// A file, and what it is a link to.
fn with_target(folder: &Path, file: &str) -> impl Iterator<Item = String> {
    let target = folder.canonicalize().and_then(|root| Ok((folder.join(file).canonicalize()?, root))).ok();
    let target = target.and_then(|(target, root)| Some(target.strip_prefix(root).ok()?.to_str()?.to_owned()));
    [Some(file.to_owned()), target].into_iter().flatten()
}

/// The ignore file of one Dockerfile.
fn own(dockerfile: &str) -> String {
    format!("{dockerfile}{IGNORE_FILE}")
}

/// The ignore files, each as a docker command applies it that the sender may be or stands for.
fn ignores(folder: &Path, dockerfile: &str, sender: Sender) -> Result<Vec<Ignore>, FolderError> {
    let commands: &[(Version, bool)] = match sender {
        Sender::Classic => &[(Version::Current, false)],
        Sender::Buildkit => &[(Version::Current, true)],
        Sender::Command => {
            &[(Version::Current, false), (Version::Current, true), (Version::V20_10, false), (Version::V20_10, true)]
        }
    };
    let (mut ignores, mut refused) = (Vec::new(), None);
    for (version, buildkit) in commands {
        match ignore(folder, dockerfile, *version, *buildkit) {
            // That command would send nothing; another may read another file, or read it otherwise.
            Err(error @ FolderError::Ignore { .. }) => refused = refused.or(Some(error)),
            ignore => ignores.push(ignore?),
        }
    }
    match refused {
        Some(error) if ignores.is_empty() => Err(error),
        _ => Ok(ignores),
    }
}

/// Where a Dockerfile has an ignore file of its own, BuildKit takes that one alone; the classic builder knows of none.
fn ignore(folder: &Path, dockerfile: &str, version: Version, buildkit: bool) -> Result<Ignore, FolderError> {
    let own = folder.join(own(dockerfile));
    let path = if buildkit && own.is_file() { own } else { folder.join(IGNORE_FILE) };
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(cause) => return Err(FolderError::Io { path, cause }),
    };
    let ignore = Ignore::parse(&text, version, buildkit).map_err(|cause| FolderError::Ignore { path, cause })?;
    if buildkit {
        return Ok(ignore);
    }
    Ok(with_target(folder, dockerfile).fold(ignore.but_not(IGNORE_FILE), |ignore, file| ignore.but_not(&file)))
}

/// Takes up what one docker command would send of a folder.
fn walk(
    root: &Path,
    folder: &str,
    above: &Found,
    ignore: &Ignore,
    entries: &mut BTreeSet<String>,
) -> Result<(), FolderError> {
    let path = root.join(folder);
    let wrong = |cause: io::Error| FolderError::Io { path: path.clone(), cause };
    let children = match fs::read_dir(&path) {
        // Nothing of it would have been sent, if nothing of it is taken back in.
        Err(error) if above.ignored && error.kind() == io::ErrorKind::PermissionDenied => return Ok(()),
        children => children.map_err(wrong)?,
    };
    for child in children {
        let child = child.map_err(wrong)?;
        let name = child.file_name().into_string().map_err(|_| FolderError::Name { path: child.path() })?;
        let kind = child.file_type().map_err(wrong)?;
        // No archive can hold one.
        if kind.is_socket() {
            continue;
        }
        let child = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        let found = ignore.of(&child, above);
        let searched = found.ignored && kind.is_dir() && ignore.searches(&child);
        if searched || (kind.is_dir() && !found.ignored) {
            walk(root, &child, &found, ignore, entries)?;
        }
        // The old command sends a folder in which it searches, also where it finds nothing.
        if !found.ignored || (searched && ignore.version == Version::V20_10) {
            entries.insert(child);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    /// By sender: the command, and an API client for either builder.
    fn sent(folder: &tempfile::TempDir, dockerfile: &str) -> [Vec<String>; 3] {
        [Sender::Command, Sender::Classic, Sender::Buildkit]
            .map(|sender| entries(folder.path(), dockerfile, sender).unwrap().into_iter().collect())
    }

    #[test]
    fn what_is_ignored_is_not_sent_and_its_exceptions_are() {
        let ignore = "target\n!target/keep\nDockerfile\n";
        let files = [(IGNORE_FILE, ignore), ("Dockerfile", ""), ("target/big", ""), ("target/keep", ""), ("src/a", "")];
        let [command, classic, buildkit] = sent(&folder(&files), "Dockerfile");
        assert_eq!(command, [IGNORE_FILE, "Dockerfile", "src", "src/a", "target", "target/keep"]);
        assert_eq!(classic, [IGNORE_FILE, "Dockerfile", "src", "src/a", "target/keep"]);
        assert_eq!(buildkit, command);
    }

    #[test]
    fn an_ignore_file_of_the_dockerfile_is_buildkits_alone() {
        let own = "a.Dockerfile.dockerignore";
        let files = [("a.Dockerfile", ""), (own, "x\n*.dockerignore"), (IGNORE_FILE, "*\n!x"), ("x", ""), ("y", "")];
        let [command, classic, buildkit] = sent(&folder(&files), "a.Dockerfile");
        assert_eq!(command, [IGNORE_FILE, "a.Dockerfile", own, "x", "y"]);
        assert_eq!(classic, [IGNORE_FILE, "a.Dockerfile", "x"]);
        assert_eq!(buildkit, ["a.Dockerfile", "y"]);
    }

    #[test]
    fn of_a_large_ignored_folder_only_what_a_pattern_takes_back_is_sent() {
        let large = ["node_modules/x/index.js", "node_modules/x/README.md", "app/node_modules/y.js", ".git/HEAD"];
        let files: Vec<(&str, &str)> =
            large.into_iter().chain(["Dockerfile", "app/main.js"]).map(|file| (file, "")).collect();
        let folder = folder(&files);
        let write = |text: &str| fs::write(folder.path().join(IGNORE_FILE), text).unwrap();
        write("**/node_modules\n.git\n!app\napp/node_modules");
        let [command, classic, buildkit] = sent(&folder, "Dockerfile");
        assert_eq!(command, [IGNORE_FILE, "Dockerfile", "app", "app/main.js"]);
        assert_eq!((&classic, &buildkit), (&command, &command));
        write("**/node_modules\n.git\n!**/README.md");
        let [command, classic, buildkit] = sent(&folder, "Dockerfile");
        assert_eq!(classic, [IGNORE_FILE, "Dockerfile", "app", "app/main.js"]);
        let taken_back = ["node_modules", "node_modules/x", "node_modules/x/README.md"];
        assert_eq!(buildkit, [&classic[..], &taken_back.map(str::to_owned)].concat());
        assert_eq!(command, buildkit);
    }

    #[test]
    fn a_dockerfile_comes_with_what_it_is_a_link_to() {
        let folder = folder(&[(IGNORE_FILE, "*"), ("docker/prod", ""), ("docker/other", "")]);
        std::os::unix::fs::symlink("docker/prod", folder.path().join("Dockerfile")).unwrap();
        let [command, classic, buildkit] = sent(&folder, "Dockerfile");
        assert_eq!(command, [IGNORE_FILE, "Dockerfile", "docker", "docker/prod"]);
        assert_eq!(classic, [IGNORE_FILE, "Dockerfile", "docker/prod"]);
        assert_eq!(buildkit, ["Dockerfile", "docker", "docker/prod"]);
    }

    #[test]
    fn a_pattern_is_an_error_where_every_command_refuses_it() {
        let folder = folder(&[(IGNORE_FILE, "a(b"), ("Dockerfile", ""), ("a(b", "")]);
        assert_eq!(sent(&folder, "Dockerfile")[0], [IGNORE_FILE, "Dockerfile"]);
        let refused = |sender| entries(folder.path(), "Dockerfile", sender).is_err();
        fs::write(folder.path().join(IGNORE_FILE), "[").unwrap();
        assert!(refused(Sender::Command) && refused(Sender::Classic) && refused(Sender::Buildkit));
        fs::write(folder.path().join(own("Dockerfile")), "a*").unwrap();
        assert!(!refused(Sender::Command) && refused(Sender::Classic) && !refused(Sender::Buildkit));
    }
}
