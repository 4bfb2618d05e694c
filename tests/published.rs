//! What is published says what its samples say: the README's table and figure, reports, and the ledger of claims.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dindbench::analysis::{Analysis, Cell, Comparison, Contrast, Metric, Subject, Summary, Verdict};
use dindbench::case::{Edit, Verdict as FindingVerdict};
use dindbench::claim::{self, Procedure};
use dindbench::record::{ClaimsDir, RunDir, Sample, TrialRow};
use dindbench::report::{self, Found};
use dindbench::units;
use tempfile::TempDir;

/// Two runs of one scenario on one machine, one after the other.
const BEFORE: &str = "results/2026-11-29-cloud-2cpu-selfcheck-1";
const AFTER: &str = "results/2026-11-29-cloud-2cpu-selfcheck-2";

/// The run that the README shows.
const SHOWN: &str = "results/2026-11-25-cloud-2cpu";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn analysed(path: &Path) -> (RunDir, Analysis) {
    let run = RunDir::open(path).unwrap_or_else(|error| panic!("{error}"));
    let analysis = Analysis::of(&run).unwrap_or_else(|error| panic!("{error}"));
    (run, analysis)
}

fn published() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("results")).unwrap().map(|entry| entry.unwrap());
    // Runs that are not published have names of another form.
    let named = entries.filter(|entry| {
        entry.file_name().to_str().is_some_and(|name| name.starts_with("20") && name[4..].starts_with('-'))
    });
    let mut paths: Vec<PathBuf> = named.map(|entry| entry.path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

#[test]
fn the_readme_shows_what_the_published_run_says() {
    let (_, analysis) = analysed(&root().join(SHOWN));
    let readme = read("README.md");
    let (_, block) = readme.split_once("<!-- results:begin -->").expect("its beginning is marked");
    let (block, _) = block.split_once("<!-- results:end -->").expect("its end is marked");
    let table: Vec<&str> = block.lines().filter(|line| line.starts_with('|')).collect();
    let rows = [
        ("nothing was built yet", Edit::First),
        ("nothing changed", Edit::None),
        ("a source file changed", Edit::Source),
    ];
    let expected: Vec<String> = rows.iter().map(|(words, edit)| row(&analysis, words, *edit)).collect();
    assert_eq!(table[2..], expected, "the README's table is not the published run's");
    assert!(block.contains(&format!("({} blocks;", analysis.blocks)), "{block}");
}

/// Median times, and the ratios that are nesting and lifecycle.
fn row(analysis: &Analysis, words: &str, edit: Edit) -> String {
    let of_jobs =
        |cell: &&Cell| cell.metric == Metric::ElapsedNs && cell.case.subject == Subject::Job && cell.case.edit == edit;
    let cells = analysis.cells.iter().filter(of_jobs);
    let medians: Vec<String> = cells
        .map(|cell| match &cell.summary {
            Summary::Median { estimate, .. } => units::nanos(estimate.point),
            other => panic!("{other:?}"),
        })
        .collect();
    let ratio = |contrast: Contrast| {
        let wanted = |one: &&Comparison| one.of_jobs() && one.contrast == contrast && one.case.edit == edit;
        let comparison = analysis.comparisons.iter().find(wanted).unwrap_or_else(|| panic!("no {contrast}"));
        let ratio = comparison.ratio.expect("a ratio");
        let interval = ratio.interval.expect("an interval");
        let verdict = match comparison.verdict {
            Some(verdict @ (Verdict::Equivalent | Verdict::Indistinguishable)) => format!(", {verdict}"),
            _ => String::new(),
        };
        format!("{:.2}× ({:.2}–{:.2}){verdict}", ratio.point, interval.low, interval.high)
    };
    let [nesting, lifecycle] = [Contrast::Nesting, Contrast::Lifecycle].map(ratio);
    format!("| {words} | {} | {nesting} | {lifecycle} |", medians.join(" | "))
}

#[test]
fn the_readmes_figure_is_the_published_runs() {
    assert_eq!(read("docs/figures/elapsed.svg"), read(Path::new(SHOWN).join("plots/elapsed.svg")));
}

#[test]
fn a_published_report_is_the_one_that_its_samples_make() {
    let folder = tempfile::tempdir().unwrap();
    for path in published().iter().filter(|path| !ClaimsDir::is(path)) {
        let (run, analysis) = analysed(path);
        let trials: Vec<TrialRow> = run.trials().unwrap().collect::<Result<_, _>>().unwrap();
        let written = report::write(folder.path(), run.record(), &analysis, &trials, &[]).unwrap();
        for file in [&written.html, &written.markdown].into_iter().chain(&written.plots).chain(&written.data) {
            let there = path.join(file.strip_prefix(folder.path()).unwrap());
            // What the command makes again need not be published.
            if there.exists() {
                assert!(
                    fs::read(&there).unwrap() == fs::read(file).unwrap(),
                    "{} is of other samples",
                    there.display()
                );
            }
        }
        assert!(path.join("report.html").exists(), "{} has no report", path.display());
    }
}

#[test]
fn the_ledger_is_made_from_the_published_findings() {
    let tests = published().into_iter().filter(|path| ClaimsDir::is(path));
    let found: Vec<Found> = tests
        .map(|path| {
            let dir = ClaimsDir::open(&path).unwrap_or_else(|error| panic!("{error}"));
            (path.strip_prefix(root()).unwrap().to_owned(), dir)
        })
        .collect();
    assert!(!found.is_empty(), "no findings are published");
    assert!(report::ledger(Path::new("docs"), &found) == read("docs/claims.md"), "report the published findings again");
    let known = claim::ledger();
    for (_, row) in report::standing(&found) {
        let claim = known.iter().find(|claim| claim.id == row.claim).expect("a claim of the ledger");
        // Of what only the lab has, nothing was tried elsewhere.
        if matches!(claim.procedure, Procedure::Lab(_)) && row.verdict == FindingVerdict::NotTestable {
            continue;
        }
        assert_eq!(claim.digest, row.digest, "{} was found of another file", row.claim);
        let expected = claim.expected(&row.engine_version);
        // That nothing was decided is no verdict to expect.
        let decided = Some(row.verdict).filter(|verdict| *verdict != FindingVerdict::Undecided);
        assert_eq!(expected, decided, "{} on {}", row.claim, row.engine_version);
    }
    for (test, row) in report::standing(&found) {
        let claim = known.iter().find(|claim| claim.id == row.claim).expect("a claim of the ledger");
        if let Procedure::Measured(measured) = &claim.procedure {
            let run = RunDir::open(&root().join(&found[test].0).join("measured").join(&measured.scenario)).unwrap();
            let judgement = claim::judge(&measured.tried(&claim::observe(&run).map_err(|error| error.to_string())));
            assert_eq!(
                (judgement.verdict, judgement.reason.as_str()),
                (row.verdict, row.reason.as_str()),
                "{}",
                row.claim
            );
        }
    }
    for (path, dir) in &found {
        for row in dir.findings.iter().filter(|row| !row.evidence.is_empty()) {
            assert!(root().join(path).join(&row.evidence).is_file(), "{}: no {}", path.display(), row.evidence);
        }
    }
}

/// The topologies of the second run that have a regression, and the exit code.
fn regressions(after: &Path) -> (BTreeSet<String>, i32) {
    let mut compare = Command::new(env!("CARGO_BIN_EXE_dindbench"));
    let runs = [root().join(BEFORE), after.to_owned()];
    let ended = compare.arg("compare").args(runs).args(["--format", "json"]).output().unwrap();
    let object: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    let changes = object["changes"].as_array().unwrap().iter();
    let regressions = changes.filter(|change| change["regression"] == true);
    let names = regressions.map(|change| change["topology"].as_str().unwrap().to_owned());
    (names.collect(), ended.status.code().unwrap())
}

/// Copies a run, with the steps of one topology this much longer.
fn lengthened(run: &Path, topology: &str, factor: f64) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["run.toml", "instructions.csv", "trials.csv"] {
        fs::copy(run.join(name), folder.path().join(name)).unwrap();
    }
    let mut rows = csv::Reader::from_path(run.join("samples.csv")).unwrap();
    let mut copy = csv::Writer::from_path(folder.path().join("samples.csv")).unwrap();
    for row in rows.deserialize() {
        let mut row: Sample = row.unwrap();
        if row.topology.as_str() == topology {
            row.elapsed_ns = row.elapsed_ns.map(|nanos| (nanos as f64 * factor).round() as u64);
        }
        copy.serialize(row).unwrap();
    }
    copy.flush().unwrap();
    folder
}

#[test]
fn a_slowdown_planted_in_a_real_run_is_found_and_nothing_else() {
    let after = root().join(AFTER);
    assert_eq!(regressions(&after), (BTreeSet::new(), 0), "nothing was planted");
    let copy = lengthened(&after, "socket-again", 1.0);
    assert_eq!(regressions(copy.path()), (BTreeSet::new(), 0), "a copy is as good as the run");
    let planted = lengthened(&after, "socket-again", 1.2);
    assert_eq!(regressions(planted.path()), (BTreeSet::from(["socket-again".to_owned()]), 5));
}
