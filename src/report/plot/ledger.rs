//! The cache ledger: in which jobs each instruction of a Dockerfile was found cached.

use std::collections::{BTreeMap, HashMap};

use super::canvas::{Account, Anchor, Canvas, Drawn, document};
use super::columns::{Column, Headings};
use super::font::{fit, width};
use super::sequence::job_columns;
use super::theme::{
    BAND, FAINT_INK, GRID, INK, MARGIN, SMALL_SIZE, TEXT_SIZE, TITLE_SIZE, WIDTH, colour, shade, shape,
};
use super::{Figure, PlotError};
use crate::analysis::{Analysis, LedgerCell};
use crate::case::Edit;
use crate::report::shown::shown;

const NAME: &str = "ledger";
const TITLE: &str = "Cache ledger: which instructions were found cached";
const VALUES: &str = "cached builds of all builds of an instruction, by job";
/// Room for the instructions' text.
const LABELS: f64 = 220.0;
const ROW: f64 = 22.0;
const WIDEST_CELL: f64 = 36.0;
const PANEL_GAP: f64 = 16.0;
/// A panel is at least wide enough for the beginning of a topology's name.
const NARROWEST_PANEL: f64 = 110.0;
const PANEL_HEAD: f64 = 28.0;
const HEAD: f64 = MARGIN + 66.0;

/// One line of every panel.
enum Line<'a> {
    Step(&'a str),
    Instruction { step: &'a str, instruction: u32, text: &'a str },
}

struct Ledger<'a> {
    analysis: &'a Analysis,
    lines: Vec<Line<'a>>,
    columns: Vec<Column>,
    jobs: Vec<u32>,
    cells: HashMap<(usize, &'a str, u32, u32), &'a LedgerCell>,
    cell_width: f64,
    panel_width: f64,
    panels_per_row: usize,
    headings: Headings,
}

pub(super) fn figure(analysis: &Analysis) -> Result<Figure, PlotError> {
    let ledger = Ledger::new(analysis);
    let account = Account { name: NAME, title: TITLE, description: ledger.description() };
    let svg = document(&account, ledger.height().ceil(), |canvas| ledger.draw(canvas))?;
    let caption =
        "One panel per topology, one line per instruction, one column per job. 7/7 means that in 7 of 7 builds \
                   the instruction was found cached; the darker, the more of them. FROM is not an instruction that a \
                   builder executes, and is not listed."
            .to_owned();
    Ok(Figure { name: NAME, title: TITLE, caption, svg })
}

impl<'a> Ledger<'a> {
    fn new(analysis: &'a Analysis) -> Self {
        let jobs: BTreeMap<u32, Edit> = analysis.ledger.iter().map(|cell| (cell.job, cell.edit)).collect();
        let columns = job_columns(&jobs);
        let (panels_per_row, cell_width) = grid(analysis, columns.len());
        Self {
            lines: lines(&analysis.ledger),
            jobs: jobs.into_keys().collect(),
            cells: analysis
                .ledger
                .iter()
                .map(|cell| ((cell.topology, cell.step.as_str(), cell.instruction, cell.job), cell))
                .collect(),
            headings: Headings::new(&columns, cell_width),
            panels_per_row,
            panel_width: (cell_width * columns.len() as f64).max(NARROWEST_PANEL),
            columns,
            cell_width,
            analysis,
        }
    }

    fn panel_height(&self) -> f64 {
        PANEL_HEAD + ROW * self.lines.len() as f64 + self.headings.height + 12.0
    }

    fn height(&self) -> f64 {
        if self.lines.is_empty() {
            return HEAD + 90.0;
        }
        let rows = self.analysis.arms.len().div_ceil(self.panels_per_row);
        HEAD + self.panel_height() * rows as f64 + MARGIN
    }

