//! Inner engines that are reached, filled and stored in another way: the same job finds the same in all of them.

use dindbench::case::{Builder, Driver, ErrorClass, Op, Status};
use dindbench::engine::{Command, Patience, Source};
use dindbench::scenario::{Bounds, Dind, EngineVersion, Kind};
use dindbench::topology::{Arm, Started, TopologyError};
use libtest_mimic::{Failed, Trial};

use crate::block::Recorded;
use crate::kinds::{assert_kept, rebuilds};
use crate::lab::{self, Engines};

pub fn tests() -> Vec<Trial> {
    vec![
        Trial::test("inner::an_engine_in_a_service_container_is_reached_with_certificates_and_without", service),
        Trial::test("inner::bounds_hold_for_the_job_and_for_its_engine", bounds),
        Trial::test("inner::an_engine_without_root_finds_what_one_with_root_finds", rootless),
        Trial::test("inner::a_storage_driver_is_the_one_that_was_asked_for", drivers),
    ]
}

/// `keep`, so that each finds what the socket finds.
fn service() -> Result<(), Failed> {
    let topologies = r#"
        [[topology]]
        name = "tls"
        use = "dind-service"
        lifecycle = "restart"
        [[topology]]
        name = "plain"
        use = "dind-service"
        tls = false
        lifecycle = "keep"
        [[topology]]
        name = "loaded"
        use = "dind-service"
        preload = true
        mtu = 1280
    "#;
    for driver in [Driver::Cli, Driver::Api] {
        let mut scenario = rebuilds(topologies);
        scenario.job.driver = driver;
        let recorded = lab::with(async |lab| lab.run(&scenario).await);
        for topology in ["socket", "tls", "plain"] {
            assert_kept(&recorded, topology);
        }
        assert_well(&recorded, "loaded");
        let kinds: Vec<_> = recorded.trials().into_iter().map(|trial| trial.kind.to_string()).collect();
        assert_eq!(kinds, ["socket", "dind-service", "dind-service", "dind-service"], "{driver}");
    }
    Ok(())
}

/// What the kernel holds the job's container to, and what the outer engine says of both.
fn bounds() -> Result<(), Failed> {
    let bounds = Bounds { cpus: Some(0.5), memory_bytes: Some(256 << 20) };
    let cgroup = "cd /sys/fs/cgroup; cat cpu.max memory.max 2>/dev/null ||
        cat cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us memory/memory.limit_in_bytes";
    let (held, said) = lab::with(async |lab| {
        let host = lab.open_host().await.expect("a host");
        let mut arm = Arm::new(&Kind::Dind(Dind::default()), &host).bounded(bounds);
        let Started { job, .. } = arm.start(&host, 1).await.expect("a job");
        // The engine of the first job is there still: the second would find all that it has.
        let refused = arm.start(&host, 2).await.err().expect("no second job");
        assert!(matches!(refused, TopologyError::StillThere), "{refused}");
        let held = job.exec(&Command::new(["sh", "-c", cgroup]), Patience::CHORE).await.expect("its control group");
        let [engine, container] = ["engine", "job-1"].map(|suffix| host.name(suffix));
        let form = "{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}";
        let socket = "unix:///run/engine/docker.sock";
        let inspect = Command::new(["docker", "--host", socket, "inspect", "--format", form, &engine, &container]);
        let said = lab.engine.exec(host.container(), &inspect, Patience::CHORE).await.expect("both");
        arm.stop(&host, Some(job)).await.expect("the job ends");
        host.remove().await.expect("the host is removed");
        (held.text(Source::Stdout), said.text(Source::Stdout))
    });
    assert_eq!(held.split_whitespace().collect::<Vec<_>>(), ["50000", "100000", "268435456"]);
    assert_eq!(said.lines().collect::<Vec<_>>(), ["500000000 268435456 268435456"; 2]);
    Ok(())
}

fn rootless() -> Result<(), Failed> {
    let engines = Engines { inner: [EngineVersion::V20_10, EngineVersion::V28_5].into(), ..Engines::default() };
    let topology = |engine: &str, lifecycle: &str| {
        format!(
            "[[topology]]\nname = \"{engine}-{lifecycle}\"\nuse = \"dind-rootless\"\nengine = \"{engine}\"\n\
             lifecycle = \"{lifecycle}\"\n"
        )
    };
    let scenario = rebuilds(&[topology("20.10", "keep"), topology("28.5", "restart")].concat());
    let recorded = lab::with_engines(engines, async |lab| lab.run(&scenario).await);
    for topology in ["20.10-keep", "28.5-restart"] {
        assert_kept(&recorded, topology);
        assert_eq!(recorded.sample(topology, 1, "app").storage_driver, "overlay2", "{topology}");
    }
    Ok(())
}

fn drivers() -> Result<(), Failed> {
    let engines = Engines { inner: [EngineVersion::V28_5].into(), ..Engines::default() };
    let topology = |name: &str, engine: &str, driver: &str, root: &str| {
        format!(
            "[[topology]]\nname = \"{name}\"\nuse = \"dind\"\nlifecycle = \"keep\"\nengine = \"{engine}\"\n\
             storage_driver = \"{driver}\"\ndata_root = \"{root}\"\n"
        )
    };
    let topologies = [
        topology("fuse", "auto", "fuse-overlayfs", "fresh"),
        topology("fuse-28", "28.5", "fuse-overlayfs", "fresh"),
        topology("btrfs", "28.5", "btrfs", "loop:btrfs"),
        topology("nowhere", "28.5", "btrfs", "fresh"),
        topology("containerd", "28.5", "containerd", "fresh"),
        topology("unknown", "auto", "containerd", "fresh"),
    ];
    let scenario = rebuilds(&topologies.concat());
    let recorded = lab::with_engines(engines, async |lab| lab.run(&scenario).await);
    for (topology, driver) in
        [("fuse", "fuse-overlayfs"), ("fuse-28", "fuse-overlayfs"), ("btrfs", "btrfs"), ("containerd", "overlayfs")]
    {
        assert_kept(&recorded, topology);
        assert_eq!(recorded.sample(topology, 1, "app").storage_driver, driver, "{topology}");
    }
    let nowhere = recorded.sample("nowhere", 1, "start");
    assert_eq!((nowhere.status, nowhere.error_class), (Status::Failed, Some(ErrorClass::EngineDied)));
    assert!(nowhere.error.as_str().contains("btrfs"), "the engine's own words: {}", nowhere.error);
    // An invalid trial is run again.
    let unknown = recorded
        .samples()
        .into_iter()
        .filter(|row| (row.topology.as_str(), row.job, row.op) == ("unknown", 1, Op::Start));
    for row in unknown {
        assert_eq!((row.status, row.error_class), (Status::Invalid, Some(ErrorClass::Expectation)));
        assert_eq!(row.error.as_str(), "the storage driver containerd was asked for, and the engine took overlay2");
    }
    Ok(())
}

/// Every part of every job went well, and no volume is left.
fn assert_well(recorded: &Recorded, topology: &str) {
    let rows = recorded.samples().into_iter().filter(|row| row.topology.as_str() == topology);
    for row in rows {
        assert_eq!(row.status, Status::Ok, "{topology} job {} {}: {}", row.job, row.step, row.error);
        assert!(row.op != Op::Stop || row.volumes_leaked == Some(0), "{topology} job {}", row.job);
        assert!(row.builder.is_none_or(|builder| builder == Builder::Classic), "{topology} job {}", row.job);
    }
}
