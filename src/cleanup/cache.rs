//! BuildKit's records on an engine that others build on too: which of them only this run's builds can have made.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::engine::{CacheRecord, Engine, EngineError};
use crate::journal::CacheNote;

/// Records that one build leaves and that name nothing of it: sources without a parent, and the copy of a context that
/// was sent whole.
const SOURCES_PER_BUILD: usize = 3;
/// What a build that ends before its first command leaves beside its sources, at most: the way to each layer of an image
/// that was there, and what it copied on top.
const BEGUN_PER_BUILD: usize = 10;
const LAYER: &str = "from local";
const SOURCES: [&str; 3] = ["local source for ", "http url http://build-context-", "fileop target"];

/// A build whose client is gone ends a while later, and makes records until then: for how long it is waited for, and
/// how often it is looked for.
const END_OF_BUILDS: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(250);

/// What stands before a command in the record of what a RUN instruction left.
const EXECUTED: &str = "mount / from exec /bin/sh -c ";

/// New records, told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct New {
    ours: BTreeSet<String>,
    /// Those that another build may have made meanwhile.
    unclear: BTreeSet<String>,
}

/// What the records of a run's builds name, and of no other's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traces {
    /// What the names of all images begin with that the builds are based on.
    pub registry: &'static str,
    /// Commands of their RUN instructions.
    pub commands: Vec<&'static str>,
}

impl Traces {
    fn in_record(&self, record: &CacheRecord) -> bool {
        let command = record.description.strip_prefix(EXECUTED);
        command.is_some_and(|command| self.commands.contains(&command))
            || record.description.starts_with(&format!("pulled from {}/", self.registry))
    }
}

/// Removes, by id, the records that only this run's builds can have made. Returns how many new ones are left because
/// another build may have made them.
pub async fn undo_cache(engine: &Engine, note: &CacheNote, traces: &Traces) -> Result<usize, EngineError> {
    remove_ours(engine, note, &settled(engine, note).await?, traces).await
}

/// Of these records, those that [`undo_cache`] removes.
pub async fn remove_ours(
    engine: &Engine,
    note: &CacheNote,
    records: &[CacheRecord],
    traces: &Traces,
) -> Result<usize, EngineError> {
    let New { mut ours, unclear } = told_apart(note, records, traces);
    // A record goes only after those that were made from it.
    while !ours.is_empty() {
        let mut left = BTreeSet::new();
        for id in &ours {
            if !engine.prune_record(id).await? {
                left.insert(id.clone());
            }
        }
        if left.len() == ours.len() {
            // What an image still uses cannot go; what was gone already need not.
            let there: BTreeSet<String> = engine.cache_records().await?.into_iter().map(|record| record.id).collect();
            return Ok(unclear.len() + ours.intersection(&there).count());
        }
        ours = left;
    }
    Ok(unclear.len())
}

