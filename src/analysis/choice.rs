//! What the numbers mean for a choice: each topology by what it takes, and which of them no other one beats.

use std::collections::{BTreeMap, BTreeSet};

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use strum::VariantArray as _;

use super::comparison::in_pairs;
use super::paired::Paired;
use super::{Analysis, CaseKey, Metric, Point, Subject};
use crate::case::Edit;
use crate::stats::{EQUIVALENCE_MARGIN, Estimate, Interval, Level, Ordered, mean};

/// Fewer bytes are no difference to anyone: file systems and a harness's own files take as many.
pub const NEGLIGIBLE_BYTES: f64 = 1e6;

/// One topology. Values are means over the jobs of the sequence; empty where one of the jobs has none. The time is what a
/// bill adds up, so it is a mean over the blocks too; of the others, each job is its median over the blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub topology: usize,
    /// Jobs at the same time.
    pub at_once: usize,
    /// Of a whole job, in nanoseconds, with the interval of the bootstrap, which of few blocks covers less than its level; of
    /// the blocks in which every job counts.
    pub elapsed_ns: Option<Estimate>,
    /// Of its start alone.
    pub start_ns: Option<f64>,
    /// That a job pulls. Empty too of one that pulls before the first job, where nothing is counted.
    pub bytes_pulled: Option<f64>,
    /// After the last job; above [`Choices::unused_bytes`], where these are known.
    pub disk_bytes: Option<f64>,
    /// Samples that failed or timed out.
    pub failures: usize,
    /// A topology with as many jobs at once that takes less of something and more of nothing, and of what; empty where there is
    /// none.
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

    /// Whether its value is less than another one's by more than the margin of equivalence, and bytes by more than a few;
    /// what one of them has no value of says nothing.
    fn clearly_less(&self, other: &Self, axis: Axis) -> bool {
        let least = match axis {
            Axis::Pulled | Axis::Disk => NEGLIGIBLE_BYTES,
            Axis::Time | Axis::Failures => 0.0,
        };
        let values = self.value(axis).zip(other.value(axis));
        values.is_some_and(|(mine, others)| mine * (1.0 + EQUIVALENCE_MARGIN) < others && others - mine > least)
    }
}

/// All topologies of a run, each once.
#[derive(Clone, Debug)]
pub struct Choices {
    /// In the order of the topologies.
    pub list: Vec<Choice>,
    /// What was on the disk before the first job, of the topology with the least of it among those whose disk is known: no
    /// job's doing. Empty where there is none, and where one of them does not tell how much its first job added.
    pub unused_bytes: Option<f64>,
    jobs: Vec<u32>,
    /// By topology.
    sums: Vec<Sums>,
    /// Pairs of topologies of which the first takes less time, as their blocks show.
    faster: BTreeSet<(usize, usize)>,
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
        let jobs = analysis.jobs.keys().copied().collect();
        let mut choices = Self { list, unused_bytes, jobs, sums, faster: BTreeSet::new() };
        choices.faster = choices.faster();
        let beaten: Vec<_> = choices.list.iter().map(|one| choices.better_than(one)).collect();
        choices.list.iter_mut().zip(beaten).for_each(|(one, beaten)| one.beaten_by = beaten);
        choices
    }

    /// Those pairs of which the interval of the whole sequence's ratio shows it, too.
    fn faster(&self) -> BTreeSet<(usize, usize)> {
        let pairs = self.list.iter().flat_map(|one| self.list.iter().map(move |other| (one, other)));
        let clear: Vec<_> = pairs.filter(|(one, other)| one.clearly_less(other, Axis::Time)).collect();
        let shown = clear.into_par_iter().filter_map(|(one, other)| {
            let ratio = self.ratio_after(self.jobs.len().checked_sub(1)?, one.topology, other.topology)?;
            (ratio.high < 1.0).then_some((one.topology, other.topology))
        });
        shown.collect()
    }

    fn takes_less(&self, one: &Choice, other: &Choice, axis: Axis) -> bool {
        // Other numbers of jobs do another amount of work.
        let alike = one.at_once == other.at_once;
        alike
            && one.clearly_less(other, axis)
            && (axis != Axis::Time || self.faster.contains(&(one.topology, other.topology)))
    }

    /// A topology that takes less of something than this one and more of nothing.
    fn better_than(&self, one: &Choice) -> Option<(usize, Vec<Axis>)> {
        let less = |one: &Choice, other: &Choice| -> Vec<Axis> {
            Axis::VARIANTS.iter().copied().filter(|axis| self.takes_less(one, other, *axis)).collect()
        };
        let no_worse = self.list.iter().filter(|other| less(one, other).is_empty());
        no_worse.map(|other| (other.topology, less(other, one))).find(|(_, axes)| !axes.is_empty())
    }

    /// The topologies than which no other one takes less; empty where one of them has no value.
    pub fn unbeaten(&self, axis: Axis) -> Option<Vec<usize>> {
        let known = self.list.iter().all(|one| one.value(axis).is_some());
        let none_less = |one: &&Choice| !self.list.iter().any(|other| self.takes_less(other, one, axis));
        known.then(|| self.list.iter().filter(none_less).map(|one| one.topology).collect())
    }

    /// The first job by whose end a topology is shown to have taken less time than another one, and goes on so to the end of the
    /// sequence, though its first job is shown to be slower: by the interval of the ratio, paired within blocks. Empty where that
    /// is not shown.
    pub fn overtakes(&self, topology: usize, other: usize) -> Option<u32> {
        let after = |job: usize| self.ratio_after(job, topology, other);
        let at_once = |topology| self.list.iter().find(|one| one.topology == topology).map(|one| one.at_once);
        if self.jobs.is_empty() || at_once(topology) != at_once(other) || after(0)?.low <= 1.0 {
            return None;
        }
        let ahead = |job: &usize| after(*job).is_some_and(|ratio| ratio.high < 1.0);
        (0..self.jobs.len()).rev().take_while(ahead).last().map(|job| self.jobs[job])
    }

    /// Of the times up to this job of the sequence, from 0, paired within blocks.
    fn ratio_after(&self, job: usize, topology: usize, other: usize) -> Option<Interval> {
        let sums = in_pairs(&self.sums[topology][job], &self.sums[other][job]);
        let pairs: Vec<_> = sums.into_iter().map(|(_, pair)| pair).collect();
        Paired::new(&pairs).ratio(Level::P95)?.interval
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
            at_once: analysis.arms[topology].concurrency(),
            elapsed_ns: None,
            start_ns: mean(&self.start),
            bytes_pulled: mean(&self.pulled).filter(|_| counted),
            disk_bytes: last.map(|bytes| bytes - unused_bytes.unwrap_or(0.0)),
            failures: failures.map(|failure| failure.failed).sum(),
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
