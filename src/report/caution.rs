//! What a reader must know before the numbers: the warnings of the run, and those that the data itself gives.

use std::collections::BTreeSet;

use super::shown::shown;
use super::{noise, steadiness};
use crate::analysis::{Analysis, Arm, Fallback};
use crate::record::RunRecord;

/// Below this many blocks no interval of 95 % exists: twice one half to the power of n is above 5 %.
const INTERVAL_FLOOR: usize = 6;

/// Sentences for the first screen, the run's own first.
pub(super) fn cautions(run: &RunRecord, analysis: &Analysis) -> Vec<String> {
    let mut cautions: Vec<String> = run.warnings.iter().map(|warning| shown(warning)).collect();
    cautions.extend(difference(&analysis.arms, "storage driver", |arm| &arm.storage_drivers));
    cautions.extend(difference(&analysis.arms, "engine version", |arm| &arm.engines));
    cautions.extend(difference(&analysis.arms, "builder", |arm| &arm.builders));
    cautions.extend(analysis.arms.iter().flat_map(fallbacks));
    if analysis.blocks < INTERVAL_FLOOR {
        cautions.push(format!(
            "Only {} measured: a 95 % interval exists from {INTERVAL_FLOOR} blocks on, so these numbers show no \
             difference and no equality.",
            if analysis.blocks == 1 { "1 block was".to_owned() } else { format!("{} blocks were", analysis.blocks) }
        ));
    }
    let width = analysis.half_width();
    let precise = run.precision.is_some_and(|goal| width.is_some_and(|width| width <= goal));
    if analysis.blocks < run.blocks as usize && !precise {
        cautions.push(format!("{} of {} planned blocks have data.", analysis.blocks, run.blocks));
    }
    cautions.extend(run.precision.filter(|_| !precise).map(|goal| imprecise(goal, width)));
    let failures: usize = analysis.failures.iter().map(|failure| failure.count).sum();
    if failures > 0 {
        let (samples, were) = if failures == 1 { ("sample", "is") } else { ("samples", "are") };
        cautions.push(format!(
            "{failures} {samples} failed, timed out or were invalid and {were} in no statistic: see Failures."
        ));
    }
    cautions.extend(noise::cautions(analysis));
    cautions.extend(steadiness::cautions(analysis));
    cautions
}

fn imprecise(goal: f64, width: Option<f64>) -> String {
    let percent = |part: f64| format!("±{:.1} %", part * 100.0);
    let reached =
        width.map_or_else(|| "one has no interval".to_owned(), |width| format!("the widest is {}", percent(width)));
    format!("Precision goal not met: every job's ratio was to be known to {}, and {reached}.", percent(goal))
}

/// An engine that was left the choice of its storage driver, and could not have a quick one.
fn fallbacks(arm: &Arm) -> impl Iterator<Item = String> {
    arm.fallbacks().map(|driver| {
        let how = match driver {
            Fallback::Vfs => "copies every layer whole",
            Fallback::FuseOverlayfs => "has a process of its own between a container and its files",
        };
        format!(
            "The engine of {} fell back to the storage driver {driver}, which {how}: where its data are it could have no \
             better one, and times and disk are those of this driver.",
            shown(&arm.name)
        )
    })
}

/// A property that should be the same in every topology, and is not.
fn difference(arms: &[Arm], what: &str, of: fn(&Arm) -> &Vec<String>) -> Option<String> {
    let different: BTreeSet<&String> = arms.iter().flat_map(of).collect();
    if different.len() < 2 {
        return None;
    }
    let by_arm: Vec<String> = arms
        .iter()
        .filter(|arm| !of(arm).is_empty())
        .map(|arm| {
            let values: Vec<String> = of(arm).iter().map(|value| shown(value)).collect();
            format!("{}: {}", shown(&arm.name), values.join(" and "))
        })
        .collect();
    Some(format!(
        "Not every topology ran with the same {what} ({}); a difference between them may come from that.",
        by_arm.join("; ")
    ))
}
