//! `dindbench claims`: tests the ledger's claims on a reference host, or lists them.

mod book;
mod lane;
mod verdicts;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::watch;

use self::book::Book;
use self::lane::Lane;
use super::connect::{self, Connected};
use super::description::Setting;
use super::progress::Progress;
use super::{Exit, Failure, could_not_run, interrupt, notice, print, runtime, terminal_width};
use crate::claim::{self, Claim, Measured, Procedure};
use crate::cli::{self, ClaimsArgs};
use crate::engine::Description;
use crate::image::{self, System, Wanted};
use crate::journal::cache_folder;
use crate::plan::draw_seed;
use crate::record::{ClaimsDir, ClaimsWriter, FindingRow};
use crate::report;
use crate::scenario::{EngineVersion, Kind, Scenario, StorageDriver, Topology};
use crate::topology::differences;

/// Hosts on which scripts are executed at a time.
const LANES: usize = 2;

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

/// What the tests of all claims share.
struct Context<'a> {
    setting: Setting<'a>,
    user: Description,
    dir: PathBuf,
    seed: u64,
    /// Systems that were not built on this machine.
    missing: BTreeSet<System>,
    interrupt: watch::Receiver<bool>,
    progress: &'a Progress,
}

impl Context<'_> {
    fn interrupted(&self) -> bool {
        *self.interrupt.borrow()
    }
}

/// Tests the claims on hosts that are thrown away, and looks before and after whether anything else has changed.
async fn test(args: &ClaimsArgs, claims: &[Claim]) -> Result<Tested, Failure> {
    let progress = Progress::new();
    let interrupt = interrupt::watch().map_err(could_not_run)?;
    let Connected { engine, description, place } =
        connect::engine(&cli::Host::Reference, StorageDriver::Auto, 0).await?;
    let missing: BTreeSet<System> = image::systems(&cache_folder(), false).into_iter().collect();
    let setting = Setting {
        host: &cli::Host::Reference,
        registry: None,
        host_label: args.host_label.as_deref(),
        precision: None,
        wait_for_quiet: WAIT_FOR_QUIET,
    };
    let seed = args.seed.unwrap_or_else(draw_seed);
    let wanted = wanted(args.engine, claims, &missing);
    let mut context =
        Context { setting, user: description, dir: PathBuf::new(), seed, missing, interrupt, progress: &progress };
    let (mut lanes, mut tested) = (Vec::new(), Ok((Vec::new(), Vec::new())));
    for _ in 0..lanes_for(claims) {
        match Lane::open(&engine, &place, &wanted, &context).await {
            Ok(lane) => lanes.push(lane),
            Err(failure) => {
                tested = Err(failure);
                break;
            }
        }
    }
    if let Some(first) = lanes.first() {
        context.dir = args.out.join(first.tenancy.run_id());
    }
    if tested.is_ok() && lanes.iter().all(|lane| lane.host.is_some()) {
        tested = watched(&context, &mut lanes, claims).await;
    }
    progress.phase("removing what was created");
    let mut closed = Ok(());
    for lane in lanes {
        closed = closed.and(lane.tenancy.close().await);
    }
    progress.end();
    let (findings, changed) = tested?;
    closed?;
    changed.iter().for_each(|line| notice(format_args!("the host is not what it was: {line}")));
    let interrupted = context.interrupted();
    Ok(Tested { dir: context.dir, findings, changed, interrupted })
}

/// A few claims are not worth a second host.
fn lanes_for(claims: &[Claim]) -> usize {
    let scripts = claims.iter().filter(|claim| matches!(claim.procedure, Procedure::Script(_))).count();
    if scripts > 3 { LANES } else { 1 }
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

/// Tests the claims between two looks at the user's engine and its machine; returns also what differs between them.
async fn watched(
    context: &Context<'_>,
    lanes: &mut [Lane<'_>],
    claims: &[Claim],
) -> Result<(Vec<FindingRow>, Vec<String>), Failure> {
    let watch = lanes[0].watch().await?;
    let before = watch.look().await.map_err(could_not_run)?;
    let findings = all(context, lanes, claims).await;
    if context.interrupted() {
        // What was under way goes with the run, and is there still.
        watch.end().await.map_err(could_not_run)?;
        return Ok((findings?, Vec::new()));
    }
    let after = watch.look().await.map_err(could_not_run)?;
    watch.end().await.map_err(could_not_run)?;
    Ok((findings?, differences(&before, &after)))
}

/// What is measured comes first, with the machine to itself; scripts wait more than they compute and are executed on several
/// hosts at a time; what rests on others comes last.
async fn all(context: &Context<'_>, lanes: &mut [Lane<'_>], claims: &[Claim]) -> Result<Vec<FindingRow>, Failure> {
    let record = lanes[0].record(context);
    context.progress.warn_all(&record.warnings);
    let writer = ClaimsWriter::create(&context.dir, &record).map_err(could_not_run)?;
    context.progress.begin_claims(claims.len());
    let book = RefCell::new(Book::new(context, &lanes[0], writer));
    let mut scripts = VecDeque::new();
    let mut measured = BTreeMap::new();
    for claim in claims {
        match &claim.procedure {
            Procedure::Script(script) => scripts.push_back((claim, script)),
            Procedure::Measured(wanted) if !context.interrupted() => {
                let (began, mut evidence) = (Instant::now(), String::new());
                let judgement = lanes[0].measured(context, wanted, &mut measured, &mut evidence).await?;
                if !context.interrupted() {
                    book.borrow_mut().enter(claim, judgement, &evidence, began.elapsed())?;
                }
            }
            Procedure::Measured(_) | Procedure::Umbrella(_) => {}
            Procedure::None { reason } => book.borrow_mut().enter_untestable(claim, reason.clone())?,
            Procedure::Lab { lacks } => {
                let modules = security_modules(&context.user);
                let reason = format!("it takes {lacks}; {modules}, and the lab's virtual machine is not built yet");
                book.borrow_mut().enter_untestable(claim, reason)?;
            }
        }
    }
    let queue = RefCell::new(scripts);
    let ended = join_all(lanes.iter_mut().map(|lane| lane.work(context, &queue, &book))).await;
    ended.into_iter().collect::<Result<(), Failure>>()?;
    let mut book = book.into_inner();
    if !context.interrupted() {
        for claim in claims {
            if let Procedure::Umbrella(umbrella) = &claim.procedure {
                let judgement = umbrella.judge(|id| book.verdict(id));
                book.enter(claim, judgement, "", Duration::ZERO)?;
            }
        }
    }
    let order = |row: &FindingRow| claims.iter().position(|claim| claim.id == row.claim);
    book.findings.sort_by_key(order);
    Ok(book.findings)
}

fn security_modules(user: &Description) -> String {
    let options = &user.security_options;
    if options.is_empty() {
        "the engine here names no security option".to_owned()
    } else {
        format!("the engine here names the security options {}", options.join(", "))
    }
}
