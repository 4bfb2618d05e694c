//! `junit.xml`: what was expected as test cases, of a scenario's builds or of claims.

use askama::Template;

use crate::analysis::{Analysis, Checked, Found};
use crate::case::Verdict;
use crate::record::{ClaimsDir, FindingRow, RunRecord};
use crate::report::shown::shown;
use crate::scenario::Expected;

/// No field is escaped for XML: the template does.
#[derive(Template)]
#[template(path = "junit.xml")]
struct Suite {
    name: String,
    cases: Vec<Case>,
}

struct Case {
    class: String,
    name: String,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    /// It was not what was expected.
    Failure(String),
    /// There was nothing to hold against the expectation.
    Error(String),
    Skipped(String),
}

impl Suite {
    fn count(&self, kind: fn(&Outcome) -> bool) -> usize {
        self.cases.iter().filter(|case| kind(&case.outcome)).count()
    }

    fn failures(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Failure(_)))
    }

    fn errors(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Error(_)))
    }

    fn skipped(&self) -> usize {
        self.count(|outcome| matches!(outcome, Outcome::Skipped(_)))
    }
}

pub(super) fn render(run: &RunRecord, analysis: &Analysis) -> Result<String, askama::Error> {
    let scenario = shown(&run.scenario);
    let cases = analysis.expectations.iter().map(|checked| case(&scenario, checked)).collect();
    Ok(format!("{}\n", Suite { name: scenario, cases }.render()?))
}

/// One case per finding. One that no file expects anything of passes where it is decided.
pub(in crate::report) fn findings(dir: &ClaimsDir) -> Result<String, askama::Error> {
    let case = |row: &FindingRow| {
        let reason = || shown(row.reason.as_str());
        let outcome = match (row.verdict, row.expected) {
            (found, Some(expected)) if found != expected => {
                Outcome::Failure(format!("{found}, and not {expected}: {}", reason()))
            }
            (Verdict::Undecided, None) => Outcome::Error(reason()),
            (Verdict::NotTestable, _) => Outcome::Skipped(reason()),
            _ => Outcome::Passed,
        };
        Case { class: "claims".to_owned(), name: format!("{}: {}", row.claim, shown(row.statement.as_str())), outcome }
    };
    let cases = dir.findings.iter().map(case).collect();
    Ok(format!("{}\n", Suite { name: "claims".to_owned(), cases }.render()?))
}

fn case(scenario: &str, checked: &Checked) -> Case {
    let stated = &checked.stated;
    let expected = match stated.instructions_cached {
        Expected::All => "all instructions cached".to_owned(),
        Expected::Exactly(count) => format!("{count} instructions cached"),
    };
    Case {
        class: format!("{scenario}.{}", shown(&stated.topology)),
        name: format!("job {}, build {}: {expected}", stated.job, shown(&stated.step)),
        outcome: outcome(checked),
    }
}

fn outcome(checked: &Checked) -> Outcome {
    if !checked.ran {
        return Outcome::Skipped("the topology was left out of this run".to_owned());
    }
    if checked.blocks.is_empty() {
        return Outcome::Error("no block was run".to_owned());
    }
    let told = |of: fn(&Found) -> Option<String>| -> String {
        let lines = checked.blocks.iter().filter_map(|(block, found)| Some(format!("{} in block {block}", of(found)?)));
        lines.collect::<Vec<_>>().join(", ")
    };
    let broken = told(|found| match found {
        Found::Broken { cached, total } => Some(format!("{cached} of {total}")),
        Found::Held | Found::Missing(_) => None,
    });
    let missing = told(|found| match found {
        Found::Missing(Some(class)) => Some(format!("{class}")),
        Found::Missing(None) => Some("not run".to_owned()),
        Found::Held | Found::Broken { .. } => None,
    });
    match (broken.as_str(), missing.as_str()) {
        ("", "") => Outcome::Passed,
        ("", missing) => Outcome::Error(format!("no build that counts: {missing}")),
        (broken, "") => Outcome::Failure(format!("found {broken}")),
        (broken, missing) => Outcome::Failure(format!("found {broken}; no build that counts: {missing}")),
    }
}
