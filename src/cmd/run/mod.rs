//! `dindbench run`: measures scenarios, each into a run directory of its own, and reports.

mod results;
mod shared;

use std::path::Path;

use tokio::sync::watch;

use super::connect::{self, Connected};
use super::description::{self, Setting};
use super::progress::Progress;
use super::tenancy::Tenancy;
use super::{
    Exit, Failure, could_not_run, interrupt, notice, plan, precise, print, runtime, tell_left, terminal_width,
};
use crate::analysis::Analysis;
use crate::cli::{Format, RunArgs};
use crate::image::Wanted;
use crate::plan::Plan;
use crate::record::{RunDir, Writer};
use crate::report;
use crate::runner::{DockerExecutor, Ledger, Runner, Tally};
use crate::scenario::{Kind, Scenario};
use crate::stats::looks;
use crate::topology::Host;

pub fn run(args: &RunArgs) -> Result<Exit, Failure> {
    let seed = args.design.seed.unwrap_or_else(crate::plan::draw_seed);
    let mut prepared = Vec::new();
    for name in &args.scenarios {
        let (mut scenario, plan) = plan::prepare(name, &args.design, seed)?;
        scenario.job.driver = args.driver.unwrap_or(scenario.job.driver);
        scenario.job.builder = args.builder.unwrap_or(scenario.job.builder);
        if let Some(refusal) = shared::refusal(args, &scenario) {
            return Err(Failure::usage(refusal));
        }
        if let Some(refusal) = results::in_context(&args.out, &scenario) {
            return Err(Failure::usage(refusal));
        }
        prepared.push((scenario, plan));
    }
    if args.dry_run {
        let outlines: Vec<String> = prepared.iter().map(|(scenario, plan)| plan::outline(scenario, plan)).collect();
        return print(outlines.join("\n").as_bytes());
    }
    let exits = runtime()?.block_on(async {
        let interrupt = interrupt::watch().map_err(could_not_run)?;
        let mut exits = Vec::new();
        for (scenario, plan) in &prepared {
            exits.push(measure(args, scenario, plan, interrupt.clone()).await?);
            if *interrupt.borrow() {
                break;
            }
        }
        Ok::<_, Failure>(exits)
    })?;
    let worst = [Exit::Interrupted, Exit::Incomplete].into_iter().find(|exit| exits.contains(exit));
    Ok(worst.unwrap_or(Exit::Done))
}

/// Runs one scenario from the engine's first ping to the report.
async fn measure(
    args: &RunArgs,
    scenario: &Scenario,
    plan: &Plan,
    interrupt: watch::Receiver<bool>,
) -> Result<Exit, Failure> {
    let progress = Progress::new();
    let Connected { engine, description, place } =
        connect::engine(&args.host, args.storage_driver, shared::buildkit_builds(scenario)).await?;
    let mut tenancy = Tenancy::open(&engine, &description.id, &scenario.name, args.registry.clone(), &progress)?;
    let wanted = Wanted {
        outer: args.engine,
        inner: scenario.engines(),
        proxy: scenario.topologies.iter().any(|topology| topology.kind == Kind::SocketProxy),
        podman: scenario.topologies.iter().any(|topology| topology.kind.tool().is_some()),
        carry: &scenario.job.carry,
    };
    let prepared = tenancy.prepare(&place, &wanted, &scenario.file_systems(), plan.seed, interrupt.clone()).await;
    let measured = match prepared {
        Ok(Some(mut host)) => {
            let record = description::record(&Setting::of(args), scenario, plan, &tenancy, &description, &host);
            let dir = args.out.join(tenancy.run_id());
            let written = Writer::create(&dir, &record).map_err(could_not_run);
            let tally = match written {
                Ok(mut writer) => {
                    progress.warn_all(&record.warnings);
                    progress.begin(plan.trials());
                    let ledger = Ledger::new(&mut writer, scenario, &record.run_id, &record.host);
                    let mut executor = DockerExecutor::new(scenario, &mut tenancy.journal, &mut host);
                    let runner = Runner::new(scenario, &mut executor, ledger, interrupt, |event| progress.tell(&event));
                    let runner = runner.within(args.time_limit);
                    let guarded = !args.wait_for_quiet.is_zero();
                    let runner = if guarded { runner.guarded(args.wait_for_quiet) } else { runner };
                    let runner = runner.until(|blocks| enough(args, plan, &dir, blocks));
                    runner.run(plan).await.map_err(could_not_run)
                }
                Err(failure) => Err(failure),
            };
            withdraw(&mut host, &progress).await;
            tally.map(|tally| Some((dir, tally)))
        }
        Ok(None) => Ok(None),
        Err(failure) => Err(failure),
    };
    progress.phase("removing what was created");
    let closed = tenancy.close().await;
    progress.end();
    let measured = measured?;
    closed?;
    let Some((dir, tally)) = measured else { return Ok(Exit::Interrupted) };
    tell_left(tally.unclear_records);
    if tally.left_out > 0 {
        notice(format_args!("the time limit left no time for {} of {} blocks", tally.left_out, plan.blocks.len()));
    }
    if tally.unneeded > 0 {
        notice(format_args!("precise enough without {} of {} blocks", tally.unneeded, plan.blocks.len()));
    }
    conclude(args, &dir, tally)
}

/// Whether this is one of the looks that were fixed beforehand, and shows enough.
fn enough(args: &RunArgs, plan: &Plan, dir: &Path, blocks: u32) -> bool {
    let Some(goal) = args.design.precision else { return false };
    let last = plan.blocks.last().map_or(0, |block| block.index);
    looks(last).any(|look| look == blocks) && precise(dir, goal.fraction())
}

/// Takes back what was put into a registry that others run, and says what stays there.
async fn withdraw(host: &mut Host, progress: &Progress) {
    match host.withdraw().await {
        Ok(()) => host.lasting().into_iter().for_each(|upstream| progress.warn(&description::lasting(upstream))),
        Err(error) => progress.warn(&format!("what this run put into the registry may still be there: {error}")),
    }
}

/// Reports from the files alone, as `dindbench report` would, and says where they are.
fn conclude(args: &RunArgs, dir: &Path, tally: Tally) -> Result<Exit, Failure> {
    let run = RunDir::open(dir).map_err(could_not_run)?;
    let analysis = Analysis::of(&run).map_err(could_not_run)?;
    super::report::write(&run, &analysis, dir, &[])?;
    match args.format {
        Format::Table => {
            let width = terminal_width();
            let sentences: Vec<String> = report::answer(&analysis)
                .iter()
                .map(|sentence| format!("{}: {}", sentence.effect, sentence.text))
                .collect();
            let table = report::table::terminal(&analysis, width);
            print(format!("{}\n\n{table}\n{}\n", sentences.join("\n"), dir.display()).as_bytes())?;
        }
        Format::Json => {
            let object = serde_json::json!({
                "run": dir, "trials": tally.trials, "spoiled": tally.spoiled, "left_out": tally.left_out,
                "unneeded": tally.unneeded, "interrupted": tally.interrupted,
            });
            print(format!("{object}\n").as_bytes())?;
        }
    }
    Ok(match tally {
        Tally { interrupted: true, .. } => Exit::Interrupted,
        Tally { spoiled: 0, .. } => Exit::Done,
        Tally { .. } => Exit::Incomplete,
    })
}