    fn draw(&self, canvas: &Canvas) -> Drawn {
        canvas.text(TITLE, (MARGIN, MARGIN + 8.0), TITLE_SIZE, INK, Anchor::Start)?;
        canvas.text(VALUES, (MARGIN, MARGIN + 29.0), TEXT_SIZE, FAINT_INK, Anchor::Start)?;
        if self.lines.is_empty() {
            return canvas.text("no data", (WIDTH / 2.0, HEAD + 30.0), TITLE_SIZE, FAINT_INK, Anchor::Middle);
        }
        draw_key(canvas)?;
        for topology in 0..self.analysis.arms.len() {
            let (row, column) = (topology / self.panels_per_row, topology % self.panels_per_row);
            let top = HEAD + self.panel_height() * row as f64;
            if column == 0 {
                self.draw_labels(canvas, top + PANEL_HEAD)?;
            }
            let left = MARGIN + LABELS + (self.panel_width + PANEL_GAP) * column as f64;
            self.draw_panel(canvas, topology, (left, top))?;
        }
        Ok(())
    }

    fn draw_labels(&self, canvas: &Canvas, top: f64) -> Drawn {
        for (index, line) in self.lines.iter().enumerate() {
            let y = top + ROW * (index as f64 + 0.5);
            match line {
                Line::Step(step) => {
                    let text = fit(&format!("build of {}", shown(step)), TEXT_SIZE, LABELS - 12.0);
                    canvas.text(&text, (MARGIN, y), TEXT_SIZE, INK, Anchor::Start)?;
                }
                Line::Instruction { instruction, text, .. } => {
                    canvas.text(&instruction.to_string(), (MARGIN + 16.0, y), SMALL_SIZE, FAINT_INK, Anchor::End)?;
                    let text = fit(&shown(text), SMALL_SIZE, LABELS - 34.0);
                    canvas.text(&text, (MARGIN + 22.0, y), SMALL_SIZE, INK, Anchor::Start)?;
                }
            }
        }
        Ok(())
    }

    fn draw_panel(&self, canvas: &Canvas, topology: usize, (left, top): (f64, f64)) -> Drawn {
        canvas.mark(shape(topology), (left + 6.0, top + 13.0), 5.0, colour(topology), 1.0)?;
        let name = fit(&shown(&self.analysis.arms[topology].name), TEXT_SIZE, self.panel_width + PANEL_GAP - 24.0);
        canvas.text(&name, (left + 18.0, top + 13.0), TEXT_SIZE, INK, Anchor::Start)?;
        let top = top + PANEL_HEAD;
        let bottom = top + ROW * self.lines.len() as f64;
        if !self.analysis.ledger.iter().any(|cell| cell.topology == topology) {
            canvas.rectangle((left, top), (left + self.panel_width, bottom), BAND, 1.0)?;
            let middle = (left + self.panel_width / 2.0, (top + bottom) / 2.0);
            return canvas.text("no data", middle, TEXT_SIZE, FAINT_INK, Anchor::Middle);
        }
        for (row, line) in self.lines.iter().enumerate() {
            let Line::Instruction { step, instruction, .. } = line else { continue };
            for (column, job) in self.jobs.iter().enumerate() {
                let from = (left + self.cell_width * column as f64, top + ROW * row as f64);
                let cell = self.cells.get(&(topology, *step, *instruction, *job)).copied();
                self.draw_cell(canvas, from, cell)?;
            }
        }
        for (index, column) in self.columns.iter().enumerate() {
            let x = left + self.cell_width * (index as f64 + 0.5);
            self.headings.draw(canvas, index, column, x, bottom)?;
        }
        Ok(())
    }

    fn draw_cell(&self, canvas: &Canvas, from: (f64, f64), cell: Option<&LedgerCell>) -> Drawn {
        let to = (from.0 + self.cell_width, from.1 + ROW);
        let middle = (from.0 + self.cell_width / 2.0, from.1 + ROW / 2.0);
        let (fill, text, ink) = match cell.filter(|cell| cell.builds > 0) {
            None => (BAND, "–".to_owned(), FAINT_INK),
            Some(cell) => {
                let share = f64::from(cell.cached) / f64::from(cell.builds);
                let ink = if share > 0.55 { plotters::style::WHITE } else { INK };
                (shade(share), share_text(cell.cached, cell.builds), ink)
            }
        };
        canvas.rectangle(from, to, fill, 1.0)?;
        canvas.frame(from, to, GRID)?;
        if width(&text, SMALL_SIZE) + 2.0 <= self.cell_width {
            canvas.text(&text, middle, SMALL_SIZE, ink, Anchor::Middle)?;
        }
        Ok(())
    }

