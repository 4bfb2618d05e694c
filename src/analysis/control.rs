//! What a run says of itself: how often the intervals of ratios that are known hold them.

use super::{Comparison, Contrast, Metric, Subject};
use crate::analysis::Arm;
use crate::stats::{Level, likely_counts};

/// The ratios of steps of a topology and its copy: all of them are known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SelfCheck {
    /// 1 for a copy as it is, 1.1 for one that is lengthened by a tenth.
    pub expected: f64,
    /// Ratios that have an interval.
    pub ratios: usize,
    /// Of these, how many intervals hold the expected ratio.
    pub held: usize,
    /// Between how many and how many do so with 99 % probability, if each does with its stated coverage and none depends on
    /// another. Steps of one trial share its luck, so these bounds are a little too narrow.
    pub likely: (usize, usize),
}

/// One for each known ratio, the least first. By step, for a job is the sum of them, and where there is an interval.
pub fn self_checks(arms: &[Arm], comparisons: &[Comparison]) -> Vec<SelfCheck> {
    let known = |one: &Comparison| match one.contrast {
        Contrast::Repeat => Some(1.0),
        Contrast::Control => Some(1.0 + arms[one.topology].parameter("delay")?.parse::<f64>().ok()?),
        _ => None,
    };
    let steps = comparisons.iter().filter(|one| one.metric == Metric::ElapsedNs && one.case.subject != Subject::Job);
    let mut found: Vec<(f64, bool, f64)> = steps
        .filter_map(|one| {
            let (expected, interval) = (known(one)?, one.ratio?.interval?);
            Some((expected, interval.holds(expected), interval.coverage))
        })
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found.chunk_by(|a, b| a.0 == b.0).filter_map(check).collect()
}

/// `found` are ratios with the same expectation: it, whether it is held, and the coverage of its interval.
fn check(found: &[(f64, bool, f64)]) -> Option<SelfCheck> {
    let coverage = found.iter().map(|(_, _, coverage)| coverage).sum::<f64>() / found.len() as f64;
    Some(SelfCheck {
        expected: found.first()?.0,
        ratios: found.len(),
        held: found.iter().filter(|(_, held, _)| *held).count(),
        likely: likely_counts(found.len(), coverage, Level::P99)?,
    })
}
