//! All times of a case at once: which share of the jobs took no longer than a time.

use super::axis::{Axis, Quantity};
use super::canvas::{Account, Anchor, Canvas, Drawn, document};
use super::legend::Legend;
use super::theme::{FAINT_INK, GRID, INK, MARGIN, TEXT_SIZE, TITLE_SIZE, WIDTH, colour, shape};
use super::{Figure, PlotError};
use crate::analysis::{Analysis, Metric, Subject};
use crate::case::Edit;
use crate::report::shown::shown;
use crate::stats::Ordered;

const NAME: &str = "distribution";
const TITLE: &str = "All times of a job";
const PLOT_HEIGHT: f64 = 240.0;
/// Shares that have a line.
const SHARES: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
/// Beyond this many times of a topology marks would be a bar, and steps too small to be seen.
const MOST_MARKS: usize = 80;
const MOST_STEPS: usize = 400;

/// Jobs before which nothing changed, where the run has them: they are the most, and differ in nothing but the topology.
pub(super) fn figure(analysis: &Analysis) -> Result<Figure, PlotError> {
    let edit = case(analysis);
    let times: Vec<Option<Ordered>> =
        (0..analysis.arms.len()).map(|topology| times(analysis, topology, edit)).collect();
    let largest = times.iter().flatten().map(Ordered::max).fold(0.0, f64::max);
    let plane = Plane::new(Axis::up_to(Quantity::Nanos, largest), &Legend::new(&analysis.arms));
    let account = Account { name: NAME, title: TITLE, description: description(analysis, &times, edit, &plane.axis) };
    let svg = document(&account, (plane.bottom() + 48.0 + MARGIN).ceil(), |canvas| {
        canvas.text(TITLE, (MARGIN, MARGIN + 8.0), TITLE_SIZE, INK, Anchor::Start)?;
        let what = format!("share of the jobs after edit {edit} that took no longer");
        canvas.text(&what, (MARGIN, MARGIN + 29.0), TEXT_SIZE, FAINT_INK, Anchor::Start)?;
        Legend::new(&analysis.arms).draw(canvas, MARGIN + 42.0)?;
        plane.ground(canvas, times.iter().all(Option::is_none))?;
        for (topology, times) in times.iter().enumerate() {
            times.iter().try_for_each(|times| plane.steps(canvas, topology, times.values()))?;
        }
        Ok(())
    })?;
    let caption = format!(
        "Jobs after edit {edit}, every one that counts. A line rises at each time by that job's share: where it is steep times \
         are alike, and a long way to the right at its upper end are jobs that took much longer than most."
    );
    Ok(Figure { name: NAME, title: TITLE, caption, svg })
}

/// The edit whose jobs are shown.
fn case(analysis: &Analysis) -> Edit {
    let mut jobs = analysis.measured(&Subject::Job, Metric::ElapsedNs);
    if jobs.any(|point| point.edit == Edit::None) { Edit::None } else { Edit::First }
}

fn times(analysis: &Analysis, topology: usize, edit: Edit) -> Option<Ordered> {
    let jobs = analysis.measured(&Subject::Job, Metric::ElapsedNs);
    let ours = jobs.filter(|point| (point.topology, point.edit) == (topology, edit));
    Ordered::new(ours.map(|point| point.value).filter(|value| value.is_finite() && *value >= 0.0)).ok()
}

/// Where things are, in pixels.
struct Plane {
    axis: Axis,
    left: f64,
    top: f64,
}

impl Plane {
    fn new(axis: Axis, legend: &Legend) -> Self {
        Self { axis, left: MARGIN + 46.0, top: MARGIN + 42.0 + legend.height + 14.0 }
    }

    fn bottom(&self) -> f64 {
        self.top + PLOT_HEIGHT
    }

    fn right(&self) -> f64 {
        // Half of the last label stands beyond the axis.
        WIDTH - MARGIN - 24.0
    }

    fn x(&self, value: f64) -> f64 {
        self.left + value / self.axis.top * (self.right() - self.left)
    }

    fn y(&self, share: f64) -> f64 {
        self.bottom() - share * PLOT_HEIGHT
    }

    fn ground(&self, canvas: &Canvas, empty: bool) -> Drawn {
        for share in SHARES {
            let colour = if share == 0.0 { FAINT_INK } else { GRID };
            canvas.line(&[(self.left, self.y(share)), (self.right(), self.y(share))], colour, 1.0, 1.0)?;
            let label = format!("{:.0} %", share * 100.0);
            canvas.text(&label, (self.left - 6.0, self.y(share)), TEXT_SIZE, FAINT_INK, Anchor::End)?;
        }
        for tick in self.axis.ticks() {
            let x = self.x(tick);
            canvas.line(&[(x, self.top), (x, self.bottom())], GRID, 1.0, 1.0)?;
            canvas.text(&self.axis.label(tick), (x, self.bottom() + 12.0), TEXT_SIZE, FAINT_INK, Anchor::Middle)?;
        }
        let middle = f64::midpoint(self.left, self.right());
        canvas.text(
            "elapsed time of the whole job",
            (middle, self.bottom() + 32.0),
            TEXT_SIZE,
            FAINT_INK,
            Anchor::Middle,
        )?;
        if empty {
            canvas.text("no data", (middle, self.y(0.5)), TITLE_SIZE, FAINT_INK, Anchor::Middle)?;
        }
        Ok(())
    }

    /// `times` are in ascending order.
    fn steps(&self, canvas: &Canvas, topology: usize, times: &[f64]) -> Drawn {
        let share = |count: usize| count as f64 / times.len() as f64;
        let mut line = vec![(self.x(times[0]), self.y(0.0))];
        let mut below = 0;
        for index in (0..times.len()).step_by(times.len().div_ceil(MOST_STEPS)).chain([times.len() - 1]) {
            let x = self.x(times[index]);
            line.extend([(x, self.y(share(below))), (x, self.y(share(index + 1)))]);
            below = index + 1;
        }
        line.push((self.right(), self.y(1.0)));
        canvas.line(&line, colour(topology), 2.0, 0.9)?;
        if times.len() > MOST_MARKS {
            return Ok(());
        }
        times.iter().enumerate().try_for_each(|(index, time)| {
            let at = (self.x(*time), self.y(share(index + 1)));
            canvas.mark(shape(topology), at, 2.6, colour(topology), 0.8)
        })
    }
}

/// The quartiles in words.
fn description(analysis: &Analysis, times: &[Option<Ordered>], edit: Edit, axis: &Axis) -> String {
    let told = analysis.arms.iter().zip(times).map(|(arm, times)| {
        let name = shown(&arm.name);
        match times {
            None => format!("{name}: no data."),
            Some(times) => {
                let (first, third) = times.quartiles();
                let [first, middle, third] = [first, times.median(), third].map(|time| axis.label(time));
                format!("{name}: a quarter within {first}, half within {middle}, three quarters within {third}.")
            }
        }
    });
    format!("Elapsed time of whole jobs after edit {edit}. {}", told.collect::<Vec<_>>().join(" "))
}
