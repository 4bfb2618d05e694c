//! Two made-up runs, one held against the other: what is a regression, what is none, and what cannot be compared.

use std::collections::BTreeSet;
use std::path::PathBuf;

use assert_cmd::Command;
use dindbench::analysis::{self, Changes, Deviation, Subject, Undecidable, Verdict, changes, conditions};
use dindbench::case::{ErrorClass, Status};
use dindbench::report::change::{Side, TwoRuns};
use predicates::prelude::*;
use predicates::str::{contains, is_empty};

use crate::directory::{Made, made};
use crate::document::documented;

const THRESHOLD: f64 = 0.05;

fn between(base: &Made, new: &Made) -> Changes {
    changes(&base.analysis(), &new.analysis(), THRESHOLD).unwrap()
}

/// The run with the times of one topology multiplied.
fn slowed(seed: u32, topology: usize, factor: f64) -> Made {
    let mut run = made(seed);
    run.factors[topology] = factor;
    run
}

/// Table, Markdown and JSON of two runs.
fn rendered(base: &Made, new: &Made) -> [String; 3] {
    let (of_base, of_new) = (base.analysis(), new.analysis());
    let changes = &changes(&of_base, &of_new, THRESHOLD).unwrap();
    let conditions = &conditions((&base.record, &of_base), (&new.record, &of_new));
    let side = |run, analysis| Side { run, analysis };
    let two = TwoRuns { base: side(&base.record, &of_base), new: side(&new.record, &of_new), changes, conditions };
    [two.terminal(None), two.markdown(), two.json()]
}

/// Both runs as directories, and the command that compares them.
fn command(base: &Made, new: &Made) -> (tempfile::TempDir, Command) {
    let place = tempfile::tempdir().unwrap();
    let write = |name: &str, run: &Made| -> PathBuf {
        let dir = place.path().join(name);
        run.write(&dir);
        dir
    };
    let (base, new) = (write("base", base), write("new", new));
    let mut command = Command::new(env!("CARGO_BIN_EXE_dindbench"));
    command.arg("compare").args([base, new]);
    (place, command)
}

#[test]
fn the_same_twice_is_no_regression() {
    for seed in 0..60 {
        let found = between(&made(seed), &made(1000 + seed));
        assert_eq!((found.compared, found.undecided(), found.regressions().count()), (36, 0, 0), "seed {seed}");
        let wrong =
            found.list.iter().filter(|one| one.change.is_some_and(|change| !(0.9..1.1).contains(&change.point)));
        assert_eq!(wrong.count(), 0, "seed {seed}");
    }
}

#[test]
fn a_run_against_itself_changed_by_nothing() {
    let found = between(&made(1), &made(1));
    for change in &found.list {
        assert!((change.change.unwrap().point - 1.0).abs() < 1e-9);
        assert!(matches!(change.verdict, Some(Verdict::Equivalent | Verdict::Indistinguishable)), "{change:?}");
    }
    let [table, ..] = rendered(&made(1), &made(1));
    assert!(table.contains("No regression: in none of 36 cases"));
    assert!(table.contains("BASE and NEW are the same run."));
}

#[test]
fn a_topology_that_became_slower_is_a_regression_in_each_of_its_cases() {
    for seed in 0..10 {
        let found = between(&made(seed), &slowed(1000 + seed, 1, 1.2));
        let regressions: Vec<_> = found.regressions().collect();
        assert_eq!(regressions.len(), 18, "seed {seed}: three edits of the job and five steps");
        for change in regressions {
            assert_eq!((change.topology, change.verdict), (1, Some(Verdict::Slower)));
            assert!((change.change.unwrap().point - 1.2).abs() < 0.05, "{change:?}");
            assert!(change.change.unwrap().interval.unwrap().low > 1.05);
        }
    }
}

#[test]
fn a_topology_that_became_faster_is_none() {
    let found = between(&made(1), &slowed(2, 1, 0.8));
    let faster = found.list.iter().filter(|change| change.verdict == Some(Verdict::Faster));
    assert!(faster.count() >= 18);
    assert_eq!(found.regressions().count(), 0);
}

