//! Contexts of the user's: their own base image, ignore file, edits, target and arguments.

use std::fs;
use std::path::Path;
use std::process::Command;

use dindbench::case::{Op, Status};
use libtest_mimic::{Failed, Trial};

use crate::command::{dindbench, only_run, samples, state, stderr};
use crate::host::fingerprint;
use crate::lab;

pub fn tests() -> Vec<Trial> {
    vec![
        Trial::test("own::a_base_is_carried_and_edits_are_seen", carried),
        Trial::test("own::an_image_that_nobody_has_is_refused_before_anything_is_measured", missing),
    ]
}

/// Six instructions; the dependencies are copied by the second, the source by the fourth. `left-out` would be copied too.
const DOCKERFILE: &str = r#"
FROM BASE AS build
ARG NAME
RUN echo "$NAME" > /name
COPY requirements.txt /app/
RUN wc -l /app/requirements.txt && test "$(cat /name)" = given
COPY . /app/src
RUN test -f /app/src/main.py && test ! -e /app/src/left-out
FROM build AS unwanted
RUN false
"#;

fn write(root: &Path, base: &str) {
    let own = root.join("own");
    fs::create_dir(&own).expect("a folder");
    for (file, text) in [
        ("Dockerfile", DOCKERFILE.replace("BASE", base)),
        (".dockerignore", "left-out\n".to_owned()),
        ("requirements.txt", "one==1\n".to_owned()),
        ("main.py", "print(1)\n".to_owned()),
        ("left-out", "x".repeat(1 << 20)),
    ] {
        fs::write(own.join(file), text).expect("a file");
    }
    let scenario = format!(
        r#"
question = "What does a job of my own cost?"
baseline = "socket"
[[topology]]
use = "socket"
[[topology]]
name = "dind-kept"
use = "dind"
lifecycle = "keep"
[[topology]]
use = "dind"
[job]
builder = "classic"
carry = ["{base}"]
steps = [
  {{ op = "build", context = "own", tag = "app", target = "build", args = {{ NAME = "given" }}, source = "main.py", dependencies = "requirements.txt" }},
]
[sequence]
jobs = 4
edits = {{ 3 = "source", 4 = "dependencies" }}
blocks = 1
"#
    );
    fs::write(root.join("own.toml"), scenario).expect("a file");
}

fn docker(arguments: &[&str]) {
    let output = Command::new("docker").args(arguments).output().expect("the docker command");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn carried() -> Result<(), Failed> {
    let image = lab::with(async |lab| lab.host.image().to_owned());
    let base = format!("dindbench-own:{}", std::process::id());
    docker(&["tag", &image, &base]);
    let (before, state) = (fingerprint(), state());
    write(state.path(), &base);
    let output = dindbench(&state, &["run", "own.toml", "--seed", "8"]).output()?;
    docker(&["rmi", "--no-prune", &base]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for sample in samples(&only_run(&state)).iter().filter(|sample| sample.op == Op::Build) {
        assert_eq!(sample.status, Status::Ok, "{}", sample.error.as_str());
        // ARG, RUN, COPY, RUN, COPY, RUN: the edit of the source is seen by the fifth, of the dependencies by the third.
        let kept = [0, 6, 4, 2][sample.job as usize - 1];
        let hits = if sample.topology.as_str() == "dind" { 0 } else { kept };
        let found = (sample.instructions_cached, sample.instructions_total);
        assert_eq!(found, (Some(hits), Some(6)), "{} job {}", sample.topology.as_str(), sample.job);
    }
    docker(&["tag", &image, &base]);
    assert_eq!(fingerprint(), before);
    docker(&["rmi", "--no-prune", &base]);
    assert_eq!(fs::read_to_string(state.path().join("own/main.py"))?, "print(1)\n", "the user's file was changed");
    Ok(())
}

fn missing() -> Result<(), Failed> {
    let (before, state) = (fingerprint(), state());
    write(state.path(), "no-such-image:1");
    let output = dindbench(&state, &["run", "own.toml"]).output()?;
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("no-such-image:1"), "{}", stderr(&output));
    assert!(!state.path().join("results").exists() && fingerprint() == before);
    Ok(())
}
