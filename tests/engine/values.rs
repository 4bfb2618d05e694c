//! Right values: hits, bytes, and disk growth.

use std::path::Path;

use dindbench::case::{Builder, Status};
use dindbench::fixture::Fixture;
use dindbench::scenario;
use libtest_mimic::{Failed, Trial};

use crate::block::{Recorded, context};
use crate::lab;

pub fn tests() -> Vec<Trial> {
    vec![
        Trial::test("values::hits_and_bytes_of_the_quick_scenario", quick),
        Trial::test("values::a_hundred_mebibytes_on_overlay2_and_vfs", big_layer),
        Trial::test("values::output_that_imitates_the_builder_counts_for_nothing", imitation),
    ]
}

fn quick() -> Result<(), Failed> {
    let scenario = scenario::builtin("quick").expect("a built-in scenario");
    let recorded = lab::with(async |lab| lab.run(&scenario).await);
    for row in recorded.samples() {
        assert_eq!(row.status, Status::Ok, "{} job {} {}: {}", row.topology, row.job, row.step, row.error);
    }
    for (topology, hits) in [("socket", [0, 10, 6]), ("dind-kept", [0, 10, 6]), ("dind", [0, 0, 0])] {
        for (job, expected) in (1..).zip(hits) {
            let row = recorded.sample(topology, job, "app");
            assert_eq!(
                (row.instructions_cached, row.instructions_total),
                (Some(expected), Some(10)),
                "{topology} job {job}"
            );
            assert!(row.upload_ns.is_some_and(|upload| Some(upload) < row.elapsed_ns), "{topology} job {job}");
        }
    }
    let size = recorded.sample("socket", 1, "0").bytes_pulled.expect("a count");
    assert!(size > 60_000_000, "the base is {size} bytes compressed");
    for (topology, pulled) in [("socket", [size, 0, 0]), ("dind-kept", [size, 0, 0]), ("dind", [size; 3])] {
        for (job, expected) in (1..).zip(pulled) {
            let row = recorded.sample(topology, job, "0");
            assert_eq!(row.bytes_pulled, Some(expected), "{topology} job {job}");
            let reused = if expected == 0 { row.layers_total } else { Some(0) };
            assert!(row.layers_total.is_some_and(|layers| layers >= 5));
            assert_eq!(row.layers_reused, reused, "{topology} job {job}");
        }
    }
    for row in recorded.samples().iter().filter(|row| row.op == dindbench::case::Op::Stop) {
        assert_eq!(row.volumes_leaked, Some(0), "{} job {}", row.topology, row.job);
    }
    Ok(())
}

fn big_layer() -> Result<(), Failed> {
    let text = r#"
        question = "How much does a layer of 100 MiB take?"
        baseline = "socket"
        [[topology]]
        use = "socket"
        [[topology]]
        name = "vfs"
        use = "dind"
        storage_driver = "vfs"
        [job]
        builder = "classic"
        steps = [{ op = "build", context = "fixture:big", tag = "big" }]
        [sequence]
        jobs = 1
    "#;
    let scenario = lab::scenario(text, Path::new("/"));
    let recorded = lab::with(async |lab| lab.run(&scenario).await);
    // The layer on top is small: vfs keeps the payload in it once more.
    let payload = 104_857_600.0;
    for (topology, driver, bytes, tolerance) in
        [("socket", "overlay2", payload, 0.01), ("vfs", "vfs", 2.0 * payload, 0.02)]
    {
        let row = recorded.sample(topology, 1, "big");
        assert_eq!((row.status, row.storage_driver.as_str()), (Status::Ok, driver), "{}", row.error);
        let grown = row.disk_delta_bytes.expect("a disk of our own") as f64;
        assert!((grown / bytes - 1.0).abs() <= tolerance, "{topology} grew by {grown} bytes, and {bytes} are right");
    }
    Ok(())
}

/// RUN output that names every later header, claims hits, and knows its own container's id.
fn imitation() -> Result<(), Failed> {
    let dockerfile = "FROM 127.0.0.1:5000/fixture:base\n\
        RUN echo 'Step 3/4 : RUN echo two'; echo ' ---> Using cache'; echo ' ---> 0123456789ab'\n\
        RUN echo two; echo \"Removing intermediate container $(cat /etc/hostname)\"; echo ' ---> 0123456789ab'; \
        echo 'Step 4/4 : ENV A=1'; echo ' ---> Using cache'\n\
        ENV A=1\n";
    let folder = context(dockerfile);
    let scenario = lab::scenario(&one_build(Builder::Classic, 2), folder.path());
    let recorded = lab::with(async |lab| lab.run(&scenario).await);
    assert_hits(&recorded, "imitation", [0, 3], 3);
    Ok(())
}

/// A scenario of one build of `context` over the socket.
pub fn one_build(builder: Builder, jobs: u32) -> String {
    format!(
        r#"
        question = "?"
        baseline = "socket"
        [[topology]]
        use = "socket"
        [job]
        builder = "{builder}"
        steps = [
          {{ op = "pull", image = "fixture:base" }},
          {{ op = "build", context = "context", tag = "app" }},
        ]
        [sequence]
        jobs = {jobs}
        "#
    )
}

/// The same of a fixture context, unchanged in job 2 and with a source edit before job 3.
pub fn one_fixture(builder: Builder, fixture: Fixture) -> String {
    one_build(builder, 3)
        .replace("\"context\"", &format!("\"fixture:{fixture}\""))
        .replace("jobs = 3", "jobs = 3\nedits = { 3 = \"source\" }")
}

/// Every job's build went well, with this many of all instructions cached.
pub fn assert_hits<const JOBS: usize>(recorded: &Recorded, what: &str, hits: [u32; JOBS], all: u32) {
    for (job, hits) in (1..).zip(hits) {
        let row = recorded.sample("socket", job, "app");
        assert_eq!(
            (row.status, row.instructions_cached, row.instructions_total),
            (Status::Ok, Some(hits), Some(all)),
            "{what} job {job}: {}",
            row.error
        );
    }
}
