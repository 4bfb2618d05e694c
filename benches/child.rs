//! A command as a whole: how long it takes, and how much memory at its most.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4 as _;

pub struct Cost {
    pub elapsed: Duration,
    /// Bytes: the most that was resident at once, or what this program had when it started it, if that is more.
    pub peak_memory: u64,
}

/// Runs a command to its end; it must end well.
pub fn cost(command: &mut Command) -> Cost {
    let began = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("the command starts");
    let ended = child.wait4().expect("it is ours to wait for");
    let elapsed = began.elapsed();
    assert!(ended.status.success(), "{command:?} ended with {}", ended.status);
    Cost { elapsed, peak_memory: ended.rusage.maxrss }
}
