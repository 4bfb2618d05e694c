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
    assert_eq!(scenario.expectations.len(), 35, "the hits of all topologies in all jobs but the first");
    let recorded = lab::with(async |lab| lab.run(&scenario).await);
    for row in recorded.samples() {
        assert_eq!(row.status, Status::Ok, "{} job {} {}: {}", row.topology, row.job, row.step, row.error);
        if row.op == Op::Stop {
            assert_eq!(row.volumes_leaked, Some(0), "{} job {}", row.topology, row.job);
        }
    }
    let pulled = |topology, job| recorded.sample(topology, job, "0").bytes_pulled.expect("a count");
    let phases = |topology, job| recorded.printed(topology, job, "start", "phase");
    let (whole, moved) = (pulled("socket", 1), pulled("socket", 6));
    assert!(whole > 60_000_000 && moved > 0, "{whole} and then {moved} bytes");
    for (topology, started, jobs) in [
        ("keep", false, [whole, 0, moved]),
        ("restart", true, [whole, 0, moved]),
        ("kept-data", true, [whole, 0, moved]),
        ("recreate", true, [whole, whole, pulled("recreate", 6)]),
        // What was loaded is not known by the registry's names of its layers, so the new image comes whole.
        ("preload", true, [0, 0, pulled("recreate", 6)]),
        ("mirror", true, [whole, 0, moved]),
    ] {
        assert_eq!(phases(topology, 2).contains("engine"), started, "{topology} started with {}", phases(topology, 2));
        assert_eq!([1, 2, 6].map(|job| pulled(topology, job)), jobs, "{topology}");
    }
    assert!(pulled("recreate", 6) > moved, "the new image, whole");
    assert!((1..=6).all(|job| phases("preload", job).contains("preload")));
    assert!(phases("mirror", 1).contains("mirror") && !phases("mirror", 2).contains("mirror"));
    let layers = |topology| recorded.sample(topology, 2, "0").layers_reused;
    assert_eq!(layers("mirror"), Some(0), "all of them came, from the mirror");
    let roots: Vec<_> = recorded.trials().into_iter().map(|trial| trial.data_root.to_string()).collect();
    assert_eq!(roots, ["outer", "fresh", "fresh", "kept", "fresh", "fresh", "fresh"]);
    Ok(())
}
