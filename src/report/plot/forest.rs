//! A forest of ratios: each with its interval on one logarithmic axis.

use super::canvas::{Account, Anchor, Canvas, Drawn, document};
use super::font::{fit, width};
use super::ratio_axis::RatioAxis;
use super::theme::{BAND, FAINT_INK, GRID, INK, MARGIN, SMALL_SIZE, TEXT_SIZE, TITLE_SIZE, WIDTH, colour, shape};
use super::{Figure, PlotError};
use crate::report::words::ratio;
use crate::stats::{EQUIVALENCE_MARGIN, Estimate, Interval};

const ROW: f64 = 22.0;
const HEAD: f64 = MARGIN + 50.0;
const FOOT: f64 = 34.0;
/// Room for names on the left, and for numbers on the right.
const NAMES: f64 = 250.0;
const NUMBERS: f64 = 150.0;
/// Between two labels of the axis.
const GAP: f64 = 4.0;

pub(super) struct Forest {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// What the ratios are.
    pub(super) values: &'static str,
    pub(super) caption: String,
    pub(super) lines: Vec<Line>,
}

/// One line of the figure.
pub(super) enum Line {
    /// What the lines below it show.
    Heading(String),
    /// `topology` is the one whose look the mark has.
    Ratio { label: String, topology: usize, estimate: Estimate },
}

impl Line {
    fn estimate(&self) -> Option<&Estimate> {
        match self {
            Self::Heading(_) => None,
            Self::Ratio { estimate, .. } => Some(estimate),
        }
    }
}

impl Forest {
    /// Nothing where there is no ratio.
    pub(super) fn figure(self) -> Result<Option<Figure>, PlotError> {
        if self.lines.iter().all(|line| line.estimate().is_none()) {
            return Ok(None);
        }
        let axis = RatioAxis::around(self.lines.iter().filter_map(Line::estimate));
        let account = Account { name: self.name, title: self.title, description: self.description() };
        let svg = document(&account, (self.bottom() + FOOT + MARGIN).ceil(), |canvas| self.draw(canvas, &axis))?;
        Ok(Some(Figure { name: self.name, title: self.title, caption: self.caption, svg }))
    }

    fn bottom(&self) -> f64 {
        HEAD + ROW * self.lines.len() as f64
    }

    fn draw(&self, canvas: &Canvas, axis: &RatioAxis) -> Drawn {
        canvas.text(self.title, (MARGIN, MARGIN + 8.0), TITLE_SIZE, INK, Anchor::Start)?;
        canvas.text(self.values, (MARGIN, MARGIN + 29.0), TEXT_SIZE, FAINT_INK, Anchor::Start)?;
        self.draw_ground(canvas, axis)?;
        for (index, line) in self.lines.iter().enumerate() {
            let y = HEAD + ROW * (index as f64 + 0.5);
            match line {
                Line::Heading(text) => draw_heading(canvas, y, text)?,
                Line::Ratio { label, topology, estimate } => draw_ratio(canvas, axis, y, label, *topology, estimate)?,
            }
        }
        Ok(())
    }

    fn draw_ground(&self, canvas: &Canvas, axis: &RatioAxis) -> Drawn {
        let bottom = self.bottom();
        let stripe = [1.0 / (1.0 + EQUIVALENCE_MARGIN), 1.0 + EQUIVALENCE_MARGIN].map(|ratio| x(axis, ratio));
        canvas.rectangle((stripe[0], HEAD), (stripe[1], bottom), GRID, 0.7)?;
        for tick in axis.ticks() {
            let at = x(axis, tick);
            canvas.line(&[(at, HEAD), (at, bottom)], if tick == 1.0 { FAINT_INK } else { GRID }, 1.0, 1.0)?;
        }
        for tick in labelled(axis) {
            canvas.text(
                &RatioAxis::label(tick),
                (x(axis, tick), bottom + 12.0),
                TEXT_SIZE,
                FAINT_INK,
                Anchor::Middle,
            )?;
        }
        Ok(())
    }

