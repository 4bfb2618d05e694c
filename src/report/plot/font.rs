//! The bundled font: the same text widths on every machine, and no font file opened.

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

use super::PlotError;

/// DejaVu Sans, cut down to Latin-1, Greek, arrows and signs; its licence stands beside it.
pub(in crate::report) const BYTES: &[u8] = include_bytes!("../../../assets/DejaVuSans-subset.ttf");

/// Stands in the SVG as it is: a list of what a viewer falls back to.
pub(super) const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// The SVG backend divides a font's size by this.
pub(super) const SIZE_FACTOR: f64 = 1.24;

pub(super) fn register() -> Result<(), PlotError> {
    register_font(FAMILY, FontStyle::Normal, BYTES)
        .map_err(|_| PlotError { figure: "all", reason: "the bundled font is not a font".to_owned() })
}

/// An upper estimate of the width of `text` at a size of `pixels`.
pub(super) fn width(text: &str, pixels: f64) -> f64 {
    // Characters outside the font come from a font of the viewer, where one em is the most that is usual.
    let (inside, outside): (String, String) = text.chars().partition(|character| in_font(*character));
    let measured = FontDesc::new(FontFamily::Name(FAMILY), pixels * SIZE_FACTOR, FontStyle::Normal)
        .box_size(&inside)
        .map_or(inside.chars().count() as f64 * pixels, |(width, _)| f64::from(width) + 1.0);
    measured + outside.chars().count() as f64 * pixels
}

/// The ranges that the subset was made from.
fn in_font(character: char) -> bool {
    matches!(character, ' '..='~' | '\u{a0}'..='ÿ' | 'Α'..='ω' | '‐'..='―' | '‘'..='‟' | '…' | '←'..='↕' | '−' | '≤' | '≥')
}

/// `text` cut to `room` pixels, with an ellipsis where something was cut.
pub(super) fn fit(text: &str, pixels: f64, room: f64) -> String {
    if width(text, pixels) <= room {
        return text.to_owned();
    }
    // Measuring a prefix is linear: no more characters than can possibly fit are tried.
    let mut kept: Vec<char> = text.chars().take((room / pixels * 5.0).max(0.0) as usize).collect();
    while !kept.is_empty() {
        let cut = format!("{}…", kept.iter().collect::<String>().trim_end());
        if width(&cut, pixels) <= room {
            return cut;
        }
        kept.pop();
    }
    "…".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_text_fits_and_says_that_it_was_cut() {
        register().unwrap();
        for text in
            ["RUN apt-get update && apt-get install -y build-essential", "日本語の長い名前がここにあります", "éé"]
        {
            for room in [20.0, 60.0, 100.0] {
                let cut = fit(text, 12.0, room);
                assert!(width(&cut, 12.0) <= room, "{cut} in {room}");
                assert_eq!(cut == text, !cut.ends_with('…'));
            }
        }
        assert_eq!(fit("COPY . .", 12.0, 200.0), "COPY . .");
    }
}
