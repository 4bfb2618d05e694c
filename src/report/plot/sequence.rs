//! The figures along the sequence: elapsed, pulled and disk by job, and the start of a job.

use std::collections::{BTreeMap, BTreeSet};

use super::axis::Quantity;
use super::chart::{Chart, Mark, Slot};
use super::columns::Column;
use super::{Figure, PlotError};
use crate::analysis::{Analysis, CaseKey, Metric, Point, Subject, Summary};
use crate::case::Edit;
use crate::report::words::cell;
use crate::stats::Ordered;

pub(super) const JOBS: &str = "job of the sequence, and the edit before it";

/// Elapsed time of every whole job.
pub(super) fn elapsed(analysis: &Analysis) -> Result<Figure, PlotError> {
    let (mut slots, unplottable) = by_job(analysis, Metric::ElapsedNs);
    for (column, edit) in analysis.jobs.values().enumerate() {
        summarise(analysis, &mut slots[column], &CaseKey { subject: Subject::Job, edit: *edit });
    }
    Chart {
        name: "elapsed",
        title: "Elapsed time per job along the sequence",
        caption:
            "Each mark is a job of one block. The line is the median of the case, which is all jobs with the same edit, and \
                  the band its interval: the same numbers as in the table. The warm-up block is not shown."
                .to_owned(),
        values: "elapsed time of the whole job, start and stop included",
        along: JOBS,
        quantity: Quantity::Nanos,
        mark: Mark::Strip,
        arms: &analysis.arms,
        columns: job_columns(&analysis.jobs),
        slots,
        unplottable,
    }
    .figure()
}

/// Bytes that the registry served to every job.
pub(super) fn pulled(analysis: &Analysis) -> Result<Figure, PlotError> {
    let (slots, unplottable) = by_job(analysis, Metric::BytesPulled);
    Chart {
        name: "pulled",
        title: "Bytes pulled per job",
        caption:
            "Layer and configuration bytes, counted by the registry. A bar is the median of the blocks; a thin line \
                  spans from the least to the most where they differ. A bar of no height is a measured zero."
                .to_owned(),
        values: "bytes that the registry served during the job",
        along: JOBS,
        quantity: Quantity::Bytes,
        mark: Mark::Bar,
        arms: &analysis.arms,
        columns: job_columns(&analysis.jobs),
        slots: with_medians(slots),
        unplottable,
    }
    .figure()
}

/// Allocated bytes after every job.
pub(super) fn disk(analysis: &Analysis) -> Result<Figure, PlotError> {
    let (slots, unplottable) = by_job(analysis, Metric::DiskBytes);
    Chart {
        name: "disk",
        title: "Disk in use along the sequence",
        caption:
            "Allocated blocks on the file system of the outer engine, everything that lives there included, so that \
                  nothing is counted twice. Each mark is one block; the line joins the medians."
                .to_owned(),
        values: "allocated bytes after the job",
        along: JOBS,
        quantity: Quantity::Bytes,
        mark: Mark::Line,
        arms: &analysis.arms,
        columns: job_columns(&analysis.jobs),
        slots: with_medians(slots),
        unplottable,
    }
    .figure()
}

/// How long a job waits until its Docker can be used.
pub(super) fn start(analysis: &Analysis) -> Result<Figure, PlotError> {
    let edits: BTreeSet<Edit> = analysis.jobs.values().copied().collect();
    let edits: Vec<Edit> = edits.into_iter().collect();
    let subject = analysis.start();
    let starts = subject.into_iter().flat_map(|start| analysis.measured(start, Metric::ElapsedNs));
    let (mut slots, unplottable) =
        in_columns(analysis, starts, edits.len(), |point| edits.binary_search(&point.edit).ok());
    if let Some(subject) = subject {
        for (column, edit) in edits.iter().enumerate() {
            summarise(analysis, &mut slots[column], &CaseKey { subject: subject.clone(), edit: *edit });
        }
    }
    Chart {
        name: "start",
        title: "Start-up per topology",
        caption:
            "From the order to make the job's environment until its engine answers and its container runs; the jobs are \
                  grouped by the edit before them. Mark, line and band as above."
                .to_owned(),
        values: "elapsed time of the step start",
        along: "edit before the job",
        quantity: Quantity::Nanos,
        mark: Mark::Strip,
        arms: &analysis.arms,
        columns: edits.iter().map(|edit| Column { heading: edit.to_string(), detail: String::new() }).collect(),
        slots,
        unplottable,
    }
    .figure()
}

pub(super) fn job_columns(jobs: &BTreeMap<u32, Edit>) -> Vec<Column> {
    jobs.iter().map(|(job, edit)| Column { heading: job.to_string(), detail: edit.to_string() }).collect()
}

/// Whole jobs with a metric, each job in its column.
fn by_job(analysis: &Analysis, metric: Metric) -> (Vec<Vec<Slot>>, usize) {
    let places: BTreeMap<u32, usize> = analysis.jobs.keys().copied().zip(0..).collect();
    let jobs = analysis.measured(&Subject::Job, metric);
    in_columns(analysis, jobs, places.len(), |point| places.get(&point.job).copied())
}

/// The points that `column` gives a place, and how many of them no axis can hold.
fn in_columns<'a>(
    analysis: &Analysis,
    points: impl Iterator<Item = &'a Point>,
    columns: usize,
    column: impl Fn(&Point) -> Option<usize>,
) -> (Vec<Vec<Slot>>, usize) {
    let mut slots = vec![vec![Slot::default(); analysis.arms.len()]; columns];
    let mut unplottable = 0;
    for point in points {
        let Some(column) = column(point) else { continue };
        if point.value.is_finite() && point.value >= 0.0 {
            slots[column][point.topology].points.push((point.block, point.value));
        } else {
            unplottable += 1;
        }
    }
    (slots, unplottable)
}

/// Gives the slots of one column the statistics of their case, as the tables show them.
fn summarise(analysis: &Analysis, slots: &mut [Slot], case: &CaseKey) {
    for (topology, slot) in slots.iter_mut().enumerate() {
        let Some(cell) = cell(analysis, topology, case, Metric::ElapsedNs) else { continue };
        slot.centre = cell.summary.centre();
        slot.interval = match &cell.summary {
            Summary::Median { estimate, .. } => estimate.interval.map(|interval| (interval.low, interval.high)),
            _ => None,
        };
    }
}

/// Gives every slot the median of its own points: cases mix jobs, and these figures are about each job.
pub(super) fn with_medians(mut slots: Vec<Vec<Slot>>) -> Vec<Vec<Slot>> {
    for slot in slots.iter_mut().flatten() {
        let values = Ordered::new(slot.points.iter().map(|(_, value)| *value));
        slot.centre = values.ok().map(|values| values.median());
    }
    slots
}
