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

/// The ratios of several runs, each with the index of its topology in its runs; nothing where there is none.
pub(super) fn pooled(pools: &[(Pool, usize)]) -> Result<Option<Figure>, PlotError> {
    font::register()?;
    pooled::figure(pools)
}

/// Every figure, in the order of the report.
pub fn figures(analysis: &Analysis) -> Result<Vec<Figure>, PlotError> {
    font::register()?;
    let mut figures = vec![sequence::elapsed(analysis)?];
    figures.extend(ratios::figure(analysis)?);
    figures.extend(ladder::figure(analysis)?);
    figures.extend(storage::figure(analysis)?);
    figures.extend([
        cumulative::figure(analysis)?,
        ledger::figure(analysis)?,
        sequence::pulled(analysis)?,
        sequence::disk(analysis)?,
        sequence::start(analysis)?,
        waterfall::figure(analysis)?,
        distribution::figure(analysis)?,
        blocks::figure(analysis)?,
    ]);
    Ok(figures)
}