    fn description(&self) -> String {
        let told = self.lines.iter().map(|line| match line {
            Line::Heading(text) => format!("{text}:"),
            Line::Ratio { label, estimate, .. } => {
                let words = ratio(estimate);
                format!("{label} {}, {}.", words.point, words.interval)
            }
        });
        format!("{}. {}", self.values, told.collect::<Vec<_>>().join(" "))
    }
}

fn x(axis: &RatioAxis, ratio: f64) -> f64 {
    let (left, right) = (MARGIN + NAMES, WIDTH - MARGIN - NUMBERS);
    left + axis.share(ratio) * (right - left)
}

/// From where to where the label of a tick is written.
fn room(axis: &RatioAxis, tick: f64) -> (f64, f64) {
    let half = width(&RatioAxis::label(tick), TEXT_SIZE) / 2.0;
    (x(axis, tick) - half, x(axis, tick) + half)
}

/// The ticks whose labels have room beside one another. 1 is always one of them.
fn labelled(axis: &RatioAxis) -> Vec<f64> {
    let mut labelled = Vec::new();
    for tick in axis.ticks() {
        let room = room(axis, tick);
        let beside = |other: f64| apart(room, self::room(axis, other));
        if tick == 1.0 || beside(1.0) && labelled.last().is_none_or(|last| beside(*last)) {
            labelled.push(tick);
        }
    }
    labelled
}

fn apart(one: (f64, f64), other: (f64, f64)) -> bool {
    one.1 + GAP < other.0 || other.1 + GAP < one.0
}

fn draw_heading(canvas: &Canvas, y: f64, text: &str) -> Drawn {
    canvas.rectangle((MARGIN, y - ROW / 2.0), (WIDTH - MARGIN, y + ROW / 2.0), BAND, 1.0)?;
    let text = fit(text, TEXT_SIZE, WIDTH - 2.0 * MARGIN - 8.0);
    canvas.text(&text, (MARGIN + 4.0, y), TEXT_SIZE, FAINT_INK, Anchor::Start)
}

fn draw_ratio(canvas: &Canvas, axis: &RatioAxis, y: f64, label: &str, topology: usize, estimate: &Estimate) -> Drawn {
    let name = fit(label, TEXT_SIZE, NAMES - 14.0);
    canvas.text(&name, (MARGIN + 4.0, y), TEXT_SIZE, INK, Anchor::Start)?;
    if let Some(Interval { low, high, .. }) = estimate.interval {
        canvas.line(&[(x(axis, low), y), (x(axis, high), y)], colour(topology), 2.5, 0.9)?;
    }
    canvas.mark(shape(topology), (x(axis, estimate.point), y), 5.0, colour(topology), 1.0)?;
    let words = ratio(estimate);
    let numbers = match words.range {
        Some(range) => format!("{} ({range})", words.point),
        None => words.point,
    };
    canvas.text(&numbers, (WIDTH - MARGIN, y), SMALL_SIZE, INK, Anchor::End)
}

#[cfg(test)]
mod tests {
    use super::super::font::register;
    use super::*;

    #[test]
    fn labels_of_the_axis_do_not_touch_and_1_has_one() {
        register().unwrap();
        for (low, high, expected) in [
            (0.6, 1.7, vec![0.5, 0.8, 1.0, 1.25, 2.0]),
            // Of a run in which 0.8 and 1 stood on each other.
            (0.32, 6.3, vec![0.2, 0.5, 1.0, 2.0, 5.0, 10.0]),
            (0.02, 400.0, vec![0.01, 0.05, 0.2, 1.0, 5.0, 20.0, 100.0, 500.0]),
        ] {
            let estimates = [low, high].map(|point| Estimate { point, interval: None, n: 7 });
            let axis = RatioAxis::around(estimates.iter());
            let labelled = labelled(&axis);
            assert!(labelled.windows(2).all(|two| apart(room(&axis, two[0]), room(&axis, two[1]))), "{labelled:?}");
            assert_eq!(labelled, expected);
        }
    }
}
