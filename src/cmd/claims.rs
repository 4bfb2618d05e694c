//! `dindbench claims`: tests the ledger's claims on a reference host, or lists them.

mod book;
mod lane;
mod verdicts;
mod watches;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::sync::watch;

use self::book::Book;
use self::lane::Lane;
use self::watches::Watches;
use super::connect::{self, Connected};
use super::description::Setting;
use super::progress::Progress;
use super::{Exit, Failure, could_not_run, interrupt, notice, print, runtime, terminal_width};
use crate::claim::{self, Claim, Kernel, Measured, Procedure};
use crate::cli::{ClaimHost, ClaimsArgs};
use crate::image::{self, System, Wanted};
use crate::journal::cache_folder;
use crate::plan::draw_seed;
use crate::record::{ClaimsDir, ClaimsWriter, FindingRow};
use crate::report;
use crate::scenario::{EngineVersion, Kind, Scenario, StorageDriver, Topology};

/// Hosts on which scripts are executed at a time.
const LANES: usize = 3;

/// How long a trial of a measured claim waits for a quiet machine.
const WAIT_FOR_QUIET: Duration = Duration::from_secs(60);

/// What cannot be tested as it was asked for.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum Refusal {
    #[error("{id:?} is no claim of the ledger")]
    #[diagnostic(help("`dindbench claims --list` tells all of them"))]
    Unknown { id: String },
    #[error("{id} is not tested in the lab: a reference host decides it")]
    #[diagnostic(help("leave --host lab out"))]
    NotOfTheLab { id: String },
    #[error("the lab's machines have an engine of their own, and --engine {version} asks for another one")]
    #[diagnostic(help("leave --engine out, or --host lab"))]
    Engine { version: EngineVersion },
}

pub fn run(args: &ClaimsArgs) -> Result<Exit, Failure> {
    let claims = selected(&args.ids, &args.host).map_err(Failure::usage)?;
    if args.host == ClaimHost::Lab && args.engine != EngineVersion::Auto {
        return Err(Failure::usage(Refusal::Engine { version: args.engine }));
    }
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

/// The claims that are asked for, in the ledger's order, with those that they rest on; in the lab those that need it.
fn selected(ids: &[String], host: &ClaimHost) -> Result<Vec<Claim>, Refusal> {
    let mut ledger = claim::ledger();
    let known = |ledger: &[Claim], id: &String| ledger.iter().any(|claim| claim.id.eq_ignore_ascii_case(id));
    if let Some(id) = ids.iter().find(|id| !known(&ledger, id)) {
        return Err(Refusal::Unknown { id: id.clone() });
    }
    if *host == ClaimHost::Lab {
        ledger.retain(|claim| matches!(claim.procedure, Procedure::Lab(_)));
        if let Some(id) = ids.iter().find(|id| !known(&ledger, id)) {
            return Err(Refusal::NotOfTheLab { id: id.clone() });
        }
    }
    let asked = |claim: &Claim| ids.is_empty() || ids.iter().any(|id| claim.id.eq_ignore_ascii_case(id));
    let mut wanted: BTreeSet<String> =
        ledger.iter().filter(|claim| asked(claim)).map(|claim| claim.id.clone()).collect();
    // A claim that rests on others can be one of those itself.
    while let Some(more) = ledger.iter().filter(|claim| wanted.contains(&claim.id)).find_map(|claim| {
        let Procedure::Umbrella(umbrella) = &claim.procedure else { return None };
        umbrella.members().iter().map(|member| &member.claim).find(|id| !wanted.contains(*id)).cloned()
    }) {
        wanted.insert(more);
    }
    Ok(ledger.into_iter().filter(|claim| wanted.contains(&claim.id)).collect())
}

/// A test of claims that has ended.
struct Tested {
    dir: PathBuf,
    findings: Vec<FindingRow>,
    /// In what the engines and their machines are not what they were.
    changed: Vec<String>,
    interrupted: bool,
}

/// What the tests of all claims share.
struct Context<'a> {
    setting: Setting<'a>,
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
    let missing: BTreeSet<System> = image::systems(&cache_folder(), false).into_iter().collect();
    let setting = Setting {
        host: args.host.clone(),
        registry: None,
        host_label: args.host_label.as_deref(),
        precision: None,
        wait_for_quiet: WAIT_FOR_QUIET,
    };
    let wanted = wanted(args.engine, claims, &missing);
    let seed = args.seed.unwrap_or_else(draw_seed);
    let mut context = Context { setting, dir: PathBuf::new(), seed, missing, interrupt, progress: &progress };
    let (mut lanes, failed) = opened(places(&args.host, claims).await?, &wanted, &context).await;
    let mut tested = failed.map_or(Ok((Vec::new(), Vec::new())), Err);
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

/// Lanes that are open, and why one of the others is not. The first is opened alone: what it packs the others find in the
/// cache.
async fn opened<'a>(
    places: Vec<(Connected, Option<Kernel>)>,
    wanted: &Wanted<'_>,
    context: &Context<'a>,
) -> (Vec<Lane<'a>>, Option<Failure>) {
    let open = |(connected, kernel)| Lane::open(connected, kernel, wanted, context);
    let mut places = places.into_iter();
    let mut results = join_all(places.next().map(open)).await;
    if results.iter().all(Result::is_ok) {
        results.extend(join_all(places.map(open)).await);
    }
    let (mut lanes, mut failed) = (Vec::new(), None);
    for result in results {
        match result {
            Ok(lane) => lanes.push(lane),
            Err(failure) => failed = failed.or(Some(failure)),
        }
    }
    (lanes, failed)
}

