//! The command as a user runs it: exit codes, what is left behind, also after it is killed.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use dindbench::case::Status;
use dindbench::record::{RunDir, Sample, TrialRow};
use libtest_mimic::{Failed, Trial};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use crate::host::{alone, fingerprint, users};
use crate::lab;

/// How often a run is killed, each time at another moment between its first request and its first trials. The living
/// run of these tests, whose journal is elsewhere, must be left alone each time.
const KILLS: usize = 8;

pub fn tests() -> Vec<Trial> {
    vec![
        users("command::a_run_ends_with_its_directory_and_leaves_the_engine_as_it_was", whole),
        users("command::an_interrupted_run_tears_down_and_leaves_readable_files", interrupted),
        users("command::a_container_of_ours_removed_in_the_middle_is_told", disturbed),
        users("command::doctor_says_what_this_host_can_run", doctor),
        alone("command::clean_removes_what_killed_runs_left", killed),
    ]
}

/// How long a run waits for a quiet machine.
const WAIT: &str = "--wait-for-quiet";

/// A command with state of its own, so that no other run's journal matters. It waits for no quiet machine unless that is
/// asked for.
pub fn dindbench(state: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(lab::program());
    if arguments.first() == Some(&"run") && !arguments.contains(&WAIT) {
        // Other tests work on the same machine.
        command.args([arguments[0], WAIT, "0s"]).args(&arguments[1..]);
    } else {
        command.args(arguments);
    }
    command.env("XDG_STATE_HOME", state.path()).current_dir(state.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn state() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn samples(run: &RunDir) -> Vec<Sample> {
    run.samples().unwrap().collect::<Result<_, _>>().unwrap()
}

/// The run in `results` of the working folder.
pub fn only_run(state: &TempDir) -> RunDir {
    RunDir::open(&only_dir(state)).expect("a readable run")
}

/// The run directory in `results` of the working folder.
pub fn only_dir(state: &TempDir) -> PathBuf {
    let mut runs = std::fs::read_dir(state.path().join("results")).expect("results").map(|entry| entry.unwrap().path());
    let run = runs.next().expect("a run directory");
    assert!(runs.next().is_none(), "one run makes one directory");
    run
}

fn whole() -> Result<(), Failed> {
    let (before, state) = (fingerprint(), state());
    let child =
        dindbench(&state, &["run", "--blocks", "1", "--seed", "5", "--only", "socket,dind", WAIT, "1s"]).spawn()?;
    let (output, memory) = watched(child);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let stdout = String::from_utf8(output.stdout.clone())?;
    let run = only_run(&state);
    assert_eq!(stdout.lines().last(), Some(run.path().strip_prefix(state.path())?.to_str().unwrap()));
    assert!(run.path().join("report.html").is_file() && run.path().join("report.md").is_file());
    assert_eq!(samples(&run).len(), 2 * 2 * 3 * 5, "two blocks, two topologies, three jobs, five parts");
    for trial in run.trials()?.collect::<Result<Vec<TrialRow>, _>>()? {
        assert!(trial.waited_ns >= Some(1_000_000_000) && trial.calibration_ns > Some(0), "{trial:?}");
    }
    assert!(memory < 64 << 20, "the harness grew to {memory} bytes");
    assert_eq!(fingerprint(), before);
    Ok(())
}

fn interrupted() -> Result<(), Failed> {
    let (before, state) = (fingerprint(), state());
    let mut child = dindbench(&state, &["run", "--blocks", "2", "--seed", "6"]).spawn()?;
    await_file(&state, "samples.csv", 3);
    // The same key ends what this was piped to, and nobody reads what is said then.
    drop(child.stderr.take());
    signal(&child, "INT");
    let output = child.wait_with_output()?;
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let run = only_run(&state);
    let trials: Vec<TrialRow> = run.trials()?.collect::<Result<_, _>>()?;
    assert!(samples(&run).len() >= 3);
    assert_eq!(trials.last().map(|trial| trial.status), Some(Status::Failed));
    assert_eq!(fingerprint(), before);
    Ok(())
}

fn disturbed() -> Result<(), Failed> {
    let (before, state) = (fingerprint(), state());
    let child = dindbench(&state, &["run", "--blocks", "1", "--seed", "7", "--only", "socket"]).spawn()?;
    await_file(&state, "samples.csv", 2);
    let form = "{{.ID}} {{.Label \"dindbench.run\"}}";
    let filter = ["ps", "--filter", "label=dindbench.role=registry", "--format", form];
    let list = Command::new("docker").args(filter).output()?;
    let registries = String::from_utf8_lossy(&list.stdout).into_owned();
    // Labs have registries too.
    let ours =
        registries.lines().filter_map(|line| line.split_once(' ')).find(|(_, run)| !run.starts_with(&lab::runs()));
    Command::new("docker").args(["rm", "--force", ours.expect("a registry").0]).output()?;
    let output = child.wait_with_output()?;
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("-registry ended"), "{}", stderr(&output));
    assert_eq!(fingerprint(), before);
    Ok(())
}

fn doctor() -> Result<(), Failed> {
    let (before, state) = (fingerprint(), state());
    let output = dindbench(&state, &["doctor"]).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}{}", stderr(&output));
    for subject in ["engine", "privilege", "host", "topologies"] {
        assert!(said.contains(subject), "{said}");
    }
    // Other tests work on this machine.
    assert!(said.contains("quiet enough to measure") || said.contains("warn  load"), "{said}");
    // It was started, or says why not.
    let rootless = said.lines().find(|line| line.contains("dind-rootless")).expect("a line");
    assert!(rootless.starts_with("ok") || rootless.contains(" ended with exit code "), "{said}");
    assert_eq!(fingerprint(), before);
    Ok(())
}

