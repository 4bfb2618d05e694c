//! In what two runs differ besides their samples.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use toml::{Table, Value};

use super::pool::Setup;
use super::{Analysis, Arm};
use crate::record::RunRecord;

/// A key with another value in each of two runs; empty where a run has not got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deviation {
    pub key: String,
    pub base: Option<String>,
    pub new: Option<String>,
}

/// Prose of a scenario: it decides nothing that is measured.
const PROSE: [&str; 2] = ["question", "analysis"];

/// Whole answers of an engine, with its identity and the time of day in them. What matters of them has keys of its own.
const RAW: [&str; 2] = ["version_json", "info_json"];

/// Between a column and the topology whose rows say it.
const OF_ARM: &str = " of ";

/// Why a fact is missing, which the key of the fact itself shows.
const REASONS: &str = "environment.unknown.";

/// In what the two runs did not measure the same thing: the scenario's file but for its prose, its comments and the
/// number of blocks, what the command line put in the place of it, and whether trials had hosts of their own.
pub fn scenarios(base: &RunRecord, new: &RunRecord) -> Vec<Deviation> {
    let stated = |run: &RunRecord| {
        let mut keys = scenario(&run.scenario_text);
        keys.retain(|key, _| !PROSE.contains(&key.as_str()) && key != "sequence.blocks");
        flatten("baseline", &value(&run.baseline), &mut keys);
        flatten("driver", &value(&run.driver), &mut keys);
        flatten("builder", &value(&run.builder), &mut keys);
        flatten("arms", &value(&run.arms), &mut keys);
        let kind = if Setup::of(run).reference_hosts { "reference" } else { "in use" };
        keys.insert("kind of host".to_owned(), kind.to_owned());
        keys
    };
    between(stated(base), stated(new))
}

/// In what the two runs were made under other conditions: prose, machine, engines, dindbench itself, and what really
/// ran, which comes first; what one of them has not got comes last.
pub fn conditions(base: (&RunRecord, &Analysis), new: (&RunRecord, &Analysis)) -> Vec<Deviation> {
    let found = |(run, analysis): (&RunRecord, &Analysis)| {
        let mut keys = scenario(&run.scenario_text);
        keys.retain(|key, _| PROSE.contains(&key.as_str()));
        for (key, text) in
            [("scenario", &run.scenario), ("host", &run.host), ("version", &run.version), ("revision", &run.revision)]
        {
            keys.insert(key.to_owned(), text.clone());
        }
        flatten("environment", &value(&run.environment), &mut keys);
        keys.retain(|key, _| !RAW.iter().any(|raw| key.ends_with(raw)) && !key.starts_with(REASONS));
        analysis.arms.iter().for_each(|arm| keys.extend(really_ran(arm)));
        keys
    };
    let mut different = between(found(base), found(new));
    different.sort_by_key(|one| (one.base.is_none() || one.new.is_none(), !one.key.contains(OF_ARM)));
    different
}

/// By the names of the columns in which rows say it.
fn really_ran(arm: &Arm) -> [(String, String); 3] {
    [("engine_version", &arm.engines), ("storage_driver", &arm.storage_drivers), ("builder", &arm.builders)]
        .map(|(column, words)| (format!("{column}{OF_ARM}{}", arm.name), words.join(" and ")))
}

/// The keys of a scenario's file. A text that is none is one value.
fn scenario(text: &str) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    match text.parse::<Table>() {
        Ok(table) => table.iter().for_each(|(key, value)| flatten(key, value, &mut keys)),
        Err(_) => flatten("scenario_text", &Value::String(text.to_owned()), &mut keys),
    }
    keys
}

fn value(part: &impl Serialize) -> Value {
    Value::try_from(part).expect("run.toml is written from these")
}

/// Every value below a key, under its whole name.
fn flatten(key: &str, value: &Value, keys: &mut BTreeMap<String, String>) {
    match value {
        Value::Table(table) => table.iter().for_each(|(name, value)| flatten(&format!("{key}.{name}"), value, keys)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(index, value)| flatten(&format!("{key}[{index}]"), value, keys));
        }
        Value::String(text) => drop(keys.insert(key.to_owned(), text.clone())),
        other => drop(keys.insert(key.to_owned(), other.to_string())),
    }
}

fn between(base: BTreeMap<String, String>, new: BTreeMap<String, String>) -> Vec<Deviation> {
    let keys: BTreeSet<&String> = base.keys().chain(new.keys()).collect();
    let different = keys.into_iter().filter(|key| base.get(*key) != new.get(*key));
    different
        .map(|key| Deviation { key: key.clone(), base: base.get(key).cloned(), new: new.get(key).cloned() })
        .collect()
}
