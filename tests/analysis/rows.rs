//! From rows to an analysis: whole, in any order, and of one run.

use dindbench::analysis::{AnalyseError, Analysis, analyse};
use dindbench::case::{Builder, Status};
use dindbench::record::{Observation, ReadError, RunDir, Writer};
use proptest::prelude::*;

use crate::run::{DIND, Run, SOCKET, block, fail, two_arms};

#[test]
fn a_run_without_rows_is_empty() {
    let analysis = Run::new(&[SOCKET, DIND]).analyse();
    assert_eq!((analysis.blocks, analysis.cells.len(), analysis.points.len(), analysis.arms.len()), (0, 0, 0, 2));
}

#[test]
fn the_order_of_the_blocks_in_the_file_does_not_matter() {
    let mut run = two_arms([1.5, 3.0, 1.4, 1.6, 2.0, 1.5]);
    let before = run.clone().analyse();
    run.samples.rotate_left(9);
    assert_eq!(run.analyse(), before);
}

#[test]
fn rows_of_another_run_are_refused() {
    let mut run = two_arms([2.0; 6]);
    run.samples[3].topology = "elsewhere".into();
    let error = run.try_analyse().unwrap_err();
    assert!(matches!(&error, AnalyseError::UnknownTopology { name, .. } if name == "elsewhere"), "{error}");

    let mut run = two_arms([2.0; 6]);
    run.record.baseline = "elsewhere".into();
    assert!(matches!(run.try_analyse(), Err(AnalyseError::UnknownBaseline { .. })));
}

/// As when a file was put behind itself: the sums of its jobs would be twice what they were.
#[test]
fn a_step_that_has_two_rows_is_refused() {
    let mut run = two_arms([2.0; 6]);
    run.samples.push(run.samples[10].clone());
    let error = run.try_analyse().unwrap_err();
    assert!(matches!(&error, AnalyseError::Twice { block: 2, topology, job: 1, .. } if topology == "dind"), "{error}");
}

#[test]
fn an_unreadable_row_ends_the_analysis() {
    let run = two_arms([2.0; 6]);
    let broken = || ReadError::Row { path: "samples.csv".into(), line: 8, reason: "broken".into() };
    let samples = run.samples.iter().cloned().map(Ok).chain([Err(broken())]);
    let error = analyse(&run.record, samples, std::iter::empty(), None).unwrap_err();
    assert_eq!(error.to_string(), "samples.csv, line 8: broken");
}

/// Written, and read back as far as an analysis needs them.
fn assert_observed(run: &Run) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let mut writer = Writer::create(&path, &run.record).unwrap();
    run.samples.iter().for_each(|row| writer.sample(row).unwrap());
    let mut rows = RunDir::open(&path).unwrap().observations().unwrap();
    for sample in &run.samples {
        assert_eq!(rows.read().unwrap(), Some(Observation::from(sample)));
    }
    assert_eq!(rows.read().unwrap(), None);
}

#[test]
fn a_row_is_observed_as_it_was_written() {
    let mut run = two_arms([1.5; 6]);
    let full = &mut run.samples[1];
    fail(full, Status::Timeout);
    full.builder = Some(Builder::Classic);
    (full.instructions_total, full.instructions_cached, full.disk_delta_bytes) = (Some(10), Some(0), Some(-7));
    let counts = [
        &mut full.upload_ns,
        &mut full.export_ns,
        &mut full.bytes_pulled,
        &mut full.bytes_pushed,
        &mut full.disk_bytes,
        &mut full.cpu_ns,
        &mut full.peak_memory_bytes,
        &mut full.io_read_bytes,
        &mut full.io_write_bytes,
    ];
    counts.into_iter().zip(1..).for_each(|(count, number)| *count = Some(number));
    assert_observed(&run);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_text_of_a_row_is_observed(texts in prop::array::uniform5(any::<String>())) {
        let mut run = two_arms([1.5; 6]);
        let row = &mut run.samples[2];
        let [topology, step, error, engine, driver] = texts;
        (row.topology, row.step, row.error) = (topology.into(), step.into(), error.into());
        (row.engine_version, row.storage_driver, row.flags) = (engine, driver, "cpu-pressure;load".into());
        assert_observed(&run);
    }
}

#[test]
fn a_file_without_a_column_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let run = two_arms([1.5; 6]);
    let mut writer = Writer::create(&path, &run.record).unwrap();
    run.samples.iter().for_each(|row| writer.sample(row).unwrap());
    let file = path.join("samples.csv");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("elapsed_ns", "elapsed", 1)).unwrap();
    let error = Analysis::of(&RunDir::open(&path).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: it has no column elapsed_ns", file.display()));
}

#[test]
fn a_run_directory_gives_the_same_analysis() {
    let mut run = two_arms([1.5, 3.0, 1.4, 1.6, 2.0, 1.5]);
    run.instruction("dind", block(1), 1, true);
    run.phases("dind", block(1), &[("engine", 40), ("job-container", 60)]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run");
    let mut writer = Writer::create(&path, &run.record).unwrap();
    run.samples.iter().for_each(|row| writer.sample(row).unwrap());
    run.instructions.iter().for_each(|row| writer.instruction(row).unwrap());
    writer.events(run.phases.as_deref().unwrap()).unwrap();
    assert_eq!(Analysis::of(&RunDir::open(&path).unwrap()).unwrap(), run.analyse());
}
