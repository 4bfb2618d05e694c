//! The ledger and what was found of it, for people and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Tested;
use crate::case::Verdict;
use crate::claim::{Claim, Observations, Procedure};
use crate::cli::Format;
use crate::record::FindingRow;
use crate::report::table;

/// All claims with what each needs.
pub(super) fn list(claims: &[Claim], format: Format, width: Option<u16>) -> String {
    match format {
        Format::Table => {
            let rows = claims.iter().map(|claim| vec![claim.id.clone(), claim.statement.clone(), needs(claim)]);
            table::plain(&["claim", "statement", "needs"], rows, width)
        }
        Format::Json => {
            let claims: Vec<serde_json::Value> = claims
                .iter()
                .map(|claim| {
                    serde_json::json!({
                        "claim": claim.id, "statement": claim.statement, "paragraphs": claim.paragraphs,
                        "rule": claim.rule, "touches": claim.touches, "needs": needs(claim), "digest": claim.digest,
                    })
                })
                .collect();
            format!("{}\n", serde_json::Value::Array(claims))
        }
    }
}

fn needs(claim: &Claim) -> String {
    let host = || match claim.needs.as_slice() {
        [] => "a reference host".to_owned(),
        programs => format!("a reference host with {}", programs.join(", ")),
    };
    match &claim.procedure {
        Procedure::None { .. } => "no experiment decides it".to_owned(),
        Procedure::Lab(lab) => format!("the lab: {}", lab.lacks),
        Procedure::Umbrella(umbrella) => {
            let members: Vec<String> = umbrella.members().iter().map(ToString::to_string).collect();
            format!("the claims {}", members.join(", "))
        }
        Procedure::Script(_) => host(),
        Procedure::Measured(measured) => format!("{}, and its scenario {}", host(), measured.scenario),
    }
}

/// What was found. In a table the run directory is the last line; without a finding there may be none.
pub(super) fn found(tested: &Tested, format: Format, width: Option<u16>) -> String {
    let Tested { dir, findings, changed, interrupted } = tested;
    match format {
        Format::Table if findings.is_empty() => "interrupted before a claim was decided\n".to_owned(),
        Format::Table => {
            let rows = findings.iter().map(|row| {
                vec![row.claim.clone(), row.statement.as_str().to_owned(), verdict(row), row.reason.as_str().to_owned()]
            });
            let table = table::plain(&["claim", "statement", "verdict", "because"], rows, width);
            let host = match (interrupted, changed.is_empty()) {
                (true, _) => "interrupted, and the host was not looked at again",
                (false, true) => "the host is what it was",
                (false, false) => "the host is not what it was",
            };
            format!("{table}\n{}; {host}\n{}\n", tally(findings), dir.display())
        }
        Format::Json => {
            let findings: Vec<serde_json::Value> = findings
                .iter()
                .map(|row| {
                    serde_json::json!({
                        "claim": row.claim, "verdict": row.verdict, "reason": row.reason.as_str(),
                        "expected": row.expected, "evidence": row.evidence,
                    })
                })
                .collect();
            let dir = (!findings.is_empty()).then_some(dir);
            format!("{}\n", serde_json::json!({ "run": dir, "findings": findings, "changed": changed }))
        }
    }
}

fn verdict(row: &FindingRow) -> String {
    match row.expected {
        Some(expected) if expected != row.verdict => format!("{}, and not {expected}", row.verdict),
        _ => row.verdict.to_string(),
    }
}

fn tally(findings: &[FindingRow]) -> String {
    let mut counts: BTreeMap<Verdict, usize> = BTreeMap::new();
    findings.iter().for_each(|row| *counts.entry(row.verdict).or_default() += 1);
    let counts: Vec<String> = counts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
    counts.join(", ")
}

/// What the topologies of a scenario showed, as a part of a claim's evidence.
pub(super) fn observations(scenario: &str, arms: &BTreeMap<String, Observations>) -> String {
    let mut text = format!("\nMeasured with the scenario {scenario}, in measured/{scenario}:\n\n");
    let _ = writeln!(text, "| topology | observed | value |\n|---|---|---|");
    for (arm, observed) in arms {
        for (name, value) in observed {
            let _ = writeln!(text, "| {arm} | {name} | {value} |");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn without_a_finding_no_run_directory_is_named() {
        let tested =
            Tested { dir: PathBuf::from("not/there"), findings: Vec::new(), changed: Vec::new(), interrupted: true };
        assert_eq!(found(&tested, Format::Table, None), "interrupted before a claim was decided\n");
        assert_eq!(found(&tested, Format::Json, None), "{\"changed\":[],\"findings\":[],\"run\":null}\n");
    }
}
