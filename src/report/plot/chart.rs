//! The chart that most figures share: columns along the sequence, in each column one slot per topology.

use super::axis::{Axis, Quantity};
use super::canvas::{Account, Anchor, Canvas, Drawn, document};
use super::columns::{Column, Headings};
use super::font::width;
use super::legend::Legend;
use super::theme::{BAND, FAINT_INK, GRID, INK, MARGIN, SMALL_SIZE, TEXT_SIZE, TITLE_SIZE, WIDTH, colour, shape};
use super::{Figure, PlotError};
use crate::analysis::Arm;
use crate::report::shown::shown;

const PLOT_HEIGHT: f64 = 270.0;
/// Below this width of a slot there is no room for the words "no data" in it.
const WORDS_WIDTH: f64 = 12.0;
/// More columns, or more points, than this no figure of this width can show.
const MOST_COLUMNS: usize = 240;
const MOST_POINTS: usize = 12_000;
/// A description of more centres than this helps nobody.
const CENTRES_TOLD: usize = 60;

/// How the values of a slot are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Every point, with a line at the centre and a band over its interval.
    Strip,
    /// A bar from zero to the centre.
    Bar,
    /// Every point, with the centres of a topology joined along the columns.
    Line,
}

/// The values of one topology in one column.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Slot {
    /// Block and value; values are finite and not negative.
    pub(super) points: Vec<(u32, f64)>,
    pub(super) centre: Option<f64>,
    pub(super) interval: Option<(f64, f64)>,
}

pub(super) struct Chart<'a> {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) caption: String,
    /// What the vertical axis is.
    pub(super) values: &'static str,
    /// What the columns are.
    pub(super) along: &'static str,
    pub(super) quantity: Quantity,
    pub(super) mark: Mark,
    pub(super) arms: &'a [Arm],
    pub(super) columns: Vec<Column>,
    /// One row per column, one slot per topology.
    pub(super) slots: Vec<Vec<Slot>>,
    /// Values that cannot be on the axis: negative or not finite.
    pub(super) unplottable: usize,
}

/// Where things are, in pixels.
struct Layout {
    axis: Axis,
    /// Every how manieth point of a slot is shown.
    every: usize,
    left: f64,
    top: f64,
    column_width: f64,
    slot_width: f64,
}

impl Layout {
    fn bottom(&self) -> f64 {
        self.top + PLOT_HEIGHT
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom() - value / self.axis.top * PLOT_HEIGHT
    }

    fn column_x(&self, column: usize) -> f64 {
        self.left + self.column_width * (column as f64 + 0.5)
    }

    fn slot_x(&self, column: usize, topology: usize, topologies: usize) -> f64 {
        self.column_x(column) + self.slot_width * (topology as f64 - (topologies as f64 - 1.0) / 2.0)
    }
}

