//! The scenario grammar: what a scenario means, and that every fault is told at its place with what would be right.

use std::fs;
use std::path::Path;
use std::time::Duration;

use dindbench::case::{Builder, Driver, Edit, Lifecycle};
use dindbench::scenario::{
    BUILTINS, Bounds, Build, CacheStore, Context, Cost, Daemonless, DataRoot, Dind, EngineVersion, Expected, ImageRef,
    Invalid, Kind, Limits, LoadError, Power, Scenario, Service, Step, StorageDriver, Tool, Topology, builtin, load,
    parse,
};
use proptest::prelude::*;

/// A scenario that uses every key that is built; faults are made by replacing a part of it.
const WHOLE: &str = r#"question = "Why?"
baseline = "socket"
analysis = "Prose."

[[topology]]
use = "socket"

[[topology]]
name = "dind-kept"
use = "dind"
lifecycle = "keep"
engine = "28.5"
storage_driver = "vfs"
data_root = "fresh"
mirror = false
preload = false
tls = false

[job]
driver = "cli"
builder = "classic"
steps = [
  { op = "pull", image = "fixture:base" },
  { op = "build", context = "fixture:ten", file = "Dockerfile", tag = "app", args = { A = "1" } },
  { op = "run", image = "app:latest", command = ["true"] },
  { op = "push", image = "app" },
]

[sequence]
jobs = 3
edits = { 2 = "none", 3 = "source" }
blocks = 4
concurrency = 1

[[expect]]
topology = "socket"
job = 2
step = "app"
instructions_cached = "all"

[[expect]]
topology = "dind-kept"
job = 3
step = 1
instructions_cached = 6

[limits]
step_timeout = "90s"
stall_timeout = "1m 30s"

[cost]
jobs_per_day = 400
price_per_minute = 0.008
"#;

fn whole() -> Scenario {
    parse("whole", WHOLE, Path::new(".")).unwrap_or_else(|invalid| panic!("{invalid}"))
}

/// Where a fault is to be told, in the text that makes it.
const HERE: char = '▶';

/// The fault after `from`, which stands there exactly once, was replaced by `to`.
fn fault(from: &str, to: &str) -> Invalid {
    assert_eq!(WHOLE.matches(from).count(), 1, "{from}");
    let marked = WHOLE.replace(from, to);
    let invalid = *parse("whole", &marked.replace(HERE, ""), Path::new(".")).expect_err(to);
    let before = &marked[..marked.find(HERE).expect(to)];
    let line = before.split('\n').count();
    let column = before.rsplit('\n').next().map_or(0, str::len) + 1;
    assert_eq!(invalid.to_string(), format!("whole.toml:{line}:{column}: {}", invalid.message), "{to}");
    invalid
}

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

/// Replaced part, replacement with the fault's place marked, and a part of its message and of its help.
type Case = (&'static str, &'static str, &'static str, &'static str);

fn check(cases: &[Case]) {
    for (from, to, message, help) in cases {
        let invalid = fault(from, to);
        assert!(invalid.message.contains(message), "{to}: {invalid}");
        assert!(invalid.help.contains(help), "{to}: {}", invalid.help);
    }
}

