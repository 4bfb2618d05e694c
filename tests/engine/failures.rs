//! Failures: a row with the right class and message, and the run goes on.

use std::time::Duration;

use dindbench::case::{Builder, ErrorClass, Lifecycle, Status};
use dindbench::engine::{Command, Engine, Patience};
use dindbench::journal::{ROLE_LABEL, RUN_LABEL};
use dindbench::scenario::{Dind, Kind, Power, Scenario};
use dindbench::topology::{Arm, TopologyError};
use libtest_mimic::{Failed, Trial};

use crate::block::{Recorded, context};
use crate::lab;
use crate::values::one_build;

pub fn tests() -> Vec<Trial> {
    vec![
        Trial::test("failures::a_run_instruction_that_fails", run_instruction),
        Trial::test("failures::a_base_image_that_is_missing", missing_base),
        Trial::test("failures::a_tag_that_is_missing", missing_tag),
        Trial::test("failures::a_step_that_is_silent_for_too_long", stall),
        Trial::test("failures::an_inner_engine_killed_in_the_middle_of_a_build", killed_inner),
        Trial::test("failures::an_inner_engine_killed_and_started_again", killed_and_resumed),
        Trial::test("failures::an_outer_engine_killed_in_the_middle_of_a_build", killed_outer),
        Trial::test("failures::an_inner_engine_that_cannot_start", no_start),
        Trial::test("failures::an_engine_without_the_runtime_says_so", no_runtime),
    ]
}

fn build(dockerfile: &str, jobs: u32) -> (tempfile::TempDir, Scenario) {
    let folder = context(dockerfile);
    let scenario = lab::scenario(&one_build(Builder::Classic, jobs), folder.path());
    (folder, scenario)
}

fn run(scenario: &Scenario) -> Recorded {
    lab::with(async |lab| lab.run(scenario).await)
}

fn assert_failed(recorded: &Recorded, topology: &str, job: u32, step: &str, class: ErrorClass, words: &str) {
    let row = recorded.sample(topology, job, step);
    assert_eq!((row.status, row.error_class), (Status::Failed, Some(class)), "{}", row.error);
    assert!(row.error.as_str().contains(words), "{}", row.error);
    assert_eq!(recorded.tally.spoiled, 1);
    assert_eq!(recorded.trials()[0].status, Status::Failed);
}

fn run_instruction() -> Result<(), Failed> {
    let (_folder, scenario) =
        build("FROM 127.0.0.1:5000/fixture:base\nENV A=1\nRUN echo 'permission denied' >&2; exit 7\n", 2);
    let recorded = run(&scenario);
    for job in [1, 2] {
        assert_failed(&recorded, "socket", job, "app", ErrorClass::CommandFailed, "non-zero code: 7");
        assert_eq!(recorded.sample("socket", job, "stop").status, Status::Ok);
    }
    Ok(())
}

fn missing_base() -> Result<(), Failed> {
    let (_folder, scenario) = build("FROM 127.0.0.1:5000/fixture:none\nENV A=1\n", 1);
    assert_failed(&run(&scenario), "socket", 1, "app", ErrorClass::ImageMissing, "fixture:none");
    Ok(())
}

fn missing_tag() -> Result<(), Failed> {
    let text = one_build(Builder::Classic, 1).replace("fixture:base", "fixture:none");
    let folder = context("FROM scratch\nENV A=1\n");
    let recorded = run(&lab::scenario(&text, folder.path()));
    assert_failed(&recorded, "socket", 1, "0", ErrorClass::ImageMissing, "fixture:none");
    assert_eq!(
        recorded.samples().iter().filter(|row| row.step.as_str() == "app").count(),
        0,
        "what follows a failed step is not run"
    );
    Ok(())
}

fn stall() -> Result<(), Failed> {
    let text = format!("{}\n[limits]\nstall_timeout = \"2s\"\n", one_build(Builder::Classic, 1));
    let folder = context("FROM 127.0.0.1:5000/fixture:base\nRUN sleep 60\n");
    let recorded = run(&lab::scenario(&text, folder.path()));
    let row = recorded.sample("socket", 1, "app");
    assert_eq!((row.status, row.error_class), (Status::Timeout, Some(ErrorClass::StallTimeout)), "{}", row.error);
    assert_eq!(recorded.sample("socket", 1, "stop").status, Status::Ok);
    Ok(())
}

const LONG: &str = "FROM 127.0.0.1:5000/fixture:base\nRUN echo begun; sleep 60\n";

/// A trial of two jobs in which the engine of a dind is killed in the build of the first.
fn killed(lifecycle: Lifecycle) -> Recorded {
    let folder = context(LONG);
    let text = one_build(Builder::Classic, 2)
        .replace("use = \"socket\"", &format!("use = \"dind\"\n        lifecycle = \"{lifecycle}\""))
        .replace("\"socket\"", "\"dind\"");
    let scenario = lab::scenario(&text, folder.path());
    let recorded = lab::with(async |lab| {
        let (user, run) = (lab.engine.clone(), lab.journal.run().to_owned());
        let kill = async move {
            let engine = format!("dindbench-{run}-engine");
            let host = await_build(&user, &run, &engine).await;
            execute(&user, &host, &["docker", "kill", &engine]).await;
        };
        lab.run_while(&scenario, kill).await
    });
    let row = recorded.sample("dind", 1, "app");
    assert_eq!((row.status, row.error_class), (Status::Failed, Some(ErrorClass::EngineDied)), "{}", row.error);
    assert!(row.error.as_str().contains("exit code 137"), "{}", row.error);
    recorded
}

