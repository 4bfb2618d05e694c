//! A whole run of a fake executor: into files, and read back from them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use dindbench::analysis::Analysis;
use dindbench::case::Status;
use dindbench::plan::Plan;
use dindbench::record::{
    self, ArmRecord, Environment, HostRecord, InstructionRow, RunDir, RunRecord, SCHEMA, Sample, TrialRow, WriteError,
    Writer,
};
use dindbench::runner::{Event, Ledger, Runner, Tally};
use dindbench::scenario::{QUICK, Scenario, builtin};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::fake::Fake;

pub const RUN_ID: &str = "r1";
pub const HOST: &str = "host-1";

/// Longer than any run: the clock of a test jumps to here as soon as nothing can go on.
const FOR_EVER: Duration = Duration::from_secs(1_000_000);

pub struct Run {
    folder: TempDir,
    pub tally: Tally,
    pub calls: Vec<String>,
    pub told: Vec<Event>,
}

pub fn quick() -> Scenario {
    builtin(QUICK).unwrap()
}

pub fn plan(scenario: &Scenario, blocks: u32) -> Plan {
    Plan::new(scenario, blocks, 42)
}

/// Runs a plan; a call that hangs is interrupted.
pub async fn run(scenario: &Scenario, plan: &Plan, fake: Fake<'_>) -> Run {
    run_until(scenario, plan, fake, |_| false).await
}

/// Runs a plan that is interrupted with the first event that `interrupts`, or when a call hangs.
pub async fn run_until(
    scenario: &Scenario,
    plan: &Plan,
    mut fake: Fake<'_>,
    interrupts: impl Fn(&Event) -> bool,
) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let told = RefCell::new(Vec::new());
    let observe = |tell: &watch::Sender<bool>, event: Event| {
        if interrupts(&event) {
            tell.send_replace(true);
        }
        told.borrow_mut().push(event);
    };
    let dir = folder.path().join(RUN_ID);
    let tally = run_into(&dir, scenario, plan, &mut fake, Ends::default(), observe).await.unwrap();
    Run { folder, tally, calls: fake.calls.into_inner(), told: told.into_inner() }
}

/// What ends a run before its plan does, and what holds it up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ends {
    pub time_limit: Option<Duration>,
    /// The number of measured blocks after which enough is known.
    pub enough: Option<u32>,
    /// How long a trial waits for a quiet machine.
    pub patience: Option<Duration>,
}

pub async fn run_into(
    dir: &Path,
    scenario: &Scenario,
    plan: &Plan,
    fake: &mut Fake<'_>,
    ends: Ends,
    mut observe: impl FnMut(&watch::Sender<bool>, Event),
) -> Result<Tally, WriteError> {
    let mut writer = Writer::create(dir, &description(scenario, plan))?;
    let ledger = Ledger::new(&mut writer, scenario, RUN_ID, HOST);
    let (tell, interrupt) = watch::channel(false);
    let hung = fake.hung.clone();
    let runner = Runner::new(scenario, fake, ledger, interrupt, |event| observe(&tell, event));
    let runner = match ends.patience {
        Some(patience) => runner.guarded(patience),
        None => runner,
    };
    let runner = runner.within(ends.time_limit).until(|blocks| ends.enough.is_some_and(|enough| blocks >= enough));
    let interrupter = async {
        hung.notified().await;
        tell.send_replace(true);
        std::future::pending().await
    };
    let ended = async {
        tokio::select! {
            tally = runner.run(plan) => tally,
            never = interrupter => never,
        }
    };
    tokio::time::timeout(FOR_EVER, ended).await.expect("the run ends")
}

impl Run {
    pub fn dir(&self) -> PathBuf {
        self.folder.path().join(RUN_ID)
    }

    pub fn files(&self) -> RunDir {
        RunDir::open(&self.dir()).unwrap()
    }

