//! What belongs to a context with BuildKit, held against what it copies from one.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom};
use std::path::Path;

use dindbench::engine::{Command, Patience, Source};
use dindbench::ignore::{Sender, entries};
use dindbench::scenario::{EngineVersion, Kind};
use dindbench::topology::{Arm, Started};
use libtest_mimic::{Failed, Trial};

use crate::buildkit;
use crate::cases::{cases, tree};
use crate::lab::{self, Engines, Lab};

const GENERATED: usize = 12;

/// The Dockerfile is sent apart from the context, and in an archive it can be nowhere else.
const DOCKERFILE: &str = "Dockerfile";

/// Builds every case, and prints what was copied from its context. A build that is refused prints no `ok`.
const SCRIPT: &str = r#"
cd /tmp/cases || exit 1
for case in *; do
    rm -rf /tmp/out
    printf 'case %s\n' "$case"
    (cd "$case" && DOCKER_BUILDKIT=1 docker build --quiet --output type=local,dest=/tmp/out . >/dev/null 2>&1) || continue
    echo ok
    (cd /tmp/out && find . -mindepth 1 | sed 's,^\./,,')
done
"#;

pub fn tests() -> Vec<Trial> {
    vec![
        Trial::test("ignored::a_present_buildkit_copies_what_is_sent_for_it", present),
        Trial::test("ignored::an_old_buildkit_copies_nothing_that_is_not_there", old),
    ]
}

/// A folder of ignore files of both kinds.
fn written(root: &Path) -> Vec<std::path::PathBuf> {
    let own = [("*", "a"), ("b", "**"), ("*\n!b/c", ""), ("*\n!b/c", "#"), ("", "*\n!**/d"), ("[", "a"), ("a", "[")];
    let own = own.into_iter().map(|(ignore, own)| (ignore.to_owned(), Some(own)));
    let all = cases(GENERATED).map(|ignore| (ignore, None)).chain(own);
    let folder = |(index, (ignore, own)): (usize, (String, Option<&str>))| {
        let folder = root.join(format!("{index:03}"));
        fs::create_dir(&folder).unwrap();
        tree(&folder);
        fs::write(folder.join(DOCKERFILE), "FROM scratch\nCOPY . /\n").unwrap();
        // An old BuildKit takes a file of the same size and time for the one of the build before.
        let padded = |text: &str| format!("{text}\n{}", "#".repeat(200 + index - text.len()));
        fs::write(folder.join(".dockerignore"), padded(&ignore)).unwrap();
        if let Some(own) = own {
            let text = if own.is_empty() { String::new() } else { padded(own) };
            fs::write(folder.join("Dockerfile.dockerignore"), text).unwrap();
        }
        folder
    };
    all.enumerate().map(folder).collect()
}

/// Of every case what the docker command of the lab's jobs copies; nothing where it refuses the ignore file.
async fn copied(lab: &mut Lab, root: &Path) -> Vec<Option<BTreeSet<String>>> {
    let mut tar = tar::Builder::new(tempfile::tempfile().unwrap());
    tar.follow_symlinks(false);
    tar.append_dir_all("cases", root).unwrap();
    let mut file: File = tar.into_inner().unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    let host = lab.open_host().await.expect("a host");
    let mut arm = Arm::new(&Kind::Socket, &host);
    let Started { job, .. } = arm.start(&host, 1).await.expect("a job");
    job.copy_in("cases", file).await.expect("the cases are copied");
    let output = job.exec(&Command::new(["sh", "-c", SCRIPT]), Patience::CHORE).await.expect("an answer");
    arm.stop(&host, Some(job)).await.expect("the job ends");
    host.remove().await.expect("the host is removed");
    let said = output.text(Source::Stdout);
    let case = |lines: &str| {
        let mut lines = lines.lines().skip(1);
        lines.next()?;
        Some(lines.filter(|line| *line != DOCKERFILE).map(str::to_owned).collect())
    };
    said.split("case ").skip(1).map(case).collect()
}

fn ours(folder: &Path, sender: Sender) -> Option<BTreeSet<String>> {
    let mut entries = entries(folder, DOCKERFILE, sender).ok()?;
    entries.remove(DOCKERFILE);
    Some(entries)
}

fn told(folder: &Path, ours: &Option<BTreeSet<String>>, theirs: &Option<BTreeSet<String>>) -> String {
    let ignore = fs::read_to_string(folder.join(".dockerignore")).unwrap();
    let own = fs::read_to_string(folder.join("Dockerfile.dockerignore")).ok();
    format!("{ignore:?}, own {own:?}\n  ours   {ours:?}\n  theirs {theirs:?}")
}

fn present() -> Result<(), Failed> {
    let root = tempfile::tempdir()?;
    let folders = written(root.path());
    let engines = Engines { outer: EngineVersion::V28_5, ..Engines::default() };
    let theirs = lab::with_engines(engines, async |lab| copied(lab, root.path()).await);
    assert_eq!(theirs.len(), folders.len());
    let pairs = folders.iter().map(|folder| (folder, ours(folder, Sender::Buildkit))).zip(&theirs);
    let wrong = pairs.filter(|((_, ours), theirs)| ours != *theirs);
    let wrong: Vec<String> = wrong.map(|((folder, ours), theirs)| told(folder, &ours, theirs)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// What is brought to a job is enough for its command, whichever that is.
fn old() -> Result<(), Failed> {
    let root = tempfile::tempdir()?;
    let folders = written(root.path());
    let theirs = lab::with_engines(buildkit::engines(), async |lab| copied(lab, root.path()).await);
    assert_eq!(theirs.len(), folders.len());
    let mut wrong = Vec::new();
    for (folder, theirs) in folders.iter().zip(&theirs) {
        let ours = ours(folder, Sender::Command);
        let enough = theirs.as_ref().is_none_or(|theirs| ours.as_ref().is_some_and(|ours| theirs.is_subset(ours)));
        wrong.extend((!enough).then(|| told(folder, &ours, theirs)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
