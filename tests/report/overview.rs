//! Several runs as one page.

use std::ffi::OsString;
use std::path::Path;

use assert_cmd::Command;
use dindbench::analysis::Analysis;
use dindbench::report::{self, Member};
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;

use crate::directory::{Made, made};
use crate::drawn::coordinates;
use crate::hostile::{TAGS, TRICKS, structure};

/// HTML and Markdown of the page of these runs, each in a folder of its number.
fn pages(runs: &[Made]) -> [String; 2] {
    pages_in(runs, |index| format!("run-{index}").into())
}

fn pages_in(runs: &[Made], folder: impl Fn(usize) -> OsString) -> [String; 2] {
    let analyses: Vec<Analysis> = runs.iter().map(Made::analysis).collect();
    let folders: Vec<OsString> = (0..runs.len()).map(folder).collect();
    let members: Vec<Member> = runs
        .iter()
        .zip(&analyses)
        .zip(&folders)
        .map(|((made, analysis), folder)| Member { run: &made.record, analysis, folder })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let page = report::write_overview(dir.path(), &members).unwrap();
    [page.as_path(), &dir.path().join("report.md")].map(|file| std::fs::read_to_string(file).unwrap())
}

/// A run on this host, whose second topology takes this much longer.
fn on(host: &str, seed: u32, factor: f64) -> Made {
    let mut run = made(seed);
    (run.record.host, run.record.seed) = (host.to_owned(), u64::from(seed));
    run.factors[1] = factor;
    run
}

fn three_hosts() -> Vec<Made> {
    vec![on("a", 1, 1.1), on("b", 2, 1.2), on("b", 3, 1.21), on("c", 4, 1.3)]
}

/// Of a table, the cells of the lines that hold all of these.
fn cells<'a>(markdown: &'a str, words: &[&str]) -> Vec<Vec<&'a str>> {
    let lines = markdown.lines().filter(|line| line.starts_with('|') && words.iter().all(|word| line.contains(word)));
    lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

#[test]
fn a_page_of_four_runs_on_three_hosts() {
    let [html, markdown] = pages(&three_hosts());
    assert_golden!("overview", markdown);
    for text in [&html, &markdown] {
        assert!(text.contains("4 runs") && text.contains("3 hosts") && text.contains("40 blocks"));
        assert!(text.contains("the same conditions (host): a difference"), "{text}");
    }
    // Three pairs of topologies after three edits.
    assert_eq!(cells(&markdown, &["all 3 hosts, I²"]).len(), 9);
    let pooled = cells(&markdown, &["all 3 hosts, I²"])[0].clone();
    assert_eq!((pooled[2], pooled[3]), ("4", "40"));
    assert_eq!(html.matches("<svg").count(), 1);
    for (value, limit) in coordinates(&html[html.find("<svg").unwrap()..html.find("</svg>").unwrap()]) {
        assert!((0.0..=limit).contains(&value), "{value} of {limit}");
    }
    for index in 0..4 {
        assert!(html.contains(&format!("<a href=\"run-{index}/report.html\">run-{index}</a>")));
        assert!(markdown.contains(&format!("- [run-{index}](run-{index}/report.md)")));
    }
}

#[test]
fn the_same_runs_give_the_same_page() {
    assert_eq!(pages(&three_hosts()), pages(&three_hosts()));
}

#[test]
fn two_hosts_are_listed_and_have_no_common_ratio() {
    let [html, markdown] = pages(&[on("a", 1, 1.1), on("b", 2, 1.3)]);
    for text in [html, markdown] {
        assert!(!text.contains("all 2 hosts") && text.contains("2 hosts"));
    }
}

/// What differs from run to run is in the interval to quote.
#[test]
fn both_intervals_of_a_host_are_shown_and_one_is_quoted() {
    let quoted = |runs: &[Made]| {
        let [_, markdown] = pages(runs);
        let line = cells(&markdown, &["quick: dind-kept / socket, edit first"]).remove(0);
        [line[4], line[5]].map(|cell| cell.ends_with(", to quote"))
    };
    assert_eq!(quoted(&[on("a", 1, 1.2), on("a", 2, 1.2), on("a", 3, 1.2)]), [true, false]);
    assert_eq!(quoted(&[on("a", 1, 1.0), on("a", 2, 1.2), on("a", 3, 1.4)]), [false, true]);
}

#[test]
fn what_differs_is_named_by_its_keys() {
    let mut runs = vec![on("a", 1, 1.1), on("a", 2, 1.1), on("a", 3, 1.1)];
    let [html, _] = pages(&runs);
    assert!(!html.contains("What differs") && !html.contains("<aside"), "{html}");
    runs[1].record.environment.host.kernel = "6.13.1".to_owned();
    let [html, markdown] = pages(&runs);
    for text in [html, markdown.replace("&#95;", "_")] {
        assert!(text.contains("the same conditions (environment.host.kernel): a difference between them"), "{text}");
    }
    assert_eq!(cells(&markdown, &["environment.host.kernel"])[0][1..], ["6.12.48", "run-0, run-2"]);
    assert_eq!(cells(&markdown, &["6.13.1", "run-1"]).last().unwrap()[..], ["", "6.13.1", "run-1"]);
}

