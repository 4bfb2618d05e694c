//! The topologies, on the real engine: one run in randomised blocks, whose samples criterion is given.
//!
//! `cargo bench --bench live`. See `docs/performance.md`.

mod cells;
mod command;
mod recorded;

use std::cell::OnceCell;
use std::time::Duration;

use cells::Cell;
use dindbench::analysis::Analysis;
use dindbench::engine::{Engine, Settings};
use dindbench::record::RunDir;
use dindbench::scenario;
use tokio::runtime::Runtime;

const SCENARIO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/live.toml");

fn main() {
    let scenario = scenario::load(SCENARIO).unwrap_or_else(|error| cells::fail(&error.to_string()));
    let blocks = scenario.sequence.blocks;
    let topologies: Vec<String> = scenario.topologies.into_iter().map(|topology| topology.name).collect();
    let mut criterion = recorded::criterion();
    // Nothing is started before the first cell is asked for.
    let run = OnceCell::new();
    for cell in Cell::all(&topologies) {
        let times = || {
            let analysis = run.get_or_init(|| measured(if command::smoke() { 1 } else { blocks }));
            cell.times(analysis).unwrap_or_else(|reason| cells::fail(&reason))
        };
        let group = format!("live/{}", cell.case());
        recorded::hand(&mut criterion, &group, &cell.topology, blocks as usize, times);
    }
    criterion.final_summary();
}

fn measured(blocks: u32) -> Analysis {
    let runtime = Runtime::new().expect("a runtime");
    if let Some(reason) = runtime.block_on(missing_engine()) {
        command::without_engine(&reason);
    }
    let path = command::run(&runtime, SCENARIO, blocks);
    eprintln!("\nsamples and report: {}", path.display());
    let run = RunDir::open(&path).unwrap_or_else(|error| cells::fail(&error.to_string()));
    Analysis::of(&run).unwrap_or_else(|error| cells::fail(&error.to_string()))
}

/// Why no engine can be used; empty where one answers.
async fn missing_engine() -> Option<String> {
    let endpoint = match Settings::from_environment().endpoint() {
        Ok(found) => found.endpoint,
        Err(error) => return Some(error.to_string()),
    };
    Engine::at(endpoint, "user").ping(Duration::from_secs(10)).await.err().map(|error| error.to_string())
}
