//! What the harness adds to what it measures, on the real engine: each figure as a ratio or a difference within one run.
//!
//! `cargo bench --bench overhead`. Criterion gets the times behind each figure, for its baselines.

mod command;
mod recorded;

#[path = "../tests/engine/lab.rs"]
mod lab;
#[path = "../tests/engine/systems.rs"]
mod systems;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::Criterion;
use dindbench::case::{Builder, Driver};
use dindbench::cmd::Exit;
use dindbench::engine::{Command, Endpoint, Patience};
use dindbench::record::{RunDir, Sample, TrialRow};
use dindbench::scenario::{Dind, Job, Kind, QUICK, Scenario};
use dindbench::stats::Ordered;
use dindbench::topology::{Arm, OuterHost, Place, Started};
use dindbench::units::nanos;
use dindbench::workload::{Contexts, Printout, Workplace};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How often a figure is measured; the median is told.
const REPETITIONS: u32 = 10;

/// Trials of `quick` with one measured block.
const TRIALS: u32 = 6;

fn main() {
    let mut criterion = recorded::criterion();
    figure(&mut criterion, "step", REPETITIONS, || in_lab(step));
    figure(&mut criterion, "readiness", REPETITIONS, || in_lab(readiness));
    figure(&mut criterion, "death", REPETITIONS, || in_lab(death));
    lab::close();
    match lab::endpoint() {
        Endpoint::Unix(socket) => {
            figure(&mut criterion, "api", REPETITIONS, || lab::RUNTIME.block_on(api(&socket)));
        }
        _ => eprintln!("overhead/api: not measured, because the engine is not on a unix socket of this machine"),
    }
    figure(&mut criterion, "run", TRIALS - 1, run);
    criterion.final_summary();
}

/// Measures a figure if the command line asks for it.
fn figure(criterion: &mut Criterion, name: &str, length: u32, measure: impl FnOnce() -> Vec<f64>) {
    recorded::hand(criterion, "overhead", name, length as usize, || {
        if let Some(reason) = lab::missing_engine() {
            command::without_engine(&reason);
        }
        measure().into_iter().map(Duration::from_secs_f64).collect()
    });
}

fn repetitions() -> u32 {
    if command::smoke() { 1 } else { REPETITIONS }
}

fn in_lab(work: impl AsyncFnOnce(&mut lab::Lab) -> Vec<f64>) -> Vec<f64> {
    let times = lab::with(async |lab| unless_interrupted(work(lab)).await);
    times.unwrap_or_else(|| {
        lab::close();
        interrupted()
    })
}

/// The result of some work; empty where Ctrl-C came first, and the work was dropped.
async fn unless_interrupted<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        result = work => Some(result),
        _ = tokio::signal::ctrl_c() => None,
    }
}

fn interrupted() -> ! {
    std::process::exit(Exit::Interrupted as i32)
}

/// A step's elapsed time against the same command timed from outside, by the docker command on the outer engine.
async fn step(lab: &mut lab::Lab) -> Vec<f64> {
    let scenario = scenario();
    let host = lab.open_host().await.expect("a host");
    let mut arm = Arm::new(&Kind::Socket, &host);
    let Started { job, .. } = arm.start(&host, 1).await.expect("a job");
    let workplace = Workplace {
        job: &job,
        engine: arm.engine(),
        driver: Driver::Cli,
        tool: None,
        builder: Builder::Classic,
        printout: Printout::Classic,
        namespace: host.namespace(),
        worker: None,
        shared: false,
        cache: None,
        patience: Patience::CHORE,
    };
    workplace.step(0, &scenario.job.steps[0]).await;
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for repetition in 0..repetitions() {
        // Another seed is another content: every build is as cold as the one it is compared with.
        upload(&scenario.job, u64::from(2 * repetition), &job).await;
        let outcome = workplace.step(1, &scenario.job.steps[1]).await;
        assert_eq!(outcome.fault, None);
        inside.push(outcome.elapsed.expect("a time").as_secs_f64());
        upload(&scenario.job, u64::from(2 * repetition + 1), &job).await;
        outside.push(timed_outside(&host, lab.journal.run()));
    }
    tell_ratio("step, harness / outside", &inside, &outside, "within 5 % of 1");
    host.remove().await.expect("the host is removed");
    inside
}

/// The same command line as the harness's own, from the user's shell.
fn timed_outside(host: &OuterHost, run: &str) -> f64 {
    let job = format!("dindbench-{run}-job-1");
    let began = Instant::now();
    let output = std::process::Command::new("docker")
        // Ctrl-C is this program's to act on.
        .process_group(0)
        .args(["exec", host.container(), "docker", "--host", "unix:///run/engine/docker.sock"])
        .args(["exec", "--env", "DOCKER_BUILDKIT=0", "--workdir", "/tmp/context-1", &job])
        .args(["docker", "build", "--file", "Dockerfile", "--tag", "app", "."])
        .output()
        .expect("the docker command");
    let elapsed = began.elapsed().as_secs_f64();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    elapsed
}

