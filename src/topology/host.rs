//! Where the trials of a run happen: on reference hosts, or on the user's own engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::{Death, TopologyError};
use super::job::docker_host;
use super::local::Local;
use super::reference::Reference;
use super::site::Site;
use super::{Held, Watch, name};
use crate::agent::{Machine, NestedDisk, Reading, Reply, Request, Second};
use crate::cleanup;
use crate::engine::{Command, Description, Engine, EngineError, Mount, Output, Patience, Privilege};
use crate::image::{Carried, RunImages};
use crate::journal::{self, CacheNote, Journal};
use crate::registry::{Address, Snapshot, Upstream};
use crate::scenario::{EngineVersion, StorageDriver};

/// How long the last writes to a file system may take after its engine has gone, and how often it is looked after.
const RELEASE_DEADLINE: Duration = Duration::from_secs(60);
const RELEASE_PAUSE: Duration = Duration::from_millis(5);

/// The outer engine that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// One that dindbench starts itself, for each trial anew.
    Reference { storage_driver: StorageDriver },
    /// The user's own. `socket` is its socket's path on its own machine, `buildkit_builds` how many builds of a trial may
    /// use BuildKit's cache there.
    Local { socket: String, buildkit_builds: u32 },
}

/// Everything that the trials of a run share on the user's engine.
pub struct Host {
    kind: Kind,
    pub learnt: Learnt,
    /// Images of the user's engine that every engine under test is given.
    carried: Vec<Carried>,
}

/// What is learnt once, while the host is prepared.
pub struct Learnt {
    /// The machine under the user's engine.
    pub machine: Machine,
    /// The outer engine's own account of itself.
    pub outer: Description,
    /// What the docker command of every job says of its version.
    pub docker_command: String,
    /// How the outer engine grants an inner engine's container what it needs.
    pub inner_privilege: Privilege,
    /// Version of the BuildKit within the outer engine, or why it is not known.
    pub buildkit: Result<String, String>,
}

enum Kind {
    Reference(Reference),
    Local(Local),
}

/// What tells a trial from the others of its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialKey {
    /// A text that no other trial of the run has.
    pub salt: String,
    /// Jobs that it will start.
    pub jobs: u32,
}

/// The outer engine of one trial, as one of its workers sees it.
#[derive(Clone)]
pub struct OuterHost {
    pub(super) held: Arc<Held>,
    pub engine: Engine,
    pub(super) run: String,
    /// Of job containers.
    pub(super) image: String,
    /// Of inner engines, by the version asked for.
    pub(super) inner_images: BTreeMap<EngineVersion, String>,
    /// Of what filters a socket, where a topology has that.
    pub(super) proxy_image: Option<String>,
    /// Of job containers without an engine, where a topology has those.
    pub(super) podman_image: Option<String>,
    /// How this engine grants an engine's container what it needs.
    pub(super) privilege: Privilege,
    /// What brings this engine's socket into a job container.
    pub(super) socket: Mount,
    /// What brings the registry's socket into an inner engine's container.
    pub(super) registry: Mount,
    /// Whether the engine outlives the trial, and must be left as it was.
    pub(super) lasting: bool,
    /// BuildKit's records that were on a lasting engine before the run, where it may build with BuildKit.
    pub(super) cache: Option<CacheNote>,
    /// Seed of the trial's fixtures, and of the worker's contexts.
    pub seed: u64,
    /// Which of several jobs at once, where there are several.
    pub worker: Option<u32>,
}

