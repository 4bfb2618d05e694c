//! `dindbench clean`: removes what earlier runs left behind, and nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use super::connect::{self, Connected};
use super::{Exit, Failure, could_not_run, print, runtime, tell_left};
use crate::cli::CleanArgs;
use crate::engine::{Engine, EngineError};
use crate::journal::{Abandoned, Entry, state_folder, survey};
use crate::{cleanup, topology};

/// A killed run can have a request under way, whose object appears after it was looked for.
const LATE_ARRIVALS: Duration = Duration::from_millis(500);

pub fn run(args: &CleanArgs) -> Result<Exit, Failure> {
    let removed = runtime()?.block_on(clean(args))?;
    let lines: String = removed.iter().map(|entry| format!("{} {}\n", entry.kind, entry.name)).collect();
    print(lines.as_bytes())
}

/// Returns what was found, and removed unless this is a dry run.
async fn clean(args: &CleanArgs) -> Result<BTreeSet<Entry>, Failure> {
    let Connected { engine, description, .. } = connect::engine(&args.host, 0).await?;
    let (abandoned, mut alive) = survey(&state_folder()).map_err(could_not_run)?;
    // The containers of a run that was killed a moment ago can still be ending: its journal knows better.
    let holding = cleanup::holding(&engine).await.map_err(could_not_run)?;
    let unknown = holding.into_iter().filter(|run| abandoned.iter().all(|journal| journal.run != *run));
    alive.extend(unknown);
    alive.sort();
    alive.dedup();
    for run in &alive {
        eprintln!("dindbench: run {run} is under way, and its objects are left alone");
    }
    let here = |journal: &Abandoned| journal.engine.as_deref().is_none_or(|id| id == description.id);
    let mut found = cleanup::ours(&engine, &alive).await.map_err(could_not_run)?;
    if args.dry_run {
        return Ok(found);
    }
    let (abandoned, _elsewhere): (Vec<_>, Vec<_>) = abandoned.into_iter().partition(here);
    let journalled = abandoned.iter().flat_map(|journal| journal.entries.iter().cloned()).collect();
    cleanup::remove(&engine, journalled).await.map_err(could_not_run)?;
    found.extend(remove_until_none(&engine, &alive, !abandoned.is_empty()).await.map_err(could_not_run)?);
    for note in abandoned.iter().filter_map(|journal| journal.cache.as_ref()) {
        tell_left(cleanup::undo_cache(&engine, note, &topology::traces()).await.map_err(could_not_run)?);
    }
    for journal in abandoned {
        journal.close().map_err(could_not_run)?;
    }
    Ok(found)
}

/// Removes what carries our label until nothing does.
async fn remove_until_none(engine: &Engine, alive: &[String], killed: bool) -> Result<BTreeSet<Entry>, EngineError> {
    let mut removed = BTreeSet::new();
    if killed {
        tokio::time::sleep(LATE_ARRIVALS).await;
    }
    loop {
        let found = cleanup::ours(engine, alive).await?;
        if found.is_empty() {
            return Ok(removed);
        }
        cleanup::remove(engine, found.clone()).await?;
        removed.extend(found);
    }
}
