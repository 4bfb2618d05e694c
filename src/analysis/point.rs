//! Single values along the sequence, for plots.

use std::sync::Arc;

use super::row::{JobKey, Row, Standing};
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
    /// Shared by all of its points.
    pub subject: Arc<Subject>,
    pub metric: Metric,
    pub value: f64,
}

/// The points of all usable rows, the warm-up's too, by job: first those of the whole, then those of its steps. Both are
/// sorted by job, the rows within their topology.
pub(super) fn points(rows: Vec<Vec<Row>>, jobs: &[Row], steps: &Steps) -> Vec<Point> {
    let (mut points, mut jobs) = (Vec::new(), jobs);
    // From the end, giving memory back piece by piece: rows and points together are twice as large as either.
    for mut rows in rows.into_iter().rev() {
        while !rows.is_empty() {
            let piece = rows.split_off(rows.len().saturating_sub(PIECE));
            rows.shrink_to_fit();
            for row in piece.iter().rev() {
                jobs = add_jobs_after(&mut points, jobs, row.job, steps);
                add(&mut points, row, steps);
            }
        }
    }
    jobs.iter().rev().for_each(|job| add(&mut points, job, steps));
    points.reverse();
    points
}

/// Adds the jobs that are behind this one, the last first; returns those that are left.
fn add_jobs_after<'a>(points: &mut Vec<Point>, mut jobs: &'a [Row], job: JobKey, steps: &Steps) -> &'a [Row] {
    while let Some((last, others)) = jobs.split_last().filter(|(last, _)| last.job > job) {
        add(points, last, steps);
        jobs = others;
    }
    jobs
}

/// The row's points, last metric first.
fn add(points: &mut Vec<Point>, row: &Row, steps: &Steps) {
    let metrics: &[Metric] = if row.subject == Steps::JOB { &OF_JOBS } else { &OF_STEPS };
    let usable = metrics.iter().rev().filter(|_| row.standing == Standing::Usable);
    points.extend(usable.filter_map(|&metric| {
        Some(Point {
            topology: row.job.topology as usize,
            block: row.job.block,
            warmup: row.warmup,
            job: row.job.number,
            edit: row.edit,
            subject: Arc::clone(steps.subject(row.subject)),
            metric,
            value: row.measures.get(metric)?,
        })
    }));
}
