//! Undoes what a run has created: at its end, after an interruption, and by `clean`.

mod cache;

use std::collections::BTreeSet;
use std::time::Duration;

pub use cache::{Traces, remove_ours, settled, undo_cache};

use crate::engine::{Engine, EngineError, Labelled};
use crate::journal::{Entry, Kind, ROLE_LABEL, RUN_LABEL};

/// The role of the volume that has the disks of a run's reference hosts, from before the first of them until the run ends.
pub const DISKS: &str = "disk";

/// A request that was given up can be under way still, and its object appears after it was looked for: how long is waited before
/// it is looked for again.
pub const LATE_ARRIVALS: Duration = Duration::from_millis(500);

/// For how many looks in a row nothing may be found then: an engine that is busy takes seconds to end a build whose client is
/// gone, and its last image appears when everything else has gone already.
pub const QUIET_LOOKS: u32 = 6;

/// The roles of what a trial makes on an engine; the rest of a run's objects are its own.
const OF_TRIAL: [&str; 13] = [
    "job",
    "inner",
    "socket-proxy",
    "preload",
    "mirror",
    "network",
    "data",
    "socket",
    "certificates",
    "file-system",
    "check",
    "fixture",
    "base",
];

/// Removes all that a run created: what its journal names, and what carries its label. The journal knows of objects
/// that were never finished; the label, of a loaded image that was not named yet.
pub async fn undo(engine: &Engine, run: &str, entries: &[Entry]) -> Result<(), EngineError> {
    remove(engine, entries.iter().cloned().collect()).await?;
    let labelled = labelled(engine, &format!("{RUN_LABEL}={run}")).await?;
    remove(engine, labelled.into_iter().map(|(entry, _)| entry).collect()).await
}

/// Removes what a trial made on an engine that outlives it: what the run's label proves, but for what the run itself
/// needs, and the tags below a prefix of the run's own.
pub async fn undo_trial(engine: &Engine, run: &str, namespace: &str) -> Result<(), EngineError> {
    let label = format!("{RUN_LABEL}={run}");
    let mut entries = BTreeSet::new();
    for (kind, list) in everything(engine, &label).await? {
        entries.extend(list.into_iter().filter(of_trial).map(|(name, _)| Entry { kind, name }));
    }
    entries.extend(engine.tags_below(namespace).await?.into_iter().map(|name| Entry { kind: Kind::Image, name }));
    remove(engine, entries).await
}

/// Removes objects: containers first, for they use networks, volumes and images. What is gone already is no error. Goes on after
/// an error, and returns the first.
pub async fn remove(engine: &Engine, entries: BTreeSet<Entry>) -> Result<(), EngineError> {
    let mut result = Ok(());
    let mut images = Vec::new();
    for Entry { kind, name } in entries {
        let removed = match kind {
            Kind::Container => engine.remove_container(&name).await,
            Kind::Network => engine.remove_network(&name).await,
            Kind::Volume => engine.remove_volume(&name).await,
            Kind::Image => {
                images.push(name);
                Ok(())
            }
        };
        result = result.and(removed);
    }
    result.and(remove_images(engine, images).await)
}

/// An image goes only after those that were built on it, and nothing says in which order that is: what fails is tried
/// again for as long as some other one goes.
async fn remove_images(engine: &Engine, mut names: Vec<String>) -> Result<(), EngineError> {
    loop {
        let (mut left, mut error) = (Vec::new(), None);
        for name in &names {
            if let Err(refusal) = engine.remove_image(name).await {
                left.push(name.clone());
                error.get_or_insert(refusal);
            }
        }
        match error {
            None => return Ok(()),
            Some(error) if left.len() == names.len() => return Err(error),
            Some(_) => names = left,
        }
    }
}

/// The runs that have a running container of their own: it is held by its client, so that client lives, be it another
/// user's or on another machine. What a trial started is held by nobody.
pub async fn holding(engine: &Engine) -> Result<BTreeSet<String>, EngineError> {
    let running = engine.containers(Some(RUN_LABEL), false).await?;
    Ok(runs(running.into_iter().filter(|object| !of_trial(object))))
}

/// The runs that have reference hosts here: what they build is not in the cache of this engine itself.
pub async fn hosting(engine: &Engine) -> Result<BTreeSet<String>, EngineError> {
    Ok(runs(engine.volumes(Some(&format!("{ROLE_LABEL}={DISKS}"))).await?))
}

fn runs(objects: impl IntoIterator<Item = Labelled>) -> BTreeSet<String> {
    objects.into_iter().filter_map(|(_, mut labels)| labels.remove(RUN_LABEL)).collect()
}

fn of_trial((_, labels): &Labelled) -> bool {
    labels.get(ROLE_LABEL).is_some_and(|role| OF_TRIAL.contains(&role.as_str()))
}

/// Objects on an engine that a label of ours proves to be ours, each with the run that made it, where its label tells.
pub async fn ours(engine: &Engine) -> Result<BTreeSet<(Entry, Option<String>)>, EngineError> {
    labelled(engine, ROLE_LABEL).await
}

async fn labelled(engine: &Engine, label: &str) -> Result<BTreeSet<(Entry, Option<String>)>, EngineError> {
    let mut found = BTreeSet::new();
    for (kind, list) in everything(engine, label).await? {
        found.extend(list.into_iter().map(|(name, mut labels)| (Entry { kind, name }, labels.remove(RUN_LABEL))));
    }
    Ok(found)
}

async fn everything(engine: &Engine, label: &str) -> Result<[(Kind, Vec<Labelled>); 4], EngineError> {
    Ok([
        (Kind::Container, engine.containers(Some(label), true).await?),
        (Kind::Network, engine.networks(Some(label)).await?),
        (Kind::Volume, engine.volumes(Some(label)).await?),
        (Kind::Image, engine.images_labelled(label).await?),
    ])
}
