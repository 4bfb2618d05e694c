//! The first job from nothing to its end: which part of its start and which step it waits for, topology by topology.

use super::axis::{Axis, Quantity};
use super::canvas::{Account, Anchor, Canvas, Drawn, document};
use super::font::{fit, width};
use super::theme::{FAINT_INK, GRID, INK, MARGIN, SMALL_SIZE, TEXT_SIZE, TITLE_SIZE, WIDTH, colour};
use super::{Figure, PlotError};
use crate::analysis::{Analysis, CaseKey, Metric, Phase, Subject};
use crate::case::{Edit, Op};
use crate::report::shown::shown;
use crate::report::words::{cell, subject};

const NAME: &str = "waterfall";
const TITLE: &str = "The first job, step by step";
const WHAT: &str = "elapsed time from the order for the job's environment, steps one after another";
const BAR: f64 = 20.0;
const ROW: f64 = 30.0;
const LONGEST_NAME: f64 = 170.0;
/// Share of the axis from which on a step has room for its name: of a narrower one two letters would be left.
const LEAST_NAMED: f64 = 0.08;
/// A description of more steps than this helps nobody.
const STEPS_TOLD: usize = 60;

const CAPTION: &str = "The medians of the steps of the first job, laid end to end; neighbouring pieces differ in shade, and those \
    with room have their names. What lies between two steps is untimed and not shown.";
const IN_PARTS: &str = "Up to the dark line is the start, in its parts.";
const IN_ONE: &str = "Up to the dark line is the start, in one piece: its parts are told in events.jsonl, which the directory of \
    this run does not have.";

/// The steps of a job after the edit `first`, each as long as its median over the blocks, the start in its parts.
pub(super) fn figure(analysis: &Analysis) -> Result<Figure, PlotError> {
    let subjects = steps(analysis);
    let bars: Vec<Vec<Segment>> =
        (0..analysis.arms.len()).map(|topology| segments(analysis, topology, &subjects)).collect();
    let largest = bars.iter().map(|bar| bar.iter().map(|segment| segment.nanos).sum()).fold(0.0, f64::max);
    let names: Vec<String> = analysis.arms.iter().map(|arm| fit(&shown(&arm.name), TEXT_SIZE, LONGEST_NAME)).collect();
    let left = MARGIN + names.iter().map(|name| width(name, TEXT_SIZE)).fold(0.0, f64::max) + 10.0;
    let plane = Plane { axis: Axis::up_to(Quantity::Nanos, largest), left, rows: bars.len() };
    let description = description(analysis, &bars, &plane.axis);
    let account = Account { name: NAME, title: TITLE, description };
    let svg = document(&account, (plane.bottom() + 26.0 + MARGIN).ceil(), |canvas| {
        canvas.text(TITLE, (MARGIN, MARGIN + 8.0), TITLE_SIZE, INK, Anchor::Start)?;
        canvas.text(WHAT, (MARGIN, MARGIN + 29.0), TEXT_SIZE, FAINT_INK, Anchor::Start)?;
        plane.ground(canvas)?;
        for (topology, (name, bar)) in names.iter().zip(&bars).enumerate() {
            canvas.text(name, (MARGIN, plane.row(topology)), TEXT_SIZE, INK, Anchor::Start)?;
            plane.bar(canvas, topology, bar)?;
        }
        Ok(())
    })?;
    let start = match &analysis.phases {
        None => IN_ONE,
        Some(_) => IN_PARTS,
    };
    Ok(Figure { name: NAME, title: TITLE, caption: format!("{CAPTION} {start}"), svg })
}

/// A step, or a part of the start, in one topology.
struct Segment {
    name: String,
    nanos: f64,
    part_of: Op,
}

/// In the order in which a job goes through them.
fn steps(analysis: &Analysis) -> Vec<&Subject> {
    let mut steps: Vec<&Subject> = Vec::new();
    for cell in analysis.cells.iter().filter(|cell| cell.case.edit == Edit::First && cell.metric == Metric::ElapsedNs) {
        if cell.case.subject != Subject::Job && !steps.contains(&&cell.case.subject) {
            steps.push(&cell.case.subject);
        }
    }
    steps
}

