//! Runs a plan, trial after trial, and appends what was measured. Knows nothing of Docker: that is the executor's.

mod docker;
mod executor;
mod ledger;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::Instant;

pub use docker::DockerExecutor;
pub use executor::{Closed, EngineFacts, Executor, JobSlot, Measured, Opened, Part, Slot};
pub use ledger::Ledger;

use crate::case::{Disturbance, Edit, ErrorClass, Status};
use crate::plan::{Block, Plan};
use crate::record::WriteError;
use crate::scenario::{Build, Expected, Scenario, Step};
use crate::workload::Fault;

/// What disturbs the machine still when a trial begins, and how long it was looked at and waited for.
struct Guarded {
    disturbances: BTreeSet<Disturbance>,
    waited: Duration,
}

/// How a run ended. Everything that was measured is in its files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub trials: u32,
    /// Trials in which something failed or was invalid.
    pub spoiled: u32,
    pub interrupted: bool,
    /// Planned blocks that the time limit left no time for.
    pub left_out: u32,
    /// Planned blocks that were not needed, for enough was known without them.
    pub unneeded: u32,
    /// Records of the build cache left on the user's own engine, because another build may have made them.
    pub unclear_records: usize,
}

/// What an observer is told while a run goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The machine is not quiet, and a trial waits for it.
    Waits {
        disturbances: BTreeSet<Disturbance>,
    },
    TrialBegins {
        block: u32,
        topology: String,
    },
    PartEnds {
        topology: String,
        job: u32,
        step: String,
        elapsed: Option<Duration>,
    },
    Spoiled {
        block: u32,
        topology: String,
        job: Option<u32>,
        step: String,
        message: String,
    },
    TrialEnds,
}

/// A run in progress.
pub struct Runner<'a, E> {
    scenario: &'a Scenario,
    executor: &'a mut E,
    /// Jobs at once write their rows by turns.
    ledger: RefCell<Ledger<'a>>,
    interrupt: watch::Receiver<bool>,
    observe: RefCell<Box<dyn FnMut(Event) + 'a>>,
    time_limit: Option<Duration>,
    /// How long a trial waits for a quiet machine; without it nobody looks.
    patience: Option<Duration>,
    enough: Box<dyn FnMut(u32) -> bool + 'a>,
    unclear_records: usize,
}

impl<'a, E: Executor> Runner<'a, E> {
    /// `interrupt` turning true ends the run after an orderly tear-down.
    pub fn new(
        scenario: &'a Scenario,
        executor: &'a mut E,
        ledger: Ledger<'a>,
        interrupt: watch::Receiver<bool>,
        observe: impl FnMut(Event) + 'a,
    ) -> Self {
        Self {
            scenario,
            executor,
            ledger: RefCell::new(ledger),
            interrupt,
            observe: RefCell::new(Box::new(observe)),
            time_limit: None,
            patience: None,
            enough: Box::new(|_| false),
            unclear_records: 0,
        }
    }

    /// Begins no block that would end later than this after the beginning of the first, by the longest one so far.
    pub fn within(self, time_limit: Option<Duration>) -> Self {
        Self { time_limit, ..self }
    }

    /// Looks before each trial whether the machine is quiet, waits for that no longer than this, and flags the trial that
    /// begins all the same. Each block begins with a fixed piece of work, whose time tells how the machine changes.
    pub fn guarded(self, patience: Duration) -> Self {
        Self { patience: Some(patience), ..self }
    }

    /// Begins no block after this says that enough is known. It is asked after each measured block, with their number.
    pub fn until(self, enough: impl FnMut(u32) -> bool + 'a) -> Self {
        Self { enough: Box::new(enough), ..self }
    }

