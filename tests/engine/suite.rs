//! One suite for every topology: pull, build with both builders, run, push, rebuild, clean up, with the same values.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use dindbench::case::{Builder, Op, Status};
use dindbench::engine::Privilege;
use dindbench::scenario::EngineVersion;
use libtest_mimic::{Failed, Trial};

use crate::block::Recorded;
use crate::command::{dindbench, only_run, samples, state, stderr};
use crate::host::{alone, fingerprint, users};
use crate::lab::{self, Engines};
use crate::systems::build_systems;

/// Inner engines are kept, or their data are, so that every topology finds what the socket finds.
const TOPOLOGIES: &str = r#"
question = "Does every topology do the same job?"
baseline = "socket"
[[topology]]
use = "socket"
[[topology]]
use = "host"
[[topology]]
use = "socket-proxy"
[[topology]]
use = "dind"
lifecycle = "keep"
[[topology]]
name = "dind-20.10"
use = "dind"
engine = "20.10"
lifecycle = "restart"
[[topology]]
name = "dind-26.1"
use = "dind"
engine = "26.1"
data_root = "kept"
[[topology]]
use = "dind-service"
lifecycle = "keep"
[[topology]]
use = "dind-mirror"
lifecycle = "keep"
[[topology]]
use = "dind-preload"
lifecycle = "keep"
[[topology]]
use = "dind-rootless"
lifecycle = "keep"
[[topology]]
use = "podman"
data_root = "kept"
[[topology]]
use = "buildah"
data_root = "kept"
"#;

/// Every one of them does it.
const JOB: &str = r#"
[job]
builder = "classic"
steps = [
  { op = "pull", image = "fixture:base" },
  { op = "build", context = "fixture:ten", tag = "app" },
  { op = "run", image = "app", command = ["true"] },
  { op = "push", image = "app" },
]
"#;

/// Those that leave something of another kind on the outer engine; all in one engine's life each.
const ON_THE_USERS_OWN: &str = r#"
question = "Is anything left?"
baseline = "socket-proxy"
[[topology]]
use = "socket-proxy"
[[topology]]
use = "dind-service"
lifecycle = "keep"
[[topology]]
use = "dind-mirror"
lifecycle = "restart"
[[topology]]
use = "dind-preload"
lifecycle = "keep"
limits = { cpus = 1.5, memory = "2GiB" }
[[topology]]
use = "dind-rootless"
engine = "28.5"
lifecycle = "keep"
[[topology]]
use = "podman"
data_root = "kept"
"#;

pub fn tests() -> Vec<Trial> {
    vec![
        Trial::test("suite::every_topology_has_the_values_of_the_socket", suite),
        users("suite::on_the_users_own_engine_nothing_is_left", on_the_users_own),
        alone("suite::of_a_killed_run_clean_leaves_nothing_on_the_users_own_engine", killed),
    ]
}

fn on_the_users_own() -> Result<(), Failed> {
    build_systems(&["28.5", "proxy", "podman"]);
    let (before, state) = (fingerprint(), state());
    fs::write(state.path().join("mine.toml"), format!("{ON_THE_USERS_OWN}{JOB}[sequence]\njobs = 2\nblocks = 1\n"))?;
    let output = dindbench(&state, &["run", "mine.toml", "--host", "local"]).output()?;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let builds: Vec<_> = samples(&only_run(&state)).into_iter().filter(|row| row.op == Op::Build).collect();
    assert_eq!(builds.len(), 24, "six topologies, two blocks and two jobs");
    assert!(builds.iter().all(|row| row.instructions_cached == Some([0, 10][row.job as usize - 1])), "{builds:?}");
    assert_eq!(fingerprint(), before);
    Ok(())
}

/// Killed when the engine of a service container and its network are there.
fn killed() -> Result<(), Failed> {
    let (before, state) = (fingerprint(), state());
    fs::write(state.path().join("mine.toml"), format!("{ON_THE_USERS_OWN}{JOB}[sequence]\njobs = 2\nblocks = 1\n"))?;
    let only = ["--only", "socket-proxy,dind-service"];
    let mut run = dindbench(&state, &[&["run", "mine.toml", "--host", "local"][..], &only].concat()).spawn()?;
    let deadline = Instant::now() + Duration::from_secs(120);
    while !networks().iter().any(|name| name.starts_with("dindbench-")) {
        assert!(Instant::now() < deadline && run.try_wait()?.is_none(), "no network was made");
        std::thread::sleep(Duration::from_millis(20));
    }
    run.kill()?;
    run.wait()?;
    let output = dindbench(&state, &["clean"]).output()?;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(fingerprint(), before);
    Ok(())
}

