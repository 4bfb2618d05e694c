//! Ways of reaching an engine, and places for its data: the same job finds the same in all of them.

use std::path::Path;

use dindbench::case::{Driver, ErrorClass, Op, Status};
use dindbench::engine::{Command, Patience, Source};
use dindbench::scenario::{EngineVersion, Scenario};
use libtest_mimic::{Failed, Trial};

use crate::block::Recorded;
use crate::command::{dindbench, state, stderr};
use crate::host::{fingerprint, users};
use crate::lab::{self, Engines, Lab};

pub fn tests() -> Vec<Trial> {
    vec![
        Trial::test("kinds::beside_the_engine_a_job_finds_what_it_finds_in_a_container", beside),
        Trial::test("kinds::a_job_finds_the_same_wherever_the_data_are", places),
        Trial::test("kinds::a_file_system_in_a_file_is_made_measured_and_taken_away", file_systems),
        // Where the engine's machine has them, there is nothing to refuse.
        users("kinds::missing_tools_of_a_file_system_are_told_before_anything_is_measured", missing_tools)
            .with_ignored_flag(std::process::Command::new("mkfs.xfs").arg("-V").output().is_ok()),
        Trial::test("kinds::an_overlay_on_an_overlay_is_told_in_the_engines_own_words", overlay_on_overlay),
    ]
}