    /// Runs every trial of the plan in its order. Only a file that cannot be written ends it early.
    pub async fn run(mut self, plan: &Plan) -> Result<Tally, WriteError> {
        let mut tally = Tally::default();
        let (began, mut longest) = (Instant::now(), Duration::ZERO);
        for (done, block) in plan.blocks.iter().enumerate() {
            if self.time_limit.is_some_and(|limit| began.elapsed() + longest > limit) {
                tally.left_out = u32::try_from(plan.blocks.len() - done).unwrap_or(u32::MAX);
                break;
            }
            let block_began = Instant::now();
            let calibration = self.begin_block(block).await;
            self.ledger.get_mut().begin_block(calibration);
            let slots: Vec<Slot> =
                (0..).zip(&block.order).map(|(place, topology)| slot(block, place, *topology)).collect();
            let invalid = self.attempts(slots, &mut tally).await?;
            // Once, and at the end of the block: the others keep their order, and what spoils every trial ends.
            let again = invalid.into_iter().map(|slot| Slot { attempt: slot.attempt + 1, ..slot }).collect();
            self.attempts(again, &mut tally).await?;
            if self.interrupted() {
                break;
            }
            longest = longest.max(block_began.elapsed());
            if !block.warmup() && (self.enough)(block.index) {
                tally.unneeded = u32::try_from(plan.blocks.len() - done - 1).unwrap_or(u32::MAX);
                break;
            }
        }
        Ok(Tally { interrupted: self.interrupted(), unclear_records: self.unclear_records, ..tally })
    }

    /// How long the fixed piece of work takes; empty where the run has no guard, and where it could not be done.
    async fn begin_block(&mut self, block: &Block) -> Option<Duration> {
        self.patience?;
        match unless_interrupted(&self.interrupt, self.executor.begin_block()).await? {
            Ok(took) => Some(took),
            Err(fault) => {
                let (topology, step) = (self.scenario.baseline.clone(), "calibration".to_owned());
                self.told(Event::Spoiled { block: block.index, topology, job: None, step, message: fault.message });
                None
            }
        }
    }

    /// Waits for a quiet machine as long as is allowed; empty where nobody looked, and where that failed.
    async fn guard(&self, slot: &Slot) -> Option<Guarded> {
        let (patience, began) = (self.patience?, Instant::now());
        loop {
            match unless_interrupted(&self.interrupt, self.executor.disturbances()).await? {
                Ok(disturbances) if disturbances.is_empty() || began.elapsed() >= patience => {
                    return Some(Guarded { disturbances, waited: began.elapsed() });
                }
                Ok(disturbances) => self.told(Event::Waits { disturbances }),
                Err(fault) => {
                    self.tell(slot, None, "guard", &fault);
                    return None;
                }
            }
        }
    }

    /// Runs trials one after another; returns those that were invalid. A failure is a result of its topology, and no
    /// reason to try until it works.
    async fn attempts(&mut self, slots: Vec<Slot>, tally: &mut Tally) -> Result<Vec<Slot>, WriteError> {
        let mut invalid = Vec::new();
        for slot in slots {
            if self.interrupted() {
                break;
            }
            let guard = self.guard(&slot).await;
            if self.interrupted() {
                break;
            }
            let status = self.trial(slot, guard).await?.map(|fault| fault.status);
            match slot.attempt {
                1 => {
                    tally.trials += 1;
                    tally.spoiled += u32::from(status.is_some());
                }
                _ => tally.spoiled -= u32::from(status.is_none()),
            }
            if status == Some(Status::Invalid) {
                invalid.push(slot);
            }
        }
        Ok(invalid)
    }

    /// Returns the first fault of the trial, where there was one.
    async fn trial(&mut self, slot: Slot, guard: Option<Guarded>) -> Result<Option<Fault>, WriteError> {
        let topology = self.name(&slot);
        self.told(Event::TrialBegins { block: slot.block, topology });
        self.ledger.get_mut().begin_trial(slot, guard);
        let opened =
            unless_interrupted(&self.interrupt, self.executor.open(&slot)).await.unwrap_or_else(|| Err(interruption()));
        let ended = match &opened {
            Ok(_) => self.jobs(&slot).await,
            Err(fault) => {
                self.tell(&slot, None, "set-up", fault);
                Ok(Some(fault.clone()))
            }
        };
        // Also where a file could not be written: what a trial made on the user's engine goes with it, and nobody else knows it.
        let closed = self.executor.close().await;
        // What is left after one trial is there after the next one too.
        let left = closed.as_ref().map_or(0, |closed| closed.unclear_records);
        self.unclear_records = self.unclear_records.max(left);
        if let Err(error) = &closed {
            self.tell(&slot, None, "tear-down", error);
        }
        let fault = ended?.or_else(|| closed.as_ref().err().cloned());
        self.ledger.get_mut().end_trial(opened.ok(), closed.ok(), fault.as_ref())?;
        self.told(Event::TrialEnds);
        Ok(fault)
    }

