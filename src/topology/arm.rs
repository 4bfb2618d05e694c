//! One topology at work on an outer engine: what its jobs start, talk to and leave behind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

use super::companion::Companion;
use super::daemonless::{self, Service};
use super::dind::{InnerEngine, data_volume, other_driver};
use super::error::{Death, TopologyError};
use super::job::Access;
use super::{JobContainer, OuterHost, SOCKET_FOLDER, mirror, preload, proxy};
use crate::agent::NestedDisk;
use crate::case::Lifecycle;
use crate::engine::{Description, Engine, EngineError};
use crate::fixture;
use crate::scenario::{Bounds, Daemonless, DataRoot, Dind, Kind};

/// A topology within one trial. It owns the inner engine, where there is one.
pub struct Arm {
    kind: Kind,
    bounds: Bounds,
    outer: Engine,
    /// Name of the volume that an inner engine's data are on, or what a job without an engine keeps.
    data_volume: String,
    inner: Option<InnerEngine>,
    /// What stands in for an engine while a job without one runs.
    service: Option<Service>,
    /// A proxy before the outer engine's socket, or a mirror before the registry, where the topology has one: jobs at once
    /// have the same.
    companion: Arc<OnceCell<Companion>>,
}

/// A started job: where its steps are executed, and the parts of its start that took time.
pub struct Started {
    pub job: JobContainer,
    pub phases: Vec<(&'static str, Duration)>,
}

impl Arm {
    pub fn new(kind: &Kind, host: &OuterHost) -> Self {
        Self {
            kind: kind.clone(),
            bounds: Bounds::default(),
            outer: host.engine.clone(),
            data_volume: data_volume(host),
            inner: None,
            service: None,
            companion: Arc::default(),
        }
    }

