//! Claims that a scenario's samples decide: what each topology showed, from the files of its run.

use std::collections::BTreeMap;

use super::{Measured, MeasuredArm, Observations, Observed, Procedure, Tried, Value, ledger};
use crate::analysis::{AnalyseError, Analysis, CaseKey, Comparison, Metric, Subject, Summary};
use crate::case::{Edit, Op, Status};
use crate::record::{RunDir, Sample};
use crate::stats::{FORESEEN_NOISE, Interval, Level, foreseen_half_width};

/// In the names of what is a ratio.
const RATIO: &str = "_ratio_";

/// What every topology of a run showed:
/// - `cached_share`: of the instructions of a later job's builds, with nothing changed, those that were cached;
/// - `pulled_share`: bytes that a later job pulled with nothing changed, as a part of those of the baseline's first job;
/// - `job_ratio_EDIT`, `job_ratio_90_EDIT`: time of a job against the baseline's, intervals of 95 % and 90 %;
/// - `pull_ratio_EDIT`, `pull_ratio_90_EDIT`, `build_ratio_EDIT`, `build_ratio_90_EDIT`: the same of a job's pull and of its build,
///   where it has one;
/// - `volumes_leaked`: the most volumes that were left at a job's end;
/// - `failed`: steps that failed.
///
/// Shares are ranges from the least block to the largest, of the attempts that count. What has no value is not among them.
///
/// # Errors
/// The files cannot be read or are not of one run.
pub fn observe(run: &RunDir) -> Result<BTreeMap<String, Observations>, AnalyseError> {
    let analysis = Analysis::of(run)?;
    let samples: Vec<Sample> = run.samples()?.collect::<Result<_, _>>()?;
    let first_pull = ends(&analysis, analysis.baseline, Metric::BytesPulled, Edit::First).map(|(_, most)| most);
    let mut observed = BTreeMap::new();
    for (index, arm) in analysis.arms.iter().enumerate() {
        let mut of_arm = Observations::new();
        let mine = || samples.iter().filter(|sample| !sample.warmup && sample.topology.as_str() == arm.name);
        let unchanged = |metric| ends(&analysis, index, metric, Edit::None);
        let shares = [
            ("cached_share", share(unchanged(Metric::InstructionsCached), instructions(mine()))),
            ("pulled_share", share(unchanged(Metric::BytesPulled), first_pull)),
        ];
        of_arm.extend(shares.into_iter().filter_map(|(name, share)| Some((name.to_owned(), share?))));
        let against = analysis.comparisons.iter().filter(|one| {
            one.metric == Metric::ElapsedNs && one.topology == index && one.reference == analysis.baseline
        });
        of_arm.extend(against.flat_map(ratios));
        if let Some(leaked) = mine().filter_map(|sample| sample.volumes_leaked).max() {
            of_arm.insert("volumes_leaked".to_owned(), Value::exactly(f64::from(leaked)));
        }
        // An invalid step says nothing of its topology, and its trial was run again.
        let failed = mine().filter(|sample| matches!(sample.status, Status::Failed | Status::Timeout)).count();
        of_arm.insert("failed".to_owned(), Value::exactly(failed as f64));
        observed.insert(arm.name.clone(), of_arm);
    }
    Ok(observed)
}

impl Measured {
    /// The arms of a claim with what its scenario's topologies showed, or why it could not be measured.
    pub fn tried(&self, shown: &Result<BTreeMap<String, Observations>, String>) -> Vec<Tried> {
        let observed = |topology: &str| match shown {
            Ok(arms) => Observed::Repetitions(arms.get(topology).cloned().into_iter().collect()),
            Err(how) => Observed::Absent(how.clone()),
        };
        let tried = |arm: &MeasuredArm| Tried {
            arm: arm.topology.clone(),
            control: arm.control,
            holds: arm.holds.clone(),
            observed: observed(&arm.topology),
        };
        self.arms.iter().map(tried).collect()
    }
}

/// Why a condition on ratios asks for more than so many blocks can show on a machine that is fit for measuring; nothing where
/// none does. It is known before anything is measured.
pub fn too_narrow(measured: &Measured, blocks: u32) -> Option<String> {
    let foreseen = foreseen_half_width(blocks, FORESEEN_NOISE);
    let refused = margins(measured).find(|(_, margin)| foreseen.is_none_or(|width| width > *margin));
    refused.map(|(name, margin)| {
        let width = foreseen.map_or("no interval".to_owned(), |width| format!("±{:.1} %", width * 100.0));
        format!("a margin of {:.1} % for {name} is below what {blocks} blocks can show: {width}", margin * 100.0)
    })
}

