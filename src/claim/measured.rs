//! Claims that a scenario's samples decide: what each topology showed, from the files of its run.

use std::collections::BTreeMap;

use super::{Measured, Observations, Value};
use crate::analysis::{AnalyseError, Analysis, Comparison, Metric, Subject};
use crate::case::{Edit, Op, Status};
use crate::record::{RunDir, Sample};
use crate::stats::{FORESEEN_NOISE, Interval, Level, foreseen_half_width, ratio};

/// In the names of what is a ratio.
const RATIO: &str = "_ratio_";

/// What every topology of a run showed:
/// - `cached_share`: of the instructions of all builds after the first job, with nothing changed, those that were cached;
/// - `pulled_share`: bytes that a later job pulled with nothing changed, as a part of those of the baseline's first job;
/// - `job_ratio_EDIT`, `job_ratio_90_EDIT`: time of a job against the baseline's, intervals of 95 % and 90 %;
/// - `pull_ratio_EDIT`, `pull_ratio_90_EDIT`: the same of a job's pull, where it has one;
/// - `volumes_leaked`: the most volumes that were left at a job's end;
/// - `failed`: steps that failed.
///
/// Shares are ranges from the least block to the largest. What has no value is not among them.
///
/// # Errors
/// The files cannot be read or are not of one run.
pub fn observe(run: &RunDir) -> Result<BTreeMap<String, Observations>, AnalyseError> {
    let analysis = Analysis::of(run)?;
    let samples: Vec<Sample> = run.samples()?.collect::<Result<_, _>>()?;
    let samples: Vec<&Sample> = samples.iter().filter(|sample| !sample.warmup).collect();
    let baseline = &run.record().baseline;
    let first_pull =
        mean(jobs(&samples, baseline, Edit::First, |sample| sample.bytes_pulled.map(|bytes| bytes as f64)));
    let mut observed = BTreeMap::new();
    for (index, arm) in analysis.arms.iter().enumerate() {
        let mut of_arm = Observations::new();
        let total = jobs(&samples, &arm.name, Edit::None, |sample| sample.instructions_total.map(f64::from));
        let unchanged = jobs(&samples, &arm.name, Edit::None, cached);
        let pulled = jobs(&samples, &arm.name, Edit::None, |sample| sample.bytes_pulled.map(|bytes| bytes as f64));
        let shares = [("cached_share", share(&unchanged, mean(total))), ("pulled_share", share(&pulled, first_pull))];
        of_arm.extend(shares.into_iter().filter_map(|(name, share)| Some((name.to_owned(), share?))));
        let against = analysis.comparisons.iter().filter(|one| {
            one.metric == Metric::ElapsedNs && one.topology == index && one.reference == analysis.baseline
        });
        of_arm.extend(against.flat_map(ratios));
        let mine = || samples.iter().filter(|sample| sample.topology.as_str() == arm.name);
        if let Some(leaked) = mine().filter_map(|sample| sample.volumes_leaked).max() {
            of_arm.insert("volumes_leaked".to_owned(), Value::exactly(f64::from(leaked)));
        }
        let failed = mine().filter(|sample| sample.status != Status::Ok).count();
        of_arm.insert("failed".to_owned(), Value::exactly(failed as f64));
        observed.insert(arm.name.clone(), of_arm);
    }
    Ok(observed)
}

/// Why a condition on ratios asks for more than so many blocks can show on a machine that is fit for measuring; nothing where
/// none does. It is known before anything is measured.
pub fn too_narrow(measured: &Measured, blocks: u32) -> Option<String> {
    let conditions = measured.arms.iter().flat_map(|arm| &arm.holds).filter(|(name, _)| name.contains(RATIO));
    let margins = conditions.filter_map(|(name, condition)| Some((name, condition.margin()?)));
    let foreseen = foreseen_half_width(blocks, FORESEEN_NOISE);
    let refused = margins.into_iter().find(|(_, margin)| foreseen.is_none_or(|width| width > *margin));
    refused.map(|(name, margin)| {
        let width = foreseen.map_or("no interval".to_owned(), |width| format!("±{:.1} %", width * 100.0));
        format!("a margin of {:.1} % for {name} is below what {blocks} blocks can show: {width}", margin * 100.0)
    })
}

fn cached(sample: &Sample) -> Option<f64> {
    (sample.op == Op::Build).then_some(sample.instructions_cached.map(f64::from)).flatten()
}

/// The sums of a number over the steps of each job of one kind.
fn jobs(samples: &[&Sample], topology: &str, edit: Edit, number: impl Fn(&Sample) -> Option<f64>) -> Vec<f64> {
    let mut sums: BTreeMap<(u32, u32, u32), f64> = BTreeMap::new();
    let of_kind = samples
        .iter()
        .filter(|sample| sample.topology.as_str() == topology && sample.edit == edit && sample.status == Status::Ok);
    for sample in of_kind {
        if let Some(number) = number(sample) {
            *sums.entry((sample.block, sample.attempt, sample.job)).or_default() += number;
        }
    }
    sums.into_values().collect()
}

fn mean(values: Vec<f64>) -> Option<f64> {
    let count = values.len() as f64;
    (count > 0.0).then(|| values.iter().sum::<f64>() / count)
}

/// From the least value to the largest, each as a part of a whole; empty without values and without a whole.
fn share(values: &[f64], whole: Option<f64>) -> Option<Value> {
    let whole = whole.filter(|whole| *whole > 0.0)?;
    let low = values.iter().copied().reduce(f64::min)? / whole;
    let high = values.iter().copied().reduce(f64::max)? / whole;
    Some(Value::Range { low, high })
}

/// The ratio of a job's times, or of its pull's, with both intervals, where there are enough blocks for them.
fn ratios(comparison: &Comparison) -> Vec<(String, Value)> {
    let subject = match comparison.case.subject {
        Subject::Job => "job",
        Subject::Step { op: Op::Pull, .. } => "pull",
        Subject::Step { .. } => return Vec::new(),
    };
    let edit = comparison.case.edit;
    let wide = comparison.ratio.and_then(|estimate| estimate.interval);
    let narrow = ratio(&comparison.pairs, Level::P90).ok().and_then(|estimate| estimate.interval);
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
    use crate::claim::MeasuredArm;

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

    #[test]
    fn a_share_is_a_range_of_what_was_seen() {
        assert_eq!(share(&[3.0, 6.0], Some(10.0)), Some(Value::Range { low: 0.3, high: 0.6 }));
        assert_eq!((share(&[], Some(10.0)), share(&[1.0], None), share(&[1.0], Some(0.0))), (None, None, None));
    }
}
