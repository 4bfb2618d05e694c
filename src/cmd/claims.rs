//! `dindbench claims`: tests the ledger's claims on a reference host, or lists them.

mod verdicts;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::connect::{self, Connected};
use super::description::{self, Setting};
use super::environment::{environment, host_name, now};
use super::progress::Progress;
use super::tenancy::Tenancy;
use super::{Exit, Failure, could_not_run, interrupt, notice, print, runtime, terminal_width};
use crate::case::Verdict;
use crate::claim::{self, Claim, Judgement, Measured, Observations, Observed, Procedure, Script, Site, Tried, judge};
use crate::cli::{self, ClaimsArgs};
use crate::engine::Description;
use crate::image::{self, System, Wanted};
use crate::journal::cache_folder;
use crate::plan::{Plan, draw_seed};
use crate::record::{ClaimsDir, ClaimsRecord, ClaimsWriter, FindingRow, RunDir, SCHEMA, Text, Writer};
use crate::report;
use crate::runner::{DockerExecutor, Ledger, Runner};
use crate::scenario::{EngineVersion, Kind, Scenario, StorageDriver, Topology};
use crate::topology::{Host, differences};
use crate::units::as_nanos;

/// How long a trial of a measured claim waits for a quiet machine.
const WAIT_FOR_QUIET: Duration = Duration::from_secs(60);

/// A claim that the ledger does not have.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{id:?} is no claim of the ledger")]
#[diagnostic(help("`dindbench claims --list` tells all of them"))]
struct Unknown {
    id: String,
}

pub fn run(args: &ClaimsArgs) -> Result<Exit, Failure> {
    let claims = selected(&args.ids)?;
    if args.list {
        return print(verdicts::list(&claims, args.format, terminal_width()).as_bytes());
    }
    let tested = runtime()?.block_on(test(args, &claims))?;
    if !tested.findings.is_empty() {
        // Of its own files, so that it is the report that is made of them anywhere.
        let found = ClaimsDir::open(&tested.dir).map_err(could_not_run)?;
        report::write_findings(&tested.dir, &found).map_err(could_not_run)?;
    }
    print(verdicts::found(&tested, args.format, terminal_width()).as_bytes())?;
    let unexpected = |row: &FindingRow| row.expected.is_some_and(|expected| expected != row.verdict);
    Ok(match &tested {
        Tested { interrupted: true, .. } => Exit::Interrupted,
        Tested { changed, .. } if !changed.is_empty() => Exit::Incomplete,
        Tested { findings, .. } if findings.iter().any(unexpected) => Exit::UnexpectedVerdict,
        Tested { .. } => Exit::Done,
    })
}

/// The claims that are asked for, in the ledger's order, with those that they rest on.
fn selected(ids: &[String]) -> Result<Vec<Claim>, Failure> {
    let ledger = claim::ledger();
    let known = |id: &String| ledger.iter().any(|claim| claim.id.eq_ignore_ascii_case(id));
    if let Some(id) = ids.iter().find(|id| !known(id)) {
        return Err(Failure::usage(Unknown { id: id.clone() }));
    }
    let asked = |claim: &Claim| ids.is_empty() || ids.iter().any(|id| claim.id.eq_ignore_ascii_case(id));
    let mut wanted: BTreeSet<String> =
        ledger.iter().filter(|claim| asked(claim)).map(|claim| claim.id.clone()).collect();
    // A claim that rests on others can be one of those itself.
    while let Some(more) = ledger.iter().filter(|claim| wanted.contains(&claim.id)).find_map(|claim| {
        let Procedure::Umbrella(umbrella) = &claim.procedure else { return None };
        umbrella.claims().iter().find(|id| !wanted.contains(*id)).cloned()
    }) {
        wanted.insert(more);
    }
    Ok(ledger.into_iter().filter(|claim| wanted.contains(&claim.id)).collect())
}

/// A test of claims that has ended.
struct Tested {
    dir: PathBuf,
    findings: Vec<FindingRow>,
    /// In what the user's engine and its machine are not what they were.
    changed: Vec<String>,
    interrupted: bool,
}

