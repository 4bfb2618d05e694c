//! How values, intervals and ratios are put into words.

use super::shown::shown;
use crate::analysis::{Analysis, CaseKey, Cell, Metric, Subject, Summary};
use crate::stats::{Estimate, Interval};
use crate::units;

/// A value of a metric with its unit.
pub(super) fn value(metric: Metric, value: f64) -> String {
    match metric {
        Metric::ElapsedNs | Metric::UploadNs | Metric::ExportNs | Metric::CpuNs => units::nanos(value),
        Metric::BytesPulled
        | Metric::BytesPushed
        | Metric::DiskDeltaBytes
        | Metric::DiskBytes
        | Metric::PeakMemoryBytes
        | Metric::IoReadBytes
        | Metric::IoWriteBytes => units::bytes(value),
        Metric::InstructionsCached => format!("{}", (value * 10.0).round() / 10.0),
    }
}

/// What a metric is called in a heading.
pub(super) fn metric(metric: Metric) -> &'static str {
    match metric {
        Metric::ElapsedNs => "elapsed",
        Metric::UploadNs => "until the first instruction",
        Metric::ExportNs => "image export",
        Metric::BytesPulled => "pulled",
        Metric::BytesPushed => "pushed",
        Metric::DiskDeltaBytes => "disk growth",
        Metric::DiskBytes => "disk in use",
        Metric::CpuNs => "CPU time",
        Metric::PeakMemoryBytes => "peak memory",
        Metric::IoReadBytes => "read from disk",
        Metric::IoWriteBytes => "written to disk",
        Metric::InstructionsCached => "instructions cached",
    }
}

/// What a step, or the whole job, is called.
pub(super) fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Job => "job".to_owned(),
        // The implicit steps are called like their operation.
        Subject::Step { op, name } if *name == op.to_string() => name.clone(),
        Subject::Step { op, name } => format!("{op} {}", shown(name)),
    }
}

pub(super) fn blocks(n: usize) -> String {
    if n == 1 { "1 block".to_owned() } else { format!("{n} blocks") }
}

pub(super) fn runs(n: usize) -> String {
    if n == 1 { "one run".to_owned() } else { format!("{n} runs") }
}

/// A coverage probability in per cent, rounded down: an interval never claims more than it has.
pub(super) fn coverage(probability: f64) -> String {
    format!("{:.1} %", (probability * 1000.0 + 1e-9).floor() / 10.0)
}

/// The centre with its unit, `no data` where there is none.
pub(super) fn centre_text(metric: Metric, summary: &Summary) -> String {
    summary.centre().map_or_else(|| "no data".to_owned(), |centre| value(metric, centre))
}

/// What is known about the centre's uncertainty; empty where there is no centre.
pub(super) fn spread_text(metric: Metric, summary: &Summary) -> String {
    match summary {
        Summary::Missing => String::new(),
        Summary::Constant { n, .. } if *n > 1 => format!("constant in {}", blocks(*n)),
        Summary::Constant { n, .. } => format!("no interval, {}", blocks(*n)),
        Summary::Median { estimate, .. } => match estimate.interval {
            None => format!("no interval, {}", blocks(estimate.n)),
            Some(interval) => {
                let range = range(value(metric, interval.low), value(metric, interval.high));
                format!("{range} ({} CI)", coverage(interval.coverage))
            }
        },
    }
}

/// `1.38–1.47 s`; both units where they differ.
pub(super) fn range(low: String, high: String) -> String {
    match (low.rsplit_once(' '), high.rsplit_once(' ')) {
        // "1 min 01 s" has two units: it stays whole.
        (Some((number, unit)), Some((_, other)))
            if unit == other && !number.contains(' ') && !high.contains(" min ") =>
        {
            format!("{number}–{high}")
        }
        _ => format!("{low}–{high}"),
    }
}

/// A ratio and its interval, with as many decimals as it takes to tell the bounds apart from each other and from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RatioText {
    /// `1.42×`
    pub(super) point: String,
    /// `1.38–1.47`
    pub(super) range: Option<String>,
    /// `98.4 % CI 1.38–1.47`, or `no interval`.
    pub(super) interval: String,
}

