//! The files of a run: what ends it when they cannot be written, and the report that they give.

use std::path::Path;
use std::process::Command;

use dindbench::analysis::Analysis;
use dindbench::case::ErrorClass;
use dindbench::record::RunDir;
use dindbench::report;
use dindbench::workload::Fault;

use crate::fake::{Fake, Turn};
use crate::run::{Ends, RUN_ID, Run, plan, quick, run, run_into};

/// Every file below a folder, with its bytes.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    let name = |path: &Path| path.strip_prefix(folder).unwrap().display().to_string();
    files.map(|entry| (name(entry.path()), std::fs::read(entry.path()).unwrap())).collect()
}

/// Reports as `dindbench report` does: from the directory alone.
fn reported(run: &Run) -> Vec<(String, Vec<u8>)> {
    let (files, place) = (RunDir::open(&run.dir()).unwrap(), tempfile::tempdir().unwrap());
    report::write(place.path(), files.record(), &Analysis::of(&files).unwrap(), &run.trials(), &[]).unwrap();
    contents(place.path())
}

#[tokio::test(start_paused = true)]
async fn a_run_gives_a_report_and_gives_it_again_to_the_byte() {
    let quick = quick();
    let run = run(&quick, &plan(&quick, 7), Fake::new(&quick)).await;
    let before = contents(&run.dir());
    let report = reported(&run);
    assert_eq!(reported(&run), report);
    assert_eq!(contents(&run.dir()), before, "a report leaves its run alone");
    let text = |name: &str| {
        let (_, bytes) = report.iter().find(|(file, _)| file == name).expect("the file is there");
        String::from_utf8(bytes.clone()).unwrap()
    };
    for page in [text("report.html"), text("report.md")] {
        assert!(
            quick.topologies.iter().all(|topology| page.contains(&topology.name)) && page.contains(RUN_ID),
            "{page}"
        );
    }
    let figures: Vec<_> = report.iter().filter(|(name, _)| name.ends_with(".svg")).collect();
    assert_eq!(
        (figures.len() + 6, figures.is_empty()),
        (report.len(), false),
        "two pages, and four files for programs"
    );
    assert!(figures.iter().all(|(name, bytes)| name.starts_with("plots/") && bytes.starts_with(b"<svg")));
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_in_the_report_and_harmless_there() {
    let quick = quick();
    let fault = Fault::failed(ErrorClass::CommandFailed, "make: <b>all</b>\n\x1b[31m");
    let fake = Fake::new(&quick).at(1, "dind", "job 2: app", Turn::Fails(fault));
    let report = reported(&run(&quick, &plan(&quick, 2), fake).await);
    for (page, message) in [("report.html", "make: &#60;b&#62;all&#60;/b&#62;"), ("report.md", "make: ")] {
        let (_, bytes) = report.iter().find(|(file, _)| file == page).unwrap();
        let text = String::from_utf8_lossy(bytes);
        assert!(text.contains("command-failed") && text.contains(message), "{text}");
        assert!(!text.contains("<b>all") && !text.contains('\x1b'), "{text}");
    }
}

/// The limit is on the whole process, so the run that meets it has one of its own.
#[tokio::test(start_paused = true)]
async fn a_file_that_takes_no_more_ends_the_run_and_is_named() {
    const LIMITED: &str = "DINDBENCH_TEST_LIMITED";
    if std::env::var_os(LIMITED).is_none() {
        let limit = "trap '' XFSZ && ulimit -f 16 && exec \"$@\"";
        let this = ["--exact", "files::a_file_that_takes_no_more_ends_the_run_and_is_named"];
        let mut command = Command::new("sh");
        command.args(["-c", limit, "sh"]).arg(std::env::current_exe().unwrap()).args(this).env(LIMITED, "1");
        let output = command.output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
        return;
    }
    let (folder, quick) = (tempfile::tempdir().unwrap(), quick());
    let (dir, mut fake) = (folder.path().join("run"), Fake::new(&quick));
    let error = run_into(&dir, &quick, &plan(&quick, 7), &mut fake, Ends::default(), |_, _| {}).await.unwrap_err();
    let expected = format!("cannot write {}: File too large (os error 27)", dir.join("samples.csv").display());
    assert_eq!(error.to_string(), expected);
    let opened = fake.calls.borrow().iter().filter(|call| call.starts_with("open")).count();
    assert!(opened < 24, "nothing is measured that cannot be kept");
    assert_eq!(fake.calls.borrow().last().map(String::as_str), Some("close"), "what a trial made goes with it");
    let rows: Vec<_> = RunDir::open(&dir).unwrap().samples().unwrap().collect();
    let (last, whole) = rows.split_last().unwrap();
    assert!(!whole.is_empty() && whole.iter().all(Result::is_ok), "what was written stays readable");
    assert!(last.as_ref().unwrap_err().to_string().contains("samples.csv, line"), "{last:?}");
}
