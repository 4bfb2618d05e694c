//! An executor that follows a script: every job goes plausibly well, but for the turns that a test writes into it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use dindbench::buildlog::Instruction;
use dindbench::case::{Builder, Disturbance, Edit, Lifecycle};
use dindbench::probe::Delta;
use dindbench::runner::{Closed, EngineFacts, Executor, JobSlot, Measured, Opened, Part, Slot};
use dindbench::scenario::{Scenario, Step};
use dindbench::workload::{Fault, Layers, Outcome};
use tokio::sync::Notify;

/// Instructions of the generated context `ten`; a source file is first used by the seventh.
pub const INSTRUCTIONS: usize = 10;
const BEFORE_SOURCES: usize = 6;

/// What becomes of a call instead of a success.
#[derive(Clone)]
pub enum Turn {
    /// It ends with this fault, almost at once, as failures do.
    Fails(Fault),
    /// A build ends well, with so many of its instructions cached.
    Hits(usize),
    /// A part gives exactly this.
    Gives(Box<Measured>),
    /// It never ends; `hung` is told.
    Hangs,
    /// It ends well, and takes the outer engine with it.
    Dies,
}

/// The executor, and after a run what it was asked, call by call: `open 1 dind`, `dead?`, `job 2: app`, `close`; of jobs
/// at once, all but the first say whose they are: `worker 1 job 2: app`.
pub struct Fake<'a> {
    scenario: &'a Scenario,
    script: BTreeMap<(u32, u32, &'static str, &'static str), Turn>,
    /// By this factor every trial is slower than the one before it.
    slowdown: f64,
    /// How long each trial takes by the clock.
    lasting: Duration,
    /// What disturbs the machine at each look, the first one first; nothing after the last.
    looks: RefCell<VecDeque<Vec<Disturbance>>>,
    pub calls: RefCell<Vec<String>>,
    pub hung: Rc<Notify>,
    trial: Option<Slot>,
    trials: i32,
    dead: Cell<bool>,
}

impl<'a> Fake<'a> {
    pub fn new(scenario: &'a Scenario) -> Self {
        Self {
            scenario,
            script: BTreeMap::new(),
            slowdown: 1.0,
            lasting: Duration::ZERO,
            looks: RefCell::default(),
            calls: RefCell::default(),
            hung: Rc::default(),
            trial: None,
            trials: 0,
            dead: Cell::new(false),
        }
    }

    /// Writes a turn into the script; `call` is as in `calls`, an opening being just `open`.
    /// It is for the first attempt.
    pub fn at(self, block: u32, topology: &'static str, call: &'static str, turn: Turn) -> Self {
        self.at_attempt(1, block, topology, call, turn)
    }

    pub fn at_attempt(
        mut self,
        attempt: u32,
        block: u32,
        topology: &'static str,
        call: &'static str,
        turn: Turn,
    ) -> Self {
        self.script.insert((attempt, block, topology, call), turn);
        self
    }

    pub fn slower_each_trial(self, slowdown: f64) -> Self {
        Self { slowdown, ..self }
    }

    pub fn lasting(self, lasting: Duration) -> Self {
        Self { lasting, ..self }
    }

    pub fn looking(self, looks: impl IntoIterator<Item = Vec<Disturbance>>) -> Self {
        Self { looks: RefCell::new(looks.into_iter().collect()), ..self }
    }

    /// Notes a call and waits where the script says so; else gives what the script has for it.
    async fn called(&self, call: &str) -> Option<Turn> {
        let slot = self.trial.expect("a trial is open");
        let topology = self.scenario.topologies[slot.topology].name.as_str();
        let shown = if call == "open" { format!("open {} {topology}", slot.block) } else { call.to_owned() };
        self.calls.borrow_mut().push(shown);
        let here = (slot.attempt, slot.block, topology, call);
        let place = |key: &(u32, u32, &str, &str)| *key == here;
        let turn = self.script.iter().find(|(key, _)| place(key)).map(|(_, turn)| turn.clone());
        match turn {
            Some(Turn::Hangs) => {
                self.hung.notify_one();
                std::future::pending().await
            }
            Some(Turn::Dies) => {
                self.dead.set(true);
                None
            }
            other => other,
        }
    }

    fn lifecycle(&self) -> Option<Lifecycle> {
        let slot = self.trial.expect("a trial is open");
        self.scenario.topologies[slot.topology].kind.lifecycle()
    }

    /// What a cache that nobody throws away has after the jobs before this one.
    fn cached(&self, job: JobSlot) -> usize {
        match job.edit {
            _ if self.lifecycle() == Some(Lifecycle::Recreate) => 0,
            Edit::First => 0,
            Edit::None => INSTRUCTIONS,
            _ => BEFORE_SOURCES,
        }
    }

    /// A time that differs a little from block to block, as times do, and alike in every topology.
    fn elapsed(&self, milliseconds: u64) -> Duration {
        let block = u64::from(self.trial.expect("a trial is open").block);
        let even = Duration::from_micros(1_000 * milliseconds + 131 * (block * block % 11));
        even.mul_f64(self.slowdown.powi(self.trials))
    }

