//! What changed from one run to another: each topology's ratio to the baseline of its own run.

use std::num::NonZeroUsize;

use super::{Analysis, CaseKey, Comparison, Metric, Subject, Verdict};
use crate::stats::{Estimate, Level, equivalent, fewest_unpaired, unpaired_ratio};

/// Every case of two runs of one scenario, and what a slower one is measured by.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes {
    /// The share by which a ratio may grow: 0.05 for 5 %.
    pub threshold: f64,
    /// Cases that both runs have a ratio of. The intervals of all of them hold together with 95 %: half of the error is
    /// that of whole jobs, half that of single steps.
    pub compared: usize,
    /// By subject, edit and topology, as the base run has them; what only the new one has comes last.
    pub list: Vec<Change>,
}

/// One topology in one case, against the baseline of its own run, in both runs. A slowdown of the whole machine slows
/// the baseline too, and is none of a topology.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Index into the arms, which both runs have alike.
    pub topology: usize,
    pub case: CaseKey,
    /// `topology / baseline` within the base run; empty where no block has both.
    pub base: Option<Estimate>,
    /// The same within the new run.
    pub new: Option<Estimate>,
    /// `new / base`, of two independent samples: no block of one run belongs to one of the other. Its interval is one
    /// of as many that hold together.
    pub change: Option<Estimate>,
    /// Empty where the change has no interval.
    pub verdict: Option<Verdict>,
    /// Whether the whole interval lies above 1 + threshold.
    pub regression: bool,
}

/// Why a comparison of two runs could find no regression, however large.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecidable {
    #[error("no topology has a valid value beside the baseline's in both runs")]
    NothingShared,
    #[error(
        "{compared} cases are compared, and the most blocks that one has are {base} in BASE and {new} in NEW: too few for \
         an interval, so that no regression could be found, however large"
    )]
    TooFewBlocks { compared: usize, base: usize, new: usize, needed: usize },
}

/// Compares the elapsed times of two runs whose arms are the same.
///
/// # Errors
/// Nothing can be decided: a gate that cannot close is none.
pub fn changes(base: &Analysis, new: &Analysis, threshold: f64) -> Result<Changes, Undecidable> {
    let pairs = paired_cases(base, new);
    let levels = Levels::of(&pairs);
    let compared = levels.jobs + levels.steps;
    if compared == 0 {
        return Err(Undecidable::NothingShared);
    }
    let list: Vec<Change> =
        pairs.iter().filter_map(|pair| Change::between(pair, levels.of_case(&known(pair)?.case), threshold)).collect();
    if list.iter().all(|change| change.verdict.is_none()) {
        let most = |run: fn(&Change) -> Option<Estimate>| list.iter().filter_map(run).map(|ratio| ratio.n).max();
        return Err(Undecidable::TooFewBlocks {
            compared,
            base: most(|change| change.base).unwrap_or(0),
            new: most(|change| change.new).unwrap_or(0),
            needed: levels.fewest(),
        });
    }
    Ok(Changes { threshold, compared, list })
}

/// A case in the base run and in the new one.
type Pair<'a> = (Option<&'a Comparison>, Option<&'a Comparison>);

/// How many cases of each kind both runs have a ratio of, which says how sure each interval must be. Whole jobs are a kind
/// of their own, for a job has many steps: among them it would be one of so many that hardly a slowdown would be shown.
struct Levels {
    jobs: usize,
    steps: usize,
}

impl Levels {
    fn of(pairs: &[Pair]) -> Self {
        let shared: Vec<&Comparison> = pairs
            .iter()
            .filter_map(|(base, new)| base.filter(|base| base.ratio.is_some() && new.is_some_and(has_ratio)))
            .collect();
        let jobs = shared.iter().filter(|one| one.case.subject == Subject::Job).count();
        Self { jobs, steps: shared.len() - jobs }
    }

    fn of_case(&self, case: &CaseKey) -> Level {
        Self::of_half(if case.subject == Subject::Job { self.jobs } else { self.steps })
    }

    /// The level of each of so many intervals which fail to hold together in at most half of 5 %.
    fn of_half(cases: usize) -> Level {
        Level::Joint95(NonZeroUsize::new(2 * cases).unwrap_or(NonZeroUsize::MIN))
    }

    /// The fewest blocks of which some case has an interval.
    fn fewest(&self) -> usize {
        let kinds = [self.jobs, self.steps].into_iter().filter(|cases| *cases > 0);
        kinds.map(|cases| fewest_unpaired(Self::of_half(cases))).min().unwrap_or(0)
    }
}

fn known<'a>((base, new): &Pair<'a>) -> Option<&'a Comparison> {
    base.or(*new)
}

/// The comparisons with the baseline that either run has.
fn paired_cases<'a>(base: &'a Analysis, new: &'a Analysis) -> Vec<Pair<'a>> {
    let same = |one: &Comparison, other: &Comparison| (one.topology, &one.case) == (other.topology, &other.case);
    let mut pairs: Vec<_> =
        against_baseline(base).map(|one| (Some(one), against_baseline(new).find(|other| same(one, other)))).collect();
    let only_new = against_baseline(new).filter(|one| !against_baseline(base).any(|other| same(one, other)));
    pairs.extend(only_new.map(|one| (None, Some(one))));
    pairs
}

fn against_baseline(run: &Analysis) -> impl Iterator<Item = &Comparison> {
    let gates = |one: &&Comparison| one.reference == run.baseline && one.metric == Metric::ElapsedNs;
    run.comparisons.iter().filter(gates)
}

fn has_ratio(comparison: &Comparison) -> bool {
    comparison.ratio.is_some()
}

impl Changes {
    pub fn regressions(&self) -> impl Iterator<Item = &Change> {
        self.list.iter().filter(|change| change.regression)
    }

    /// Cases in which a regression would not be found: a run has no ratio, or too few blocks for an interval.
    pub fn undecided(&self) -> usize {
        self.list.iter().filter(|change| change.verdict.is_none()).count()
    }
}

impl Change {
    /// Empty where neither run has the case.
    fn between(pair: &Pair, level: Level, threshold: f64) -> Option<Self> {
        let (known, (base, new)) = (known(pair)?, *pair);
        let change = base.zip(new).and_then(|(base, new)| unpaired_ratio(&ratios(base), &ratios(new), level).ok());
        let interval = change.and_then(|change| change.interval);
        Some(Self {
            topology: known.topology,
            case: known.case.clone(),
            base: base.and_then(|base| base.ratio),
            new: new.and_then(|new| new.ratio),
            change,
            verdict: interval.map(|interval| Verdict::of(&interval, || equivalent(&interval, threshold))),
            regression: interval.is_some_and(|interval| interval.low > 1.0 + threshold),
        })
    }
}

/// One ratio per block.
fn ratios(comparison: &Comparison) -> Vec<f64> {
    comparison.pairs.iter().map(|(topology, baseline)| topology / baseline).collect()
}
