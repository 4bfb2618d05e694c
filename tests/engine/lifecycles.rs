//! What an inner engine has from the job before, by its lifecycle.

use std::path::Path;

use dindbench::case::{Op, Status};
use libtest_mimic::{Failed, Trial};

use crate::lab;

pub fn tests() -> Vec<Trial> {
    vec![Trial::test("lifecycles::what_the_next_job_finds", found)]
}

fn found() -> Result<(), Failed> {
    let scenario = lab::scenario(include_str!("../../scenarios/lifecycle.toml"), Path::new("/"));
    assert_eq!(scenario.expectations.len(), 8, "the hits of the second and the third job");
    let recorded = lab::with(async |lab| lab.run(&scenario).await);
    for row in recorded.samples() {
        assert_eq!(row.status, Status::Ok, "{} job {} {}: {}", row.topology, row.job, row.step, row.error);
        if row.op == Op::Stop {
            assert_eq!(row.volumes_leaked, Some(0), "{} job {}", row.topology, row.job);
        }
    }
    for (topology, started, pulls) in
        [("keep", false, false), ("restart", true, false), ("kept-data", true, false), ("recreate", true, true)]
    {
        let phases = recorded.printed(topology, 2, "start", "phase");
        assert_eq!(phases.contains("engine"), started, "{topology} started with {phases}");
        let pulled = recorded.sample(topology, 2, "0").bytes_pulled.expect("a count");
        assert_eq!(pulled > 60_000_000, pulls, "{topology} pulled {pulled} bytes");
        assert!(pulls || pulled == 0, "{topology} pulled {pulled} bytes");
    }
    let roots: Vec<_> = recorded.trials().into_iter().map(|trial| trial.data_root).collect();
    assert_eq!(roots, ["fresh", "fresh", "kept", "fresh"]);
    Ok(())
}
