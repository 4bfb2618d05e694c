//! Engines of other versions than the user's, outside and inside: right values, whatever is combined.
//!
//! Archives that are not in the cache folder yet are built first, from Debian packages.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{Command, Stdio};

use dindbench::case::Status;
use dindbench::engine::Privilege;
use dindbench::record::{RunDir, Sample};
use dindbench::scenario::EngineVersion;
use libtest_mimic::{Failed, Trial};
use tempfile::TempDir;

use crate::lab::{self, Lab};

/// Topologies by name, each with the version of the engine that its jobs talk to.
type Engines = &'static [(&'static str, EngineVersion)];

pub fn tests() -> Vec<Trial> {
    use EngineVersion::{V20_10, V28_5};
    vec![
        Trial::test("versions::an_old_engine_with_a_new_one_inside", || {
            right(V20_10, &[("socket", V20_10), ("dind-28.5", V28_5)])
        }),
        Trial::test("versions::28.5_outside_and_inside_and_an_old_one_inside", || {
            right(V28_5, &[("socket", V28_5), ("dind", V28_5), ("dind-20.10", V20_10)])
        }),
        Trial::test("versions::the_command_runs_26.1_outside_and_inside_and_records_it", command),
        Trial::test("versions::a_version_that_is_not_built_is_told_with_what_builds_it", not_built),
    ]
}

/// The quick job with a topology for each engine; inner ones are kept, so that each finds its cache again.
fn scenario(engines: Engines) -> String {
    let topology = |(name, version): &(&str, EngineVersion)| {
        let parameters = match *name {
            "socket" => "use = \"socket\"".to_owned(),
            // The outer engine's own build.
            "dind" => "use = \"dind\"\nlifecycle = \"keep\"".to_owned(),
            _ => format!("use = \"dind\"\nlifecycle = \"keep\"\nengine = \"{version}\""),
        };
        format!("[[topology]]\nname = \"{name}\"\n{parameters}\n")
    };
    let topologies: String = engines.iter().map(topology).collect();
    format!(
        r#"
        question = "Does every engine give the same values?"
        baseline = "socket"
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
    )
}

fn build_archives(versions: &BTreeSet<EngineVersion>) {
    let mut script = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/images"));
    let built = script.args(versions.iter().map(ToString::to_string)).stdout(Stdio::null()).status();
    assert!(built.is_ok_and(|status| status.success()), "scripts/images does not build {versions:?}");
}

/// Does something with a lab of its own, whose outer engine and inner ones are of these versions.
fn with_engines<T>(outer: EngineVersion, inner: &BTreeSet<EngineVersion>, work: impl AsyncFnOnce(&mut Lab) -> T) -> T {
    let run = format!("test-{}-{outer}", std::process::id());
    let mut lab = lab::RUNTIME.block_on(Lab::open(&run, outer, inner));
    let done = catch_unwind(AssertUnwindSafe(|| lab::RUNTIME.block_on(work(&mut lab))));
    lab::RUNTIME.block_on(lab.close());
    done.unwrap_or_else(|panic| resume_unwind(panic))
}

fn right(outer: EngineVersion, engines: Engines) -> Result<(), Failed> {
    let versions: BTreeSet<EngineVersion> = engines.iter().map(|(_, version)| *version).collect();
    build_archives(&versions);
    let scenario = lab::scenario(&scenario(engines), std::path::Path::new("/"));
    let recorded = with_engines(outer, &versions, async |lab| {
        // 20.10 asks for capabilities that the engine around it may not have, later ones for those that they have.
        let privilege = if outer == EngineVersion::V20_10 { lab.reference.privilege() } else { Privilege::Real };
        assert_eq!(lab.reference.inner_privilege(), privilege, "as an outer engine {outer} grants it");
        assert!(lab.reference.docker_command.contains(&format!(" {outer}.")), "{}", lab.reference.docker_command);
        lab.run(&scenario).await
    });
    check(&recorded.samples(), engines);
    Ok(())
}

/// The values of one block, the last.
fn check(samples: &[Sample], engines: Engines) {
    for row in samples {
        assert_eq!(row.status, Status::Ok, "{} job {} {}: {}", row.topology, row.job, row.step, row.error);
    }
    let row = |topology: &str, job: u32, step: &str| -> &Sample {
        let wanted = |row: &&Sample| row.topology.as_str() == topology && row.job == job && row.step.as_str() == step;
        samples.iter().rfind(wanted).unwrap_or_else(|| panic!("no row for {topology}, job {job}, {step}"))
    };
    for (topology, version) in engines {
        for (job, hits) in [(1, 0), (2, 10), (3, 6)] {
            let build = row(topology, job, "app");
            let counts = (build.instructions_cached, build.instructions_total);
            assert_eq!(counts, (Some(hits), Some(10)), "{topology} job {job}");
            assert!(build.engine_version.starts_with(&format!("{version}.")), "{topology}: {}", build.engine_version);
            assert_eq!(build.storage_driver, "overlay2", "{topology}");
            let pulled = row(topology, job, "0").bytes_pulled.expect("a count");
            assert_eq!(pulled > 60_000_000, job == 1, "{topology} job {job} pulled {pulled} bytes");
            assert_eq!(row(topology, job, "stop").volumes_leaked, Some(0), "{topology} job {job}");
        }
    }
}

fn command() -> Result<(), Failed> {
    const ENGINES: Engines = &[("socket", EngineVersion::V26_1), ("dind", EngineVersion::V26_1)];
    build_archives(&BTreeSet::from([EngineVersion::V26_1]));
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("mine.toml"), scenario(ENGINES))?;
    let mut run = dindbench(&folder);
    let output = run.args(["run", "mine.toml", "--engine", "26.1", "--blocks", "1"]).output()?;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let place = std::fs::read_dir(folder.path().join("results"))?.next().expect("a run directory")?;
    let run = RunDir::open(&place.path())?;
    check(&run.samples()?.collect::<Result<Vec<_>, _>>()?, ENGINES);
    let environment = &run.record().environment;
    assert!(environment.engines["outer"].version.starts_with("26.1."));
    assert_eq!(environment.inner_privilege.as_deref(), Some("real"));
    assert!(environment.docker_command.as_ref().is_some_and(|command| command.contains(" 26.1.")));
    assert_eq!(environment.images.keys().collect::<Vec<_>>(), ["engine-26.1"]);
    Ok(())
}

fn not_built() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let text = scenario(&[("socket", EngineVersion::V26_1), ("dind-20.10", EngineVersion::V20_10)]);
    std::fs::write(folder.path().join("mine.toml"), text)?;
    let mut run = dindbench(&folder);
    run.args(["run", "mine.toml", "--engine", "26.1"]).env("XDG_CACHE_HOME", folder.path());
    let output = run.output()?;
    let told = String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("scripts/images 20.10 26.1"), "{told}");
    Ok(())
}

fn dindbench(folder: &TempDir) -> Command {
    let mut command = Command::new(lab::program());
    command.current_dir(folder.path()).env("XDG_STATE_HOME", folder.path());
    command
}
