//! The files of a run directory: what is written reads back, and what cannot be trusted is refused by name and line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dindbench::case::{Builder, Driver, Status};
use dindbench::record::{
    ArmRecord, EngineRecord, Environment, Event, HostRecord, ImageRecord, Instruction, InstructionRow, ReadError,
    RunDir, RunRecord, SCHEMA, TrialRow, Writer,
};
use proptest::prelude::*;
use time::macros::datetime;

/// A record with one text in every place that holds free text.
fn record(text: &str) -> RunRecord {
    let engine = EngineRecord {
        version: "28.5.1".into(),
        api_version: "1.51".into(),
        storage_driver: "overlay2".into(),
        backing_fs: text.into(),
        native_overlay_diff: "true".into(),
        cgroup_version: "2".into(),
        mtu: None,
        containerd: Some(text.into()),
        runc: Some("1.1.5".into()),
        buildkit: None,
        rootless: Some(false),
        swarm: Some("active".into()),
        swarm_nodes: Some(3),
        data_root_fs: Some("ext4".into()),
        data_root_options: Some(text.into()),
        version_json: text.into(),
        info_json: text.into(),
    };
    RunRecord {
        schema: SCHEMA,
        run_id: "r1".into(),
        host: text.into(),
        started_at: "2024-01-01T00:00:00Z".into(),
        command_line: vec!["dindbench".into(), text.into(), String::new()],
        version: "0.1.0".into(),
        revision: String::new(),
        lock_digest: Some(text.into()),
        scenario: "quick".into(),
        scenario_digest: "sha256:00".into(),
        question: text.into(),
        baseline: "socket".into(),
        analysis: text.into(),
        seed: i64::MAX as u64,
        blocks: 7,
        precision: None,
        wait_for_quiet_ns: None,
        driver: Driver::Cli,
        builder: Builder::Classic,
        warnings: vec![text.into()],
        unavailable: BTreeMap::from([(text.into(), text.into())]),
        environment: Environment {
            host: HostRecord {
                kernel: text.into(),
                operating_system: "Debian".into(),
                architecture: "x86_64".into(),
                cpu_model: text.into(),
                cpus: 2,
                memory_bytes: 1 << 40,
                cgroup_version: "2".into(),
                lsm: String::new(),
                clock_source: "tsc".into(),
                governor: String::new(),
                smt: Some(true),
                virtualised: Some(false),
                swap_bytes: Some(1 << 32),
            },
            privilege: "explicit".into(),
            inner_privilege: Some("real".into()),
            host_kind: "reference".into(),
            registry: "own".into(),
            engines: BTreeMap::from([
                ("outer".to_owned(), EngineRecord { mtu: Some(1400), ..engine.clone() }),
                ("user".to_owned(), engine),
            ]),
            docker_command: Some(text.to_owned()),
            images: BTreeMap::from([(text.to_owned(), ImageRecord { digest: "sha256:01".into(), bytes: 3 })]),
            unknown: BTreeMap::from([("engines.user.buildkit".into(), text.to_owned())]),
        },
        arms: vec![
            ArmRecord { name: "socket".into(), kind: "socket".into(), parameters: String::new() },
            ArmRecord { name: "dind".into(), kind: "dind".into(), parameters: text.into() },
        ],
        scenario_text: text.into(),
    }
}

/// Keys that older versions did not write.
const LATER: [&str; 16] = [
    "lock_digest",
    "inner_privilege",
    "docker_command",
    "registry",
    "smt",
    "virtualised",
    "swap_bytes",
    "containerd",
    "runc",
    "buildkit",
    "rootless",
    "swarm",
    "swarm_nodes",
    "data_root_fs",
    "data_root_options",
    "unknown",
];

fn without_later_keys(table: &mut toml::Table) {
    table.retain(|key, _| !LATER.contains(&key));
    table.iter_mut().filter_map(|(_, value)| value.as_table_mut()).for_each(without_later_keys);
}

fn instruction(index: u32, text: &str) -> InstructionRow {
    InstructionRow {
        schema: SCHEMA,
        run_id: "r1".into(),
        scenario: "quick".into(),
        block: 1,
        topology: "dind".into(),
        attempt: 1,
        worker: 0,
        job: 2,
        step: "app".into(),
        index,
        text: text.into(),
        cached: index == 1,
        elapsed_ns: (index != 1).then_some(1_234_567),
    }
}

