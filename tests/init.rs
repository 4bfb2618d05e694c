//! `init` as a user meets it: the file that it writes can be planned, and what it cannot do it says.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::{contains, is_empty};

const DOCKERFILE: &str = "# syntax=docker/dockerfile:1\n\
    ARG PYTHON=3.11\n\
    FROM python:${PYTHON} AS build\n\
    COPY requirements.txt /app/\n\
    RUN --mount=type=cache,target=/root/.cache pip install -r /app/requirements.txt\n\
    COPY . /app\n\
    FROM build AS unwanted\n\
    FROM debian@sha256:0000000000000000000000000000000000000000000000000000000000000000\n\
    COPY --from=build /app /app\n";

fn dindbench(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dindbench"));
    command.current_dir(folder);
    command
}

/// A folder with a context `app`.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let app = folder.path().join("app");
    fs::create_dir(&app).unwrap();
    for (file, text) in
        [("Dockerfile", DOCKERFILE), ("requirements.txt", "one==1\n"), ("main.py", "print(1)\n"), ("notes.md", "#\n")]
    {
        fs::write(app.join(file), text).unwrap();
    }
    folder
}

#[test]
fn a_scenario_is_written_that_can_be_planned() {
    let folder = project();
    let told = contains("app/Dockerfile: 4 instructions in 2 of 3 stages")
        .and(contains("edit source: main.py, by line 6: COPY . /app"))
        .and(contains("edit dependencies: requirements.txt, by line 4: COPY requirements.txt /app/"))
        .and(contains("carried from your engine: python:3.11\n"))
        .and(contains("not carried: debian@sha256:"))
        .and(contains("builder: buildkit, for --mount in line 5"))
        .and(contains("# syntax=docker/dockerfile:1"))
        .and(contains("next: dindbench run dindbench.toml\n"));
    dindbench(folder.path()).args(["init", "app"]).assert().success().stdout(told).stderr(is_empty());
    let planned = contains("job 3  source").and(contains("job 4  dependencies")).and(contains("builder buildkit"));
    dindbench(folder.path()).args(["plan", "dindbench.toml"]).assert().success().stdout(planned);
}

#[test]
fn what_is_written_already_stays() {
    let folder = project();
    fs::write(folder.path().join("dindbench.toml"), "mine").unwrap();
    let told = contains("dindbench.toml is there already");
    dindbench(folder.path()).args(["init", "app"]).assert().code(2).stdout(is_empty()).stderr(told);
    assert_eq!(fs::read_to_string(folder.path().join("dindbench.toml")).unwrap(), "mine");
}

#[test]
fn a_dockerfile_of_another_name_stands_in_the_scenario() {
    let folder = project();
    fs::create_dir(folder.path().join("app/ci")).unwrap();
    fs::write(folder.path().join("app/ci/Dockerfile"), "FROM scratch\nCOPY main.py /\n").unwrap();
    dindbench(folder.path()).args(["init", "app", "--file", "app/ci/Dockerfile"]).assert().success();
    let written = fs::read_to_string(folder.path().join("dindbench.toml")).unwrap();
    assert!(written.contains("file = \"ci/Dockerfile\", source = \"main.py\""), "{written}");
    assert!(!written.contains("builder") && written.contains("edits = { 3 = \"source\" }"), "{written}");
}

#[test]
fn what_cannot_be_is_told_and_nothing_is_written() {
    let folder = project();
    let aside = folder.path().join("aside");
    fs::create_dir(&aside).unwrap();
    fs::write(aside.join("Dockerfile"), "FLY me\n").unwrap();
    for (from, arguments, told) in [
        (folder.path(), &["init", "nowhere"][..], "nowhere cannot be read"),
        (folder.path(), &["init"], "Dockerfile cannot be read"),
        (folder.path(), &["init", "aside"], "line 1"),
        (folder.path(), &["init", "app", "-f", "aside/Dockerfile"], "is not in the context"),
        (&aside, &["init", "../app"], "is not below"),
    ] {
        dindbench(from).args(arguments).assert().code(2).stdout(is_empty()).stderr(contains(told));
        assert!(!from.join("dindbench.toml").exists());
    }
}

#[test]
fn a_cause_is_told_once() {
    let folder = project();
    dindbench(folder.path())
        .args(["init", "missing"])
        .assert()
        .code(2)
        .stdout(is_empty())
        .stderr(contains("missing cannot be read: ").and(contains("No such file or directory").count(1)));
}

#[test]
fn results_do_not_go_into_the_context() {
    let folder = project();
    let app = folder.path().join("app");
    dindbench(&app)
        .arg("init")
        .assert()
        .success()
        .stdout(contains("next: dindbench run dindbench.toml --out ../results"));
    let run = |arguments: &[&str]| {
        let mut command = dindbench(&app);
        command.args(["run", "dindbench.toml", "--dry-run"]).args(arguments);
        command.assert()
    };
    run(&[]).code(2).stdout(is_empty()).stderr(contains("would be a part of the build context"));
    run(&["--out", "."]).code(2);
    run(&["--out", "../results"]).success();
    fs::write(app.join(".dockerignore"), "results\n").unwrap();
    run(&[]).success();
    run(&["--out", "elsewhere"]).code(2);
}