#[test]
fn a_slower_machine_slows_every_topology_and_is_no_regression() {
    let mut new = made(2);
    new.factors = vec![1.2; 3];
    assert_eq!(between(&made(1), &new).regressions().count(), 0);
    let [table, ..] = rendered(&made(1), &new);
    let job = table.lines().find(|line| line.starts_with("| job") && line.contains("socket")).unwrap();
    let times: Vec<f64> = job.split('|').filter_map(|cell| cell.trim().strip_suffix(" s")?.parse().ok()).collect();
    assert!(matches!(times[..], [base, new] if (1.1..1.3).contains(&(new / base))), "medians tell: {job}");
}

/// All of it lies above 1, and not all of it above the threshold: it is slower, and no regression.
#[test]
fn a_change_within_the_threshold_is_slower_and_no_regression() {
    let (base, mut new) = (made(1), slowed(2, 1, 1.04));
    (new.blocks, new.record.blocks) = (30, 30);
    let (base, new) = (Made { blocks: 30, ..base }.analysis(), new.analysis());
    let of = |threshold| {
        let found = changes(&base, &new, threshold).unwrap();
        let job = |change: &&analysis::Change| change.topology == 1 && change.case.subject == Subject::Job;
        let jobs: Vec<_> = found.list.iter().filter(job).map(|change| (change.verdict, change.regression)).collect();
        jobs
    };
    assert_eq!(of(0.05), [(Some(Verdict::Slower), false); 3]);
    assert_eq!(of(0.02), [(Some(Verdict::Slower), true); 3]);
}

/// Its second job in every block, so that the third is none after a source edit.
#[test]
fn a_topology_that_failed_is_told_and_not_passed_over() {
    let (base, new) = (made(1), made(2));
    let mut samples = new.samples();
    for sample in samples.iter_mut().filter(|sample| sample.topology.as_str() == "dind" && sample.job == 2) {
        (sample.status, sample.error_class) = (Status::Failed, Some(ErrorClass::EngineDied));
    }
    let analysis = analysis::analyse(&new.record, samples.into_iter().map(Ok), std::iter::empty(), None).unwrap();
    let found = changes(&base.analysis(), &analysis, THRESHOLD).unwrap();
    assert_eq!((found.compared, found.undecided(), found.list.len()), (24, 12, 36));
}

/// Six cases are whole jobs, for which six blocks are enough, and 30 are steps, for which they are not.
#[test]
fn whole_jobs_share_their_error_among_themselves() {
    let found = changes(
        &Made { blocks: 6, ..made(1) }.analysis(),
        &Made { blocks: 6, ..slowed(2, 1, 1.2) }.analysis(),
        THRESHOLD,
    )
    .unwrap();
    assert_eq!((found.compared, found.undecided()), (36, 30));
    assert!(found.regressions().all(|change| change.case.subject == Subject::Job) && found.regressions().count() == 3);
    let coverages = found.list.iter().filter_map(|change| change.change?.interval).map(|interval| interval.coverage);
    assert!(coverages.into_iter().all(|coverage| coverage >= 1.0 - 0.05 / 12.0));
}

#[test]
fn what_could_find_nothing_is_refused() {
    let few = |seed| Made { blocks: 5, ..made(seed) }.analysis();
    let expected = Undecidable::TooFewBlocks { compared: 36, base: 5, new: 5, needed: 6 };
    assert_eq!(changes(&few(1), &few(2), THRESHOLD), Err(expected));
    let alone = |seed| {
        let mut run = made(seed);
        run.record.arms.truncate(1);
        run.analysis()
    };
    assert_eq!(changes(&alone(1), &alone(2), THRESHOLD), Err(Undecidable::NothingShared));
}

fn deviations(of: fn(&mut Made)) -> (Vec<Deviation>, Vec<Deviation>) {
    let (base, mut new) = (made(1), made(1));
    of(&mut new);
    let analysis = |run: &Made| run.analysis();
    let conditions = conditions((&base.record, &analysis(&base)), (&new.record, &analysis(&new)));
    (analysis::scenarios(&base.record, &new.record), conditions)
}

