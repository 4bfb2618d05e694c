//! The forest of ratios: every comparison of whole jobs on one logarithmic axis, with its interval.

use super::canvas::{Account, Anchor, Canvas, Drawn, document};
use super::font::{fit, width};
use super::theme::{BAND, FAINT_INK, GRID, INK, MARGIN, SMALL_SIZE, TEXT_SIZE, TITLE_SIZE, WIDTH, colour, shape};
use super::{Figure, PlotError};
use crate::analysis::{Analysis, Comparison};
use crate::report::shown::shown;
use crate::report::table::contrast_text;
use crate::report::words::ratio;
use crate::stats::{EQUIVALENCE_MARGIN, Estimate, Interval};

const NAME: &str = "ratios";
const TITLE: &str = "How much longer a job takes";
const VALUES: &str = "time of the topology by that of the one it is compared with, logarithmic";
const ROW: f64 = 22.0;
const HEAD: f64 = MARGIN + 50.0;
const FOOT: f64 = 34.0;
/// Room for names on the left, and for numbers on the right.
const NAMES: f64 = 250.0;
const NUMBERS: f64 = 150.0;

/// Round ratios and their reciprocals.
const TICKS: [f64; 17] =
    [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 1.0, 1.25, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];

/// One line of the figure.
enum Line<'a> {
    /// What the lines below it show.
    Heading(String),
    Ratio {
        label: String,
        comparison: &'a Comparison,
        estimate: &'a Estimate,
    },
}

/// The logarithmic axis, in pixels.
struct Axis {
    low: f64,
    high: f64,
}

/// Nothing where no two topologies can be compared.
pub(super) fn figure(analysis: &Analysis) -> Result<Option<Figure>, PlotError> {
    let lines = lines(analysis);
    let estimates: Vec<&Estimate> = lines.iter().filter_map(Line::estimate).collect();
    if estimates.is_empty() {
        return Ok(None);
    }
    let axis = Axis::around(&estimates);
    let height = HEAD + ROW * lines.len() as f64 + FOOT + MARGIN;
    let account = Account { name: NAME, title: TITLE, description: description(&lines) };
    let svg = document(&account, height.ceil(), |canvas| draw(canvas, &axis, &lines))?;
    let caption = "Each mark is the ratio of one comparison of whole jobs, and the line its interval (95 % or a little more; none \
                   below 6 blocks): right of 1× the topology is slower. In the grey stripe a difference would not matter \
                   to a reader; two topologies are called equivalent where the 90 % interval is within it."
        .to_owned();
    Ok(Some(Figure { name: NAME, title: TITLE, caption, svg }))
}

/// By what a comparison shows, then as they are in the tables.
fn lines(analysis: &Analysis) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut jobs: Vec<&Comparison> = analysis.comparisons.iter().filter(|one| one.of_jobs()).collect();
    jobs.sort_by_key(|one| (one.contrast, one.topology, one.reference, one.case.edit));
    let mut last = None;
    for one in jobs {
        let Some(estimate) = &one.ratio else { continue };
        if last.replace(one.contrast) != Some(one.contrast) {
            lines.push(Line::Heading(contrast_text(one.contrast).to_owned()));
        }
        let name = |topology: usize| shown(&analysis.arms[topology].name);
        let label = format!("{} / {}, {}", name(one.topology), name(one.reference), one.case.edit);
        lines.push(Line::Ratio { label, comparison: one, estimate });
    }
    lines
}

impl Line<'_> {
    fn estimate(&self) -> Option<&Estimate> {
        match self {
            Self::Heading(_) => None,
            Self::Ratio { estimate, .. } => Some(estimate),
        }
    }
}

impl Axis {
    /// From a tick at or below the least value to one at or above the largest, 1 always among them.
    fn around(estimates: &[&Estimate]) -> Self {
        let ends = estimates.iter().flat_map(|estimate| match estimate.interval {
            Some(Interval { low, high, .. }) => [low.min(estimate.point), high.max(estimate.point)],
            None => [estimate.point; 2],
        });
        let (least, largest) =
            ends.fold((1.0_f64, 1.0_f64), |(least, largest), end| (least.min(end), largest.max(end)));
        let low = TICKS.iter().rev().copied().find(|tick| *tick < least / 1.02).unwrap_or(TICKS[0]);
        let high = TICKS.iter().copied().find(|tick| *tick > largest * 1.02).unwrap_or(TICKS[TICKS.len() - 1]);
        Self { low, high }
    }

