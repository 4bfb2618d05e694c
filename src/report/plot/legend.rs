//! Which mark is which topology.

use super::canvas::{Anchor, Canvas, Drawn};
use super::font::{fit, width};
use super::theme::{INK, MARGIN, TEXT_SIZE, WIDTH, colour, shape};
use crate::analysis::Arm;
use crate::report::shown::shown;

const LINE: f64 = 19.0;
const MARK: f64 = 18.0;
const GAP: f64 = 20.0;
/// One long name must not hide the others.
const LONGEST: f64 = 230.0;

/// The entries with their places, counted from the legend's upper left corner.
pub(super) struct Legend {
    entries: Vec<Entry>,
    pub(super) height: f64,
}

struct Entry {
    topology: usize,
    name: String,
    x: f64,
    y: f64,
}

impl Legend {
    /// Of every topology.
    pub(super) fn new(arms: &[Arm]) -> Self {
        Self::of(arms, 0..arms.len())
    }

    /// Of these alone.
    pub(super) fn of(arms: &[Arm], topologies: impl IntoIterator<Item = usize>) -> Self {
        let room = WIDTH - 2.0 * MARGIN + GAP;
        let names: Vec<(usize, String)> = topologies
            .into_iter()
            .map(|topology| (topology, fit(&shown(&arms[topology].name), TEXT_SIZE, LONGEST)))
            .collect();
        let widths: Vec<f64> = names.iter().map(|(_, name)| MARK + width(name, TEXT_SIZE) + GAP).collect();
        if widths.iter().sum::<f64>() <= room {
            let lefts = widths.iter().scan(0.0, |x, width| Some(std::mem::replace(x, *x + width)));
            let entries = names.into_iter().zip(lefts).map(|((topology, name), x)| Entry { topology, name, x, y: 0.0 });
            return Self { entries: entries.collect(), height: LINE };
        }
        // More than one line is read best as columns.
        let column = widths.iter().copied().fold(1.0, f64::max);
        let columns = (room / column).floor().max(1.0) as usize;
        let height = LINE * names.len().div_ceil(columns) as f64;
        let entries = names.into_iter().enumerate().map(|(index, (topology, name))| Entry {
            topology,
            name,
            x: (index % columns) as f64 * column,
            y: (index / columns) as f64 * LINE,
        });
        Self { entries: entries.collect(), height }
    }

    pub(super) fn draw(&self, canvas: &Canvas, top: f64) -> Drawn {
        for Entry { topology, name, x, y } in &self.entries {
            let (x, y) = (MARGIN + x, top + y + LINE / 2.0);
            canvas.mark(shape(*topology), (x + 6.0, y), 5.0, colour(*topology), 1.0)?;
            canvas.text(name, (x + MARK, y), TEXT_SIZE, INK, Anchor::Start)?;
        }
        Ok(())
    }
}
