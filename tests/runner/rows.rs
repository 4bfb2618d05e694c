//! What was measured is in the files, value by value, and reads back.

use std::time::Duration;

use dindbench::buildlog::Instruction;
use dindbench::case::{Builder, Driver, Edit, Lifecycle, Op, Status};
use dindbench::probe::Delta;
use dindbench::record::{SCHEMA, Sample};
use dindbench::runner::{EngineFacts, Measured};
use dindbench::workload::{Layers, Outcome};
use time::macros::datetime;

use crate::fake::{Fake, INSTRUCTIONS, Turn};
use crate::run::{HOST, RUN_ID, description, plan, quick, run};

const NASTY: &str = "RUN echo \"a,b\" \\\n  && printf '\x1b[31m\r\t\u{202e}é☃' # \u{2028}; c:\\n";

/// Everything that can be measured, each with a value of its own.
fn rich() -> Measured {
    Measured {
        outcome: Outcome {
            started_at: datetime!(2024-02-29 23:59:58.123456789 UTC),
            elapsed: Some(Duration::from_nanos(1_234_567_891)),
            upload: Some(Duration::from_nanos(17)),
            export: Some(Duration::from_nanos(19)),
            fault: None,
            builder: Some(Builder::Classic),
            instructions: vec![
                instruction(1, NASTY, Some(Duration::from_nanos(3))),
                instruction(2, "CMD [\"/app\"]", None),
            ],
            layers: Some(Layers { total: 5, reused: 2 }),
            image_id: "sha256:0123".into(),
            events: vec![
                (Duration::ZERO, "stdout".into(), "Step 1/3 : FROM base\n".into()),
                (Duration::from_nanos(9_007_199_254_740_993), "stderr".into(), NASTY.into()),
            ],
        },
        delta: Delta {
            bytes_pulled: Some(0),
            bytes_pushed: Some(1),
            disk_bytes: Some(u64::MAX),
            disk_delta_bytes: Some(i64::MIN),
            engine_disk_bytes: Some(4),
            inodes_delta: Some(-5),
            volumes_leaked: Some(6),
            cpu_ns: Some(7),
            peak_memory_bytes: Some(8),
            io_read_bytes: Some(9),
            io_write_bytes: Some(10),
        },
        engine: EngineFacts { version: "20.10.24".into(), storage_driver: "vfs".into(), backing_fs: "xfs".into() },
    }
}

/// Nothing that can be missing.
fn poor() -> Measured {
    let outcome = Outcome { started_at: datetime!(2024-01-01 00:00 UTC), ..Outcome::begun() };
    Measured { outcome, delta: Delta::default(), engine: EngineFacts::default() }
}

fn instruction(index: u32, text: &str, elapsed: Option<Duration>) -> Instruction {
    Instruction { index, text: text.into(), cached: false, started: Duration::ZERO, elapsed }
}

fn gives(measured: Measured) -> Turn {
    Turn::Gives(Box::new(measured))
}

#[tokio::test(start_paused = true)]
async fn every_part_has_one_row_with_its_keys() {
    let quick = quick();
    let plan = plan(&quick, 2);
    let run = run(&quick, &plan, Fake::new(&quick)).await;
    let mut rows = run.samples().into_iter();
    for block in &plan.blocks {
        for (position, topology) in block.order.iter().enumerate() {
            let name = quick.topologies[*topology].name.as_str();
            for (job, edit) in [(1, Edit::First), (2, Edit::None), (3, Edit::Source)] {
                let parts =
                    [("start", Op::Start), ("0", Op::Pull), ("app", Op::Build), ("2", Op::Run), ("stop", Op::Stop)];
                for (step, op) in parts {
                    let row = rows.next().expect("rows are in the order of the calls");
                    assert_eq!((row.block, row.warmup, row.position), (block.index, block.index == 0, position as u32));
                    assert_eq!((row.topology.as_str(), row.attempt, row.worker), (name, 1, 0));
                    assert_eq!((row.job, row.edit, row.step.as_str(), row.op), (job, edit, step, op));
                    assert_eq!((row.schema, row.run_id.as_str(), row.host.as_str()), (SCHEMA, RUN_ID, HOST));
                    assert_eq!((row.scenario.as_str(), row.driver, row.status), ("quick", Driver::Cli, Status::Ok));
                    let lifecycle = match name {
                        "socket" => None,
                        "dind" => Some(Lifecycle::Recreate),
                        _ => Some(Lifecycle::Keep),
                    };
                    assert_eq!(row.lifecycle, lifecycle);
                }
            }
        }
    }
    assert_eq!(rows.next(), None);
}