fn keys(deviations: &[Deviation]) -> Vec<&str> {
    deviations.iter().map(|one| one.key.as_str()).collect()
}

#[test]
fn another_environment_is_named_by_its_keys() {
    let (scenarios, conditions) = deviations(|new| {
        let environment = &mut new.record.environment;
        environment.host.kernel = "6.13.1".to_owned();
        environment.host.cpu_model = "other".to_owned();
        environment.docker_command = None;
        let engine = environment.engines.get_mut("outer").unwrap();
        (engine.version, engine.storage_driver) = ("29.0".to_owned(), "vfs".to_owned());
        engine.info_json = "{\"SystemTime\":\"later\"}".to_owned();
        (new.record.host, new.record.version) = ("builder-4".to_owned(), "0.2.0".to_owned());
    });
    assert_eq!(keys(&scenarios), [""; 0]);
    let expected = [
        "environment.engines.outer.storage_driver",
        "environment.engines.outer.version",
        "environment.host.cpu_model",
        "environment.host.kernel",
        "host",
        "version",
        "environment.docker_command",
    ];
    assert_eq!(keys(&conditions), expected, "what one of them has not got comes last");
    assert_eq!((conditions[6].base.is_some(), &conditions[6].new), (true, &None));
}

#[test]
fn what_really_ran_is_compared_too() {
    let (base, mut new) = (made(1).analysis(), made(2).analysis());
    new.arms[2].storage_drivers = vec!["vfs".to_owned()];
    let found = conditions((&made(1).record, &base), (&made(1).record, &new));
    assert_eq!(keys(&found), ["storage_driver of dind"]);
}

#[test]
fn blocks_seed_comments_and_prose_are_no_other_scenario() {
    let (scenarios, conditions) = deviations(|new| {
        let text = new.record.scenario_text.replace("blocks = 7", "blocks=30 # more");
        new.record.scenario_text = text.replace("question = \"What", "question = \"Again: what");
        (new.record.seed, new.record.blocks) = (7, 30);
    });
    assert_eq!((keys(&scenarios), keys(&conditions)), (vec![], vec!["question"]));
}

#[test]
fn another_scenario_is_refused_by_its_keys() {
    for (change, expected) in [
        (
            (|new| new.record.scenario_text = new.record.scenario_text.replace("fixture:ten", "fixture:many"))
                as fn(&mut Made),
            &["job.steps[1].context"][..],
        ),
        (|new| new.record.builder = dindbench::case::Builder::Buildkit, &["builder"]),
        (|new| new.record.driver = dindbench::case::Driver::Api, &["driver"]),
        (|new| new.record.environment.host_kind = "local".to_owned(), &["kind of host"]),
        (|new| drop(new.record.arms.pop()), &["arms[2].kind", "arms[2].name", "arms[2].parameters"]),
        (|new| new.record.scenario_text = "no scenario".to_owned(), &["scenario_text", "job.builder"]),
    ] {
        let mut new = made(1);
        change(&mut new);
        let scenarios = analysis::scenarios(&made(1).record, &new.record);
        let keys = keys(&scenarios);
        assert!(expected.iter().all(|key| keys.contains(key)), "{keys:?}");
    }
}

#[test]
fn an_engine_in_use_is_one_kind_of_host_however_it_is_reached() {
    let [base, new] = ["local", "unix:///run/docker.sock"].map(|kind| {
        let mut run = made(1);
        run.record.environment.host_kind = kind.to_owned();
        run.record
    });
    assert_eq!(keys(&analysis::scenarios(&base, &new)), [""; 0]);
}

