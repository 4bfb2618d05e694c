//! What is refused, at its place and with what would be right.

use std::path::Path;

use dindbench::scenario::parse;
use proptest::prelude::*;

use crate::written::{WHOLE, check, fault};

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
