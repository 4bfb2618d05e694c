//! What the numbers mean for a choice: each topology by what it takes, and which of them no other one beats.

use std::collections::BTreeMap;

use strum::VariantArray as _;

use super::comparison::in_pairs;
use super::paired::Paired;
use super::{Analysis, CaseKey, Metric, Point, Subject};
use crate::case::Edit;
use crate::stats::{EQUIVALENCE_MARGIN, Estimate, Interval, Level, Ordered, mean};

/// One topology. Values are means over the jobs of the sequence; empty where one of the jobs has none. The time is what a
/// bill adds up, so it is a mean over the blocks too; of the others, each job is its median over the blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub topology: usize,
    /// Of a whole job, in nanoseconds, with the interval of the bootstrap, which of few blocks covers less than its level; of
    /// the blocks in which every job counts.
    pub elapsed_ns: Option<Estimate>,
    /// Of its start alone.
    pub start_ns: Option<f64>,
    /// That a job pulls. Empty too of one that pulls before the first job, where nothing is counted.
    pub bytes_pulled: Option<f64>,
    /// After the last job; above [`Choices::unused_bytes`], where these are known.
    pub disk_bytes: Option<f64>,
    /// Samples that failed.
    pub failures: usize,
    /// A topology that is better in something and in nothing worse, and what it is better in; empty where there is none.
    pub beaten_by: Option<(usize, Vec<Axis>)>,
}

/// What topologies are chosen by; less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::VariantArray)]
pub enum Axis {
    #[strum(serialize = "time")]
    Time,
    #[strum(serialize = "bytes pulled")]
    Pulled,
    #[strum(serialize = "disk")]
    Disk,
    #[strum(serialize = "failures")]
    Failures,
}

impl Choice {
    pub fn value(&self, axis: Axis) -> Option<f64> {
        match axis {
            Axis::Time => self.elapsed_ns.map(|time| time.point),
            Axis::Pulled => self.bytes_pulled,
            Axis::Disk => self.disk_bytes,
            Axis::Failures => Some(self.failures as f64),
        }
    }

    /// In what it is better than another one; empty where it is worse in anything. Less than the margin of equivalence is no
    /// difference; what one of them has no value of says nothing.
    fn better_than(&self, other: &Self) -> Vec<Axis> {
        let less = |one: &Self, other: &Self, axis| {
            one.value(axis).zip(other.value(axis)).is_some_and(|(a, b)| a * (1.0 + EQUIVALENCE_MARGIN) < b)
        };
        let those = |one: &Self, other: &Self| -> Vec<Axis> {
            Axis::VARIANTS.iter().copied().filter(|axis| less(one, other, *axis)).collect()
        };
        if those(other, self).is_empty() { those(self, other) } else { Vec::new() }
    }
}

/// All topologies of a run, each once.
#[derive(Clone, Debug)]
pub struct Choices {
    /// In the order of the topologies.
    pub list: Vec<Choice>,
    /// What was on the disk before the first job, of the topology with the least of it: no job's doing. Empty where one of
    /// them does not tell.
    pub unused_bytes: Option<f64>,
    jobs: Vec<u32>,
    /// By topology.
    sums: Vec<Sums>,
}

/// For each job, block by block, its time and that of all jobs before it; of blocks in which every job counts.
type Sums = Vec<Vec<(u32, f64)>>;

impl Choices {
    pub fn of(analysis: &Analysis) -> Self {
        let checks = |topology: &usize| {
            let of_it = analysis.comparisons.iter().filter(|one| one.topology == *topology);
            of_it.into_iter().any(|one| one.contrast.checks())
        };
        let topologies: Vec<usize> = (0..analysis.arms.len()).filter(|topology| !checks(topology)).collect();
        let (medians, unused_bytes, sums) = (Medians::of(analysis), unused(analysis), sums(analysis));
        let choice = |topology: &usize| Choice {
            elapsed_ns: mean_job(&sums[*topology]),
            ..medians.choice(analysis, *topology, unused_bytes)
        };
        let list: Vec<Choice> = topologies.iter().map(choice).collect();
        let beaten = |one: &Choice| {
            let better = list.iter().map(|other| (other.topology, other.better_than(one)));
            better.into_iter().find(|(_, axes)| !axes.is_empty())
        };
        let list = list.iter().map(|one| Choice { beaten_by: beaten(one), ..one.clone() }).collect();
        Self { list, unused_bytes, jobs: analysis.jobs.keys().copied().collect(), sums }
    }

