//! A topology in one block: the times of its jobs.

use super::{Analysis, Metric, Point, Subject};

/// The job times of one topology in one measured block, in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialTimes {
    pub topology: usize,
    pub block: u32,
    /// One per job of the sequence; of several at once their mean. Empty where a job has no time, or one of several has none: the
    /// others had the machine to themselves.
    pub jobs: Vec<Option<f64>>,
}

impl Analysis {
    /// Every trial in which a job has a time, by topology and block.
    pub fn trials(&self) -> Vec<TrialTimes> {
        let numbers: Vec<u32> = self.jobs.keys().copied().collect();
        let times: Vec<&Point> = self.measured(&Subject::Job, Metric::ElapsedNs).collect();
        let trials = times.chunk_by(|a, b| (a.topology, a.block) == (b.topology, b.block));
        trials.map(|trial| TrialTimes::of(trial, &numbers, self.arms[trial[0].topology].concurrency())).collect()
    }
}

impl TrialTimes {
    fn of(trial: &[&Point], numbers: &[u32], at_once: usize) -> Self {
        let mut sums = vec![(0.0, 0); numbers.len()];
        for point in trial {
            if let Ok(place) = numbers.binary_search(&point.job) {
                sums[place] = (sums[place].0 + point.value, sums[place].1 + 1);
            }
        }
        let mean = |(sum, count): (f64, usize)| (count == at_once).then(|| sum / count as f64);
        Self { topology: trial[0].topology, block: trial[0].block, jobs: sums.into_iter().map(mean).collect() }
    }

    /// Whether each of its jobs has one.
    pub fn whole(&self) -> bool {
        self.jobs.iter().all(Option::is_some)
    }

    /// The time of each job and of all before it, up to the first that has none.
    pub fn sums(&self) -> impl Iterator<Item = f64> {
        self.jobs.iter().map_while(|time| *time).scan(0.0, |sum, time| {
            *sum += time;
            Some(*sum)
        })
    }
}
