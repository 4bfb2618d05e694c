//! One block of a scenario on the shared reference host, and what it wrote.

use dindbench::plan::{Block, Plan};
use dindbench::record::{Environment, HostRecord, RunDir, RunRecord, SCHEMA, Sample, TrialRow, Writer};
use dindbench::runner::{DockerExecutor, Event, Ledger, Runner, Tally};
use dindbench::scenario::Scenario;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::lab::{Lab, SEED};

impl Lab {
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
        let mut executor = DockerExecutor::new(scenario, &mut self.journal, &mut self.host);
        let runner = Runner::new(scenario, &mut executor, ledger, interrupt, tell);
        let (tally, ()) = tokio::join!(runner.run(&plan), meanwhile);
        Recorded {
            tally: tally.expect("files that can be written"),
            run: RunDir::open(&dir).expect("readable files"),
            _folder: folder,
        }
    }
}

/// A trial without a host has no rows: why must be found in the test's output then.
fn tell(event: Event) {
    if let Event::Spoiled { topology, job, step, message, .. } = event {
        eprintln!("{topology}, job {job:?}, {step}: {message}");
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
        lock_digest: None,
        scenario: scenario.name.clone(),
        scenario_digest: word(),
        question: word(),
        baseline: scenario.baseline.clone(),
        analysis: word(),
        seed: SEED,
        blocks: 1,
        precision: None,
        wait_for_quiet_ns: None,
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
                smt: None,
                virtualised: None,
                swap_bytes: None,
            },
            privilege: word(),
            inner_privilege: None,
            host_kind: word(),
            registry: word(),
            engines: Default::default(),
            docker_command: None,
            images: Default::default(),
            unknown: Default::default(),
        },
        arms: Vec::new(),
        scenario_text: scenario.text.clone(),
    }
}