    /// The first job by whose end a topology is shown to have taken less time than another one, and goes on so to the end of the
    /// sequence, though its first job is shown to be slower: by the interval of the ratio, paired within blocks. Empty where that
    /// is not shown.
    pub fn overtakes(&self, topology: usize, other: usize) -> Option<u32> {
        let (mine, others) = (&self.sums[topology], &self.sums[other]);
        let after = |job: usize| -> Option<Interval> {
            let pairs: Vec<_> = in_pairs(&mine[job], &others[job]).into_iter().map(|(_, pair)| pair).collect();
            Paired::new(&pairs).ratio(Level::P95)?.interval
        };
        if self.jobs.is_empty() || after(0)?.low <= 1.0 {
            return None;
        }
        let ahead = |job: &usize| after(*job).is_some_and(|ratio| ratio.high < 1.0);
        (0..self.jobs.len()).rev().take_while(ahead).last().map(|job| self.jobs[job])
    }
}

/// Medians over the blocks, by topology and job number.
struct Medians {
    start: BTreeMap<(usize, u32), f64>,
    pulled: BTreeMap<(usize, u32), f64>,
    disk: BTreeMap<(usize, u32), f64>,
}

impl Medians {
    fn of(analysis: &Analysis) -> Self {
        let of = |subject: &Subject, metric| medians(analysis.measured(subject, metric));
        Self {
            start: analysis.start().map(|start| of(start, Metric::ElapsedNs)).unwrap_or_default(),
            pulled: of(&Subject::Job, Metric::BytesPulled),
            disk: of(&Subject::Job, Metric::DiskBytes),
        }
    }

    /// Without its time.
    fn choice(&self, analysis: &Analysis, topology: usize, unused_bytes: Option<f64>) -> Choice {
        let failures = analysis.failures.iter().filter(|failure| failure.topology == topology);
        let counted = !analysis.arms[topology].pulls_beforehand();
        let last = analysis.jobs.keys().last().and_then(|job| self.disk.get(&(topology, *job)));
        let mean = |values: &BTreeMap<_, f64>| {
            let each: Option<Vec<f64>> =
                analysis.jobs.keys().map(|job| values.get(&(topology, *job)).copied()).collect();
            each.filter(|each| !each.is_empty()).map(|each| each.iter().sum::<f64>() / each.len() as f64)
        };
        Choice {
            topology,
            elapsed_ns: None,
            start_ns: mean(&self.start),
            bytes_pulled: mean(&self.pulled).filter(|_| counted),
            disk_bytes: last.map(|bytes| bytes - unused_bytes.unwrap_or(0.0)),
            failures: failures.map(|failure| failure.count).sum(),
            beaten_by: None,
        }
    }
}

fn sums(analysis: &Analysis) -> Vec<Sums> {
    let mut sums = vec![vec![Vec::new(); analysis.jobs.len()]; analysis.arms.len()];
    for trial in analysis.trials().iter().filter(|trial| trial.whole()) {
        let of_jobs = sums[trial.topology].iter_mut().zip(trial.sums());
        of_jobs.for_each(|(sums, sum)| sums.push((trial.block, sum)));
    }
    sums
}

/// The mean time of a job, from that of each block.
fn mean_job(sums: &Sums) -> Option<Estimate> {
    /// Any will do, as long as the same rows give the same report.
    const SEED: u64 = 16;
    let means = sums.last()?.iter().map(|(_, sum)| sum / sums.len() as f64);
    mean(&Ordered::new(means).ok()?, Level::P95, SEED).ok()
}

/// What is on the disk before the first job, of the topology with the least; empty where one does not tell.
fn unused(analysis: &Analysis) -> Option<f64> {
    let first = CaseKey { subject: Subject::Job, edit: Edit::First };
    let cells = |metric| analysis.cells.iter().filter(move |cell| cell.metric == metric);
    let centre = |metric, topology| {
        cells(metric).find(|cell| (cell.topology, &cell.case) == (topology, &first))?.summary.centre()
    };
    let ends = cells(Metric::DiskBytes).filter(|cell| cell.case == first);
    let before: Option<Vec<f64>> =
        ends.map(|cell| Some(cell.summary.centre()? - centre(Metric::DiskDeltaBytes, cell.topology)?)).collect();
    before?.into_iter().reduce(f64::min)
}

fn medians<'a>(points: impl Iterator<Item = &'a Point>) -> BTreeMap<(usize, u32), f64> {
    let mut values: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for point in points {
        values.entry((point.topology, point.job)).or_default().push(point.value);
    }
    values.into_iter().filter_map(|(place, values)| Some((place, Ordered::new(values).ok()?.median()))).collect()
}
