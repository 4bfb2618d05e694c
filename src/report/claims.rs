//! The ledger as it was found: each statement with its verdict per engine, its evidence, and what to know beside it.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use strum::VariantArray;

use super::markdown::{inline, table};
use super::resources::Grid;
use super::shown::shown;
use super::{ReportError, file, summary};
use crate::case::Verdict;
use crate::record::{ClaimsDir, FindingRow};

/// A test of claims and the folder that it is in.
pub type Found = (PathBuf, ClaimsDir);

/// Writes `claims.md` and `junit.xml` of a test of claims into its own folder.
///
/// # Errors
/// A file cannot be written.
pub fn write_findings(dir: &Path, found: &ClaimsDir) -> Result<(), ReportError> {
    write_claims(dir, &[(dir.to_owned(), found.clone())])?;
    file(dir.join("junit.xml"), summary::findings(found)?.as_bytes()).map(drop)
}

/// Writes `claims.md` of one or more tests into a folder. Links to evidence are relative to it.
///
/// # Errors
/// The file cannot be written.
pub fn write_claims(out: &Path, found: &[Found]) -> Result<PathBuf, ReportError> {
    let absolute = |path: &Path| {
        let wrong = |error: std::io::Error| ReportError::Write { path: path.to_owned(), reason: error.to_string() };
        std::path::absolute(path).map_err(wrong)
    };
    let found: Vec<Found> =
        found.iter().map(|(folder, one)| Ok((absolute(folder)?, one.clone()))).collect::<Result<_, ReportError>>()?;
    let wrong = |error: std::io::Error| ReportError::Write { path: out.to_owned(), reason: error.to_string() };
    std::fs::create_dir_all(out).map_err(wrong)?;
    file(out.join("claims.md"), ledger(&absolute(out)?, &found).as_bytes())
}

/// The ledger as Markdown, for a reader in the folder `out`.
pub fn ledger(out: &Path, found: &[Found]) -> String {
    let mut text = String::from(HEAD);
    counts(&mut text, found);
    let Grid { headings, rows } = overview(found);
    text.push('\n');
    table(&mut text, &headings, &rows);
    for (_, rows) in &by_claim(&standing(found)) {
        section(&mut text, out, found, rows);
    }
    text
}

const HEAD: &str = "\
# Claims

What is said of engines in containers and of the mounted socket, tested: the statements of the article \"Using Docker-in-Docker for
your CI or testing environment? Think twice.\", in words of our own, and what one must know beside it. A statement has an experiment that
can come out either way, with a control; or it follows from others; or none can decide it, and the reason is told. What must be
observed stood in the claim's file before the findings shown here. `dindbench claims` does it again, `dindbench claims --list` tells
what each needs. This page is made from the findings by `dindbench report`.

*Confirmed*: observed in every arm. *Refuted*: in none. *Conditional*: in some, which the finding names. *Undecided*: the
experiment was done and does not say. *Not testable*: it cannot be done there, for a reason that is told; it counts neither
for nor against.
";

/// The rows of one claim, each with the place of its test among all.
type Rows<'a> = Vec<(usize, &'a FindingRow)>;

/// Where a claim was tested: host, engine, storage driver and kernel.
fn place(row: &FindingRow) -> [&str; 4] {
    [&row.host, &row.engine_version, &row.storage_driver, &row.kernel]
}

/// The findings that stand, each with the place of its test among all: of one claim in one place the one of the latest test. Where
/// its experiment was changed, that of the earlier one stands no longer on any host whose engine was tested anew.
pub fn standing(found: &[Found]) -> Vec<(usize, &FindingRow)> {
    let all = || found.iter().enumerate().flat_map(|(test, (_, one))| one.findings.iter().map(move |row| (test, row)));
    let began = |test: usize| &found[test].1.record.started_at;
    let replaced =
        |(test, row): &(usize, &FindingRow)| all().any(|(other, by)| began(other) > began(*test) && replaces(by, row));
    all().filter(|one| !replaced(one)).collect()
}

/// Whether a later finding stands in the place of an earlier one.
fn replaces(later: &FindingRow, earlier: &FindingRow) -> bool {
    let changed = later.engine_version == earlier.engine_version && later.digest != earlier.digest;
    later.claim == earlier.claim && (changed || place(later) == place(earlier))
}

