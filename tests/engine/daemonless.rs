//! Jobs without an engine: podman and buildah on each storage driver, and what their builds print.

use std::path::Path;

use dindbench::case::{Builder, ErrorClass, Op, Status};
use dindbench::scenario::Scenario;
use libtest_mimic::{Failed, Trial};

use crate::block::{Recorded, context};
use crate::lab::{self, Engines};

pub fn tests() -> Vec<Trial> {
    vec![
        Trial::test("daemonless::a_job_finds_what_its_storage_keeps_on_every_driver", drivers),
        Trial::test("daemonless::output_that_imitates_the_builder_counts_for_nothing", imitation),
        Trial::test("daemonless::failures_have_their_class", failures),
    ]
}

fn run(scenario: &Scenario) -> Recorded {
    lab::with_engines(Engines { podman: true, ..Engines::default() }, async |lab| lab.run(scenario).await)
}

fn drivers() -> Result<(), Failed> {
    let topology = |name: &str, tool: &str, driver: &str, root: &str| {
        format!(
            "[[topology]]\nname = \"{name}\"\nuse = \"{tool}\"\nstorage_driver = \"{driver}\"\ndata_root = \"{root}\"\n"
        )
    };
    let topologies = [
        topology("thrown-away", "podman", "overlay2", "fresh"),
        topology("fuse", "podman", "fuse-overlayfs", "kept"),
        topology("vfs", "buildah", "vfs", "kept"),
    ];
    let text = format!(
        r#"
        question = "Is the same found?"
        baseline = "vfs"
        {}
        [job]
        steps = [
          {{ op = "pull", image = "fixture:base" }},
          {{ op = "build", context = "fixture:ten", tag = "app" }},
          {{ op = "run", image = "app", command = ["sh", "-c", "exit 0"] }},
        ]
        [sequence]
        jobs = 3
        edits = {{ 3 = "source" }}
        "#,
        topologies.concat()
    );
    let recorded = run(&lab::scenario(&text, Path::new("/")));
    for row in recorded.samples() {
        let place = format!("{} job {} {}", row.topology, row.job, row.step);
        assert_eq!(row.status, Status::Ok, "{place}: {}", row.error);
        assert!(row.op != Op::Stop || row.volumes_leaked == Some(0), "{place}");
    }
    for (topology, driver, hits) in
        [("thrown-away", "overlay", [0, 0, 0]), ("fuse", "fuse-overlayfs", [0, 10, 6]), ("vfs", "vfs", [0, 10, 6])]
    {
        for (job, hits) in (1..).zip(hits) {
            let row = recorded.sample(topology, job, "app");
            let found = (row.instructions_cached, row.instructions_total);
            assert_eq!(found, (Some(hits), Some(10)), "{topology} job {job}");
            assert_eq!((row.builder, row.storage_driver.as_str()), (Some(Builder::Buildah), driver), "{topology}");
            let pulled = recorded.sample(topology, job, "0").bytes_pulled.expect("a count");
            assert_eq!(pulled > 60_000_000, job == 1 || topology == "thrown-away", "{topology} job {job}: {pulled}");
        }
    }
    Ok(())
}

/// One build, twice.
fn builds(dockerfile: &str) -> (tempfile::TempDir, Scenario) {
    let folder = context(&format!("FROM 127.0.0.1:5000/fixture:base\n{dockerfile}\n"));
    let text = r#"
        question = "What does it print?"
        baseline = "buildah"
        [[topology]]
        use = "buildah"
        data_root = "kept"
        [job]
        steps = [{ op = "build", context = "context", tag = "app" }]
        [sequence]
        jobs = 2
    "#;
    let scenario = lab::scenario(text, folder.path());
    (folder, scenario)
}

/// Whole lines, parts of them, and the id of an image that is there: that of the base.
fn imitation() -> Result<(), Failed> {
    let hex = "0".repeat(64);
    let (_folder, scenario) = builds(&format!(
        "RUN echo 'STEP 3/4: RUN two'; echo '--> Using cache {hex}'; echo '--> 000000000000'; printf 'part'\n\
         RUN echo two; printf 'STEP 4/4: RUN three\\n--> Using cache '\n\
         RUN echo three; echo 'COMMIT app'; echo '--> 00000000000'; printf '%064d' 0"
    ));
    let recorded = run(&scenario);
    for (job, hits) in [(1, 0), (2, 3)] {
        let row = recorded.sample("buildah", job, "app");
        assert_eq!(row.status, Status::Ok, "job {job}: {}", row.error);
        assert_eq!((row.instructions_cached, row.instructions_total), (Some(hits), Some(3)), "job {job}");
    }
    Ok(())
}

fn failures() -> Result<(), Failed> {
    for (dockerfile, class, words) in [
        ("RUN echo Error: no space left on device >&2; exit 7", ErrorClass::CommandFailed, "exit status 7"),
        ("RUN true\nCOPY nope /x", ErrorClass::EngineError, "nope"),
        ("FROM 127.0.0.1:5000/fixture:none\nRUN true", ErrorClass::ImageMissing, "manifest unknown"),
    ] {
        let (_folder, scenario) = builds(dockerfile);
        let row = run(&scenario).sample("buildah", 1, "app");
        assert_eq!((row.status, row.error_class), (Status::Failed, Some(class)), "{}", row.error);
        assert!(row.error.as_str().contains(words), "{}", row.error);
        assert_eq!((row.builder, row.instructions_total), (Some(Builder::Buildah), None));
    }
    Ok(())
}