#[tokio::test(start_paused = true)]
async fn a_build_has_a_row_per_instruction() {
    let quick = quick();
    let run = run(&quick, &plan(&quick, 1), Fake::new(&quick)).await;
    let cached = |block: u32, topology: &str, job: u32| {
        let rows = run.instructions().into_iter();
        let build: Vec<_> = rows
            .filter(|row| {
                (row.block, row.topology.as_str(), row.job, row.step.as_str()) == (block, topology, job, "app")
            })
            .collect();
        assert_eq!(build.iter().map(|row| row.index).collect::<Vec<_>>(), (1..=10).collect::<Vec<_>>());
        assert!(build.iter().all(|row| (row.attempt, row.worker, row.run_id.as_str()) == (1, 0, RUN_ID)));
        build.iter().filter(|row| row.cached).count()
    };
    assert_eq!([1, 2, 3].map(|job| cached(0, "socket", job)), [0, 10, 6]);
    assert_eq!([1, 2, 3].map(|job| cached(1, "dind-kept", job)), [0, 10, 6]);
    assert_eq!([1, 2, 3].map(|job| cached(1, "dind", job)), [0, 0, 0]);
    assert_eq!(run.instructions().len(), 6 * 3 * INSTRUCTIONS, "and other parts have none");
    let build = run.sample(1, "socket", 3, "app");
    assert_eq!((build.instructions_total, build.instructions_cached), (Some(10), Some(6)));
    let pull = run.sample(1, "socket", 3, "0");
    assert_eq!((pull.instructions_total, pull.instructions_cached, pull.layers_reused), (None, None, Some(3)));
}

#[tokio::test(start_paused = true)]
async fn what_was_measured_reads_back_as_it_was() {
    let quick = quick();
    let given = rich();
    let fake = Fake::new(&quick).at(1, "socket", "job 1: app", gives(given.clone()));
    let run = run(&quick, &plan(&quick, 1), fake).await;
    let row = run.sample(1, "socket", 1, "app");
    let expected = Sample {
        schema: SCHEMA,
        run_id: RUN_ID.into(),
        host: HOST.into(),
        scenario: "quick".into(),
        block: 1,
        warmup: false,
        position: row.position,
        topology: "socket".into(),
        attempt: 1,
        worker: 0,
        lifecycle: None,
        driver: Driver::Cli,
        builder: Some(Builder::Classic),
        job: 1,
        edit: Edit::First,
        step: "app".into(),
        op: Op::Build,
        started_at: given.outcome.started_at,
        elapsed_ns: Some(1_234_567_891),
        upload_ns: Some(17),
        export_ns: Some(19),
        status: Status::Ok,
        error_class: None,
        error: "".into(),
        flags: String::new(),
        instructions_total: Some(2),
        instructions_cached: Some(0),
        layers_total: Some(5),
        layers_reused: Some(2),
        bytes_pulled: Some(0),
        bytes_pushed: Some(1),
        disk_bytes: Some(u64::MAX),
        disk_delta_bytes: Some(i64::MIN),
        engine_disk_bytes: Some(4),
        inodes_delta: Some(-5),
        volumes_leaked: Some(6),
        cpu_ns: Some(7),
        peak_memory_bytes: Some(8),
        io_read_bytes: Some(9),
        io_write_bytes: Some(10),
        engine_version: "20.10.24".into(),
        storage_driver: "vfs".into(),
        backing_fs: "xfs".into(),
        image_id: "sha256:0123".into(),
    };
    assert_eq!(row, expected);
}

