//! Jobs at once, from one to the most: how long the slowest takes, and what a job pays for the others.

use std::collections::BTreeSet;

use super::axis::{Axis, Quantity};
use super::canvas::{Account, Anchor, Canvas, Drawn, document};
use super::legend::Legend;
use super::ratio_axis::RatioAxis;
use super::theme::{BAND, FAINT_INK, GRID, INK, MARGIN, TEXT_SIZE, TITLE_SIZE, WIDTH, colour, shape};
use super::{Figure, PlotError};
use crate::analysis::{Analysis, AtOnce};
use crate::case::Edit;
use crate::report::shown::shown;
use crate::report::words::ratio;
use crate::stats::Estimate;
use crate::units;

const NAME: &str = "ladder";
const TITLE: &str = "Jobs at once";
const WHAT: &str = "by the number of jobs that begin together";
const PLOT_HEIGHT: f64 = 180.0;
/// Room above a plane for what it shows, below it for its numbers of jobs, and beside it for its labels.
const ABOVE: f64 = 42.0;
const BELOW: f64 = 50.0;
const LABELS: f64 = 74.0;
const GAP: f64 = 12.0;
/// The least distance of two labels on an axis.
const LABEL: f64 = 13.0;
/// Topologies stand side by side over a part of a column, and no farther apart than this.
const SPREAD: f64 = 0.6;
const APART: f64 = 12.0;
/// A description of more rungs than this helps nobody.
const RUNGS_TOLD: usize = 60;

/// What one plane shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Slowest,
    Slowdown,
}

/// A vertical axis of either kind.
enum Scale {
    Time(Axis),
    Ratio(RatioAxis),
}

/// Every edit has two planes, side by side.
struct Ladder<'a> {
    analysis: &'a Analysis,
    edits: Vec<Edit>,
    /// Topologies that differ in more than the number of jobs.
    families: Vec<usize>,
    /// Numbers of jobs, the least first.
    levels: Vec<usize>,
    top: f64,
}

/// Where one plane is, in pixels.
struct Plane {
    scale: Scale,
    left: f64,
    right: f64,
    top: f64,
}

/// Nothing where the run has no jobs at once.
pub(super) fn figure(analysis: &Analysis) -> Result<Option<Figure>, PlotError> {
    if analysis.at_once.is_empty() {
        return Ok(None);
    }
    let families: BTreeSet<usize> = analysis.at_once.iter().map(|one| one.family).collect();
    let legend = Legend::of(&analysis.arms, families.iter().copied());
    let ladder = Ladder::new(analysis, families, &legend);
    let account = Account { name: NAME, title: TITLE, description: ladder.description() };
    let svg = document(&account, ladder.height().ceil(), |canvas| {
        canvas.text(TITLE, (MARGIN, MARGIN + 8.0), TITLE_SIZE, INK, Anchor::Start)?;
        canvas.text(WHAT, (MARGIN, MARGIN + 29.0), TEXT_SIZE, FAINT_INK, Anchor::Start)?;
        legend.draw(canvas, MARGIN + 42.0)?;
        ladder.draw(canvas)
    })?;
    let caption = "Left: medians of the slowest job's time. Right: a job's time by that of a job alone in the same \
                   topology, logarithmic; none where the run has no job alone. The upright lines are the intervals, and \
                   the joined marks are one topology. A slow-down as large as the number of jobs is that of a machine \
                   which is used up."
        .to_owned();
    Ok(Some(Figure { name: NAME, title: TITLE, caption, svg }))
}

impl<'a> Ladder<'a> {
    fn new(analysis: &'a Analysis, families: BTreeSet<usize>, legend: &Legend) -> Self {
        let edits: BTreeSet<Edit> = analysis.at_once.iter().map(|one| one.edit).collect();
        let levels: BTreeSet<usize> = analysis.at_once.iter().map(|one| one.concurrency).collect();
        Self {
            analysis,
            edits: edits.into_iter().collect(),
            families: families.into_iter().collect(),
            levels: levels.into_iter().collect(),
            top: MARGIN + 42.0 + legend.height + 8.0,
        }
    }

