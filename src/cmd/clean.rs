//! `dindbench clean`: removes what earlier runs left behind, and nothing else.

use std::collections::BTreeSet;

use super::connect::{self, Connected};
use super::{Exit, Failure, could_not_run, notice, print, runtime, tell_left};
use crate::cleanup::{LATE_ARRIVALS, QUIET_LOOKS};
use crate::cli::CleanArgs;
use crate::engine::Engine;
use crate::journal::{Abandoned, Entry, notes_cache, state_folder, survey};
use crate::scenario::StorageDriver;
use crate::{cleanup, topology};

/// How often an object that is in use is tried again.
const CONFLICTS: u32 = 20;

pub fn run(args: &CleanArgs) -> Result<Exit, Failure> {
    let removed = runtime()?.block_on(clean(args))?;
    let lines: String = removed.iter().map(|entry| format!("{} {}\n", entry.kind, entry.name)).collect();
    print(lines.as_bytes())
}

/// Returns what was found, and removed unless this is a dry run.
async fn clean(args: &CleanArgs) -> Result<BTreeSet<Entry>, Failure> {
    let Connected { engine, description, .. } = connect::engine(&args.host, StorageDriver::Auto, 0).await?;
    let (abandoned, _) = survey(&state_folder()).map_err(could_not_run)?;
    let ended: BTreeSet<String> = abandoned.iter().map(|journal| journal.run.clone()).collect();
    for run in &alive(&engine, &ended).await? {
        notice(format_args!("run {run} is under way, and its objects are left alone"));
    }
    let here = |journal: &Abandoned| journal.engine.as_deref().is_none_or(|id| id == description.id);
    let mut found = ours(&engine, &ended).await?;
    if args.dry_run {
        return Ok(found);
    }
    let (abandoned, _elsewhere): (Vec<_>, Vec<_>) = abandoned.into_iter().partition(here);
    if !abandoned.is_empty() {
        tokio::time::sleep(LATE_ARRIVALS).await;
    }
    let journalled: BTreeSet<Entry> = abandoned.iter().flat_map(|journal| journal.entries.iter().cloned()).collect();
    let named = || async { Ok(journalled.clone()) };
    removed(&engine, named).await?;
    let quiet = if abandoned.is_empty() { 1 } else { QUIET_LOOKS };
    found.extend(remove_until_none(&engine, &ended, quiet).await?);
    for journal in abandoned {
        if let Some(note) = &journal.cache {
            // Builds of every run have the same commands: records of one that is alive would be taken for those of this one.
            if let Some(other) = building(&engine, &ended).await? {
                notice(format_args!(
                    "the build cache of run {} is left while run {other} may build there: clean again after it",
                    journal.run
                ));
                continue;
            }
            tell_left(cleanup::undo_cache(&engine, note, &topology::traces()).await.map_err(could_not_run)?);
        }
        journal.close().map_err(could_not_run)?;
    }
    Ok(found)
}

/// The runs that are alive at this moment, without those that were found to have ended: containers of one that was killed a
/// moment ago can still be ending, and this command has its journal's lock.
async fn alive(engine: &Engine, ended: &BTreeSet<String>) -> Result<Vec<String>, Failure> {
    let (_, locked) = survey(&state_folder()).map_err(could_not_run)?;
    let holding = cleanup::holding(engine).await.map_err(could_not_run)?;
    let runs: BTreeSet<String> = locked.into_iter().chain(holding).collect();
    Ok(runs.difference(ended).cloned().collect())
}

/// A run that is alive and may build on this engine itself. Its journal says so, or, of the run of another user, that it has
/// reference hosts says that it does not.
async fn building(engine: &Engine, ended: &BTreeSet<String>) -> Result<Option<String>, Failure> {
    let hosting = cleanup::hosting(engine).await.map_err(could_not_run)?;
    let builds = |run: &String| notes_cache(&state_folder(), run).unwrap_or_else(|| !hosting.contains(run));
    Ok(alive(engine, ended).await?.into_iter().find(builds))
}

/// What carries our label, without what is of a run that is alive. A run may begin at any time, and says so before it makes
/// anything: so who is alive is asked after what is there.
async fn ours(engine: &Engine, ended: &BTreeSet<String>) -> Result<BTreeSet<Entry>, Failure> {
    let all = cleanup::ours(engine).await.map_err(could_not_run)?;
    let alive = alive(engine, ended).await?;
    let lives = |run: Option<&String>| run.is_some_and(|run| alive.contains(run));
    Ok(all.into_iter().filter(|(_, run)| !lives(run.as_ref())).map(|(entry, _)| entry).collect())
}

/// Removes what carries our label until nothing does for so many looks in a row.
async fn remove_until_none(engine: &Engine, ended: &BTreeSet<String>, quiet: u32) -> Result<BTreeSet<Entry>, Failure> {
    let (mut all, mut nothing) = (BTreeSet::new(), 0);
    loop {
        let found = removed(engine, || ours(engine, ended)).await?;
        nothing = if found.is_empty() { nothing + 1 } else { 0 };
        if nothing == quiet {
            return Ok(all);
        }
        if found.is_empty() {
            tokio::time::sleep(LATE_ARRIVALS).await;
        }
        all.extend(found);
    }
}

/// Removes what is found, and returns it. The engine can still be making what a killed run asked for, and refuses
/// meanwhile what that container is to use: it is looked for again then.
async fn removed<F>(engine: &Engine, find: impl Fn() -> F) -> Result<BTreeSet<Entry>, Failure>
where
    F: Future<Output = Result<BTreeSet<Entry>, Failure>>,
{
    const CONFLICT: Option<u16> = Some(409);
    let mut tries = 1..=CONFLICTS;
    loop {
        let found = find().await?;
        match cleanup::remove(engine, found.clone()).await {
            Err(error) if error.status() == CONFLICT && tries.next().is_some() => {
                tokio::time::sleep(LATE_ARRIVALS).await;
            }
            done => return done.map(|()| found).map_err(could_not_run),
        }
    }
}