/// How closely the ratios of a scenario on which claims rest are to be known, as a part of them: to the least margin that any
/// of them asks for. A ratio that is known less closely could not be told from that margin even where it is 1. Empty where none
/// asks for one.
pub fn precision(scenario: &str) -> Option<f64> {
    let resting = ledger().into_iter().filter_map(|claim| match claim.procedure {
        Procedure::Measured(measured) if measured.scenario == scenario => Some(measured),
        _ => None,
    });
    resting.flat_map(|measured| margins(&measured).map(|(_, margin)| margin).collect::<Vec<_>>()).reduce(f64::min)
}

/// The conditions on ratios that have one.
fn margins(measured: &Measured) -> impl Iterator<Item = (&str, f64)> {
    let conditions = measured.arms.iter().flat_map(|arm| &arm.holds).filter(|(name, _)| name.contains(RATIO));
    conditions.filter_map(|(name, condition)| Some((name.as_str(), condition.margin()?)))
}

/// The least and the largest value that a block has of whole jobs.
fn ends(analysis: &Analysis, topology: usize, metric: Metric, edit: Edit) -> Option<(f64, f64)> {
    let case = CaseKey { subject: Subject::Job, edit };
    let cell =
        analysis.cells.iter().find(|cell| (cell.topology, cell.metric) == (topology, metric) && cell.case == case);
    match cell?.summary {
        Summary::Missing => None,
        Summary::Constant { value, .. } => Some((value, value)),
        Summary::Median { min, max, .. } => Some((min, max)),
    }
}

/// Instructions of all builds of one job: each build has as many in every job.
fn instructions<'a>(samples: impl Iterator<Item = &'a Sample>) -> Option<f64> {
    let builds = samples.filter(|sample| sample.op == Op::Build);
    let of_each: BTreeMap<&str, u32> =
        builds.filter_map(|sample| Some((sample.step.as_str(), sample.instructions_total?))).collect();
    (!of_each.is_empty()).then(|| of_each.values().copied().map(f64::from).sum())
}

/// Both ends as parts of a whole; empty without them and without a whole.
fn share(ends: Option<(f64, f64)>, whole: Option<f64>) -> Option<Value> {
    let whole = whole.filter(|whole| *whole > 0.0)?;
    let (low, high) = ends?;
    Some(Value::Range { low: low / whole, high: high / whole })
}

/// The ratio of a job's times, or of its pull's or build's, with both intervals, where there are enough blocks for them.
fn ratios(comparison: &Comparison) -> Vec<(String, Value)> {
    let subject = match comparison.case.subject {
        Subject::Job => "job",
        Subject::Step { op: Op::Pull, .. } => "pull",
        Subject::Step { op: Op::Build, .. } => "build",
        Subject::Step { .. } => return Vec::new(),
    };
    let edit = comparison.case.edit;
    let wide = comparison.ratio.and_then(|estimate| estimate.interval);
    let narrow = comparison.ratio_at(Level::P90).and_then(|estimate| estimate.interval);
    let named = [(format!("{subject}_ratio_{edit}"), wide), (format!("{subject}_ratio_90_{edit}"), narrow)];
    let value = |(name, interval): (String, Option<Interval>)| {
        let interval = interval?;
        Some((name, Value::Range { low: interval.low, high: interval.high }))
    };
    named.into_iter().filter_map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_below_what_the_blocks_can_show_is_refused() {
        let claim = |condition: &str| Measured {
            scenario: "cache".to_owned(),
            arms: vec![MeasuredArm {
                topology: "keep".to_owned(),
                control: false,
                holds: BTreeMap::from([("job_ratio_90_none".to_owned(), condition.parse().unwrap())]),
            }],
        };
        let refused = too_narrow(&claim("0.952 to 1.05"), 7).expect("a reason");
        assert_eq!(refused, "a margin of 5.0 % for job_ratio_90_none is below what 7 blocks can show: ±6.9 %");
        assert_eq!(too_narrow(&claim("0.952 to 1.05"), 12), None);
        assert!(too_narrow(&claim("> 1.2"), 5).is_some_and(|reason| reason.ends_with("no interval")));
        assert_eq!(too_narrow(&claim("> 1.2"), 7), None);
        // That something is a difference at all has no margin.
        assert_eq!(too_narrow(&claim("> 1"), 7), None);
    }

    /// By hand: C18 and C34 have an end at 1.2, and S10 one of 0.87, whose inverse is 1.149425.
    #[test]
    fn a_scenario_is_measured_as_closely_as_its_claims_ask() {
        let closely = |scenario| precision(scenario).map(|margin| (margin * 1e6).round() / 1e6);
        assert_eq!(["cache", "rootless", "no such"].map(closely), [Some(0.2), Some(0.149_425), None]);
    }

    #[test]
    fn a_share_is_a_range_of_what_was_seen() {
        assert_eq!(share(Some((3.0, 6.0)), Some(10.0)), Some(Value::Range { low: 0.3, high: 0.6 }));
        let one = Some((1.0, 1.0));
        assert_eq!((share(None, Some(10.0)), share(one, None), share(one, Some(0.0))), (None, None, None));
    }
}
