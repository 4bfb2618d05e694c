//! Both drivers and both builders on one scenario: the same cache, whoever asks.

use std::collections::BTreeMap;
use std::path::Path;

use dindbench::case::{Builder, Driver, Op, Status};
use libtest_mimic::{Failed, Trial};

use crate::block::Recorded;
use crate::{buildkit, lab};

/// Hits by topology and job. The edited files are used by the seventh and the third instruction; BuildKit has no vertex
/// for the first.
const CLASSIC: ([u32; 4], u32) = ([0, 10, 6, 2], 10);
const BUILDKIT: ([u32; 4], u32) = ([0, 7, 5, 1], 7);

pub fn tests() -> Vec<Trial> {
    vec![Trial::test("agreement::both_drivers_and_both_builders_see_the_same_cache", same)]
}

fn same() -> Result<(), Failed> {
    let [classic, asked] = [Driver::Cli, Driver::Api].map(|driver| run(driver, Builder::Classic));
    assert_hits(&classic, CLASSIC);
    assert_eq!(instructions(&asked), kept(&classic));
    let [buildkit, asked] = [Driver::Cli, Driver::Api].map(|driver| run(driver, Builder::Buildkit));
    assert_hits(&buildkit, BUILDKIT);
    assert_eq!(instructions(&asked), kept(&buildkit));
    // Each instruction that has a vertex is a hit of one builder where it is one of the other.
    let classic = instructions(&classic);
    for (instruction, hit) in instructions(&buildkit) {
        assert_eq!(classic.get(&instruction), Some(&hit), "{instruction:?}");
    }
    Ok(())
}

fn run(driver: Driver, builder: Builder) -> Recorded {
    let mut scenario = lab::scenario(include_str!("../../scenarios/agreement.toml"), Path::new("/"));
    (scenario.job.driver, scenario.job.builder) = (driver, builder);
    // Where nothing is found, the drivers have nothing to agree on.
    scenario.topologies.retain(|topology| driver == Driver::Cli || topology.name != "dind");
    let recorded = lab::with_engines(buildkit::engines(), async |lab| lab.run(&scenario).await);
    for row in recorded.samples() {
        let what = format!("{driver} {builder}: {} job {} {}", row.topology, row.job, row.step);
        assert_eq!(row.status, Status::Ok, "{what}: {}", row.error);
        if row.op == Op::Build {
            assert_eq!(row.builder, Some(builder), "{what}");
            let phases = row.upload_ns.unwrap_or(0) + row.export_ns.unwrap_or(0);
            assert!(row.upload_ns.is_some() && Some(phases) <= row.elapsed_ns, "{what}");
            assert_eq!(row.export_ns.is_some(), builder == Builder::Buildkit, "{what}");
        }
    }
    recorded
}

fn assert_hits(recorded: &Recorded, (hits, total): ([u32; 4], u32)) {
    for topology in ["socket", "dind-kept", "dind"] {
        for (job, hits) in (1..).zip(hits) {
            let row = recorded.sample(topology, job, "app");
            let hits = if topology == "dind" { 0 } else { hits };
            let found = (row.instructions_cached, row.instructions_total);
            assert_eq!(found, (Some(hits), Some(total)), "{topology} job {job}");
        }
    }
}

/// The same of the topologies that find something again.
fn kept(recorded: &Recorded) -> BTreeMap<(String, u32, String), bool> {
    instructions(recorded).into_iter().filter(|((topology, ..), _)| topology != "dind").collect()
}

/// Whether each instruction was cached, by topology, job and text.
fn instructions(recorded: &Recorded) -> BTreeMap<(String, u32, String), bool> {
    let rows = recorded.run.instructions().unwrap().map(|row| row.unwrap());
    rows.map(|row| ((row.topology.as_str().to_owned(), row.job, row.text.as_str().to_owned()), row.cached)).collect()
}
