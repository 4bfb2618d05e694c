//! Undoes what a run has created: at its end, after an interruption, and by `clean`.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::{Engine, EngineError};
use crate::journal::{Entry, Kind, ROLE_LABEL, RUN_LABEL};

/// Removes objects: containers first, for they use volumes and images. What is gone already is no error. Goes on after
/// an error, and returns the first.
pub async fn remove(engine: &Engine, entries: impl IntoIterator<Item = Entry>) -> Result<(), EngineError> {
    let ordered: BTreeSet<Entry> = entries.into_iter().collect();
    let mut result = Ok(());
    for Entry { kind, name } in ordered {
        let removed = match kind {
            Kind::Container => engine.remove_container(&name).await,
            Kind::Volume => engine.remove_volume(&name).await,
            Kind::Image => engine.remove_image(&name).await,
        };
        result = result.and(removed);
    }
    result
}

/// Objects on an engine that a label of ours proves to be ours, without those of the runs that are alive.
pub async fn labelled(engine: &Engine, alive: &[String]) -> Result<BTreeSet<Entry>, EngineError> {
    let mut found = BTreeSet::new();
    for (kind, list) in [
        (Kind::Container, engine.containers_labelled(RUN_LABEL).await?),
        (Kind::Volume, engine.volumes(Some(RUN_LABEL)).await?),
        (Kind::Image, engine.images_labelled(ROLE_LABEL).await?),
    ] {
        found.extend(list.into_iter().filter(|(_, labels)| !of(alive, labels)).map(|(name, _)| Entry { kind, name }));
    }
    Ok(found)
}

fn of(runs: &[String], labels: &BTreeMap<String, String>) -> bool {
    labels.get(RUN_LABEL).is_some_and(|run| runs.contains(run))
}
