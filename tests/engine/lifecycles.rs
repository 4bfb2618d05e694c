//! What an inner engine has from the job before, by its lifecycle.

use std::path::Path;

use dindbench::case::{Op, Status};
use libtest_mimic::{Failed, Trial};

use crate::lab;

pub fn tests() -> Vec<Trial> {
    vec![Trial::test("lifecycles::what_the_next_job_finds", found)]
}

const SCENARIO: &str = r#"
question = "What does the second job find?"
baseline = "keep"

[[topology]]
name = "keep"
use = "dind"
lifecycle = "keep"

[[topology]]
name = "restart"
use = "dind"
lifecycle = "restart"

[[topology]]
name = "recreate"
use = "dind"

[[topology]]
name = "kept-data"
use = "dind"
data_root = "kept"

[job]
builder = "classic"
steps = [
  { op = "pull", image = "fixture:base" },
  { op = "build", context = "fixture:ten", tag = "app" },
  { op = "run", image = "app", command = ["true"] },
]

[sequence]
jobs = 3
"#;

/// For the second and the third job.
fn expectations() -> String {
    let hits = [("keep", "all"), ("restart", "all"), ("recreate", "none"), ("kept-data", "all")];
    let expect = |topology: &str, job: u32, hits: &str| {
        format!(
            "[[expect]]\ntopology = \"{topology}\"\njob = {job}\nstep = \"app\"\ninstructions_cached = \"{hits}\"\n"
        )
    };
    hits.iter().flat_map(|(topology, hits)| [2, 3].map(|job| expect(topology, job, hits))).collect()
}

fn found() -> Result<(), Failed> {
    let scenario = lab::scenario(&format!("{SCENARIO}{}", expectations()), Path::new("/"));
    let recorded = lab::with(async |lab| lab.run(&scenario).await);
    for row in recorded.samples() {
        assert_eq!(row.status, Status::Ok, "{} job {} {}: {}", row.topology, row.job, row.step, row.error);
        if row.op == Op::Stop {
            assert_eq!(row.volumes_leaked, Some(0), "{} job {}", row.topology, row.job);
        }
    }
    for (topology, started, pulls) in
        [("keep", false, false), ("restart", true, false), ("recreate", true, true), ("kept-data", true, false)]
    {
        let phases = recorded.printed(topology, 2, "start", "phase");
        assert_eq!(phases.contains("engine"), started, "{topology} started with {phases}");
        let pulled = recorded.sample(topology, 2, "0").bytes_pulled.expect("a count");
        assert_eq!(pulled > 60_000_000, pulls, "{topology} pulled {pulled} bytes");
        assert!(pulls || pulled == 0, "{topology} pulled {pulled} bytes");
    }
    let roots: Vec<_> = recorded.trials().into_iter().map(|trial| trial.data_root).collect();
    assert_eq!(roots, ["fresh", "fresh", "fresh", "kept"]);
    Ok(())
}
