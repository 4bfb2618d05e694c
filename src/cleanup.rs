//! Undoes what a run has created: at its end, after an interruption, and by `clean`.

use std::collections::BTreeSet;

use crate::engine::{Engine, EngineError, Labelled};
use crate::journal::{Entry, Kind, ROLE_LABEL, RUN_LABEL};

/// Removes all that a run created: what its journal names, and what carries its label. The journal knows of objects
/// that were never finished; the label, of a loaded image that was not named yet.
pub async fn undo(engine: &Engine, run: &str, entries: &[Entry]) -> Result<(), EngineError> {
    remove(engine, entries.iter().cloned().collect()).await?;
    remove(engine, labelled(engine, &format!("{RUN_LABEL}={run}"), &[]).await?).await
}

/// Removes objects: containers first, for they use volumes and images. What is gone already is no error. Goes on after
/// an error, and returns the first.
pub async fn remove(engine: &Engine, entries: BTreeSet<Entry>) -> Result<(), EngineError> {
    let mut result = Ok(());
    for Entry { kind, name } in entries {
        let removed = match kind {
            Kind::Container => engine.remove_container(&name).await,
            Kind::Volume => engine.remove_volume(&name).await,
            Kind::Image => engine.remove_image(&name).await,
        };
        result = result.and(removed);
    }
    result
}

/// The runs that have a running container: it is held by its client, so that client lives, be it another user's or on
/// another machine.
pub async fn holding(engine: &Engine) -> Result<BTreeSet<String>, EngineError> {
    let running = engine.containers_labelled(RUN_LABEL, false).await?;
    Ok(running.into_iter().filter_map(|(_, mut labels)| labels.remove(RUN_LABEL)).collect())
}

/// Objects on an engine that a label of ours proves to be ours, without those of the runs that are alive.
pub async fn ours(engine: &Engine, alive: &[String]) -> Result<BTreeSet<Entry>, EngineError> {
    labelled(engine, ROLE_LABEL, alive).await
}

async fn labelled(engine: &Engine, label: &str, alive: &[String]) -> Result<BTreeSet<Entry>, EngineError> {
    let lives = |(_, labels): &Labelled| labels.get(RUN_LABEL).is_some_and(|run| alive.contains(run));
    let mut found = BTreeSet::new();
    for (kind, list) in [
        (Kind::Container, engine.containers_labelled(label, true).await?),
        (Kind::Volume, engine.volumes(Some(label)).await?),
        (Kind::Image, engine.images_labelled(label).await?),
    ] {
        let dead = list.into_iter().filter(|object| !lives(object));
        found.extend(dead.map(|(name, _)| Entry { kind, name }));
    }
    Ok(found)
}
