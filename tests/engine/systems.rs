//! Debian systems that tests need: those that are not built yet are built first.

use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// One build at a time: two tests may want the same.
static BUILDING: Mutex<()> = Mutex::new(());

pub fn build_systems(systems: &[impl AsRef<std::ffi::OsStr>]) {
    // Of no names it would build all.
    if systems.is_empty() {
        return;
    }
    let _alone = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/images"));
    let built = script.args(systems).stdout(Stdio::null()).status();
    assert!(built.is_ok_and(|status| status.success()), "scripts/images does not build what a test needs");
}
