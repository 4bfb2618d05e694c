//! `dindbench clean`: removes what earlier runs left behind, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::connect::{self, Connected};
use super::{Exit, Failure, could_not_run, escaped, notice, print, runtime, tell_left};
use crate::cleanup::{LATE_ARRIVALS, QUIET_LOOKS};
use crate::cli::CleanArgs;
use crate::engine::Engine;
use crate::journal::{Abandoned, Alive, CacheNote, Entry, state_folder, survey};
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
    let ended = abandoned.iter().map(|journal| journal.run.clone()).collect();
    let neighbours = Neighbours { engine: &engine, id: &description.id, ended };
    for run in neighbours.alive().await?.keys() {
        notice(format_args!("run {} is under way, and its objects are left alone", escaped(run)));
    }
    let mut found = neighbours.ours().await?;
    if args.dry_run {
        return Ok(found);
    }
    let here = |journal: &Abandoned| journal.engine.as_deref().is_none_or(|id| id == description.id);
    let (abandoned, _elsewhere): (Vec<_>, Vec<_>) = abandoned.into_iter().partition(here);
    if !abandoned.is_empty() {
        tokio::time::sleep(LATE_ARRIVALS).await;
    }
    let journalled: BTreeSet<Entry> = abandoned.iter().flat_map(|journal| journal.entries.iter().cloned()).collect();
    let named = || async { Ok(journalled.clone()) };
    removed(&engine, named).await?;
    let quiet = if abandoned.is_empty() { 1 } else { QUIET_LOOKS };
    found.extend(remove_until_none(&neighbours, quiet).await?);
    for journal in abandoned {
        if let Some(note) = &journal.cache
            && !records_removed(&neighbours, &journal.run, note).await?
        {
            continue;
        }
        journal.close().map_err(could_not_run)?;
    }
    Ok(found)
}

/// Removes the records of a killed run's builds, where no other run builds there: builds of every run have the same commands, so
/// that records of the one would be taken for the other's. A run says that it builds before it does, so it is asked for after
/// the records were.
async fn records_removed(neighbours: &Neighbours<'_>, run: &str, note: &CacheNote) -> Result<bool, Failure> {
    let engine = neighbours.engine;
    let records = cleanup::settled(engine, note).await.map_err(could_not_run)?;
    if let Some((other, _)) = neighbours.alive().await?.iter().find(|(_, builds)| **builds) {
        let (run, other) = (escaped(run), escaped(other));
        notice(format_args!(
            "the build cache of run {run} is left while run {other} may build there: clean again after it"
        ));
        return Ok(false);
    }
    let left = cleanup::remove_ours(engine, note, &records, &topology::traces()).await.map_err(could_not_run)?;
    tell_left(left);
    Ok(true)
}

/// The other runs on an engine.
struct Neighbours<'a> {
    engine: &'a Engine,
    /// The id that the engine gives itself.
    id: &'a str,
    /// Those that were found to have ended: containers of one that was killed a moment ago can still be ending, and this command
    /// has its journal's lock.
    ended: BTreeSet<String>,
}

impl Neighbours<'_> {
    /// The runs that are alive at this moment, and whether each may build on the engine itself. Its journal says so; of the run
    /// of another user nothing does, unless it has reference hosts.
    async fn alive(&self) -> Result<BTreeMap<String, bool>, Failure> {
        let holding = cleanup::holding(self.engine).await.map_err(could_not_run)?;
        let hosting = cleanup::hosting(self.engine).await.map_err(could_not_run)?;
        let (_, locked) = survey(&state_folder()).map_err(could_not_run)?;
        let of_others = holding.into_iter().map(|run| {
            let builds = !hosting.contains(&run);
            (run, builds)
        });
        let here = |journal: &Alive| journal.engine.as_deref().is_none_or(|id| id == self.id);
        let of_this_user = locked.into_iter().filter(here).map(|journal| (journal.run, journal.notes_cache));
        Ok(of_others.chain(of_this_user).filter(|(run, _)| !self.ended.contains(run)).collect())
    }

    /// What carries our label, without what is of a run that is alive. A run may begin at any time, and says so before it makes
    /// anything: so who is alive is asked after what is there.
    async fn ours(&self) -> Result<BTreeSet<Entry>, Failure> {
        let all = cleanup::ours(self.engine).await.map_err(could_not_run)?;
        let alive = self.alive().await?;
        let lives = |run: Option<&String>| run.is_some_and(|run| alive.contains_key(run));
        Ok(all.into_iter().filter(|(_, run)| !lives(run.as_ref())).map(|(entry, _)| entry).collect())
    }
}

/// Removes what carries our label until nothing does for so many looks in a row.
async fn remove_until_none(neighbours: &Neighbours<'_>, quiet: u32) -> Result<BTreeSet<Entry>, Failure> {
    let (mut all, mut nothing) = (BTreeSet::new(), 0);
    loop {
        let found = removed(neighbours.engine, || neighbours.ours()).await?;
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