/// A scenario of these topologies: pull, build, rebuild after a source edit, with the hits of a kept engine in each.
pub fn rebuilds(topologies: &str) -> Scenario {
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
pub fn assert_kept(recorded: &Recorded, topology: &str) {
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

fn places() -> Result<(), Failed> {
    let scenario = rebuilds(
        r#"
        [[topology]]
        name = "tmpfs"
        use = "dind"
        lifecycle = "keep"
        data_root = "tmpfs"
        [[topology]]
        name = "bind"
        use = "dind"
        lifecycle = "restart"
        data_root = "bind"
        [[topology]]
        name = "container"
        use = "dind"
        lifecycle = "restart"
        data_root = "container"
        "#,
    );
    let recorded = lab::with(async |lab| lab.run(&scenario).await);
    let stored = |topology| recorded.sample(topology, 1, "2").engine_disk_bytes.expect("the engine's own figure");
    for (topology, drivers, backing) in [
        ("tmpfs", &["overlay2"][..], "tmpfs"),
        ("bind", &["overlay2"], "extfs"),
        ("container", &["vfs", "fuse-overlayfs"], ""),
    ] {
        assert_kept(&recorded, topology);
        let row = recorded.sample(topology, 1, "app");
        assert!(drivers.contains(&row.storage_driver.as_str()), "{topology} ran on {}", row.storage_driver);
        assert!(backing.is_empty() || row.backing_fs == backing, "{topology} is backed by {}", row.backing_fs);
        assert!(stored(topology) > 60_000_000, "{topology} stores {} bytes", stored(topology));
    }
    let grown = |topology| recorded.sample(topology, 1, "0").disk_delta_bytes.expect("a disk of our own");
    assert!(grown("bind") > 60_000_000 && grown("container") > 60_000_000);
    assert!(grown("tmpfs") < 1_000_000, "a pull into memory took {} bytes of the disk", grown("tmpfs"));
    Ok(())
}

/// Of an engine whose image has what makes them all.
const FILE_SYSTEMS: &str = r#"
    [[topology]]
    name = "ext4"
    use = "dind"
    lifecycle = "restart"
    data_root = "loop:ext4"
    [[topology]]
    name = "xfs"
    use = "dind"
    engine = "28.5"
    lifecycle = "keep"
    data_root = "loop:xfs"
    [[topology]]
    name = "btrfs"
    use = "dind"
    engine = "28.5"
    lifecycle = "keep"
    data_root = "loop:btrfs"
    [[topology]]
    name = "recreated"
    use = "dind"
    data_root = "loop:ext4"
"#;

fn file_systems() -> Result<(), Failed> {
    let engines = Engines { inner: [EngineVersion::V28_5].into(), ..Engines::default() };
    let scenario = rebuilds(FILE_SYSTEMS);
    let (recorded, attached) = lab::with_engines(engines, async |lab| {
        let tried = lab.host.try_file_systems(&mut lab.journal, &scenario.file_systems()).await.expect("a host");
        assert!(tried.iter().all(|tried| tried.reason.is_none()) && tried.len() == 3, "{tried:?}");
        let recorded = lab.run(&scenario).await;
        (recorded, attached(lab).await)
    });
    for (topology, backing) in [("ext4", "extfs"), ("xfs", "xfs"), ("btrfs", "btrfs")] {
        assert_kept(&recorded, topology);
        let row = recorded.sample(topology, 1, "app");
        assert_eq!((row.storage_driver.as_str(), row.backing_fs.as_str()), ("overlay2", backing), "{topology}");
    }
    let grown = |topology, step| recorded.sample(topology, 1, step).disk_delta_bytes.expect("a disk of our own") as f64;
    for topology in ["ext4", "xfs", "recreated"] {
        // XFS allocates ahead of what is written. What is counted in both file systems would be twice as much.
        let ratio = grown(topology, "0") / grown("socket", "0");
        assert!((0.9..1.4).contains(&ratio), "on {topology} a pull takes {ratio} of what it takes on the outer disk");
    }
    assert!(recorded.sample("xfs", 1, "0").inodes_delta.is_some_and(|inodes| inodes > 100));
    assert_eq!(recorded.sample("btrfs", 1, "0").inodes_delta, None, "btrfs counts no inodes");
    let stop = |topology, job| recorded.sample(topology, job, "stop").disk_bytes;
    let btrfs = recorded.sample("btrfs", 1, "0");
    assert_eq!((btrfs.disk_bytes, btrfs.disk_delta_bytes), (None, None), "btrfs counts what is written out");
    let kept = stop("btrfs", 1).expect("everything is written out") - stop("recreated", 1).expect("a disk of our own");
    assert!(kept > 60_000_000, "on btrfs a job leaves {kept} bytes");
    assert_eq!(stop("ext4", 1), None, "a file system that is not mounted tells nothing");
    let empty = [1, 2, 3].map(|job| stop("recreated", job).expect("a disk of our own"));
    assert!(empty.iter().all(|bytes| bytes.abs_diff(empty[0]) < 1_000_000), "after each job the disk holds {empty:?}");
    assert!(recorded.samples().iter().all(|row| row.status == Status::Ok));
    assert!(!attached.contains("data.img"), "{attached}");
    Ok(())
}

/// The files of the loop devices of the engine's machine.
async fn attached(lab: &mut Lab) -> String {
    let host = lab.open_host().await.expect("a host");
    let list = Command::new(["sh", "-c", "cat /sys/block/loop*/loop/backing_file"]);
    let output = lab.engine.exec(host.container(), &list, Patience::CHORE).await.expect("a list");
    host.remove().await.expect("the host is removed");
    output.text(Source::Stdout)
}

fn missing_tools() -> Result<(), Failed> {
    let (before, state) = (fingerprint(), state());
    std::fs::write(
        state.path().join("mine.toml"),
        rebuilds("[[topology]]\nuse = \"dind\"\ndata_root = \"loop:xfs\"").text,
    )?;
    let output = dindbench(&state, &["run", "mine.toml", "--blocks", "1"]).output()?;
    let told = stderr(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("loop:xfs") && told.contains("mkfs.xfs") && told.contains("scripts/images"), "{told}");
    assert!(!state.path().join("results").exists() && fingerprint() == before);
    Ok(())
}

/// In every job anew, whatever the lifecycle: nothing is left of an engine that did not start.
fn overlay_on_overlay() -> Result<(), Failed> {
    let topology = |lifecycle: &str| {
        format!(
            "[[topology]]\nname = \"{lifecycle}\"\nuse = \"dind\"\nlifecycle = \"{lifecycle}\"\n\
             data_root = \"container\"\nstorage_driver = \"overlay2\"\n"
        )
    };
    let lifecycles = ["recreate", "restart", "keep"];
    let scenario = rebuilds(&lifecycles.map(topology).concat());
    let recorded = lab::with(async |lab| lab.run(&scenario).await);
    assert_kept(&recorded, "socket");
    for lifecycle in lifecycles {
        for job in 1..=3 {
            let start = recorded.sample(lifecycle, job, "start");
            assert_eq!((start.status, start.error_class), (Status::Failed, Some(ErrorClass::EngineDied)));
            assert!(start.error.as_str().contains("driver not supported"), "{lifecycle} job {job}: {}", start.error);
            let stop = recorded.sample(lifecycle, job, "stop");
            assert_eq!(
                (stop.status, stop.volumes_leaked),
                (Status::Ok, Some(0)),
                "{lifecycle} job {job}: {}",
                stop.error
            );
        }
    }
    let others = recorded.samples();
    assert!(others.iter().all(|row| row.topology.as_str() == "socket" || row.op != Op::Build), "something was built");
    Ok(())
}
