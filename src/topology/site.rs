//! What every host of a run shares on the user's engine: the images, the registry, and how privilege is granted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::error::TopologyError;
use super::host::namespace;
use super::{Held, REGISTRY_FOLDER, REGISTRY_SOCKET, name};
use crate::agent::{self, Second};
use crate::engine::{Command, ContainerSpec, Engine, EngineError, Mount, Network, Patience, Powers, Privilege, Source};
use crate::fixture::{self, images};
use crate::image::{RunImages, SystemImage, archive};
use crate::journal::{self, Journal, Kind, RUN_LABEL};
use crate::registry::{self, Address, Snapshot, Upstream};
use crate::scenario::EngineVersion;

/// Loaded and started once for a run.
pub(super) struct Site {
    pub engine: Engine,
    pub run: String,
    /// The image that outer engines and job containers are made from, under the same name on every engine.
    pub image: String,
    /// The images of inner engines, by the version asked for; those of other versions are loaded where they are needed.
    pub inner_images: BTreeMap<EngineVersion, String>,
    /// The image of what filters a socket, loaded where it is needed.
    pub proxy_image: Option<String>,
    pub podman_image: Option<String>,
    /// How the user's engine grants an engine's container what it needs.
    pub privilege: Privilege,
    registry_volume: String,
    registry: Held,
    /// Where the images stand in a registry that others run.
    upstream: Option<Upstream>,
    /// Whether they can be deleted where they are.
    deletes: bool,
}

impl Site {
    /// Loads the image, tries out which privilege is granted, and starts the registry with fixtures of this seed: our own,
    /// or the way to one that others run.
    pub async fn prepare(
        engine: &Engine,
        journal: &mut Journal,
        images: &RunImages,
        registry: Option<&Address>,
        seed: u64,
    ) -> Result<Self, TopologyError> {
        let run = journal.run().to_owned();
        let image = reference(&run, &images.outer);
        journal.creating(Kind::Image, &image)?;
        load(engine, &run, &images.outer).await?;
        let registry_volume = journal.name("registry");
        journal.creating(Kind::Volume, &registry_volume)?;
        engine.create_volume(&registry_volume, &journal.labels("registry")).await?;
        journal.creating(Kind::Container, &probe_name(&run))?;
        let privilege = probe_privilege(engine, &run, &image).await?;
        let upstream = registry.map(|address| upstream(address, &run)).transpose()?;
        let spec = registry_spec(journal, &image, registry_mount(&registry_volume), upstream.as_ref(), seed);
        journal.creating(Kind::Container, &spec.name)?;
        let registry = Held::start(engine, &spec).await?;
        // It answers when the fixtures are made and the socket is open.
        let deletes = registry.ask(&deletes()).await?;
        let (engine, inner_images) = (engine.clone(), inner_images(&run, images));
        let [proxy_image, podman_image] =
            [&images.proxy, &images.podman].map(|image| image.as_ref().map(|image| reference(&run, image)));
        Ok(Self {
            engine,
            run,
            image,
            inner_images,
            proxy_image,
            podman_image,
            privilege,
            registry_volume,
            registry,
            upstream,
            deletes,
        })
    }

    /// What the registry has served so far.
    pub async fn served(&self) -> Result<Snapshot, TopologyError> {
        self.registry.ask(&registry::Request::Counters).await
    }

    /// Puts fixtures of another seed in the place of those that the registry has.
    pub async fn renew(&self, seed: u64, labels: BTreeMap<String, String>) -> Result<(), TopologyError> {
        self.registry.ask::<Snapshot>(&registry::Request::Renew { seed, labels }).await?;
        Ok(())
    }

    /// Undoes in the registry what the trial before this one changed there, however it ended.
    pub async fn reset(&self) -> Result<(), TopologyError> {
        self.name_base(images::ORIGINAL).await?;
        let request = registry::Request::Forget { repository: fixture::PUSHED.to_owned() };
        self.registry.ask::<Snapshot>(&request).await.map(|_| ())
    }

    /// Takes back what was put into a registry that others run.
    pub async fn withdraw(&self) -> Result<(), TopologyError> {
        if self.upstream.is_some() {
            self.registry.ask::<Snapshot>(&registry::Request::Withdraw).await?;
        }
        Ok(())
    }

    /// What stays in a registry that others run; empty where nothing does.
    pub fn lasting(&self) -> Option<&Upstream> {
        self.upstream.as_ref().filter(|_| !self.deletes)
    }

    /// Makes the edit `base`: from now on the tag names an image with other upper layers.
    pub async fn move_base(&self) -> Result<(), TopologyError> {
        self.name_base(images::MOVED).await
    }

    async fn name_base(&self, like: &str) -> Result<(), TopologyError> {
        let [repository, tag, like] = [fixture::REPOSITORY, images::BASE, like].map(str::to_owned);
        let request = registry::Request::Name { repository, tag, like };
        self.registry.ask::<Snapshot>(&request).await.map(|_| ())
    }

