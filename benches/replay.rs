//! The cells of `live`, from a run that was recorded before: criterion's estimates and baselines without an engine.
//!
//! `DINDBENCH_REPLAY=RUN_DIR cargo bench --bench replay`; without it, the latest published run.

mod cells;
mod published;
mod recorded;

use std::path::PathBuf;

use cells::Cell;
use dindbench::analysis::Analysis;
use dindbench::record::RunDir;

fn main() {
    let run = std::env::var_os("DINDBENCH_REPLAY").map_or_else(published::latest, |path| Ok(PathBuf::from(path)));
    let run = run.unwrap_or_else(|error| cells::fail(&format!("cannot list the published runs: {error}")));
    let opened = RunDir::open(&run).unwrap_or_else(|error| cells::fail(&error.to_string()));
    let analysis = Analysis::of(&opened).unwrap_or_else(|error| cells::fail(&error.to_string()));
    eprintln!("replay of {}", run.display());
    let topologies: Vec<String> = analysis.arms.iter().map(|arm| arm.name.clone()).collect();
    let mut criterion = recorded::criterion();
    for cell in Cell::all(&topologies) {
        let times = cell.times(&analysis);
        let length = times.as_ref().map_or(1, Vec::len);
        if length > 0 {
            let times = || times.unwrap_or_else(|reason| cells::fail(&reason));
            // With the scenario's name: a baseline of another one is none.
            let group = format!("replay/{}/{}", opened.record().scenario, cell.case());
            recorded::hand(&mut criterion, &group, &cell.topology, length, times);
        }
    }
    criterion.final_summary();
}
