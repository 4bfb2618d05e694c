//! A docker command of this machine that builds with BuildKit, and a lab whose jobs have it.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};

use dindbench::collection::PROGRAM_FOLDERS;
use dindbench::image::Packed;
use sha2::{Digest, Sha256};

use crate::lab::{Lab, RUNTIME};

/// The first docker command that needs no other program for BuildKit, or has it; none where there is no such command.
pub static BUILDKIT: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let commands = PROGRAM_FOLDERS.iter().map(|folder| Path::new(folder).join("docker"));
    commands.into_iter().find(|command| {
        let help = Command::new(command).args(["build", "--help"]).env("DOCKER_BUILDKIT", "1").output();
        help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--progress "))
    })
});

static LAB: Mutex<Option<Lab>> = Mutex::new(None);

/// Does something with the lab whose jobs have [`BUILDKIT`], which is set up with the first use.
pub fn with_buildkit<T>(work: impl AsyncFnOnce(&mut Lab) -> T) -> T {
    let mut lab = LAB.lock().unwrap_or_else(PoisonError::into_inner);
    RUNTIME.block_on(async {
        if lab.is_none() {
            let folder = tempfile::tempdir().expect("a folder");
            *lab = Some(Lab::open("test-buildkit", |packed| with_command(packed, folder.path())).await);
        }
        work(lab.as_mut().expect("just opened")).await
    })
}

/// Takes the lab down.
pub fn close() {
    if let Some(lab) = LAB.lock().unwrap_or_else(PoisonError::into_inner).take() {
        RUNTIME.block_on(lab.close());
    }
}

/// The packed layer with that command in the place of the packed one.
fn with_command(packed: Packed, folder: &Path) -> Packed {
    let command = BUILDKIT.as_ref().expect("the tests that need it are left out without it");
    let place = &packed.programs["docker"];
    if Path::new(place) == command {
        return packed;
    }
    let place = place.trim_start_matches('/');
    let layer = folder.join("layer.tar");
    let mut source = tar::Archive::new(File::open(&packed.layer).expect("the packed layer"));
    let mut changed = tar::Builder::new(File::create(&layer).expect("a new file"));
    for entry in source.entries().expect("an archive") {
        let entry = entry.expect("an entry");
        let (header, path) = (entry.header().clone(), entry.path().expect("a path").into_owned());
        if path == Path::new(place) {
            changed.append_path_with_name(command, place).expect("the docker command");
        } else if let Some(target) = entry.link_name().expect("a target") {
            changed.append_link(&mut header.clone(), path, target).expect("a link");
        } else {
            changed.append_data(&mut header.clone(), path, entry).expect("a file");
        }
    }
    changed.into_inner().and_then(|mut file| file.flush()).expect("a whole layer");
    let bytes = std::fs::read(&layer).expect("the new layer");
    let digest = format!("sha256:{}", dindbench::units::hex(&Sha256::digest(&bytes)));
    Packed { layer, digest, bytes: bytes.len() as u64, ..packed }
}
