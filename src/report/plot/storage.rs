//! Where inner engines keep their data, by what keeps layers there: what works, what falls back, what fails.

use super::canvas::{Account, Anchor, Canvas, Drawn, document};
use super::font::{fit, width};
use super::theme::{
    BAND, FAINT_INK, GRID, Ground, INK, MARGIN, SMALL_SIZE, TEXT_SIZE, TITLE_SIZE, WIDTH, colour, ground, shape,
};
use super::{Figure, PlotError};
use crate::analysis::{Analysis, CaseKey, Cell, Metric, Storage, Subject, storage_grid};
use crate::case::Edit;
use crate::report::shown::shown;
use crate::report::words::{cell, value};

const NAME: &str = "storage";
const TITLE: &str = "Storage drivers by the place of the data";
const WHAT: &str =
    "a first job's time and the growth of the disk over it, medians; rows: data root, columns: driver asked for";
const HEAD: f64 = MARGIN + 66.0;
/// One line of a place.
const LINE: f64 = 14.0;
/// Name, outcome, and what it took.
const LINES: f64 = 3.0;
const PAD: f64 = 6.0;
const LONGEST_NAME: f64 = 130.0;

/// What became of one topology.
struct Outcome<'a> {
    storage: &'a Storage,
    name: String,
    ground: Ground,
    word: String,
    figures: String,
}

struct Grid<'a> {
    drivers: Vec<&'a str>,
    data_roots: Vec<&'a str>,
    outcomes: Vec<Outcome<'a>>,
    left: f64,
    column: f64,
}

/// Nothing where the run is no such grid.
pub(super) fn figure(analysis: &Analysis) -> Result<Option<Figure>, PlotError> {
    let storages = storage_grid(analysis);
    if storages.is_empty() {
        return Ok(None);
    }
    let grid = Grid::new(analysis, &storages);
    let account = Account { name: NAME, title: TITLE, description: grid.description() };
    let svg = document(&account, (grid.height() + MARGIN).ceil(), |canvas| grid.draw(canvas))?;
    let caption = "Falls back: the engine was left the choice, could have no driver that makes a copy only of what changes, in the \
                   kernel, and took a slow one without a word. Fails: no first job came to its end. Data in memory grow \
                   no disk."
        .to_owned();
    Ok(Some(Figure { name: NAME, title: TITLE, caption, svg }))
}

impl<'a> Grid<'a> {
    fn new(analysis: &Analysis, storages: &'a [Storage]) -> Self {
        let data_roots = distinct(storages.iter().map(|one| one.data_root.as_str()));
        let drivers = distinct(storages.iter().map(|one| one.driver.as_str()));
        let names = data_roots.iter().map(|name| width(&shown(name), TEXT_SIZE)).fold(0.0, f64::max);
        let left = MARGIN + names.min(LONGEST_NAME) + 10.0;
        Self {
            column: (WIDTH - MARGIN - left) / drivers.len() as f64,
            outcomes: storages.iter().map(|storage| outcome(analysis, storage)).collect(),
            left,
            drivers,
            data_roots,
        }
    }