fn networks() -> Vec<String> {
    let output = Command::new("docker").args(["network", "ls", "--format", "{{.Name}}"]).output();
    String::from_utf8_lossy(&output.expect("the docker command").stdout).lines().map(str::to_owned).collect()
}

/// With the docker command of 28.5, which has both builders.
fn suite() -> Result<(), Failed> {
    let inner = [EngineVersion::V20_10, EngineVersion::V26_1].into();
    lab::with_engines(
        Engines { outer: EngineVersion::V28_5, inner, proxy: true, podman: true, ..Engines::default() },
        async |lab| {
            assert_eq!(lab.host.learnt.inner_privilege, Privilege::Real, "a new engine grants what it has");
            assert!(lab.host.learnt.docker_command.contains(" 28.5."), "{}", lab.host.learnt.docker_command);
            for builder in [Builder::Classic, Builder::Buildkit] {
                let mut scenario = lab::scenario(
                    &format!("{TOPOLOGIES}{JOB}[sequence]\njobs = 3\nedits = {{ 3 = \"source\" }}\n"),
                    Path::new("/"),
                );
                scenario.job.builder = builder;
                // Those without an engine have one builder, which counts as the classic one does.
                scenario.topologies.retain(|topology| builder == Builder::Classic || topology.kind.tool().is_none());
                let names: Vec<_> = scenario.topologies.iter().map(|topology| topology.name.clone()).collect();
                check(&lab.run(&scenario).await, builder, &names);
            }
        },
    );
    Ok(())
}

/// The builder that runs where this one is asked for, the storage driver, and the version of what does the job's steps.
fn expected(topology: &str, builder: Builder) -> (Builder, &str, &str) {
    match topology {
        "podman" => (Builder::Buildah, "overlay", "4.3."),
        "buildah" => (Builder::Buildah, "overlay", "1.28."),
        dind => (builder, "overlay2", dind.strip_prefix("dind-").filter(|rest| rest.contains('.')).unwrap_or("28.5")),
    }
}

fn check(recorded: &Recorded, builder: Builder, topologies: &[String]) {
    for row in recorded.samples() {
        let place = format!("{} job {} {}, {builder}", row.topology, row.job, row.step);
        assert_eq!(row.status, Status::Ok, "{place}: {}", row.error);
        assert!(row.op != Op::Stop || row.volumes_leaked == Some(0), "{place}");
        let (builder, driver, _) = expected(row.topology.as_str(), builder);
        assert!(row.op != Op::Build || row.builder == Some(builder), "{place}: {:?}", row.builder);
        assert!(row.storage_driver.is_empty() || row.storage_driver == driver, "{place}: {}", row.storage_driver);
    }
    // Three of the ten instructions have no vertex in BuildKit's graph, one of them after the edited file.
    let hits = if builder == Builder::Buildkit { [0, 7, 5] } else { [0, 10, 6] };
    for topology in topologies {
        let (_, _, engine) = expected(topology, builder);
        for (job, hits) in (1..).zip(hits) {
            let of = |step| recorded.sample(topology, job, step);
            assert_eq!(of("app").instructions_cached, Some(hits), "{topology} job {job}, {builder}");
            assert!(of("app").engine_version.starts_with(engine), "{topology}: {}", of("app").engine_version);
            let pulled = of("0").bytes_pulled.expect("a count");
            let expected = job == 1 && topology != "dind-preload";
            assert_eq!(pulled > 60_000_000, expected, "{topology} job {job} pulled {pulled} bytes, {builder}");
            // Podman fetches an image's configuration each time.
            let nothing = if topology == "podman" { 1..4096 } else { 0..1 };
            assert_eq!(!nothing.contains(&pulled), expected, "{topology} job {job} pulled {pulled} bytes, {builder}");
            let pushed = of("3").bytes_pushed.expect("a count");
            assert_eq!(pushed > 0, job != 2, "{topology} job {job} pushed {pushed} bytes, {builder}");
        }
    }
}