#[test]
fn runs_that_measured_something_else_are_not_put_together() {
    let mut runs = vec![on("a", 1, 1.1), on("a", 2, 1.1)];
    runs[1].record.scenario_text = runs[1].record.scenario_text.replace("fixture:ten", "fixture:many");
    runs[1].record.scenario_digest = "sha256:another".to_owned();
    let [html, markdown] = pages(&runs);
    assert!(
        html.contains(
            "run-0 and run-1 are both of scenario quick and differ in what was measured (job.steps[1].context)"
        )
    );
    for text in [html, markdown] {
        assert!(text.contains("No two of them measured the same ratio.") && !text.contains("<svg"));
    }
}

#[test]
fn self_checks_of_all_runs_are_one_tally() {
    let twice = |seed: u32| {
        let mut run = made(seed);
        run.record.arms[1].kind = run.record.arms[0].kind.clone();
        run.record.arms[1].parameters = run.record.arms[0].parameters.clone();
        run
    };
    let [html, markdown] = pages(&[twice(1), twice(2)]);
    for text in [html, markdown] {
        let text = text.replace('\u{a0}', " ");
        assert!(text.contains("Of 30 ratios of steps that are known to be 1 the intervals of"), "{text}");
    }
}

#[test]
fn forty_runs_have_a_page() {
    let runs: Vec<Made> = (0..40).map(|seed| Made { blocks: 6, ..on(&format!("host-{seed}"), seed, 1.2) }).collect();
    let [html, markdown] = pages(&runs);
    assert_eq!(cells(&markdown, &["all 40 hosts"]).len(), 9);
    assert!(html.contains("run-39/report.html") && html.len() < 1_000_000);
}

#[test]
fn names_cannot_break_out_of_the_page() {
    let with = |text: &str| {
        let mut runs = [on("a", 1, 1.1), on("b", 2, 1.2), on("c", 3, 1.3)];
        for (number, run) in runs.iter_mut().enumerate() {
            for (index, arm) in run.record.arms.iter_mut().enumerate() {
                arm.name = format!("{text}{index}");
            }
            run.record.baseline = run.record.arms[0].name.clone();
            (run.record.host, run.record.scenario) = (format!("{text}{number}"), text.to_owned());
            (run.record.question, run.record.started_at) = (format!("Q {text}"), text.to_owned());
            run.record.environment.host.kernel = format!("{text}{number}");
        }
        // A folder's name has neither a zero byte nor a slash.
        pages_in(&runs, |index| format!("{}{index}", text.replace(['\0', '/'], "")).into())
    };
    let [plain_html, plain_markdown] = with("harmless");
    for hostile in TRICKS {
        let [html, markdown] = with(hostile);
        assert_eq!(structure(&html, &TAGS), structure(&plain_html, &TAGS), "{hostile:?}");
        let markdown = markdown.replace("&#64;<!-- -->", "");
        let marks = ["\n", "|", "`", "<", "[", "](", "@", "://"];
        assert_eq!(structure(&markdown, &marks), structure(&plain_markdown, &marks), "{hostile:?}");
        for text in [&html, &markdown] {
            assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{hostile:?}");
        }
    }
}

fn written(dir: &Path, name: &str, run: &Made) -> std::path::PathBuf {
    let place = dir.join(name);
    run.write(&place);
    place
}

#[test]
fn the_command_writes_the_page_where_several_runs_have_a_common_folder() {
    let dir = tempfile::tempdir().unwrap();
    let runs = [written(dir.path(), "one", &on("a", 1, 1.1)), written(dir.path(), "two", &on("a", 2, 1.2))];
    let out = dir.path().join("out");
    let report = || Command::new(env!("CARGO_BIN_EXE_dindbench"));
    let page = out.join("report.html").display().to_string();
    report()
        .arg("report")
        .args(&runs)
        .arg("--out")
        .arg(&out)
        .assert()
        .code(0)
        .stdout(contains("one/report.html\n").and(contains("two/report.html\n")).and(contains(format!("{page}\n"))))
        .stderr(contains("all runs: "));
    let html = std::fs::read_to_string(page).unwrap();
    for (link, _) in html.match_indices("href=\"").map(|(at, open)| html[at + open.len()..].split_once('"').unwrap()) {
        assert!(out.join(link).is_file(), "{link}");
    }
    assert!(out.join("plots/pooled.svg").is_file());
    // Each in its own directory: there is no place for a page of both.
    report().arg("report").args(&runs).assert().code(0);
    assert!(!dir.path().join("report.html").exists());
}