    fn place<'b>(&'b self, data_root: &'b str, driver: &'b str) -> impl Iterator<Item = &'b Outcome<'a>> {
        let here =
            move |one: &&Outcome| (one.storage.data_root.as_str(), one.storage.driver.as_str()) == (data_root, driver);
        self.outcomes.iter().filter(here)
    }

    /// A row is as high as its fullest place.
    fn row_height(&self, data_root: &str) -> f64 {
        let most = self.drivers.iter().map(|driver| self.place(data_root, driver).count()).max().unwrap_or(0);
        (LINE * LINES + 2.0 * PAD) * most.max(1) as f64
    }

    fn height(&self) -> f64 {
        HEAD + self.data_roots.iter().map(|data_root| self.row_height(data_root)).sum::<f64>()
    }

    fn draw(&self, canvas: &Canvas) -> Drawn {
        canvas.text(TITLE, (MARGIN, MARGIN + 8.0), TITLE_SIZE, INK, Anchor::Start)?;
        canvas.text(WHAT, (MARGIN, MARGIN + 29.0), TEXT_SIZE, FAINT_INK, Anchor::Start)?;
        for (index, driver) in self.drivers.iter().enumerate() {
            let heading = fit(&shown(driver), TEXT_SIZE, self.column - 4.0);
            canvas.text(&heading, (self.x(index) + PAD, HEAD - 12.0), TEXT_SIZE, INK, Anchor::Start)?;
        }
        let mut top = HEAD;
        for data_root in &self.data_roots {
            let bottom = top + self.row_height(data_root);
            let name = fit(&shown(data_root), TEXT_SIZE, LONGEST_NAME);
            canvas.text(&name, (MARGIN, f64::midpoint(top, bottom)), TEXT_SIZE, INK, Anchor::Start)?;
            for (index, driver) in self.drivers.iter().enumerate() {
                let outcomes: Vec<&Outcome> = self.place(data_root, driver).collect();
                self.draw_place(canvas, &outcomes, (self.x(index), top), (self.x(index + 1), bottom))?;
            }
            top = bottom;
        }
        Ok(())
    }

    fn x(&self, column: usize) -> f64 {
        self.left + self.column * column as f64
    }

    fn draw_place(&self, canvas: &Canvas, outcomes: &[&Outcome], from: (f64, f64), to: (f64, f64)) -> Drawn {
        if outcomes.is_empty() {
            canvas.rectangle(from, to, BAND, 1.0)?;
            let middle = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
            canvas.text(&fit("not tried", SMALL_SIZE, self.column), middle, SMALL_SIZE, FAINT_INK, Anchor::Middle)?;
        }
        let height = (to.1 - from.1) / outcomes.len().max(1) as f64;
        for (index, outcome) in outcomes.iter().enumerate() {
            let top = from.1 + height * index as f64;
            canvas.rectangle((from.0, top), (to.0, top + height), ground(outcome.ground), 1.0)?;
            self.draw_outcome(canvas, outcome, (from.0, top + PAD))?;
        }
        canvas.frame(from, to, GRID)
    }

    fn draw_outcome(&self, canvas: &Canvas, outcome: &Outcome, (left, top): (f64, f64)) -> Drawn {
        let topology = outcome.storage.topology;
        let y = |line: f64| top + LINE * (line + 0.5);
        let line = |text: &str, at: (f64, f64), ink| {
            let text = fit(text, SMALL_SIZE, left + self.column - at.0 - 2.0);
            canvas.text(&text, at, SMALL_SIZE, ink, Anchor::Start)
        };
        canvas.mark(shape(topology), (left + PAD + 4.0, y(0.0)), 4.0, colour(topology), 1.0)?;
        line(&outcome.name, (left + PAD + 13.0, y(0.0)), INK)?;
        line(&outcome.word, (left + PAD, y(1.0)), INK)?;
        line(&outcome.figures, (left + PAD, y(2.0)), INK)
    }

    fn description(&self) -> String {
        let told = self.outcomes.iter().map(|one| {
            let Storage { driver, data_root, .. } = one.storage;
            let figures = if one.figures.is_empty() { String::new() } else { format!(", {}", one.figures) };
            format!("{}, {} on {}: {}{figures}.", one.name, shown(driver), shown(data_root), one.word)
        });
        told.collect::<Vec<_>>().join(" ")
    }
}

/// In the order in which they are met.
fn distinct<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    for word in words {
        if !distinct.contains(&word) {
            distinct.push(word);
        }
    }
    distinct
}

fn outcome<'a>(analysis: &Analysis, storage: &'a Storage) -> Outcome<'a> {
    let case = CaseKey { subject: Subject::Job, edit: Edit::First };
    let of = |metric: Metric| cell(analysis, storage.topology, &case, metric);
    let middle = |metric: Metric| Some(value(metric, of(metric).and_then(|cell: &Cell| cell.summary.centre())?));
    let time = middle(Metric::ElapsedNs);
    let failed = of(Metric::ElapsedNs).map_or(0, |cell| cell.excluded);
    let (ground, mut word) = match (&time, storage.fallback) {
        (None, None) => (Ground::Bad, "fails".to_owned()),
        (None, Some(fallback)) => (Ground::Bad, format!("fails with {fallback}")),
        (Some(_), Some(fallback)) => (Ground::Doubtful, format!("falls back: {fallback}")),
        (Some(_), None) => (if failed > 0 { Ground::Doubtful } else { Ground::Good }, "works".to_owned()),
    };
    if time.is_some() && failed > 0 {
        word.push_str(&format!(", {failed} failed"));
    }
    let figures = match (time, middle(Metric::DiskDeltaBytes)) {
        (Some(time), Some(disk)) => format!("{time}, {disk}"),
        (Some(time), None) => time,
        (None, _) => why(analysis, storage.topology),
    };
    Outcome { storage, name: shown(&analysis.arms[storage.topology].name), ground, word, figures }
}

/// The class of most failures; nothing where nothing ran.
fn why(analysis: &Analysis, topology: usize) -> String {
    let failures = analysis.failures.iter().filter(|failure| failure.topology == topology);
    failures.max_by_key(|failure| failure.count).map_or_else(String::new, |failure| failure.class.to_string())
}