/// The finding of the latest test: what a claim says, and its rule, may have been told better since the others.
fn latest<'a>(found: &[Found], rows: &Rows<'a>) -> Option<&'a FindingRow> {
    rows.iter().max_by_key(|(test, _)| &found[*test].1.record.started_at).map(|(_, row)| *row)
}

/// By the numbers of the claims.
fn by_claim<'a>(standing: &Rows<'a>) -> Vec<(&'a str, Rows<'a>)> {
    let mut claims: Vec<(&str, Rows<'_>)> = Vec::new();
    for (test, row) in standing {
        match claims.iter_mut().find(|(claim, _)| *claim == row.claim) {
            Some((_, rows)) => rows.push((*test, row)),
            None => claims.push((&row.claim, vec![(*test, row)])),
        }
    }
    claims.sort_by_key(|(claim, _)| rank(claim));
    claims
}

/// Each once, in the order of the tests.
fn places<'a>(standing: &Rows<'a>) -> Vec<[&'a str; 4]> {
    let mut places = Vec::new();
    for (_, row) in standing {
        if !places.contains(&place(row)) {
            places.push(place(row));
        }
    }
    places
}

/// `C` before `S`, each by its number.
fn rank(claim: &str) -> (String, u32) {
    let (letter, number) = claim.split_at(claim.len().min(1));
    (letter.to_owned(), number.parse().unwrap_or(u32::MAX))
}

/// How many claims have which verdict in each place.
fn counts(text: &mut String, found: &[Found]) {
    let headings = ["host", "engine", "storage driver", "kernel"].map(str::to_owned);
    let headings: Vec<String> = headings.into_iter().chain(Verdict::VARIANTS.iter().map(ToString::to_string)).collect();
    let standing = standing(found);
    let line = |about: [&str; 4]| -> Vec<String> {
        let here = || standing.iter().filter(|(_, row)| place(row) == about);
        let counts = Verdict::VARIANTS.iter().map(|verdict| here().filter(|(_, row)| row.verdict == *verdict).count());
        about.into_iter().map(shown).chain(counts.map(|count| count.to_string())).collect()
    };
    let rows: Vec<Vec<String>> = places(&standing).into_iter().map(line).collect();
    text.push('\n');
    table(text, &headings, &rows);
    let warnings: BTreeSet<&String> = found.iter().flat_map(|(_, one)| &one.record.warnings).collect();
    warnings.into_iter().for_each(|warning| text.push_str(&format!("\n> {}\n", inline(warning))));
}

/// One line a claim, one column a place; nothing where none was tested.
pub(super) fn overview(found: &[Found]) -> Grid {
    let standing = standing(found);
    let places = places(&standing);
    let headings = ["claim", "statement"].map(str::to_owned).into_iter().chain(names(&places)).collect();
    let line = |(claim, rows): (&str, Rows<'_>)| {
        let statement = latest(found, &rows).map_or(String::new(), |row| shown(row.statement.as_str()));
        let verdicts = places.iter().map(|here| {
            rows.iter().find(|(_, row)| place(row) == *here).map_or(String::new(), |(_, row)| row.verdict.to_string())
        });
        [shown(claim), statement].into_iter().chain(verdicts).collect()
    };
    let rows = by_claim(&standing).into_iter().map(line).collect();
    Grid { headings, rows }
}

/// The engine of each place, with as much more as tells it from the others: host, storage driver, kernel.
fn names(places: &[[&str; 4]]) -> Vec<String> {
    let named = |parts: usize| -> Vec<String> {
        let name =
            |[host, engine, driver, kernel]: &[&str; 4]| shown(&[*engine, *host, *driver, *kernel][..parts].join(", "));
        places.iter().map(name).collect()
    };
    let apart = |names: &Vec<String>| names.iter().collect::<BTreeSet<_>>().len() == names.len();
    (1..4).map(named).find(apart).unwrap_or_else(|| named(4))
}

fn section(text: &mut String, out: &Path, found: &[Found], rows: &Rows<'_>) {
    let Some(latest) = latest(found, rows) else { return };
    text.push_str(&format!("\n## {}: {}\n\n", latest.claim, inline(latest.statement.as_str())));
    text.push_str(&format!("{} Rule: {}\n\n", where_said(&latest.paragraphs), inline(latest.rule.as_str())));
    for (test, row) in rows {
        let engine = inline(&format!("engine {}, {}, kernel {}", row.engine_version, row.storage_driver, row.kernel));
        let reason = inline(row.reason.as_str());
        text.push_str(&format!("- **{}** ({engine}): {reason}", row.verdict));
        if !row.evidence.is_empty() {
            let path = from(out, &found[*test].0).join(&row.evidence);
            text.push_str(&format!(" ([evidence]({}))", path.display()));
        }
        text.push('\n');
    }
    if !latest.comment.as_str().is_empty() {
        text.push_str(&format!("\n{}\n", inline(latest.comment.as_str())));
    }
}

