//! `docs/format.md` and the records say the same: every column, every key and every word of a closed list.

mod document;

use std::collections::BTreeSet;
use std::fmt::Display;

use dindbench::case::{Builder, Driver, Edit, ErrorClass, Lifecycle, Op, Status, Verdict};
use dindbench::record::{
    ArmRecord, ClaimsRecord, EngineRecord, Environment, Event, FindingRow, HostRecord, ImageRecord, InstructionRow,
    RunRecord, Sample, TrialRow,
};
use serde::de::value::Error;
use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use strum::VariantArray;

use document::{FORMAT, documented};

/// Asks a type which fields it is read from, and has none to give.
struct Question<'a>(&'a mut Vec<&'static str>);

impl<'de> Deserializer<'de> for Question<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.extend(fields);
        Err(Error::custom("only asked"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Error> {
        Err(Error::custom("not a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The names of a row's columns, in their order: a row is read by the names that it is written with.
fn fields<T: DeserializeOwned>() -> Vec<&'static str> {
    let mut fields = Vec::new();
    assert!(T::deserialize(Question(&mut fields)).is_err());
    assert!(!fields.is_empty(), "a row has columns");
    fields
}

fn words<T: VariantArray + Display>() -> Vec<String> {
    T::VARIANTS.iter().map(T::to_string).collect()
}

#[test]
fn every_column_and_key_is_documented_in_its_order() {
    for (heading, fields) in [
        ("## `samples.csv`", fields::<Sample>()),
        ("## `instructions.csv`", fields::<InstructionRow>()),
        ("## `trials.csv`", fields::<TrialRow>()),
        ("## `events.jsonl`", fields::<Event>()),
        ("## `run.toml`", fields::<RunRecord>()),
        ("### `[environment]`", fields::<Environment>()),
        ("### `[environment.host]`", fields::<HostRecord>()),
        ("### `[environment.engines.ROLE]`", fields::<EngineRecord>()),
        ("### `[environment.images.NAME]`", fields::<ImageRecord>()),
        ("### `[[arms]]`", fields::<ArmRecord>()),
        ("## `claims.toml`", fields::<ClaimsRecord>()),
        ("## `findings.csv`", fields::<FindingRow>()),
    ] {
        assert_eq!(documented(heading), fields, "{heading}");
    }
}

#[test]
fn every_word_of_a_closed_list_is_documented() {
    for (heading, words) in [
        ("### `op`", words::<Op>()),
        ("### `edit`", words::<Edit>()),
        ("### `status`", words::<Status>()),
        ("### `lifecycle`", words::<Lifecycle>()),
        ("### `driver`", words::<Driver>()),
        ("### `builder`", words::<Builder>()),
        ("### `error_class`", words::<ErrorClass>()),
        ("### Verdicts of claims", words::<Verdict>()),
    ] {
        assert_eq!(documented(heading), words, "{heading}");
    }
}

#[test]
fn no_table_is_documented_twice() {
    let headings: Vec<&str> = FORMAT.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(headings.iter().collect::<BTreeSet<_>>().len(), headings.len());
}
