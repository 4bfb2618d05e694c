//! A build cache that goes through the registry, from a fresh engine to the next fresh engine.

use std::path::Path;

use dindbench::case::{Driver, Op, Status};
use dindbench::scenario::EngineVersion;
use libtest_mimic::{Failed, Trial};

use crate::block::Recorded;
use crate::lab::{self, Engines};

pub fn tests() -> Vec<Trial> {
    vec![Trial::test("cached::a_fresh_engine_finds_what_the_one_before_it_has_exported", fresh)]
}

/// Several rebuilds, for an engine may find it once and not again.
const SCENARIO: &str = r#"
question = "Does a build cache outlive its engine?"
baseline = "dind"
[[topology]]
use = "dind"
[[topology]]
name = "20.10"
use = "dind-cache"
engine = "20.10"
[[topology]]
name = "28.5"
use = "dind-cache"
engine = "28.5"
[[topology]]
name = "containerd"
use = "dind-cache"
engine = "28.5"
storage_driver = "containerd"
cache = "registry"
[job]
builder = "buildkit"
steps = [{ op = "build", context = "fixture:ten", tag = "app" }]
[sequence]
jobs = 3
edits = { 3 = "source" }
"#;

/// Without it nothing is found; with it everything before the edit.
const NOTHING: [u32; 3] = [0, 0, 0];
const FOUND: [u32; 3] = [0, 7, 5];

fn fresh() -> Result<(), Failed> {
    let inner = [EngineVersion::V20_10, EngineVersion::V28_5].into();
    let engines = Engines { outer: EngineVersion::V28_5, inner, ..Engines::default() };
    let scenario = lab::scenario(SCENARIO, Path::new("/"));
    let mut asked = scenario.clone();
    asked.job.driver = Driver::Api;
    asked.topologies.retain(|topology| topology.name == "20.10");
    let (cli, api) = lab::with_engines(engines, async |lab| (lab.run(&scenario).await, lab.run(&asked).await));
    assert_eq!(hits(&cli, "dind"), NOTHING);
    for (recorded, topologies) in [(&cli, &["20.10", "28.5", "containerd"][..]), (&api, &["20.10"])] {
        for topology in topologies {
            assert_eq!(hits(recorded, topology), FOUND, "{topology}");
        }
    }
    // Within the image it is pushed with it, at the job's end; else the build has written it.
    assert!(cli.sample("28.5", 1, "stop").bytes_pushed > Some(0));
    assert!(cli.sample("containerd", 1, "app").bytes_pushed > Some(0));
    assert_eq!(cli.sample("containerd", 1, "stop").bytes_pushed, Some(0));
    Ok(())
}

fn hits(recorded: &Recorded, topology: &str) -> Vec<u32> {
    let rows: Vec<_> = recorded.samples().into_iter().filter(|row| row.topology.as_str() == topology).collect();
    for row in &rows {
        assert_eq!(row.status, Status::Ok, "{topology} job {} {}: {}", row.job, row.step, row.error);
    }
    rows.iter().filter(|row| row.op == Op::Build).filter_map(|row| row.instructions_cached).collect()
}