    /// Bounds the job's container, and its engine's.
    pub fn bounded(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// The same topology for another of several jobs at once, with an inner engine of its own where there is one.
    pub fn beside(&self, host: &OuterHost) -> Self {
        Self {
            kind: self.kind.clone(),
            bounds: self.bounds,
            outer: self.outer.clone(),
            data_volume: data_volume(host),
            inner: None,
            service: None,
            companion: Arc::clone(&self.companion),
        }
    }

    /// Gives the outer engine the images that it is said to have when a trial begins.
    pub async fn prepare(&self, host: &OuterHost) -> Result<(), EngineError> {
        preload::provide(host, &self.preloaded()).await
    }

    /// Images that an inner engine has when a job begins.
    fn preloaded(&self) -> Vec<String> {
        match &self.kind {
            Kind::Dind(dind) => dind.preload.iter().map(|image| fixture::image_name(image)).collect(),
            Kind::Socket | Kind::SocketProxy | Kind::Host | Kind::Daemonless(_) => Vec::new(),
        }
    }

    /// What a CI job waits for before its first command: its engine, where it has one of its own, and its container.
    ///
    /// # Errors
    /// Also where what the job before it was to leave is not gone: this one would find it.
    pub async fn start(&mut self, host: &OuterHost, job: u32) -> Result<Started, TopologyError> {
        if !self.ended() {
            return Err(TopologyError::StillThere);
        }
        let began = Instant::now();
        if self.kind == Kind::Host {
            let job = JobContainer::beside_engine(host, job).await?;
            return Ok(Started { job, phases: vec![("folder", began.elapsed())] });
        }
        if let Kind::Daemonless(daemonless) = &self.kind {
            let (job, service) = daemonless::start(host, job, daemonless, &self.data_volume, self.bounds).await?;
            self.service = Some(service);
            return Ok(Started { job, phases: vec![("job-container", began.elapsed())] });
        }
        let mut phases = Vec::new();
        if let Some(phase) = self.provide_companion(host).await? {
            phases.push((phase, began.elapsed()));
        }
        if let Some(inner) = self.sleeping_engine(host).await? {
            inner.start().await?;
            phases.push(("engine-container", began.elapsed()));
            inner.ready().await?;
            phases.push(("engine", began.elapsed()));
        }
        if self.preload(host).await? {
            phases.push(("preload", began.elapsed()));
        }
        let access = match (&self.inner, self.companion.get()) {
            (Some(inner), _) => inner.access(),
            (None, Some(proxy)) => Access::socket(proxy.mount(SOCKET_FOLDER)),
            (None, None) => Access::socket(host.socket.clone()),
        };
        let container = JobContainer::start(host, job, access, self.bounds).await?;
        phases.push(("job-container", began.elapsed()));
        Ok(Started { job: container, phases })
    }

    /// The job's own engine, where it has one that does not run: created now, or stopped after the job before.
    async fn sleeping_engine(&mut self, host: &OuterHost) -> Result<Option<&mut InnerEngine>, TopologyError> {
        let Kind::Dind(dind) = &self.kind else { return Ok(None) };
        // Kept also where it does not start: what the lifecycle throws away goes all the same.
        if self.inner.is_none() {
            let registry = self.companion.get().map_or_else(|| host.registry.clone(), mirror::mount);
            self.inner = Some(InnerEngine::create(host, dind, registry, self.bounds).await?);
        }
        Ok(self.inner.as_mut().filter(|inner| inner.stopped()))
    }

    /// Gives the job's own engine the images that it is to have; tells whether it is to have some.
    async fn preload(&self, host: &OuterHost) -> Result<bool, TopologyError> {
        match (&self.inner, self.preloaded()) {
            (Some(inner), images) if !images.is_empty() => {
                preload::load(host, &images, inner.socket()).await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Starts what stands beside engines, where there is such a thing that does not run; tells what it is. It is the host's
    /// and outlives jobs.
    async fn provide_companion(&self, host: &OuterHost) -> Result<Option<&'static str>, TopologyError> {
        if self.companion.initialized() {
            return Ok(None);
        }
        let phase = match &self.kind {
            Kind::SocketProxy => {
                self.companion.get_or_try_init(|| proxy::start(host)).await?;
                "proxy"
            }
            Kind::Dind(Dind { mirror: true, .. }) => {
                self.companion.get_or_try_init(|| mirror::start(host)).await?;
                "mirror"
            }
            Kind::Dind(_) | Kind::Socket | Kind::Host | Kind::Daemonless(_) => return Ok(None),
        };
        Ok(Some(phase))
    }

    /// The engine that the job talks to, or what stands in for one.
    pub fn engine(&self) -> &Engine {
        match (&self.inner, &self.service) {
            (Some(inner), _) => &inner.engine,
            (None, Some(service)) => &service.engine,
            (None, None) => &self.outer,
        }
    }

    /// What does the work of the job's steps, in its own words.
    pub async fn describe(&self) -> Result<Description, EngineError> {
        match (&self.kind, &self.service) {
            (Kind::Daemonless(daemonless), Some(service)) => service.describe(daemonless.tool).await,
            _ => self.engine().describe().await,
        }
    }

    /// In what the job's engine is another than was asked for.
    pub fn unlike(&self, found: &Description) -> Option<String> {
        match &self.kind {
            Kind::Dind(dind) => other_driver(dind.storage_driver, found),
            Kind::Daemonless(daemonless) => daemonless::other_driver(daemonless, found),
            Kind::Socket | Kind::SocketProxy | Kind::Host => None,
        }
    }

    /// The end of the job's own engine, of what stands in for it or beside it, where it has one that has ended and not as it was asked to.
    pub async fn dead(&self) -> Result<Option<Death>, EngineError> {
        if let Some(inner) = &self.inner
            && let Some(death) = inner.dead().await?
        {
            return Ok(Some(death));
        }
        match (&self.service, self.companion.get()) {
            (Some(service), _) => service.dead().await,
            (None, Some(companion)) => companion.dead().await,
            (None, None) => Ok(None),
        }
    }

    /// The end of a job: its container or its folder goes, and with it what the lifecycle throws away.
    /// A job that never started has none.
    pub async fn stop(&mut self, host: &OuterHost, job: Option<JobContainer>) -> Result<(), TopologyError> {
        let removed = match job {
            Some(job) => job.remove().await,
            None => Ok(()),
        };
        let thrown_away = self.throw_away(host).await;
        removed?;
        thrown_away
    }

    async fn throw_away(&mut self, host: &OuterHost) -> Result<(), TopologyError> {
        let dind = match &self.kind {
            Kind::Dind(dind) => dind,
            Kind::Daemonless(Daemonless { data_root, .. }) => {
                if *data_root == DataRoot::Fresh {
                    self.outer.remove_volume(&self.data_volume).await?;
                }
                self.service = None;
                return Ok(());
            }
            Kind::Socket | Kind::SocketProxy | Kind::Host => return Ok(()),
        };
        match dind.lifecycle {
            Lifecycle::Recreate => self.remove_engine(host, dind.data_root).await,
            Lifecycle::Restart => match &mut self.inner {
                Some(inner) if !inner.stopped() => inner.stop(host).await,
                _ => Ok(()),
            },
            Lifecycle::Keep => Ok(()),
        }
    }

    /// Data that are kept are put down in good order first; an engine that cannot do that goes all the same. It is this arm's
    /// until all of it has gone.
    async fn remove_engine(&mut self, host: &OuterHost, data_root: DataRoot) -> Result<(), TopologyError> {
        let Some(inner) = &mut self.inner else { return Ok(()) };
        let stopped = if data_root == DataRoot::Kept && !inner.stopped() { inner.stop(host).await } else { Ok(()) };
        inner.remove(host, data_root).await?;
        self.inner = None;
        stopped
    }

    /// Whether what the lifecycle throws away after a job has gone.
    fn ended(&self) -> bool {
        match &self.kind {
            Kind::Dind(dind) => match dind.lifecycle {
                Lifecycle::Recreate => self.inner.is_none(),
                Lifecycle::Restart => self.inner.as_ref().is_none_or(InnerEngine::stopped),
                Lifecycle::Keep => true,
            },
            Kind::Daemonless(_) => self.service.is_none(),
            Kind::Socket | Kind::SocketProxy | Kind::Host => true,
        }
    }

    /// A file system of the inner engine's own, where it has one.
    pub async fn disk(&mut self) -> Result<Option<NestedDisk>, EngineError> {
        match &mut self.inner {
            Some(inner) => inner.disk().await,
            None => Ok(None),
        }
    }

    /// Volumes that live on between jobs: those of an engine or a companion that does, and kept data.
    pub fn volumes(&self) -> Vec<String> {
        let mut volumes = match (&self.inner, &self.kind) {
            (Some(inner), _) => inner.volumes(),
            (
                None,
                Kind::Dind(Dind { data_root: DataRoot::Kept, .. })
                | Kind::Daemonless(Daemonless { data_root: DataRoot::Kept, .. }),
            ) => vec![self.data_volume.clone()],
            (None, _) => Vec::new(),
        };
        volumes.extend(self.companion.get().map(|companion| companion.volume().to_owned()));
        volumes
    }
}