impl Chart<'_> {
    pub(super) fn figure(mut self) -> Result<Figure, PlotError> {
        let thinned = self.thin();
        let legend = Legend::new(self.arms);
        let layout = self.layout(&legend);
        let headings = Headings::new(&self.columns, layout.column_width);
        let notes: Vec<String> = thinned.into_iter().chain(self.notes(&layout)).collect();
        let height = layout.bottom() + headings.height + 20.0 + 16.0 * notes.len() as f64 + MARGIN;
        let account = Account { name: self.name, title: self.title, description: self.description() };
        let svg = document(&account, height.ceil(), |canvas| {
            canvas.text(self.title, (MARGIN, MARGIN + 8.0), TITLE_SIZE, INK, Anchor::Start)?;
            canvas.text(self.values, (MARGIN, MARGIN + 29.0), TEXT_SIZE, FAINT_INK, Anchor::Start)?;
            legend.draw(canvas, MARGIN + 42.0)?;
            self.draw_ground(canvas, &layout, &headings)?;
            self.draw_values(canvas, &layout)?;
            let mut below = layout.bottom() + headings.height + 10.0;
            let middle = (layout.left + WIDTH - MARGIN) / 2.0;
            canvas.text(self.along, (middle, below), TEXT_SIZE, FAINT_INK, Anchor::Middle)?;
            for note in &notes {
                below += 16.0;
                canvas.text(note, (MARGIN, below + 2.0), SMALL_SIZE, FAINT_INK, Anchor::Start)?;
            }
            Ok(())
        })?;
        Ok(Figure { name: self.name, title: self.title, caption: self.caption, svg })
    }

    /// Leaves one of so many columns where they are too many to be told apart, and says so.
    fn thin(&mut self) -> Option<String> {
        let every = self.columns.len().div_ceil(MOST_COLUMNS);
        if every <= 1 {
            return None;
        }
        self.columns = std::mem::take(&mut self.columns).into_iter().step_by(every).collect();
        self.slots = std::mem::take(&mut self.slots).into_iter().step_by(every).collect();
        Some(format!("shown: one column of {every}"))
    }

    fn layout(&self, legend: &Legend) -> Layout {
        let slots = self.slots.iter().flatten();
        let largest = slots
            .flat_map(|slot| {
                let points = slot.points.iter().map(|(_, value)| *value);
                points.chain(slot.centre).chain(slot.interval.map(|(_, high)| high))
            })
            .fold(0.0, f64::max);
        let axis = Axis::up_to(self.quantity, largest);
        let labels = axis.ticks().map(|tick| width(&axis.label(tick), TEXT_SIZE)).fold(0.0, f64::max);
        let left = MARGIN + labels + 8.0;
        let column_width = (WIDTH - MARGIN - left) / self.columns.len().max(1) as f64;
        let slot_width = column_width * 0.86 / self.arms.len().max(1) as f64;
        let points: usize = self.slots.iter().flatten().map(|slot| slot.points.len()).sum();
        let every = points.div_ceil(MOST_POINTS).max(1);
        Layout { axis, every, left, top: MARGIN + 42.0 + legend.height + 14.0, column_width, slot_width }
    }

    fn notes(&self, layout: &Layout) -> Vec<String> {
        let slots = self.slots.iter().flatten().count();
        let empty = self.slots.iter().flatten().filter(|slot| slot.points.is_empty()).count();
        let mut notes = Vec::new();
        if empty > 0 && empty < slots && layout.slot_width < WORDS_WIDTH {
            notes.push(format!("no data in {empty} of {slots} places"));
        }
        // Bars have no points, and a slot's only point is always shown.
        if layout.every > 1 && self.mark != Mark::Bar && self.slots.iter().flatten().any(|slot| slot.points.len() > 1) {
            notes.push(format!(
                "shown: one point of {} in a place; lines, bands and statistics are of all",
                layout.every
            ));
        }
        if self.unplottable > 0 {
            notes.push(format!("not shown: {} values that are negative or not finite", self.unplottable));
        }
        notes
    }

    fn draw_ground(&self, canvas: &Canvas, layout: &Layout, headings: &Headings) -> Drawn {
        let right = WIDTH - MARGIN;
        for index in (0..self.columns.len()).step_by(2) {
            let x = layout.left + layout.column_width * index as f64;
            canvas.rectangle((x, layout.top), (x + layout.column_width, layout.bottom()), BAND, 1.0)?;
        }
        for tick in layout.axis.ticks() {
            let y = layout.y(tick);
            let colour = if tick == 0.0 { FAINT_INK } else { GRID };
            canvas.line(&[(layout.left, y), (right, y)], colour, 1.0, 1.0)?;
            canvas.text(&layout.axis.label(tick), (layout.left - 6.0, y), TEXT_SIZE, FAINT_INK, Anchor::End)?;
        }
        for (index, column) in self.columns.iter().enumerate() {
            headings.draw(canvas, index, column, layout.column_x(index), layout.bottom())?;
        }
        if self.slots.iter().flatten().all(|slot| slot.points.is_empty()) {
            let middle = ((layout.left + right) / 2.0, layout.top + PLOT_HEIGHT / 2.0);
            canvas.text("no data", middle, TITLE_SIZE, FAINT_INK, Anchor::Middle)?;
        }
        Ok(())
    }

    fn draw_values(&self, canvas: &Canvas, layout: &Layout) -> Drawn {
        let nothing = self.slots.iter().flatten().all(|slot| slot.points.is_empty());
        if self.mark == Mark::Line {
            self.draw_joins(canvas, layout)?;
        }
        for (column, slots) in self.slots.iter().enumerate() {
            for (topology, slot) in slots.iter().enumerate() {
                let x = layout.slot_x(column, topology, slots.len());
                if !slot.points.is_empty() {
                    match self.mark {
                        Mark::Strip => draw_strip(canvas, layout, topology, x, slot)?,
                        Mark::Bar => self.draw_bar(canvas, layout, topology, x, slot)?,
                        Mark::Line => draw_points(canvas, layout, topology, x, slot, 0.25)?,
                    }
                } else if !nothing && layout.slot_width >= WORDS_WIDTH {
                    let at = (x, layout.bottom() - 5.0);
                    canvas.text("no data", at, SMALL_SIZE, FAINT_INK, Anchor::Upwards)?;
                }
            }
        }
        Ok(())
    }

    fn draw_joins(&self, canvas: &Canvas, layout: &Layout) -> Drawn {
        for topology in 0..self.arms.len() {
            let mut run: Vec<(f64, f64)> = Vec::new();
            for (column, slots) in self.slots.iter().enumerate() {
                match slots[topology].centre {
                    Some(centre) => run.push((layout.slot_x(column, topology, slots.len()), layout.y(centre))),
                    // A line over a gap would claim a value that nobody measured.
                    None => {
                        canvas.line(&run, colour(topology), 2.0, 0.9)?;
                        run.clear();
                    }
                }
            }
            canvas.line(&run, colour(topology), 2.0, 0.9)?;
        }
        Ok(())
    }

    fn draw_bar(&self, canvas: &Canvas, layout: &Layout, topology: usize, x: f64, slot: &Slot) -> Drawn {
        let Some(centre) = slot.centre else { return Ok(()) };
        let half = (layout.slot_width * 0.4).min(36.0);
        let top = layout.y(centre);
        // Zero is a value: its bar is a line that can be seen.
        let visible = top.min(layout.bottom() - 2.0);
        canvas.rectangle((x - half, visible), (x + half, layout.bottom()), colour(topology), 0.85)?;
        let low = slot.points.iter().map(|(_, value)| *value).fold(f64::INFINITY, f64::min);
        let high = slot.points.iter().map(|(_, value)| *value).fold(0.0, f64::max);
        if low < high {
            canvas.line(&[(x, layout.y(low)), (x, layout.y(high))], INK, 1.0, 0.8)?;
        }
        let above = layout.y(high);
        let radius = (half * 0.7).min(3.5);
        canvas.mark(shape(topology), (x, above - 7.0), radius, colour(topology), 1.0)?;
        let label = layout.axis.label(centre);
        if width(&label, SMALL_SIZE) <= layout.slot_width {
            canvas.text(&label, (x, above - 18.0), SMALL_SIZE, FAINT_INK, Anchor::Middle)?;
        }
        Ok(())
    }

    /// The centres in words, for those who do not see the figure.
    fn description(&self) -> String {
        let centres = self.slots.iter().flatten().filter(|slot| slot.centre.is_some()).count();
        if centres == 0 {
            return format!("{}: no data.", self.values);
        }
        if centres > CENTRES_TOLD {
            return format!("{}. {centres} medians; the tables hold the most important ones.", self.values);
        }
        let axis = Axis::up_to(self.quantity, 0.0);
        let lines = self.arms.iter().enumerate().map(|(topology, arm)| {
            let values = self.columns.iter().zip(&self.slots).map(|(column, slots)| {
                let centre = slots[topology].centre.map_or("no data".to_owned(), |centre| axis.label(centre));
                format!("{} {centre}", [column.heading.as_str(), &column.detail].join(" ").trim())
            });
            format!("{}: {}.", shown(&arm.name), values.collect::<Vec<_>>().join(", "))
        });
        let medians = match self.mark {
            Mark::Strip => "Medians of all jobs after the same edit,",
            Mark::Line | Mark::Bar => "Medians",
        };
        format!("{}. {medians} by {}. {}", self.values, self.along, lines.collect::<Vec<_>>().join(" "))
    }
}