fn trial(block: u32) -> TrialRow {
    TrialRow {
        schema: SCHEMA,
        run_id: "r1".into(),
        scenario: "quick".into(),
        block,
        warmup: block == 0,
        position: 0,
        topology: "dind".into(),
        attempt: 1,
        worker: 0,
        kind: "dind".into(),
        parameters: "lifecycle=keep".into(),
        data_root: "fresh".into(),
        engine: "28.5.1".into(),
        status: Status::Ok,
        error_class: None,
        error: "".into(),
        started_at: datetime!(2024-01-01 00:00 UTC),
        setup_ns: Some(1),
        teardown_ns: None,
        psi_cpu_ns: Some(0),
        psi_io_ns: None,
        psi_memory_ns: None,
        steal_ns: None,
        calibration_ns: Some(98_765),
        waited_ns: Some(1_000_000_000),
    }
}

fn event(at_ns: u64, text: &str) -> Event {
    Event {
        schema: SCHEMA,
        block: 1,
        topology: "dind".into(),
        attempt: 1,
        worker: 0,
        job: 2,
        step: "app".into(),
        at_ns,
        source: "stdout".into(),
        text: text.into(),
    }
}

/// A run directory with three rows in most of its files.
struct Run {
    folder: tempfile::TempDir,
}

impl Run {
    fn new() -> Self {
        let run = Self { folder: tempfile::tempdir().unwrap() };
        let mut writer = Writer::create(&run.dir(), &record("text")).unwrap();
        (1..=3).for_each(|index| writer.instruction(&instruction(index, "RUN \"a\", b")).unwrap());
        (1..=3).for_each(|block| writer.trial(&trial(block)).unwrap());
        writer.events(&[event(1, "a\n"), event(2, "b"), event(3, "c")]).unwrap();
        run
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.dir().join(file), bytes).unwrap();
    }

    fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.dir().join(file)).unwrap()
    }

    fn open(&self) -> RunDir {
        RunDir::open(&self.dir()).unwrap()
    }
}

fn written_and_read(record: &RunRecord) -> RunRecord {
    let folder = tempfile::tempdir().unwrap();
    Writer::create(folder.path(), record).unwrap();
    RunDir::open(folder.path()).unwrap().record().clone()
}

/// All rows up to the first that cannot be read, and why it cannot.
fn rows<T>(file: Result<impl Iterator<Item = Result<T, ReadError>>, ReadError>) -> (Vec<T>, Option<ReadError>) {
    let mut whole = Vec::new();
    let read = || {
        for row in file? {
            whole.push(row?);
        }
        Ok(())
    };
    let error = read().err();
    (whole, error)
}