pub(super) fn ratio(estimate: &Estimate) -> RatioText {
    let decimals = decimals(estimate);
    let number = |value: f64| if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.decimals$}") };
    let range = estimate.interval.map(|Interval { low, high, .. }| format!("{}–{}", number(low), number(high)));
    let interval = match (&range, estimate.interval) {
        (Some(range), Some(interval)) => format!("{} CI {range}", coverage(interval.coverage)),
        _ => "no interval".to_owned(),
    };
    RatioText { point: format!("{}×", number(estimate.point)), range, interval }
}

fn decimals(estimate: &Estimate) -> usize {
    let ambiguous = |decimals: usize| {
        let shown = |value: f64| format!("{value:.decimals$}");
        let merged = |a: f64, b: f64| a != b && shown(a) == shown(b);
        let vanished = estimate.point > 0.0 && estimate.point < 10f64.powi(1 - decimals as i32);
        let bounds = estimate.interval.is_some_and(|Interval { low, high, .. }| {
            merged(low, high) || (low > 1.0 && merged(low, 1.0)) || (high < 1.0 && merged(high, 1.0))
        });
        vanished || bounds
    };
    (2..5).find(|decimals| !ambiguous(*decimals)).unwrap_or(5)
}

/// The one cell of a topology, case and metric.
pub(super) fn cell<'a>(analysis: &'a Analysis, topology: usize, case: &CaseKey, metric: Metric) -> Option<&'a Cell> {
    analysis.cells.iter().find(|cell| cell.topology == topology && cell.metric == metric && cell.case == *case)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Outliers;

    fn estimate(point: f64, bounds: Option<(f64, f64)>) -> Estimate {
        let interval = bounds.map(|(low, high)| Interval { low, high, coverage: 0.984_375 });
        Estimate { point, interval, n: 7 }
    }

    #[test]
    fn a_ratio_has_the_decimals_that_its_verdict_needs() {
        for (point, bounds, text, range) in [
            (1.4231, Some((1.38, 1.47)), "1.42×", Some("1.38–1.47")),
            (1.003, Some((1.001, 1.005)), "1.003×", Some("1.001–1.005")),
            (0.0042, Some((0.004, 0.0044)), "0.0042×", Some("0.0040–0.0044")),
            (1.0, Some((1.0, 1.0)), "1.00×", Some("1.00–1.00")),
            (143.2, Some((99.5, 201.4)), "143×", Some("99.50–201")),
            (2.0, None, "2.00×", None),
        ] {
            let words = ratio(&estimate(point, bounds));
            assert_eq!((words.point.as_str(), words.range.as_deref()), (text, range));
        }
        assert_eq!(ratio(&estimate(2.0, None)).interval, "no interval");
        assert_eq!(ratio(&estimate(1.4, Some((1.3, 1.5)))).interval, "98.4 % CI 1.30–1.50");
    }

    #[test]
    fn coverage_is_never_rounded_up() {
        assert_eq!(coverage(0.95), "95.0 %");
        assert_eq!(coverage(0.99999), "99.9 %");
    }

    #[test]
    fn a_range_names_a_shared_unit_once() {
        assert_eq!(range("1.38 s".into(), "1.47 s".into()), "1.38–1.47 s");
        assert_eq!(range("950 ms".into(), "1.02 s".into()), "950 ms–1.02 s");
        assert_eq!(range("59.1 s".into(), "1 min 01 s".into()), "59.1 s–1 min 01 s");
        assert_eq!(range("1 min 01 s".into(), "1 min 05 s".into()), "1 min 01 s–1 min 05 s");
        assert_eq!(range("3".into(), "4".into()), "3–4");
    }

    #[test]
    fn a_centre_without_interval_says_so() {
        let few = Summary::Median {
            estimate: Estimate { point: 1.5e9, interval: None, n: 3 },
            min: 1e9,
            max: 2e9,
            mad: 1e8,
            quartiles: (1.2e9, 1.8e9),
            outliers: Outliers { mild: 0, severe: 0, far: None },
        };
        assert_eq!(spread_text(Metric::ElapsedNs, &few), "no interval, 3 blocks");
        assert_eq!(spread_text(Metric::BytesPulled, &Summary::Constant { value: 0.0, n: 7 }), "constant in 7 blocks");
        assert_eq!(centre_text(Metric::ElapsedNs, &Summary::Missing), "no data");
    }
}
