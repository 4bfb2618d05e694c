//! How often the intervals of ratios hold the truth: runs of a simulated machine, in the planner's order and in sequence.
//!
//! `cargo bench --bench coverage`; needs no engine. See `docs/methodology.md`.

mod cargo;
mod published;
mod simulation;

use std::path::PathBuf;
use std::process::ExitCode;

use cargo::Cargo;
use clap::Parser;
use dindbench::record::RunDir;
use simulation::{Blocks, Cell, Drifting, Machine, Order, Recorded, Tail, Tally};

/// Runs a cell where it is only tried whether everything works.
const FEW: u32 = 10;
/// What the coverage of a fixed number of blocks is to lie between.
const COVERAGE: (f64, f64) = (0.93, 0.97);
/// The most of false positives, with a fixed number of blocks and with an adaptive one.
const FIXED_POSITIVES: f64 = 0.055;
const ADAPTIVE_POSITIVES: f64 = 0.065;

const ROWS: [Blocks; 5] = [Blocks::Fixed(6), Blocks::Fixed(10), Blocks::Fixed(20), Blocks::Fixed(30), Blocks::Adaptive];

/// How often the intervals of ratios hold the truth. Sizes and shares are numbers: 0.04 is 4 %.
#[derive(Parser)]
struct Options {
    /// Simulated runs of a cell of the tables; 10 000 are too few to tell the 96.9 % of six blocks from the bound of 97 %
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Standard deviation of the machine's state
    #[arg(long, default_value = "0.04", value_parser = share)]
    state: f64,
    /// Correlation of the state between one trial and the next
    #[arg(long, default_value = "0.9", value_parser = share)]
    correlation: f64,
    /// By how much all trials after some moment are slower
    #[arg(long, default_value = "0.1", value_parser = share)]
    shift: f64,
    /// Share of runs that have such a shift
    #[arg(long, default_value = "0.3", value_parser = share)]
    shifted: f64,
    /// Standard deviation of a trial's own noise
    #[arg(long, default_value = "0.02", value_parser = share)]
    noise: f64,
    /// Slow trials: how often, and by how much at least and at most
    #[arg(long, value_name = "SHARE,LEAST,MOST", default_value = "0.05,0.05,0.15", value_parser = tail)]
    tail: Tail,
    /// The same of the topology that is compared, in the second table
    #[arg(long, value_name = "SHARE,LEAST,MOST", default_value = "0.05,0.1,0.3", value_parser = tail)]
    heavier_tail: Tail,
    /// Run directory of the third table [default: the latest published run]
    #[arg(long, value_name = "RUN_DIR")]
    recorded: Option<PathBuf>,
    #[command(flatten)]
    cargo: Cargo,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if options.cargo.elsewhere("coverage") {
        return ExitCode::SUCCESS;
    }
    let recorded = options.recorded().unwrap_or_else(|reason| fail(&reason));
    let equal = options.drifting();
    let heavier = Drifting { compared_tail: options.heavier_tail, ..equal.clone() };
    let runs = if options.cargo.smoke() { FEW } else { options.runs };
    let mut wrong = Vec::new();
    for (title, machine) in [
        ("A drifting machine", Machine::Drifting(equal)),
        ("A drifting machine, with a heavier tail in one topology", Machine::Drifting(heavier)),
        ("A recorded machine", Machine::Recorded(recorded)),
    ] {
        println!("### {title}\n\n{machine}. {runs} runs a cell, seed {}.\n", options.seed);
        wrong.extend(table(&machine, options.seed, runs).into_iter().map(|what| format!("{title}: {what}")));
    }
    // So few runs tell nothing.
    if wrong.is_empty() || options.cargo.smoke() {
        return ExitCode::SUCCESS;
    }
    fail(&wrong.join("\n"))
}

