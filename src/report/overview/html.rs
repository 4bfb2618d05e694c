//! The overview as one HTML file, in the style of a report.

use askama::Template;

use super::{LIMITS, Overview};
use crate::report::html::{embedded_font, unbroken};

#[derive(Template)]
#[template(path = "overview.html")]
struct Html<'a> {
    page: &'a Overview,
    font: String,
    limits: [&'static str; 4],
}

pub(super) fn render(page: &Overview) -> Result<String, askama::Error> {
    Html { page, font: embedded_font(), limits: LIMITS }.render()
}

impl Html<'_> {
    fn unbroken(&self, text: &str) -> String {
        unbroken(text)
    }
}
