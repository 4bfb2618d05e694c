//! The totals of whole jobs.

use super::metric::Measures;
use super::row::{Row, Standing};
use super::steps::Steps;
use crate::case::Op;

/// One row per job that has a total, or that counts as excluded. The rows are sorted by job and step.
pub(super) fn totals(rows: &[Row], steps: &Steps) -> impl Iterator<Item = Row> {
    rows.chunk_by(|a, b| a.job == b.job).filter_map(|job| total(job, steps))
}

/// Empty for a job that is superseded or was interrupted.
fn total(job: &[Row], steps: &Steps) -> Option<Row> {
    let excluded = job.iter().any(|row| row.standing == Standing::Excluded);
    let usable = job.iter().all(|row| row.standing == Standing::Usable) && whole(job, steps);
    if !excluded && !usable {
        return None;
    }
    let standing = if excluded { Standing::Excluded } else { Standing::Usable };
    let parts = job.iter().filter_map(|row| Some((steps.op(row.subject)?, &row.measures)));
    Some(Row { subject: Steps::JOB, standing, measures: Measures::of_job(parts), ..job[0] })
}

fn whole(job: &[Row], steps: &Steps) -> bool {
    let has = |op| job.iter().any(|row| steps.op(row.subject) == Some(op));
    job.len() == steps.count() && has(Op::Start) && has(Op::Stop)
}
