//! Single values along the sequence, for plots.

use super::row::{Row, Standing};
use super::steps::Steps;
use super::{Metric, Subject};
use crate::case::Edit;

/// What is plotted of a whole job: what the user waits for, what it moved, and what it left on the disk.
const OF_JOBS: [Metric; 3] = [Metric::ElapsedNs, Metric::BytesPulled, Metric::DiskBytes];
/// What is plotted of a step. All metrics of a million rows would take a gigabyte.
const OF_STEPS: [Metric; 1] = [Metric::ElapsedNs];

/// Rows whose memory is given back at a time.
const PIECE: usize = 1 << 16;

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

/// The points of all usable rows, the warm-up's too, in the rows' order.
pub(super) fn points(mut rows: Vec<Row>, steps: &Steps) -> Vec<Point> {
    let mut points = Vec::new();
    // From the end, giving memory back piece by piece: rows and points together are twice as large as either.
    while !rows.is_empty() {
        let piece = rows.split_off(rows.len().saturating_sub(PIECE));
        rows.shrink_to_fit();
        let usable = piece.iter().rev().filter(|row| row.standing == Standing::Usable);
        points.extend(usable.flat_map(|row| points_of(row, steps.subject(row.subject))));
    }
    points.reverse();
    points
}

/// The row's points, last metric first.
fn points_of<'a>(row: &'a Row, subject: &'a Subject) -> impl Iterator<Item = Point> + 'a {
    let metrics: &'static [Metric] = if *subject == Subject::Job { &OF_JOBS } else { &OF_STEPS };
    metrics.iter().rev().filter_map(move |&metric| {
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