#[test]
fn a_description_reads_back_with_quotes_lines_and_any_script() {
    let texts = [
        "",
        "\"quoted\"",
        "a\nb\n\n",
        "'''",
        "\"\"\"\n",
        "\\u0041 \\",
        "\r\n\t\x1b[31m\0",
        "#[x]\n= é☃\u{202e}𝄞",
        " a ",
    ];
    for text in texts {
        assert_eq!(written_and_read(&record(text)), record(text), "{text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_description_reads_back_with_any_text(text in any::<String>()) {
        prop_assert_eq!(written_and_read(&record(&text)), record(&text));
    }

    #[test]
    fn a_row_with_any_text_is_one_line_and_reads_back(texts in prop::collection::vec(any::<String>(), 1..4)) {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(folder.path(), &record("")).unwrap();
        let written: Vec<_> = (1..).zip(&texts).map(|(index, text)| instruction(index, text)).collect();
        let told: Vec<_> = (1..).zip(&texts).map(|(at, text)| event(at, text)).collect();
        written.iter().for_each(|row| writer.instruction(row).unwrap());
        writer.events(&told).unwrap();
        let run = RunDir::open(folder.path()).unwrap();
        let mut borrowed = run.executed().unwrap();
        for row in &written {
            prop_assert_eq!(borrowed.read().unwrap(), Some(Instruction::from(row)));
        }
        prop_assert_eq!(borrowed.read().unwrap(), None);
        prop_assert_eq!(run.instructions().unwrap().map(Result::unwrap).collect::<Vec<_>>(), written);
        prop_assert_eq!(run.events().unwrap().map(Result::unwrap).collect::<Vec<_>>(), told);
        for (file, lines) in [("instructions.csv", 1 + texts.len()), ("events.jsonl", texts.len())] {
            prop_assert_eq!(std::fs::read_to_string(folder.path().join(file)).unwrap().lines().count(), lines);
        }
    }
}

#[test]
fn a_run_without_rows_is_readable() {
    let folder = tempfile::tempdir().unwrap();
    Writer::create(folder.path(), &record("")).unwrap();
    let run = RunDir::open(folder.path()).unwrap();
    assert_eq!(run.samples().unwrap().count(), 0);
    assert_eq!(run.instructions().unwrap().count(), 0);
    assert_eq!((run.trials().unwrap().count(), run.events().unwrap().count()), (0, 0));
}

#[test]
fn nothing_is_written_over_another_run() {
    let run = Run::new();
    let before = run.text("run.toml");
    let refused = Writer::create(&run.dir(), &record("another")).unwrap_err().to_string();
    let place = run.dir().join("run.toml").display().to_string();
    assert_eq!(refused, format!("cannot write {place}: File exists (os error 17)"));
    assert_eq!(run.text("run.toml"), before);

    // Not over its rows either.
    std::fs::remove_file(run.dir().join("run.toml")).unwrap();
    let refused = Writer::create(&run.dir(), &record("another")).unwrap_err().to_string();
    assert!(refused.contains("instructions.csv") || refused.contains("samples.csv"), "{refused}");
    assert_eq!(run.text("instructions.csv").lines().count(), 4);
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Writer::create(&file.join("run"), &record("")).unwrap_err().to_string();
    assert_eq!(error, format!("cannot write {}: Not a directory (os error 20)", file.join("run").display()));
}

#[test]
fn a_missing_file_is_named_with_those_that_should_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let error = RunDir::open(folder.path()).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot open {}", folder.path().join("run.toml").display())), "{error}");
    assert!(error.ends_with("a run directory holds run.toml, samples.csv, instructions.csv and trials.csv"), "{error}");

    let run = Run::new();
    std::fs::remove_file(run.dir().join("samples.csv")).unwrap();
    let (_, error) = rows(run.open().samples());
    assert!(error.unwrap().to_string().contains("samples.csv: no such file"));
}

#[test]
fn a_newer_schema_is_refused_whatever_else_the_file_holds() {
    let newer = |path: &Path| {
        format!("{} has schema 2, and this dindbench reads up to 1: use a newer dindbench", path.display())
    };
    let run = Run::new();
    let files = run.open();
    run.write("samples.csv", "schema,run,what\n2,r1,new\n");
    run.write("instructions.csv", run.text("instructions.csv").replacen("\n1,", "\n2,", 1));
    run.write("trials.csv", "schema\n2\n");
    run.write("events.jsonl", "{\"schema\":2,\"what\":\"new\"}\n");
    for (file, (whole, error)) in [
        ("samples.csv", rows(files.samples().map(erased))),
        ("instructions.csv", rows(files.instructions().map(erased))),
        ("trials.csv", rows(files.trials().map(erased))),
        ("events.jsonl", rows(files.events().map(erased))),
    ] {
        assert_eq!((whole.len(), error.unwrap().to_string()), (0, newer(&run.dir().join(file))));
    }
    run.write("run.toml", "schema = 2\nwhat = \"new\"\n");
    assert_eq!(RunDir::open(&run.dir()).unwrap_err().to_string(), newer(&run.dir().join("run.toml")));
}

