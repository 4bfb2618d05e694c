//! `summary.json`: everything that a report's tables are made of, as one object.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::{Analysis, Cell, Checked, Comparison, Failure, Found, SelfCheck, self_checks};
use crate::case::{Builder, Driver, ErrorClass, Op};
use crate::record::RunRecord;
use crate::report::data::{Number, Place, median, object, outliers, spread};
use crate::stats::Outliers;

/// The version of `summary.json` and `summary.csv`.
pub(super) const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Object<'a> {
    schema: u32,
    run: Run<'a>,
    warnings: &'a [String],
    topologies: Vec<Topology<'a>>,
    cells: Vec<CellOf<'a>>,
    comparisons: Vec<ComparisonOf<'a>>,
    first_to_second: Option<Number>,
    disturbed: &'a BTreeMap<String, usize>,
    self_checks: Vec<SelfCheckOf>,
    failures: Vec<FailureOf<'a>>,
    expectations: Vec<ExpectationOf<'a>>,
}

#[derive(Serialize)]
struct Run<'a> {
    run_id: &'a str,
    host: &'a str,
    started_at: &'a str,
    version: &'a str,
    revision: &'a str,
    scenario: &'a str,
    scenario_digest: &'a str,
    question: &'a str,
    baseline: &'a str,
    seed: u64,
    driver: Driver,
    builder: Builder,
    blocks: u32,
    blocks_measured: usize,
}

#[derive(Serialize)]
struct Topology<'a> {
    name: &'a str,
    kind: &'a str,
    parameters: &'a str,
    engine_versions: &'a [String],
    storage_drivers: &'a [String],
    builders: &'a [String],
}

#[derive(Serialize)]
struct CellOf<'a> {
    topology: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
    metric: String,
    median: Option<Number>,
    min: Option<f64>,
    max: Option<f64>,
    q1: Option<f64>,
    q3: Option<f64>,
    mad: Option<f64>,
    outliers: Option<OutliersOf>,
    excluded: usize,
}

#[derive(Serialize)]
struct OutliersOf {
    mild: usize,
    severe: usize,
    far: Option<usize>,
}

#[derive(Serialize)]
struct ComparisonOf<'a> {
    contrast: String,
    topology: &'a str,
    reference: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
    metric: String,
    pairs: usize,
    ratio: Option<Number>,
    difference: Option<Number>,
    verdict: Option<String>,
    drift_tau: Option<f64>,
    drift_p: Option<f64>,
    autocorrelation: Option<f64>,
    q: Option<f64>,
    undisturbed_pairs: Option<usize>,
    undisturbed_verdict: Option<String>,
}

#[derive(Serialize)]
struct SelfCheckOf {
    expected: f64,
    ratios: usize,
    held: usize,
    likely_low: usize,
    likely_high: usize,
}

#[derive(Serialize)]
struct FailureOf<'a> {
    topology: &'a str,
    op: Op,
    error_class: ErrorClass,
    count: usize,
    share: Number,
    example: &'a str,
}

#[derive(Serialize)]
struct ExpectationOf<'a> {
    topology: &'a str,
    job: u32,
    step: &'a str,
    instructions_cached: String,
    ran: bool,
    held: usize,
    broken: Vec<Broken>,
    missing: Vec<u32>,
}

#[derive(Serialize)]
struct Broken {
    block: u32,
    instructions_cached: u32,
    instructions_total: u32,
}

pub(super) fn render(run: &RunRecord, analysis: &Analysis) -> String {
    object(&Object {
        schema: SCHEMA,
        run: self::run(run, analysis),
        warnings: &run.warnings,
        topologies: topologies(analysis),
        cells: analysis.cells.iter().map(|one| cell(analysis, one)).collect(),
        comparisons: analysis.comparisons.iter().map(|one| comparison(analysis, one)).collect(),
        first_to_second: analysis.order.map(Number::of),
        disturbed: &analysis.disturbed,
        self_checks: self_checks(&analysis.arms, &analysis.comparisons).into_iter().map(self_check).collect(),
        failures: analysis.failures.iter().map(|one| failure(analysis, one)).collect(),
        expectations: analysis.expectations.iter().map(expectation).collect(),
    })
}

