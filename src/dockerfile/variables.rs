//! The variables of FROM and `--from`: what ARG declares before the first stage.

use std::collections::BTreeMap;

/// Names and values, later ones before earlier.
#[derive(Clone, Debug, Default)]
pub struct Variables(Vec<(String, String)>);

impl Variables {
    /// Takes the argument of an ARG: `NAME=VALUE` or `NAME`, several on one line. What the build is given comes before a
    /// default; without either a name stays unset.
    pub fn declare(&mut self, argument: &str, given: &BTreeMap<String, String>) {
        for word in argument.split_whitespace() {
            let (name, default) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            let default = || self.expand(default?.trim_matches(['"', '\'']));
            if let Some(value) = given.get(name).cloned().or_else(default) {
                self.0.push((name.to_owned(), value));
            }
        }
    }

    /// The text with its variables replaced; nothing where one of them is unset and has no default.
    pub fn expand(&self, text: &str) -> Option<String> {
        let Some((before, rest)) = text.split_once('$') else { return Some(text.to_owned()) };
        let (value, rest) = if let Some(braced) = rest.strip_prefix('{') {
            let (inner, rest) = braced.split_once('}')?;
            (self.braced(inner)?, rest)
        } else {
            let word = |character: char| character.is_ascii_alphanumeric() || character == '_';
            let end = rest.find(|character| !word(character)).unwrap_or(rest.len());
            (self.value(&rest[..end])?.to_owned(), &rest[end..])
        };
        Some(format!("{before}{value}{}", self.expand(rest)?))
    }

    /// `NAME`, `NAME:-DEFAULT`, `NAME-DEFAULT`, `NAME:+OTHER` or `NAME+OTHER`.
    fn braced(&self, inner: &str) -> Option<String> {
        let Some(at) = inner.find([':', '-', '+']) else { return self.value(inner).map(str::to_owned) };
        let value = self.value(&inner[..at]);
        let (set, modifier) = match inner[at..].strip_prefix(':') {
            Some(modifier) => (value.filter(|value| !value.is_empty()), modifier),
            None => (value, &inner[at..]),
        };
        match (modifier.split_at_checked(1)?, set) {
            (("-", default), None) => self.expand(default),
            (("-", _), Some(set)) => Some(set.to_owned()),
            (("+", other), Some(_)) => self.expand(other),
            (("+", _), None) => Some(String::new()),
            _ => None,
        }
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced_as_the_builders_do() {
        let mut variables = Variables::default();
        let given = BTreeMap::from([("GIVEN".to_owned(), "2".to_owned())]);
        for argument in ["A=1 B=\"x\"", "C=${A}.$B", "EMPTY=", "UNSET", "D=$UNSET", "GIVEN=1"] {
            variables.declare(argument, &given);
        }
        for (text, expected) in [
            ("plain", Some("plain")),
            ("$A-$B", Some("1-x")),
            ("${C}c", Some("1.xc")),
            ("$UNSET", None),
            ("$GIVEN", Some("2")),
            ("$D", None),
            ("${UNSET:-$A}", Some("1")),
            ("${EMPTY:-d}", Some("d")),
            ("${EMPTY-d}", Some("")),
            ("${A:+yes}", Some("yes")),
            ("${UNSET+yes}", Some("")),
            ("${A", None),
            ("${A?}", None),
        ] {
            assert_eq!(variables.expand(text).as_deref(), expected, "{text}");
        }
    }
}