    /// What the machine under the user's engine does in a second.
    pub async fn second(&self) -> Result<Second, TopologyError> {
        self.ask_once("second").await
    }

    /// How long a fixed piece of work takes on that machine.
    pub async fn calibrate(&self) -> Result<Duration, TopologyError> {
        self.ask_once("calibrate").await.map(Duration::from_nanos)
    }

    /// The answer of a program beside the registry, whose folder is where the engine keeps its data.
    async fn ask_once<R: DeserializeOwned>(&self, role: &str) -> Result<R, TopologyError> {
        let command = Command::new(agent::command([role, REGISTRY_FOLDER]));
        let output = self.engine.exec_well(self.registry.name(), &command, Patience::CHORE).await?;
        let said = output.text(Source::Stdout);
        serde_json::from_str(&said).map_err(|error| TopologyError::Answer {
            container: self.registry.name().to_owned(),
            reason: format!("`{said}`: {error}"),
        })
    }

    /// Containers that run on the user's engine, and are not this run's.
    pub async fn foreign(&self) -> Result<BTreeSet<String>, EngineError> {
        let running = self.engine.containers(None, false).await?;
        let ours = |labels: &BTreeMap<String, String>| labels.get(RUN_LABEL) == Some(&self.run);
        Ok(running.into_iter().filter(|(_, labels)| !ours(labels)).map(|(name, _)| name).collect())
    }

    /// What the docker command in the image says of its version, asked in a container of it.
    pub async fn docker_command(&self, container: &str) -> Result<String, EngineError> {
        let output = self.engine.exec(container, &Command::new(["docker", "--version"]), Patience::CHORE).await?;
        Ok(output.text(Source::Stdout).trim().to_owned())
    }

    /// The volume in which the registry's socket stands.
    pub fn registry_mount(&self) -> Mount {
        registry_mount(&self.registry_volume)
    }
}

/// The name of an image on every engine of a run.
pub(super) fn reference(run: &str, image: &SystemImage) -> String {
    format!("dindbench/{}:{run}", image.name)
}

/// Loads an image under its name.
pub(super) async fn load(engine: &Engine, run: &str, image: &SystemImage) -> Result<(), TopologyError> {
    let name = reference(run, image);
    let archive = archive(image, &name, &journal::labels(run, &image.name)).await?;
    Ok(engine.load_image(&name, archive).await?)
}

fn inner_images(run: &str, images: &RunImages) -> BTreeMap<EngineVersion, String> {
    let others = images.inner.iter().map(|(version, image)| (*version, reference(run, image)));
    let same = [EngineVersion::Auto, images.outer_version].map(|version| (version, reference(run, &images.outer)));
    others.chain(same).collect()
}

fn registry_mount(volume: &str) -> Mount {
    Mount::Volume { name: volume.to_owned(), target: REGISTRY_FOLDER.to_owned() }
}

/// Where a run's images stand in a registry that others run.
fn upstream(address: &Address, run: &str) -> Result<Upstream, TopologyError> {
    let namespace = namespace(run).trim_end_matches('/').parse()?;
    Ok(Upstream { address: address.clone(), namespace })
}

fn deletes() -> registry::Request {
    let [repository, tag] = [fixture::REPOSITORY, images::SIBLING].map(str::to_owned);
    registry::Request::Deletes { repository, tag }
}

fn registry_spec(
    journal: &Journal,
    image: &str,
    mount: Mount,
    upstream: Option<&Upstream>,
    seed: u64,
) -> ContainerSpec {
    let store = format!("{REGISTRY_FOLDER}/store");
    let words = ["registry".to_owned(), store, REGISTRY_SOCKET.to_owned(), seed.to_string()];
    ContainerSpec {
        name: journal.name("registry"),
        image: image.to_owned(),
        command: agent::command(words.into_iter().chain(upstream.map(Upstream::to_string))),
        labels: journal.labels("registry"),
        mounts: vec![mount],
        // What others run may listen on the host's loopback alone. Nothing listens there for us.
        network: if upstream.is_some() { Network::Host } else { Network::Bridge },
        dead_man: true,
        ..ContainerSpec::default()
    }
}

fn probe_name(run: &str) -> String {
    name(run, "privilege")
}

/// Whether an engine can grant `--privileged`: it is asked to start a container with it.
pub(super) async fn probe_privilege(engine: &Engine, run: &str, image: &str) -> Result<Privilege, TopologyError> {
    let spec = ContainerSpec {
        name: probe_name(run),
        image: image.to_owned(),
        command: vec!["true".to_owned()],
        labels: journal::labels(run, "privilege"),
        powers: Some(Powers::Engine(Privilege::Real)),
        ..ContainerSpec::default()
    };
    engine.create_container(&spec).await?;
    let started = engine.start_container(&spec.name).await;
    engine.remove_container(&spec.name).await?;
    match started {
        Ok(()) => Ok(Privilege::Real),
        Err(error) if error.to_string().contains("operation not permitted") => Ok(Privilege::Explicit),
        Err(error) => Err(error.into()),
    }
}