#[test]
fn unknown_words_are_told_with_the_nearest_known_one() {
    check(&[
        ("analysis =", "▶analisys =", "unknown key `analisys`", "did you mean `analysis`?"),
        ("lifecycle =", "▶lifecyle =", "unknown key `lifecyle`", "did you mean `lifecycle`?"),
        ("\"keep\"", "▶\"kep\"", "unknown value `kep`", "did you mean `keep`?"),
        ("\"keep\"", "▶\"podman\"", "unknown value `podman`", "known here: recreate, restart, keep"),
        ("\"keep\"", "▶3", "this is no word", "word in quotes"),
        ("engine = \"28.5\"", "engine = ▶\"27.0\"", "unknown value `27.0`", "20.10, 26.1, 28.5"),
        ("op = \"pull\"", "op = ▶\"pul\"", "unknown value `pul`", "did you mean `pull`?"),
        ("tag = \"app\"", "▶tga = \"app\"", "unknown key `tga`", "did you mean `tag`?"),
        ("{ op = \"pull\", ", "▶{ ", "a step without `op`", "`op` is pull, build, run or push"),
        ("op = \"pull\"", "op = ▶1", "`op` is no word", "`op` is pull, build, run or push"),
        ("{ op = \"pull\", image = \"fixture:base\" }", "▶\"pull\"", "this is no step", "{ op ="),
        ("image = \"fixture:base\"", "image = ▶1", "invalid type: integer `1`", "expected a string"),
        (
            "{ op = \"build\", context = \"fixture:ten\", file = \"Dockerfile\", tag = \"app\"",
            "▶{ op = \"build\", context = \"fixture:ten\"",
            "`tag` is missing",
            "add `tag`",
        ),
        ("question = \"Why?\"", "▶", "`question` is missing", "add `question`"),
        ("[sequence]\njobs = 3", "▶[sequence]", "`jobs` is missing", "add `jobs`"),
        ("blocks = 4", "blocks = ▶\"4\"", "invalid type: string \"4\"", "a whole number"),
        ("blocks = 4", "blocks = ▶-4", "invalid value: integer `-4`", "a whole number"),
        ("blocks = 4", "blocks = ▶", "string values must be quoted", "expected literal string"),
        ("blocks = 4", "▶jobs = 4", "duplicate key", "docs/scenarios.md"),
        ("step = 1", "step = ▶1.5", "invalid type: floating point `1.5`", "a word or a number"),
        ("= 6", "= ▶\"al\"", "unknown value `al`", "did you mean `all`?"),
        ("= 6", "= ▶-1", "invalid value: integer `-1`", "a word or a number"),
        ("400", "▶\"400\"", "invalid type: string \"400\"", "expected a number"),
    ]);
}

#[test]
fn what_is_not_built_is_refused_with_what_works() {
    check(&[(
        "\"fixture:base\"",
        "▶\"debian:12\"",
        "pulling an image such as `debian:12` is not built yet",
        "fixture:base",
    )]);
}

#[test]
fn what_is_not_built_is_still_checked_for_unknown_keys() {
    check(&[
        ("tls = false", "limits = { ▶cpu = 2.0 }", "unknown key `cpu`", "did you mean `cpus`?"),
        ("op = \"pull\"", "op = \"push\", ▶to = \"x\"", "unknown key `to`", "image"),
    ]);
}

#[test]
fn names_that_dangle_are_refused() {
    check(&[
        ("baseline = \"socket\"", "baseline = ▶\"sokket\"", "no topology is called `sokket`", "did you mean `socket`?"),
        ("topology = \"dind-kept\"", "topology = ▶\"dind\"", "no topology is called `dind`", "socket, dind-kept"),
        ("job = 3", "job = ▶4", "there is no job 4", "1 to 3"),
        ("job = 3", "job = ▶0", "there is no job 0", "1 to 3"),
        ("step = 1", "step = ▶\"ap\"", "no step builds `ap`", "did you mean `app`?"),
        ("step = 1", "step = ▶0", "step 0 builds nothing", "app"),
        ("step = 1", "step = ▶4", "there is no step 4", "app"),
        ("op = \"push\", image = \"app\"", "op = \"push\", image = ▶\"fixture:base\"", "no earlier step builds", "app"),
        ("\"app:latest\"", "▶\"db\"", "no earlier step builds `db`", "known here: app"),
        ("\"app:latest\"", "▶\"app:2\"", "no earlier step builds `app:2`", "fixture:NAME"),
        ("\"app:latest\"", "▶\"fixture:Base\"", "`fixture:Base` cannot be an image", "a-z"),
        ("\"fixture:ten\"", "▶\"fixture:tne\"", "no context is generated as `fixture:tne`", "fixture:multistage"),
        ("file = \"Dockerfile\"", "file = ▶\"Other\"", "fixture:ten has no `Other`", "Dockerfile"),
        ("3 = \"source\"", "▶4 = \"source\"", "there is no job 4", "from 2 to 3"),
    ]);
}

