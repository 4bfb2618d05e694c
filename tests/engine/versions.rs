//! Engines of other versions than the user's, outside and inside: right values, whatever is combined.

use dindbench::case::{Builder, Op, Status};
use dindbench::record::Sample;
use dindbench::scenario::EngineVersion;
use libtest_mimic::{Failed, Trial};

use crate::command::{dindbench, only_run, samples, state, stderr};
use crate::host::{fingerprint, users};
use crate::lab::{self, Engines};
use crate::systems::build_systems;

/// Topologies by name, each with the version of the engine that its jobs talk to.
type Versions = &'static [(&'static str, EngineVersion)];

pub fn tests() -> Vec<Trial> {
    use EngineVersion::{V20_10, V28_5};
    vec![
        Trial::test("versions::an_old_engine_with_a_new_one_inside", || {
            right(&[("socket", V20_10), ("dind-28.5", V28_5)])
        }),
        users("versions::the_command_runs_26.1_outside_and_inside_and_records_it", command),
        users("versions::a_new_engine_on_the_users_own_which_is_left_as_it_was", on_the_users),
        users("versions::a_version_that_is_not_built_is_told_with_what_builds_it", not_built),
    ]
}

/// The quick job with a topology for each engine; inner ones are kept, so that each finds its cache again.
fn scenario(engines: Versions, builder: Builder) -> String {
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
        builder = "{builder}"
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

fn right(engines: Versions) -> Result<(), Failed> {
    let outer = EngineVersion::V20_10;
    let inner = engines.iter().map(|(_, version)| *version).collect();
    let recorded = lab::with_engines(Engines { outer, inner, ..Engines::default() }, async |lab| {
        // It asks for capabilities that the engine around it may not have.
        assert_eq!(lab.host.learnt.inner_privilege, lab.host.privilege(), "as an outer engine {outer} grants it");
        assert!(lab.host.learnt.docker_command.contains(&format!(" {outer}.")), "{}", lab.host.learnt.docker_command);
        let mut recorded = Vec::new();
        for builder in [Builder::Classic, Builder::Buildkit] {
            let scenario = lab::scenario(&scenario(engines, builder), std::path::Path::new("/"));
            recorded.push((builder, lab.run(&scenario).await));
        }
        recorded
    });
    for (builder, recorded) in recorded {
        check(&recorded.samples(), engines, builder);
    }
    Ok(())
}

/// The values of one block, the last.
fn check(samples: &[Sample], engines: Versions, builder: Builder) {
    for row in samples {
        assert_eq!(row.status, Status::Ok, "{} job {} {}: {}", row.topology, row.job, row.step, row.error);
    }
    let row = |topology: &str, job: u32, step: &str| -> &Sample {
        let wanted = |row: &&Sample| row.topology.as_str() == topology && row.job == job && row.step.as_str() == step;
        samples.iter().rfind(wanted).unwrap_or_else(|| panic!("no row for {topology}, job {job}, {step}"))
    };
    // Three of the ten instructions have no vertex, one of them after the edited file.
    let (total, cached) = match builder {
        Builder::Buildkit => (7, [0, 7, 5]),
        Builder::Auto | Builder::Classic | Builder::Buildah => (10, [0, 10, 6]),
    };
    for (topology, version) in engines {
        for (job, hits) in (1..).zip(cached) {
            let build = row(topology, job, "app");
            let counts = (build.instructions_cached, build.instructions_total);
            assert_eq!(counts, (Some(hits), Some(total)), "{topology} job {job}, {builder}");
            assert_eq!(build.builder, Some(builder), "{topology} job {job}");
            assert!(build.engine_version.starts_with(&format!("{version}.")), "{topology}: {}", build.engine_version);
            assert_eq!(build.storage_driver, "overlay2", "{topology}");
            let pulled = row(topology, job, "0").bytes_pulled.expect("a count");
            assert_eq!(pulled > 60_000_000, job == 1, "{topology} job {job} pulled {pulled} bytes");
            assert_eq!(row(topology, job, "stop").volumes_leaked, Some(0), "{topology} job {job}");
        }
    }
}

fn command() -> Result<(), Failed> {
    const ENGINES: Versions = &[("socket", EngineVersion::V26_1), ("dind", EngineVersion::V26_1)];
    build_systems(&["26.1"]);
    let state = state();
    std::fs::write(state.path().join("mine.toml"), scenario(ENGINES, Builder::Classic))?;
    let output = dindbench(&state, &["run", "mine.toml", "--engine", "26.1", "--blocks", "1"]).output()?;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let run = only_run(&state);
    check(&samples(&run), ENGINES, Builder::Classic);
    let environment = &run.record().environment;
    assert!(environment.engines["outer"].version.starts_with("26.1."));
    assert_eq!(environment.inner_privilege.as_deref(), Some("real"));
    assert!(environment.docker_command.as_ref().is_some_and(|command| command.contains(" 26.1.")));
    assert_eq!(environment.images.keys().collect::<Vec<_>>(), ["engine-26.1"]);
    Ok(())
}

/// The user's engine has a version that these tests do not know.
fn on_the_users() -> Result<(), Failed> {
    build_systems(&["28.5"]);
    let (before, state) = (fingerprint(), state());
    let text =
        scenario(&[("dind-28.5", EngineVersion::V28_5)], Builder::Classic).replace("\"socket\"", "\"dind-28.5\"");
    std::fs::write(state.path().join("mine.toml"), text)?;
    let output = dindbench(&state, &["run", "mine.toml", "--host", "local", "--blocks", "1"]).output()?;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let rows = samples(&only_run(&state));
    for (job, hits) in [(1, 0), (2, 10), (3, 6)] {
        let builds = rows.iter().filter(|row| row.job == job && row.op == Op::Build);
        for row in builds {
            assert_eq!(row.instructions_cached, Some(hits), "job {job}");
            assert!(row.engine_version.starts_with("28.5."), "{}", row.engine_version);
        }
    }
    assert_eq!(fingerprint(), before);
    Ok(())
}

fn not_built() -> Result<(), Failed> {
    let state = state();
    let engines: Versions = &[("socket", EngineVersion::V26_1), ("dind-20.10", EngineVersion::V20_10)];
    let text = scenario(engines, Builder::Classic);
    std::fs::write(state.path().join("mine.toml"), text)?;
    let mut run = dindbench(&state, &["run", "mine.toml", "--engine", "26.1"]);
    let output = run.env("XDG_CACHE_HOME", state.path()).output()?;
    let told = stderr(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("scripts/images 20.10 26.1"), "{told}");
    Ok(())
}
