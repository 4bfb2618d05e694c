//! What runs say of themselves: how often the intervals of ratios that are known hold them.

use super::{Arm, Comparison, Contrast, Metric, Subject};
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
    /// With which probability they are to hold it, on average.
    pub coverage: f64,
}

impl SelfCheck {
    /// Between how many and how many intervals hold the ratio with 99 % probability, if each does with its coverage and none
    /// depends on another. Steps of one trial share its luck, so these bounds are a little too narrow.
    pub fn likely(&self) -> (usize, usize) {
        likely_counts(self.ratios, self.coverage, Level::P99).unwrap_or((0, self.ratios))
    }
}

/// One for each known ratio, the least first. By step, for a job is the sum of them, and where there is an interval.
pub fn self_checks(arms: &[Arm], comparisons: &[Comparison]) -> Vec<SelfCheck> {
    let known = |one: &Comparison| match one.contrast {
        Contrast::Repeat => Some(1.0),
        Contrast::Control => Some(1.0 + arms[one.topology].parameter("delay")?.parse::<f64>().ok()?),
        _ => None,
    };
    let steps = comparisons.iter().filter(|one| one.metric == Metric::ElapsedNs && one.case.subject != Subject::Job);
    let each = steps.filter_map(|one| {
        let (expected, interval) = (known(one)?, one.ratio?.interval?);
        let held = usize::from(interval.holds(expected));
        Some(SelfCheck { expected, ratios: 1, held, coverage: interval.coverage })
    });
    together(each.collect())
}

/// Those of the same ratio as one, such as those of several runs.
pub fn together(mut checks: Vec<SelfCheck>) -> Vec<SelfCheck> {
    checks.sort_by(|a, b| a.expected.total_cmp(&b.expected));
    let sum = |checks: &[SelfCheck]| {
        let ratios = checks.iter().map(|check| check.ratios).sum();
        let covered: f64 = checks.iter().map(|check| check.coverage * check.ratios as f64).sum();
        let held = checks.iter().map(|check| check.held).sum();
        SelfCheck { expected: checks[0].expected, ratios, held, coverage: covered / ratios as f64 }
    };
    checks.chunk_by(|a, b| a.expected == b.expected).map(sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expected: f64, ratios: usize, held: usize, coverage: f64) -> SelfCheck {
        SelfCheck { expected, ratios, held, coverage }
    }

    #[test]
    fn checks_of_several_runs_add_up_by_their_ratio() {
        let all = together(vec![check(1.1, 10, 9, 0.96), check(1.0, 30, 28, 0.95), check(1.1, 30, 29, 0.98)]);
        assert_eq!((all[0], all.len()), (check(1.0, 30, 28, 0.95), 2));
        assert_eq!((all[1].expected, all[1].ratios, all[1].held), (1.1, 40, 38));
        assert!((all[1].coverage - 0.975).abs() < 1e-12);
        assert_eq!(check(1.0, 200, 190, 0.95).likely(), (181, 197));
        assert_eq!(together(Vec::new()), []);
    }
}