#[test]
fn combinations_that_cannot_be_are_refused() {
    check(&[
        (
            "use = \"dind\"\nlifecycle = \"keep\"",
            "use = \"socket\"\nlifecycle = ▶\"keep\"",
            "`lifecycle` is a parameter of an inner engine",
            "remove `lifecycle`",
        ),
        (
            "use = \"dind\"\nlifecycle = \"keep\"\nengine = \"28.5\"",
            "use = \"host\"\nengine = ▶\"28.5\"",
            "`engine` is a parameter of an inner engine, and a host topology has none",
            "use = \"dind\"",
        ),
        ("name = \"dind-kept\"", "name = ▶\"socket\"", "a second topology called `socket`", "`name` of its own"),
        (
            "name = \"dind-kept\"\nuse = \"dind\"\nlifecycle = \"keep\"\nengine = \"28.5\"\nstorage_driver = \"vfs\"\ndata_root = \"fresh\"\nmirror = false\npreload = false\ntls = false",
            "use = ▶\"socket\"",
            "a second topology called `socket`",
            "called like its `use`",
        ),
        (
            "data_root = \"fresh\"",
            "data_root = ▶\"kept\"",
            "with lifecycle = keep the engine goes on with its data anyway",
            "remove `data_root`",
        ),
        (
            "lifecycle = \"keep\"\nengine = \"28.5\"\nstorage_driver = \"vfs\"\ndata_root = \"fresh\"",
            "lifecycle = \"restart\"\ndata_root = ▶\"tmpfs\"",
            "a tmpfs is gone when its container stops",
            "lifecycle = \"keep\"",
        ),
        (
            "tls = false",
            "tls = ▶true",
            "a job of a dind topology talks to its engine through a unix socket",
            "dind-service",
        ),
        (
            "engine = \"28.5\"\nstorage_driver = \"vfs\"",
            "engine = \"20.10\"\nstorage_driver = ▶\"containerd\"",
            "containerd keeps no images for an engine 20.10",
            "engine = \"28.5\"",
        ),
        (
            "use = \"dind\"\nlifecycle = \"keep\"\nengine = \"28.5\"\nstorage_driver = \"vfs\"\ndata_root = \"fresh\"",
            "use = \"dind-rootless\"\ndata_root = ▶\"loop:xfs\"",
            "an engine without root cannot mount a file system such as xfs",
            "another `data_root`",
        ),
        ("tls = false", "limits = ▶{ }", "limits without a limit", "cpus = 2.0"),
        ("tls = false", "limits = { cpus = ▶0.0 }", "a container cannot have 0 processors", "0.01 to 1024"),
        ("tls = false", "limits = { memory = ▶\"1MiB\" }", "1MiB is too little memory", "6.0 MiB or more"),
        ("tls = false", "limits = { memory = ▶\"much\" }", "`much` is no amount of memory", "512MiB"),
        (
            "name = \"dind-kept\"\nuse = \"dind\"\nlifecycle = \"keep\"\nengine = \"28.5\"\nstorage_driver = \"vfs\"\ndata_root = \"fresh\"\nmirror = false\npreload = false\ntls = false",
            "use = \"host\"\nlimits = ▶{ cpus = 1.0 }",
            "limits are a container's",
            "use = \"socket\"",
        ),
        (
            "tls = false",
            "delay = ▶0.0",
            "a step cannot be lengthened by 0 of its time",
            "0.001 to 10, such as 0.1 for 10 %",
        ),
        ("tls = false", "mtu = ▶60", "a network cannot have packets of 60 bytes", "68 to 65535"),
        ("\"dind-kept\"\nuse", "▶\"Dind\"\nuse", "`Dind` cannot be a topology's name", "a-z"),
        ("jobs = 3", "jobs = ▶0", "a sequence without jobs", "1 job"),
        ("blocks = 4", "blocks = ▶0", "without measured blocks", "1 block"),
        ("concurrency = 1", "concurrency = ▶0", "no job at a time", "1 to 64"),
        ("concurrency = 1", "concurrency = ▶65", "65 jobs at once", "1 to 64"),
        ("tls = false", "concurrency = ▶0", "no job at a time", "1 to 64"),
        (
            "edits = { 2 = \"none\", 3 = \"source\" }\nblocks = 4\nconcurrency = 1",
            "edits = { 2 = ▶\"base\" }\nblocks = 4\nconcurrency = 8",
            "a moved base, and 8 jobs at once in socket",
            "concurrency = 1",
        ),
        ("2 = \"none\"", "▶1 = \"none\"", "job 1 has the edit `first`", "from 2 to 3"),
        ("2 = \"none\"", "▶0 = \"none\"", "jobs count from 1", "from 2 to 3"),
        ("2 = \"none\"", "▶03 = \"none\"", "`03` is no job", "from 2 to 3"),
        ("2 = \"none\"", "▶x = \"none\"", "`x` is no job", "from 2 to 3"),
        ("\"source\"", "▶\"first\"", "unknown value `first`", "none, source"),
        (
            "2 = \"none\", 3 = \"source\"",
            "2 = \"base\", 3 = ▶\"base\"",
            "a base that is moved twice",
            "one edit `base`",
        ),
        ("tag = \"app\"", "tag = ▶\"App\"", "`App` cannot be an image's tag", "lower-case"),
        ("tag = \"app\"", "tag = ▶\"fixture:app\"", "`fixture:app` cannot be an image's tag", "fixture:"),
        ("tag = \"app\"", "tag = ▶\"12\"", "`12` would be taken for a step's index", "a letter"),
        (
            "op = \"run\", image = \"app:latest\", command = [\"true\"]",
            "op = \"build\", context = \"fixture:big\", tag = ▶\"app:latest\"",
            "a second build step",
            "its own",
        ),
        ("[\"true\"]", "▶[]", "a run step without a command", "true"),
        ("file = \"Dockerfile\"", "file = ▶\"../Dockerfile\"", "outside its context", "without `..`"),
        ("file = \"Dockerfile\"", "file = ▶\"/Dockerfile\"", "outside its context", "relative"),
        (
            "job = 3\nstep = 1",
            "job = 3\nstep = 1\ninstructions_cached = 5\n\n[[expect]]\ntopology = ▶\"dind-kept\"\njob = 3\nstep = \"app\"",
            "a second expectation",
            "one expectation",
        ),
        ("\"90s\"", "▶\"90\"", "`90` is no duration", "\"5m\""),
        ("\"90s\"", "▶\"0s\"", "a time-out of 0", "more than 0"),
        ("0.008", "▶-0.008", "`-0.008` is no amount", "0 or more"),
        ("0.008", "▶nan", "`NaN` is no amount", "0 or more"),
    ]);
}

