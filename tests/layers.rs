//! The layers of the source: they hold, and the script that says so can say otherwise.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

fn layers(src: Option<&Path>) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/layers");
    Command::new(script).args(src).output().expect("the script is executable")
}

/// A source tree of files with one text each.
fn tree(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// What the script says of a tree, without the tree's own path.
fn said(files: &[(&str, &str)]) -> (Option<i32>, Vec<String>) {
    let folder = tree(files);
    let output = layers(Some(folder.path()));
    let prefix = format!("{}/", folder.path().display());
    let lines = String::from_utf8(output.stdout).unwrap();
    (output.status.code(), lines.lines().map(|line| line.replace(&prefix, "")).collect())
}

#[test]
fn every_module_imports_from_lower_layers_alone() {
    let output = layers(None);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!((output.status.code(), said.as_ref()), (Some(0), ""), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn each_kind_of_violation_is_told_at_its_line() {
    for (path, text, told) in [
        (
            "case.rs",
            "//! x\nuse crate::scenario::Scenario;",
            "case.rs:2: case imports scenario, which is not in a lower layer",
        ),
        ("units.rs", "use crate::case::Op;", "units.rs:1: units imports case, which is not in a lower layer"),
        (
            "image/pack.rs",
            "fn f() { crate::cmd::run() }",
            "image/pack.rs:1: image imports cmd, which is not in a lower layer",
        ),
        ("plan.rs", "use super::runner::Runner;", "plan.rs:1: plan imports runner, which is not in a lower layer"),
        (
            "report/plot/axis.rs",
            "use super::super::super::cli::Cli;",
            "report/plot/axis.rs:1: report imports cli, which is not in a lower layer",
        ),
        (
            "report/mod.rs",
            "use crate::engine::Engine;",
            "report/mod.rs:1: report never touches Docker, and imports engine",
        ),
        ("agent.rs", "use crate::util;", "agent.rs:1: agent imports crate::util, which is in no layer"),
        ("agent.rs", "use crate::*;", "agent.rs:1: agent imports crate::*, which is in no layer"),
        ("util.rs", "", "util.rs:1: the module util is in no layer"),
        (
            "topology/mod.rs",
            "\nuse bollard::Docker;",
            "topology/mod.rs:2: topology names bollard, which only engine may",
        ),
        ("main.rs", "use bollard::Docker;", "main.rs:1: main names bollard, which only engine may"),
        ("case.rs", "#[cfg(test)]\nuse crate::cli;", "case.rs:2: case imports cli, which is not in a lower layer"),
    ] {
        assert_eq!(said(&[(path, &format!("{text}\n"))]), (Some(1), vec![told.to_owned()]), "{text}");
    }
}

#[test]
fn a_list_over_several_lines_is_read_name_by_name() {
    let list = "use crate::{\n    case::{Edit, Op},\n    cli, journal::Journal,\n    scenario::{self, Step}, runner::Runner,\n};\n\
        use crate::topology::Arm;\n";
    let told = [
        "engine/mod.rs:3: engine imports cli, which is not in a lower layer",
        "engine/mod.rs:4: engine imports runner, which is not in a lower layer",
        "engine/mod.rs:6: engine imports topology, which is not in a lower layer",
    ];
    assert_eq!(said(&[("engine/mod.rs", list)]), (Some(1), told.map(str::to_owned).to_vec()));
}

#[test]
fn what_is_allowed_is_not_told() {
    let tests = "use crate::case::Op;\n#[cfg(test)]\nmod tests {\n    use crate::cli::Cli;\n}\n";
    let files = [
        ("lib.rs", "pub mod case;\npub use crate::case::Op;\n"),
        ("case.rs", "/// See crate::cli and bollard.\npub enum Op {} // not crate::cmd\n"),
        ("plan.rs", tests),
        ("engine/image.rs", "use bollard::Docker;\nuse super::Engine;\nuse crate::units::hex;\n"),
        ("report/plot/axis.rs", "use super::super::shown;\npub(in crate::report) fn f() {}\n"),
    ];
    assert_eq!(said(&files), (Some(0), Vec::new()));
}

#[test]
fn a_folder_without_sources_is_no_success() {
    assert_eq!(said(&[("README.md", "")]), (Some(2), Vec::new()));
}