impl Host {
    /// Prepares on the user's engine what the trials need; without a registry that others run, also one of our own.
    pub async fn prepare(
        place: &Place,
        engine: &Engine,
        journal: &mut Journal,
        images: &RunImages,
        registry: Option<&Address>,
        seed: u64,
    ) -> Result<Self, TopologyError> {
        let site = Site::prepare(engine, journal, images, registry, seed).await?;
        let carried = images.carried.clone();
        match place {
            Place::Reference { storage_driver } => {
                let (reference, learnt) = Reference::prepare(site, journal, images, *storage_driver, seed).await?;
                Ok(Self { kind: Kind::Reference(reference), learnt, carried })
            }
            Place::Local { socket, buildkit_builds } => {
                let (local, learnt) = Local::prepare(site, journal, images, socket, *buildkit_builds, seed).await?;
                Ok(Self { kind: Kind::Local(local), learnt, carried })
            }
        }
    }

    /// Provides the outer engine of a trial, and returns when it answers.
    pub async fn open(&mut self, journal: &mut Journal, trial: &TrialKey) -> Result<OuterHost, TopologyError> {
        match &mut self.kind {
            Kind::Reference(reference) => reference.open(journal).await,
            Kind::Local(local) => local.open(journal, trial).await,
        }
    }

    /// What the registry has served so far.
    pub async fn served(&self) -> Result<Snapshot, TopologyError> {
        self.site().served().await
    }

    /// Gives an engine the carried images that it has not.
    pub async fn carry_into(&self, engine: &Engine) -> Result<(), EngineError> {
        for image in &self.carried {
            image.give(engine).await?;
        }
        Ok(())
    }

    /// Makes the edit `base`: from now on the registry serves another image under the name of the base.
    pub async fn move_base(&self) -> Result<(), TopologyError> {
        self.site().move_base().await
    }

    /// What the machine under the user's engine does in a second in which dindbench does nothing.
    pub async fn second(&self) -> Result<Second, TopologyError> {
        self.site().second().await
    }

    /// How long a fixed piece of work takes on that machine, of the processor and of the disk.
    pub async fn calibrate(&self) -> Result<Duration, TopologyError> {
        self.site().calibrate().await
    }

    /// Containers that run on the user's engine, and are not this run's.
    pub async fn foreign(&self) -> Result<BTreeSet<String>, EngineError> {
        self.site().foreign().await
    }

    /// Takes back what was put into a registry that others run.
    pub async fn withdraw(&self) -> Result<(), TopologyError> {
        self.site().withdraw().await
    }

    /// What of this run stays in a registry that others run; empty where nothing does.
    pub fn lasting(&self) -> Option<&Upstream> {
        self.site().lasting()
    }

    fn site(&self) -> &Site {
        match &self.kind {
            Kind::Reference(reference) => &reference.site,
            Kind::Local(local) => &local.site,
        }
    }

    /// The image that outer engines and job containers are made from, under the same name on every engine.
    pub fn image(&self) -> &str {
        &self.site().image
    }

    /// Begins to watch the user's engine and its machine.
    pub async fn watch(&self, journal: &mut Journal) -> Result<Watch, TopologyError> {
        Watch::start(&self.site().engine, journal, self.image(), self.privilege()).await
    }

    /// How the user's engine grants an engine's container what it needs.
    pub fn privilege(&self) -> Privilege {
        self.site().privilege
    }
}

impl OuterHost {
    /// The same engine for one of several jobs at once: with names and content of its own, so that only what the engine
    /// shares is shared.
    pub fn for_worker(&self, worker: u32) -> Self {
        Self { worker: Some(worker), seed: self.seed.wrapping_add(u64::from(worker)), ..self.clone() }
    }

    /// Every counter of the host, the outer engine and all that it runs included.
    /// `nested` is an inner engine's file system in a file.
    pub async fn read(&self, settle: bool, nested: Option<NestedDisk>) -> Result<Reading, TopologyError> {
        match self.held.ask(&Request::Probe { settle, nested }).await? {
            Reply::Reading(reading) => Ok(*reading),
            other => Err(self.unasked(&other)),
        }
    }