fn draw_strip(canvas: &Canvas, layout: &Layout, topology: usize, x: f64, slot: &Slot) -> Drawn {
    let half = (layout.slot_width * 0.44).min(17.0);
    if let Some((low, high)) = slot.interval {
        canvas.rectangle((x - half, layout.y(high)), (x + half, layout.y(low)), colour(topology), 0.22)?;
    }
    if let Some(centre) = slot.centre {
        let y = layout.y(centre);
        canvas.line(&[(x - half, y), (x + half, y)], colour(topology), 2.5, 1.0)?;
    }
    draw_points(canvas, layout, topology, x, slot, 0.55)
}

/// `spread` is the part of the slot's width over which the blocks lie side by side.
fn draw_points(canvas: &Canvas, layout: &Layout, topology: usize, x: f64, slot: &Slot, spread: f64) -> Drawn {
    let radius = (layout.slot_width * 0.2).clamp(1.2, 3.2);
    // One by itself is in nobody's way.
    let spread = if slot.points.len() == 1 { 0.0 } else { spread };
    slot.points.iter().step_by(layout.every).try_for_each(|(block, value)| {
        let x = x + jitter(*block) * layout.slot_width.min(40.0) * spread;
        canvas.mark(shape(topology), (x, layout.y(*value)), radius, colour(topology), 0.6)
    })
}

/// A place from -0.5 to 0.5 that a block has in every slot: multiples of the golden ratio spread evenly.
fn jitter(block: u32) -> f64 {
    (f64::from(block) * 0.618_033_988_749_895).fract() - 0.5
}