#[test]
fn the_exit_code_tells_a_regression_from_a_refusal() {
    let (_place, mut same) = command(&made(1), &made(2));
    same.assert().code(0).stdout(contains("No regression")).stderr(is_empty());

    let (_place, mut slower) = command(&made(1), &slowed(2, 1, 1.2));
    slower.assert().code(5).stdout(contains("18 regressions").and(contains("slower: regression"))).stderr(is_empty());
    slower.args(["--threshold", "50%"]).assert().code(0);

    let mut other = made(2);
    other.record.scenario_text = other.record.scenario_text.replace("fixture:ten", "fixture:many");
    let told = contains("did not measure the same thing")
        .and(contains("job.steps[1].context: base fixture:ten, new fixture:many"));
    let (_place, mut refused) = command(&made(1), &other);
    refused.assert().code(2).stdout(is_empty()).stderr(told);

    let (_place, mut few) = command(&Made { blocks: 2, ..made(1) }, &Made { blocks: 2, ..made(2) });
    few.assert().code(2).stdout(is_empty()).stderr(contains("too few").and(contains("at least 6 blocks")));

    let mut missing = Command::new(env!("CARGO_BIN_EXE_dindbench"));
    missing.args(["compare", "nowhere", "nowhere"]).assert().code(1).stderr(contains("nowhere/run.toml"));
}

#[test]
fn one_object_is_printed_for_a_program() {
    let (_place, mut command) = command(&made(1), &slowed(2, 1, 1.2));
    let output = command.args(["--format", "json"]).assert().code(5).get_output().stdout.clone();
    let object: serde_json::Value = serde_json::from_slice(&output).unwrap();
    assert_eq!((&object["schema"], &object["compared"], &object["regressions"]), (&1.into(), &36.into(), &18.into()));
    let first = &object["changes"][0];
    for (object, heading) in [(&object, "## `compare --format json`"), (first, "### `changes`")] {
        let keys: BTreeSet<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, documented(heading).into_iter().collect());
    }
    assert_eq!((&first["topology"], &first["op"], &first["step"]), (&"dind-kept".into(), &"job".into(), &().into()));
    assert_eq!((&first["verdict"], &first["regression"]), (&"slower".into(), &true.into()));
    assert!(first["change"]["low"].as_f64().unwrap() > 1.05);
}

#[test]
fn the_forms_of_a_comparison() {
    let mut new = slowed(2, 1, 1.2);
    new.record.environment.host.kernel = "6.13.1".to_owned();
    let [table, markdown, _] = rendered(&made(1), &new);
    assert_golden!("compare-table", table);
    assert_golden!("compare-markdown", markdown);
}

/// Two runs in which every name is the given text.
fn named(text: &str) -> [String; 3] {
    let (mut base, mut new) = (made(1), slowed(2, 1, 1.2));
    for run in [&mut base, &mut new] {
        for (index, arm) in run.record.arms.iter_mut().enumerate() {
            arm.name = format!("{text}{index}");
        }
        run.record.baseline = run.record.arms[0].name.clone();
        (run.record.scenario, run.record.host, run.record.run_id) = (text.into(), text.into(), text.into());
    }
    new.record.environment.host.kernel = text.to_owned();
    new.record.environment.engines.insert(text.to_owned(), new.record.environment.engines["outer"].clone());
    rendered(&base, &new)
}

#[test]
fn names_cannot_break_out() {
    let plain = named("harmless");
    for hostile in [
        "<script>alert(1)</script>",
        "</details><img src=x onerror=alert(1)>",
        "a|b`c`|\n| --- |",
        "\"quoted\", and 'more', commas",
        "[link](https://example.org) @somebody ![x](y)",
        "\u{1b}[31mred\u{1b}[0m\u{7}\u{9b}31m\r\nnext",
        "\u{202e}abc\u{2066}",
    ] {
        let forms = named(hostile);
        for (form, plain) in forms.iter().zip(&plain) {
            assert_eq!(form.lines().count(), plain.lines().count(), "{hostile:?}");
            let drives = |character: char| character != '\n' && dindbench::record::Text::needs_escape(character);
            assert!(!form.contains(drives), "{hostile:?}");
        }
        let markdown = forms[1].replace("&#64;<!-- -->", "");
        for mark in ["|", "<", "`", "[", "@", "://"] {
            assert_eq!(markdown.matches(mark).count(), plain[1].matches(mark).count(), "{hostile:?}: {mark}");
        }
        let object: serde_json::Value = serde_json::from_str(&forms[2]).unwrap();
        assert_eq!(object["changes"][0]["topology"], format!("{hostile}1"));
    }
}
