//! What a run says of itself: a topology that stands in it more than once, as it is or lengthened by a known part.

use super::shown::shown;
use super::words::ratio;
use crate::analysis::{Analysis, Comparison, Contrast, SelfCheck, Verdict, self_checks};
use crate::stats::{Estimate, FORESEEN_NOISE, Interval, foreseen_half_width};

fn of_jobs(analysis: &Analysis, contrast: Contrast) -> impl Iterator<Item = &Comparison> {
    analysis.comparisons.iter().filter(move |one| one.contrast == contrast && one.of_jobs())
}

fn names(analysis: &Analysis, one: &Comparison) -> (String, String) {
    (shown(&analysis.arms[one.topology].name), shown(&analysis.arms[one.reference].name))
}

/// How far from 1 a ratio may be by its interval, as a part of 1, whichever way.
fn reach(interval: Interval) -> f64 {
    interval.low.ln().abs().max(interval.high.ln().abs()).exp_m1()
}

/// The ratio of equal jobs whose interval reaches farthest from 1, and how far.
fn floor(analysis: &Analysis) -> Option<(&Comparison, f64)> {
    of_jobs(analysis, Contrast::Repeat)
        .filter_map(|one| Some((one, reach(one.ratio.as_ref()?.interval?))))
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
}

/// A sentence with the noise floor: the widest that an interval of equal things reaches from 1. Empty where nothing stands
/// in the run twice, or there are too few blocks for an interval.
pub(super) fn sentence(analysis: &Analysis) -> Option<String> {
    let (one, floor) = floor(analysis)?;
    let (name, base) = names(analysis, one);
    Some(format!(
        "{name} is {base} under another name, and by their intervals their jobs differ by up to {:.1} %: what differs by \
         less may be noise.{}",
        floor * 100.0,
        told(analysis, |check| check.expected == 1.0)
    ))
}

/// A sentence with what was seen of a topology that was lengthened by a known part. Empty as above.
pub(super) fn control(analysis: &Analysis) -> Option<String> {
    let ratios: Vec<(&Comparison, &Estimate, Interval)> = of_jobs(analysis, Contrast::Control)
        .filter_map(|one| Some((one, one.ratio.as_ref()?, one.ratio.as_ref()?.interval?)))
        .collect();
    let expected = expected(analysis, ratios.first()?.0)?;
    let (name, base) = names(analysis, ratios.first()?.0);
    let held = ratios.iter().filter(|(_, _, interval)| interval.holds(expected)).count();
    let each: Vec<String> =
        ratios.iter().map(|(one, estimate, _)| format!("{} {}", one.case.edit, ratio(estimate).point)).collect();
    Some(format!(
        "{name} is {base}, lengthened by {:.0} % in the client, and its jobs take as long as these, by their edits: {}; {held} \
         of {} intervals hold {expected}×.{}",
        (expected - 1.0) * 100.0,
        each.join(", "),
        ratios.len(),
        told(analysis, |check| check.expected != 1.0)
    ))
}

fn expected(analysis: &Analysis, one: &Comparison) -> Option<f64> {
    Some(1.0 + analysis.arms[one.topology].parameter("delay")?.parse::<f64>().ok()?)
}

/// How often the intervals of steps hold a ratio that is known.
fn told(analysis: &Analysis, which: impl Fn(&SelfCheck) -> bool) -> String {
    let checks = self_checks(&analysis.arms, &analysis.comparisons).into_iter().filter(|check| which(check));
    checks.map(|check| format!(" {}", self_check(&check))).collect()
}

/// How many intervals of steps hold a ratio that is known, and how many are likely to.
pub fn self_check(check: &SelfCheck) -> String {
    let SelfCheck { expected, ratios, held, .. } = check;
    let (low, high) = check.likely();
    format!(
        "Of {ratios} ratios of steps that are known to be {expected} the intervals of {held} hold it ({:.1} %); {low} to {high} \
         are likely.",
        *held as f64 / *ratios as f64 * 100.0
    )
}

/// Equal things that are shown to differ, a control that is not seen, and noise beyond what a run of so many blocks is
/// planned with: then nothing else in the run is as sure as it says.
pub(super) fn cautions(analysis: &Analysis) -> impl Iterator<Item = String> {
    let apart = of_jobs(analysis, Contrast::Repeat)
        .filter(|one| matches!(one.verdict, Some(Verdict::Slower | Verdict::Faster)))
        .filter_map(|one| {
            let ((name, base), ratio) = (names(analysis, one), ratio(one.ratio.as_ref()?));
            Some(format!(
                "Noisy run: {name} is {base} under another name, and its jobs after edit {} took {} as long ({}). One such \
                 pair in twenty comes out so by chance; otherwise the order or the machine favours one of them, and what \
                 differs by no more than these is no finding.",
                one.case.edit, ratio.point, ratio.interval
            ))
        });
    let unseen = of_jobs(analysis, Contrast::Control).filter_map(|one| {
        let (expected, estimate) = (expected(analysis, one)?, one.ratio.as_ref()?);
        let ((name, base), words) = (names(analysis, one), ratio(estimate));
        (!estimate.interval?.holds(expected)).then(|| {
            format!(
                "{name} is {base} lengthened by {:.0} %, and its jobs after edit {} took {} as long ({}): the run does not \
                 see what is known to be there. One such interval in twenty misses by chance.",
                (expected - 1.0) * 100.0,
                one.case.edit,
                words.point,
                words.interval
            )
        })
    });
    apart.chain(unseen).chain(noisier(analysis)).chain(unlikely(analysis))
}

/// A noise floor above what was to be expected of so many blocks.
fn noisier(analysis: &Analysis) -> Option<String> {
    let (_, floor) = floor(analysis)?;
    let foreseen = foreseen_half_width(u32::try_from(analysis.blocks).ok()?, FORESEEN_NOISE)?;
    (floor > foreseen).then(|| {
        format!(
            "Noisy run: equal jobs differ by up to {:.1} % by their intervals, and {} blocks on a machine whose times vary by \
             {:.0} % would have given {:.1} %. A quieter machine or more blocks would show smaller differences.",
            floor * 100.0,
            analysis.blocks,
            FORESEEN_NOISE * 100.0,
            foreseen * 100.0
        )
    })
}

/// Intervals that hold what is known less often than they say.
fn unlikely(analysis: &Analysis) -> impl Iterator<Item = String> {
    let checks = self_checks(&analysis.arms, &analysis.comparisons).into_iter();
    let few = checks.filter(|check| check.held < check.likely().0);
    few.map(|check| format!("{} So few are not: the intervals of this run are too narrow.", self_check(&check)))
}
