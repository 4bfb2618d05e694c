//! One topology at work on an outer engine: what its jobs start, talk to and leave behind.

use std::time::{Duration, Instant};

use super::dind::{InnerEngine, data_volume};
use super::error::{Death, TopologyError};
use super::proxy::Proxy;
use super::{JobContainer, OuterHost};
use crate::case::Lifecycle;
use crate::engine::{Engine, EngineError};
use crate::scenario::{DataRoot, Dind, Kind};

/// A topology within one trial. It owns the inner engine, where there is one.
pub struct Arm {
    kind: Kind,
    outer: Engine,
    /// Name of the volume that an inner engine's data are on.
    data_volume: String,
    inner: Option<InnerEngine>,
    proxy: Option<Proxy>,
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
            outer: host.engine.clone(),
            data_volume: data_volume(host),
            inner: None,
            proxy: None,
        }
    }

    /// What a CI job waits for before its first command: its engine, where it has one of its own, and its container.
    pub async fn start(&mut self, host: &OuterHost, job: u32) -> Result<Started, TopologyError> {
        let began = Instant::now();
        if self.kind == Kind::Host {
            let job = JobContainer::beside_engine(host, job).await?;
            return Ok(Started { job, phases: vec![("folder", began.elapsed())] });
        }
        let mut phases = Vec::new();
        if self.provide_engine(host).await? {
            phases.push(("engine", began.elapsed()));
        }
        if self.provide_proxy(host).await? {
            phases.push(("proxy", began.elapsed()));
        }
        let socket = match (&self.inner, &self.proxy) {
            (Some(inner), _) => inner.socket_mount(),
            (None, Some(proxy)) => proxy.socket_mount(),
            (None, None) => host.socket.clone(),
        };
        let container = JobContainer::start(host, job, socket).await?;
        phases.push(("job-container", began.elapsed()));
        Ok(Started { job: container, phases })
    }

    /// Starts the job's own engine, where it has one that does not run; tells whether it did.
    async fn provide_engine(&mut self, host: &OuterHost) -> Result<bool, TopologyError> {
        let Kind::Dind(dind) = &self.kind else { return Ok(false) };
        match &mut self.inner {
            Some(inner) if inner.stopped() => inner.resume().await?,
            Some(_) => return Ok(false),
            None => self.inner = Some(InnerEngine::start(host, dind).await?),
        }
        Ok(true)
    }

    /// Starts the proxy before the engine, where there is one that does not run; tells whether it did. It is the host's and
    /// outlives jobs.
    async fn provide_proxy(&mut self, host: &OuterHost) -> Result<bool, TopologyError> {
        if self.kind != Kind::SocketProxy || self.proxy.is_some() {
            return Ok(false);
        }
        self.proxy = Some(Proxy::start(host).await?);
        Ok(true)
    }

    /// The engine that the job talks to.
    pub fn engine(&self) -> &Engine {
        self.inner.as_ref().map_or(&self.outer, |inner| &inner.engine)
    }

    /// The end of the job's own engine, or of the proxy, where it has one that has ended and not as it was asked to.
    pub async fn dead(&self) -> Result<Option<Death>, EngineError> {
        match (&self.inner, &self.proxy) {
            (Some(inner), _) => inner.dead().await,
            (None, Some(proxy)) => proxy.dead().await,
            (None, None) => Ok(None),
        }
    }

    /// The end of a job: its container or its folder goes, and with it what the lifecycle throws away.
    /// A job that never started has none.
    pub async fn stop(&mut self, job: Option<JobContainer>) -> Result<(), TopologyError> {
        if let Some(job) = job {
            job.remove().await?;
        }
        let Kind::Dind(dind) = &self.kind else { return Ok(()) };
        match dind.lifecycle {
            Lifecycle::Recreate => self.remove_engine(dind.data_root).await,
            Lifecycle::Restart => match &mut self.inner {
                Some(inner) => inner.stop().await,
                None => Ok(()),
            },
            Lifecycle::Keep => Ok(()),
        }
    }

    /// Data that are kept are put down in good order first; an engine that cannot do that goes all the same.
    async fn remove_engine(&mut self, data_root: DataRoot) -> Result<(), TopologyError> {
        let Some(mut inner) = self.inner.take() else { return Ok(()) };
        let stopped = match data_root {
            DataRoot::Fresh | DataRoot::Tmpfs => Ok(()),
            DataRoot::Kept => inner.stop().await,
        };
        inner.remove(data_root).await?;
        stopped
    }

    /// Volumes that live on between jobs: those of an engine or a proxy that does, and kept data.
    pub fn volumes(&self) -> Vec<String> {
        if let Some(proxy) = &self.proxy {
            return vec![proxy.volume().to_owned()];
        }
        match (&self.inner, &self.kind) {
            (Some(inner), _) => inner.volumes().to_vec(),
            (None, Kind::Dind(Dind { data_root: DataRoot::Kept, .. })) => vec![self.data_volume.clone()],
            (None, _) => Vec::new(),
        }
    }
}
