//! The scenarios that come with dindbench, and the one of its guide.

use std::fs;
use std::path::Path;

use dindbench::case::Lifecycle;
use dindbench::scenario::{BUILTINS, Expected, LoadError, builtin, load, parse};

use crate::written::WHOLE;

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
    let guide = include_str!("../../docs/scenarios.md");
    let text = guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    parse("documented", text, Path::new(".")).unwrap_or_else(|invalid| panic!("{invalid}"));
}