fn killed() -> Result<(), Failed> {
    let before = fingerprint();
    let mut moments = ChaCha8Rng::seed_from_u64(lab::SEED);
    for _ in 0..KILLS {
        let moment = Duration::from_millis(moments.random_range(50..15_000));
        let state = state();
        let child = dindbench(&state, &["run", "--blocks", "1"]).spawn()?;
        std::thread::sleep(moment);
        signal(&child, "KILL");
        child.wait_with_output()?;
        let output = dindbench(&state, &["clean"]).output()?;
        assert_eq!(output.status.code(), Some(0), "after {moment:?}: {}", stderr(&output));
        assert_eq!(fingerprint(), before, "after a kill at {moment:?}");
    }
    Ok(())
}

pub fn signal(child: &Child, signal: &str) {
    let status = Command::new("sh").args(["-c", &format!("kill -{signal} {}", child.id())]).status();
    assert!(status.is_ok_and(|status| status.success()), "the run has ended already");
}

/// Waits until a file of the run has this many rows.
pub fn await_file(state: &TempDir, name: &str, rows: usize) {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let runs = std::fs::read_dir(state.path().join("results")).into_iter().flatten().flatten();
        let files = runs.map(|run| std::fs::read_to_string(run.path().join(name)).unwrap_or_default());
        if files.map(|text| text.lines().count()).max().unwrap_or(0) > rows {
            return;
        }
        assert!(Instant::now() < deadline, "no {rows} rows in {name}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits for a command's end, and returns the most memory it had.
fn watched(child: Child) -> (Output, u64) {
    let status = format!("/proc/{}/status", child.id());
    let (tell, told) = std::sync::mpsc::channel::<()>();
    let watcher = std::thread::spawn(move || {
        let mut peak = 0;
        loop {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
            peak = peak.max(kilobytes.unwrap_or(0) * 1024);
            if told.recv_timeout(Duration::from_millis(50)) != Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                return peak;
            }
        }
    });
    let output = child.wait_with_output().expect("the command ends");
    drop(tell);
    (output, watcher.join().expect("a peak"))
}
