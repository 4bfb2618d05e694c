//! A topology against another one, paired within blocks.

use std::collections::BTreeMap;

use rayon::iter::{IntoParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _};
use strum::VariantArray as _;

use super::cell::{CaseRows, Series};
use super::contrast::{Pair, pairs};
use super::multiplicity::adjust;
use super::paired::Paired;
use super::row::{Row, Table};
use super::{CaseKey, Cell, Contrast, Course, Metric, Subject};
use crate::case::Edit;
use crate::stats::{Estimate, Interval, Level};

/// A topology against another one, paired within blocks. Where all differences (or ratios) are the same number, the
/// estimate has no interval: a constant has no spread to take one from.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub contrast: Contrast,
    pub topology: usize,
    pub reference: usize,
    pub case: CaseKey,
    pub metric: Metric,
    /// `topology / reference`; empty for a metric that can be 0.
    pub ratio: Option<Estimate>,
    /// `topology - reference`, in the metric's unit.
    pub difference: Option<Estimate>,
    /// Blocks in which both have a valid value.
    pub blocks: usize,
    /// These values, the topology's first. Of `elapsed_ns` only: of many blocks those of all metrics are most of what an
    /// analysis holds, and other runs are compared by time.
    pub pairs: Vec<(f64, f64)>,
    /// Of `elapsed_ns` only; empty where the ratio has no interval.
    pub verdict: Option<Verdict>,
    /// Of `elapsed_ns` only; empty for a constant ratio.
    pub course: Option<Course>,
    /// Share of wrong ones among the differences shown that are at least as clear as this one, as it is to be expected in all
    /// comparisons of jobs, or of steps, of the run together (Benjamini and Hochberg). Of `elapsed_ns` only; empty where
    /// neighbouring blocks depend on one another, for its test supposes that they do not.
    pub q: Option<f64>,
    /// Empty where no machine was disturbed when one of these trials began.
    pub undisturbed: Option<Undisturbed>,
}

/// What a comparison says without the blocks in which the machine was disturbed when one of the two trials began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undisturbed {
    /// Blocks that are left.
    pub blocks: usize,
    pub verdict: Option<Verdict>,
}

impl Comparison {
    /// The ratio with an interval of another level. Of `elapsed_ns` only.
    pub fn ratio_at(&self, level: Level) -> Option<Estimate> {
        Paired::new(&self.pairs).ratio(level)
    }

    /// Whether it compares the times of whole jobs.
    pub fn of_jobs(&self) -> bool {
        (self.metric, &self.case.subject) == (Metric::ElapsedNs, &Subject::Job)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::Display)]
#[strum(serialize_all = "kebab-case")]
pub enum Verdict {
    Faster,
    Slower,
    /// The ratio lies within the stated margin: within a run by two one-sided tests, between two runs by the interval.
    Equivalent,
    /// Neither a difference nor an equivalence is shown.
    Indistinguishable,
}

/// All cells and comparisons, case by case.
pub(super) fn cells_and_comparisons(table: &Table, baseline: usize) -> (Vec<Cell>, Vec<Comparison>) {
    let (pairs, sequence) = (pairs(&table.arms, baseline), table.sequence());
    let jobs_after = |edit: Edit| sequence.values().filter(|after| **after == edit).count();
    // Of many blocks most of an analysis is this, and no case needs another one.
    let by_case: Vec<(Vec<Cell>, Vec<Comparison>)> =
        cases(table).into_par_iter().map(|((_, edit), rows)| of_case(table, &rows, jobs_after(edit), &pairs)).collect();
    let (cells, comparisons): (Vec<_>, Vec<_>) = by_case.into_iter().unzip();
    let mut comparisons: Vec<Comparison> = comparisons.into_iter().flatten().collect();
    adjust(&mut comparisons);
    (cells.into_iter().flatten().collect(), comparisons)
}

/// `jobs` is how many of the sequence have the edit of the case.
fn of_case(table: &Table, rows: &[&Row], jobs: usize, pairs: &[Pair]) -> (Vec<Cell>, Vec<Comparison>) {
    let case = CaseKey { subject: table.steps.subject(rows[0].subject).clone(), edit: rows[0].edit };
    let arms = arms(table, rows, jobs);
    // Metric by metric: the values of all of them at once would be as many as the rows' own.
    let by_metric: Vec<OfMetric> =
        metrics(&arms).par_iter().map(|metric| of_metric(&case, &arms, *metric, pairs)).collect();
    let (cells, comparisons): (Vec<_>, Vec<_>) = by_metric.into_iter().unzip();
    let (mut cells, mut comparisons) = (cells.concat(), comparisons.into_iter().flatten().collect::<Vec<_>>());
    cells.sort_by_key(|cell| cell.topology);
    comparisons.sort_by_key(|(place, _)| *place);
    (cells, comparisons.into_iter().map(|(_, comparison)| comparison).collect())
}

/// The cells of one metric of a case, and its comparisons, each with the place of its pair.
type OfMetric = (Vec<Cell>, Vec<(usize, Comparison)>);

