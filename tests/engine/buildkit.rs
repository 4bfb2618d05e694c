//! BuildKit on the real engine: right values beside the classic builder's, and failures.

use std::path::Path;

use dindbench::case::{Builder, ErrorClass, Status};
use dindbench::fixture::Fixture;
use dindbench::scenario::EngineVersion;
use libtest_mimic::{Failed, Trial};

use crate::block::{Recorded, context};
use crate::lab::{self, Engines};
use crate::recordings::IMITATION;
use crate::values::{assert_hits, one_build, one_fixture};

pub fn tests() -> Vec<Trial> {
    vec![
        Trial::test("buildkit::every_fixture_context_builds_and_rebuilds", fixtures),
        Trial::test("buildkit::output_that_imitates_the_builder_counts_for_nothing", imitation),
        Trial::test("buildkit::failures_have_their_class", failures),
        Trial::test("buildkit::a_command_without_it_is_the_wrong_builder", absent),
    ]
}

/// Engines whose jobs have a docker command with BuildKit built in.
pub fn engines() -> Engines {
    Engines { outer: EngineVersion::V20_10, ..Engines::default() }
}

fn run(text: &str, root: &Path) -> Recorded {
    let scenario = lab::scenario(text, root);
    lab::with_engines(engines(), async |lab| lab.run(&scenario).await)
}

fn fixtures() -> Result<(), Failed> {
    for (fixture, all, edited) in [(Fixture::Many, 3, 2), (Fixture::Multistage, 7, 3), (Fixture::Big, 3, 1)] {
        let recorded = run(&one_fixture(Builder::Buildkit, fixture), Path::new("/"));
        assert_hits(&recorded, &fixture.to_string(), [0, all, edited], all);
    }
    Ok(())
}

fn imitation() -> Result<(), Failed> {
    let folder = context(IMITATION);
    assert_hits(&run(&one_build(Builder::Buildkit, 2), folder.path()), "imitation", [0, 3], 3);
    Ok(())
}

fn failures() -> Result<(), Failed> {
    for (dockerfile, class, words) in [
        ("RUN echo no space left on device; exit 7", ErrorClass::CommandFailed, "exit code: 7"),
        ("RUN true\nCOPY nope /x", ErrorClass::EngineError, "nope"),
        ("FROM 127.0.0.1:5000/fixture:none\nRUN true", ErrorClass::ImageMissing, "fixture:none"),
    ] {
        let folder = context(&format!("FROM 127.0.0.1:5000/fixture:base\n{dockerfile}\n"));
        let row = run(&one_build(Builder::Buildkit, 1), folder.path()).sample("socket", 1, "app");
        assert_eq!((row.status, row.error_class), (Status::Failed, Some(class)), "{}", row.error);
        assert!(row.error.as_str().contains(words), "{}", row.error);
        assert_eq!((row.builder, row.instructions_total), (Some(Builder::Buildkit), None));
    }
    Ok(())
}

/// The packed command, where it has no BuildKit: left to itself it takes the classic builder.
fn absent() -> Result<(), Failed> {
    let folder = context("FROM 127.0.0.1:5000/fixture:base\nRUN true\n");
    let build = |builder: Builder| {
        let scenario = lab::scenario(&one_build(builder, 1), folder.path());
        lab::with(async |lab| lab.run(&scenario).await).sample("socket", 1, "app")
    };
    let (auto, asked) = (build(Builder::Auto), build(Builder::Buildkit));
    assert_eq!((auto.status, auto.instructions_cached), (Status::Ok, Some(0)), "{}", auto.error);
    if asked.builder.is_some() {
        assert_eq!((asked.status, asked.builder), (Status::Ok, Some(Builder::Buildkit)), "{}", asked.error);
        return Ok(());
    }
    let failed = (Status::Failed, Some(ErrorClass::WrongBuilder));
    assert_eq!((asked.status, asked.error_class), failed, "{}", asked.error);
    assert!(asked.error.as_str().contains("buildx component is missing"), "{}", asked.error);
    assert_eq!(auto.builder, Some(Builder::Classic));
    Ok(())
}
