//! Runs on the user's own engine: right values, and everything there as it was before.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::time::Duration;

use dindbench::case::{Builder, Op, Status};
use dindbench::engine::Endpoint;
use dindbench::journal::RUN_LABEL;
use libtest_mimic::{Failed, Trial};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::command::{await_file, dindbench, only_run, samples, signal, state, stderr};
use crate::host::{alone, docker, fingerprint, users};
use crate::{lab, tls};

const KILLS: usize = 2;

/// A user and a group that own nothing.
const NOBODY: u32 = 65534;

pub fn tests() -> Vec<Trial> {
    vec![
        users("shared::the_same_hits_as_on_a_reference_host_and_nothing_left", hits),
        alone("shared::clean_removes_what_killed_runs_left_on_the_engine", killed),
        users("shared::a_member_of_the_engines_group_needs_no_root", member),
        users("shared::an_engine_is_reached_over_tls", over_tls),
        users("shared::a_build_cache_in_use_is_not_put_at_risk", refused),
        users("shared::records_of_the_build_cache_go_by_their_ids", by_id),
        alone("shared::records_of_a_killed_run_go_too", killed_with_records),
    ]
}

const LOCAL: [&str; 5] = ["run", "--host", "local", "--blocks", "1"];

/// For tests of how an engine is reached, not of what it does.
const SHORT: &str = r#"
question = "Does it answer?"
baseline = "socket"
[[topology]]
use = "socket"
[job]
steps = [{ op = "pull", image = "fixture:base" }, { op = "run", image = "fixture:base", command = ["true"] }]
[sequence]
jobs = 1
"#;

fn hits() -> Result<(), Failed> {
    let (before, state) = (fingerprint(), state());
    let output = dindbench(&state, &[&LOCAL[..], &["--only", "socket,dind-kept"]].concat()).output()?;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let run = only_run(&state);
    for sample in samples(&run) {
        assert_eq!(sample.status, Status::Ok, "{}", sample.error.as_str());
        if sample.op == Op::Build {
            let cached = [0, 10, 6][sample.job as usize - 1];
            assert_eq!((sample.instructions_cached, sample.instructions_total), (Some(cached), Some(10)));
        }
        if sample.op == Op::Pull {
            let pulled = sample.bytes_pulled.expect("a counted pull");
            assert!(if sample.job == 1 { pulled > 60_000_000 } else { pulled == 0 }, "{pulled} in job {}", sample.job);
        }
        let shared = (sample.disk_bytes, sample.cpu_ns, sample.engine_disk_bytes, sample.volumes_leaked);
        assert_eq!(shared, (None, None, None, None), "figures that nobody could tell from others'");
    }
    let user = lab::RUNTIME.block_on(dindbench::engine::Engine::at(lab::endpoint(), "user").describe())?;
    let socket =
        samples(&run).into_iter().find(|sample| sample.topology.as_str() == "socket" && sample.op == Op::Build);
    assert_eq!(socket.expect("a build").storage_driver, user.storage_driver);
    assert_eq!(fingerprint(), before);
    Ok(())
}

fn killed() -> Result<(), Failed> {
    let before = fingerprint();
    let mut moments = ChaCha8Rng::seed_from_u64(lab::SEED);
    for _ in 0..KILLS {
        let moment = Duration::from_millis(moments.random_range(4_000..20_000));
        let state = state();
        let child = dindbench(&state, &LOCAL).spawn()?;
        std::thread::sleep(moment);
        signal(&child, "KILL");
        child.wait_with_output()?;
        let output = dindbench(&state, &["clean"]).output()?;
        assert_eq!(output.status.code(), Some(0), "after {moment:?}: {}", stderr(&output));
        assert_eq!(fingerprint(), before, "after a kill at {moment:?}");
    }
    Ok(())
}

/// As a user who owns nothing and has the socket's group.
fn member() -> Result<(), Failed> {
    let Endpoint::Unix(socket) = lab::endpoint() else {
        return Err("this test wants an engine on a unix socket".into());
    };
    let (before, state) = (fingerprint(), state());
    let program = state.path().join("program");
    fs::copy(lab::program(), &program)?;
    fs::set_permissions(state.path(), fs::Permissions::from_mode(0o777))?;
    let mut command = std::process::Command::new(&program);
    fs::write(state.path().join("short.toml"), SHORT)?;
    command.args(LOCAL).arg("short.toml").current_dir(state.path());
    command
        .env("HOME", state.path())
        .env("XDG_STATE_HOME", state.path())
        .env("XDG_CACHE_HOME", state.path().join("cache"));
    let output = command.uid(NOBODY).gid(fs::metadata(&socket)?.gid()).output()?;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(samples(&only_run(&state)).iter().all(|sample| sample.status == Status::Ok));
    assert_eq!(fingerprint(), before);
    Ok(())
}