proptest! {
    #[test]
    fn a_damaged_scenario_is_read_or_refused_at_a_place_in_it(cut in 0..WHOLE.len(), length in 0_usize..40, put in ".{0,3}") {
        let text = format!("{}{put}{}", &WHOLE[..cut], &WHOLE[(cut + length).min(WHOLE.len())..]);
        if let Err(invalid) = parse("whole", &text, Path::new(".")) {
            let line = text.split('\n').nth(invalid.line - 1);
            prop_assert!(line.is_some_and(|line| invalid.column <= line.len() + 1), "{}", invalid);
            prop_assert!(!invalid.help.is_empty());
        }
    }
}

#[test]
fn a_job_needs_a_step_and_an_edit_a_build() {
    let text = r#"
question = "Why?"
baseline = "socket"
topology = [{ use = "socket" }]
job.steps = []
sequence = { jobs = 2, edits = { 2 = "source" } }"#;
    let invalid = *parse("a", text, Path::new(".")).unwrap_err();
    assert_eq!(invalid.to_string(), "a.toml:5:13: a job without steps");
    let text = text.replace("[]", "[{ op = \"pull\", image = \"fixture:base\" }]");
    let invalid = *parse("a", &text, Path::new(".")).unwrap_err();
    assert_eq!(invalid.to_string(), "a.toml:6:38: an edit, and no step that builds");
}

#[test]
fn a_moved_base_must_be_pulled_and_built_on() {
    let read = |steps: &str| {
        let text = format!(
            "question = \"Why?\"\nbaseline = \"socket\"\ntopology = [{{ use = \"socket\" }}]\njob.steps = [{steps}]\n\
             sequence = {{ jobs = 2, edits = {{ 2 = \"base\" }} }}"
        );
        parse("a", &text, Path::new(".")).map(|scenario| scenario.sequence.edit(2)).map_err(|invalid| invalid.message)
    };
    let step = |op: &str, rest: &str| format!("{{ op = \"{op}\", {rest} }},");
    let (base, moved) = (step("pull", "image = \"fixture:base\""), step("pull", "image = \"fixture:moved\""));
    let ten = step("build", "context = \"fixture:ten\", tag = \"a\"");
    let big = step("build", "context = \"fixture:big\", tag = \"b\"");
    for (steps, message) in [
        (format!("{moved}{ten}"), "no step pulls"),
        (format!("{ten}{base}"), "no step pulls"),
        (format!("{base}{big}"), "no step that builds on it"),
        (base.clone(), "no step that builds"),
    ] {
        let told = read(&steps).expect_err(&steps);
        assert!(told.contains(message), "{told}");
    }
    for steps in [format!("{base}{ten}"), format!("{big}{base}{ten}")] {
        assert_eq!(read(&steps), Ok(Edit::Base));
    }
}

