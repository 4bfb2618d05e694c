//! A drawing surface in pixels that ends as an accessible SVG document.

use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea as _};
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, ShapeStyle, TextStyle};

use super::PlotError;
use super::font::{FAMILY, SIZE_FACTOR};
use super::theme::{Shape, WIDTH};

/// The backend rounds to whole units: it is given a finer grid than pixels.
const GRID: f64 = 4.0;

pub(super) type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// What a screen reader says about a figure.
pub(super) struct Account {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) description: String,
}

pub(super) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// How a text is placed at its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// The text begins at the point.
    Start,
    Middle,
    End,
    /// Turned to read upwards, ending below the point.
    UpwardsEnd,
    /// Turned to read upwards, beginning above the point.
    Upwards,
}

impl Canvas<'_> {
    pub(super) fn line(&self, points: &[(f64, f64)], colour: RGBColor, width: f64, alpha: f64) -> Drawn {
        let points: Vec<(i32, i32)> = points.iter().copied().map(unit).collect();
        self.area.draw(&PathElement::new(points, stroke(colour, width, alpha)))
    }

    pub(super) fn rectangle(&self, from: (f64, f64), to: (f64, f64), fill: RGBColor, alpha: f64) -> Drawn {
        self.area.draw(&Rectangle::new([unit(from), unit(to)], fill.mix(alpha).filled()))
    }

    pub(super) fn frame(&self, from: (f64, f64), to: (f64, f64), colour: RGBColor) -> Drawn {
        self.area.draw(&Rectangle::new([unit(from), unit(to)], stroke(colour, 1.0, 1.0)))
    }

    /// `text` with the middle of its height at the point.
    pub(super) fn text(&self, text: &str, at: (f64, f64), size: f64, colour: RGBColor, anchor: Anchor) -> Drawn {
        let font = FontDesc::new(FontFamily::Name(FAMILY), size * GRID * SIZE_FACTOR, FontStyle::Normal);
        let (horizontal, transform) = match anchor {
            Anchor::Start => (HPos::Left, FontTransform::None),
            Anchor::Middle => (HPos::Center, FontTransform::None),
            Anchor::End => (HPos::Right, FontTransform::None),
            Anchor::UpwardsEnd => (HPos::Right, FontTransform::Rotate270),
            Anchor::Upwards => (HPos::Left, FontTransform::Rotate270),
        };
        let style = TextStyle::from(font.transform(transform)).color(&colour).pos(Pos::new(horizontal, VPos::Center));
        self.area.draw(&Text::new(text, unit(at), style))
    }

    /// A topology's mark; `radius` in pixels.
    pub(super) fn mark(&self, shape: Shape, at: (f64, f64), radius: f64, colour: RGBColor, alpha: f64) -> Drawn {
        let (x, y) = at;
        let corners = |offsets: &[(f64, f64)]| -> Vec<(i32, i32)> {
            offsets.iter().map(|(dx, dy)| unit((x + dx * radius, y + dy * radius))).collect()
        };
        let fill = colour.mix(alpha).filled();
        let polygon = |offsets: &[(f64, f64)]| self.area.draw(&Polygon::new(corners(offsets), fill));
        let strokes = |lines: [[(f64, f64); 2]; 2]| {
            lines.iter().try_for_each(|line| {
                self.area.draw(&PathElement::new(corners(line), stroke(colour, radius * 0.6, alpha)))
            })
        };
        match shape {
            Shape::Circle => self.area.draw(&Circle::new(unit(at), radius * GRID, fill)),
            Shape::Square => polygon(&[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]),
            Shape::Triangle => polygon(&[(0.0, -1.15), (1.1, 0.85), (-1.1, 0.85)]),
            Shape::Diamond => polygon(&[(0.0, -1.25), (1.25, 0.0), (0.0, 1.25), (-1.25, 0.0)]),
            Shape::Inverted => polygon(&[(0.0, 1.15), (1.1, -0.85), (-1.1, -0.85)]),
            Shape::Cross => strokes([[(-0.9, -0.9), (0.9, 0.9)], [(-0.9, 0.9), (0.9, -0.9)]]),
            Shape::Plus => strokes([[(-1.1, 0.0), (1.1, 0.0)], [(0.0, -1.1), (0.0, 1.1)]]),
            Shape::Bar => polygon(&[(-1.2, -0.45), (1.2, -0.45), (1.2, 0.45), (-1.2, 0.45)]),
        }
    }
}

/// Draws a figure of `height` pixels with `draw` and wraps it up as a document.
pub(super) fn document(
    account: &Account,
    height: f64,
    draw: impl FnOnce(&Canvas) -> Drawn,
) -> Result<String, PlotError> {
    let size = ((WIDTH * GRID) as u32, (height * GRID) as u32);
    let mut drawing = String::new();
    let canvas = Canvas { area: SVGBackend::with_string(&mut drawing, size).into_drawing_area() };
    let drawn = draw(&canvas).and_then(|()| canvas.area.present());
    drop(canvas);
    drawn.map_err(|error| PlotError { figure: account.name, reason: error.to_string() })?;
    // The backend's own opening tag is replaced by one with a size in pixels and with names for screen readers.
    let (_, body) = drawing
        .split_once(">\n")
        .ok_or_else(|| PlotError { figure: account.name, reason: "the backend drew no document".to_owned() })?;
    let Account { name, title, description } = account;
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {} {}\" role=\"img\" aria-labelledby=\"{name}-title {name}-desc\">\n\
         <title id=\"{name}-title\">{}</title>\n<desc id=\"{name}-desc\">{}</desc>\n{body}",
        size.0,
        size.1,
        escape(title),
        escape(description)
    ))
}

fn unit((x, y): (f64, f64)) -> (i32, i32) {
    ((x * GRID).round() as i32, (y * GRID).round() as i32)
}

fn stroke(colour: RGBColor, width: f64, alpha: f64) -> ShapeStyle {
    colour.mix(alpha).stroke_width((width * GRID).round().max(1.0) as u32)
}

/// The backend escapes the texts that it draws; this is for the ones that it does not know of.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
