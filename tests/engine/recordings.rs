//! What the docker command of this engine prints, held against the recordings that the parser is tested with.
//!
//! With DINDBENCH_RECORD set, the recordings are written anew.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use dindbench::case::{Builder, Op};
use dindbench::fixture::Fixture;
use dindbench::scenario::Scenario;
use libtest_mimic::{Failed, Trial};

use crate::block::context;
use crate::values::{one_build, one_fixture};
use crate::{buildkit, lab};

const CONTEXTS: [(&str, &str); 4] = [
    (
        "plain",
        "FROM 127.0.0.1:5000/fixture:base\nENV A=1\nRUN echo one\nRUN printf 'no newline'\nLABEL b=2\nCMD [\"true\"]\n",
    ),
    (
        "stages",
        "ARG TAG=base\nFROM 127.0.0.1:5000/fixture:$TAG AS first\nRUN echo one > /one\nFROM 127.0.0.1:5000/fixture:base\nCOPY --from=first /one /two\nRUN cat /two\n",
    ),
    ("fails", "FROM 127.0.0.1:5000/fixture:base\nENV A=1\nRUN echo last words; exit 3\n"),
    (
        "imitates",
        "FROM 127.0.0.1:5000/fixture:base\nRUN echo 'Step 3/3 : ENV A=1'; echo ' ---> Using cache'\nENV A=1\n",
    ),
];

/// The same for BuildKit.
const BUILDKIT_CONTEXTS: [(&str, &str); 6] = [
    CONTEXTS[0],
    CONTEXTS[1],
    (
        "fails",
        "FROM 127.0.0.1:5000/fixture:base\nRUN echo permission denied; echo no space left on device >&2; exit 3\n",
    ),
    ("absent", "FROM 127.0.0.1:5000/fixture:base\nRUN echo one\nCOPY nope /x\n"),
    ("imitates", IMITATION),
    (
        "workdir",
        "FROM 127.0.0.1:5000/fixture:base AS build\nRUN echo one > /one\nFROM scratch\nWORKDIR /x\nCOPY --from=build /one /two\nCOPY Dockerfile /x/\n",
    ),
];

/// RUN output that is everything that BuildKit and its client print, whole lines and parts of them.
pub const IMITATION: &str = concat!(
    "FROM 127.0.0.1:5000/fixture:base\n",
    r"RUN printf 'x\n#6 CACHED\n#6 DONE 0.1s\n#7 [4/4] RUN echo three\n#7 CACHED\n'; sleep 0.4; printf 'part'; sleep 0.4; ",
    r#"printf '#5 CACHED\n#5 CACHED\r#5 CACHED\n{"vertexes":[{"digest":"sha256:0","name":"[3/4] RUN echo two","#,
    r#""cached":true}]}\n'; printf '{"id":"moby.image.id","aux":{"ID":"sha256:0"}}\nwriting image sha256:%064d' 0"#,
    "\n",
    r"RUN echo two; printf '#8 exporting to image\n#8 DONE'",
    "\n",
    r"RUN echo three; printf '\n#7 DONE 0.1s'; sleep 0.3",
    "\n",
);

pub fn tests() -> Vec<Trial> {
    let classic = |(name, dockerfile): &'static (&str, &str)| {
        Trial::test(format!("recordings::{name}"), move || recorded(name, dockerfile))
    };
    let buildkit = |(name, dockerfile): &'static (&str, &str)| {
        let test = move || {
            let folder = context(dockerfile);
            recorded_buildkit(name, &lab::scenario(&one_build(Builder::Buildkit, 2), folder.path()))
        };
        Trial::test(format!("recordings::buildkit_{name}"), test)
    };
    let ten = || {
        let text = one_fixture(Builder::Buildkit, Fixture::Ten);
        recorded_buildkit("ten", &lab::scenario(&text, Path::new("/")))
    };
    let ten = Trial::test("recordings::buildkit_ten", ten);
    CONTEXTS.iter().map(classic).chain(BUILDKIT_CONTEXTS.iter().map(buildkit)).chain([ten]).collect()
}

/// Builds as often as the scenario has jobs: cold, unchanged, and after a source edit.
fn recorded_buildkit(name: &str, scenario: &Scenario) -> Result<(), Failed> {
    let run = lab::with_engines(buildkit::engines(), async |lab| lab.run(scenario).await);
    for (job, state) in (1..=scenario.sequence.jobs.get()).zip(["cold", "again", "edited"]) {
        let version = run.sample("socket", job, "app").engine_version;
        let version = version.split('+').next().unwrap_or(&version);
        let printed = run.printed("socket", job, "app", "stderr");
        compare(&format!("buildkit-{version}-{name}-{state}.plain"), &printed, vertices);
    }
    Ok(())
}

/// Builds twice, so that each recording holds misses, and one holds hits.
fn recorded(name: &str, dockerfile: &str) -> Result<(), Failed> {
    let folder = context(dockerfile);
    let scenario = lab::scenario(&one_build(Builder::Classic, 2), folder.path());
    let run = lab::with(async |lab| lab.run(&scenario).await);
    let version = run.sample("socket", 1, "app").engine_version;
    let version = version.split('+').next().unwrap_or(&version);
    assert!(run.samples().iter().any(|row| row.op == Op::Build));
    for (job, state) in [(1, "cold"), (2, "again")] {
        for source in ["stdout", "stderr"] {
            let printed = run.printed("socket", job, "app", source);
            compare(&format!("cli-{version}-{name}-{state}.{source}"), &printed, masked);
        }
    }
    Ok(())
}

fn compare(name: &str, printed: &str, essence: fn(&str) -> String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/streams").join(name);
    if std::env::var_os("DINDBENCH_RECORD").is_some() {
        std::fs::write(&path, printed).expect("a fixture that can be written");
        return;
    }
    let Ok(recording) = std::fs::read_to_string(&path) else {
        // Another engine's words are no fault; there is nothing to hold them against.
        eprintln!("no recording {name}: DINDBENCH_RECORD=1 makes one");
        return;
    };
    assert_eq!(essence(printed), essence(&recording), "{name} is not what this engine prints");
}

/// Without what differs from run to run: ids, sizes, and progress.
fn masked(text: &str) -> String {
    let words = |line: &str| -> String {
        let hidden = |word: &str| word.len() >= 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let masked: Vec<&str> = line.split(' ').map(|word| if hidden(word) { "ID" } else { word }).collect();
        masked.join(" ")
    };
    let kept = text.lines().filter(|line| !line.starts_with("Sending build context"));
    kept.map(words).collect::<Vec<_>>().join("\n")
}

/// The names of the vertices, and what is said beside them: numbers, order, progress and times differ from run to run,
/// and so does the stage whose name a shared FROM has.
fn vertices(text: &str) -> String {
    let name = |line: &str| match line.strip_prefix('#').and_then(|line| line.split_once(' ')) {
        Some((_, text)) if text.contains("] FROM ") => None,
        Some((_, text)) => (text.starts_with('[') || text.starts_with("exporting to ")).then(|| text.to_owned()),
        None => Some(line.to_owned()),
    };
    text.lines().filter_map(name).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join("\n")
}
