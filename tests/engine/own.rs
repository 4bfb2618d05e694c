//! Contexts of the user's: their own base image, ignore file, edits, target and arguments.

use std::fs;
use std::path::Path;
use std::time::Duration;

use dindbench::case::{Builder, Op, Status};
use dindbench::record::RunDir;
use libtest_mimic::{Failed, Trial};
use tempfile::TempDir;

use crate::command::{await_file, dindbench, only_run, samples, signal, state, stderr};
use crate::host::{alone, docker, fingerprint, users};
use crate::lab;
use crate::systems::build_systems;

pub fn tests() -> Vec<Trial> {
    vec![
        users("own::a_base_is_carried_and_edits_are_seen", || carried(Builder::Classic)),
        users("own::a_base_is_carried_and_edits_are_seen_by_buildkit", || carried(Builder::Buildkit)),
        users("own::what_init_writes_runs", init),
        users("own::on_the_users_own_engine_nothing_that_was_built_before_is_hit", on_the_users_own),
        alone("own::a_killed_run_leaves_nothing_on_the_users_own_engine", killed),
        users("own::an_image_that_nobody_has_is_refused_before_anything_is_measured", missing),
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

/// Those whose engines have a cache from job to job.
const KEPT: &str = "--only socket,dind-kept";

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

/// Runs a command for which the user's engine has a base of this name; all is as before then.
fn with_base(work: impl FnOnce(&str, &TempDir) -> Vec<Vec<String>>) -> Result<(TempDir, RunDir), Failed> {
    let image = lab::with(async |lab| lab.host.image().to_owned());
    let base = format!("dindbench-own:{}", std::process::id());
    let state = state();
    docker(&["tag", &image, &base]);
    let commands = work(&base, &state);
    let before = fingerprint();
    let mut told = Vec::new();
    for arguments in commands {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = dindbench(&state, &arguments).output()?;
        told.push((output.status.code(), stderr(&output)));
    }
    let after = fingerprint();
    docker(&["rmi", "--no-prune", &base]);
    assert!(told.iter().all(|(code, _)| *code == Some(0)), "{told:?}");
    assert_eq!(after, before);
    let run = only_run(&state);
    Ok((state, run))
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

/// Each job's build has the hits of `kept` where its engine still has its cache, and none in `dind`.
fn assert_kept(run: &RunDir, builder: Builder, kept: [u32; 4], total: u32) {
    for sample in samples(run).iter().filter(|sample| sample.op == Op::Build) {
        assert_eq!((sample.status, sample.builder), (Status::Ok, Some(builder)), "{}", sample.error.as_str());
        let hits = if sample.topology.as_str() == "dind" { 0 } else { kept[sample.job as usize - 1] };
        let found = (sample.instructions_cached, sample.instructions_total);
        assert_eq!(found, (Some(hits), Some(total)), "{} job {}", sample.topology.as_str(), sample.job);
    }
}

fn carried(builder: Builder) -> Result<(), Failed> {
    let (state, run) = with_base(|base, state| {
        write(state.path(), base);
        let mut run = words(&format!("run own.toml --seed 8 --builder {builder}"));
        if builder == Builder::Buildkit {
            build_systems(&["20.10"]);
            run.extend(words(&format!("--engine 20.10 {KEPT}")));
        }
        vec![run]
    })?;
    // ARG, RUN, COPY, RUN, COPY, RUN, and for BuildKit no ARG: the edit of the source is seen by the fifth, of the
    // dependencies by the third.
    match builder {
        Builder::Buildkit => assert_kept(&run, builder, [0, 5, 3, 1], 5),
        Builder::Auto | Builder::Classic | Builder::Buildah => assert_kept(&run, builder, [0, 6, 4, 2], 6),
    }
    assert_eq!(fs::read_to_string(state.path().join("own/main.py"))?, "print(1)\n", "the user's file was changed");
    Ok(())
}

fn init() -> Result<(), Failed> {
    let (_state, run) = with_base(|base, state| {
        let own = state.path().join("own");
        fs::create_dir(&own).expect("a folder");
        let dockerfile = format!(
            "ARG BASE={base}\nFROM $BASE AS build\nCOPY requirements*.txt /app/\nRUN wc -l /app/requirements.txt\n\
             COPY . /app/\nFROM scratch\nCOPY --from=build /app /app\n"
        );
        for (file, text) in
            [("Dockerfile", dockerfile.as_str()), ("requirements.txt", "one==1\n"), ("main.py", "print(1)\n")]
        {
            fs::write(own.join(file), text).expect("a file");
        }
        ["init own".to_owned(), format!("run dindbench.toml --blocks 1 --builder classic {KEPT}")]
            .map(|line| words(&line))
            .to_vec()
    })?;
    assert_kept(&run, Builder::Classic, [0, 4, 2, 0], 4);
    Ok(())
}

/// The user has built the same context before.
fn on_the_users_own() -> Result<(), Failed> {
    let tag = format!("dindbench-own-before:{}", std::process::id());
    let (_state, run) = with_base(|base, state| {
        write(state.path(), base);
        let folder = state.path().join("own");
        let build = format!("build --quiet --tag {tag} --target build --build-arg NAME=given");
        let mut build: Vec<&str> = build.split(' ').collect();
        build.push(folder.to_str().expect("a path in UTF-8"));
        docker(&build);
        vec![words(&format!("run own.toml --seed 8 --host local --builder classic {KEPT}"))]
    })?;
    docker(&["rmi", &tag]);
    assert_kept(&run, Builder::Classic, [0, 6, 4, 2], 6);
    Ok(())
}

fn killed() -> Result<(), Failed> {
    let image = lab::with(async |lab| lab.host.image().to_owned());
    let base = format!("dindbench-own:{}", std::process::id());
    docker(&["tag", &image, &base]);
    let (before, state) = (fingerprint(), state());
    write(state.path(), &base);
    for rows in [2, 6] {
        let child = dindbench(&state, &["run", "own.toml", "--host", "local"]).spawn()?;
        await_file(&state, "samples.csv", rows);
        std::thread::sleep(Duration::from_millis(100));
        signal(&child, "KILL");
        child.wait_with_output()?;
        let output = dindbench(&state, &["clean"]).output()?;
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(fingerprint(), before, "after {rows} rows");
        fs::remove_dir_all(state.path().join("results"))?;
    }
    docker(&["rmi", "--no-prune", &base]);
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
