//! Executes trials on Docker: each on a fresh reference host.

use std::time::Instant;

use super::executor::{Closed, EngineFacts, Executor, JobSlot, Measured, Opened, Part, Slot};
use crate::agent::Reading;
use crate::case::{Edit, ErrorClass};
use crate::engine::{EngineError, Patience};
use crate::journal::Journal;
use crate::probe::{Delta, Point, rise};
use crate::scenario::{Scenario, Step};
use crate::topology::{Arm, JobContainer, OuterHost, Reference, TopologyError};
use crate::workload::{ContextError, Contexts, Fault, Outcome, Printout, Workplace};

/// Trials on reference hosts.
pub struct DockerExecutor<'a> {
    scenario: &'a Scenario,
    seed: u64,
    journal: &'a mut Journal,
    reference: &'a mut Reference,
    trial: Option<Trial>,
}

/// A trial under way.
struct Trial {
    host: OuterHost,
    arm: Arm,
    contexts: Contexts,
    job: Option<JobContainer>,
    /// Asked once: image and engine build are the same in every job of a trial.
    printout: Option<Printout>,
    engine: EngineFacts,
    began: Reading,
}

impl<'a> DockerExecutor<'a> {
    pub fn new(scenario: &'a Scenario, seed: u64, journal: &'a mut Journal, reference: &'a mut Reference) -> Self {
        Self { scenario, seed, journal, reference, trial: None }
    }
}

impl Executor for DockerExecutor<'_> {
    async fn open(&mut self, slot: &Slot) -> Result<Opened, Fault> {
        let began = Instant::now();
        let mut host = self.reference.host(self.journal).await?;
        let reading = host.read(false).await?;
        let arm = Arm::new(&self.scenario.topologies[slot.topology].kind, &host, self.reference);
        let contexts = Contexts::new(self.seed, &self.scenario.job);
        let engine = EngineFacts::default();
        self.trial = Some(Trial { host, arm, contexts, job: None, printout: None, engine, began: reading });
        Ok(Opened { setup: began.elapsed() })
    }

    async fn part(&mut self, job: JobSlot, part: Part) -> Measured {
        let Some(trial) = &mut self.trial else {
            let outcome = faulty(Fault::failed(ErrorClass::Harness, "no trial is open"));
            return Measured { outcome, delta: Delta::default(), engine: EngineFacts::default() };
        };
        let measured = trial.probed(self.reference, self.scenario, job, part).await;
        let (mut outcome, delta) = match measured {
            Ok(measured) => measured,
            Err(fault) => (faulty(fault), Delta::default()),
        };
        if let Some(fault) = &mut outcome.fault {
            trial.explain(fault).await;
        }
        Measured { outcome, delta, engine: trial.engine.clone() }
    }

    async fn dead(&mut self) -> bool {
        match &self.trial {
            Some(trial) => trial.host.dead().await.is_some(),
            None => true,
        }
    }

    async fn close(&mut self) -> Result<Closed, Fault> {
        let began = Instant::now();
        let Some(mut trial) = self.trial.take() else { return Ok(Closed::default()) };
        let ended = trial.host.read(false).await.unwrap_or_default();
        trial.host.remove().await?;
        Ok(Closed {
            teardown: began.elapsed(),
            psi_cpu_ns: rise(ended.psi_cpu_ns, trial.began.psi_cpu_ns),
            psi_io_ns: rise(ended.psi_io_ns, trial.began.psi_io_ns),
            psi_memory_ns: rise(ended.psi_memory_ns, trial.began.psi_memory_ns),
            steal_ns: rise(ended.steal_ns, trial.began.steal_ns),
        })
    }
}

impl Trial {
    /// One part between two readings. What is neither measured nor part of a CI job stands outside of them.
    async fn probed(
        &mut self,
        reference: &mut Reference,
        scenario: &Scenario,
        job: JobSlot,
        part: Part,
    ) -> Result<(Outcome, Delta), Fault> {
        let before = Point::read(&mut self.host, reference, false).await?;
        let (mut outcome, settle) = match part {
            Part::Start => (self.start(job).await, false),
            Part::Step(index) => (self.step(scenario, index).await, false),
            // What a job wrote is on disk before the next one begins: no job pays for another's writing.
            Part::Stop => (self.stop().await, true),
        };
        let mut delta = Point::read(&mut self.host, reference, settle).await?.since(&before);
        let followed = self.follow(scenario, job, part, &mut delta, &outcome).await;
        outcome.fault = outcome.fault.or(followed.err());
        Ok((outcome, delta))
    }