    /// A job that fails does not end the sequence: the next CI job would come all the same. Jobs at once begin together.
    async fn jobs(&self, slot: &Slot) -> Result<Option<Fault>, WriteError> {
        let mut first = None;
        let topology = &self.scenario.topologies[slot.topology];
        let workers = 0..topology.concurrency.get();
        let mut failed = vec![false; workers.len()];
        for job in 1..=self.scenario.sequence.jobs.get() {
            let Some(dead) = unless_interrupted(&self.interrupt, self.executor.dead()).await else {
                return Ok(first.or_else(|| Some(interruption())));
            };
            if dead {
                let fault =
                    Fault::failed(ErrorClass::EngineDied, format!("the outer engine had ended before job {job}"));
                self.tell(slot, Some(job), "start", &fault);
                return Ok(first.or(Some(fault)));
            }
            let edit = self.scenario.sequence.edit(job);
            // At one engine each finds what the others left.
            let any = topology.shared() && failed.contains(&true);
            let jobs = workers.clone().zip(&failed);
            let jobs = jobs.map(|(worker, failed)| self.job(slot, JobSlot { worker, job, edit }, *failed || any));
            let ended: Vec<_> = join_all(jobs).await;
            self.ledger.borrow().sync()?;
            for (fault, failed) in ended.into_iter().zip(&mut failed) {
                let fault = fault?;
                *failed = fault.as_ref().is_some_and(|fault| fault.status != Status::Invalid);
                first = first.or(fault);
            }
        }
        Ok(first)
    }

    /// `failed` tells whether the job before it has.
    async fn job(&self, slot: &Slot, job: JobSlot, failed: bool) -> Result<Option<Fault>, WriteError> {
        let mut first = None;
        let steps = (0..self.scenario.job.steps.len()).map(Part::Step);
        for part in std::iter::once(Part::Start).chain(steps) {
            let fault = self.part(slot, job, part, failed).await?;
            // What comes after a failed part would fail for its reason; an invalid one did its work.
            let ends = fault.as_ref().is_some_and(|fault| fault.status != Status::Invalid);
            first = first.or(fault);
            if ends {
                break;
            }
        }
        let stop = self.part(slot, job, Part::Stop, failed).await?;
        Ok(first.or(stop))
    }

    /// Does a part of a job, checks it against what must hold, and writes it down.
    async fn part(&self, slot: &Slot, job: JobSlot, part: Part, failed: bool) -> Result<Option<Fault>, WriteError> {
        let Some(mut measured) = unless_interrupted(&self.interrupt, self.executor.part(job, part)).await else {
            return Ok(Some(interruption()));
        };
        if let (Some(delay), Some(elapsed)) = (self.scenario.topologies[slot.topology].delay, measured.outcome.elapsed)
        {
            let delay = delayed(elapsed.mul_f64(delay));
            let Some(delayed) = unless_interrupted(&self.interrupt, delay).await else {
                return Ok(Some(interruption()));
            };
            measured.outcome.elapsed = Some(elapsed + delayed);
        }
        if let (Part::Step(index), None) = (part, &measured.outcome.fault) {
            let broken = self.broken(slot, job, index, &measured);
            // Less is cached where the job before it failed: the topology's doing, and no reason to doubt the rest of the trial.
            measured.outcome.fault = broken.map(|Broken { how, for_want }| match failed && for_want {
                true => Fault::failed(ErrorClass::Expectation, format!("{how}, after a job that failed")),
                false => Fault::invalid(how),
            });
        }
        let step = self.step_name(part);
        self.ledger.borrow_mut().sample(job, part, &step, &measured)?;
        let (topology, elapsed) = (self.name(slot), measured.outcome.elapsed);
        self.told(Event::PartEnds { topology, job: job.job, step: step.clone(), elapsed });
        if let Some(fault) = &measured.outcome.fault {
            self.tell(slot, Some(job.job), &step, fault);
        }
        Ok(measured.outcome.fault)
    }

