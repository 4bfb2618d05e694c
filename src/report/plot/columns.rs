//! The horizontal axis of the charts: one column per job or per edit, with its heading.

use super::canvas::{Anchor, Canvas, Drawn};
use super::font::width;
use super::theme::{FAINT_INK, INK, SMALL_SIZE, TEXT_SIZE};

/// What stands under one column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) heading: String,
    /// A second line, such as the edit before a job.
    pub(super) detail: String,
}

/// How the headings of columns of one width are written.
pub(super) struct Headings {
    /// Every how manieth heading has room.
    every: usize,
    details: Details,
    pub(super) height: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Details {
    Level,
    Upwards,
    /// There are none, or the columns are too narrow for any.
    Hidden,
}

impl Headings {
    pub(super) fn new(columns: &[Column], column_width: f64) -> Self {
        let widest = |text: fn(&Column) -> &String, size: f64| {
            columns.iter().map(|column| width(text(column), size)).fold(0.0, f64::max)
        };
        let heading = widest(|column| &column.heading, TEXT_SIZE);
        let detail = widest(|column| &column.detail, SMALL_SIZE);
        let every = ((heading + 4.0) / column_width).ceil().max(1.0) as usize;
        let (details, room) = if columns.iter().all(|column| column.detail.is_empty()) {
            (Details::Hidden, 0.0)
        } else if detail + 4.0 <= column_width {
            (Details::Level, 16.0)
        } else if column_width >= SMALL_SIZE + 1.0 {
            (Details::Upwards, detail + 6.0)
        } else {
            (Details::Hidden, 0.0)
        };
        Self { every, details, height: 20.0 + room }
    }

    /// Writes the heading of column `index`, whose middle is at `x`, below `top`.
    pub(super) fn draw(&self, canvas: &Canvas, index: usize, column: &Column, x: f64, top: f64) -> Drawn {
        if index.is_multiple_of(self.every) {
            canvas.text(&column.heading, (x, top + 10.0), TEXT_SIZE, INK, Anchor::Middle)?;
        }
        match self.details {
            Details::Level => canvas.text(&column.detail, (x, top + 26.0), SMALL_SIZE, FAINT_INK, Anchor::Middle),
            Details::Upwards => canvas.text(&column.detail, (x, top + 22.0), SMALL_SIZE, FAINT_INK, Anchor::UpwardsEnd),
            Details::Hidden => Ok(()),
        }
    }
}
