//! Single values along the sequence, for plots.

use std::collections::BTreeMap;

use super::row::{Row, Standing};
use super::steps::Steps;
use super::{Analysis, Metric, Subject};
use crate::case::{Edit, Op};

/// What is plotted of a whole job: what the user waits for, what it moved, and what it left on the disk.
const OF_JOBS: [Metric; 3] = [Metric::ElapsedNs, Metric::BytesPulled, Metric::DiskBytes];
/// What is plotted of a step. All metrics of a million rows would take a gigabyte.
const OF_STEPS: Metric = Metric::ElapsedNs;

/// One value along the sequence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub topology: usize,
    pub block: u32,
    pub warmup: bool,
    pub job: u32,
    pub edit: Edit,
    pub value: f64,
}

/// The points of each subject and metric that has any, by topology, block, worker and job: `elapsed_ns` of steps; `elapsed_ns`, `bytes_pulled`
/// and `disk_bytes` of whole jobs.
pub type Points = BTreeMap<(Subject, Metric), Vec<Point>>;

impl Analysis {
    /// The measured points of a subject.
    pub fn measured(&self, subject: &Subject, metric: Metric) -> impl Iterator<Item = &Point> {
        let points = self.points.get(&(subject.clone(), metric)).map_or(&[][..], Vec::as_slice);
        points.iter().filter(|point| !point.warmup)
    }

    /// The step that begins a job; empty where no start is usable.
    pub fn start(&self) -> Option<&Subject> {
        let mut subjects = self.points.keys().map(|(subject, _)| subject);
        subjects.find(|subject| matches!(subject, Subject::Step { op: Op::Start, .. }))
    }
}

/// The points of all usable rows, the warm-up's too. The rows are sorted by job; each topology's memory is given back when its points
/// are made.
pub(super) fn points(rows: Vec<Vec<Row>>, jobs: &[Row], steps: &Steps) -> Points {
    let mut of_steps = vec![Vec::new(); steps.count() + 1];
    for rows in rows {
        rows.iter().for_each(|row| of_steps[row.subject as usize].extend(point(row, OF_STEPS)));
    }
    let of_steps =
        of_steps.into_iter().zip(0..).map(|(points, number)| ((steps.subject(number).clone(), OF_STEPS), points));
    let of_jobs =
        OF_JOBS.map(|metric| ((Subject::Job, metric), jobs.iter().filter_map(|row| point(row, metric)).collect()));
    let all = of_jobs.into_iter().chain(of_steps.skip(Steps::JOB as usize + 1));
    all.filter(|(_, points): &(_, Vec<Point>)| !points.is_empty()).collect()
}

/// Empty where the row is not usable or has not this metric.
fn point(row: &Row, metric: Metric) -> Option<Point> {
    let value = row.measures.get(metric).filter(|_| row.standing == Standing::Usable)?;
    Some(Point {
        topology: row.job.topology as usize,
        block: row.job.block,
        warmup: row.warmup,
        job: row.job.number,
        edit: row.edit,
        value,
    })
}
