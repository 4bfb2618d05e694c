//! What a run has on the user's engine, from its journal's first line to the last removal.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::watch;

use super::progress::Progress;
use super::{Failure, could_not_run};
use crate::case::FileSystem;
use crate::cleanup::{self, LATE_ARRIVALS, QUIET_LOOKS};
use crate::engine::Engine;
use crate::image::{self, RunImages, Wanted};
use crate::journal::{Journal, cache_folder, state_folder};
use crate::registry::Address;
use crate::scenario::EngineVersion;
use crate::topology::{Host, Place, TopologyError};

/// How long it may take to take back what was put into a registry that others run.
const WITHDRAWAL: Duration = Duration::from_secs(30);

pub struct Tenancy<'a> {
    pub journal: Journal,
    pub images: Option<RunImages>,
    engine: Engine,
    /// The registry that others run, where one is used.
    registry: Option<Address>,
    progress: &'a Progress,
    /// Empty before anything is prepared.
    interrupt: Option<watch::Receiver<bool>>,
}

impl<'a> Tenancy<'a> {
    /// Opens the journal of a new run, whose id holds the label; nothing is created yet.
    pub fn open(
        engine: &Engine,
        engine_id: &str,
        label: &str,
        registry: Option<Address>,
        progress: &'a Progress,
    ) -> Result<Self, Failure> {
        let journal = Journal::create(&state_folder(), &new_run_id(label), engine_id).map_err(could_not_run)?;
        Ok(Self { journal, images: None, engine: engine.clone(), registry, progress, interrupt: None })
    }

    pub fn run_id(&self) -> &str {
        self.journal.run()
    }

    /// Provides the images, prepares the host and shows that it can have the file systems that engines want for their data;
    /// empty where the run was interrupted meanwhile.
    pub async fn prepare(
        &mut self,
        place: &Place,
        wanted: &Wanted<'_>,
        disks: &BTreeSet<(EngineVersion, FileSystem)>,
        seed: u64,
        mut interrupt: watch::Receiver<bool>,
    ) -> Result<Option<Host>, Failure> {
        self.interrupt = Some(interrupt.clone());
        tokio::select! {
            prepared = self.build(place, wanted, disks, seed) => prepared.map(Some).map_err(could_not_run),
            _ = interrupt.wait_for(|interrupted| *interrupted) => Ok(None),
        }
    }

    async fn build(
        &mut self,
        place: &Place,
        wanted: &Wanted<'_>,
        disks: &BTreeSet<(EngineVersion, FileSystem)>,
        seed: u64,
    ) -> Result<Host, TopologyError> {
        let program = std::env::current_exe().map_err(|error| image::ImageError::File {
            path: "dindbench itself".to_owned(),
            reason: error.to_string(),
        })?;
        self.progress.phase(match wanted.outer {
            EngineVersion::Auto => "packing the host's engine",
            _ => "taking the engine's image from the cache",
        });
        let (journal, cache) = (&mut self.journal, cache_folder());
        let images = RunImages::provide(&self.engine, journal, &cache, &program, wanted).await?;
        self.progress.phase("preparing the host");
        let host = Host::prepare(place, &self.engine, &mut self.journal, &images, self.registry.as_ref(), seed).await;
        self.images = Some(images);
        let mut host = host?;
        for tried in host.try_file_systems(&mut self.journal, disks).await? {
            tried.had()?;
        }
        Ok(host)
    }

    /// Removes everything that the run created.
    pub async fn close(self) -> Result<(), Failure> {
        if self.registry.is_some() {
            // It takes back what it put there, also where the run was interrupted while it was prepared.
            match self.engine.stop_container(&self.journal.name("registry"), WITHDRAWAL).await {
                Err(error) if !error.is_not_found() => self.progress.warn(&error.to_string()),
                _ => {}
            }
        }
        let mut undone = cleanup::undo(&self.engine, self.journal.run(), self.journal.entries()).await;
        // What was interrupted gave its request up, which can be under way still.
        if self.interrupt.is_some_and(|interrupt| *interrupt.borrow()) {
            for _look in 1..QUIET_LOOKS {
                tokio::time::sleep(LATE_ARRIVALS).await;
                undone = cleanup::undo(&self.engine, self.journal.run(), self.journal.entries()).await;
            }
        }
        undone.map_err(could_not_run)?;
        self.journal.close().map_err(could_not_run)
    }
}

/// The date, a label, and a part that tells runs of one second apart.
fn new_run_id(label: &str) -> String {
    let now = time::OffsetDateTime::now_utc();
    let unique = uuid::Uuid::now_v7().simple().to_string();
    format!("{:04}{:02}{:02}-{label}-{}", now.year(), u8::from(now.month()), now.day(), &unique[unique.len() - 8..])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn fifty_runs_of_one_moment_have_fifty_names() {
        let runs: HashSet<String> = (0..50).map(|_| new_run_id("scenario")).collect();
        assert_eq!(runs.len(), 50);
    }
}