/// The engines on which lanes are opened, one a lane, in the lab with the kernels that they are on.
async fn places(host: &ClaimHost, claims: &[Claim]) -> Result<Vec<(Connected, Option<Kernel>)>, Failure> {
    match host {
        ClaimHost::Engine(host) => {
            let connected = connect::engine(host, StorageDriver::Auto, 0).await?;
            Ok(vec![(connected, None); lanes_for(claims)])
        }
        ClaimHost::Lab => {
            let mut machines = Vec::new();
            for kernel in kernels(claims) {
                machines.push((connect::lab(kernel).await?, Some(kernel)));
            }
            Ok(machines)
        }
    }
}

/// Those that the arms of the lab's claims ask for.
fn kernels(claims: &[Claim]) -> BTreeSet<Kernel> {
    let labs = claims.iter().filter_map(|claim| match &claim.procedure {
        Procedure::Lab(lab) => Some(lab),
        _ => None,
    });
    labs.flat_map(|lab| lab.arms.iter().map(|arm| arm.kernel)).collect()
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
        Procedure::None { .. } | Procedure::Lab(_) | Procedure::Umbrella(_) => Vec::new(),
    }
}

fn scenario_of(measured: &Measured) -> Scenario {
    claim::measured_scenario(&measured.scenario).expect("a claim names a scenario that is there, which is checked")
}

/// Tests the claims between two looks at every engine in use and its machine; returns also what differs between them.
async fn watched(
    context: &Context<'_>,
    lanes: &mut [Lane<'_>],
    claims: &[Claim],
) -> Result<(Vec<FindingRow>, Vec<String>), Failure> {
    let watches = Watches::start(lanes).await?;
    let findings = all(context, lanes, &watches, claims).await;
    // What was under way when it was interrupted goes with the run, and is there still.
    let changed = if context.interrupted() { Vec::new() } else { watches.changes().await? };
    watches.end().await?;
    Ok((findings?, changed))
}

/// What is measured comes first, and then the scripts that times decide, with the machine to themselves. The other scripts wait
/// more than they compute and are executed on several hosts at a time; what rests on others comes last.
async fn all(
    context: &Context<'_>,
    lanes: &mut [Lane<'_>],
    watches: &Watches,
    claims: &[Claim],
) -> Result<Vec<FindingRow>, Failure> {
    let record = lanes[0].record(context);
    context.progress.warn_all(&record.warnings);
    let writer = ClaimsWriter::create(&context.dir, &record).map_err(could_not_run)?;
    context.progress.begin_claims(claims.len());
    let book = RefCell::new(Book::new(context, &lanes[0], writer));
    let (mut timed, mut scripts) = (VecDeque::new(), VecDeque::new());
    let mut measured = BTreeMap::new();
    for claim in claims {
        match &claim.procedure {
            Procedure::Script(script) if script.is_timed() => timed.push_back((claim, script)),
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
            Procedure::Lab(lab) if context.setting.host == ClaimHost::Lab => {
                if context.interrupted() {
                    continue;
                }
                context.progress.claim(&claim.id);
                let (began, mut evidence) = (Instant::now(), String::new());
                if let Some(judgement) = watches.lab(context, lab, &mut evidence).await {
                    book.borrow_mut().enter(claim, judgement, &evidence, began.elapsed())?;
                }
            }
            Procedure::Lab(lab) => {
                let modules = watches.security_modules().await;
                let reason = format!(
                    "it takes {}, which the lab has (--host lab); security modules that are active here: {modules}",
                    lab.lacks
                );
                book.borrow_mut().enter_untestable(claim, reason)?;
            }
        }
    }
    lanes[0].work(context, &RefCell::new(timed), &book).await?;
    let queue = RefCell::new(scripts);
    let ended = join_all(lanes.iter_mut().map(|lane| lane.work(context, &queue, &book))).await;
    ended.into_iter().collect::<Result<(), Failure>>()?;
    let mut book = book.into_inner();
    if !context.interrupted() {
        for claim in claims {
            if let Procedure::Umbrella(umbrella) = &claim.procedure {
                let judgement = umbrella.judge(|id| book.judgement(id));
                book.enter(claim, judgement, "", Duration::ZERO)?;
            }
        }
    }
    let order = |row: &FindingRow| claims.iter().position(|claim| claim.id == row.claim);
    book.findings.sort_by_key(order);
    Ok(book.findings)
}
