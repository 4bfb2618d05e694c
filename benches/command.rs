//! A run by the dindbench command, which is told of every request to end.

use std::path::PathBuf;
use std::process::{Output, Stdio};

use dindbench::cmd::Exit;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Command;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

/// Runs a scenario, and returns its run directory. Where it did not go well in every trial, ends the bench.
pub fn run(runtime: &Runtime, scenario: &str, blocks: u32) -> PathBuf {
    let output = runtime.block_on(finished(scenario, blocks)).expect("the command starts");
    match output.status.code() {
        Some(0) => {}
        Some(code) if code == Exit::Interrupted as i32 => std::process::exit(code),
        // The command has said why on the same stderr.
        _ => {
            eprintln!("the run of {scenario} ended with {}, so none of its times is told", output.status);
            std::process::exit(1)
        }
    }
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).expect("an object, as documented");
    PathBuf::from(object["run"].as_str().expect("the run directory, as documented"))
}

/// Says that no engine answers, and ends the bench: in good order only if that was asked for.
pub fn without_engine(reason: &str) -> ! {
    eprintln!("\nno engine, so nothing can be measured: {reason}");
    let skipped = std::env::var_os("DINDBENCH_NO_ENGINE").is_some_and(|word| word == "skip");
    std::process::exit(i32::from(!skipped))
}

/// Whether criterion tries each benchmark once, and times nothing: `cargo bench -- --test`.
pub fn smoke() -> bool {
    let has = |flag: &str| std::env::args().any(|argument| argument == flag);
    has("--test") || !has("--bench")
}

async fn finished(scenario: &str, blocks: u32) -> std::io::Result<Output> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let child = Command::new(env!("CARGO_BIN_EXE_dindbench"))
        .args(["run", scenario, "--blocks", &blocks.to_string(), "--format", "json"])
        .args(["--out", env!("CARGO_TARGET_TMPDIR"), "--wait-for-quiet", "0s"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // A terminal would signal it too, and a second signal ends it before it has torn down.
        .process_group(0)
        .spawn()?;
    let pid = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)).expect("it was not waited for");
    let mut ended = std::pin::pin!(child.wait_with_output());
    loop {
        let signal = tokio::select! {
            output = &mut ended => return output,
            _ = interrupt.recv() => Signal::INT,
            _ = terminate.recv() => Signal::TERM,
        };
        kill_process(pid, signal)?;
    }
}