/// A test of claims under way.
struct Test<'a> {
    setting: Setting<'a>,
    tenancy: Tenancy<'a>,
    user: Description,
    host: Host,
    dir: PathBuf,
    seed: u64,
    /// Systems that were not built on this machine.
    missing: BTreeSet<System>,
    interrupt: watch::Receiver<bool>,
    /// What the topologies of the scenarios measured so far showed, or why they could not be measured.
    measured: BTreeMap<String, Result<BTreeMap<String, Observations>, String>>,
}

/// Tests the claims one after another.
async fn test(args: &ClaimsArgs, claims: &[Claim]) -> Result<Tested, Failure> {
    let progress = Progress::new();
    let interrupt = interrupt::watch().map_err(could_not_run)?;
    let Connected { engine, description, place } =
        connect::engine(&cli::Host::Reference, StorageDriver::Auto, 0).await?;
    let mut tenancy = Tenancy::open(&engine, &description.id, "claims", None, &progress)?;
    let missing: BTreeSet<System> = image::systems(&cache_folder(), false).into_iter().collect();
    let seed = args.seed.unwrap_or_else(draw_seed);
    let wanted = wanted(args.engine, claims, &missing);
    let dir = args.out.join(tenancy.run_id());
    let tested = match tenancy.prepare(&place, &wanted, &BTreeSet::new(), seed, interrupt.clone()).await {
        Ok(Some(host)) => {
            let setting = Setting {
                host: &cli::Host::Reference,
                registry: None,
                host_label: args.host_label.as_deref(),
                precision: None,
                wait_for_quiet: WAIT_FOR_QUIET,
            };
            let (user, measured) = (description, BTreeMap::new());
            let interrupt = interrupt.clone();
            let mut test = Test { setting, tenancy, user, host, dir: dir.clone(), seed, missing, interrupt, measured };
            let tested = test.watched(claims, &progress).await;
            tenancy = test.tenancy;
            tested
        }
        Ok(None) => Ok((Vec::new(), Vec::new())),
        Err(failure) => Err(failure),
    };
    progress.phase("removing what was created");
    let closed = tenancy.close().await;
    progress.end();
    let (findings, changed) = tested?;
    closed?;
    changed.iter().for_each(|line| notice(format_args!("the host is not what it was: {line}")));
    let interrupted = *interrupt.borrow();
    Ok(Tested { dir, findings, changed, interrupted })
}

/// What the arms of all claims take. What was not built is left out, and its arms say so.
fn wanted(outer: EngineVersion, claims: &[Claim], missing: &BTreeSet<System>) -> Wanted<'static> {
    let topologies: Vec<Topology> = claims.iter().flat_map(topologies).collect();
    let kinds = || topologies.iter().map(|topology| &topology.kind);
    let built = |system: System| !missing.contains(&system);
    Wanted {
        outer,
        inner: kinds()
            .filter(|kind| matches!(kind, Kind::Dind(_)))
            .map(Kind::engine)
            .filter(|version| *version == EngineVersion::Auto || built(System::Engine(*version)))
            .collect(),
        proxy: built(System::Proxy) && kinds().any(|kind| *kind == Kind::SocketProxy),
        podman: built(System::Podman) && kinds().any(|kind| kind.tool().is_some()),
        carry: &[],
    }
}

fn topologies(claim: &Claim) -> Vec<Topology> {
    match &claim.procedure {
        Procedure::Script(script) => script.arms.iter().map(|arm| arm.topology.clone()).collect(),
        Procedure::Measured(measured) => scenario_of(measured).topologies,
        Procedure::None { .. } | Procedure::Lab { .. } | Procedure::Umbrella(_) => Vec::new(),
    }
}

fn scenario_of(measured: &Measured) -> Scenario {
    claim::measured_scenario(&measured.scenario).expect("a claim names a scenario that is there, which is checked")
}

