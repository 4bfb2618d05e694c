//! A figure as an image of pixels, with the same bundled font.

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use super::font::BYTES;
use super::{Figure, PlotError};

/// Pixels of the image by pixels of the figure: sharp on a screen of high density, and in print.
const SCALE: f32 = 2.0;

impl Figure {
    /// The figure on white, twice as large. Characters that the bundled font does not have are left out: no other font is
    /// looked for, so that every machine draws the same.
    ///
    /// # Errors
    /// The drawing library cannot read the figure, or cannot write the image.
    pub fn png(&self) -> Result<Vec<u8>, PlotError> {
        let failed = |reason: String| PlotError { figure: self.name, reason };
        let mut options = Options::default();
        options.fontdb_mut().load_font_data(BYTES.to_vec());
        let tree = Tree::from_str(&self.svg, &options).map_err(|error| failed(error.to_string()))?;
        let size = tree.size().to_int_size().scale_by(SCALE).ok_or_else(|| failed("it has no size".to_owned()))?;
        let mut pixels =
            Pixmap::new(size.width(), size.height()).ok_or_else(|| failed("it is too large".to_owned()))?;
        pixels.fill(Color::WHITE);
        resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
        pixels.encode_png().map_err(|error| failed(error.to_string()))
    }
}
