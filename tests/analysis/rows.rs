//! From rows to an analysis: whole, in any order, and of one run.

use dindbench::analysis::{AnalyseError, Analysis, analyse};
use dindbench::record::{ReadError, RunDir, Writer};

use crate::run::{DIND, Run, SOCKET, block, two_arms};

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

#[test]
fn an_unreadable_row_ends_the_analysis() {
    let run = two_arms([2.0; 6]);
    let broken = || ReadError::Row { path: "samples.csv".into(), line: 8, reason: "broken".into() };
    let samples = run.samples.iter().cloned().map(Ok).chain([Err(broken())]);
    let error = analyse(&run.record, samples, std::iter::empty(), None).unwrap_err();
    assert_eq!(error.to_string(), "samples.csv, line 8: broken");
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