/// Through a gate that wants a certificate and shows one.
fn over_tls() -> Result<(), Failed> {
    let Endpoint::Unix(socket) = lab::endpoint() else {
        return Err("this test wants an engine on a unix socket".into());
    };
    let (before, state) = (fingerprint(), state());
    let certificates = state.path().join("certificates");
    let address = lab::RUNTIME.block_on(tls::gate(socket, &certificates));
    let url = format!("tcp://{address}");
    fs::write(state.path().join("short.toml"), SHORT)?;
    let arguments = ["run", "short.toml", "--host", &url, "--blocks", "1"];
    let output =
        dindbench(&state, &arguments).env("DOCKER_TLS_VERIFY", "1").env("DOCKER_CERT_PATH", &certificates).output()?;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(samples(&only_run(&state)).iter().all(|sample| sample.status == Status::Ok));
    let plain = dindbench(&state, &arguments).env_remove("DOCKER_TLS_VERIFY").output()?;
    assert_eq!(plain.status.code(), Some(1), "an engine behind TLS answered without it");
    assert_eq!(fingerprint(), before);
    Ok(())
}

fn refused() -> Result<(), Failed> {
    let (before, state) = (fingerprint(), state());
    let output = dindbench(&state, &["run", "--host", "local", "--builder", "auto"]).output()?;
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains("--host reference"), "{}", stderr(&output));
    assert!(!state.path().join("results").exists() && fingerprint() == before);
    Ok(())
}

/// BuildKit through the API, for the docker command of this machine may have none.
const CACHED: &str = r#"
question = "What does BuildKit leave?"
baseline = "socket"
[[topology]]
use = "socket"
[job]
driver = "api"
builder = "buildkit"
steps = [
  { op = "pull", image = "fixture:base" },
  { op = "build", context = "fixture:ten", tag = "app" },
]
[sequence]
jobs = 2
blocks = 1
[[expect]]
topology = "socket"
job = 2
step = "app"
instructions_cached = "all"
"#;

const ALLOWED: [&str; 5] = ["run", "cached.toml", "--host", "local", "--allow-host-cache"];

fn by_id() -> Result<(), Failed> {
    let (before, state) = (fingerprint(), state());
    fs::write(state.path().join("cached.toml"), CACHED)?;
    let output = dindbench(&state, &ALLOWED).output()?;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let builds: Vec<_> = samples(&only_run(&state)).into_iter().filter(|sample| sample.op == Op::Build).collect();
    assert!(builds.iter().all(|build| build.builder == Some(Builder::Buildkit)));
    assert_eq!(fingerprint(), before);
    Ok(())
}

/// In its first build, whose records have no image yet. Runs of others are under way: one on a reference host, which is no
/// hindrance, and then one that may build here.
fn killed_with_records() -> Result<(), Failed> {
    let image = lab::with(async |lab| lab.host.image().to_owned());
    let (before, state) = (fingerprint(), state());
    fs::write(state.path().join("cached.toml"), CACHED)?;
    let child = dindbench(&state, &ALLOWED).spawn()?;
    await_file(&state, "samples.csv", 2);
    std::thread::sleep(Duration::from_millis(500));
    signal(&child, "KILL");
    child.wait_with_output()?;
    let clean = || dindbench(&state, &["clean"]).output();
    let neighbour = format!("{}neighbour", lab::runs());
    let label = format!("{RUN_LABEL}={neighbour}");
    docker(&["run", "--detach", "--name", &neighbour, "--label", &label, &image, "sleep", "600"]);
    let beside = clean();
    docker(&["rm", "--force", &neighbour]);
    let told = stderr(&beside?);
    assert!(told.contains(&format!("is left while run {neighbour} may build there")), "{told}");
    let output = clean()?;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(fingerprint(), before, "{}", stderr(&output));
    Ok(())
}