#[test]
fn a_description_of_an_older_version_is_read() {
    let run = Run::new();
    let mut table: toml::Table = toml::from_str(&run.text("run.toml")).unwrap();
    without_later_keys(&mut table);
    let text = toml::to_string(&table).unwrap();
    assert!(!LATER.iter().any(|key| text.contains(&format!("\n{key} =")) || text.contains(&format!(".{key}]"))));
    run.write("run.toml", &text);
    let record = run.open().record().clone();
    let (host, engine) = (&record.environment.host, &record.environment.engines["user"]);
    assert_eq!((&record.lock_digest, host.smt, host.virtualised, host.swap_bytes), (&None, None, None, None));
    assert_eq!((&engine.containerd, engine.rootless, &engine.swarm, &engine.data_root_fs), (&None, None, &None, &None));
    assert_eq!((record.environment.registry.as_str(), record.environment.unknown.len()), ("own", 0));
    // What is not known is not written, so the file stays as it was.
    assert_eq!(toml::Table::try_from(&record).unwrap().get("lock_digest"), None);
}

#[test]
fn a_description_that_is_none_is_refused() {
    let run = Run::new();
    for (text, reason) in [("schema = 1\n", "missing field"), ("run_id = \"r1\n", "run.toml"), ("", "missing field")] {
        run.write("run.toml", text);
        let error = RunDir::open(&run.dir()).unwrap_err().to_string();
        assert!(error.contains("run.toml") && error.contains(reason), "{error}");
    }
}

/// By its name: an analysis reads some columns alone, and their numbers are not the file's.
#[test]
fn a_wrong_cell_of_a_sample_is_named_with_its_column() {
    let run = Run::new();
    let published = concat!(env!("CARGO_MANIFEST_DIR"), "/results/2026-11-25-cloud-2cpu/samples.csv");
    let text = std::fs::read_to_string(published).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let column = lines[0].split(',').position(|name| name == "elapsed_ns").unwrap();
    let mut cells: Vec<&str> = lines[1].split(',').collect();
    cells[column] = "abc";
    run.write("samples.csv", format!("{}\n{}\n", lines[0], cells.join(",")));
    let error = run.open().observations().unwrap().read().unwrap_err().to_string();
    assert!(error.ends_with("samples.csv, line 2: elapsed_ns: invalid digit found in string"), "{error}");
}

#[test]
fn a_wrong_cell_is_named_with_its_line() {
    let run = Run::new();
    run.write("instructions.csv", run.text("instructions.csv").replacen(",false,", ",perhaps,", 1));
    let (whole, error) = rows(run.open().instructions());
    let (error, place) = (error.unwrap().to_string(), run.dir().join("instructions.csv"));
    assert_eq!(whole.len(), 1);
    assert!(
        error.starts_with(&format!("{}, line 3: ", place.display())) && error.contains("not `true` or `false`"),
        "{error}"
    );
}

/// Wherever a crash cut a file off: whole lines are read, and the line that was cut off is named. A number that lost
/// its last digits is still a number, and must not be read as one.
#[test]
fn a_file_that_was_cut_off_anywhere_gives_its_whole_lines_and_an_error() {
    let run = Run::new();
    let files = run.open();
    for (file, headers) in [("instructions.csv", 1), ("trials.csv", 1), ("events.jsonl", 0)] {
        let text = run.text(file);
        for length in 0..text.len() {
            let (left, lost) = text.split_at(length);
            run.write(file, left);
            let (whole, error) = match file {
                "instructions.csv" => rows(files.instructions().map(erased)),
                "trials.csv" => rows(files.trials().map(erased)),
                _ => rows(files.events().map(erased)),
            };
            // An object of JSON has an end of its own.
            let ended = left.is_empty() || left.ends_with('\n') || (file == "events.jsonl" && lost.starts_with('\n'));
            let lines = left.lines().count() - usize::from(!ended);
            assert_eq!(whole.len(), lines.saturating_sub(headers), "{left:?}");
            let place = format!("{}, line {}: ", run.dir().join(file).display(), lines + 1);
            match error {
                None => assert!(ended, "{left:?}"),
                Some(error) => assert!(!ended && error.to_string().starts_with(&place), "{left:?}: {error}"),
            }
        }
        run.write(file, text);
    }
}

/// Rows of any kind as the same kind.
fn erased<T>(rows: impl Iterator<Item = Result<T, ReadError>>) -> impl Iterator<Item = Result<(), ReadError>> {
    rows.map(|row| row.map(drop))
}
