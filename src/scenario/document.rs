//! A scenario file's text, read as TOML into its wire form, with every error at its place.

use std::borrow::Cow;
use std::mem;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::invalid::{Fault, advice};
use super::wire::File;

pub(super) fn read(text: &str) -> Result<File, Fault> {
    let mut document = DeTable::parse(text).map_err(|error| translated(&error))?;
    plain_table(document.get_ref())?;
    tag_steps(document.get_mut())?;
    File::deserialize(toml::Deserializer::from(document)).map_err(|error| translated(&error))
}

/// Refuses what could drive a terminal or reorder a line, once and here, so that any text of a scenario can be shown.
fn plain_table(table: &DeTable<'_>) -> Result<(), Fault> {
    table.iter().try_for_each(|(key, value)| plain_text(key).and_then(|()| plain_value(value)))
}

fn plain_value(value: &Spanned<DeValue<'_>>) -> Result<(), Fault> {
    match value.get_ref() {
        DeValue::String(text) => plain_text(&Spanned::new(value.span(), text.clone())),
        DeValue::Array(values) => values.iter().try_for_each(plain_value),
        DeValue::Table(table) => plain_table(table),
        _ => Ok(()),
    }
}

fn plain_text(text: &Spanned<Cow<'_, str>>) -> Result<(), Fault> {
    match text.get_ref().replace("\r\n", "\n").chars().find(|character| is_unshowable(*character)) {
        None => Ok(()),
        Some(bad) => Err(Fault::new(
            text.span(),
            format!("U+{:04X} is not allowed in a scenario", u32::from(bad)),
            "text may hold tabs and line ends, no other control characters and no marks that reverse its direction",
        )),
    }
}

fn is_unshowable(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(character, '\u{61c}' | '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Turns each step `{ op = "build", ... }` into `{ build = { ... } }`, the form that keeps its positions through serde.
fn tag_steps(document: &mut DeTable<'_>) -> Result<(), Fault> {
    let Some(DeValue::Table(job)) = document.get_mut("job").map(Spanned::as_mut) else { return Ok(()) };
    let Some(DeValue::Array(steps)) = job.get_mut("steps").map(Spanned::as_mut) else { return Ok(()) };
    steps.iter_mut().try_for_each(tag_step)
}

fn tag_step(step: &mut Spanned<DeValue<'_>>) -> Result<(), Fault> {
    const RIGHT: &str = "a step is a table such as { op = \"pull\", image = \"fixture:base\" }; \
                         `op` is pull, build, run or push";
    let span = step.span();
    let DeValue::Table(keys) = step.get_mut() else { return Err(Fault::new(span, "this is no step", RIGHT)) };
    let Some(op) = keys.remove("op") else { return Err(Fault::new(span, "a step without `op`", RIGHT)) };
    let DeValue::String(word) = op.get_ref() else { return Err(Fault::new(op.span(), "`op` is no word", RIGHT)) };
    let word = Spanned::new(op.span(), word.clone());
    let rest = Spanned::new(span, DeValue::Table(mem::take(keys)));
    keys.insert(word, rest);
    Ok(())
}

/// An error of the TOML reader in this program's words. What is unknown, and what would have been known, serde tells only
/// in its message, in backticks.
fn translated(error: &toml::de::Error) -> Fault {
    let at = error.span().unwrap_or(0..0);
    let said = error.message();
    let words: Vec<&str> = said.split('`').skip(1).step_by(2).collect();
    match words.as_slice() {
        [word, known @ ..] if said.starts_with("unknown field") => {
            Fault::new(at, format!("unknown key `{word}`"), advice(word, known))
        }
        [word, known @ ..] if said.starts_with("unknown variant") => {
            Fault::new(at, format!("unknown value `{word}`"), advice(word, known))
        }
        [key] if said.starts_with("missing field") => {
            Fault::new(at, format!("`{key}` is missing"), format!("add `{key}` to this table"))
        }
        _ => match said.split_once(", expected ") {
            Some((wrong, expected)) => Fault::new(at, wrong, format!("expected {}", plain_type(expected))),
            // What the reader says of a number, a list or a table where one of several words is due.
            None if said.starts_with("wanted ") => Fault::new(at, "this is no word", "expected one word in quotes"),
            None => Fault::new(at, said, "docs/scenarios.md shows how a scenario is written"),
        },
    }
}

/// A type as somebody calls it who writes scenarios and not Rust.
fn plain_type(expected: &str) -> &str {
    match expected {
        "u32" => "a whole number, 0 or more",
        "f64" => "a number",
        "a sequence" => "a list, in [ ]",
        "a map" => "a table, in { }",
        other => other,
    }
}
