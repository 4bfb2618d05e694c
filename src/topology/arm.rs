//! One topology at work on an outer engine: what its jobs start, talk to and leave behind.

use std::time::{Duration, Instant};

use super::dind::InnerEngine;
use super::error::{Death, TopologyError};
use super::{JobContainer, OuterHost, Reference, socket};
use crate::case::Lifecycle;
use crate::engine::{Engine, EngineError, Privilege};
use crate::scenario::Kind;

/// A topology within one trial. It owns the inner engine, where there is one.
pub struct Arm {
    kind: Kind,
    outer: Engine,
    run: String,
    /// Of job containers.
    image: String,
    /// Of the inner engine.
    inner_image: String,
    privilege: Privilege,
    inner: Option<InnerEngine>,
}

/// A started job: its container, and the parts of its start that took time.
pub struct Started {
    pub job: JobContainer,
    pub phases: Vec<(&'static str, Duration)>,
}

impl Arm {
    pub fn new(kind: &Kind, host: &OuterHost, reference: &Reference) -> Self {
        Self {
            kind: kind.clone(),
            outer: host.engine.clone(),
            run: reference.run().to_owned(),
            image: reference.image().to_owned(),
            inner_image: reference.inner_image(kind.engine()).to_owned(),
            privilege: reference.inner_privilege(),
            inner: None,
        }
    }

    /// What a CI job waits for before its first command: its engine, where it has one of its own, and its container.
    pub async fn start(&mut self, job: u32) -> Result<Started, TopologyError> {
        let began = Instant::now();
        let mut phases = Vec::new();
        if let Kind::Dind(dind) = &self.kind
            && self.inner.is_none()
        {
            self.inner =
                Some(InnerEngine::start(&self.outer, &self.run, &self.inner_image, self.privilege, dind).await?);
            phases.push(("engine", began.elapsed()));
        }
        let mount = self.inner.as_ref().map_or_else(socket::mount, InnerEngine::socket_mount);
        let container = JobContainer::start(&self.outer, &self.run, &self.image, job, mount).await?;
        phases.push(("job-container", began.elapsed()));
        Ok(Started { job: container, phases })
    }

    /// The engine that the job talks to.
    pub fn engine(&self) -> &Engine {
        self.inner.as_ref().map_or(&self.outer, |inner| &inner.engine)
    }

    /// The end of the job's own engine, where it has one and it has ended.
    pub async fn dead(&self) -> Result<Option<Death>, EngineError> {
        match &self.inner {
            Some(inner) => inner.dead().await,
            None => Ok(None),
        }
    }

    /// The end of a job: its container goes, and with it what the lifecycle throws away.
    /// A job whose container never started has none.
    pub async fn stop(&mut self, job: Option<JobContainer>) -> Result<(), EngineError> {
        if let Some(job) = job {
            job.remove().await?;
        }
        if self.kind.lifecycle() == Some(Lifecycle::Recreate) {
            self.remove_engine().await?;
        }
        Ok(())
    }

    /// Volumes of the engine that lives on between jobs.
    pub fn volumes(&self) -> Vec<String> {
        self.inner.as_ref().map_or_else(Vec::new, |inner| inner.volumes().to_vec())
    }

    async fn remove_engine(&mut self) -> Result<(), EngineError> {
        match self.inner.take() {
            Some(inner) => inner.remove().await,
            None => Ok(()),
        }
    }
}
