//! In what several runs differ besides their samples.

use std::collections::BTreeMap;

use super::{Member, distinct};
use crate::analysis::{Deviation, Setup, conditions, scenarios};
use crate::report::resources::Grid;
use crate::report::shown::shown;

/// Keys that a sentence names; the table has all of them.
const MOST_NAMED: usize = 6;

/// A key with the value of each run; empty where a run has not got it.
pub(super) struct Condition {
    key: String,
    values: Vec<(Option<String>, Vec<String>)>,
}

/// The keys by which a run differs from the first one.
pub(super) fn differing(members: &[Member]) -> Vec<Condition> {
    let Some((first, others)) = members.split_first() else { return Vec::new() };
    let against_first: Vec<BTreeMap<String, Deviation>> = others
        .iter()
        .map(|one| {
            let found = conditions((first.run, first.analysis), (one.run, one.analysis));
            found.into_iter().map(|deviation| (deviation.key.clone(), deviation)).collect()
        })
        .collect();
    let mut keys: BTreeMap<&String, &Option<String>> = BTreeMap::new();
    for deviation in against_first.iter().flat_map(BTreeMap::values) {
        keys.insert(&deviation.key, &deviation.base);
    }
    let condition = |(key, base): (&String, &Option<String>)| {
        let theirs = against_first.iter().map(|found| found.get(key).map_or(base, |deviation| &deviation.new).clone());
        let each: Vec<(Option<String>, String)> =
            std::iter::once(base.clone()).chain(theirs).zip(members.iter().map(Member::name)).collect();
        let runs = |value: &Option<String>| {
            each.iter().filter(|(other, _)| other == value).map(|(_, name)| name.clone()).collect()
        };
        let values = distinct(each.iter().map(|(value, _)| value.clone()));
        let values = values.into_iter().map(|value| (value.clone(), runs(&value)));
        Condition { key: shown(key), values: values.collect() }
    };
    keys.into_iter().map(condition).collect()
}

pub(super) fn grid(differing: &[Condition]) -> Grid {
    let rows = differing.iter().flat_map(|condition| {
        let keys = std::iter::once(condition.key.clone()).chain(std::iter::repeat(String::new()));
        let values = condition.values.iter().map(|(value, runs)| {
            let value = match value.as_deref() {
                None => "not told".to_owned(),
                Some("") => "empty".to_owned(),
                Some(value) => shown(value),
            };
            (value, runs.join(", "))
        });
        keys.zip(values).map(|(key, (value, runs))| vec![key, value, runs])
    });
    Grid { rows: rows.collect(), headings: ["condition", "value", "runs"].map(str::to_owned).to_vec() }
}

/// What a reader must know before the numbers.
pub(super) fn cautions(members: &[Member], differing: &[Condition]) -> Vec<String> {
    let mut cautions: Vec<String> = members.iter().enumerate().filter_map(|(at, _)| apart(&members[..=at])).collect();
    if !differing.is_empty() {
        let keys: Vec<&str> = differing.iter().map(|condition| condition.key.as_str()).collect();
        cautions.push(format!(
            "Not all runs were made under the same conditions ({}): a difference between them may come from that. See What \
             differs.",
            list(&keys)
        ));
    }
    cautions
}

/// That the last of these runs did not measure what the first one of its scenario did.
fn apart(members: &[Member]) -> Option<String> {
    let (one, before) = members.split_last()?;
    let same_name = |other: &&Member| other.run.scenario == one.run.scenario;
    let first = before.iter().find(same_name)?;
    let [theirs, mine] = [first, one].map(|member| Setup::of(member.run));
    (theirs != mine).then(|| {
        let mut keys: Vec<String> = scenarios(first.run, one.run).into_iter().map(|one| shown(&one.key)).collect();
        keys.extend((theirs.engine != mine.engine).then(|| "outer engine".to_owned()));
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let how = if keys.is_empty() { "the scenario's text".to_owned() } else { list(&keys) };
        format!(
            "{} and {} are both of scenario {} and differ in what was measured ({how}): their ratios are not put together.",
            first.name(),
            one.name(),
            shown(&one.run.scenario)
        )
    })
}

fn list(keys: &[&str]) -> String {
    let named = keys[..keys.len().min(MOST_NAMED)].join(", ");
    match keys.len().saturating_sub(MOST_NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
