//! The ledger as it was found: each statement with its verdict per engine, its evidence, and what to know beside it.

use std::collections::BTreeMap;
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
    file(dir.join("junit.xml"), &summary::findings(found)?).map(drop)
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
    file(out.join("claims.md"), &ledger(&absolute(out)?, &found))
}

/// The ledger as Markdown, for a reader in the folder `out`.
pub fn ledger(out: &Path, found: &[Found]) -> String {
    let mut text = String::from(HEAD);
    counts(&mut text, found);
    let Grid { headings, rows } = overview(found);
    text.push('\n');
    table(&mut text, &headings, &rows);
    for (_, rows) in &by_claim(found) {
        section(&mut text, out, found, rows);
    }
    text
}

const HEAD: &str = "\
# Claims

What is said of engines in containers and of the mounted socket, tested. Each statement has an experiment that can come out
either way and a control; what must be observed stood in its file before anything was tried. `dindbench claims` does it
again, `dindbench claims --list` tells what each needs. This page is made from the findings by `dindbench report`.

*Confirmed*: observed in every arm. *Refuted*: in none. *Conditional*: in some, which the finding names. *Undecided*: the
experiment was done and does not say. *Not testable*: it cannot be done there, for a reason that is told; it counts neither
for nor against.
";

/// The rows of one claim, each with the place of its test among all.
type Rows<'a> = Vec<(usize, &'a FindingRow)>;

/// In the order of the first test that has each.
fn by_claim(found: &[Found]) -> Vec<(String, Rows<'_>)> {
    let mut claims: Vec<(String, Rows<'_>)> = Vec::new();
    let rows = found.iter().enumerate().flat_map(|(test, (_, one))| one.findings.iter().map(move |row| (test, row)));
    for (test, row) in rows {
        match claims.iter_mut().find(|(claim, _)| *claim == row.claim) {
            Some((_, rows)) => rows.push((test, row)),
            None => claims.push((row.claim.clone(), vec![(test, row)])),
        }
    }
    claims.sort_by_key(|(claim, _)| rank(claim));
    claims
}

/// `C` before `S`, each by its number.
fn rank(claim: &str) -> (String, u32) {
    let (letter, number) = claim.split_at(claim.len().min(1));
    (letter.to_owned(), number.parse().unwrap_or(u32::MAX))
}

/// How each test ended, and on what.
fn counts(text: &mut String, found: &[Found]) {
    let headings = ["host", "engine", "storage driver", "kernel"].map(str::to_owned);
    let headings: Vec<String> = headings.into_iter().chain(Verdict::VARIANTS.iter().map(ToString::to_string)).collect();
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|(_, one)| {
            let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
            one.findings.iter().for_each(|row| *counts.entry(row.verdict).or_default() += 1);
            let about = |of: fn(&FindingRow) -> &str| one.findings.first().map_or("", of).to_owned();
            let about = [
                one.record.host.clone(),
                about(|row| &row.engine_version),
                about(|row| &row.storage_driver),
                about(|row| &row.kernel),
            ];
            let counts = Verdict::VARIANTS.iter().map(|verdict| counts.get(verdict).unwrap_or(&0).to_string());
            about.into_iter().chain(counts).collect()
        })
        .collect();
    text.push('\n');
    table(text, &headings, &rows);
    let mut warnings: Vec<&String> = found.iter().flat_map(|(_, one)| &one.record.warnings).collect();
    warnings.dedup();
    warnings.into_iter().for_each(|warning| text.push_str(&format!("\n> {}\n", inline(warning))));
}

/// One line a claim, one column a test; nothing where none was tested.
pub(super) fn overview(found: &[Found]) -> Grid {
    let claims = by_claim(found);
    let engines = found.iter().map(|(_, one)| one.findings.first().map_or("", |row| &row.engine_version));
    let headings: Vec<String> = ["claim", "statement"].into_iter().chain(engines).map(shown).collect();
    let rows: Vec<Vec<String>> = claims
        .iter()
        .map(|(claim, rows)| {
            let statement = rows.first().map_or(String::new(), |(_, row)| shown(row.statement.as_str()));
            let verdicts = (0..found.len()).map(|test| {
                rows.iter().find(|(of, _)| *of == test).map_or(String::new(), |(_, row)| row.verdict.to_string())
            });
            [shown(claim), statement].into_iter().chain(verdicts).collect()
        })
        .collect();
    Grid { headings, rows }
}

fn section(text: &mut String, out: &Path, found: &[Found], rows: &Rows<'_>) {
    let Some((_, first)) = rows.first() else { return };
    text.push_str(&format!("\n## {}: {}\n\n", first.claim, inline(first.statement.as_str())));
    text.push_str(&format!("{} Rule: {}\n\n", place(&first.paragraphs), inline(first.rule.as_str())));
    for (test, row) in rows {
        let engine = inline(&format!("engine {}, {}", row.engine_version, row.storage_driver));
        let reason = inline(row.reason.as_str());
        text.push_str(&format!("- **{}** ({engine}): {reason}", row.verdict));
        if !row.evidence.is_empty() {
            let path = from(out, &found[*test].0).join(&row.evidence);
            text.push_str(&format!(" ([evidence]({}))", path.display()));
        }
        text.push('\n');
    }
    if !first.comment.as_str().is_empty() {
        text.push_str(&format!("\n{}\n", inline(first.comment.as_str())));
    }
}

fn place(paragraphs: &str) -> String {
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

    #[test]
    fn evidence_is_found_from_where_the_ledger_is_read() {
        let way = |out: &str, folder: &str| from(Path::new(out), Path::new(folder)).display().to_string();
        assert_eq!(way("docs", "results/one"), "../results/one");
        assert_eq!(way("./docs", "results/one/"), "../results/one");
        assert_eq!(way("results/one", "results/one"), "");
        assert_eq!(way("/a/b", "/a/c/d"), "../c/d");
    }

    #[test]
    fn claims_are_in_the_order_of_their_numbers() {
        let mut claims = ["S2", "C10", "S1", "C9"];
        claims.sort_by_key(|claim| rank(claim));
        assert_eq!(claims, ["C9", "C10", "S1", "S2"]);
    }

    #[test]
    fn where_a_statement_stands_is_told_in_words() {
        assert_eq!(place(""), "The article is silent on it.");
        assert_eq!(place("0"), "The article's title.");
        assert_eq!(place("9"), "The article's paragraph 9.");
        assert_eq!(place("18;19"), "The article's paragraphs 18, 19.");
    }
}
