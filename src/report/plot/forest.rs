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
        let mut free = f64::NEG_INFINITY;
        for tick in axis.ticks() {
            let x = x(axis, tick);
            canvas.line(&[(x, HEAD), (x, bottom)], if tick == 1.0 { FAINT_INK } else { GRID }, 1.0, 1.0)?;
            let label = format!("{tick}×");
            let half = width(&label, TEXT_SIZE) / 2.0;
            // 1 is never the one that is left out.
            if x - half > free || tick == 1.0 {
                canvas.text(&label, (x, bottom + 12.0), TEXT_SIZE, FAINT_INK, Anchor::Middle)?;
                free = x + half + 4.0;
            }
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
