//! Single values along the sequence, for plots.

use super::row::{Row, Standing};
use super::steps::Steps;
use super::{Metric, Subject};
use crate::case::Edit;

/// What is plotted of a whole job: what the user waits for, what it moved, and what it left on the disk.
const OF_JOBS: [Metric; 3] = [Metric::ElapsedNs, Metric::BytesPulled, Metric::DiskBytes];
/// What is plotted of a step. All metrics of a million rows would take a gigabyte.
const OF_STEPS: [Metric; 1] = [Metric::ElapsedNs];

/// One value along the sequence: `elapsed_ns` of steps; `elapsed_ns`, `bytes_pulled` and `disk_bytes` of whole jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub topology: usize,
    pub block: u32,
    pub warmup: bool,
    pub job: u32,
    pub edit: Edit,
    pub subject: Subject,
    pub metric: Metric,
    pub value: f64,
}

/// The points of all usable rows, the warm-up's too.
pub(super) fn points(rows: Vec<Row>, steps: &Steps) -> Vec<Point> {
    let usable = rows.into_iter().filter(|row| row.standing == Standing::Usable);
    usable.flat_map(|row| points_of(row, steps.subject(row.subject))).collect()
}

fn points_of(row: Row, subject: &Subject) -> impl Iterator<Item = Point> {
    let metrics: &'static [Metric] = if *subject == Subject::Job { &OF_JOBS } else { &OF_STEPS };
    metrics.iter().filter_map(move |&metric| {
        Some(Point {
            topology: row.job.topology as usize,
            block: row.job.block,
            warmup: row.warmup,
            job: row.job.number,
            edit: row.edit,
            subject: subject.clone(),
            metric,
            value: row.measures.get(metric)?,
        })
    })
}
