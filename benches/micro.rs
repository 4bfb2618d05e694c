//! The harness's own work, outside of every timed region: reading builds, rows, analysis, report, contexts.
//!
//! `cargo bench --bench micro`; needs no engine.

mod long_run;
mod published;

use std::hint::black_box;
use std::io::sink;
use std::path::Path;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use dindbench::analysis::{Analysis, analyse};
use dindbench::buildlog::ClassicLog;
use dindbench::fixture::{Fixture, Revisions};
use dindbench::record::{ReadError, RunDir, RunRecord, Sample, TrialRow, Writer};
use dindbench::report;
use dindbench::stats::{Level, Ordered, Outliers, median};
use long_run::More;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Rows of a large run, and lines of a talkative build.
const MANY: usize = 100_000;

fn main() {
    let mut criterion = Criterion::default().without_plots().configure_from_args();
    let run = RunDir::open(&published::latest().expect("a published run")).expect("a published run");
    let published: Vec<Sample> = run.samples().and_then(Iterator::collect).expect("readable rows");
    build_output(&mut criterion);
    rows(&mut criterion, run.record(), &published);
    analysis(&mut criterion, run.record(), &published);
    summary(&mut criterion);
    page(&mut criterion, &run);
    contexts(&mut criterion);
    criterion.final_summary();
}

/// A recorded build, and one whose RUN prints a lot. They come as the docker command gives them, 4 kB at a time.
fn build_output(criterion: &mut Criterion) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/streams/cli-20.10.24-plain-cold.stdout");
    let recorded = std::fs::read_to_string(path).expect("a recorded build");
    let lines: String = (0..MANY).map(|line| format!("line {line} of what a RUN prints\n")).collect();
    let talkative = recorded.replacen("one\n", &lines, 1);
    let mut group = criterion.benchmark_group("micro/buildlog");
    for (name, output) in [("recorded", &recorded), ("100000-lines", &talkative)] {
        group.throughput(Throughput::Bytes(output.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut log = ClassicLog::default();
                output.as_bytes().chunks(4096).for_each(|chunk| log.text(Duration::ZERO, chunk));
                let build = log.finish();
                assert_eq!(build.instructions.len(), 5);
                build
            });
        });
    }
    group.finish();
}

/// Rows as the runner writes them, each by itself, and as the report reads them.
fn rows(criterion: &mut Criterion, record: &RunRecord, published: &[Sample]) {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("run");
    let mut writer = Writer::create(&dir, record).expect("a run directory");
    published.iter().for_each(|row| writer.sample(row).expect("a row"));
    let written = RunDir::open(&dir).expect("a run directory");
    let mut group = criterion.benchmark_group("micro/samples.csv");
    group.throughput(Throughput::Elements(published.len() as u64));
    let mut runs = 0;
    group.bench_function("write", |bencher| {
        let new = || {
            runs += 1;
            Writer::create(&folder.path().join(runs.to_string()), record).expect("a run directory")
        };
        let write = |mut writer: Writer| published.iter().for_each(|row| writer.sample(row).expect("a row"));
        bencher.iter_batched(new, write, BatchSize::PerIteration);
    });
    group.bench_function("read", |bencher| {
        bencher.iter(|| written.samples().expect("a file").map(|row| row.expect("a row")).map(black_box).count());
    });
    group.finish();
}

fn analysis(criterion: &mut Criterion, record: &RunRecord, published: &[Sample]) {
    let many = |more| long_run::lengthened(published, more).take(MANY).collect::<Vec<Sample>>();
    let mut group = criterion.benchmark_group("micro/analysis");
    group.sample_size(10);
    for (name, rows) in [
        (published.len().to_string(), published.to_vec()),
        (format!("{MANY}/{}", More::Jobs), many(More::Jobs)),
        (format!("{MANY}/{}", More::Blocks), many(More::Blocks)),
    ] {
        group.throughput(Throughput::Elements(rows.len() as u64));
        group.bench_with_input(BenchmarkId::from_parameter(name), &rows, |bencher, rows| {
            let given = || -> Vec<Result<Sample, ReadError>> { rows.iter().cloned().map(Ok).collect() };
            let analysed =
                |rows: Vec<_>| analyse(record, rows.into_iter(), std::iter::empty(), None).expect("rows of this run");
            bencher.iter_batched(given, analysed, BatchSize::PerIteration);
        });
    }
    group.finish();
}

/// Everything that a report says of the values of one case, of a million of them: it is to take less than a second.
fn summary(criterion: &mut Criterion) {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let values: Vec<f64> = (0..1_000_000).map(|_| 1e9 * (1.0 + random.random::<f64>().powi(8))).collect();
    let mut group = criterion.benchmark_group("micro/summary");
    group.sample_size(10).throughput(Throughput::Elements(values.len() as u64));
    group.bench_function("1000000", |bencher| {
        bencher.iter(|| {
            let values = Ordered::new(values.iter().copied()).expect("finite values");
            let spread = (values.quartiles(), values.mad(), Outliers::of(&values));
            (median(&values, Level::P95), spread)
        });
    });
    group.finish();
}

/// The whole report: page, Markdown, figures.
fn page(criterion: &mut Criterion, run: &RunDir) {
    let analysis = Analysis::of(run).expect("an analysis");
    let trials: Vec<TrialRow> = run.trials().and_then(Iterator::collect).expect("readable rows");
    let folder = tempfile::tempdir().expect("a folder");
    criterion.bench_function("micro/report/published", |bencher| {
        bencher.iter(|| report::write(folder.path(), run.record(), &analysis, &trials, &[]).expect("a report"));
    });
}

fn contexts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("micro/context");
    group.sample_size(10);
    for fixture in [Fixture::Ten, Fixture::Many] {
        group.bench_function(fixture.to_string(), |bencher| {
            bencher.iter(|| fixture.write_tar(1, Revisions::default(), "context", sink()).expect("a context"));
        });
    }
    group.finish();
}
