//! The measured columns that are compared, and how a job's value follows from its steps'.

use strum::VariantArray as _;

use crate::case::Op;
use crate::record::Observation;

/// A named column of samples.csv; the unit is in its name.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::Display, strum::VariantArray, strum::EnumString,
)]
#[strum(serialize_all = "snake_case")]
pub enum Metric {
    ElapsedNs,
    UploadNs,
    ExportNs,
    BytesPulled,
    BytesPushed,
    DiskDeltaBytes,
    DiskBytes,
    CpuNs,
    PeakMemoryBytes,
    IoReadBytes,
    IoWriteBytes,
    InstructionsCached,
}

impl Metric {
    /// Whether the metric is positive wherever it is measured, so that ratios of it make sense.
    pub fn has_ratio(self) -> bool {
        matches!(self, Self::ElapsedNs | Self::CpuNs | Self::PeakMemoryBytes)
    }

    fn of_sample(self, sample: &Observation) -> Option<f64> {
        let count = match self {
            Self::ElapsedNs => sample.elapsed_ns,
            Self::UploadNs => sample.upload_ns,
            Self::ExportNs => sample.export_ns,
            Self::BytesPulled => sample.bytes_pulled,
            Self::BytesPushed => sample.bytes_pushed,
            Self::DiskDeltaBytes => return sample.disk_delta_bytes.map(|bytes| bytes as f64),
            Self::DiskBytes => sample.disk_bytes,
            Self::CpuNs => sample.cpu_ns,
            Self::PeakMemoryBytes => sample.peak_memory_bytes,
            Self::IoReadBytes => sample.io_read_bytes,
            Self::IoWriteBytes => sample.io_write_bytes,
            Self::InstructionsCached => sample.instructions_cached.map(u64::from),
        };
        count.map(|count| count as f64)
    }

    /// The value of a whole job from those of its steps, in their order: the largest memory peak, the disk as the last
    /// step left it and what it grew by from before the first one, the sum of everything else. A step without a value leaves
    /// the job without one; only builds have phases and instructions.
    fn of_job<'a>(self, mut steps: impl DoubleEndedIterator<Item = (Op, &'a Measures)>) -> Option<f64> {
        match self {
            Self::DiskBytes => steps.next_back()?.1.get(self),
            // Contexts come between two steps and go with the job: a sum would miss the first and hold the second.
            Self::DiskDeltaBytes => {
                let first = steps.next()?.1;
                let last = steps.next_back().map_or(first, |(_, last)| last);
                Some(last.get(Self::DiskBytes)? - (first.get(Self::DiskBytes)? - first.get(self)?))
            }
            Self::PeakMemoryBytes => combine(steps.map(|(_, measures)| measures.get(self)), f64::max),
            Self::InstructionsCached | Self::UploadNs | Self::ExportNs => combine(
                steps.filter(|(op, _)| *op == Op::Build).map(|(_, measures)| measures.get(self)),
                |total, value| total + value,
            ),
            _ => combine(steps.map(|(_, measures)| measures.get(self)), |total, value| total + value),
        }
    }
}

/// Empty if there is no value, or if one is missing.
fn combine(mut values: impl Iterator<Item = Option<f64>>, with: impl Fn(f64, f64) -> f64) -> Option<f64> {
    let first = values.next()??;
    values.try_fold(first, |total, value| Some(with(total, value?)))
}

/// The metrics of a step or a job, by `Metric`. NaN stands for a missing one, which keeps a million of these small;
/// it is never seen outside. Counts are exact up to 2⁵³: 104 days of nanoseconds, 9 PB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measures([f64; Metric::VARIANTS.len()]);

impl Measures {
    pub fn of_sample(sample: &Observation) -> Self {
        Self::by_metric(|metric| metric.of_sample(sample))
    }

    /// `steps` are those of one job, in their order.
    pub fn of_job<'a>(steps: impl DoubleEndedIterator<Item = (Op, &'a Self)> + Clone) -> Self {
        Self::by_metric(|metric| metric.of_job(steps.clone()))
    }

    pub fn get(&self, metric: Metric) -> Option<f64> {
        let value = self.0[metric as usize];
        (!value.is_nan()).then_some(value)
    }

    fn by_metric(value: impl Fn(Metric) -> Option<f64>) -> Self {
        let mut measures = Self([f64::NAN; Metric::VARIANTS.len()]);
        for &metric in Metric::VARIANTS {
            measures.0[metric as usize] = value(metric).unwrap_or(f64::NAN);
        }
        measures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(metric: Metric, steps: &[(Op, Option<f64>)]) -> Option<f64> {
        let steps: Vec<_> = steps
            .iter()
            .map(|&(op, value)| (op, Measures::by_metric(|which| value.filter(|_| which == metric))))
            .collect();
        Measures::of_job(steps.iter().map(|(op, measures)| (*op, measures))).get(metric)
    }

    #[test]
    fn a_job_has_sums_a_peak_and_a_last_value() {
        let steps = [(Op::Start, Some(5.0)), (Op::Build, Some(7.0)), (Op::Stop, Some(-1.0))];
        assert_eq!(job(Metric::ElapsedNs, &steps), Some(11.0));
        assert_eq!(job(Metric::PeakMemoryBytes, &steps), Some(7.0));
        assert_eq!(job(Metric::DiskBytes, &steps), Some(-1.0));
    }

    /// 100 before it; a start adds 5, a context 200, a build 70, and with the stop the context goes.
    #[test]
    fn a_job_grows_the_disk_by_what_is_there_afterwards() {
        let step = |op, after: f64, delta: f64| {
            let of = |metric| match metric {
                Metric::DiskBytes => Some(after),
                Metric::DiskDeltaBytes => Some(delta),
                _ => None,
            };
            (op, Measures::by_metric(of))
        };
        let steps = [step(Op::Start, 105.0, 5.0), step(Op::Build, 375.0, 70.0), step(Op::Stop, 170.0, -205.0)];
        let growth = |steps: &[(Op, Measures)]| {
            Measures::of_job(steps.iter().map(|(op, measures)| (*op, measures))).get(Metric::DiskDeltaBytes)
        };
        assert_eq!(growth(&steps), Some(70.0));
        assert_eq!(growth(&steps[..1]), Some(5.0));
        let unknown = [steps[0], (Op::Stop, Measures::by_metric(|_| None))];
        assert_eq!(growth(&unknown), None);
    }

    #[test]
    fn one_missing_value_is_a_missing_total() {
        let steps = [(Op::Start, Some(5.0)), (Op::Run, None), (Op::Stop, Some(1.0))];
        for metric in [Metric::ElapsedNs, Metric::PeakMemoryBytes, Metric::BytesPulled] {
            assert_eq!(job(metric, &steps), None, "{metric}");
        }
        assert_eq!(job(Metric::DiskBytes, &steps), Some(1.0));
        assert_eq!(job(Metric::DiskBytes, &[(Op::Start, Some(5.0)), (Op::Stop, None)]), None);
    }

    #[test]
    fn only_builds_have_instructions_and_phases() {
        let steps = [(Op::Start, None), (Op::Build, Some(3.0)), (Op::Build, Some(4.0)), (Op::Stop, None)];
        for metric in [Metric::InstructionsCached, Metric::UploadNs, Metric::ExportNs] {
            assert_eq!(job(metric, &steps), Some(7.0));
            assert_eq!(job(metric, &[(Op::Build, Some(3.0)), (Op::Build, None)]), None);
            assert_eq!(job(metric, &[(Op::Start, None)]), None);
        }
    }
}