#[test]
fn a_context_is_a_folder_beside_the_file() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("scenarios");
    fs::create_dir_all(root.join("contexts/own")).unwrap();
    fs::create_dir(place.path().join("elsewhere")).unwrap();
    fs::write(root.join("contexts/own/Dockerfile"), "FROM scratch\n").unwrap();
    fs::write(root.join("contexts/file"), "").unwrap();
    std::os::unix::fs::symlink(place.path().join("elsewhere"), root.join("link")).unwrap();
    let read = |context: &str, file: &str, edit: &str| {
        let text = WHOLE.replace("fixture:ten", context).replace("\"Dockerfile\"", file).replace("\"source\"", edit);
        parse("whole", &text, &root).map_err(|invalid| invalid.message)
    };
    let scenario = read("contexts/own", "\"Dockerfile\"", "\"none\"").unwrap();
    let Step::Build(build) = &scenario.job.steps[1] else { panic!("{:?}", scenario.job.steps) };
    assert_eq!(build.context, Context::Folder(root.join("contexts/own")));
    for (context, file, edit, message) in [
        ("contexts/none", "\"Dockerfile\"", "\"none\"", "there is no folder"),
        ("contexts/file", "\"Dockerfile\"", "\"none\"", "there is no folder"),
        ("../elsewhere", "\"Dockerfile\"", "\"none\"", "leaves the scenario's folder"),
        ("contexts/../../elsewhere", "\"Dockerfile\"", "\"none\"", "leaves the scenario's folder"),
        ("/", "\"Dockerfile\"", "\"none\"", "leaves the scenario's folder"),
        ("", "\"Dockerfile\"", "\"none\"", "leaves the scenario's folder"),
        ("link", "\"Dockerfile\"", "\"none\"", "is a link out of the scenario's folder"),
        ("contexts/own", "\"Other\"", "\"none\"", "there is no file"),
        ("contexts/own", "\"Dockerfile\"", "\"source\"", "no build step says which file it changes"),
    ] {
        let told = read(context, file, edit).expect_err(context);
        assert!(told.contains(message), "{context}: {told}");
    }
}

#[test]
fn an_edit_of_a_folder_names_a_file_that_is_sent_and_that_a_line_can_be_added_to() {
    let place = tempfile::tempdir().unwrap();
    let own = place.path().join("own");
    fs::create_dir_all(own.join("src")).unwrap();
    for (file, text) in [
        ("Dockerfile", "FROM scratch\n"),
        (".dockerignore", "left-out.py\n"),
        ("src/main.py", ""),
        ("left-out.py", ""),
        ("logo.png", ""),
    ] {
        fs::write(own.join(file), text).unwrap();
    }
    let read = |keys: &str| {
        let context = format!("\"own\", {keys}");
        let text = WHOLE.replace("\"fixture:ten\"", &context);
        parse("whole", &text, place.path()).map_err(|invalid| invalid.message)
    };
    let scenario = read("source = \"src/main.py\", target = \"app\"").unwrap();
    let Step::Build(build) = &scenario.job.steps[1] else { panic!("{:?}", scenario.job.steps) };
    assert_eq!(build.edited[&Edit::Source].path, "src/main.py");
    assert_eq!(build.target.as_deref(), Some("app"));
    for (keys, message) in [
        ("source = \"none.py\"", "there is no file"),
        ("source = \"../own/src/main.py\"", "there is no file"),
        ("source = \"src\"", "there is no file"),
        ("source = \"logo.png\"", "without changing what it means"),
        ("source = \"left-out.py\"", "leaves `left-out.py` out"),
        ("target = \"a b\"", "cannot be a stage"),
        ("dependencies = \"src/main.py\"", "no build step says which file it changes"),
    ] {
        let told = read(keys).expect_err(keys);
        assert!(told.contains(message), "{keys}: {told}");
    }
}

