//! What is written, and what it means.

use std::path::Path;
use std::time::Duration;

use dindbench::case::{Builder, Driver, Edit, Lifecycle};
use dindbench::scenario::{
    Bounds, Build, CacheStore, Context, Cost, Daemonless, DataRoot, Dind, EngineVersion, Expected, ImageRef, Kind,
    Limits, Power, Service, Step, StorageDriver, Tool, Topology, parse,
};

use crate::written::{WHOLE, check, whole};

#[test]
fn a_topology_has_the_sequences_concurrency_or_its_own() {
    let text = WHOLE.replace("concurrency = 1", "concurrency = 8").replace("tls = false", "concurrency = 2");
    let scenario = parse("whole", &text, Path::new(".")).unwrap_or_else(|invalid| panic!("{invalid}"));
    let concurrency: Vec<u32> = scenario.topologies.iter().map(|topology| topology.concurrency.get()).collect();
    assert_eq!(concurrency, [8, 2]);
    let shared: Vec<bool> = scenario.topologies.iter().map(Topology::shared).collect();
    assert_eq!(shared, [true, false], "each dind has its own engine");
    assert!(scenario.topologies[1].parameters().ends_with(" concurrency=2"), "{}", scenario.topologies[1].parameters());
}

#[test]
fn every_key_has_its_meaning() {
    let scenario = whole();
    assert_eq!((scenario.name.as_str(), scenario.text.as_str()), ("whole", WHOLE));
    assert_eq!((scenario.question.as_str(), scenario.analysis.as_str()), ("Why?", "Prose."));
    assert_eq!(scenario.baseline, "socket");
    assert_eq!(scenario.topologies[0].kind, Kind::Socket);
    assert_eq!(scenario.topologies[1].name, "dind-kept");
    let dind = Dind {
        lifecycle: Lifecycle::Keep,
        engine: EngineVersion::V28_5,
        storage_driver: StorageDriver::Vfs,
        ..Dind::default()
    };
    assert_eq!(scenario.topologies[1].kind, Kind::Dind(dind));
    assert_eq!(scenario.engines(), [EngineVersion::Auto, EngineVersion::V28_5].into());
    assert_eq!((scenario.job.driver, scenario.job.builder), (Driver::Cli, Builder::Classic));
    let build = Build {
        context: Context::Fixture("ten".to_owned()),
        file: "Dockerfile".to_owned(),
        tag: "app".to_owned(),
        args: [("A".to_owned(), "1".to_owned())].into(),
        target: None,
        edited: [].into(),
    };
    let run = Step::Run { image: ImageRef::Built("app".to_owned()), command: vec!["true".to_owned()] };
    let pull = Step::Pull { image: ImageRef::Fixture("base".to_owned()) };
    let push = Step::Push { image: "app".to_owned() };
    assert_eq!(scenario.job.steps, [pull, Step::Build(build), run, push]);
    assert_eq!(
        (1..=3).map(|job| scenario.sequence.edit(job)).collect::<Vec<_>>(),
        [Edit::First, Edit::None, Edit::Source]
    );
    assert_eq!((scenario.sequence.jobs.get(), scenario.sequence.blocks), (3, 4));
    let expected: Vec<_> = scenario
        .expectations
        .iter()
        .map(|expectation| {
            (expectation.topology.as_str(), expectation.job, expectation.step, expectation.instructions_cached)
        })
        .collect();
    assert_eq!(expected, [("socket", 2, 1, Expected::All), ("dind-kept", 3, 1, Expected::Exactly(6))]);
    let limits = Limits { step_timeout: Duration::from_secs(90), stall_timeout: Duration::from_secs(90) };
    assert_eq!(scenario.limits, limits);
    let cost = Cost { jobs_per_day: Some(400.0), price_per_minute: Some(0.008), ..Cost::default() };
    assert_eq!(scenario.cost, Some(cost));
}

#[test]
fn what_is_left_out_has_its_default() {
    let text = r#"
        question = "Why?"
        baseline = "dind"
        topology = [{ use = "dind" }]
        job.steps = [{ op = "build", context = "fixture:many", tag = "app" }]
        sequence.jobs = 1
    "#;
    let scenario = parse("small", text, Path::new(".")).unwrap_or_else(|invalid| panic!("{invalid}"));
    assert_eq!(scenario.topologies[0].name, "dind");
    let dind = Dind { lifecycle: Lifecycle::Recreate, ..Dind::default() };
    assert_eq!(scenario.topologies[0].kind, Kind::Dind(dind));
    assert_eq!((scenario.job.driver, scenario.job.builder), (Driver::Cli, Builder::Auto));
    let Step::Build(build) = &scenario.job.steps[0] else { panic!("{:?}", scenario.job.steps) };
    assert_eq!((build.file.as_str(), build.args.len()), ("Dockerfile", 0));
    assert_eq!((scenario.sequence.blocks, scenario.sequence.edits.len()), (20, 0));
    assert_eq!((scenario.analysis.as_str(), scenario.cost), ("", None));
    assert_eq!(scenario.limits, Limits::default());
    assert!(scenario.expectations.is_empty());
}