    pub fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.dir().join(file)).unwrap()
    }

    pub fn samples(&self) -> Vec<Sample> {
        self.files().samples().unwrap().map(Result::unwrap).collect()
    }

    /// Of the first attempt.
    pub fn sample(&self, block: u32, topology: &str, job: u32, step: &str) -> Sample {
        let here = |row: &Sample| {
            (row.attempt, row.block, row.topology.as_str(), row.job, row.step.as_str())
                == (1, block, topology, job, step)
        };
        let mut found = self.samples().into_iter().filter(here);
        let sample = found.next().expect("the part has a row");
        assert_eq!(found.next(), None, "a part has one row");
        sample
    }

    pub fn instructions(&self) -> Vec<InstructionRow> {
        self.files().instructions().unwrap().map(Result::unwrap).collect()
    }

    pub fn events(&self) -> Vec<record::Event> {
        self.files().events().unwrap().map(Result::unwrap).collect()
    }

    pub fn trials(&self) -> Vec<TrialRow> {
        self.files().trials().unwrap().map(Result::unwrap).collect()
    }

    pub fn trial(&self, block: u32, topology: &str) -> TrialRow {
        let mut found = self.trials().into_iter().filter(|row| (row.block, row.topology.as_str()) == (block, topology));
        let trial = found.next().expect("the trial has a row");
        assert!(found.all(|row| row.attempt > 1), "an attempt has one row");
        trial
    }

    pub fn analysis(&self) -> Analysis {
        Analysis::of(&self.files()).unwrap()
    }

    /// The rows of a trial's first attempt, one line per job: `1: start 0 app(failed) stop`.
    pub fn outline(&self, block: u32, topology: &str) -> Vec<String> {
        let mut jobs = BTreeMap::new();
        let first = |row: &&Sample| (row.attempt, row.block, row.topology.as_str()) == (1, block, topology);
        for row in self.samples().iter().filter(first) {
            let job = jobs.entry(row.job).or_insert_with(|| format!("{}:", row.job));
            job.push_str(&match row.status {
                Status::Ok => format!(" {}", row.step),
                status => format!(" {}({status})", row.step),
            });
        }
        jobs.into_values().collect()
    }

    /// The calls of one trial, from its opening to its closing.
    pub fn calls_of(&self, block: u32, topology: &str) -> Vec<&str> {
        let opening = format!("open {block} {topology}");
        let calls = self.calls.iter().map(String::as_str).skip_while(|call| *call != opening);
        let mut trial: Vec<_> = calls.take_while(|call| *call != "close").collect();
        if !trial.is_empty() {
            trial.push("close");
        }
        trial
    }

    /// The trials in the order in which they were opened: block and topology.
    pub fn opened(&self) -> Vec<&str> {
        self.calls.iter().filter_map(|call| call.strip_prefix("open ")).collect()
    }
}

pub fn description(scenario: &Scenario, plan: &Plan) -> RunRecord {
    let arm = |topology: &dindbench::scenario::Topology| ArmRecord {
        name: topology.name.clone(),
        kind: topology.kind.word().to_owned(),
        parameters: topology.parameters(),
    };
    RunRecord {
        schema: SCHEMA,
        run_id: RUN_ID.into(),
        host: HOST.into(),
        started_at: "2024-01-01T00:00:00Z".into(),
        command_line: vec!["dindbench".into(), "run".into()],
        version: "0.1.0".into(),
        revision: "abc".into(),
        lock_digest: None,
        scenario: scenario.name.clone(),
        scenario_digest: "sha256:00".into(),
        question: scenario.question.clone(),
        baseline: scenario.baseline.clone(),
        analysis: scenario.analysis.clone(),
        seed: plan.seed,
        blocks: plan.blocks.len() as u32 - 1,
        precision: None,
        wait_for_quiet_ns: None,
        driver: scenario.job.driver,
        builder: scenario.job.builder,
        warnings: Vec::new(),
        unavailable: BTreeMap::from([("io_read_bytes".into(), "the fake has no such counter".into())]),
        environment: Environment {
            host: HostRecord {
                kernel: "6.1".into(),
                operating_system: "Debian".into(),
                architecture: "x86_64".into(),
                cpu_model: "cpu".into(),
                cpus: 2,
                memory_bytes: 4_000_000_000,
                cgroup_version: "2".into(),
                lsm: String::new(),
                clock_source: "tsc".into(),
                governor: String::new(),
                smt: None,
                virtualised: None,
                swap_bytes: None,
            },
            privilege: "real".into(),
            inner_privilege: None,
            docker_command: None,
            host_kind: "reference".into(),
            registry: "own".into(),
            engines: BTreeMap::new(),
            images: BTreeMap::new(),
            unknown: BTreeMap::new(),
        },
        arms: scenario.topologies.iter().map(arm).collect(),
        scenario_text: scenario.text.clone(),
    }
}
