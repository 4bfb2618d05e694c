//! Stamps the binary with the source revision it was built from, and with what its dependencies were locked to.

use std::process::Command;

use sha2::{Digest, Sha256};

/// What every dependency was locked to.
const LOCK: &str = "Cargo.lock";

fn main() {
    println!("cargo:rerun-if-changed=.git/HEAD");
    println!("cargo:rerun-if-changed=.git/index");
    println!("cargo:rustc-env=DINDBENCH_REVISION={}", revision().unwrap_or_else(|| "unknown".to_owned()));
    println!("cargo:rerun-if-changed={LOCK}");
    // A source tree without the file has no digest, and nothing is made up for it.
    if let Ok(lock) = std::fs::read(LOCK) {
        let digest: String = Sha256::digest(lock).iter().map(|byte| format!("{byte:02x}")).collect();
        println!("cargo:rustc-env=DINDBENCH_LOCK_DIGEST=sha256:{digest}");
    }
}

/// The commit, marked where files differ from it; none outside a checkout.
fn revision() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "HEAD"])?;
    let changed = !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(if changed { format!("{commit}-dirty") } else { commit })
}