fn of_metric(case: &CaseKey, arms: &[CaseRows], metric: Metric, pairs: &[Pair]) -> OfMetric {
    let series: Vec<Series> = arms.iter().map(|arm| Series::new(arm, metric)).collect();
    let cells = series.iter().filter(|series| series.has_cell()).map(|series| series.cell(case));
    let compared = pairs.iter().enumerate().filter_map(|(place, pair)| Some((place, compare(*pair, &series, case)?)));
    (cells.collect(), compared.collect())
}

/// The rows of each case, by the subject's place in a job and by edit; each in the table's order.
fn cases(table: &Table) -> BTreeMap<(u32, Edit), Vec<&Row>> {
    let mut cases: BTreeMap<(u32, Edit), Vec<&Row>> = BTreeMap::new();
    for row in table.jobs.iter().chain(table.rows.iter().flatten()) {
        cases.entry((table.steps.rank(row.subject), row.edit)).or_default().push(row);
    }
    cases
}

/// The topologies that have measured rows in this case.
fn arms<'a>(table: &Table, rows: &[&'a Row], jobs: usize) -> Vec<CaseRows<'a>> {
    let workers = |topology: u32| table.arms[topology as usize].concurrency();
    let of_arm = |rows: &[&'a Row]| CaseRows::new(rows, jobs * workers(rows[0].job.topology));
    rows.chunk_by(|a, b| a.job.topology == b.job.topology).filter_map(of_arm).collect()
}

/// The metrics that a case has anywhere; time always, so that a case that only failed is seen.
fn metrics(case: &[CaseRows]) -> Vec<Metric> {
    let measured = |metric: &Metric| *metric == Metric::ElapsedNs || case.iter().any(|arm| arm.measured(*metric));
    Metric::VARIANTS.iter().copied().filter(measured).collect()
}

/// The comparison of one pair: none where one of the two has no cell.
fn compare(pair: Pair, series: &[Series], case: &CaseKey) -> Option<Comparison> {
    let find = |topology| series.iter().find(|one| one.arm.topology == topology && one.has_cell());
    let (topology, reference) = (find(pair.topology)?, find(pair.reference)?);
    let blocks = in_pairs(&topology.values, &reference.values);
    let disturbed = |block: &u32| topology.arm.disturbed(*block) || reference.arm.disturbed(*block);
    let quiet: Vec<_> = blocks.iter().filter(|(block, _)| !disturbed(block)).map(|(_, pair)| *pair).collect();
    Some(comparison(pair, case, topology.metric, blocks.into_iter().map(|(_, pair)| pair).collect(), &quiet))
}

/// `quiet` are the pairs of blocks in which the machine was not disturbed.
fn comparison(pair: Pair, case: &CaseKey, metric: Metric, pairs: Vec<(f64, f64)>, quiet: &[(f64, f64)]) -> Comparison {
    let (timed, paired) = (metric == Metric::ElapsedNs, Paired::new(&pairs));
    // The bootstrap of a dependent ratio takes its time, and is done once.
    let verdict = |paired: &Paired, ratio: Option<Estimate>| ratio.and_then(|ratio| paired.verdict(&ratio));
    let ratio = if metric.has_ratio() { paired.ratio(Level::P95) } else { None };
    let undisturbed = || {
        let paired = Paired::new(quiet);
        Undisturbed { blocks: quiet.len(), verdict: verdict(&paired, paired.ratio(Level::P95)) }
    };
    Comparison {
        contrast: pair.contrast,
        topology: pair.topology,
        reference: pair.reference,
        case: case.clone(),
        metric,
        ratio,
        difference: paired.difference(),
        verdict: verdict(&paired, ratio.filter(|_| timed)),
        course: if timed { paired.course() } else { None },
        undisturbed: (timed && quiet.len() < pairs.len()).then(undisturbed),
        q: None,
        blocks: pairs.len(),
        pairs: if timed { pairs } else { Vec::new() },
    }
}

/// Values of the blocks that both have, the topology's first, each with its block; both are sorted by block.
pub(super) fn in_pairs(topology: &[(u32, f64)], reference: &[(u32, f64)]) -> Vec<(u32, (f64, f64))> {
    let mut others = reference.iter().peekable();
    let mut partner = |block: u32| {
        while others.next_if(|(other, _)| *other < block).is_some() {}
        others.peek().filter(|(other, _)| *other == block).map(|(_, value)| *value)
    };
    topology.iter().filter_map(|&(block, value)| Some((block, (value, partner(block)?)))).collect()
}

impl Verdict {
    /// A difference if the interval of a ratio excludes 1, else what `equal` says.
    pub(super) fn of(ratio: &Interval, equal: impl FnOnce() -> bool) -> Self {
        match ratio {
            Interval { high, .. } if *high < 1.0 => Self::Faster,
            Interval { low, .. } if *low > 1.0 => Self::Slower,
            _ if equal() => Self::Equivalent,
            _ => Self::Indistinguishable,
        }
    }
}
