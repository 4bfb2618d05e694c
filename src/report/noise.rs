//! What equal things differ by: a topology that stands in a run twice.

use super::shown::shown;
use super::words::ratio;
use crate::analysis::{Analysis, Comparison, Contrast, Verdict};
use crate::stats::Interval;

fn repeats(analysis: &Analysis) -> impl Iterator<Item = &Comparison> {
    analysis.comparisons.iter().filter(|one| one.contrast == Contrast::Repeat && one.of_jobs())
}

/// How far from 1 a ratio may be by its interval, as a part of 1, whichever way.
fn floor(interval: Interval) -> f64 {
    interval.low.ln().abs().max(interval.high.ln().abs()).exp_m1()
}

/// A sentence with the noise floor: the widest that an interval of equal things reaches from 1. Empty where nothing stands
/// in the run twice, or there are too few blocks for an interval.
pub(super) fn sentence(analysis: &Analysis) -> Option<String> {
    let widest = repeats(analysis)
        .filter_map(|one| Some((one, floor(one.ratio.as_ref()?.interval?))))
        .max_by(|(_, one), (_, other)| one.total_cmp(other));
    let (one, floor) = widest?;
    Some(format!(
        "{} is {} under another name, and by their intervals their jobs differ by up to {:.1} %: what differs by less may be \
         noise.",
        shown(&analysis.arms[one.topology].name),
        shown(&analysis.arms[one.reference].name),
        floor * 100.0
    ))
}

/// Equal things that are shown to differ: then so may others be that do not.
pub(super) fn cautions(analysis: &Analysis) -> impl Iterator<Item = String> {
    let apart = repeats(analysis).filter(|one| matches!(one.verdict, Some(Verdict::Slower | Verdict::Faster)));
    apart.filter_map(|one| {
        let ratio = ratio(one.ratio.as_ref()?);
        Some(format!(
            "Noisy run: {} is {} under another name, and its jobs after edit {} took {} as long ({}). One such pair in twenty \
             comes out so by chance; otherwise the order or the machine favours one of them, and what differs by no more \
             than these is no finding.",
            shown(&analysis.arms[one.topology].name),
            shown(&analysis.arms[one.reference].name),
            one.case.edit,
            ratio.point,
            ratio.interval
        ))
    })
}