/// All records, when no build holds a new one any more; or late, where another's build goes on.
pub async fn settled(engine: &Engine, note: &CacheNote) -> Result<Vec<CacheRecord>, EngineError> {
    let deadline = tokio::time::Instant::now() + END_OF_BUILDS;
    loop {
        let records = engine.cache_records().await?;
        let held = records.iter().any(|record| record.in_use && !note.before.contains(&record.id));
        if !held || tokio::time::Instant::now() >= deadline {
            return Ok(records);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// A record is ours if it has a trace of our builds, or is tied to one that has, as what it was made from or what was
/// made from it: the images that our builds begin with are no other's. A source names nothing, nor does what is made before
/// a build's first command; all of them are ours if there are no more than our builds make, and no trace of another build.
fn told_apart(note: &CacheNote, now: &[CacheRecord], traces: &Traces) -> New {
    let new: Vec<&CacheRecord> = now.iter().filter(|record| !note.before.contains(&record.id)).collect();
    let traced = new.iter().filter(|record| traces.in_record(record));
    let mut ours: BTreeSet<String> = traced.map(|record| record.id.clone()).collect();
    loop {
        let known = ours.len();
        for record in &new {
            if ours.contains(&record.id) || record.parents.iter().any(|parent| ours.contains(parent)) {
                let parents = new.iter().filter(|parent| record.parents.contains(&parent.id));
                ours.extend(parents.map(|parent| parent.id.clone()).chain([record.id.clone()]));
            }
        }
        if ours.len() == known {
            break;
        }
    }
    let rest: Vec<&CacheRecord> = new.into_iter().filter(|record| !ours.contains(&record.id)).collect();
    let most = note.builds as usize * (SOURCES_PER_BUILD + BEGUN_PER_BUILD);
    let rest_ids = rest.iter().map(|record| record.id.clone());
    if rest.len() <= most && rest.iter().all(|record| is_begun(record, &rest)) {
        ours.extend(rest_ids);
        return New { ours, unclear: BTreeSet::new() };
    }
    New { unclear: rest_ids.collect(), ours }
}

/// A source, or what a build makes of it and of an image before its first command, on nothing that is older.
fn is_begun(record: &CacheRecord, rest: &[&CacheRecord]) -> bool {
    let new = |parent: &String| rest.iter().any(|record| record.id == *parent);
    let named = SOURCES.iter().chain([&LAYER]).any(|start| record.description.starts_with(start));
    named && record.parents.iter().all(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces() -> Traces {
        Traces { registry: "127.0.0.1:5000", commands: vec!["sh tools/ours.sh"] }
    }

    fn record(id: &str, parents: &[&str], description: &str) -> CacheRecord {
        CacheRecord {
            id: id.to_owned(),
            parents: parents.iter().map(|&parent| parent.to_owned()).collect(),
            description: description.to_owned(),
            in_use: false,
        }
    }

    fn note(builds: u32) -> CacheNote {
        CacheNote { before: BTreeSet::from(["old".to_owned()]), builds }
    }

    fn set(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|&id| id.to_owned()).collect()
    }

    fn our_build() -> Vec<CacheRecord> {
        vec![
            record("old", &[], "pulled from docker.io/library/debian@sha256:1"),
            record("run", &["copy"], "mount / from exec /bin/sh -c true"),
            record("copy", &["base"], "fileop target"),
            record("base", &[], "pulled from 127.0.0.1:5000/fixture:base@sha256:2"),
            record("context", &[], "local source for context"),
            record("file", &[], "local source for dockerfile"),
        ]
    }

    #[test]
    fn a_build_of_ours_alone_leaves_nothing() {
        let new = told_apart(&note(1), &our_build(), &traces());
        assert_eq!(new, New { ours: set(&["base", "context", "copy", "file", "run"]), unclear: set(&[]) });
    }

    /// Of an image that was there already: its records name nothing.
    fn built_on_an_image_that_is_there() -> Vec<CacheRecord> {
        vec![
            record("lower", &[], "from local "),
            record("upper", &["lower"], "from local "),
            record("copy", &["upper"], "fileop target"),
            record("run", &["copy"], "mount / from exec /bin/sh -c sh tools/ours.sh"),
            record("late", &["run"], "fileop target"),
            record("sent", &[], "http url http://build-context-x"),
            record("context", &[], "fileop target"),
        ]
    }

    #[test]
    fn records_that_name_nothing_are_ours_where_they_are_tied_to_a_command_of_ours() {
        let new = told_apart(&note(1), &built_on_an_image_that_is_there(), &traces());
        let all = set(&["context", "copy", "late", "lower", "run", "sent", "upper"]);
        assert_eq!(new, New { ours: all, unclear: set(&[]) });
        let theirs = ["fileop target of theirs", "mount / from exec /bin/sh -c sh tools/ours.sh && make"];
        for description in theirs {
            let now = [built_on_an_image_that_is_there(), vec![record("theirs", &["old"], description)]].concat();
            let new = told_apart(&note(1), &now, &traces());
            assert_eq!(new.unclear, set(&["context", "sent", "theirs"]), "{description}");
            assert_eq!(new.ours, set(&["copy", "late", "lower", "run", "upper"]));
        }
    }

    #[test]
    fn a_build_that_ends_before_its_first_command_leaves_nothing() {
        let mut begun = built_on_an_image_that_is_there();
        begun.retain(|record| ["lower", "upper", "copy", "sent", "context"].contains(&record.id.as_str()));
        let new = told_apart(&note(1), &begun, &traces());
        assert_eq!(new, New { ours: set(&["context", "copy", "lower", "sent", "upper"]), unclear: set(&[]) });
    }

    #[test]
    fn what_was_there_before_ties_nothing_together() {
        let now = [
            record("ours", &["old"], "mount / from exec /bin/sh -c sh tools/ours.sh"),
            record("theirs", &["old"], "x"),
        ];
        let new = told_apart(&note(1), &now, &traces());
        assert_eq!(new, New { ours: set(&["ours"]), unclear: set(&["theirs"]) });
    }

    #[test]
    fn another_build_meanwhile_keeps_its_records_and_all_that_could_be_its() {
        for foreign in [
            record("theirs", &["old"], "mount / from exec /bin/sh -c make"),
            record("theirs", &[], "pulled from docker.io/library/alpine@sha256:3"),
            record("theirs", &[], "pulled from 127.0.0.1:50001/fixture:base@sha256:3"),
            record("theirs", &[], "git snapshot for https://example.org/x.git"),
        ] {
            let new = told_apart(&note(1), &[our_build(), vec![foreign]].concat(), &traces());
            assert_eq!(new, New { ours: set(&["base", "copy", "run"]), unclear: set(&["context", "file", "theirs"]) });
        }
    }

    #[test]
    fn more_sources_than_our_builds_make_are_not_all_ours() {
        let sources: Vec<_> = (0..12).map(|id| record(&format!("s{id}"), &[], "local source for context")).collect();
        let now = [our_build(), sources].concat();
        assert_eq!(told_apart(&note(1), &now, &traces()).unclear.len(), 14);
        assert_eq!(told_apart(&note(2), &now, &traces()).unclear.len(), 0);
    }
}