/// How long after an engine's own word that it listens its readiness is seen.
async fn readiness(lab: &mut lab::Lab) -> Vec<f64> {
    let host = lab.open_host().await.expect("a host");
    let mut late = Vec::new();
    for job in 1..=repetitions() {
        let mut arm = Arm::new(&dind(), &host);
        let began = OffsetDateTime::now_utc();
        let Started { job, phases } = arm.start(&host, job).await.expect("an engine");
        let (_, ready) = phases.iter().find(|(phase, _)| *phase == "engine").expect("a phase");
        let container = format!("dindbench-{}-engine", lab.journal.run());
        let log = host.engine.last_lines(&container, 500).await.expect("a log");
        late.push((began + *ready - listening(&log)).as_seconds_f64());
        arm.stop(&host, Some(job)).await.expect("the engine is removed");
    }
    tell_difference("readiness, seen after the engine listens", &late, "within 10 ms");
    host.remove().await.expect("the host is removed");
    late
}

/// The time of the engine's line `API listen on`.
fn listening(log: &str) -> OffsetDateTime {
    let line = log.lines().find(|line| line.contains("API listen on")).expect("the engine says that it listens");
    let time = line.split('"').nth(1).expect("a time");
    OffsetDateTime::parse(time, &Rfc3339).expect("RFC 3339")
}

/// How long after the command that kills an engine its death is told.
async fn death(lab: &mut lab::Lab) -> Vec<f64> {
    let host = lab.open_host().await.expect("a host");
    let mut told = Vec::new();
    for job in 1..=repetitions() {
        let mut arm = Arm::new(&dind(), &host);
        let Started { job, .. } = arm.start(&host, job).await.expect("an engine");
        let container = format!("dindbench-{}-engine", lab.journal.run());
        let kill = Command::new(["docker", "--host", "unix:///run/engine/docker.sock", "kill", &container]);
        let endless = Command::new(["docker", "events"]);
        let killing = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let began = Instant::now();
            lab.engine.exec(host.container(), &kill, Patience::CHORE).await.expect("a kill");
            began
        };
        let telling = async {
            job.exec(&endless, Patience::CHORE).await.expect("an output that ends");
            assert!(arm.dead().await.expect("an answer").is_some());
            Instant::now()
        };
        let (began, seen) = tokio::join!(killing, telling);
        told.push((seen - began).as_secs_f64());
        arm.stop(&host, Some(job)).await.expect("the engine is removed");
    }
    tell_difference("death, told after the command that kills the engine", &told, "within 2 s");
    host.remove().await.expect("the host is removed");
    told
}

/// A cached build by the api driver against the same request written by hand on the engine's socket, in turn. On the
/// user's own engine, whose socket this program reaches as the job container does.
async fn api(socket: &Path) -> Vec<f64> {
    let place = Place::Local { socket: socket.display().to_string(), buildkit_builds: 0 };
    let mut lab = lab::Lab::open(&place, &lab::Engines::default(), None).await;
    let times = unless_interrupted(cached_builds(&mut lab, socket)).await;
    lab.close().await;
    times.unwrap_or_else(|| interrupted())
}

async fn cached_builds(lab: &mut lab::Lab, socket: &Path) -> Vec<f64> {
    let root = tempfile::tempdir().expect("a folder");
    let scenario = cached(root.path());
    let host = lab.open_host().await.expect("a host");
    let mut arm = Arm::new(&Kind::Socket, &host);
    let Started { job, .. } = arm.start(&host, 1).await.expect("a job");
    upload(&scenario.job, 1, &job).await;
    let workplace = Workplace {
        job: &job,
        engine: arm.engine(),
        driver: Driver::Api,
        tool: None,
        builder: Builder::Classic,
        printout: Printout::Classic,
        namespace: host.namespace(),
        worker: None,
        shared: false,
        cache: None,
        patience: Patience::CHORE,
    };
    for (index, step) in scenario.job.steps.iter().enumerate() {
        assert_eq!(workplace.step(index, step).await.fault, None);
    }
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_dir_all(".", root.path().join("own")).expect("a context");
    let tar = tar.into_inner().expect("a context");
    let (mut ours, mut raw) = (Vec::new(), Vec::new());
    for _ in 0..repetitions() {
        let outcome = workplace.step(1, &scenario.job.steps[1]).await;
        assert!(outcome.fault.is_none() && outcome.instructions.iter().all(|instruction| instruction.cached));
        ours.push(outcome.elapsed.expect("a time").as_secs_f64());
        raw.push(by_hand(socket, &format!("{}app", host.namespace()), &tar));
    }
    tell_ratio("cached API build, harness / by hand", &ours, &raw, "at most 1.10");
    arm.stop(&host, Some(job)).await.expect("the job ends");
    host.remove().await.expect("the host is left as it was");
    ours
}