fn killed_inner() -> Result<(), Failed> {
    let recorded = killed(Lifecycle::Recreate);
    assert_eq!(recorded.sample("dind", 2, "start").status, Status::Ok, "the next job gets an engine of its own");
    Ok(())
}

/// What the killed engine left of itself, its pid file above all, must not keep the next one from starting.
fn killed_and_resumed() -> Result<(), Failed> {
    let recorded = killed(Lifecycle::Restart);
    let stop = recorded.sample("dind", 1, "stop");
    assert_eq!((stop.status, stop.error_class), (Status::Failed, Some(ErrorClass::EngineDied)), "{}", stop.error);
    let start = recorded.sample("dind", 2, "start");
    assert_eq!(start.status, Status::Ok, "{}", start.error);
    assert_eq!(recorded.sample("dind", 2, "0").layers_reused, Some(6), "the data are the same");
    Ok(())
}

fn killed_outer() -> Result<(), Failed> {
    let (_folder, scenario) = build(LONG, 2);
    let recorded = lab::with(async |lab| {
        let (user, run) = (lab.engine.clone(), lab.journal.run().to_owned());
        let kill = async move {
            let host = await_build(&user, &run, "").await;
            user.remove_container(&host).await.expect("the host is removed");
        };
        lab.run_while(&scenario, kill).await
    });
    let row = recorded.sample("socket", 1, "app");
    assert_eq!((row.status, row.error_class), (Status::Failed, Some(ErrorClass::EngineDied)), "{}", row.error);
    assert!(recorded.samples().iter().all(|row| row.job == 1), "nothing can run on a host that is gone");
    Ok(())
}

/// A file where the engine wants a folder.
fn no_start() -> Result<(), Failed> {
    let kind = Kind::Dind(Dind::default());
    lab::with(async |lab| {
        let host = lab.open_host().await?;
        let volume = format!("dindbench-{}-data", lab.journal.run());
        execute(&lab.engine, host.container(), &["docker", "volume", "create", &volume]).await;
        execute(
            &lab.engine,
            host.container(),
            &["touch", &format!("/var/lib/docker/volumes/{volume}/_data/containers")],
        )
        .await;
        let started = Arm::new(&kind, &host).start(&host, 1).await;
        host.remove().await?;
        let Err(TopologyError::Died(death)) = started else { return Err("it started on a broken data root".into()) };
        assert_eq!(death.exit_code, Some(1), "{death}");
        assert!(death.last_line.contains("not a directory"), "{death}");
        Ok(())
    })
}

/// Nothing else is started in its place.
fn no_runtime() -> Result<(), Failed> {
    let kind = Kind::Dind(Dind { power: Power::Sysbox, ..Dind::default() });
    let said = lab::with(async |lab| {
        let host = lab.open_host().await?;
        let started = Arm::new(&kind, &host).start(&host, 1).await;
        host.remove().await?;
        Ok::<_, TopologyError>(started.err().map(|error| error.to_string()))
    })?;
    let said = said.ok_or("it started under a runtime that is not there")?;
    assert!(said.contains("sysbox-runc"), "{said}");
    Ok(())
}

/// Waits until a job's build runs its instruction; returns the host's container.
async fn await_build(user: &Engine, run: &str, engine: &str) -> String {
    let host = await_host(user, run).await;
    let list = if engine.is_empty() {
        vec!["docker", "ps", "--quiet", "--filter", "label=dindbench.role=fixture"]
    } else {
        vec![
            "docker",
            "exec",
            engine,
            "docker",
            "--host",
            "unix:///run/engine/docker.sock",
            "ps",
            "--quiet",
            "--filter",
            "label=dindbench.role=fixture",
        ]
    };
    loop {
        if !execute(user, &host, &list).await.trim().is_empty() {
            return host;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The labels tell: the name of one run may begin with the name of another.
pub async fn await_host(user: &Engine, run: &str) -> String {
    loop {
        let hosts = user.containers(Some(&format!("{RUN_LABEL}={run}")), false).await.expect("a list");
        if let Some((name, _)) = hosts.into_iter().find(|(_, labels)| labels[ROLE_LABEL] == "outer") {
            return name;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Executes a docker command on the outer engine; returns what it printed.
async fn execute(user: &Engine, host: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(arguments.iter().copied());
    command.environment.push("DOCKER_HOST=unix:///run/engine/docker.sock".to_owned());
    match user.exec(host, &command, Patience::CHORE).await {
        Ok(output) => output.text(dindbench::engine::Source::Stdout),
        // The host is not up yet, or gone already.
        Err(_) => String::new(),
    }
}