    async fn start(&mut self, job: JobSlot) -> Outcome {
        self.contexts.edit(job.edit);
        // An engine that does not start must not be described by the one before it.
        self.engine = EngineFacts::default();
        let (mut outcome, began) = (Outcome::begun(), Instant::now());
        match self.arm.start(job.job).await {
            Ok(started) => {
                outcome.elapsed = Some(began.elapsed());
                let phase = |(name, at): (&str, _)| (at, "phase".to_owned(), name.to_owned());
                outcome.events = started.phases.into_iter().map(phase).collect();
                self.job = Some(started.job);
            }
            Err(error) => outcome.fault = Some(error.into()),
        }
        outcome
    }

    async fn step(&mut self, scenario: &Scenario, index: usize) -> Outcome {
        let (Some(job), Some(printout)) = (&self.job, self.printout) else {
            return faulty(Fault::failed(ErrorClass::Harness, "no job is started"));
        };
        let patience = Patience { total: scenario.limits.step_timeout, silence: scenario.limits.stall_timeout };
        let workplace = Workplace { job, engine: self.arm.engine(), builder: scenario.job.builder, printout, patience };
        workplace.step(index, &scenario.job.steps[index]).await
    }

    async fn stop(&mut self) -> Outcome {
        let (mut outcome, began) = (Outcome::begun(), Instant::now());
        match self.arm.stop(self.job.take()).await {
            Ok(()) => outcome.elapsed = Some(began.elapsed()),
            Err(error) => outcome.fault = Some(error.into()),
        }
        outcome
    }

    /// What follows a part, outside the readings.
    async fn follow(
        &mut self,
        scenario: &Scenario,
        job: JobSlot,
        part: Part,
        delta: &mut Delta,
        outcome: &Outcome,
    ) -> Result<(), Fault> {
        if outcome.fault.is_some() && part != Part::Stop {
            return Ok(());
        }
        match part {
            Part::Start => {
                let uploaded = async {
                    match &self.job {
                        Some(container) => self.contexts.upload(container).await.map_err(Fault::from),
                        None => Ok(()),
                    }
                };
                let described = async { Ok(self.arm.engine().describe().await?) };
                let ((), description) = tokio::try_join!(uploaded, described)?;
                self.engine = EngineFacts {
                    backing_fs: description.driver_status("Backing Filesystem").to_owned(),
                    version: description.version,
                    storage_driver: description.storage_driver,
                };
                if let (Some(container), None) = (&self.job, self.printout) {
                    let asked = Printout::ask(container, scenario.job.builder, Patience::CHORE).await?;
                    self.printout = Some(asked);
                }
            }
            Part::Step(index) => {
                if job.edit == Edit::Source && matches!(scenario.job.steps[index], Step::Build(_)) {
                    self.contexts.check_built(self.arm.engine(), index, "dindbench-check").await?;
                }
                if index + 1 == scenario.job.steps.len() {
                    delta.engine_disk_bytes = self.arm.engine().disk_use().await?.total();
                }
            }
            Part::Stop => delta.volumes_leaked = Some(self.leaked().await?),
        }
        Ok(())
    }

    /// Volumes on the outer engine that are not those of an engine which lives on.
    async fn leaked(&self) -> Result<u32, EngineError> {
        let ours = self.arm.volumes();
        let all = self.host.engine.volumes(None).await?;
        let leaked = all.iter().filter(|(name, _)| !ours.contains(name)).count();
        Ok(u32::try_from(leaked).unwrap_or(u32::MAX))
    }

    /// Puts the end of an engine in the place of what its end looked like to a client.
    async fn explain(&self, fault: &mut Fault) {
        let death = match self.host.dead().await {
            Some(death) => Some(death),
            // An outer engine that cannot be asked says nothing of the inner one.
            None => self.arm.dead().await.ok().flatten(),
        };
        if let Some(death) = death {
            *fault = Fault::failed(ErrorClass::EngineDied, death.to_string());
        }
    }
}

fn faulty(fault: Fault) -> Outcome {
    Outcome { fault: Some(fault), ..Outcome::begun() }
}

impl From<TopologyError> for Fault {
    fn from(error: TopologyError) -> Self {
        match error {
            TopologyError::Engine(error) => error.into(),
            late @ TopologyError::NotReady { .. } => Self::failed(ErrorClass::EngineNotReady, late.to_string()),
            TopologyError::Died(death) => Self::failed(ErrorClass::EngineDied, death.to_string()),
            other => Self::failed(ErrorClass::Harness, other.to_string()),
        }
    }
}

impl From<ContextError> for Fault {
    fn from(error: ContextError) -> Self {
        match error {
            ContextError::Engine(error) => error.into(),
            old @ ContextError::OldFile { .. } => Self::invalid(old.to_string()),
            other => Self::failed(ErrorClass::Harness, other.to_string()),
        }
    }
}
