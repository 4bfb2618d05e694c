//! One of the places at which claims are tested at a time: hosts of its own, and a registry of its own.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::time::Instant;

use super::book::Book;
use super::{Context, WAIT_FOR_QUIET, could_not_run, scenario_of, verdicts};
use crate::case::Verdict;
use crate::claim::{self, Claim, Judgement, Kernel, Machine, Measured, Observations, Script, Site, judge};
use crate::cmd::connect::Connected;
use crate::cmd::description::{self, Setting};
use crate::cmd::environment::{environment, host_name, now};
use crate::cmd::tenancy::Tenancy;
use crate::cmd::{Failure, precise};
use crate::engine::Description;
use crate::image::Wanted;
use crate::plan::Plan;
use crate::record::{ClaimsRecord, RunDir, SCHEMA, Writer};
use crate::runner::{DockerExecutor, Ledger, Runner};
use crate::scenario::Scenario;
use crate::topology::{Host, Watch};

pub(super) struct Lane<'a> {
    /// The account of itself of the engine that it is on.
    pub user: Description,
    /// Of the machine in the lab that it is on.
    pub kernel: Option<Kernel>,
    pub tenancy: Tenancy<'a>,
    /// Empty where the test was interrupted while it was prepared.
    pub host: Option<Host>,
}

/// What the topologies of the scenarios measured so far showed, or why they could not be measured.
pub(super) type Shown = BTreeMap<String, Result<BTreeMap<String, Observations>, String>>;

/// Claims that wait for a lane.
pub(super) type Queue<'a> = RefCell<VecDeque<(&'a Claim, &'a Script)>>;

impl<'a> Lane<'a> {
    /// # Errors
    /// It could not be prepared; nothing of it is left.
    pub async fn open(
        Connected { engine, description: user, place }: Connected,
        kernel: Option<Kernel>,
        wanted: &Wanted<'_>,
        context: &Context<'a>,
    ) -> Result<Self, Failure> {
        let mut tenancy = Tenancy::open(&engine, &user.id, "claims", None, context.progress)?;
        let prepared = tenancy.prepare(&place, wanted, &BTreeSet::new(), context.seed, context.interrupt.clone()).await;
        match prepared {
            Ok(host) => Ok(Self { user, kernel, tenancy, host }),
            Err(failure) => {
                // The failure explains more than what follows from it.
                let _ = tenancy.close().await;
                Err(failure)
            }
        }
    }

    pub fn host(&self) -> &Host {
        self.host.as_ref().expect("claims are tested on lanes that are prepared")
    }

    fn parts(&mut self) -> (&mut Tenancy<'a>, &mut Host) {
        let Self { tenancy, host, .. } = self;
        (tenancy, host.as_mut().expect("claims are tested on lanes that are prepared"))
    }

    pub async fn watch(&mut self) -> Result<Watch, Failure> {
        let (tenancy, host) = self.parts();
        host.watch(&mut tenancy.journal).await.map_err(could_not_run)
    }

    /// The machine that it is on, for scripts of the lab.
    pub async fn machine(&mut self) -> Result<Machine, Failure> {
        let (image, privilege) = (self.host().image().to_owned(), self.host().privilege());
        Ok(Machine { watch: self.watch().await?, image, privilege })
    }