    /// How a build broke an expectation. In job 1 nothing was built before, so nothing may be cached but what another
    /// job at the same engine has built meanwhile; what the same job has built, everything of it must be.
    fn broken(&self, slot: &Slot, job: JobSlot, index: usize, measured: &Measured) -> Option<Broken> {
        let Step::Build(build) = &self.scenario.job.steps[index] else { return None };
        let topology = self.name(slot);
        let stated = self.scenario.expectations.iter().find(|expectation| {
            expectation.topology == topology && expectation.job == job.job && expectation.step == index
        });
        let cold =
            job.edit == Edit::First && self.first_build(index) && !self.scenario.topologies[slot.topology].shared();
        let known = if self.built_before(index) { Some(Expected::All) } else { cold.then_some(Expected::Exactly(0)) };
        let all = measured.outcome.instructions.iter().all(|instruction| instruction.cached);
        if stated.is_none() && known.is_none() && all && build.changed_by(job.edit) {
            let how = format!("the edit {} changed nothing: every instruction was cached", job.edit);
            return Some(Broken { how, for_want: false });
        }
        let expected = stated.map(|expectation| expectation.instructions_cached).or(known)?;
        let total = measured.outcome.instructions.len();
        let cached = measured.outcome.instructions.iter().filter(|instruction| instruction.cached).count();
        let wanted = match expected {
            Expected::All => total,
            Expected::Exactly(count) => count as usize,
        };
        (cached != wanted).then(|| Broken {
            how: format!("expected {wanted} of {total} instructions cached, and {cached} were"),
            for_want: cached < wanted && !self.built_before(index),
        })
    }

    /// Whether a step before this one builds the same, under another tag: then all of it is there.
    fn built_before(&self, index: usize) -> bool {
        let steps = &self.scenario.job.steps;
        let Step::Build(build) = &steps[index] else { return false };
        let same = |other: &Build| Build { tag: build.tag.clone(), ..other.clone() } == *build;
        steps[..index].iter().any(|step| matches!(step, Step::Build(other) if same(other)))
    }

    /// Whether no step before this one builds: a second build may share steps with the first.
    fn first_build(&self, index: usize) -> bool {
        !self.scenario.job.steps[..index].iter().any(|step| matches!(step, Step::Build(_)))
    }

    fn step_name(&self, part: Part) -> String {
        match part {
            Part::Start => "start".to_owned(),
            Part::Step(index) => self.scenario.job.step_name(index),
            Part::Stop => "stop".to_owned(),
        }
    }

    fn name(&self, slot: &Slot) -> String {
        self.scenario.topologies[slot.topology].name.clone()
    }

    fn tell(&self, slot: &Slot, job: Option<u32>, step: &str, fault: &Fault) {
        let (topology, step, message) = (self.name(slot), step.to_owned(), fault.message.clone());
        self.told(Event::Spoiled { block: slot.block, topology, job, step, message });
    }

    fn told(&self, event: Event) {
        (self.observe.borrow_mut())(event);
    }

    fn interrupted(&self) -> bool {
        *self.interrupt.borrow()
    }
}

/// An expectation that a build broke.
struct Broken {
    how: String,
    /// Whether less was there than jobs before it leave.
    for_want: bool,
}

fn slot(block: &Block, position: u32, topology: usize) -> Slot {
    Slot { block: block.index, warmup: block.warmup(), position, topology, attempt: 1 }
}

/// The result of some work; empty where the run was interrupted meanwhile, and the work dropped.
async fn unless_interrupted<T>(interrupt: &watch::Receiver<bool>, work: impl Future<Output = T>) -> Option<T> {
    let mut interrupt = interrupt.clone();
    tokio::select! {
        // In this order, so that nothing is begun any more once the run is interrupted.
        biased;
        Ok(_) = interrupt.wait_for(|interrupted| *interrupted) => None,
        result = work => Some(result),
    }
}

/// Waits, and tells how long that took. The runtime's timer has steps of a millisecond, which is a hundredth of a short step:
/// the last of them is slept as a thread does, on one that no job waits for.
async fn delayed(delay: Duration) -> Duration {
    const STEP: Duration = Duration::from_millis(1);
    let began = Instant::now();
    tokio::time::sleep(delay.saturating_sub(2 * STEP)).await;
    let slept = began.elapsed();
    let began = std::time::Instant::now();
    // A sleep does not panic.
    let _ = tokio::task::spawn_blocking(move || std::thread::sleep(delay.saturating_sub(slept))).await;
    slept + began.elapsed()
}

fn interruption() -> Fault {
    Fault::failed(ErrorClass::Harness, "the run was interrupted")
}