/// Prints a table, row by row, and returns what is outside of its bounds.
fn table(machine: &Machine, seed: u64, runs: u32) -> Vec<String> {
    println!(
        "| blocks | coverage, ratio 1 | coverage, ratio 1.10 | false positives | half-width | mean blocks | coverage in sequence |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut wrong = Vec::new();
    for blocks in ROWS {
        let row = Row::simulate(blocks, machine, seed, runs);
        println!("{}", row.markdown());
        wrong.extend(row.outside());
    }
    println!();
    wrong
}

/// Of one number of blocks.
struct Row {
    blocks: Blocks,
    /// At ratio 1.
    equal: Tally,
    /// At ratio 1.10.
    slower: Tally,
    /// At ratio 1, on the machines of `equal`; empty where the number of blocks is not known beforehand, for a sequence
    /// cannot be looked at before its last topology has begun.
    sequence: Option<Tally>,
}

impl Row {
    fn simulate(blocks: Blocks, machine: &Machine, seed: u64, runs: u32) -> Self {
        let simulate = |ratio: f64, order: Order| Cell { blocks, ratio, order }.simulate(machine, seed, runs);
        Self {
            blocks,
            equal: simulate(1.0, Order::Interleaved),
            slower: simulate(1.1, Order::Interleaved),
            sequence: matches!(blocks, Blocks::Fixed(_)).then(|| simulate(1.0, Order::Sequential)),
        }
    }

    fn name(&self) -> String {
        match self.blocks {
            Blocks::Fixed(blocks) => blocks.to_string(),
            Blocks::Adaptive => "adaptive".to_owned(),
        }
    }

    /// Share of runs whose interval excludes 1, where 1 is the truth.
    fn false_positives(&self) -> f64 {
        1.0 - self.equal.coverage
    }

    fn markdown(&self) -> String {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let sequence = self.sequence.as_ref().map_or_else(|| "-".to_owned(), |tally| percent(tally.coverage));
        let cells = [
            self.name(),
            percent(self.equal.coverage),
            percent(self.slower.coverage),
            percent(self.false_positives()),
            percent(self.equal.half_width),
            format!("{:.1}", self.equal.blocks),
            sequence,
        ];
        format!("| {} |", cells.join(" | "))
    }

    /// What is not within its bounds. With an adaptive number of blocks only false positives have one.
    fn outside(&self) -> Vec<String> {
        let percent = |share: f64| format!("{:.2} %", 100.0 * share);
        let (most, coverages) = match self.blocks {
            Blocks::Fixed(_) => (FIXED_POSITIVES, vec![("1", &self.equal), ("1.10", &self.slower)]),
            Blocks::Adaptive => (ADAPTIVE_POSITIVES, Vec::new()),
        };
        let mut outside = Vec::new();
        for (ratio, Tally { coverage, .. }) in coverages {
            if !(COVERAGE.0..=COVERAGE.1).contains(coverage) {
                let (coverage, least, most) = (percent(*coverage), percent(COVERAGE.0), percent(COVERAGE.1));
                outside.push(format!(
                    "blocks {}, ratio {ratio}: the coverage is {coverage}, and is to lie between {least} and {most}",
                    self.name(),
                ));
            }
        }
        if self.false_positives() > most {
            let (found, most) = (percent(self.false_positives()), percent(most));
            outside.push(format!("blocks {}: {found} of false positives, and at most {most} are to be", self.name()));
        }
        outside
    }
}

impl Options {
    fn drifting(&self) -> Drifting {
        Drifting {
            state: self.state,
            correlation: self.correlation,
            shift: self.shift,
            shifted: self.shifted,
            noise: self.noise,
            tail: self.tail,
            compared_tail: self.tail,
        }
    }

    fn recorded(&self) -> Result<Recorded, String> {
        let path = match &self.recorded {
            Some(path) => path.clone(),
            None => published::latest().map_err(|error| format!("cannot list the published runs: {error}"))?,
        };
        Recorded::of(&RunDir::open(&path).map_err(|error| error.to_string())?)
    }
}

/// A number from 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=1.0).contains(&number) { Ok(number) } else { Err("not between 0 and 1".to_owned()) }
}

fn tail(text: &str) -> Result<Tail, String> {
    let numbers: Vec<f64> = text.split(',').map(share).collect::<Result<_, _>>()?;
    match numbers[..] {
        [probability, least, most] if least <= most => Ok(Tail { probability, least, most }),
        [_, _, _] => Err("the most is less than the least".to_owned()),
        _ => Err("not three numbers joined by commas".to_owned()),
    }
}

fn fail(reason: &str) -> ! {
    eprintln!("{reason}");
    std::process::exit(1)
}