fn run<'a>(run: &'a RunRecord, analysis: &Analysis) -> Run<'a> {
    Run {
        run_id: &run.run_id,
        host: &run.host,
        started_at: &run.started_at,
        version: &run.version,
        revision: &run.revision,
        scenario: &run.scenario,
        scenario_digest: &run.scenario_digest,
        question: &run.question,
        baseline: &run.baseline,
        seed: run.seed,
        driver: run.driver,
        builder: run.builder,
        blocks: run.blocks,
        blocks_measured: analysis.blocks,
    }
}

fn topologies(analysis: &Analysis) -> Vec<Topology<'_>> {
    let arms = analysis.arms.iter();
    arms.map(|arm| Topology {
        name: &arm.name,
        kind: &arm.kind,
        parameters: &arm.parameters,
        engine_versions: &arm.engines,
        storage_drivers: &arm.storage_drivers,
        builders: &arm.builders,
    })
    .collect()
}

fn cell<'a>(analysis: &'a Analysis, cell: &'a Cell) -> CellOf<'a> {
    let spread = spread(&cell.summary);
    CellOf {
        topology: &analysis.arms[cell.topology].name,
        place: Place::of(&cell.case),
        metric: cell.metric.to_string(),
        median: median(&cell.summary).map(Number::of),
        min: spread.map(|[min, ..]| min),
        max: spread.map(|[_, max, ..]| max),
        q1: spread.map(|[_, _, q1, ..]| q1),
        q3: spread.map(|[_, _, _, q3, _]| q3),
        mad: spread.map(|[.., mad]| mad),
        outliers: outliers(&cell.summary).map(|Outliers { mild, severe, far }| OutliersOf { mild, severe, far }),
        excluded: cell.excluded,
    }
}

fn comparison<'a>(analysis: &'a Analysis, one: &'a Comparison) -> ComparisonOf<'a> {
    ComparisonOf {
        contrast: one.contrast.to_string(),
        topology: &analysis.arms[one.topology].name,
        reference: &analysis.arms[one.reference].name,
        place: Place::of(&one.case),
        metric: one.metric.to_string(),
        pairs: one.blocks,
        ratio: one.ratio.map(Number::of),
        difference: one.difference.map(Number::of),
        verdict: one.verdict.map(|verdict| verdict.to_string()),
        drift_tau: one.course.map(|course| course.drift.tau),
        drift_p: one.course.map(|course| course.drift.p),
        autocorrelation: one.course.map(|course| course.autocorrelation),
        q: one.q,
        undisturbed_pairs: one.undisturbed.map(|without| without.blocks),
        undisturbed_verdict: one.undisturbed.and_then(|without| without.verdict).map(|verdict| verdict.to_string()),
    }
}

fn self_check(check: SelfCheck) -> SelfCheckOf {
    let (SelfCheck { expected, ratios, held, .. }, (likely_low, likely_high)) = (check, check.likely());
    SelfCheckOf { expected, ratios, held, likely_low, likely_high }
}

fn failure<'a>(analysis: &'a Analysis, failure: &'a Failure) -> FailureOf<'a> {
    FailureOf {
        topology: &analysis.arms[failure.topology].name,
        op: failure.op,
        error_class: failure.class,
        count: failure.count,
        share: Number::of(failure.share),
        example: &failure.example,
    }
}

fn expectation(checked: &Checked) -> ExpectationOf<'_> {
    let broken = checked.blocks.iter().filter_map(|(block, found)| match found {
        Found::Broken { cached, total } => {
            Some(Broken { block: *block, instructions_cached: *cached, instructions_total: *total })
        }
        Found::Held | Found::Missing(_) => None,
    });
    let missing = checked.blocks.iter().filter(|(_, found)| matches!(found, Found::Missing(_)));
    ExpectationOf {
        topology: &checked.stated.topology,
        job: checked.stated.job,
        step: &checked.stated.step,
        instructions_cached: checked.stated.instructions_cached.to_string(),
        ran: checked.ran,
        held: checked.blocks.iter().filter(|(_, found)| *found == Found::Held).count(),
        broken: broken.collect(),
        missing: missing.map(|(block, _)| *block).collect(),
    }
}
