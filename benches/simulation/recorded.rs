//! A machine as a run recorded it.

use std::collections::BTreeMap;
use std::fmt;

use dindbench::analysis::{Analysis, Metric, Subject};
use dindbench::record::RunDir;
use dindbench::stats::{Ordered, Unusable};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// By how much a time that is drawn twice differs, at most. No two times of a machine are the same to the nanosecond; from
/// few of them the same one often meets itself in a block, and such ties raise the coverage.
const APART: f64 = 1e-6;

/// The job times of a run's baseline topology, measured blocks alone, in the order in which they ran.
pub struct Recorded {
    run: String,
    topology: String,
    /// ln(time / median of the jobs with the same edit).
    residuals: Vec<f64>,
}

impl Recorded {
    /// # Errors
    /// A run that cannot be analysed, or one without two job times.
    pub fn of(run: &RunDir) -> Result<Self, String> {
        let analysis = Analysis::of(run).map_err(|error| error.to_string())?;
        let jobs = analysis.measured(&Subject::Job, Metric::ElapsedNs);
        let logs: Vec<_> = jobs
            .filter(|point| point.topology == analysis.baseline)
            .map(|point| (point.edit, point.value.ln()))
            .collect();
        if logs.len() < 2 {
            return Err(format!("{} has not two job times of its baseline to draw from", run.path().display()));
        }
        let residuals = residuals(&logs).map_err(|error| error.to_string())?;
        Ok(Self { run: run.record().run_id.clone(), topology: run.record().baseline.clone(), residuals })
    }

    /// See `Machine::slowness`: residuals in blocks of neighbours from random places, the first after the last one. Politis
    /// and Romano, "A circular block-resampling procedure for stationary data", in "Exploring the Limits of Bootstrap"
    /// (1992).
    pub fn slowness(&self, trials: usize, random: &mut ChaCha8Rng) -> Vec<f64> {
        let mut slowness = Vec::with_capacity(trials + self.length());
        while slowness.len() < trials {
            let start = random.random_range(0..self.residuals.len());
            let block = self.residuals.iter().cycle().skip(start).take(self.length());
            slowness.extend(block.map(|residual| residual + APART * random.random::<f64>()));
        }
        slowness.truncate(trials);
        slowness
    }

    /// Residuals in a block: the cube root of their number, rounded up.
    fn length(&self) -> usize {
        (self.residuals.len() as f64).cbrt().ceil() as usize
    }
}

fn residuals<E: Copy + Ord>(logs: &[(E, f64)]) -> Result<Vec<f64>, Unusable> {
    let mut edits: BTreeMap<E, Vec<f64>> = BTreeMap::new();
    for &(edit, log) in logs {
        edits.entry(edit).or_default().push(log);
    }
    let mut medians = BTreeMap::new();
    for (edit, logs) in edits {
        medians.insert(edit, Ordered::new(logs)?.median());
    }
    Ok(logs.iter().map(|(edit, log)| log - medians[edit]).collect())
}

impl fmt::Display for Recorded {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let Self { run, topology, residuals } = self;
        write!(
            formatter,
            "run `{run}`: {} job times of `{topology}` against the median of their case, resampled in circular blocks of {}",
            residuals.len(),
            self.length(),
        )
    }
}
