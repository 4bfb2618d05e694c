//! What every host of a run shares on the user's engine: the image, the registry, and how privilege is granted.

use std::collections::BTreeMap;

use super::error::TopologyError;
use super::{Held, REGISTRY_FOLDER, REGISTRY_SOCKET};
use crate::agent;
use crate::engine::{ContainerSpec, Engine, Mount, Network, Privilege};
use crate::fixture::{self, images};
use crate::image::{Packed, archive};
use crate::journal::{Journal, Kind};
use crate::registry::{self, Snapshot};

/// Loaded and started once for a run.
pub(super) struct Site {
    pub engine: Engine,
    pub run: String,
    /// The image that engine containers and job containers are made from, under the same name on every engine.
    pub image: String,
    /// How the user's engine grants an engine's container what it needs.
    pub privilege: Privilege,
    registry_volume: String,
    registry: Held,
}

impl Site {
    /// Loads the image, tries out which privilege is granted, and starts the registry with fixtures of this seed.
    pub async fn prepare(
        engine: &Engine,
        journal: &mut Journal,
        packed: &Packed,
        seed: u64,
    ) -> Result<Self, TopologyError> {
        let image = format!("dindbench/host-engine:{}", journal.run());
        journal.creating(Kind::Image, &image)?;
        engine.load_image(&image, archive(packed, &image, &journal.labels("host-engine")).await?).await?;
        let registry_volume = journal.name("registry");
        journal.creating(Kind::Volume, &registry_volume)?;
        engine.create_volume(&registry_volume, &journal.labels("registry")).await?;
        let privilege = probe_privilege(engine, journal, &image).await?;
        let registry = start_registry(engine, journal, &image, registry_mount(&registry_volume), seed).await?;
        let (engine, run) = (engine.clone(), journal.run().to_owned());
        Ok(Self { engine, run, image, privilege, registry_volume, registry })
    }

    /// What the registry has served so far.
    pub async fn served(&mut self) -> Result<Snapshot, TopologyError> {
        self.registry.ask(&registry::Request::Counters).await
    }

    /// Puts fixtures of another seed in the place of those that the registry has.
    pub async fn renew(&mut self, seed: u64, labels: BTreeMap<String, String>) -> Result<(), TopologyError> {
        self.registry.ask::<Snapshot>(&registry::Request::Renew { seed, labels }).await?;
        Ok(())
    }

    /// Undoes in the registry what the trial before this one changed there, however it ended.
    pub async fn reset(&mut self) -> Result<(), TopologyError> {
        self.name_base(images::ORIGINAL).await?;
        let request = registry::Request::Forget { repository: fixture::PUSHED.to_owned() };
        self.registry.ask::<Snapshot>(&request).await.map(|_| ())
    }

    /// Makes the edit `base`: from now on the tag names an image with other upper layers.
    pub async fn move_base(&mut self) -> Result<(), TopologyError> {
        self.name_base(images::MOVED).await
    }

    async fn name_base(&mut self, like: &str) -> Result<(), TopologyError> {
        let [repository, tag, like] = [fixture::REPOSITORY, images::BASE, like].map(str::to_owned);
        let request = registry::Request::Name { repository, tag, like };
        self.registry.ask::<Snapshot>(&request).await.map(|_| ())
    }

    /// The volume in which the registry's socket stands.
    pub fn registry_mount(&self) -> Mount {
        registry_mount(&self.registry_volume)
    }
}

fn registry_mount(volume: &str) -> Mount {
    Mount::Volume { name: volume.to_owned(), target: REGISTRY_FOLDER.to_owned() }
}

async fn start_registry(
    engine: &Engine,
    journal: &mut Journal,
    image: &str,
    mount: Mount,
    seed: u64,
) -> Result<Held, TopologyError> {
    let store = format!("{REGISTRY_FOLDER}/store");
    let spec = ContainerSpec {
        name: journal.name("registry"),
        image: image.to_owned(),
        command: agent::command(["registry", &store, REGISTRY_SOCKET, &seed.to_string()]),
        environment: Vec::new(),
        labels: journal.labels("registry"),
        mounts: vec![mount],
        network: Network::Bridge,
        privilege: None,
        dead_man: true,
    };
    journal.creating(Kind::Container, &spec.name)?;
    let mut held = Held::start(engine, &spec).await?;
    // It answers when the fixtures are made and the socket is open.
    held.ask::<Snapshot>(&registry::Request::Counters).await?;
    Ok(held)
}

/// Whether the engine can grant `--privileged`: it is asked to start a container with it.
async fn probe_privilege(engine: &Engine, journal: &mut Journal, image: &str) -> Result<Privilege, TopologyError> {
    let spec = ContainerSpec {
        name: journal.name("privilege"),
        image: image.to_owned(),
        command: vec!["true".to_owned()],
        environment: Vec::new(),
        labels: journal.labels("privilege"),
        mounts: Vec::new(),
        network: Network::Bridge,
        privilege: Some(Privilege::Real),
        dead_man: false,
    };
    journal.creating(Kind::Container, &spec.name)?;
    engine.create_container(&spec).await?;
    let started = engine.start_container(&spec.name).await;
    engine.remove_container(&spec.name).await?;
    match started {
        Ok(()) => Ok(Privilege::Real),
        Err(error) if error.to_string().contains("operation not permitted") => Ok(Privilege::Explicit),
        Err(error) => Err(error.into()),
    }
}
