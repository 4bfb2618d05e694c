//! Executes trials on Docker: each on a fresh reference host, or on the user's own engine with content of its own.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::executor::{Closed, EngineFacts, Executor, JobSlot, Measured, Opened, Part, Slot};
use crate::agent::Reading;
use crate::case::{Disturbance, Edit, ErrorClass};
use crate::engine::{Command, EngineError, Patience, Source};
use crate::guard;
use crate::journal::Journal;
use crate::probe::{Delta, Point, rise};
use crate::record::PHASE;
use crate::scenario::{Job, Kind, Scenario, Step, Topology};
use crate::topology::{Arm, Host, JobContainer, OuterHost, TopologyError, TrialKey};
use crate::workload::{BuildCache, ContextError, Contexts, Fault, Outcome, Printout, Workplace};

/// Trials on the hosts that one [`Host`] provides.
pub struct DockerExecutor<'a> {
    scenario: &'a Scenario,
    journal: &'a mut Journal,
    host: &'a mut Host,
    trial: Option<Trial>,
    /// Containers of others that ran when the block began.
    foreign: BTreeSet<String>,
    /// The most that a trial left on its disk so far.
    trial_bytes: u64,
}

/// A trial under way.
struct Trial {
    outer: OuterHost,
    /// One for each of the jobs at once; each is locked by its own job alone.
    workers: Vec<Mutex<Worker>>,
    began: Reading,
}

/// Who does one job after another.
struct Worker {
    outer: OuterHost,
    arm: Arm,
    contexts: Contexts,
    job: Option<JobContainer>,
    kind: Kind,
    /// Asked once: image and engine build are the same in every job of a trial.
    printout: Option<Printout>,
    engine: EngineFacts,
    /// What builds import and jobs export, where the topology has that.
    cache: Option<BuildCache>,
    /// Whether nobody else works on the host meanwhile, so that what its counters rise by is this job's.
    alone: bool,
    /// Whether somebody else works at the same engine meanwhile.
    shared: bool,
}

impl<'a> DockerExecutor<'a> {
    pub fn new(scenario: &'a Scenario, journal: &'a mut Journal, host: &'a mut Host) -> Self {
        Self { scenario, journal, host, trial: None, foreign: BTreeSet::new(), trial_bytes: 0 }
    }
}

impl Executor for DockerExecutor<'_> {
    async fn begin_block(&mut self) -> Result<Duration, Fault> {
        self.foreign = self.host.foreign().await?;
        Ok(self.host.calibrate().await?)
    }

    async fn disturbances(&self) -> Result<BTreeSet<Disturbance>, Fault> {
        let second = self.host.second().await?;
        let foreign = self.host.foreign().await?.difference(&self.foreign).next().is_some();
        Ok(guard::disturbances(&second, foreign, self.trial_bytes))
    }

    async fn open(&mut self, slot: &Slot) -> Result<Opened, Fault> {
        let began = Instant::now();
        let topology = &self.scenario.topologies[slot.topology];
        let key = TrialKey {
            salt: format!("{}/{}/{}", slot.block, topology.name, slot.attempt),
            jobs: self.scenario.sequence.jobs.get(),
        };
        let outer = self.host.open(self.journal, &key).await?;
        match begun(&outer, topology, &self.scenario.job).await {
            Ok((reading, workers)) => self.trial = Some(Trial { outer, workers, began: reading }),
            Err(fault) => {
                // Nobody else knows of it, and the next trial's would be in its way. The fault says more than how this ends.
                let _ = outer.remove().await;
                return Err(fault);
            }
        }
        Ok(Opened { setup: began.elapsed() })
    }

    async fn part(&self, job: JobSlot, part: Part) -> Measured {
        let Some(worker) = self.trial.as_ref().and_then(|trial| trial.workers.get(job.worker as usize)) else {
            let outcome = faulty(Fault::failed(ErrorClass::Harness, "no trial is open"));
            return Measured { outcome, delta: Delta::default(), engine: EngineFacts::default() };
        };
        let mut worker = worker.lock().await;
        let measured = worker.probed(self.host, self.scenario, job, part).await;
        let (mut outcome, delta) = match measured {
            Ok(measured) => measured,
            Err(fault) => (faulty(fault), Delta::default()),
        };
        if let Some(fault) = &mut outcome.fault {
            worker.explain(fault).await;
        }
        Measured { outcome, delta, engine: worker.engine.clone() }
    }

    async fn dead(&self) -> bool {
        match &self.trial {
            Some(trial) => trial.outer.dead().await.is_some(),
            None => true,
        }
    }

    async fn close(&mut self) -> Result<Closed, Fault> {
        let began = Instant::now();
        let Some(trial) = self.trial.take() else { return Ok(Closed::default()) };
        let ended = trial.outer.read(false, None).await.unwrap_or_default();
        self.trial_bytes = self.trial_bytes.max(ended.disk_bytes.unwrap_or(0));
        let unclear_records = trial.outer.remove().await?;
        Ok(Closed {
            unclear_records,
            teardown: began.elapsed(),
            psi_cpu_ns: rise(ended.psi_cpu_ns, trial.began.psi_cpu_ns),
            psi_io_ns: rise(ended.psi_io_ns, trial.began.psi_io_ns),
            psi_memory_ns: rise(ended.psi_memory_ns, trial.began.psi_memory_ns),
            steal_ns: rise(ended.steal_ns, trial.began.steal_ns),
        })
    }
}

