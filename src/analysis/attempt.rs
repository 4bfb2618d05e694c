//! Which attempt of a trial counts, and which of its rows.

use std::collections::BTreeSet;

use super::row::{Row, Standing};
use crate::case::Status;

const OK: Standing = Standing::Met(Status::Ok);
const INVALID: Standing = Standing::Met(Status::Invalid);

/// Gives every row its standing. The rows are sorted by job.
pub(super) fn settle(rows: &mut [Row]) {
    for trial in rows.chunk_by_mut(|a, b| a.job.trial() == b.job.trial()) {
        let counting = counting_attempt(trial);
        for attempt in trial.chunk_by_mut(|a, b| a.job.attempt == b.job.attempt) {
            let invalid = attempt.iter().any(|row| row.standing == INVALID);
            let failed = failed(attempt);
            let before = |row: &Row| Some((row.job.worker, row.job.number.checked_sub(1)?));
            let follows = |row: &Row| before(row).is_some_and(|job| failed.contains(&job));
            for row in attempt {
                row.standing = if invalid || row.standing != OK || follows(row) {
                    Standing::Excluded
                } else if counting == Some(row.job.attempt) {
                    Standing::Usable
                } else {
                    Standing::Superseded
                };
            }
        }
    }
}

/// The jobs that did not do their work, by worker and number: they leave the next one less than a job does, so that it is none
/// like the others with its edit.
fn failed(attempt: &[Row]) -> BTreeSet<(u32, u32)> {
    let failed = attempt.iter().filter(|row| !row.did_its_work);
    failed.map(|row| (row.job.worker, row.job.number)).collect()
}

/// The last attempt whose rows are all `ok`, else the last one without an `invalid` row.
fn counting_attempt(trial: &[Row]) -> Option<u32> {
    let last = |good: fn(Standing) -> bool| {
        let mut attempts = trial.chunk_by(|a, b| a.job.attempt == b.job.attempt);
        attempts.rfind(|rows| rows.iter().all(|row| good(row.standing))).map(|rows| rows[0].job.attempt)
    };
    last(|met| met == OK).or_else(|| last(|met| met != INVALID))
}