#[tokio::test(start_paused = true)]
async fn text_of_any_kind_is_one_line_and_reads_back() {
    let quick = quick();
    let fake = Fake::new(&quick).at(1, "socket", "job 1: app", gives(rich()));
    let run = run(&quick, &plan(&quick, 1), fake).await;
    let build: Vec<_> = run
        .instructions()
        .into_iter()
        .filter(|row| (row.block, row.topology.as_str(), row.job) == (1, "socket", 1))
        .map(|row| (row.index, row.text.as_str().to_owned(), row.elapsed_ns))
        .collect();
    assert_eq!(build, [(1, NASTY.to_owned(), Some(3)), (2, "CMD [\"/app\"]".to_owned(), None)]);
    let events: Vec<_> = run
        .events()
        .into_iter()
        .filter(|event| (event.block, event.topology.as_str(), event.job) == (1, "socket", 1))
        .map(|event| (event.step, event.at_ns, event.source, event.text))
        .collect();
    let text = |at, source: &str, text: &str| ("app".to_owned(), at, source.to_owned(), text.to_owned());
    let printed = [text(0, "stdout", "Step 1/3 : FROM base\n"), text(9_007_199_254_740_993, "stderr", NASTY)];
    assert_eq!(events, printed);
    // One build has 2 instructions instead of 10, and 2 events instead of 1.
    assert_eq!(run.text("instructions.csv").lines().count(), 1 + 18 * INSTRUCTIONS - 8);
    assert_eq!(run.text("events.jsonl").lines().count(), 18 + 1);
    assert!(!run.text("instructions.csv").chars().any(|character| character.is_control() && character != '\n'));
    assert!(!run.text("events.jsonl").chars().any(|character| character < ' ' && character != '\n'));
}

#[tokio::test(start_paused = true)]
async fn a_missing_value_is_an_empty_cell() {
    let quick = quick();
    let fake = Fake::new(&quick).at(1, "socket", "job 1: 0", gives(poor()));
    let run = run(&quick, &plan(&quick, 1), fake).await;
    let path = run.dir().join("samples.csv");
    let mut file = csv::Reader::from_path(path).unwrap();
    let headers = file.headers().unwrap().clone();
    let row = file.records().map(Result::unwrap).find(|row| row.iter().any(|cell| cell.starts_with("2024-01-01T00")));
    let row = row.expect("the row is found by its time");
    let empty: Vec<_> = headers.iter().zip(&row).filter(|(_, cell)| cell.is_empty()).map(|(name, _)| name).collect();
    let expected = [
        "lifecycle",
        "builder",
        "elapsed_ns",
        "upload_ns",
        "export_ns",
        "error_class",
        "error",
        "flags",
        "instructions_total",
        "instructions_cached",
        "layers_total",
        "layers_reused",
        "bytes_pulled",
        "bytes_pushed",
        "disk_bytes",
        "disk_delta_bytes",
        "engine_disk_bytes",
        "inodes_delta",
        "volumes_leaked",
        "cpu_ns",
        "peak_memory_bytes",
        "io_read_bytes",
        "io_write_bytes",
        "engine_version",
        "storage_driver",
        "backing_fs",
        "image_id",
    ];
    assert_eq!(empty, expected);
    let read = run.sample(1, "socket", 1, "0");
    assert_eq!(
        (read.elapsed_ns, read.layers_total, read.bytes_pulled, read.disk_delta_bytes),
        (None, None, None, None)
    );
}

#[tokio::test(start_paused = true)]
async fn every_trial_has_a_row_with_its_set_up_and_its_tear_down() {
    let quick = quick();
    let plan = plan(&quick, 1);
    let run = run(&quick, &plan, Fake::new(&quick)).await;
    let opened: Vec<_> = run.trials().iter().map(|row| format!("{} {}", row.block, row.topology)).collect();
    assert_eq!(opened, run.opened());
    let row = run.trial(0, "dind-kept");
    assert_eq!((row.schema, row.run_id.as_str(), row.scenario.as_str()), (SCHEMA, RUN_ID, "quick"));
    assert_eq!((row.warmup, row.attempt, row.worker, row.status, row.error_class), (true, 1, 0, Status::Ok, None));
    assert_eq!((row.kind.as_str(), row.data_root.as_str(), row.engine.as_str()), ("dind", "fresh", "28.5.1"));
    assert_eq!(row.parameters.as_str(), "lifecycle=keep engine=auto storage_driver=auto data_root=fresh");
    assert_eq!((row.setup_ns, row.teardown_ns), (Some(2_000_000_000), Some(500_000_000)));
    assert_eq!((row.psi_cpu_ns, row.psi_io_ns, row.psi_memory_ns, row.steal_ns), (Some(17), Some(0), None, None));
    let positions: Vec<_> = run.trials().iter().map(|row| row.position).collect();
    assert_eq!(positions, [0, 1, 2, 0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn the_description_reads_back_equal() {
    let quick = quick();
    let plan = plan(&quick, 1);
    let run = run(&quick, &plan, Fake::new(&quick)).await;
    assert_eq!(run.files().record(), &description(&quick, &plan));
}
