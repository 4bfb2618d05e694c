//! What the docker command of this engine prints, held against the recordings that the parser is tested with.
//!
//! With DINDBENCH_RECORD set, the recordings are written anew.

use std::path::PathBuf;

use dindbench::case::Op;
use libtest_mimic::{Failed, Trial};

use crate::block::context;
use crate::lab;
use crate::values::one_build;

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

pub fn tests() -> Vec<Trial> {
    let test = |(name, dockerfile): &'static (&str, &str)| {
        Trial::test(format!("recordings::{name}"), move || recorded(name, dockerfile))
    };
    CONTEXTS.iter().map(test).collect()
}

/// Builds twice, so that each recording holds misses, and one holds hits.
fn recorded(name: &str, dockerfile: &str) -> Result<(), Failed> {
    let folder = context(dockerfile);
    let scenario = lab::scenario(&one_build(2), folder.path());
    let run = lab::with(async |lab| lab.run(&scenario).await);
    let version = run.sample("socket", 1, "app").engine_version;
    let version = version.split('+').next().unwrap_or(&version);
    assert!(run.samples().iter().any(|row| row.op == Op::Build));
    for (job, state) in [(1, "cold"), (2, "again")] {
        for source in ["stdout", "stderr"] {
            let printed = run.printed("socket", job, "app", source);
            compare(&format!("cli-{version}-{name}-{state}.{source}"), &printed);
        }
    }
    Ok(())
}

fn compare(name: &str, printed: &str) {
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
    assert_eq!(masked(printed), masked(&recording), "{name} is not what this engine prints");
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