    /// Returns when no loop device has a file of this name any more, so that nothing of it is written later.
    pub(super) async fn released(&self, name: &str) -> Result<(), TopologyError> {
        let deadline = Instant::now() + RELEASE_DEADLINE;
        loop {
            match self.held.ask(&Request::Attached { name: name.to_owned() }).await? {
                Reply::Attached(false) => return Ok(()),
                Reply::Attached(true) if Instant::now() < deadline => tokio::time::sleep(RELEASE_PAUSE).await,
                Reply::Attached(true) => return Err(TopologyError::Attached { file: name.to_owned() }),
                other => return Err(self.unasked(&other)),
            }
        }
    }

    pub(super) async fn machine(&self) -> Result<Machine, TopologyError> {
        match self.held.ask(&Request::Machine).await? {
            Reply::Machine(machine) => Ok(*machine),
            other => Err(self.unasked(&other)),
        }
    }

    fn unasked(&self, reply: &Reply) -> TopologyError {
        TopologyError::Answer { container: self.held.name().to_owned(), reason: format!("{reply:?} was not asked for") }
    }

    pub fn container(&self) -> &str {
        self.held.name()
    }

    /// Executes a command where the outer engine is, with its socket.
    pub async fn exec(&self, command: &Command, patience: Patience) -> Result<Output, EngineError> {
        let mut command = command.clone();
        command.environment.push(docker_host());
        self.held.engine().exec(self.container(), &command, patience).await
    }

    /// The image of an inner engine of this version.
    pub(super) fn inner_image(&self, version: EngineVersion) -> &str {
        self.inner_images.get(&version).expect("a run provides an image of every version that its scenario names")
    }

    pub(super) fn proxy_image(&self) -> &str {
        self.proxy_image.as_deref().expect("a run provides the image where its scenario has a proxy")
    }

    pub(super) fn podman_image(&self) -> &str {
        self.podman_image.as_deref().expect("a run provides the image where its scenario has no engine in a topology")
    }

    /// The end of the container that holds the host, where it has ended.
    pub async fn dead(&self) -> Option<Death> {
        self.held.dead().await
    }

    /// The name of an object that a trial makes on this engine.
    pub fn name(&self, suffix: &str) -> String {
        match self.worker {
            Some(worker) => name(&self.run, &format!("worker-{worker}-{suffix}")),
            None => name(&self.run, suffix),
        }
    }

    /// The labels of an object that a trial makes on this engine.
    pub fn labels(&self, role: &str) -> BTreeMap<String, String> {
        journal::labels(&self.run, role)
    }

    /// What stands before the tags that steps give, so that no image of the user's can have such a name; empty on an
    /// engine that is thrown away with the one job at a time that it has.
    pub fn namespace(&self) -> String {
        let run = if self.lasting { namespace(&self.run) } else { String::new() };
        let worker = self.worker.map(|worker| format!("worker-{worker}/"));
        run + &worker.unwrap_or_default()
    }

    /// Whether volumes and other traces that carry no label of ours can only be this trial's.
    pub fn alone(&self) -> bool {
        !self.lasting
    }

    /// Ends the trial's host. One that dindbench started is thrown away with its disk; the user's loses what the trial made.
    /// Returns how many records of the build cache are left there because another build may have made them.
    pub async fn remove(self) -> Result<usize, EngineError> {
        let undone = if self.lasting { self.undo().await } else { Ok(0) };
        self.held.remove().await?;
        undone
    }

    async fn undo(&self) -> Result<usize, EngineError> {
        let undone = cleanup::undo_trial(&self.engine, &self.run, &namespace(&self.run)).await;
        // Records have no label by which they could be found later.
        let left = match &self.cache {
            Some(note) => cleanup::undo_cache(&self.engine, note, &super::traces()).await,
            None => Ok(0),
        };
        undone.and(left)
    }
}

/// A repository prefix of a run's own. Repositories have small letters only.
pub(super) fn namespace(run: &str) -> String {
    let unique = run.rsplit('-').next().unwrap_or(run).to_lowercase();
    format!("dindbench-{unique}/")
}
