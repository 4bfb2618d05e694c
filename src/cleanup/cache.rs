//! BuildKit's records on an engine that others build on too: which of them only this run's builds can have made.

use std::collections::BTreeSet;

use crate::engine::{CacheRecord, Engine, EngineError};
use crate::journal::CacheNote;

/// Records that one build leaves and that name nothing of it: sources without a parent, and the copy of a context that
/// was sent whole.
const SOURCES_PER_BUILD: usize = 3;
const SOURCES: [&str; 3] = ["local source for ", "http url http://build-context-", "fileop target"];

/// New records, told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct New {
    ours: BTreeSet<String>,
    /// Those that another build may have made meanwhile.
    unclear: BTreeSet<String>,
}

/// Removes, by id, the records that only this run's builds can have made. Returns how many new ones are left because
/// another build may have made them.
///
/// `registry` is what the names of all images begin with that the run's builds are based on.
pub async fn undo_cache(engine: &Engine, note: &CacheNote, registry: &str) -> Result<usize, EngineError> {
    let New { mut ours, unclear } = told_apart(note, &engine.cache_records().await?, registry);
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

/// A record is ours if it was pulled from our registry or made from such a one. A source names nothing; all of them
/// are ours if there are no more than our builds make, and no trace of another build.
fn told_apart(note: &CacheNote, now: &[CacheRecord], registry: &str) -> New {
    let new: Vec<&CacheRecord> = now.iter().filter(|record| !note.before.contains(&record.id)).collect();
    let pulled = format!("pulled from {registry}/");
    let mut ours: BTreeSet<String> =
        new.iter().filter(|record| record.description.starts_with(&pulled)).map(|record| record.id.clone()).collect();
    loop {
        let heirs = new
            .iter()
            .filter(|record| !ours.contains(&record.id) && record.parents.iter().any(|parent| ours.contains(parent)));
        let heirs: Vec<String> = heirs.map(|record| record.id.clone()).collect();
        if heirs.is_empty() {
            break;
        }
        ours.extend(heirs);
    }
    let rest: Vec<&CacheRecord> = new.into_iter().filter(|record| !ours.contains(&record.id)).collect();
    let most = note.builds as usize * SOURCES_PER_BUILD;
    let rest_ids = rest.iter().map(|record| record.id.clone());
    if rest.len() <= most && rest.iter().all(|record| is_source(record)) {
        ours.extend(rest_ids);
        return New { ours, unclear: BTreeSet::new() };
    }
    New { unclear: rest_ids.collect(), ours }
}

fn is_source(record: &CacheRecord) -> bool {
    record.parents.is_empty() && SOURCES.iter().any(|start| record.description.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTRY: &str = "127.0.0.1:5000";

    fn record(id: &str, parents: &[&str], description: &str) -> CacheRecord {
        CacheRecord {
            id: id.to_owned(),
            parents: parents.iter().map(|&parent| parent.to_owned()).collect(),
            description: description.to_owned(),
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
        let new = told_apart(&note(1), &our_build(), REGISTRY);
        assert_eq!(new, New { ours: set(&["base", "context", "copy", "file", "run"]), unclear: set(&[]) });
    }

    #[test]
    fn another_build_meanwhile_keeps_its_records_and_all_that_could_be_its() {
        for foreign in [
            record("theirs", &["old"], "mount / from exec /bin/sh -c make"),
            record("theirs", &[], "pulled from docker.io/library/alpine@sha256:3"),
            record("theirs", &[], "pulled from 127.0.0.1:50001/fixture:base@sha256:3"),
            record("theirs", &[], "git snapshot for https://example.org/x.git"),
        ] {
            let new = told_apart(&note(1), &[our_build(), vec![foreign]].concat(), REGISTRY);
            assert_eq!(new, New { ours: set(&["base", "copy", "run"]), unclear: set(&["context", "file", "theirs"]) });
        }
    }

    #[test]
    fn more_sources_than_our_builds_make_are_not_all_ours() {
        let sources = ["s1", "s2"].map(|id| record(id, &[], "local source for context"));
        let now = [our_build(), sources.to_vec()].concat();
        assert_eq!(told_apart(&note(1), &now, REGISTRY).unclear.len(), 4);
        assert_eq!(told_apart(&note(2), &now, REGISTRY).unclear.len(), 0);
    }
}
