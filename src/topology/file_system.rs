//! Which file systems of its own an inner engine can have for its data: told by making one.

use std::collections::BTreeSet;

use super::error::{TopologyError, last_error_line};
use super::{DISK_FOLDER, Host, OuterHost, TrialKey};
use crate::agent;
use crate::case::FileSystem;
use crate::engine::{ContainerSpec, Mount, Powers};
use crate::journal::Journal;
use crate::scenario::EngineVersion;

/// A file system that was tried with the tools of an engine's image and the kernel of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    pub engine: EngineVersion,
    pub file_system: FileSystem,
    /// Why it cannot be had; empty where it can.
    pub reason: Option<String>,
}

impl Tried {
    /// # Errors
    /// It cannot be had.
    pub fn had(&self) -> Result<(), TopologyError> {
        let Self { engine, file_system, reason } = self;
        match reason {
            None => Ok(()),
            Some(reason) => {
                Err(TopologyError::FileSystem { engine: *engine, file_system: *file_system, reason: reason.clone() })
            }
        }
    }
}

impl Host {
    /// Makes each of these on an outer engine, where an inner one's data would be, and takes it away again.
    pub async fn try_file_systems(
        &mut self,
        journal: &mut Journal,
        wanted: &BTreeSet<(EngineVersion, FileSystem)>,
    ) -> Result<Vec<Tried>, TopologyError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let outer = self.open(journal, &TrialKey { salt: "file-systems".to_owned(), jobs: 0 }).await?;
        let tried = outer.try_each(wanted).await;
        outer.remove().await?;
        tried
    }
}

impl OuterHost {
    async fn try_each(&self, wanted: &BTreeSet<(EngineVersion, FileSystem)>) -> Result<Vec<Tried>, TopologyError> {
        let mut tried = Vec::new();
        for (engine, file_system) in wanted {
            let reason = self.refusal(*engine, *file_system).await?;
            tried.push(Tried { engine: *engine, file_system: *file_system, reason });
        }
        Ok(tried)
    }

    /// What a container of an engine's image says where it cannot make the file system.
    async fn refusal(&self, engine: EngineVersion, file_system: FileSystem) -> Result<Option<String>, TopologyError> {
        let (container, volume) = (self.name("file-system"), self.name("file-system"));
        self.engine.create_volume(&volume, &self.labels("file-system")).await?;
        let spec = ContainerSpec {
            name: container.clone(),
            image: self.inner_image(engine).to_owned(),
            command: agent::command(["file-system", &file_system.to_string(), DISK_FOLDER]),
            labels: self.labels("file-system"),
            mounts: vec![Mount::Volume { name: volume.clone(), target: DISK_FOLDER.to_owned() }],
            powers: Some(Powers::Engine(self.privilege)),
            ..ContainerSpec::default()
        };
        let (code, said) = self.engine.chore(&spec).await?;
        self.engine.remove_volume(&volume).await?;
        Ok((code != 0).then(|| last_error_line(&said)))
    }
}