    fn well(&self, job: JobSlot, part: Part, hits: Option<usize>) -> Outcome {
        let mut outcome = Outcome::begun();
        let milliseconds = match part {
            Part::Start => match self.lifecycle() {
                None => 300,
                Some(Lifecycle::Recreate) => 1_200,
                Some(_) => 350,
            },
            Part::Stop => 200,
            Part::Step(index) => match &self.scenario.job.steps[index] {
                Step::Pull { .. } => {
                    outcome.layers = Some(Layers { total: 3, reused: if job.job == 1 { 0 } else { 3 } });
                    if job.job == 1 { 900 } else { 20 }
                }
                Step::Build(_) => {
                    let hits = hits.unwrap_or_else(|| self.cached(job));
                    outcome.builder = Some(Builder::Classic);
                    outcome.upload = Some(self.elapsed(30));
                    outcome.image_id = format!("sha256:{:064x}", job.job);
                    outcome.instructions = (1..=INSTRUCTIONS).map(|index| instruction(index, hits)).collect();
                    outcome.events =
                        vec![(Duration::from_millis(1), "stdout".to_owned(), "Step 1/11 : FROM base\n".to_owned())];
                    40 + 100 * (INSTRUCTIONS - hits) as u64
                }
                Step::Run { .. } => 150,
                Step::Push { .. } => 250,
            },
        };
        outcome.elapsed = Some(self.elapsed(milliseconds));
        outcome
    }
}

impl Executor for Fake<'_> {
    async fn begin_block(&mut self) -> Result<Duration, Fault> {
        assert!(self.trial.is_none(), "a block begins while a trial is open");
        self.calls.borrow_mut().push("block".to_owned());
        Ok(Duration::from_millis(150))
    }

    async fn disturbances(&self) -> Result<BTreeSet<Disturbance>, Fault> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.calls.borrow_mut().push("look".to_owned());
        Ok(self.looks.borrow_mut().pop_front().unwrap_or_default().into_iter().collect())
    }

    async fn open(&mut self, slot: &Slot) -> Result<Opened, Fault> {
        assert!(self.trial.is_none(), "a trial is opened before the last one is closed");
        self.trial = Some(*slot);
        self.dead.set(false);
        tokio::time::sleep(self.lasting).await;
        match self.called("open").await {
            Some(Turn::Fails(fault)) => Err(fault),
            _ => Ok(Opened { setup: self.elapsed(2_000) }),
        }
    }

    async fn part(&self, job: JobSlot, part: Part) -> Measured {
        let name = match part {
            Part::Start => "start".to_owned(),
            Part::Step(index) => self.scenario.job.step_name(index),
            Part::Stop => "stop".to_owned(),
        };
        let whose = if job.worker == 0 { String::new() } else { format!("worker {} ", job.worker) };
        // Jobs at once go on by turns.
        tokio::task::yield_now().await;
        let outcome = match self.called(&format!("{whose}job {}: {name}", job.job)).await {
            Some(Turn::Gives(measured)) => return *measured,
            Some(Turn::Fails(fault)) => {
                Outcome { elapsed: Some(Duration::from_millis(1)), fault: Some(fault), ..Outcome::begun() }
            }
            Some(Turn::Hits(hits)) => self.well(job, part, Some(hits)),
            _ => self.well(job, part, None),
        };
        Measured { outcome, delta: used(), engine: engine() }
    }

    async fn dead(&self) -> bool {
        self.called("dead?").await;
        self.dead.get()
    }

    async fn close(&mut self) -> Result<Closed, Fault> {
        let turn = self.called("close").await;
        let teardown = self.elapsed(500);
        self.trial = None;
        self.trials += 1;
        match turn {
            Some(Turn::Fails(fault)) => Err(fault),
            _ => Ok(Closed {
                teardown,
                psi_cpu_ns: Some(17),
                psi_io_ns: Some(0),
                psi_memory_ns: None,
                steal_ns: None,
                unclear_records: 0,
            }),
        }
    }
}

/// One of the first `hits` instructions is cached.
fn instruction(index: usize, hits: usize) -> Instruction {
    Instruction {
        index: index as u32,
        text: format!("RUN true {index}"),
        cached: index <= hits,
        started: Duration::from_millis(100 * index as u64),
        elapsed: Some(Duration::from_millis(if index <= hits { 1 } else { 100 })),
    }
}

/// This machine counts no reads and writes.
fn used() -> Delta {
    Delta {
        bytes_pulled: Some(0),
        bytes_pushed: Some(0),
        disk_bytes: Some(7_000_000),
        disk_delta_bytes: Some(-4_096),
        cpu_ns: Some(90_000_000),
        peak_memory_bytes: Some(60_000_000),
        ..Delta::default()
    }
}

fn engine() -> EngineFacts {
    EngineFacts { version: "28.5.1".into(), storage_driver: "overlay2".into(), backing_fs: "extfs".into() }
}