/// The counters of a host on which nothing was done yet, and who will work there.
async fn begun(outer: &OuterHost, topology: &Topology, job: &Job) -> Result<(Reading, Vec<Mutex<Worker>>), Fault> {
    let reading = outer.read(false, None).await?;
    let arm = Arm::new(&topology.kind, outer).bounded(topology.bounds);
    arm.prepare(outer).await?;
    Ok((reading, workers(outer, arm, topology, job)?))
}

/// The one worker of a trial, or several that work at once.
fn workers(outer: &OuterHost, arm: Arm, topology: &Topology, job: &Job) -> Result<Vec<Mutex<Worker>>, Fault> {
    let concurrency = topology.concurrency.get();
    if concurrency == 1 {
        return Ok(vec![Mutex::new(Worker::new(outer.clone(), arm, topology, job)?)]);
    }
    let each = (0..concurrency).map(|worker| {
        let outer = outer.for_worker(worker);
        let arm = arm.beside(&outer);
        let shared = topology.shared();
        Ok(Mutex::new(Worker { alone: false, shared, ..Worker::new(outer, arm, topology, job)? }))
    });
    each.collect()
}

impl Worker {
    fn new(outer: OuterHost, arm: Arm, topology: &Topology, job: &Job) -> Result<Self, Fault> {
        let job = Job { driver: topology.kind.driver(job.driver), ..job.clone() };
        let contexts = Contexts::new(outer.seed, &job).on(&outer)?;
        let (engine, cache) = (EngineFacts::default(), topology.kind.cache().map(BuildCache::new));
        let kind = topology.kind.clone();
        Ok(Self { outer, arm, contexts, job: None, kind, printout: None, engine, cache, alone: true, shared: false })
    }

    /// One part between two readings. What is neither measured nor part of a CI job stands outside of them.
    async fn probed(
        &mut self,
        host: &Host,
        scenario: &Scenario,
        job: JobSlot,
        part: Part,
    ) -> Result<(Outcome, Delta), Fault> {
        if part == Part::Start && job.edit == Edit::Base {
            host.move_base().await?;
        }
        let before = self.point(host, false).await?;
        let (mut outcome, settle) = match part {
            Part::Start => (self.start(job).await, false),
            Part::Step(index) => (self.step(scenario, index).await, false),
            // What a job wrote is on disk before the next one begins: no job pays for another's writing.
            Part::Stop => (self.stop(scenario).await, true),
        };
        let after = self.point(host, settle).await?;
        let mut delta = before.zip(after).map(|(before, after)| after.since(&before)).unwrap_or_default();
        let followed = self.follow(host, scenario, job, part, &mut delta, &outcome).await;
        outcome.fault = outcome.fault.or(followed.err());
        Ok((outcome, delta))
    }

    /// Every counter at this moment; empty where nobody can say whose work they count.
    async fn point(&mut self, host: &Host, settle: bool) -> Result<Option<Point>, Fault> {
        if !self.alone {
            return Ok(None);
        }
        let nested = self.arm.disk().await?;
        Ok(Some(Point::read(&self.outer, host, settle, nested).await?))
    }

    async fn start(&mut self, job: JobSlot) -> Outcome {
        self.contexts.edit(job.edit);
        // An engine that does not start must not be described by the one before it.
        self.engine = EngineFacts::default();
        let (mut outcome, began) = (Outcome::begun(), Instant::now());
        match self.arm.start(&self.outer, job.job).await {
            Ok(started) => {
                outcome.elapsed = Some(began.elapsed());
                let phase = |(name, at): (&str, _)| (at, PHASE.to_owned(), name.to_owned());
                outcome.events = started.phases.into_iter().map(phase).collect();
                self.job = Some(started.job);
            }
            Err(error) => outcome.fault = Some(error.into()),
        }
        outcome
    }

    async fn step(&mut self, scenario: &Scenario, index: usize) -> Outcome {
        match self.workplace(scenario) {
            Some(workplace) => workplace.step(index, &scenario.job.steps[index]).await,
            None => faulty(Fault::failed(ErrorClass::Harness, "no job is started")),
        }
    }