    /// How many instructions each job found cached, for those who do not see the figure.
    fn description(&self) -> String {
        let found = found(&self.analysis.ledger);
        let arms = self.analysis.arms.iter().enumerate().map(|(topology, arm)| {
            let of_job = |job: &u32| in_words(*job, *found.get(&(topology, *job))?);
            let jobs: Vec<String> = self.jobs.iter().filter_map(of_job).collect();
            let jobs = if jobs.is_empty() { "no data".to_owned() } else { jobs.join(", ") };
            format!("{}: {jobs}.", shown(&arm.name))
        });
        format!("{VALUES}. {}", arms.collect::<Vec<_>>().join(" "))
    }
}

/// Instructions that were found cached, and those that were built, by topology and job.
fn found(ledger: &[LedgerCell]) -> BTreeMap<(usize, u32), (u32, u32)> {
    let mut found = BTreeMap::new();
    for cell in ledger {
        let (cached, builds) = found.entry((cell.topology, cell.job)).or_insert((0, 0));
        *cached += cell.cached;
        *builds += cell.builds;
    }
    found
}

fn in_words(job: u32, (cached, builds): (u32, u32)) -> Option<String> {
    (builds > 0).then(|| format!("job {job} {cached} of {builds} cached"))
}

/// How many panels stand side by side, and the width of their cells: as many as leave room for the text in a
/// cell, spread evenly over the rows.
fn grid(analysis: &Analysis, columns: usize) -> (usize, f64) {
    let room = WIDTH - 2.0 * MARGIN - LABELS;
    let cells = columns.max(1) as f64;
    let most = analysis.ledger.iter().map(|cell| cell.builds).max().unwrap_or(0);
    let narrowest = width(&share_text(most, most), SMALL_SIZE) + 2.0;
    let side_by_side =
        ((room + PANEL_GAP) / ((narrowest * cells).max(NARROWEST_PANEL) + PANEL_GAP)).floor().max(1.0) as usize;
    let arms = analysis.arms.len().max(1);
    let panels = arms.div_ceil(arms.div_ceil(side_by_side));
    let panel = (room + PANEL_GAP) / panels as f64 - PANEL_GAP;
    (panels, (panel / cells).min(WIDEST_CELL))
}

fn share_text(cached: u32, builds: u32) -> String {
    format!("{cached}/{builds}")
}

/// The instructions of all builds in their order; with a line for each build's name where there are several.
fn lines(ledger: &[LedgerCell]) -> Vec<Line<'_>> {
    let mut steps: Vec<&str> = Vec::new();
    for cell in ledger {
        if !steps.contains(&cell.step.as_str()) {
            steps.push(&cell.step);
        }
    }
    let mut lines = Vec::new();
    for step in &steps {
        if steps.len() > 1 {
            lines.push(Line::Step(step));
        }
        // An edit can change an instruction's text: the one of the first job stands for all.
        let mut texts: BTreeMap<u32, (u32, &str)> = BTreeMap::new();
        for cell in ledger.iter().filter(|cell| cell.step == *step) {
            let known = texts.entry(cell.instruction).or_insert((cell.job, &cell.text));
            if cell.job < known.0 {
                *known = (cell.job, &cell.text);
            }
        }
        lines.extend(texts.into_iter().map(|(instruction, (_, text))| Line::Instruction { step, instruction, text }));
    }
    lines
}

/// What the shades mean.
fn draw_key(canvas: &Canvas) -> Drawn {
    let y = MARGIN + 50.0;
    canvas.text("never", (MARGIN, y), SMALL_SIZE, FAINT_INK, Anchor::Start)?;
    let left = MARGIN + 34.0;
    for step in 0..5 {
        let x = left + 18.0 * f64::from(step);
        canvas.rectangle((x, y - 6.0), (x + 18.0, y + 6.0), shade(f64::from(step) / 4.0), 1.0)?;
        canvas.frame((x, y - 6.0), (x + 18.0, y + 6.0), GRID)?;
    }
    canvas.text("always cached     – no data", (left + 96.0, y), SMALL_SIZE, FAINT_INK, Anchor::Start)
}