    fn height(&self) -> f64 {
        self.top + (ABOVE + PLOT_HEIGHT + BELOW) * self.edits.len() as f64
    }

    fn draw(&self, canvas: &Canvas) -> Drawn {
        for (row, edit) in self.edits.iter().enumerate() {
            for side in [Side::Slowest, Side::Slowdown] {
                let plane = self.plane(row, *edit, side);
                self.draw_ground(canvas, &plane, *edit, side)?;
                for (place, family) in self.families.iter().enumerate() {
                    self.draw_family(canvas, &plane, *edit, side, (place, *family))?;
                }
            }
        }
        Ok(())
    }

    /// Of one edit and family, the fewest jobs first.
    fn rungs(&self, edit: Edit, family: usize) -> Vec<&'a AtOnce> {
        let own = |one: &&AtOnce| (one.edit, one.family) == (edit, family);
        let mut rungs: Vec<&AtOnce> = self.analysis.at_once.iter().filter(own).collect();
        rungs.sort_by_key(|one| one.concurrency);
        rungs
    }

    /// Jobs at once, and the value of one side.
    fn values(&self, edit: Edit, family: usize, side: Side) -> Vec<(usize, Estimate)> {
        let rungs = self.rungs(edit, family);
        let measured = rungs.iter().filter_map(|one| {
            let value = match side {
                Side::Slowest => Some(one.slowest),
                Side::Slowdown => one.slowdown,
            };
            Some((one.concurrency, value?))
        });
        measured.collect()
    }

    fn plane(&self, row: usize, edit: Edit, side: Side) -> Plane {
        let estimates = || self.families.iter().flat_map(|family| self.values(edit, *family, side));
        let half = (WIDTH - 2.0 * MARGIN - GAP) / 2.0;
        let (scale, left) = match side {
            Side::Slowest => {
                let highest = |one: Estimate| one.interval.map_or(one.point, |interval| interval.high.max(one.point));
                let largest = estimates().map(|(_, one)| highest(one)).fold(0.0, f64::max);
                (Scale::Time(Axis::up_to(Quantity::Nanos, largest)), MARGIN)
            }
            Side::Slowdown => {
                let all: Vec<Estimate> = estimates().map(|(_, one)| one).collect();
                (Scale::Ratio(RatioAxis::around(all.iter())), MARGIN + half + GAP)
            }
        };
        let top = self.top + (ABOVE + PLOT_HEIGHT + BELOW) * row as f64 + ABOVE;
        Plane { scale, left: left + LABELS, right: left + half, top }
    }

    fn draw_ground(&self, canvas: &Canvas, plane: &Plane, edit: Edit, side: Side) -> Drawn {
        let what = match side {
            Side::Slowest => format!("after edit {edit}: the slowest job"),
            Side::Slowdown => "a job's time by that of one alone".to_owned(),
        };
        canvas.text(&what, (plane.left - LABELS, plane.top - 18.0), TEXT_SIZE, INK, Anchor::Start)?;
        let column = self.column(plane);
        for index in (0..self.levels.len()).step_by(2) {
            let left = plane.left + column * index as f64;
            canvas.rectangle((left, plane.top), (left + column, plane.bottom()), BAND, 1.0)?;
        }
        let base = plane.y(plane.share(plane.base()));
        let mut last = f64::INFINITY;
        for (label, tick) in plane.ticks() {
            let y = plane.y(plane.share(tick));
            let ink = if y == base { FAINT_INK } else { GRID };
            canvas.line(&[(plane.left, y), (plane.right, y)], ink, 1.0, 1.0)?;
            if y == base || (y - base).abs() >= LABEL && last - y >= LABEL {
                canvas.text(&label, (plane.left - 6.0, y), TEXT_SIZE, FAINT_INK, Anchor::End)?;
                last = y;
            }
        }
        for (index, level) in self.levels.iter().enumerate() {
            let x = plane.left + column * (index as f64 + 0.5);
            canvas.text(&level.to_string(), (x, plane.bottom() + 12.0), TEXT_SIZE, INK, Anchor::Middle)?;
        }
        let middle = f64::midpoint(plane.left, plane.right);
        canvas.text("jobs at once", (middle, plane.bottom() + 30.0), TEXT_SIZE, FAINT_INK, Anchor::Middle)?;
        if self.families.iter().all(|family| self.values(edit, *family, side).is_empty()) {
            let at = (middle, plane.top + PLOT_HEIGHT / 2.0);
            canvas.text("no data", at, TITLE_SIZE, FAINT_INK, Anchor::Middle)?;
        }
        Ok(())
    }

    fn column(&self, plane: &Plane) -> f64 {
        (plane.right - plane.left) / self.levels.len() as f64
    }

    /// `place` is the family's among its neighbours in a column.
    fn draw_family(
        &self,
        canvas: &Canvas,
        plane: &Plane,
        edit: Edit,
        side: Side,
        (place, family): (usize, usize),
    ) -> Drawn {
        let apart = (self.column(plane) * SPREAD / self.families.len() as f64).min(APART);
        let aside = apart * (place as f64 - (self.families.len() as f64 - 1.0) / 2.0);
        let rungs = self.values(edit, family, side);
        let x = |level: usize| {
            let index = self.levels.iter().position(|known| *known == level).unwrap_or(0);
            plane.left + self.column(plane) * (index as f64 + 0.5) + aside
        };
        let points: Vec<(f64, f64)> =
            rungs.iter().map(|(level, one)| (x(*level), plane.y(plane.share(one.point)))).collect();
        canvas.line(&points, colour(family), 2.0, 0.9)?;
        for ((level, one), at) in rungs.iter().zip(&points) {
            if let Some(interval) = one.interval {
                let end = |value: f64| (x(*level), plane.y(plane.share(value)));
                canvas.line(&[end(interval.low), end(interval.high)], colour(family), 1.5, 0.9)?;
            }
            canvas.mark(shape(family), *at, 4.0, colour(family), 1.0)?;
        }
        Ok(())
    }

    fn description(&self) -> String {
        let all = self.analysis.at_once.len();
        if all > RUNGS_TOLD {
            return format!("{TITLE}, {WHAT}: {all} medians; the table of jobs at once holds them.");
        }
        let families = self.edits.iter().flat_map(|edit| self.families.iter().map(move |family| (*edit, *family)));
        let told = families.filter_map(|(edit, family)| {
            let rungs: Vec<String> = self.rungs(edit, family).into_iter().map(rung).collect();
            let name = shown(&self.analysis.arms[family].name);
            (!rungs.is_empty()).then(|| format!("{name} after edit {edit}: {}.", rungs.join(", ")))
        });
        format!("{TITLE}, {WHAT}, the time of the slowest. {}", told.collect::<Vec<_>>().join(" "))
    }
}

fn rung(one: &AtOnce) -> String {
    let slowdown = one.slowdown.as_ref().map(|slowdown| format!(", each {}", ratio(slowdown).point));
    format!("{} in {}{}", one.concurrency, units::nanos(one.slowest.point), slowdown.unwrap_or_default())
}

impl Plane {
    fn bottom(&self) -> f64 {
        self.top + PLOT_HEIGHT
    }

    fn y(&self, share: f64) -> f64 {
        self.bottom() - share * PLOT_HEIGHT
    }

    fn share(&self, value: f64) -> f64 {
        match &self.scale {
            Scale::Time(axis) => value / axis.top,
            Scale::Ratio(axis) => axis.share(value),
        }
    }

    /// What the others are more or less than.
    fn base(&self) -> f64 {
        match self.scale {
            Scale::Time(_) => 0.0,
            Scale::Ratio(_) => 1.0,
        }
    }

    /// The least first.
    fn ticks(&self) -> Vec<(String, f64)> {
        match &self.scale {
            Scale::Time(axis) => axis.ticks().map(|tick| (axis.label(tick), tick)).collect(),
            Scale::Ratio(axis) => axis.ticks().map(|tick| (RatioAxis::label(tick), tick)).collect(),
        }
    }
}
