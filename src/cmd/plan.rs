//! `dindbench plan`: what would run, and in which order.

use std::fmt::Write;

use super::forecast::forecast;
use super::{Exit, Failure, print};
use crate::cli::{DesignArgs, Percent, PlanArgs, Preset};
use crate::plan::{Block, Plan, draw_seed};
use crate::scenario::{ImageRef, Scenario, Step, load};

pub fn run(args: &PlanArgs) -> Result<Exit, Failure> {
    let seed = args.design.seed.unwrap_or_else(draw_seed);
    let (scenario, plan) = prepare(&args.scenario, &args.design, seed)?;
    let blocks = u32::try_from(plan.blocks.len()).unwrap_or(u32::MAX);
    let forecast = forecast(&scenario, blocks, args.design.precision.map(Percent::fraction));
    print(format!("{}\n{forecast}", outline(&scenario, &plan)).as_bytes())
}

/// What a command line makes of a scenario that it names: the topologies it asks for, and the order of their trials.
pub fn prepare(scenario: &str, design: &DesignArgs, seed: u64) -> Result<(Scenario, Plan), Failure> {
    let mut scenario = load(scenario)?;
    if !design.only.is_empty() {
        scenario = scenario.only(&design.only)?;
    }
    if design.preset == Some(Preset::Full) {
        scenario = scenario.with_controls();
    }
    let blocks = design.blocks().unwrap_or(scenario.sequence.blocks);
    let plan = Plan::new(&scenario, blocks, seed);
    Ok((scenario, plan))
}

/// The plan for people: the question, the arms, what each job does, and the order of every block.
pub fn outline(scenario: &Scenario, plan: &Plan) -> String {
    let mut text = format!("{}: {}\n", scenario.name, scenario.question);
    let mut section = |title: &str, rows: Vec<Vec<String>>| {
        if !rows.is_empty() {
            // Writing to a string does not fail.
            let _ = write!(text, "\n{title}\n{}", aligned(&rows));
        }
    };
    let job = &scenario.job;
    section(&format!("topologies, compared to {}", scenario.baseline), topologies(scenario));
    section(&format!("steps of every job, driver {}, builder {}", job.driver, job.builder), steps(scenario));
    section("edits before each job", edits(scenario));
    section("expected cached instructions", expectations(scenario));
    section(
        &format!("order of each block, seed {}", plan.seed),
        plan.blocks.iter().map(|b| order(scenario, b)).collect(),
    );
    let (blocks, trials, jobs) = (plan.blocks.len() - 1, plan.trials(), scenario.sequence.jobs);
    let _ = write!(text, "\n{trials} trials; jobs in each: {jobs}; measured blocks: {blocks}, and the warm-up\n");
    text
}

fn topologies(scenario: &Scenario) -> Vec<Vec<String>> {
    let row = |topology: &crate::scenario::Topology| {
        vec![topology.name.clone(), topology.kind.word().to_owned(), topology.parameters()]
    };
    scenario.topologies.iter().map(row).collect()
}

fn steps(scenario: &Scenario) -> Vec<Vec<String>> {
    let row = |(index, step): (usize, &Step)| {
        let (op, what) = match step {
            Step::Pull { image } => ("pull", image_word(image)),
            Step::Build(build) => {
                let args: String = build.args.iter().map(|(key, value)| format!(" {key}={value:?}")).collect();
                ("build", format!("{} {}{args}", build.context.word(), build.file))
            }
            Step::Run { image, command } => ("run", format!("{} {command:?}", image_word(image))),
            Step::Push { image } => ("push", image.clone()),
        };
        vec![scenario.job.step_name(index), op.to_owned(), what]
    };
    scenario.job.steps.iter().enumerate().map(row).collect()
}

fn image_word(image: &ImageRef) -> String {
    match image {
        ImageRef::Fixture(name) => format!("fixture:{name}"),
        ImageRef::Built(tag) => tag.clone(),
    }
}

fn edits(scenario: &Scenario) -> Vec<Vec<String>> {
    let sequence = &scenario.sequence;
    (1..=sequence.jobs.get()).map(|job| vec![format!("job {job}"), sequence.edit(job).to_string()]).collect()
}

fn expectations(scenario: &Scenario) -> Vec<Vec<String>> {
    let row = |expectation: &crate::scenario::Expectation| {
        let cached = expectation.instructions_cached.to_string();
        let step = scenario.job.step_name(expectation.step);
        vec![expectation.topology.clone(), format!("job {}", expectation.job), step, cached]
    };
    scenario.expectations.iter().map(row).collect()
}

fn order(scenario: &Scenario, block: &Block) -> Vec<String> {
    let label = if block.warmup() { "warm-up".to_owned() } else { block.index.to_string() };
    let names = block.order.iter().map(|topology| scenario.topologies[*topology].name.clone());
    std::iter::once(label).chain(names).collect()
}

/// Rows with every column as wide as its widest cell.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("  {}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