/// A pull and a build, in a context of its own in this folder.
fn cached(root: &Path) -> Scenario {
    let own = root.join("own");
    std::fs::create_dir(&own).expect("a folder");
    std::fs::write(own.join("Dockerfile"), "FROM 127.0.0.1:5000/fixture:base\nCOPY a /a\nRUN wc /a\n").expect("a file");
    std::fs::write(own.join("a"), "a\n").expect("a file");
    let text = r#"
        question = "?"
        baseline = "socket"
        [[topology]]
        use = "socket"
        [job]
        builder = "classic"
        driver = "api"
        steps = [
          { op = "pull", image = "fixture:base" },
          { op = "build", context = "own", tag = "app" },
        ]
        [sequence]
        jobs = 1
    "#;
    lab::scenario(text, root)
}

/// The request of a build and its whole answer, on a connection that stands already.
fn by_hand(socket: &Path, tag: &str, tar: &[u8]) -> f64 {
    let mut stream = UnixStream::connect(socket).expect("the engine");
    let head = format!(
        "POST /build?t={tag}&rm=1&version=1 HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\
         Content-Type: application/x-tar\r\nContent-Length: {}\r\n\r\n",
        tar.len()
    );
    let began = Instant::now();
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(tar)).expect("a request");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let elapsed = began.elapsed().as_secs_f64();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.contains("Successfully built"), "{answer}");
    elapsed
}

/// What a run does besides its timed steps and the set-up and tear-down of its trials' hosts: reading counters, sending
/// contexts, checking results, writing out what a job wrote, rows. From the start of the first trial to that of the last.
fn run() -> Vec<f64> {
    let asked = OffsetDateTime::now_utc();
    let run = RunDir::open(&command::run(&lab::RUNTIME, QUICK, 1)).expect("a run directory");
    let samples: Vec<Sample> = run.samples().and_then(Iterator::collect).expect("readable rows");
    let trials: Vec<TrialRow> = run.trials().and_then(Iterator::collect).expect("readable rows");
    let (mut walls, mut rests) = (Vec::new(), Vec::new());
    for pair in trials.windows(2) {
        let ours = samples.iter().filter(|row| (row.block, &row.topology) == (pair[0].block, &pair[0].topology));
        let accounted = ours.map(|row| row.elapsed_ns).chain([pair[0].setup_ns, pair[0].teardown_ns]);
        let accounted: u64 = accounted.map(|time| time.expect("every part went well")).sum();
        let wall = (pair[1].started_at - pair[0].started_at).as_seconds_f64();
        walls.push(wall);
        rests.push(wall - Duration::from_nanos(accounted).as_secs_f64());
    }
    let (wall, rest): (f64, f64) = (walls.iter().sum(), rests.iter().sum());
    println!(
        "run, neither step nor host / all: {:.3} ({} / {}), aim: at most 0.100",
        rest / wall,
        nanos(rest * 1e9),
        nanos(wall * 1e9)
    );
    println!("run, before the first trial: {}", nanos((trials[0].started_at - asked).as_seconds_f64() * 1e9));
    rests
}

fn dind() -> Kind {
    Kind::Dind(Dind::default())
}

fn scenario() -> Scenario {
    let text = r#"
        question = "?"
        baseline = "socket"
        [[topology]]
        use = "socket"
        [job]
        builder = "classic"
        steps = [
          { op = "pull", image = "fixture:base" },
          { op = "build", context = "fixture:ten", tag = "app" },
        ]
        [sequence]
        jobs = 1
    "#;
    lab::scenario(text, Path::new("/"))
}

async fn upload(job: &Job, seed: u64, container: &dindbench::topology::JobContainer) {
    Contexts::new(seed, job).upload(container, Printout::Classic).await.expect("a context");
}

fn tell_ratio(what: &str, ours: &[f64], theirs: &[f64], aim: &str) {
    let (ours, theirs) = (median(ours), median(theirs));
    println!("{what}: {:.3} ({} / {}), aim: {aim}", ours / theirs, nanos(ours * 1e9), nanos(theirs * 1e9));
}

fn tell_difference(what: &str, seconds: &[f64], aim: &str) {
    println!("{what}: {}, aim: {aim}", nanos(median(seconds) * 1e9));
}

fn median(values: &[f64]) -> f64 {
    Ordered::new(values.iter().copied()).expect("finite values").median()
}
