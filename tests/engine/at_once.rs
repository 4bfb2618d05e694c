//! Jobs at once: none is in another's way but by what they share.

use std::collections::BTreeSet;
use std::path::Path;

use dindbench::case::{Op, Status};
use dindbench::record::Sample;
use libtest_mimic::{Failed, Trial};

use crate::block::Recorded;
use crate::host::alone;
use crate::lab;

pub fn tests() -> Vec<Trial> {
    vec![
        // They take the whole machine.
        alone("at_once::eight_jobs_are_in_nobodys_way_but_by_what_they_share", eight),
        Trial::test("at_once::each_job_of_two_finds_its_own_builds_again", two),
    ]
}

/// The context is a short one, for it is built eight times on each engine.
const EIGHT: &str = r#"
question = "Are eight jobs at once in each other's way?"
baseline = "socket"
[[topology]]
use = "socket"
[[topology]]
use = "dind-service"
[job]
builder = "classic"
steps = [
  { op = "pull", image = "fixture:base" },
  { op = "build", context = "fixture:multistage", tag = "app" },
  { op = "run", image = "app", command = ["true"] },
  { op = "push", image = "app" },
]
[sequence]
jobs = 1
blocks = 1
concurrency = 8
"#;

fn eight() -> Result<(), Failed> {
    let scenario = lab::scenario(EIGHT, Path::new("."));
    let recorded = lab::with(async |lab| lab.run(&scenario).await);
    for topology in ["socket", "dind-service"] {
        let rows = well(&recorded, topology);
        assert_eq!(rows.len(), 8 * 6, "{topology}");
        let built = rows.iter().filter(|row| row.op == Op::Build);
        let images: BTreeSet<_> = built.map(|row| row.image_id.as_str()).collect();
        assert_eq!(images.len(), 8, "{topology}: a project each");
        // Nobody can say whose bytes they were.
        assert!(rows.iter().all(|row| row.bytes_pulled.is_none() && row.cpu_ns.is_none()), "{topology}");
    }
    Ok(())
}

const TWO: &str = r#"
question = "Does each of two jobs find its own builds again?"
baseline = "socket"
[[topology]]
use = "socket"
[[topology]]
use = "dind-mirror"
lifecycle = "keep"
[job]
driver = "api"
builder = "buildkit"
steps = [
  { op = "pull", image = "fixture:base" },
  { op = "build", context = "fixture:ten", tag = "app" },
]
[sequence]
jobs = 3
edits = { 3 = "source" }
blocks = 1
concurrency = 2
"#;

/// With BuildKit: where two classic builds make the same first image at once, a third may follow the other one's.
fn two() -> Result<(), Failed> {
    let scenario = lab::scenario(TWO, Path::new("."));
    let recorded = lab::with(async |lab| lab.run(&scenario).await);
    for topology in ["socket", "dind-mirror"] {
        let rows = well(&recorded, topology);
        let hits = |worker: u32| {
            let built = rows.iter().filter(move |row| row.op == Op::Build && row.worker == worker && row.job > 1);
            built.map(|row| row.instructions_cached).collect::<Vec<_>>()
        };
        assert_eq!([hits(0), hits(1)], [[Some(7), Some(5)], [Some(7), Some(5)]], "{topology}");
    }
    Ok(())
}

/// The rows of a topology's measured trial, all of which went well.
fn well(recorded: &Recorded, topology: &str) -> Vec<Sample> {
    let rows: Vec<_> = recorded.samples().into_iter().filter(|row| row.topology.as_str() == topology).collect();
    let spoiled: Vec<_> = rows.iter().filter(|row| row.status != Status::Ok).collect();
    assert!(spoiled.is_empty(), "{topology}: {spoiled:#?}");
    rows
}
