//! The changes as one object.

use serde::Serialize;

use super::{Side, TwoRuns};
use crate::analysis::{Change, Deviation};
use crate::report::data::{Number, Place, object};

/// The version of this object.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Object<'a> {
    schema: u32,
    scenario: &'a str,
    base: Run<'a>,
    new: Run<'a>,
    baseline: &'a str,
    threshold: f64,
    compared: usize,
    undecided: usize,
    regressions: usize,
    conditions: Vec<Condition<'a>>,
    changes: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Run<'a> {
    run_id: &'a str,
    host: &'a str,
    started_at: &'a str,
    version: &'a str,
    revision: &'a str,
    blocks: usize,
}

#[derive(Serialize)]
struct Condition<'a> {
    key: &'a str,
    base: Option<&'a str>,
    new: Option<&'a str>,
}

#[derive(Serialize)]
struct Line<'a> {
    topology: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
    base_ratio: Option<Number>,
    new_ratio: Option<Number>,
    change: Option<Number>,
    verdict: Option<String>,
    regression: bool,
}

pub(super) fn render(two: &TwoRuns<'_>) -> String {
    object(&Object {
        schema: SCHEMA,
        scenario: &two.new.run.scenario,
        base: run(two.base),
        new: run(two.new),
        baseline: &two.new.run.baseline,
        threshold: two.changes.threshold,
        compared: two.changes.compared,
        undecided: two.changes.undecided(),
        regressions: two.changes.regressions().count(),
        conditions: two.conditions.iter().map(condition).collect(),
        changes: two.changes.list.iter().map(|change| line(two, change)).collect(),
    })
}

fn run(side: Side<'_>) -> Run<'_> {
    let run = side.run;
    Run {
        run_id: &run.run_id,
        host: &run.host,
        started_at: &run.started_at,
        version: &run.version,
        revision: &run.revision,
        blocks: side.analysis.blocks,
    }
}

fn condition(deviation: &Deviation) -> Condition<'_> {
    Condition { key: &deviation.key, base: deviation.base.as_deref(), new: deviation.new.as_deref() }
}

fn line<'a>(two: &TwoRuns<'a>, change: &'a Change) -> Line<'a> {
    Line {
        topology: &two.new.analysis.arms[change.topology].name,
        place: Place::of(&change.case),
        base_ratio: change.base.map(Number::of),
        new_ratio: change.new.map(Number::of),
        change: change.change.map(Number::of),
        verdict: change.verdict.map(|verdict| verdict.to_string()),
        regression: change.regression,
    }
}