    pub fn record(&self, context: &Context<'_>) -> ClaimsRecord {
        ClaimsRecord {
            schema: SCHEMA,
            run_id: self.tenancy.run_id().to_owned(),
            host: host_name(context.setting.host_label, &self.user),
            started_at: now(),
            command_line: std::env::args().collect(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: env!("DINDBENCH_REVISION").to_owned(),
            seed: context.seed,
            warnings: description::warnings(&context.setting, None, self.host()),
            environment: environment(&context.setting, &self.tenancy, &self.user, self.host()),
        }
    }

    /// Takes claims from the queue until there are none.
    ///
    /// # Errors
    /// A host cannot be had: no other claim could be tested.
    pub async fn work(
        &mut self,
        context: &Context<'_>,
        queue: &Queue<'_>,
        book: &RefCell<Book<'_>>,
    ) -> Result<(), Failure> {
        while !context.interrupted() {
            let Some((claim, script)) = queue.borrow_mut().pop_front() else { break };
            context.progress.claim(&claim.id);
            let (began, mut evidence) = (Instant::now(), String::new());
            if let Some(judgement) = self.scripts(context, claim, script, &mut evidence).await? {
                book.borrow_mut().enter(claim, judgement, &evidence, began.elapsed())?;
            }
        }
        Ok(())
    }

    /// Nothing where it was interrupted: the containers go with the run, and what was tried so far is of no use.
    async fn scripts(
        &mut self,
        context: &Context<'_>,
        claim: &Claim,
        script: &Script,
        evidence: &mut String,
    ) -> Result<Option<Judgement>, Failure> {
        let (tenancy, host) = self.parts();
        let mut site = Site { host, journal: &mut tenancy.journal, missing: &context.missing };
        let mut interrupt = context.interrupt.clone();
        tokio::select! {
            tried = claim::tried(&mut site, &claim.id, script, &claim.needs, evidence) => {
                Ok(Some(judge(&tried.map_err(could_not_run)?)))
            }
            _ = interrupt.wait_for(|interrupted| *interrupted) => Ok(None),
        }
    }

    pub async fn measured(
        &mut self,
        context: &Context<'_>,
        measured: &Measured,
        shown: &mut Shown,
        evidence: &mut String,
    ) -> Result<Judgement, Failure> {
        let name = &measured.scenario;
        let scenario = scenario_of(measured);
        if let Some(reason) = claim::too_narrow(measured, scenario.sequence.blocks) {
            return Ok(Judgement::without_arms(Verdict::NotTestable, reason));
        }
        if !shown.contains_key(name) {
            let observed = self.measure(context, &scenario).await?;
            shown.insert(name.clone(), observed);
        }
        let observed = &shown[name];
        if let Ok(arms) = observed {
            evidence.push_str(&verdicts::observations(name, arms));
        }
        Ok(judge(&measured.tried(observed)))
    }

    /// Runs a scenario into a run directory of its own below this one, and says what its topologies showed, or why it
    /// cannot be run here. Where after all its blocks a ratio is not known to the margin that is asked for, it runs as many
    /// again.
    async fn measure(
        &mut self,
        context: &Context<'_>,
        scenario: &Scenario,
    ) -> Result<Result<BTreeMap<String, Observations>, String>, Failure> {
        if let Some(reason) = claim::missing_systems(&scenario.topologies, &context.missing) {
            return Ok(Err(reason));
        }
        let (blocks, precision) = (scenario.sequence.blocks, claim::precision(&scenario.name));
        let plan = Plan::new(scenario, precision.map_or(blocks, |_| 2 * blocks), context.seed);
        let setting = Setting { precision, ..context.setting.clone() };
        let record = description::record(&setting, scenario, &plan, &self.tenancy, &self.user, self.host());
        let (tenancy, host) = self.parts();
        let dir = context.dir.join("measured").join(&scenario.name);
        let mut writer = Writer::create(&dir, &record).map_err(could_not_run)?;
        let ledger = Ledger::new(&mut writer, scenario, &record.run_id, &record.host);
        let mut executor = DockerExecutor::new(scenario, &mut tenancy.journal, host);
        let runner = Runner::new(scenario, &mut executor, ledger, context.interrupt.clone(), |_| {});
        let runner = runner.until(|done| done == blocks && precision.is_some_and(|goal| precise(&dir, goal)));
        runner.guarded(WAIT_FOR_QUIET).run(&plan).await.map_err(could_not_run)?;
        Ok(observed(&dir))
    }
}

fn observed(dir: &Path) -> Result<BTreeMap<String, Observations>, String> {
    let run = RunDir::open(dir).map_err(|error| error.to_string())?;
    claim::observe(&run).map_err(|error| error.to_string())
}
