//! What the numbers mean for a choice: each topology by what it takes, and which of them no other one beats.

use std::collections::BTreeMap;

use super::{Analysis, Metric, Point, Subject};
use crate::case::Op;
use crate::stats::{EQUIVALENCE_MARGIN, Estimate, Level, Ordered, mean};

/// One topology. Values are means over the jobs of the sequence; empty where one of the jobs has none. The time is what a
/// bill adds up, so it is a mean over the blocks too; of the others, each job is its median over the blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub topology: usize,
    /// Of a whole job, in nanoseconds, with the interval of the bootstrap; of the blocks in which every job counts.
    pub elapsed_ns: Option<Estimate>,
    /// Of its start alone.
    pub start_ns: Option<f64>,
    /// That a job pulls.
    pub bytes_pulled: Option<f64>,
    /// After the last job.
    pub disk_bytes: Option<f64>,
    /// Samples that failed.
    pub failures: usize,
    /// A topology that is better in something and in nothing worse; empty where there is none.
    pub beaten_by: Option<usize>,
}

/// All topologies of a run, each once.
#[derive(Clone, Debug)]
pub struct Choices {
    /// In the order of the topologies.
    pub list: Vec<Choice>,
    medians: Medians,
}

impl Choices {
    pub fn of(analysis: &Analysis) -> Self {
        let medians = Medians::of(analysis);
        let checks = |topology: &usize| {
            let of_it = analysis.comparisons.iter().filter(|one| one.topology == *topology);
            of_it.into_iter().any(|one| one.contrast.checks())
        };
        let topologies = (0..analysis.arms.len()).filter(|topology| !checks(topology));
        let list: Vec<Choice> = topologies.map(|topology| medians.choice(analysis, topology)).collect();
        let better = |one: &Choice| list.iter().find(|other| beats(other, one)).map(|other| other.topology);
        let list = list.iter().map(|one| Choice { beaten_by: better(one), ..one.clone() }).collect();
        Self { list, medians }
    }

    /// The first job after which a topology has taken less time than another one, and goes on so to the end of the sequence,
    /// though it began slower. Empty where it never does, or always did.
    pub fn overtakes(&self, topology: usize, other: usize) -> Option<u32> {
        let (mine, others) = (self.medians.sums(topology), self.medians.sums(other));
        let ahead: Vec<(u32, bool)> =
            mine.iter().map_while(|(job, sum)| Some((*job, sum < others.get(job)?))).collect();
        let behind = ahead.iter().rposition(|(_, ahead)| !ahead)?;
        ahead.get(behind + 1).map(|(job, _)| *job)
    }
}

/// Whether the first is better than the second in something, and in nothing worse. Less than the margin of equivalence is
/// no difference; what one of them has no value of says nothing.
fn beats(first: &Choice, second: &Choice) -> bool {
    let axes = |one: &Choice| {
        [one.elapsed_ns.map(|time| time.point), one.bytes_pulled, one.disk_bytes, Some(one.failures as f64)]
    };
    let pairs = axes(first).into_iter().zip(axes(second)).filter_map(|(a, b)| Some((a?, b?)));
    let pairs: Vec<(f64, f64)> = pairs.collect();
    let less = |a: f64, b: f64| a * (1.0 + EQUIVALENCE_MARGIN) < b;
    pairs.iter().any(|(a, b)| less(*a, *b)) && !pairs.iter().any(|(a, b)| less(*b, *a))
}

/// Medians over the blocks, by topology and job number.
#[derive(Clone, Debug)]
struct Medians {
    elapsed: BTreeMap<(usize, u32), f64>,
    start: BTreeMap<(usize, u32), f64>,
    pulled: BTreeMap<(usize, u32), f64>,
    disk: BTreeMap<(usize, u32), f64>,
    jobs: Vec<u32>,
}

impl Medians {
    fn of(analysis: &Analysis) -> Self {
        let measured = || analysis.points.iter().filter(|point| !point.warmup);
        let mut jobs: Vec<u32> = measured().map(|point| point.job).collect();
        jobs.sort_unstable();
        jobs.dedup();
        let of = |metric: Metric, wanted: fn(&Subject) -> bool| {
            medians(measured().filter(|point| point.metric == metric && wanted(&point.subject)))
        };
        let is_job = |subject: &Subject| *subject == Subject::Job;
        let is_start = |subject: &Subject| matches!(subject, Subject::Step { op: Op::Start, .. });
        Self {
            elapsed: of(Metric::ElapsedNs, is_job),
            start: of(Metric::ElapsedNs, is_start),
            pulled: of(Metric::BytesPulled, is_job),
            disk: of(Metric::DiskBytes, is_job),
            jobs,
        }
    }

    fn choice(&self, analysis: &Analysis, topology: usize) -> Choice {
        let failures = analysis.failures.iter().filter(|failure| failure.topology == topology);
        Choice {
            topology,
            elapsed_ns: mean_of_blocks(analysis, topology, self.jobs.len()),
            start_ns: self.mean(&self.start, topology),
            bytes_pulled: self.mean(&self.pulled, topology),
            disk_bytes: self.jobs.last().and_then(|job| self.disk.get(&(topology, *job)).copied()),
            failures: failures.map(|failure| failure.count).sum(),
            beaten_by: None,
        }
    }

    fn mean(&self, values: &BTreeMap<(usize, u32), f64>, topology: usize) -> Option<f64> {
        let each: Option<Vec<f64>> = self.jobs.iter().map(|job| values.get(&(topology, *job)).copied()).collect();
        each.filter(|each| !each.is_empty()).map(|each| each.iter().sum::<f64>() / each.len() as f64)
    }

    /// The time of each job and of all before it, up to the first one that has none.
    fn sums(&self, topology: usize) -> BTreeMap<u32, f64> {
        let times = self.jobs.iter().map_while(|job| Some((*job, *self.elapsed.get(&(topology, *job))?)));
        let sums = times.scan(0.0, |sum, (job, time)| {
            *sum += time;
            Some((job, *sum))
        });
        sums.collect()
    }
}

/// The mean time of a job, from the mean of each block that has all of its jobs.
fn mean_of_blocks(analysis: &Analysis, topology: usize, jobs: usize) -> Option<Estimate> {
    /// Any will do, as long as the same rows give the same report.
    const SEED: u64 = 16;
    let mut blocks: BTreeMap<u32, BTreeMap<u32, Vec<f64>>> = BTreeMap::new();
    let times = analysis.points.iter().filter(|point| {
        !point.warmup && (point.topology, point.metric, &*point.subject) == (topology, Metric::ElapsedNs, &Subject::Job)
    });
    for point in times {
        blocks.entry(point.block).or_default().entry(point.job).or_default().push(point.value);
    }
    let average = |values: &mut dyn Iterator<Item = f64>| {
        let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
        sum / f64::from(count)
    };
    let whole = blocks.values().filter(|block| block.len() == jobs);
    let means = whole.map(|block| average(&mut block.values().map(|times| average(&mut times.iter().copied()))));
    mean(&Ordered::new(means).ok()?, Level::P95, SEED).ok()
}

fn medians<'a>(points: impl Iterator<Item = &'a Point>) -> BTreeMap<(usize, u32), f64> {
    let mut values: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for point in points {
        values.entry((point.topology, point.job)).or_default().push(point.value);
    }
    values.into_iter().filter_map(|(place, values)| Some((place, Ordered::new(values).ok()?.median()))).collect()
}
