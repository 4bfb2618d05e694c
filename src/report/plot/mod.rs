//! The figures of a report, as SVG text that is the same for the same data.

mod axis;
mod blocks;
mod canvas;
mod chart;
mod columns;
mod cumulative;
mod distribution;
mod font;
mod forest;
mod ladder;
mod ledger;
mod legend;
#[cfg(feature = "png")]
mod png;
mod pooled;
mod ratio_axis;
mod ratios;
mod sequence;
mod storage;
mod theme;
mod waterfall;

pub(super) use font::BYTES as FONT;

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use crate::analysis::{Analysis, Pool};

/// A figure could not be drawn: the bundled font does not load, or the drawing backend failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw the figure {figure:?}: {reason}")]
pub struct PlotError {
    figure: &'static str,
    reason: String,
}

/// One finished figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// File name without its ending.
    pub name: &'static str,
    pub title: &'static str,
    /// How the figure is read.
    pub caption: String,
    /// A whole SVG document with `<title>` and `<desc>`.
    pub svg: String,
}

/// Nothing where a run has none.
type Draw = fn(&Analysis) -> Result<Option<Figure>, PlotError>;

const FIGURES: [Draw; 12] = [
    |analysis| sequence::elapsed(analysis).map(Some),
    ratios::figure,
    ladder::figure,
    storage::figure,
    |analysis| cumulative::figure(analysis).map(Some),
    |analysis| ledger::figure(analysis).map(Some),
    |analysis| sequence::pulled(analysis).map(Some),
    |analysis| sequence::disk(analysis).map(Some),
    |analysis| sequence::start(analysis).map(Some),
    |analysis| waterfall::figure(analysis).map(Some),
    |analysis| distribution::figure(analysis).map(Some),
    |analysis| blocks::figure(analysis).map(Some),
];

/// The ratios of several runs, each with the index of its topology in its runs; nothing where there is none.
pub(super) fn pooled(pools: &[(Pool, usize)]) -> Result<Option<Figure>, PlotError> {
    font::register()?;
    pooled::figure(pools)
}

/// Every figure, in the order of the report.
pub fn figures(analysis: &Analysis) -> Result<Vec<Figure>, PlotError> {
    font::register()?;
    let figures: Vec<Option<Figure>> = FIGURES.par_iter().map(|figure| figure(analysis)).collect::<Result<_, _>>()?;
    Ok(figures.into_iter().flatten().collect())
}
