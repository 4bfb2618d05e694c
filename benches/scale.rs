//! The report of long runs: its time and memory, and how both grow with the rows.
//!
//! `cargo bench --bench scale`; needs no engine. `--against "python3 scripts/report-pandas.py"` times a script after it,
//! once, that draws the same figures by pandas and matplotlib.

mod cargo;
mod child;
mod long_run;
mod published;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use bytesize::ByteSize;
use cargo::Cargo;
use child::Cost;
use clap::Parser;
use dindbench::record::{InstructionRow, ReadError, RunDir, Sample, TrialRow, Writer};
use dindbench::stats::Ordered;
use dindbench::units::nanos;
use long_run::{More, Places};

/// Samples of the runs.
const SAMPLES: [usize; 2] = [250_000, 1_000_000];
/// Samples where it is only tried whether everything works.
const FEW: usize = 1_000;
/// What the report of a million samples is to take at most.
const MOST_SECONDS: f64 = 3.0;
const MOST_MEMORY: u64 = 256 * 1024 * 1024;

/// The report of long runs: its time and memory, and how both grow with the rows.
#[derive(Parser)]
struct Options {
    /// How often each report is made; medians are told
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    repetitions: u32,
    /// A command line that gets a run directory and a folder for its figures; it is timed once
    #[arg(long, value_name = "COMMAND")]
    against: Option<String>,
    #[command(flatten)]
    cargo: Cargo,
}

/// What of one run's report was measured, by median.
struct Measured {
    seconds: f64,
    peak_memory: u64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if options.cargo.elsewhere("scale") {
        return ExitCode::SUCCESS;
    }
    let published = RunDir::open(&published::latest().expect("a published run")).expect("a published run");
    let (sizes, repetitions) =
        if options.cargo.smoke() { (&[FEW][..], 1) } else { (&SAMPLES[..], options.repetitions) };
    println!(
        "| samples | more of | report | {} | ratio |\n|---|---|---|---|---|",
        options.against.as_deref().unwrap_or("-")
    );
    let mut outside = Vec::new();
    for more in [More::Jobs, More::Blocks] {
        for many in sizes {
            let report = line(&published, *many, more, repetitions, options.against.as_deref());
            if report.seconds >= MOST_SECONDS || report.peak_memory >= MOST_MEMORY {
                outside.push(format!("{many} samples, more {more}"));
            }
        }
    }
    if outside.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!("to take less than {MOST_SECONDS} s and {}: {}", ByteSize(MOST_MEMORY), outside.join("; "));
    ExitCode::FAILURE
}

/// Measures one size, and prints its line of the table.
fn line(published: &RunDir, many: usize, more: More, repetitions: u32, against: Option<&str>) -> Measured {
    let folder = tempfile::tempdir().expect("a folder");
    let run = folder.path().join("run");
    write(published, many, more, &run).expect("a readable run");
    let reports: Vec<Cost> =
        (0..repetitions).map(|_| child::cost(&mut report(&run, &folder.path().join("report")))).collect();
    let report = Measured::of(&reports);
    let script =
        against.map(|words| Measured::of(&[child::cost(&mut script(words, &run, &folder.path().join("figures")))]));
    let other = script.as_ref().map_or_else(|| "-".to_owned(), Measured::told);
    let ratio = script.map_or_else(|| "-".to_owned(), |script| format!("{:.1}", script.seconds / report.seconds));
    println!("| {many} | {more} | {} | {other} | {ratio} |", report.told());
    report
}

/// Writes a run directory of `many` samples, with the instructions of its builds and its trials, and without events.
///
/// # Errors
/// The published run cannot be read.
fn write(run: &RunDir, many: usize, more: More, dir: &Path) -> Result<(), ReadError> {
    let samples: Vec<Sample> = run.samples()?.collect::<Result<_, _>>()?;
    let instructions: Vec<InstructionRow> = run.instructions()?.collect::<Result<_, _>>()?;
    let trials: Vec<TrialRow> = run.trials()?.collect::<Result<_, _>>()?;
    let places = Places::of(more, &samples);
    let mut writer = Writer::create(dir, run.record()).expect("a run directory");
    long_run::lengthened(&samples, more).take(many).for_each(|row| writer.sample(&row).expect("a row"));
    for round in 0..u32::try_from(many.div_ceil(samples.len())).expect("few rounds") {
        for row in &instructions {
            let (block, job) = places.of_row((row.block, row.job), round);
            writer.instruction(&InstructionRow { block, job, ..row.clone() }).expect("a row");
        }
        for row in &trials {
            // A trial has all of its jobs.
            let (block, 0) = places.of_row((row.block, 0), round) else { continue };
            writer.trial(&TrialRow { block, warmup: block == 0, ..row.clone() }).expect("a row");
        }
    }
    std::fs::remove_file(dir.join("events.jsonl")).expect("the events' file");
    Ok(())
}

fn report(run: &Path, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dindbench"));
    command.arg("report").arg(run).arg("--out").arg(out);
    command
}

fn script(words: &str, run: &Path, out: &Path) -> Command {
    let mut words = words.split_whitespace();
    let mut command = Command::new(words.next().expect("a command"));
    command.args(words).args([PathBuf::from(run), PathBuf::from(out)]).current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

impl Measured {
    fn of(costs: &[Cost]) -> Self {
        let times = costs.iter().map(|cost| cost.elapsed.as_secs_f64());
        let seconds = Ordered::new(times).expect("finite times").median();
        let peak_memory = costs.iter().map(|cost| cost.peak_memory).max().expect("at least one");
        Self { seconds, peak_memory }
    }

    fn told(&self) -> String {
        format!("{}, {}", nanos(self.seconds * 1e9), ByteSize(self.peak_memory))
    }
}