fn where_said(paragraphs: &str) -> String {
    match paragraphs {
        "" => "The article is silent on it.".to_owned(),
        "0" => "The article's title.".to_owned(),
        one if !one.contains(';') => format!("The article's paragraph {one}."),
        several => format!("The article's paragraphs {}.", several.replace(';', ", ")),
    }
}

/// The way from one folder to another; the same folder is the empty way. Both are relative to one place, or absolute.
fn from(out: &Path, folder: &Path) -> PathBuf {
    let parts = |path: &Path| -> Vec<PathBuf> {
        path.components().filter(|part| *part != Component::CurDir).map(|part| part.as_os_str().into()).collect()
    };
    let (out, folder) = (parts(out), parts(folder));
    let shared = out.iter().zip(&folder).take_while(|(one, other)| one == other).count();
    let up = out[shared..].iter().map(|_| PathBuf::from(".."));
    up.chain(folder[shared..].iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Text;

    #[test]
    fn evidence_is_found_from_where_the_ledger_is_read() {
        let way = |out: &str, folder: &str| from(Path::new(out), Path::new(folder)).display().to_string();
        assert_eq!(way("docs", "results/one"), "../results/one");
        assert_eq!(way("./docs", "results/one/"), "../results/one");
        assert_eq!(way("results/one", "results/one"), "");
        assert_eq!(way("/a/b", "/a/c/d"), "../c/d");
    }

    #[test]
    fn a_place_has_the_shortest_name_that_no_other_one_has() {
        let here = ["here", "20.10", "overlay2", "6.18"];
        assert_eq!(names(&[here, ["here", "28.5", "overlay2", "6.18"]]), ["20.10", "28.5"]);
        assert_eq!(names(&[here, ["lab", "20.10", "overlay2", "6.1"]]), ["20.10, here", "20.10, lab"]);
        assert_eq!(names(&[here, ["here", "20.10", "overlay2", "6.1"]])[1], "20.10, here, overlay2, 6.1");
    }

    #[test]
    fn a_finding_of_an_earlier_experiment_gives_way_wherever_its_engine_was() {
        let finding = |claim: &str, digest: &str, engine: &str, kernel: &str| FindingRow {
            schema: 1,
            run_id: String::new(),
            host: "here".to_owned(),
            claim: claim.to_owned(),
            digest: digest.to_owned(),
            paragraphs: String::new(),
            statement: Text::default(),
            rule: Text::default(),
            comment: Text::default(),
            engine_version: engine.to_owned(),
            storage_driver: "overlay2".to_owned(),
            kernel: kernel.to_owned(),
            verdict: Verdict::Confirmed,
            reason: Text::default(),
            expected: None,
            elapsed_ns: 0,
            evidence: String::new(),
        };
        let earlier = finding("C1", "one", "20.10", "6.1");
        assert!(replaces(&finding("C1", "one", "20.10", "6.1"), &earlier), "the same experiment in the same place");
        assert!(!replaces(&finding("C1", "one", "20.10", "6.18"), &earlier), "another kernel has a finding of its own");
        assert!(replaces(&finding("C1", "two", "20.10", "6.18"), &earlier), "another experiment");
        assert!(!replaces(&finding("C1", "two", "28.5", "6.18"), &earlier), "another engine says nothing of this one");
        assert!(!replaces(&finding("C2", "two", "20.10", "6.1"), &earlier), "another claim");
    }

    #[test]
    fn claims_are_in_the_order_of_their_numbers() {
        let mut claims = ["S2", "C10", "S1", "C9"];
        claims.sort_by_key(|claim| rank(claim));
        assert_eq!(claims, ["C9", "C10", "S1", "S2"]);
    }

    #[test]
    fn where_a_statement_stands_is_told_in_words() {
        assert_eq!(where_said(""), "The article is silent on it.");
        assert_eq!(where_said("0"), "The article's title.");
        assert_eq!(where_said("9"), "The article's paragraph 9.");
        assert_eq!(where_said("18;19"), "The article's paragraphs 18, 19.");
    }
}