    /// Where the steps of the job are executed; nothing where none is started.
    fn workplace<'b>(&'b self, scenario: &Scenario) -> Option<Workplace<'b>> {
        Some(Workplace {
            job: self.job.as_ref()?,
            engine: self.arm.engine(),
            driver: self.kind.driver(scenario.job.driver),
            tool: self.kind.tool(),
            builder: scenario.job.builder,
            printout: self.printout?,
            namespace: self.outer.namespace(),
            worker: self.outer.worker,
            shared: self.shared,
            cache: self.cache.as_ref(),
            patience: Patience { total: scenario.limits.step_timeout, silence: scenario.limits.stall_timeout },
        })
    }

    async fn stop(&mut self, scenario: &Scenario) -> Outcome {
        let (mut outcome, began) = (Outcome::begun(), Instant::now());
        let exported = self.export(scenario).await;
        if self.cache.is_some() {
            outcome.events.push((began.elapsed(), PHASE.to_owned(), "cache-export".to_owned()));
        }
        match self.arm.stop(&self.outer, self.job.take()).await {
            Ok(()) => outcome.elapsed = Some(began.elapsed()),
            Err(error) => outcome.fault = Some(error.into()),
        }
        outcome.fault = exported.err().or(outcome.fault);
        outcome
    }

    /// Leaves the build cache where the next job finds it, if it is to find one.
    async fn export(&mut self, scenario: &Scenario) -> Result<(), Fault> {
        let Some(mut cache) = self.cache.clone() else { return Ok(()) };
        if let Some(workplace) = self.workplace(scenario) {
            workplace.export(&scenario.job, &mut cache).await?;
        }
        self.cache = Some(cache);
        Ok(())
    }

    /// What follows a part, outside the readings.
    async fn follow(
        &mut self,
        host: &Host,
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
                if let (Some(container), None) = (&self.job, self.printout) {
                    self.reach(container).await?;
                    self.printout = Some(match self.kind.tool() {
                        Some(_) => Printout::Classic,
                        None => Printout::ask(container, scenario.job.builder, Patience::CHORE).await?,
                    });
                }
                let uploaded = async {
                    match (&self.job, self.printout) {
                        (Some(container), Some(printout)) => {
                            self.contexts.upload(container, printout).await.map_err(Fault::from)
                        }
                        _ => Ok(()),
                    }
                };
                host.carry_into(self.arm.engine()).await?;
                self.contexts.provide_bases(self.arm.engine()).await?;
                let described = async { Ok(self.arm.describe().await?) };
                let ((), description) = tokio::try_join!(uploaded, described)?;
                let unlike = self.arm.unlike(&description);
                self.engine = EngineFacts {
                    backing_fs: description.driver_status("Backing Filesystem").to_owned(),
                    version: description.version,
                    storage_driver: description.storage_driver,
                };
                unlike.map_or(Ok(()), |how| Err(Fault::invalid(how)))?;
            }
            Part::Step(index) => {
                if matches!(scenario.job.steps[index], Step::Build(_)) {
                    self.contexts.check_built(self.arm.engine(), index, job.edit, &self.outer).await?;
                }
                if index + 1 == scenario.job.steps.len() && self.alone && self.outer.alone() {
                    delta.engine_disk_bytes = self.arm.engine().disk_use().await?.total();
                }
            }
            Part::Stop => delta.volumes_leaked = self.leaked().await?,
        }
        Ok(())
    }

    /// Shows that the socket on the user's machine that jobs get is that of the engine under test: by its address alone nobody
    /// can know it.
    async fn reach(&self, job: &JobContainer) -> Result<(), Fault> {
        if self.outer.alone() || !matches!(self.kind, Kind::Socket | Kind::SocketProxy) {
            return Ok(());
        }
        let ask = Command::new(["docker", "info", "--format", "{{.ID}}"]);
        let found = job.exec(&ask, Patience::CHORE).await?.text(Source::Stdout);
        let (found, meant) = (found.trim(), self.outer.engine.describe().await?.id);
        if found == meant {
            return Ok(());
        }
        let message = format!(
            "the job's socket leads to the engine {found:?}, and the one under test is {meant:?}: --host unix://PATH names an engine by \
             its socket"
        );
        Err(Fault::failed(ErrorClass::Harness, message))
    }

    /// Volumes on the outer engine that are none of those which live on between jobs. On an engine that others use too,
    /// nobody can say whose a volume without a label is.
    async fn leaked(&self) -> Result<Option<u32>, EngineError> {
        if !(self.alone && self.outer.alone()) {
            return Ok(None);
        }
        let ours = self.arm.volumes();
        let all = self.outer.engine.volumes(None).await?;
        let leaked = all.iter().filter(|(name, _)| !ours.contains(name)).count();
        Ok(Some(u32::try_from(leaked).unwrap_or(u32::MAX)))
    }

    /// Puts the end of an engine in the place of what its end looked like to a client.
    async fn explain(&self, fault: &mut Fault) {
        let death = match self.outer.dead().await {
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
