//! A reference host that the tests of this file share.

use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use dindbench::cleanup;
use dindbench::engine::{Endpoint, Engine, Settings};
use dindbench::image;
use dindbench::journal::{Journal, cache_folder, state_folder};
use dindbench::plan::{Block, Plan};
use dindbench::record::{Environment, HostRecord, RunDir, RunRecord, SCHEMA, Sample, TrialRow, Writer};
use dindbench::runner::{DockerExecutor, Ledger, Runner, Tally};
use dindbench::scenario::{self, Scenario};
use dindbench::topology::Reference;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::watch;

pub const SEED: u64 = 42;

pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
static LAB: Mutex<Option<Lab>> = Mutex::new(None);

pub struct Lab {
    pub engine: Engine,
    pub journal: Journal,
    pub reference: Reference,
}

/// The program that the containers run: this test is not it.
pub fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_dindbench"))
}

pub fn endpoint() -> Endpoint {
    Settings::from_environment().endpoint().expect("usable settings").endpoint
}

/// Why no engine can be used; empty where one answers.
pub fn missing_engine() -> Option<String> {
    let engine = Engine::at(endpoint(), "user");
    RUNTIME.block_on(engine.ping(std::time::Duration::from_secs(10))).err().map(|error| error.to_string())
}

/// Does something with the lab, which is set up with the first use.
pub fn with<T>(work: impl AsyncFnOnce(&mut Lab) -> T) -> T {
    let mut lab = LAB.lock().unwrap_or_else(PoisonError::into_inner);
    RUNTIME.block_on(async {
        if lab.is_none() {
            *lab = Some(Lab::open().await);
        }
        work(lab.as_mut().expect("just opened")).await
    })
}

/// Takes the lab down.
pub fn close() {
    if let Some(lab) = LAB.lock().unwrap_or_else(PoisonError::into_inner).take() {
        RUNTIME.block_on(async {
            cleanup::undo(&lab.engine, lab.journal.run(), lab.journal.entries()).await.expect("everything is removed");
            lab.journal.close().expect("the journal is closed");
        });
    }
}

impl Lab {
    async fn open() -> Self {
        let engine = Engine::at(endpoint(), "user");
        let id = engine.describe().await.expect("an engine").id;
        let run = format!("test-{}", std::process::id());
        let mut journal = Journal::create(&state_folder(), &run, &id).expect("a journal");
        let packed = image::pack(&engine, &mut journal, &cache_folder(), &program()).await.expect("a packed image");
        let reference = Reference::prepare(&engine, &mut journal, &packed, SEED).await.expect("a reference host");
        Self { engine, journal, reference }
    }

    /// Runs one block of a scenario, and returns what it wrote.
    pub async fn run(&mut self, scenario: &Scenario) -> Recorded {
        self.run_while(scenario, async {}).await
    }

    /// Runs one block of a scenario while something else goes on.
    pub async fn run_while(&mut self, scenario: &Scenario, meanwhile: impl Future<Output = ()>) -> Recorded {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("run");
        let mut writer = Writer::create(&dir, &record(scenario)).expect("a run directory");
        let order = (0..scenario.topologies.len()).collect();
        let plan = Plan { seed: SEED, blocks: vec![Block { index: 1, order }] };
        let (_tell, interrupt) = watch::channel(false);
        let ledger = Ledger::new(&mut writer, scenario, "test", "here");
        let mut executor = DockerExecutor::new(scenario, SEED, &mut self.journal, &mut self.reference);
        let runner = Runner::new(scenario, &mut executor, ledger, interrupt, |_| {});
        let (tally, ()) = tokio::join!(runner.run(&plan), meanwhile);
        Recorded {
            tally: tally.expect("files that can be written"),
            run: RunDir::open(&dir).expect("readable files"),
            _folder: folder,
        }
    }
}

/// What one block wrote.
pub struct Recorded {
    pub tally: Tally,
    pub run: RunDir,
    _folder: TempDir,
}

impl Recorded {
    pub fn samples(&self) -> Vec<Sample> {
        self.run.samples().unwrap().collect::<Result<_, _>>().unwrap()
    }

    pub fn trials(&self) -> Vec<TrialRow> {
        self.run.trials().unwrap().collect::<Result<_, _>>().unwrap()
    }

    /// What a step printed on one of its streams.
    pub fn printed(&self, topology: &str, job: u32, step: &str, source: &str) -> String {
        let events = self.run.events().unwrap().map(|event| event.unwrap());
        let wanted = events.filter(|event| {
            event.topology == topology && event.job == job && event.step == step && event.source == source
        });
        wanted.map(|event| event.text).collect()
    }

    /// The one row of a step.
    pub fn sample(&self, topology: &str, job: u32, step: &str) -> Sample {
        let mut rows = self.samples();
        rows.retain(|row| row.topology.as_str() == topology && row.job == job && row.step.as_str() == step);
        assert_eq!(rows.len(), 1, "one row for {topology}, job {job}, {step}");
        rows.remove(0)
    }
}

/// A scenario from its text, with contexts in a folder.
pub fn scenario(text: &str, root: &Path) -> Scenario {
    scenario::parse("test", text, root).unwrap_or_else(|error| panic!("{error}"))
}

/// A build context of a Dockerfile alone.
pub fn context(dockerfile: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("context")).unwrap();
    std::fs::write(folder.path().join("context/Dockerfile"), dockerfile).unwrap();
    folder
}

fn record(scenario: &Scenario) -> RunRecord {
    let word = String::new;
    RunRecord {
        schema: SCHEMA,
        run_id: "test".to_owned(),
        host: "here".to_owned(),
        started_at: word(),
        command_line: Vec::new(),
        version: word(),
        revision: word(),
        scenario: scenario.name.clone(),
        scenario_digest: word(),
        question: word(),
        baseline: scenario.baseline.clone(),
        analysis: word(),
        seed: SEED,
        blocks: 1,
        driver: scenario.job.driver,
        builder: scenario.job.builder,
        warnings: Vec::new(),
        unavailable: Default::default(),
        environment: Environment {
            host: HostRecord {
                kernel: word(),
                operating_system: word(),
                architecture: word(),
                cpu_model: word(),
                cpus: 0,
                memory_bytes: 0,
                cgroup_version: word(),
                lsm: word(),
                clock_source: word(),
                governor: word(),
            },
            privilege: word(),
            host_kind: word(),
            engines: Default::default(),
            images: Default::default(),
        },
        arms: Vec::new(),
        scenario_text: scenario.text.clone(),
    }
}
