//! The files for programs beside a report.

use std::collections::BTreeMap;
use std::path::Path;

use assert_cmd::Command;
use dindbench::analysis::{Analysis, analyse};
use dindbench::case::{ErrorClass, Status};
use dindbench::record::{Sample, Text};
use dindbench::report;
use serde_json::Value;

use crate::directory::{Made, made};
use crate::document::documented;

const NAMES: [&str; 4] = ["summary.json", "summary.csv", "bench.txt", "junit.xml"];

/// The four files of a report.
fn files(run: &Made, analysis: &Analysis) -> [String; 4] {
    let dir = tempfile::tempdir().unwrap();
    let written = report::write(dir.path(), &run.record, analysis, &[], &[]).unwrap();
    let names: Vec<_> = written.data.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, NAMES);
    NAMES.map(|name| read(dir.path(), name))
}

fn read(dir: &Path, name: &str) -> String {
    std::fs::read_to_string(dir.join(name)).unwrap()
}

/// The analysis of a run whose rows were changed.
fn changed(run: &Made, change: impl Fn(&mut Sample)) -> Analysis {
    let mut samples = run.samples();
    samples.iter_mut().for_each(change);
    analyse(&run.record, samples.into_iter().map(Ok), std::iter::empty(), None).unwrap()
}

fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn sorted(mut names: Vec<&'static str>) -> Vec<&'static str> {
    names.sort_unstable();
    names
}

#[test]
fn the_command_writes_them_beside_the_page_and_always_the_same() {
    let place = tempfile::tempdir().unwrap();
    let (run, again) = (place.path().join("run"), place.path().join("again"));
    made(1).write(&run);
    for arguments in [&["report", "run"][..], &["report", "run", "--out", "again"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dindbench"));
        command.current_dir(&place).args(arguments).assert().success();
    }
    for name in NAMES {
        assert!(run.join("report.html").exists());
        assert_eq!(read(&run, name), read(&again, name), "{name}");
    }
}

#[test]
fn every_column_and_key_is_documented() {
    let mut run = made(1);
    // The same topology twice, which the run can be checked by.
    for arm in &mut run.record.arms[..2] {
        (arm.kind, arm.parameters) = ("socket".to_owned(), String::new());
    }
    let failed = |sample: &mut Sample| {
        if sample.block == 2 && sample.topology.as_str() == "dind" && sample.step.as_str() == "app" {
            (sample.status, sample.error_class) = (Status::Invalid, Some(ErrorClass::Expectation));
            sample.instructions_cached = Some(3);
        }
    };
    let [json, csv, ..] = files(&run, &changed(&run, failed));
    let object: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(keys(&object), sorted(documented("## `summary.json`")));
    for list in ["cells", "comparisons", "self_checks", "expectations"] {
        assert_eq!(keys(&object[list][0]), sorted(documented(&format!("### `{list}`"))), "{list}");
    }
    let columns: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    assert_eq!(columns, documented("## `summary.csv`"));
}

#[test]
fn json_and_csv_hold_what_was_analysed() {
    let run = made(1);
    let analysis = run.analysis();
    let [json, csv, ..] = files(&run, &analysis);
    let object: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(object["cells"].as_array().unwrap().len(), analysis.cells.len());
    assert_eq!(object["comparisons"].as_array().unwrap().len(), analysis.comparisons.len());
    let rows: Vec<BTreeMap<String, String>> =
        csv::Reader::from_reader(csv.as_bytes()).deserialize().collect::<Result<_, _>>().unwrap();
    assert_eq!(rows.len(), analysis.cells.len());
    for (row, cell) in rows.iter().zip(object["cells"].as_array().unwrap()) {
        for (column, key) in [("median", "point"), ("median_low", "low"), ("median_high", "high")] {
            assert_eq!(row[column].parse().ok(), cell["median"][key].as_f64(), "{row:?}");
        }
        assert_eq!(
            (row["topology"].as_str(), row["op"].as_str()),
            (cell["topology"].as_str().unwrap(), cell["op"].as_str().unwrap())
        );
        assert_eq!(row["ratio"].is_empty(), row["topology"] == "socket" || row["metric"] != "elapsed_ns");
    }
    let ratio = analysis.comparisons[0].ratio.unwrap();
    let first = rows.iter().find(|row| row["topology"] == "dind-kept" && row["metric"] == "elapsed_ns").unwrap();
    assert_eq!(
        (first["ratio"].parse(), first["ratio_low"].parse()),
        (Ok(ratio.point), Ok(ratio.interval.unwrap().low))
    );
}

/// The expressions are those of the trackers, as far as they are ours to know: a name without blanks, then whole
/// numbers.
#[test]
fn lines_are_those_of_rusts_own_benchmarks() {
    let run = made(1);
    let [_, _, lines, _] = files(&run, &run.analysis());
    let form = |line: &str| {
        let rest = line.strip_prefix("test ")?.strip_suffix(")")?;
        let (name, rest) = rest.split_once(" ... bench: ")?;
        let (time, spread) = rest.split_once(" ns/iter (+/- ")?;
        let blank = name.contains(|character: char| character.is_whitespace());
        (!blank).then(|| Some((name.to_owned(), time.parse::<u64>().ok()?, spread.parse::<u64>().ok()?)))?
    };
    let parsed: Vec<_> = lines.lines().map(|line| form(line).unwrap_or_else(|| panic!("{line}"))).collect();
    assert_eq!(parsed.len(), 54, "three topologies, three edits, the job and five steps");
    assert!(parsed.iter().all(|(_, time, spread)| spread < time));
    let names: Vec<&str> = parsed.iter().map(|(name, ..)| name.as_str()).collect();
    for name in [
        "quick/dind/job/none",
        "quick/socket/pull:0/first",
        "quick/dind-kept/build:app/source",
        "quick/socket/start/none",
    ] {
        assert!(names.contains(&name), "{name}");
    }
}

#[test]
fn a_case_without_a_time_has_no_line_and_no_number() {
    let run = made(1);
    let analysis = changed(&run, |sample| {
        if sample.topology.as_str() == "dind" {
            (sample.status, sample.error_class) = (Status::Failed, Some(ErrorClass::EngineDied));
        }
    });
    let [json, csv, lines, _] = files(&run, &analysis);
    assert!(lines.contains("quick/dind-kept/job/none") && !lines.contains("quick/dind/"));
    let object: Value = serde_json::from_str(&json).unwrap();
    let cell = |cell: &&Value| cell["topology"] == "dind" && cell["op"] == "job";
    let failed = object["cells"].as_array().unwrap().iter().find(cell).unwrap();
    assert_eq!((&failed["median"], &failed["min"], &failed["excluded"]), (&Value::Null, &Value::Null, &10.into()));
    assert!(csv.lines().any(|line| line.contains(",dind,job,,first,elapsed_ns,0,,,,,,,,,,10,")));
}

#[test]
fn expectations_are_test_cases() {
    let mut run = made(1);
    run.record.arms.retain(|arm| arm.name != "dind-kept");
    run.factors.pop();
    let analysis =
        changed(&run, |sample| match (sample.topology.as_str(), sample.block, sample.job, sample.step.as_str()) {
            ("socket", 0 | 4, 3, "app") => {
                (sample.status, sample.error_class) = (Status::Invalid, Some(ErrorClass::Expectation));
                sample.instructions_cached = Some(if sample.block == 0 { 0 } else { 7 });
            }
            ("dind", 5, 2, "app") => {
                (sample.status, sample.error_class) = (Status::Failed, Some(ErrorClass::EngineDied));
                (sample.instructions_cached, sample.instructions_total) = (None, None);
            }
            _ => {}
        });
    let [json, _, _, junit] = files(&run, &analysis);
    assert_golden!("junit", junit);
    let expectations = &serde_json::from_str::<Value>(&json).unwrap()["expectations"];
    let broken = serde_json::json!([
        { "block": 0, "instructions_cached": 0, "instructions_total": 10 },
        { "block": 4, "instructions_cached": 7, "instructions_total": 10 },
    ]);
    assert_eq!((&expectations[1]["broken"], &expectations[1]["held"]), (&broken, &9.into()));
    assert_eq!((&expectations[2]["ran"], &expectations[2]["held"]), (&false.into(), &0.into()));
    assert_eq!(expectations[4]["missing"], serde_json::json!([5]));
}

#[test]
fn a_run_that_was_cut_short_is_no_success() {
    let run = made(1);
    let junit = |of: fn(&Sample) -> bool| {
        let samples: Vec<Sample> = run.samples().into_iter().filter(of).collect();
        let [.., junit] =
            files(&run, &analyse(&run.record, samples.into_iter().map(Ok), std::iter::empty(), None).unwrap());
        junit
    };
    let in_a_block = junit(|sample| sample.block < 3 || (sample.block == 3 && sample.topology.as_str() == "socket"));
    assert!(in_a_block.contains("errors=\"4\"") && in_a_block.contains("no build that counts: not run in block 3\""));
    let between_blocks = junit(|sample| sample.block < 3);
    assert!(between_blocks.contains("errors=\"0\""), "as a time limit leaves it: {between_blocks}");
    assert_eq!(junit(|_| false).matches("no block was run").count(), 6);
}

/// A run in which every name is the given text; its expectations name the topologies too.
fn named(text: &str) -> [String; 4] {
    let mut run = made(1);
    run.record.scenario_text.clear();
    for (index, arm) in run.record.arms.iter_mut().enumerate() {
        arm.name = format!("{text}{index}");
        let name = toml::Value::String(arm.name.clone());
        let expectation = format!("[[expect]]\ntopology = {name}\njob = 2\nstep = \"app\"\ninstructions_cached = 3\n");
        run.record.scenario_text.push_str(&expectation);
    }
    run.record.baseline = run.record.arms[0].name.clone();
    run.record.warnings = vec![text.to_owned()];
    (run.record.scenario, run.record.run_id) = (text.into(), text.into());
    let step = |sample: &mut Sample| {
        if sample.step.as_str() == "2" {
            sample.step = text.into();
        }
        if sample.block == 3 && sample.job == 1 && sample.step.as_str() == "0" {
            (sample.status, sample.error_class, sample.error) =
                (Status::Failed, Some(ErrorClass::Registry), text.into());
        }
    };
    files(&run, &changed(&run, step))
}

#[test]
fn names_cannot_break_out() {
    let plain = named("harmless");
    for hostile in [
        "<script>alert(1)</script>",
        "\"/><failure message='x'>]]>",
        "&lt; & ' \" --> <![CDATA[",
        "a,b;\"c\"",
        "x ... bench: 1 ns/iter (+/- 0)",
        "next\r\ntest y ... bench: 1 ns/iter (+/- 0)",
        "\u{1b}[31mred\u{1b}[0m\u{7}\u{9b}31m",
        "\u{202e}abc\u{2066}\u{fffe}",
    ] {
        let forms = named(hostile);
        for (form, plain) in forms.iter().zip(&plain) {
            assert_eq!(form.lines().count(), plain.lines().count(), "{hostile:?}");
            let drives = |character: char| character != '\n' && Text::needs_escape(character);
            assert!(!form.contains(drives), "{hostile:?}");
        }
        let [json, csv, lines, junit] = &forms;
        let object: Value = serde_json::from_str(json).unwrap();
        assert_eq!(object["topologies"][1]["name"], format!("{hostile}1"));
        let rows = csv::Reader::from_reader(csv.as_bytes()).into_records().collect::<Result<Vec<_>, _>>().unwrap();
        assert_eq!(rows.len(), plain[1].lines().count() - 1);
        assert_eq!(rows[0][3], Text::from(format!("{hostile}0")).escaped());
        assert!(lines.lines().all(|line| line.split(' ').count() == 8), "{lines}");
        for mark in ["<", ">", "\""] {
            assert_eq!(junit.matches(mark).count(), plain[3].matches(mark).count(), "{hostile:?}: {mark}");
        }
        assert!(!junit.contains('\u{fffe}'));
    }
}
