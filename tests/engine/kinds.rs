//! Ways of reaching an engine, and places for its data: the same job finds the same in all of them.

use std::path::Path;

use dindbench::case::{Driver, Op, Status};
use dindbench::scenario::Scenario;
use libtest_mimic::{Failed, Trial};

use crate::block::Recorded;
use crate::lab;

pub fn tests() -> Vec<Trial> {
    vec![
        Trial::test("kinds::beside_the_engine_a_job_finds_what_it_finds_in_a_container", beside),
        Trial::test("kinds::data_in_memory_are_not_on_the_disk", memory),
    ]
}

/// A scenario of these topologies: pull, build, rebuild after a source edit, with the hits of a kept engine in each.
fn rebuilds(topologies: &str) -> Scenario {
    let text = format!(
        r#"
        question = "Is the same found?"
        baseline = "socket"
        [[topology]]
        use = "socket"
        {topologies}
        [job]
        builder = "classic"
        steps = [
          {{ op = "pull", image = "fixture:base" }},
          {{ op = "build", context = "fixture:ten", tag = "app" }},
          {{ op = "run", image = "app", command = ["true"] }},
        ]
        [sequence]
        jobs = 3
        edits = {{ 3 = "source" }}
        "#
    );
    lab::scenario(&text, Path::new("/"))
}

/// Every part of every job went well, every build found what a kept engine finds, and no volume is left.
fn assert_kept(recorded: &Recorded, topology: &str) {
    for row in recorded.samples().iter().filter(|row| row.topology.as_str() == topology) {
        assert_eq!(row.status, Status::Ok, "{topology} job {} {}: {}", row.job, row.step, row.error);
        if row.op == Op::Stop {
            assert_eq!(row.volumes_leaked, Some(0), "{topology} job {}", row.job);
        }
    }
    for (job, hits) in (1..).zip([0, 10, 6]) {
        let row = recorded.sample(topology, job, "app");
        let found = (row.instructions_cached, row.instructions_total);
        assert_eq!(found, (Some(hits), Some(10)), "{topology} job {job}");
        let pulled = recorded.sample(topology, job, "0").bytes_pulled.expect("a count");
        assert_eq!(pulled > 60_000_000, job == 1, "{topology} job {job} pulled {pulled} bytes");
    }
}

fn beside() -> Result<(), Failed> {
    for driver in [Driver::Cli, Driver::Api] {
        let mut scenario = rebuilds("[[topology]]\nuse = \"host\"");
        scenario.job.driver = driver;
        let recorded = lab::with(async |lab| lab.run(&scenario).await);
        for topology in ["socket", "host"] {
            assert_kept(&recorded, topology);
            let row = recorded.sample(topology, 1, "app");
            assert_eq!((row.storage_driver.as_str(), row.lifecycle), ("overlay2", None), "{topology}");
            let counted = [row.cpu_ns, row.disk_bytes, row.io_write_bytes];
            assert!(counted.iter().all(|count| count.is_some_and(|count| count > 0)), "{topology}: {counted:?}");
        }
        assert_eq!(recorded.printed("host", 1, "start", "phase"), "folder");
        assert_eq!(recorded.printed("socket", 1, "start", "phase"), "job-container");
        let grown = |topology| recorded.sample(topology, 1, "app").disk_delta_bytes.expect("a disk of our own") as f64;
        let ratio = grown("host") / grown("socket");
        assert!((ratio - 1.0).abs() < 0.02, "{driver}: the same build took {ratio} times the disk");
        let roots: Vec<_> = recorded.trials().into_iter().map(|trial| (trial.kind, trial.data_root)).collect();
        assert_eq!(roots, [("socket", "outer"), ("host", "outer")].map(|(kind, root)| (kind.into(), root.into())));
    }
    Ok(())
}

fn memory() -> Result<(), Failed> {
    let topology = "[[topology]]\nname = \"tmpfs\"\nuse = \"dind\"\nlifecycle = \"keep\"\ndata_root = \"tmpfs\"\n";
    let scenario = rebuilds(topology);
    let recorded = lab::with(async |lab| lab.run(&scenario).await);
    assert_kept(&recorded, "tmpfs");
    assert_eq!(recorded.sample("tmpfs", 1, "app").storage_driver, "overlay2");
    let grown = |topology| recorded.sample(topology, 1, "0").disk_delta_bytes.expect("a disk of our own");
    assert!(grown("socket") > 60_000_000, "a pull of 62 MB is on the disk");
    assert!(grown("tmpfs") < 5_000_000, "{} bytes of a pull into memory are on the disk", grown("tmpfs"));
    let roots: Vec<_> = recorded.trials().into_iter().map(|trial| trial.data_root.to_string()).collect();
    assert_eq!(roots, ["outer", "tmpfs"]);
    Ok(())
}