#[test]
fn the_default_dockerfile_must_be_there_too() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("own")).unwrap();
    let text =
        WHOLE.replace("fixture:ten", "own").replace("file = \"Dockerfile\", ", "").replace("\"source\"", "\"none\"");
    let told = parse("whole", &text, place.path()).unwrap_err();
    assert!(told.message.contains("own/Dockerfile"), "{told}");
}

#[test]
fn text_that_could_drive_a_terminal_is_refused_and_not_shown() {
    for (from, to, message) in [
        ("\"Prose.\"", "▶\"\\u001b[31m\"", "U+001B is not allowed"),
        ("\"Prose.\"", "▶\"a\u{202e}b\"", "U+202E is not allowed"),
        ("\"Prose.\"", "▶\"a\u{61c}b\"", "U+061C is not allowed"),
        ("A = ", "▶\"A\\u0007\" = ", "U+0007 is not allowed"),
        ("[\"true\"]", "[\"true\", ▶\"\\u009b\"]", "U+009B is not allowed"),
    ] {
        let invalid = fault(from, to);
        assert!(invalid.message.contains(message), "{invalid}");
    }
    let shown = format!("{:?}", miette::Report::new(fault("Prose.", "▶\u{1b}[31m")));
    assert!(!shown.contains("\u{1b}[31m"), "{shown}");
    let windows = WHOLE.replace('\n', "\r\n");
    assert!(parse("whole", &windows, Path::new(".")).is_ok());
}

#[test]
fn the_built_in_scenarios_are_valid_and_answer_their_question() {
    for name in BUILTINS {
        assert_eq!(builtin(name).unwrap().name, name);
    }
    assert_eq!(builtin("whole"), None);
    let quick = builtin("quick").unwrap();
    let arms: Vec<_> = quick.topologies.iter().map(|arm| (arm.name.as_str(), arm.kind.lifecycle())).collect();
    // Nesting and lifecycle can be told apart: the kept engine stands between the two.
    assert_eq!(arms, [("socket", None), ("dind-kept", Some(Lifecycle::Keep)), ("dind", Some(Lifecycle::Recreate))]);
    for expectation in &quick.expectations {
        let expected = match (expectation.topology.as_str(), expectation.job) {
            ("dind", _) => Expected::Exactly(0),
            (_, 2) => Expected::All,
            _ => Expected::Exactly(6),
        };
        assert_eq!(expectation.instructions_cached, expected, "{expectation:?}");
    }
    assert_eq!(quick.expectations.len(), 6);
}

#[test]
fn the_scenarios_beside_the_built_in_ones_are_valid() {
    let mut names = Vec::new();
    for entry in fs::read_dir("scenarios").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            names.push(load(path.to_str().unwrap()).unwrap_or_else(|error| panic!("{error}")).name);
        }
    }
    names.sort();
    assert_eq!(
        names,
        [
            "agreement",
            "cache",
            "concurrency",
            "daemonless",
            "edits",
            "lifecycle",
            "limits",
            "network",
            "quick",
            "reliability",
            "selfcheck",
            "startup",
            "storage",
            "versions"
        ]
    );
}

#[test]
fn scenarios_are_loaded_by_name_or_path() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("own.toml");
    fs::create_dir(place.path().join("context")).unwrap();
    fs::write(place.path().join("context/Dockerfile"), "FROM scratch\n").unwrap();
    fs::write(&path, WHOLE.replace("fixture:ten", "context").replace("\"source\"", "\"none\"")).unwrap();
    assert_eq!(load(path.to_str().unwrap()).unwrap().name, "own");
    assert_eq!(load("quick").unwrap().name, "quick");
    fs::write(&path, "baseline = 1").unwrap();
    let told = load(path.to_str().unwrap()).unwrap_err().to_string();
    assert!(told.starts_with(&format!("{}:1:12: ", path.display())), "{told}");
    assert!(matches!(load("nothing"), Err(LoadError::Unknown { .. })));
    assert!(matches!(load(place.path().to_str().unwrap()), Err(LoadError::Unreadable { .. })));
}

#[test]
fn the_documented_scenario_is_valid() {
    let guide = include_str!("../docs/scenarios.md");
    let text = guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    parse("documented", text, Path::new(".")).unwrap_or_else(|invalid| panic!("{invalid}"));
}
