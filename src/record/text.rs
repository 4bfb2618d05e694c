//! Text from engines, Dockerfiles and scenarios in one line of a data file.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Text whose control characters are escaped on disk, so that one line is one row and a terminal
/// that shows the file is not driven by it. Reading gives the original text back.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(String);

impl Text {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One line that is safe to show: control characters and direction overrides as escapes.
    pub fn escaped(&self) -> String {
        let mut line = String::with_capacity(self.0.len());
        for character in self.0.chars() {
            match character {
                '\\' => line.push_str("\\\\"),
                '\n' => line.push_str("\\n"),
                '\r' => line.push_str("\\r"),
                '\t' => line.push_str("\\t"),
                other if Self::needs_escape(other) => line.push_str(&format!("\\u{{{:x}}}", other as u32)),
                other => line.push(other),
            }
        }
        line
    }

    /// Controls, and the marks by which a text can reorder what stands around it.
    pub fn needs_escape(character: char) -> bool {
        character.is_control()
            || matches!(character, '\u{61c}' | '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    }

    fn unescaped(line: &str) -> Self {
        let mut text = String::with_capacity(line.len());
        let mut rest = line;
        while let Some(at) = rest.find('\\') {
            text.push_str(&rest[..at]);
            let (character, length) = unescape(&rest[at..]);
            text.push(character);
            rest = &rest[at + length..];
        }
        text.push_str(rest);
        Self(text)
    }
}

/// The character that an escape at the start of `rest` stands for, and how long the escape is.
fn unescape(rest: &str) -> (char, usize) {
    let mut characters = rest.chars().skip(1);
    match characters.next() {
        Some('\\') => ('\\', 2),
        Some('n') => ('\n', 2),
        Some('r') => ('\r', 2),
        Some('t') => ('\t', 2),
        Some('u') => unicode_escape(rest).unwrap_or(('\\', 1)),
        _ => ('\\', 1),
    }
}

fn unicode_escape(rest: &str) -> Option<(char, usize)> {
    let digits = rest.strip_prefix("\\u{")?;
    let end = digits.find('}')?;
    let character = char::from_u32(u32::from_str_radix(&digits[..end], 16).ok()?)?;
    Some((character, 3 + end + 1))
}

/// For cells that hold an engine's words and are plain strings in the program: escaped on disk all the same.
pub(super) mod escaped {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Text};

    pub fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
        Text::from(text).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
        Text::deserialize(deserializer).map(|text| text.0)
    }
}

/// For borrowed cells: only one with an escape in it is copied.
pub(super) fn unescaped<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'de, str>, D::Error> {
    let line = <&str>::deserialize(deserializer)?;
    Ok(if line.contains('\\') { Cow::Owned(Text::unescaped(line).0) } else { Cow::Borrowed(line) })
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.escaped())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.escaped())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|line| Self::unescaped(&line))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_survives_and_is_one_harmless_line(original in any::<String>()) {
            let line = Text::from(original.as_str()).escaped();
            prop_assert!(!line.chars().any(Text::needs_escape));
            let back = Text::unescaped(&line);
            prop_assert_eq!(back.as_str(), original);
        }
    }

    #[test]
    fn escapes_are_readable() {
        let text = Text::from("a\tb\nc\x1b[31m \u{202e}\u{61c}\\");
        assert_eq!(text.escaped(), r"a\tb\nc\u{1b}[31m \u{202e}\u{61c}\\");
    }
}
