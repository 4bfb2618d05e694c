//! The runs that are published with the source.

use std::io;
use std::path::{Path, PathBuf};

use dindbench::record::{RunDir, RunRecord};
use dindbench::scenario::QUICK;

/// The last one of the scenario `quick` on a reference host by name: they begin with their date.
pub fn latest() -> io::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let mut runs = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        let reference = |run: &RunRecord| run.scenario == QUICK && run.environment.host_kind == "reference";
        if RunDir::open(&path).is_ok_and(|run| reference(run.record())) {
            runs.push(path);
        }
    }
    runs.into_iter().max().ok_or_else(|| io::Error::other(format!("{} holds none of {QUICK}", folder.display())))
}