/// Up to the first step without a value: what follows would begin too early.
fn segments(analysis: &Analysis, topology: usize, steps: &[&Subject]) -> Vec<Segment> {
    let known = steps.iter().map_while(|step| {
        let Subject::Step { op, .. } = step else { return None };
        let case = CaseKey { subject: (*step).clone(), edit: Edit::First };
        let nanos = cell(analysis, topology, &case, Metric::ElapsedNs)?.summary.centre()?;
        (nanos.is_finite() && nanos >= 0.0).then(|| Segment { name: subject(step), nanos, part_of: *op })
    });
    known.flat_map(|step| in_parts(analysis, topology, step)).collect()
}

/// The parts of a start where they are known, in place of the whole.
fn in_parts(analysis: &Analysis, topology: usize, step: Segment) -> Vec<Segment> {
    let phases = analysis.phases.iter().flatten().filter(|phase| phase.topology == topology);
    let part = |phase: &Phase| Segment { name: shown(&phase.name), nanos: phase.elapsed_ns, part_of: Op::Start };
    let parts: Vec<Segment> = if step.part_of == Op::Start { phases.map(part).collect() } else { Vec::new() };
    if parts.is_empty() { vec![step] } else { parts }
}

/// Where things are, in pixels.
struct Plane {
    axis: Axis,
    left: f64,
    rows: usize,
}

impl Plane {
    const TOP: f64 = MARGIN + 46.0;

    fn bottom(&self) -> f64 {
        Self::TOP + ROW * self.rows.max(1) as f64
    }

    fn right(&self) -> f64 {
        // Half of the last label stands beyond the axis.
        WIDTH - MARGIN - 24.0
    }

    fn x(&self, nanos: f64) -> f64 {
        self.left + nanos / self.axis.top * (self.right() - self.left)
    }

    /// The middle of a topology's row.
    fn row(&self, topology: usize) -> f64 {
        Self::TOP + ROW * (topology as f64 + 0.5)
    }

    fn ground(&self, canvas: &Canvas) -> Drawn {
        for tick in self.axis.ticks() {
            let (x, colour) = (self.x(tick), if tick == 0.0 { FAINT_INK } else { GRID });
            canvas.line(&[(x, Self::TOP), (x, self.bottom())], colour, 1.0, 1.0)?;
            canvas.text(&self.axis.label(tick), (x, self.bottom() + 12.0), TEXT_SIZE, FAINT_INK, Anchor::Middle)?;
        }
        Ok(())
    }

    fn bar(&self, canvas: &Canvas, topology: usize, segments: &[Segment]) -> Drawn {
        let (middle, mut nanos) = (self.row(topology), 0.0);
        if segments.is_empty() {
            return canvas.text("no data", (self.left + 6.0, middle), SMALL_SIZE, FAINT_INK, Anchor::Start);
        }
        for (index, segment) in segments.iter().enumerate() {
            let (from, to) = (self.x(nanos), self.x(nanos + segment.nanos));
            // Light enough for the names on every colour.
            let alpha = if index.is_multiple_of(2) { 0.55 } else { 0.25 };
            canvas.rectangle((from, middle - BAR / 2.0), (to, middle + BAR / 2.0), colour(topology), alpha)?;
            if segment.nanos / self.axis.top >= LEAST_NAMED {
                let (name, at) = (fit(&segment.name, SMALL_SIZE, to - from - 6.0), (f64::midpoint(from, to), middle));
                canvas.text(&name, at, SMALL_SIZE, INK, Anchor::Middle)?;
            }
            nanos += segment.nanos;
        }
        let start: f64 = segments.iter().filter(|one| one.part_of == Op::Start).map(|one| one.nanos).sum();
        let end = self.x(start);
        canvas.line(&[(end, middle - BAR / 2.0 - 3.0), (end, middle + BAR / 2.0 + 3.0)], INK, 1.5, 1.0)
    }
}

/// The steps in words, for those who do not see the figure.
fn description(analysis: &Analysis, bars: &[Vec<Segment>], axis: &Axis) -> String {
    let all: usize = bars.iter().map(Vec::len).sum();
    if all > STEPS_TOLD {
        return format!("{WHAT}. {all} medians of steps; the tables of the steps hold them.");
    }
    let told = analysis.arms.iter().zip(bars).map(|(arm, bar)| {
        let steps: Vec<String> =
            bar.iter().map(|segment| format!("{} {}", segment.name, axis.label(segment.nanos))).collect();
        let steps = if steps.is_empty() { "no data".to_owned() } else { steps.join(", ") };
        format!("{}: {steps}.", shown(&arm.name))
    });
    format!("{WHAT}. {}", told.collect::<Vec<_>>().join(" "))
}
