//! The command line as a script sees it: exit codes, what is on stdout, and what is on stderr.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::{contains, is_empty, starts_with};

fn dindbench() -> Command {
    Command::new(env!("CARGO_BIN_EXE_dindbench"))
}

#[test]
fn wrong_usage_ends_with_2_and_an_empty_stdout() {
    for arguments in [
        &["nonsense"][..],
        &[],
        &["run", "--nonsense"],
        &["run", "--host", "ssh://h"],
        &["run", "--blocks", "0"],
        &["run", "--preset", "huge"],
        &["run", "--time-limit", "soon"],
        &["run", "--registry", "https://registry:5000"],
        &["run", "--registry", "registry:5000"],
        &["report"],
        &["compare", "a"],
        &["compare", "a", "b", "--threshold", "5"],
        &["completions", "cmd"],
    ] {
        dindbench().args(arguments).assert().code(2).stdout(is_empty()).stderr(is_empty().not());
    }
}

#[test]
fn help_and_version_are_data() {
    dindbench().arg("--help").assert().success().stdout(contains("Exit codes:").and(contains("130  interrupted")));
    dindbench().arg("--version").assert().success().stdout(concat!("dindbench ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn what_is_not_built_yet_ends_with_2_and_says_what_works() {
    for (arguments, works) in [
        (&["claims", "--host", "local"][..], "reference host"),
        (&["run", "--image", "official"], "--image host-engine"),
    ] {
        let told = contains("not built yet").and(contains("what works now")).and(contains(works));
        dindbench().args(arguments).assert().code(2).stdout(is_empty()).stderr(told);
    }
}

#[test]
fn the_lab_is_for_its_own_claims_and_must_be_started() {
    let cache = tempfile::tempdir().unwrap();
    for (arguments, code, told, help) in [
        (&["C11"][..], 2, "C11 is not tested in the lab", "leave --host lab out"),
        (&["C99"], 2, "\"C99\" is no claim of the ledger", "--list"),
        (&["C16", "--engine", "28.5"], 2, "--engine 28.5 asks for another one", "leave --engine out"),
        (&["C16"], 1, "the lab's machine with apparmor is not started", "scripts/lab-vm start"),
    ] {
        let mut command = dindbench();
        command.args(["claims", "--host", "lab"]).args(arguments).env("XDG_CACHE_HOME", cache.path());
        let said = contains(told).and(contains(help));
        command.assert().code(code).stdout(is_empty()).stderr(said);
    }
}

#[test]
fn the_ledger_is_listed_without_an_engine() {
    let list = |arguments: &[&str]| {
        let output =
            dindbench().args(["claims", "--list"]).args(arguments).env("DOCKER_HOST", "unix:///nowhere").output();
        let output = output.unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let all: serde_json::Value = serde_json::from_str(&list(&["--format", "json"])).unwrap();
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 58);
    assert!(all.iter().all(|claim| !claim["needs"].as_str().unwrap().is_empty()), "{all:?}");
    let lines = |text: &str| text.lines().filter(|line| line.starts_with("| C") || line.starts_with("| S")).count();
    assert_eq!(lines(&list(&[])), 58);
    // A claim that rests on others is listed with them.
    assert_eq!(lines(&list(&["c48"])), 6);
}

#[test]
fn an_unknown_claim_is_told() {
    let told = contains("\"C99\" is no claim of the ledger").and(contains("claims --list"));
    dindbench().args(["claims", "C99"]).assert().code(2).stdout(is_empty()).stderr(told);
}

#[test]
fn an_unknown_scenario_is_told_with_the_built_in_ones() {
    let told = contains("\"nothing\" is neither a scenario file nor a built-in scenario")
        .and(contains("built-in scenarios: quick"));
    dindbench().args(["plan", "nothing"]).assert().code(2).stdout(is_empty()).stderr(told);
}

#[test]
fn an_invalid_scenario_is_told_with_its_place_and_what_would_be_right() {
    let place = tempfile::tempdir().unwrap();
    let text = include_str!("../scenarios/quick.toml").replace("lifecycle = \"keep\"", "lifecycle = \"kep\"");
    fs::write(place.path().join("mine.toml"), &text).unwrap();
    let line = text.lines().position(|line| line == "lifecycle = \"kep\"").unwrap() + 1;
    let told = contains(format!("mine.toml:{line}:13: unknown value `kep`"))
        .and(contains(format!("mine.toml:{line}:13]")))
        .and(contains("did you mean `keep`?"));
    dindbench().current_dir(&place).args(["plan", "mine.toml"]).assert().code(2).stdout(is_empty()).stderr(told);
}

#[test]
fn the_plan_of_a_seed_is_always_the_same() {
    // Without runs beside it, from which it would say how long this takes.
    let place = tempfile::tempdir().unwrap();
    let plan = || {
        let mut command = dindbench();
        command.current_dir(&place).args(["plan", "quick", "--seed", "42", "--blocks", "4"]).assert().success()
    };
    let text = String::from_utf8(plan().get_output().stdout.clone()).unwrap();
    plan().stdout(text.clone()).stderr(is_empty());
    insta::assert_snapshot!(text, @r#"
    quick: What does a CI job pay for its Docker when nothing is built yet, when nothing changed, and when a source file changed?

    topologies, compared to socket
      socket     socket
      dind-kept  dind    lifecycle=keep engine=auto storage_driver=auto data_root=fresh
      dind       dind    lifecycle=recreate engine=auto storage_driver=auto data_root=fresh

    steps of every job, driver cli, builder classic
      0    pull   fixture:base
      app  build  fixture:ten Dockerfile
      2    run    app ["true"]

    edits before each job
      job 1  first
      job 2  none
      job 3  source

    expected cached instructions
      socket     job 2  app  all
      socket     job 3  app  6
      dind-kept  job 2  app  all
      dind-kept  job 3  app  6
      dind       job 2  app  0
      dind       job 3  app  0

    order of each block, seed 42
      warm-up  dind       dind-kept  socket
      1        dind-kept  dind       socket
      2        dind-kept  socket     dind
      3        dind       socket     dind-kept
      4        socket     dind       dind-kept

    15 trials; jobs in each: 3; measured blocks: 4, and the warm-up

    how long a block takes is not known before a run of quick in results: --preset smoke tells
    "#);
}

#[test]
fn a_plan_says_from_an_earlier_run_how_long_it_takes_and_how_many_blocks_are_enough() {
    let plan =
        dindbench().current_dir(env!("CARGO_MANIFEST_DIR")).args(["plan", "quick", "--precision", "2%"]).assert();
    let told =
        contains("blocks with the warm-up take").and(contains("a block")).and(contains("as of times that vary by"));
    plan.success().stdout(told.and(contains("measured blocks until every job's ratio is known to ±2.0 %")));
}

#[test]
fn a_plan_without_a_seed_draws_one_and_prints_it() {
    let text = || String::from_utf8(dindbench().arg("plan").assert().success().get_output().stdout.clone()).unwrap();
    let (drawn, other) = (text(), text());
    let seed = drawn.split("seed ").nth(1).and_then(|rest| rest.lines().next()).unwrap();
    dindbench().args(["plan", "--seed", seed]).assert().success().stdout(drawn.clone());
    assert_ne!(drawn, other);
}

#[test]
fn only_takes_topologies_that_exist_and_keeps_the_baseline() {
    let known = contains("no topology \"podman\"").and(contains("it has: socket, dind-kept, dind"));
    dindbench().args(["plan", "--only", "socket,podman"]).assert().code(2).stderr(known);
    dindbench().args(["plan", "--only", "dind"]).assert().code(2).stderr(contains("--only socket,dind"));
    let part = contains("\n  dind ")
        .and(contains("dind-kept").not())
        .and(contains("16 trials; jobs in each: 3; measured blocks: 7,"));
    dindbench().args(["plan", "--only", "socket,dind"]).assert().success().stdout(part);
}

#[test]
fn schema_completions_and_manual_are_data() {
    dindbench()
        .arg("schema")
        .assert()
        .success()
        .stdout(include_str!("../docs/schema/scenario.json"))
        .stderr(is_empty());
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        dindbench().args(["completions", shell]).assert().success().stdout(contains("host-label")).stderr(is_empty());
    }
    let manual = contains(".TH dindbench 1").and(contains(".TH dindbench-run 1")).and(contains("Exit codes:"));
    dindbench().arg("man").assert().success().stdout(starts_with(".ie").and(manual)).stderr(is_empty());
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_failure() {
    let mut child = Process::new(env!("CARGO_BIN_EXE_dindbench"))
        .arg("man")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!((child.wait().unwrap().code(), told.as_str()), (Some(0), ""));
}

#[test]
fn a_run_and_its_copy_are_one_run() {
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/2026-11-25-cloud-2cpu");
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    for file in ["run.toml", "samples.csv"] {
        std::fs::copy(run.join(file), copy.join(file)).unwrap();
    }
    let out = folder.path().join("out");
    let report = dindbench().arg("report").args([&run, &copy]).arg("--out").arg(&out).assert();
    report.failure().stderr(contains("whose samples would count twice"));
    assert!(!out.exists(), "nothing is written");
}

/// A test of claims measures its scenarios in one run.
#[test]
fn two_scenarios_of_one_run_are_two() {
    let measured = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/2026-11-30-cloud-2cpu-claims/measured");
    let folder = tempfile::tempdir().unwrap();
    let runs = ["cache", "rootless"].map(|scenario| measured.join(scenario));
    dindbench().arg("report").args(runs).arg("--out").arg(folder.path()).assert().success();
}