    /// What is beyond the outermost ticks stands at the edge.
    fn x(&self, ratio: f64) -> f64 {
        let (left, right) = (MARGIN + NAMES, WIDTH - MARGIN - NUMBERS);
        let share = (ratio.clamp(self.low, self.high) / self.low).ln() / (self.high / self.low).ln();
        left + share * (right - left)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        TICKS.into_iter().filter(|tick| (self.low..=self.high).contains(tick))
    }
}

fn draw(canvas: &Canvas, axis: &Axis, lines: &[Line<'_>]) -> Drawn {
    canvas.text(TITLE, (MARGIN, MARGIN + 8.0), TITLE_SIZE, INK, Anchor::Start)?;
    canvas.text(VALUES, (MARGIN, MARGIN + 29.0), TEXT_SIZE, FAINT_INK, Anchor::Start)?;
    let bottom = HEAD + ROW * lines.len() as f64;
    let stripe = [1.0 / (1.0 + EQUIVALENCE_MARGIN), 1.0 + EQUIVALENCE_MARGIN].map(|ratio| axis.x(ratio));
    canvas.rectangle((stripe[0], HEAD), (stripe[1], bottom), GRID, 0.7)?;
    let mut free = f64::NEG_INFINITY;
    for tick in axis.ticks() {
        let x = axis.x(tick);
        canvas.line(&[(x, HEAD), (x, bottom)], if tick == 1.0 { FAINT_INK } else { GRID }, 1.0, 1.0)?;
        let label = format!("{tick}×");
        let half = width(&label, TEXT_SIZE) / 2.0;
        // 1 is never the one that is left out.
        if x - half > free || tick == 1.0 {
            canvas.text(&label, (x, bottom + 12.0), TEXT_SIZE, FAINT_INK, Anchor::Middle)?;
            free = x + half + 4.0;
        }
    }
    for (index, line) in lines.iter().enumerate() {
        let y = HEAD + ROW * (index as f64 + 0.5);
        match line {
            Line::Heading(text) => draw_heading(canvas, y, text)?,
            Line::Ratio { label, comparison, estimate } => {
                draw_ratio(canvas, axis, y, label, comparison.topology, estimate)?;
            }
        }
    }
    Ok(())
}

fn draw_heading(canvas: &Canvas, y: f64, text: &str) -> Drawn {
    canvas.rectangle((MARGIN, y - ROW / 2.0), (WIDTH - MARGIN, y + ROW / 2.0), BAND, 1.0)?;
    canvas.text(text, (MARGIN + 4.0, y), TEXT_SIZE, FAINT_INK, Anchor::Start)
}

fn draw_ratio(canvas: &Canvas, axis: &Axis, y: f64, label: &str, topology: usize, estimate: &Estimate) -> Drawn {
    let name = fit(label, TEXT_SIZE, NAMES - 14.0);
    canvas.text(&name, (MARGIN + 4.0, y), TEXT_SIZE, INK, Anchor::Start)?;
    if let Some(Interval { low, high, .. }) = estimate.interval {
        canvas.line(&[(axis.x(low), y), (axis.x(high), y)], colour(topology), 2.5, 0.9)?;
    }
    canvas.mark(shape(topology), (axis.x(estimate.point), y), 5.0, colour(topology), 1.0)?;
    let words = ratio(estimate);
    let numbers = match words.range {
        Some(range) => format!("{} ({range})", words.point),
        None => words.point,
    };
    canvas.text(&numbers, (WIDTH - MARGIN, y), SMALL_SIZE, INK, Anchor::End)
}

fn description(lines: &[Line<'_>]) -> String {
    let told = lines.iter().map(|line| match line {
        Line::Heading(text) => format!("{text}:"),
        Line::Ratio { label, estimate, .. } => {
            let words = ratio(estimate);
            format!("{label} {}, {}.", words.point, words.interval)
        }
    });
    format!("{VALUES}. {}", told.collect::<Vec<_>>().join(" "))
}
