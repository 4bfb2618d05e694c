//! Text from scenarios, engines and Dockerfiles as every output shows it.

use crate::record::Text;

/// One line without control characters, direction marks, or the two characters that XML forbids even as references.
/// HTML, SVG and Markdown each add their own escaping to this.
pub(super) fn shown(text: &str) -> String {
    Text::from(text).escaped().replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}")
}

/// Prose of a scenario as paragraphs: a blank line separates two of them, other line ends are spaces.
pub(super) fn paragraphs(prose: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in prose.lines().map(str::trim) {
        match paragraphs.last_mut() {
            Some(last) if !line.is_empty() => {
                if !last.is_empty() {
                    last.push(' ');
                }
                last.push_str(&shown(line));
            }
            _ => paragraphs.push(String::new()),
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_drives_a_terminal_or_breaks_xml_is_left() {
        assert_eq!(shown("a\x1b[31m\u{61c}\u{fffe}\u{ffff}é"), "a\\u{1b}[31m\\u{61c}\\u{fffe}\\u{ffff}é");
    }

    #[test]
    fn prose_keeps_its_paragraphs_only() {
        assert_eq!(paragraphs("\none\ntwo\n\n\n  three\x07\n"), ["one two", "three\\u{7}"]);
        assert!(paragraphs(" \n\n").is_empty());
    }
}