impl Test<'_> {
    /// Tests the claims between two looks at the user's engine and its machine; returns also what differs between them.
    async fn watched(
        &mut self,
        claims: &[Claim],
        progress: &Progress,
    ) -> Result<(Vec<FindingRow>, Vec<String>), Failure> {
        let watch = self.host.watch(&mut self.tenancy.journal).await.map_err(could_not_run)?;
        let before = watch.look().await.map_err(could_not_run)?;
        let findings = self.all(claims, progress).await;
        let after = watch.look().await.map_err(could_not_run)?;
        watch.end().await.map_err(could_not_run)?;
        Ok((findings?, differences(&before, &after)))
    }

    async fn all(&mut self, claims: &[Claim], progress: &Progress) -> Result<Vec<FindingRow>, Failure> {
        let record = self.record();
        progress.warn_all(&record.warnings);
        let mut writer = ClaimsWriter::create(&self.dir, &record).map_err(could_not_run)?;
        let mut findings: Vec<FindingRow> = Vec::new();
        // Those that rest on others come last.
        let (umbrellas, own): (Vec<_>, Vec<_>) =
            claims.iter().partition(|claim| matches!(claim.procedure, Procedure::Umbrella(_)));
        progress.begin_claims(claims.len());
        for claim in own.into_iter().chain(umbrellas) {
            if *self.interrupt.borrow() {
                break;
            }
            progress.claim(&claim.id);
            let (began, mut evidence) = (Instant::now(), String::new());
            let judgement = self.judge(claim, &findings, &mut evidence).await?;
            if *self.interrupt.borrow() {
                break;
            }
            let place = if evidence.is_empty() {
                String::new()
            } else {
                writer.evidence(&claim.id, &headed(claim, &judgement, &evidence)).map_err(could_not_run)?
            };
            let row = self.row(claim, judgement, place, began.elapsed());
            writer.finding(&row).map_err(could_not_run)?;
            progress.found(&row.claim, row.verdict, row.reason.as_str());
            findings.push(row);
        }
        let order = |row: &FindingRow| claims.iter().position(|claim| claim.id == row.claim);
        findings.sort_by_key(order);
        Ok(findings)
    }

    fn record(&self) -> ClaimsRecord {
        ClaimsRecord {
            schema: SCHEMA,
            run_id: self.tenancy.run_id().to_owned(),
            host: host_name(self.setting.host_label, &self.user),
            started_at: now(),
            command_line: std::env::args().collect(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: env!("DINDBENCH_REVISION").to_owned(),
            seed: self.seed,
            warnings: description::warnings(&self.setting, None, &self.host),
            environment: environment(&self.setting, &self.tenancy, &self.user, &self.host),
        }
    }

    fn row(&self, claim: &Claim, judgement: Judgement, evidence: String, elapsed: Duration) -> FindingRow {
        let outer = &self.host.learnt.outer;
        let paragraphs: Vec<String> = claim.paragraphs.iter().map(u32::to_string).collect();
        FindingRow {
            schema: SCHEMA,
            run_id: self.tenancy.run_id().to_owned(),
            host: host_name(self.setting.host_label, &self.user),
            claim: claim.id.clone(),
            digest: claim.digest.clone(),
            paragraphs: paragraphs.join(";"),
            statement: Text::from(claim.statement.as_str()),
            rule: Text::from(claim.rule.as_str()),
            comment: Text::from(claim.comment.as_str()),
            engine_version: outer.version.clone(),
            storage_driver: outer.storage_driver.clone(),
            kernel: self.user.kernel.clone(),
            verdict: judgement.verdict,
            reason: Text::from(judgement.reason.as_str()),
            expected: claim.expected(&outer.version),
            elapsed_ns: as_nanos(elapsed),
            evidence,
        }
    }

    /// # Errors
    /// The host is lost: no other claim could be tested on it.
    async fn judge(
        &mut self,
        claim: &Claim,
        findings: &[FindingRow],
        evidence: &mut String,
    ) -> Result<Judgement, Failure> {
        let not_testable = |reason: String| Judgement { verdict: Verdict::NotTestable, reason };
        Ok(match &claim.procedure {
            Procedure::None { reason } => not_testable(reason.clone()),
            Procedure::Lab { lacks } => not_testable(format!(
                "it takes {lacks}; {}, and the lab's virtual machine is not built yet",
                self.security_modules()
            )),
            Procedure::Umbrella(umbrella) => {
                umbrella.judge(|id| findings.iter().find(|row| row.claim == id).map(|row| row.verdict))
            }
            Procedure::Script(script) => self.scripts(claim, script, evidence).await?,
            Procedure::Measured(measured) => self.measured(measured, evidence).await?,
        })
    }

    fn security_modules(&self) -> String {
        let options = &self.user.security_options;
        if options.is_empty() {
            "the engine here names no security option".to_owned()
        } else {
            format!("the engine here names the security options {}", options.join(", "))
        }
    }

    async fn scripts(&mut self, claim: &Claim, script: &Script, evidence: &mut String) -> Result<Judgement, Failure> {
        let Self { host, tenancy, missing, .. } = self;
        let mut site = Site { host, journal: &mut tenancy.journal, missing };
        let mut interrupt = self.interrupt.clone();
        let tried = tokio::select! {
            tried = claim::tried(&mut site, &claim.id, script, &claim.needs, evidence) => tried,
            // The containers go with the run: what was tried so far is of no use.
            _ = interrupt.wait_for(|interrupted| *interrupted) => return Ok(undone()),
        };
        Ok(judge(&tried.map_err(could_not_run)?))
    }

    async fn measured(&mut self, measured: &Measured, evidence: &mut String) -> Result<Judgement, Failure> {
        let name = &measured.scenario;
        let scenario = scenario_of(measured);
        if let Some(reason) = claim::too_narrow(measured, scenario.sequence.blocks) {
            return Ok(Judgement { verdict: Verdict::NotTestable, reason });
        }
        if !self.measured.contains_key(name) {
            let observed = self.measure(&scenario).await?;
            self.measured.insert(name.clone(), observed);
        }
        let observed = &self.measured[name];
        if let Ok(arms) = observed {
            evidence.push_str(&verdicts::observations(name, arms));
        }
        let tried: Vec<Tried> = measured
            .arms
            .iter()
            .map(|arm| Tried {
                arm: arm.topology.clone(),
                control: arm.control,
                holds: arm.holds.clone(),
                observed: match observed {
                    Ok(arms) => Observed::Repetitions(arms.get(&arm.topology).cloned().into_iter().collect()),
                    Err(how) => Observed::Absent(how.clone()),
                },
            })
            .collect();
        Ok(judge(&tried))
    }

    /// Runs a scenario into a run directory of its own below this one, and says what its topologies showed, or why it
    /// cannot be run here.
    async fn measure(
        &mut self,
        scenario: &Scenario,
    ) -> Result<Result<BTreeMap<String, Observations>, String>, Failure> {
        let plan = Plan::new(scenario, scenario.sequence.blocks, self.seed);
        let record = description::record(&self.setting, scenario, &plan, &self.tenancy, &self.user, &self.host);
        let dir = self.dir.join("measured").join(&scenario.name);
        let mut writer = Writer::create(&dir, &record).map_err(could_not_run)?;
        let ledger = Ledger::new(&mut writer, scenario, &record.run_id, &record.host);
        let mut executor = DockerExecutor::new(scenario, &mut self.tenancy.journal, &mut self.host);
        let runner = Runner::new(scenario, &mut executor, ledger, self.interrupt.clone(), |_| {});
        runner.guarded(WAIT_FOR_QUIET).run(&plan).await.map_err(could_not_run)?;
        Ok(observed(&dir))
    }
}

fn observed(dir: &Path) -> Result<BTreeMap<String, Observations>, String> {
    let run = RunDir::open(dir).map_err(|error| error.to_string())?;
    claim::observe(&run).map_err(|error| error.to_string())
}

fn undone() -> Judgement {
    Judgement { verdict: Verdict::Undecided, reason: "interrupted".to_owned() }
}

/// Evidence with what it is evidence of.
fn headed(claim: &Claim, judgement: &Judgement, evidence: &str) -> String {
    format!(
        "# {}: {}\n\n{}: {}\n\nRule: {}\n{evidence}",
        claim.id, claim.statement, judgement.verdict, judgement.reason, claim.rule
    )
}