#[test]
fn a_topology_without_an_inner_engine_has_no_parameters() {
    for (word, kind) in [("socket", Kind::Socket), ("host", Kind::Host)] {
        let text = format!(
            r#"
            question = "Why?"
            baseline = "{word}"
            topology = [{{ use = "{word}" }}]
            job.steps = [{{ op = "build", context = "fixture:ten", tag = "app" }}]
            sequence.jobs = 1
            "#
        );
        let scenario = parse("small", &text, Path::new(".")).unwrap_or_else(|invalid| panic!("{invalid}"));
        let found = &scenario.topologies[0];
        assert_eq!((found.name.as_str(), &found.kind, found.kind.word()), (word, &kind, word));
        assert_eq!((found.kind.lifecycle(), found.kind.data_root()), (None, "outer"));
        assert_eq!(found.kind.parameters(), "");
    }
}

#[test]
fn data_can_be_in_several_places() {
    let words = [
        ("fresh", DataRoot::Fresh),
        ("container", DataRoot::Container),
        ("tmpfs", DataRoot::Tmpfs),
        ("bind", DataRoot::Bind),
        ("loop:ext4", DataRoot::LoopExt4),
        ("loop:xfs", DataRoot::LoopXfs),
        ("loop:btrfs", DataRoot::LoopBtrfs),
    ];
    for (word, data_root) in words {
        let text = WHOLE.replace("data_root = \"fresh\"", &format!("data_root = \"{word}\""));
        let scenario = parse("whole", &text, Path::new(".")).unwrap_or_else(|invalid| panic!("{invalid}"));
        let kind = &scenario.topologies[1].kind;
        let Kind::Dind(dind) = kind else { panic!("{kind:?}") };
        assert_eq!((dind.data_root, kind.data_root()), (data_root, word));
        assert!(kind.parameters().ends_with(&format!(" data_root={word}")), "{}", kind.parameters());
        let own = word.strip_prefix("loop:").map(|own| (EngineVersion::V28_5, own.to_owned()));
        let wanted = scenario.file_systems().into_iter().map(|(engine, own)| (engine, own.to_string()));
        assert_eq!(wanted.collect::<Vec<_>>(), own.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn ways_of_an_inner_engine_are_words_and_parameters() {
    let service = |tls| Dind { service: Some(Service { tls }), ..Dind::default() };
    let loaded = || Dind { preload: vec!["base".to_owned()], ..Dind::default() };
    let driver = |storage_driver| Dind { storage_driver, ..Dind::default() };
    let plain = "lifecycle=recreate engine=auto storage_driver=auto data_root=fresh";
    for (written, dind, word, parameters) in [
        ("use = \"dind-service\"", service(true), "dind-service", format!("{plain} tls=true")),
        ("use = \"dind-service\"\ntls = false", service(false), "dind-service", format!("{plain} tls=false")),
        ("use = \"dind-preload\"", loaded(), "dind-preload", format!("{plain} preload=true")),
        ("use = \"dind\"\npreload = true", loaded(), "dind-preload", format!("{plain} preload=true")),
        (
            "use = \"dind\"\nmtu = 1280",
            Dind { mtu: Some(1280), ..Dind::default() },
            "dind",
            format!("{plain} mtu=1280"),
        ),
        (
            "use = \"dind-mirror\"",
            Dind { mirror: true, ..Dind::default() },
            "dind-mirror",
            format!("{plain} mirror=true"),
        ),
        (
            "use = \"dind-rootless\"",
            Dind { power: Power::Rootless, ..Dind::default() },
            "dind-rootless",
            plain.to_owned(),
        ),
        ("use = \"sysbox\"", Dind { power: Power::Sysbox, ..Dind::default() }, "sysbox", plain.to_owned()),
        (
            "use = \"dind\"\nstorage_driver = \"fuse-overlayfs\"",
            driver(StorageDriver::FuseOverlayfs),
            "dind",
            plain.replace("driver=auto", "driver=fuse-overlayfs"),
        ),
        (
            "use = \"dind\"\nstorage_driver = \"containerd\"",
            driver(StorageDriver::Containerd),
            "dind",
            plain.replace("driver=auto", "driver=containerd"),
        ),
    ] {
        let text = WHOLE.replace("use = \"socket\"", &format!("name = \"socket\"\n{written}"));
        let scenario = parse("whole", &text, Path::new(".")).unwrap_or_else(|invalid| panic!("{invalid}"));
        let kind = &scenario.topologies[0].kind;
        assert_eq!((kind, kind.word()), (&Kind::Dind(dind), word));
        assert_eq!(kind.parameters(), parameters);
    }
}

#[test]
fn a_build_cache_needs_what_can_import_and_export_it() {
    let parsed = |written: &str, job: &str| {
        let text = WHOLE.replace("use = \"socket\"", &format!("name = \"socket\"\n{written}"));
        parse("whole", &text.replace("driver = \"cli\"\nbuilder = \"classic\"", job), Path::new("."))
    };
    let stored = "use = \"dind-cache\"\ncache = \"registry\"\nengine = \"28.5\"\nstorage_driver = \"containerd\"";
    for (written, store) in [("use = \"dind-cache\"", CacheStore::Inline), (stored, CacheStore::Registry)] {
        let scenario = parsed(written, "builder = \"buildkit\"").unwrap_or_else(|invalid| panic!("{invalid}"));
        let kind = &scenario.topologies[0].kind;
        assert_eq!((kind.cache(), kind.word()), (Some(store), "dind-cache"));
        assert!(kind.parameters().ends_with(&format!(" cache={store}")), "{}", kind.parameters());
    }
    for (written, job, message) in [
        ("use = \"dind-cache\"", "builder = \"classic\"", "imported and exported by BuildKit alone"),
        (stored, "driver = \"api\"", "API exports no build cache"),
        (
            "use = \"dind-cache\"\ncache = \"registry\"",
            "builder = \"buildkit\"",
            "only where containerd keeps its images",
        ),
        ("use = \"socket\"\ncache = \"inline\"", "builder = \"buildkit\"", "`cache` is a parameter of an inner engine"),
    ] {
        let invalid = parsed(written, job).expect_err(written);
        assert!(invalid.message.contains(message), "{}", invalid.message);
    }
}

#[test]
fn a_job_without_an_engine_has_a_tool_and_its_storage() {
    let parsed = |written: &str| {
        let text = WHOLE.replace("use = \"socket\"", &format!("name = \"socket\"\n{written}"));
        parse("whole", &text, Path::new("."))
    };
    for (written, tool, storage_driver, data_root, parameters) in [
        ("use = \"podman\"", Tool::Podman, StorageDriver::Auto, DataRoot::Fresh, "storage_driver=auto data_root=fresh"),
        (
            "use = \"buildah\"\nstorage_driver = \"vfs\"\ndata_root = \"kept\"",
            Tool::Buildah,
            StorageDriver::Vfs,
            DataRoot::Kept,
            "storage_driver=vfs data_root=kept",
        ),
    ] {
        let scenario = parsed(written).unwrap_or_else(|invalid| panic!("{invalid}"));
        let kind = &scenario.topologies[0].kind;
        assert_eq!(*kind, Kind::Daemonless(Daemonless { tool, storage_driver, data_root }));
        assert_eq!((kind.word(), kind.lifecycle(), kind.tool()), (<&str>::from(tool), None, Some(tool)));
        assert_eq!(kind.parameters(), parameters);
        assert!(!scenario.topologies[0].shared());
    }
    for (written, message) in [
        (
            "use = \"podman\"\nlifecycle = \"keep\"",
            "`lifecycle` is a parameter of an inner engine, and a podman topology",
        ),
        ("use = \"podman\"\nengine = \"28.5\"", "`engine` is a parameter of an inner engine"),
        ("use = \"buildah\"\nstorage_driver = \"btrfs\"", "buildah here has no storage driver btrfs"),
        ("use = \"buildah\"\ndata_root = \"tmpfs\"", "buildah has its storage on a volume, and not `tmpfs`"),
    ] {
        let invalid = parsed(written).expect_err(written);
        assert!(invalid.message.contains(message), "{}", invalid.message);
    }
    check(&[("builder = \"classic\"", "builder = ▶\"buildah\"", "is the builder of podman and buildah", "buildkit")]);
}

#[test]
fn a_preload_needs_something_to_load() {
    for (written, message) in [
        ("use = \"dind-preload\"\npreload = false", "a dind-preload without images loaded is a dind"),
        ("use = \"dind-mirror\"\nmirror = false", "a dind-mirror without its mirror is a dind"),
        ("use = \"dind-preload\"", "the images that the job pulls are loaded beforehand, and it pulls none"),
        ("use = \"dind\"\npreload = true", "the images that the job pulls are loaded beforehand, and it pulls none"),
    ] {
        let text = WHOLE.replace("use = \"socket\"", &format!("name = \"socket\"\n{written}"));
        let text = text.replace("{ op = \"pull\", image = \"fixture:base\" },", "");
        let invalid = parse("whole", &text, Path::new(".")).expect_err(message);
        assert_eq!(invalid.message, message);
    }
}

#[test]
fn containers_can_be_bounded() {
    let bounded = |limits: &str| {
        let text = WHOLE.replace("use = \"socket\"", &format!("use = \"socket\"\nlimits = {limits}"));
        let scenario = parse("whole", &text, Path::new(".")).unwrap_or_else(|invalid| panic!("{invalid}"));
        (scenario.topologies[0].bounds, scenario.topologies[0].parameters())
    };
    let both = Bounds { cpus: Some(1.5), memory_bytes: Some(2 << 30) };
    assert_eq!(bounded("{ cpus = 1.5, memory = \"2GiB\" }"), (both, "cpus=1.5 memory_bytes=2147483648".to_owned()));
    let one = Bounds { cpus: Some(1.0), memory_bytes: None };
    assert_eq!(bounded("{ cpus = 1.0 }"), (one, "cpus=1".to_owned()));
    assert!(whole().topologies[1].parameters().starts_with("lifecycle=keep"));
}
