//! Reports of a made-up run: what they say.

/// Compares with a file of `tests/golden`; `INSTA_UPDATE=always` renews it.
macro_rules! assert_golden {
    ($name:expr, $text:expr) => {
        insta::with_settings!({
            snapshot_path => "../golden",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!($name, $text);
        })
    };
}

mod compare;
mod directory;
#[path = "../document/mod.rs"]
mod document;
mod drawn;
mod figure;
mod hostile;
mod overview;
#[cfg(feature = "png")]
mod png;
mod sample;
mod summary;

use std::collections::BTreeMap;
use std::path::Path;

use dindbench::analysis::{Analysis, CaseKey, Cell, Choices, Contrast, Metric, Subject, Summary, Undisturbed, Verdict};
use dindbench::case::{Edit, Op};
use dindbench::record::{RunRecord, TrialRow};
use dindbench::report::{self, answer, figures, table};
use dindbench::stats::{Estimate, Interval};

use sample::{Behaviour, failing, kept, recreated, socket, three};

fn answer_text(analysis: &Analysis) -> String {
    answer(analysis).iter().map(|sentence| format!("{}: {}\n", sentence.effect, sentence.text)).collect()
}

fn written(dir: &Path, run: &RunRecord, analysis: &Analysis) -> (String, String) {
    let written = report::write(dir, run, analysis, &sample::trials(analysis), &[]).unwrap();
    (std::fs::read_to_string(written.html).unwrap(), std::fs::read_to_string(written.markdown).unwrap())
}

fn rendered(run: &RunRecord, analysis: &Analysis) -> (String, String) {
    written(tempfile::tempdir().unwrap().path(), run, analysis)
}

/// Four topologies, one of which never starts and has another storage driver.
fn example() -> Analysis {
    let mut analysis = sample::analysis(
        &[socket(), kept(), recreated(), failing("dind-vfs")],
        7,
        &[(Contrast::Nesting, 1, 0), (Contrast::Lifecycle, 2, 1), (Contrast::Whole, 2, 0), (Contrast::Whole, 3, 0)],
    );
    analysis.arms[3].storage_drivers = vec!["vfs".to_owned()];
    analysis
}

/// `DINDBENCH_EXAMPLE=DIR` keeps the example, to be looked at.
#[test]
fn an_example_is_written_with_all_its_files() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = std::env::var_os("DINDBENCH_EXAMPLE").map_or(temporary.path().to_owned(), Into::into);
    let (html, markdown) = written(&dir, &sample::run(), &example());
    for text in [&html, &markdown] {
        assert!(text.contains("(socket: overlay2; dind-kept: overlay2; dind: overlay2; dind-vfs: vfs)"));
        assert!(text.contains("engine-not-ready"));
        assert!(text.contains("dindbench run quick --blocks 7 --host-label builder-3"));
        assert!(text.contains("the io controller is not enabled for this cgroup"));
        assert!(text.contains("The outer engine itself runs in a container"));
    }
    for fact in [
        "unknown: the kernel has no file scaling_governor",
        "unknown: docker buildx inspect names none",
        "active, nodes: 3",
        "2.15 GB",
        "rw,relatime,discard",
        "sha256:1f0c",
    ] {
        assert!(html.contains(fact), "{fact}");
    }
    for figure in figures(&example()).unwrap() {
        let file = dir.join("plots").join(figure.name).with_extension("svg");
        assert_eq!(std::fs::read_to_string(file).unwrap(), figure.svg);
        assert!(html.contains(&figure.svg), "{} is inside the page", figure.name);
        assert!(markdown.contains(&format!("(plots/{}.svg)", figure.name)));
    }
    for outside in ["http:", "https:", "<script", "<link", "<img", "@import"] {
        let allowed = if outside == "http:" { html.matches("xmlns=\"http:").count() } else { 0 };
        assert_eq!(html.matches(outside).count(), allowed, "{outside}");
    }
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    assert_eq!(rendered(&sample::run(), &example()), rendered(&sample::run(), &example()));
    assert_eq!(figures(&example()).unwrap(), figures(&example()).unwrap());
}

#[test]
fn answers_tell_nesting_from_lifecycle() {
    let no_kept = sample::analysis(&[socket(), recreated()], 7, &[(Contrast::Whole, 1, 0)]);
    let failed = sample::analysis(
        &[socket(), kept(), failing("dind")],
        7,
        &[(Contrast::Nesting, 1, 0), (Contrast::Lifecycle, 2, 1), (Contrast::Whole, 2, 0)],
    );
    let mut other_edits = three(7);
    other_edits.comparisons.retain(|comparison| comparison.case.edit == Edit::First);
    let many = sample::analysis(
        &[socket(), kept(), named("dind-tmpfs"), named("dind-bind"), named("dind-xfs")],
        7,
        &[(Contrast::Nesting, 1, 0), (Contrast::Nesting, 2, 0), (Contrast::Nesting, 3, 0), (Contrast::Nesting, 4, 0)],
    );
    let mut control = sample::analysis(&[socket(), named("host")], 7, &[(Contrast::JobContainer, 1, 0)]);
    control.arms[1].kind = "host".to_owned();
    let shapes = [
        ("three topologies", three(7)),
        ("one block", three(1)),
        ("no kept engine", no_kept),
        ("one arm failed", failed),
        ("neither edit in the sequence", other_edits),
        ("four pairs of one contrast", many),
        ("no job container", control),
        ("one topology", sample::analysis(&[socket()], 7, &[])),
        ("one topology that failed", sample::analysis(&[failing("socket")], 7, &[])),
        ("equivalent", decided(0.99, (0.98, 1.004), Verdict::Equivalent)),
        ("indistinguishable", decided(1.02, (0.91, 1.13), Verdict::Indistinguishable)),
        ("faster", decided(0.71, (0.68, 0.74), Verdict::Faster)),
    ];
    let text: String = shapes.iter().map(|(name, analysis)| format!("# {name}\n{}\n", answer_text(analysis))).collect();
    assert_golden!("answers", text);
}

/// Another kept engine.
fn named(name: &'static str) -> sample::Behaviour {
    sample::Behaviour { name, ..kept() }
}

/// The usual three, with this ratio between the kept engine and the socket.
fn decided(point: f64, (low, high): (f64, f64), verdict: Verdict) -> Analysis {
    let mut analysis = three(7);
    for comparison in analysis.comparisons.iter_mut().filter(|one| one.contrast == Contrast::Nesting) {
        let interval = Some(Interval { low, high, coverage: 0.953_125 });
        comparison.ratio = Some(Estimate { point, interval, n: 7 });
        comparison.verdict = Some(verdict);
        for cell in analysis.cells.iter_mut().filter(|cell| cell.topology == 1 && cell.case == comparison.case) {
            cell.summary = Summary::Constant { value: 1.5e9 * point, n: 7 };
        }
        for cell in analysis.cells.iter_mut().filter(|cell| cell.topology == 0 && cell.case == comparison.case) {
            cell.summary = Summary::Constant { value: 1.5e9, n: 7 };
        }
    }
    analysis
}

#[test]
fn a_topology_that_stands_there_twice_tells_the_noise() {
    let twice = |bounds: (f64, f64), verdict: Verdict| {
        let mut analysis = sample::analysis(&[socket(), named("again")], 7, &[(Contrast::Repeat, 1, 0)]);
        for comparison in &mut analysis.comparisons {
            let interval = Some(Interval { low: bounds.0, high: bounds.1, coverage: 0.953_125 });
            comparison.ratio = Some(Estimate { point: (bounds.0 * bounds.1).sqrt(), interval, n: 7 });
            comparison.verdict = Some(verdict);
        }
        rendered(&sample::run(), &analysis).1
    };
    let quiet = twice((0.97, 1.02), Verdict::Indistinguishable);
    // 1 / 0.97 is 1.0309.
    assert!(quiet.contains("again is socket under another name") && quiet.contains("differ by up to 3.1 %"), "{quiet}");
    assert!(!quiet.contains("Noisy run"), "{quiet}");
    let noisy = twice((1.04, 1.1), Verdict::Slower);
    assert!(noisy.contains("differ by up to 10.0 %") && noisy.contains("Noisy run: again is socket"), "{noisy}");
    let none = rendered(&sample::run(), &three(7)).1;
    assert!(!none.contains("Noise floor") && !none.contains("under another name"));
}

#[test]
fn a_topology_that_is_lengthened_tells_what_the_run_sees() {
    let delayed = |bounds: (f64, f64)| {
        let mut analysis = sample::analysis(&[socket(), named("late")], 7, &[(Contrast::Control, 1, 0)]);
        analysis.arms[1].parameters = "delay=0.1".to_owned();
        for comparison in &mut analysis.comparisons {
            let interval = Some(Interval { low: bounds.0, high: bounds.1, coverage: 0.953_125 });
            comparison.ratio = Some(Estimate { point: (bounds.0 * bounds.1).sqrt(), interval, n: 7 });
        }
        rendered(&sample::run(), &analysis).1
    };
    let seen = delayed((1.08, 1.12));
    assert!(seen.contains("late is socket, lengthened by 10 % in the client"), "{seen}");
    assert!(
        seen.contains("3 of 3 intervals hold 1.1×. Of 3 ratios of steps that are known to be 1.1 the intervals of 3 hold it (100.0 %)"),
        "{seen}"
    );
    assert!(!seen.contains("does not see"), "{seen}");
    let unseen = delayed((1.01, 1.04));
    assert!(unseen.contains("0 of 3 intervals hold 1.1×") && unseen.contains("the run does not see"), "{unseen}");
    assert!(unseen.contains("the intervals of this run are too narrow"), "{unseen}");
}

#[test]
fn a_verdict_that_hangs_on_disturbed_blocks_is_told() {
    let mut analysis = three(7);
    analysis.disturbed = BTreeMap::from([("cpu-pressure".to_owned(), 2)]);
    let quiet = rendered(&sample::run(), &analysis).1;
    assert!(
        quiet.contains("(cpu-pressure in 2)") && !quiet.contains("in which the machine was quiet it is"),
        "{quiet}"
    );
    let job = analysis.comparisons.iter_mut().find(|one| one.of_jobs()).unwrap();
    let verdict = Some(Verdict::Equivalent);
    job.undisturbed = Some(Undisturbed { blocks: 5, verdict });
    let told = rendered(&sample::run(), &analysis).1;
    assert!(told.contains("by the 5 of 7 blocks in which the machine was quiet it is equivalent"), "{told}");
}

/// By hand: 20 trials of 29 s on four processors, and one of them lost 58 s of 116 s; the last trial has no end.
#[test]
fn what_others_had_of_the_processors_is_told() {
    let analysis = three(7);
    let told = |stolen: fn(&mut TrialRow)| {
        let mut trials = sample::trials(&analysis);
        trials.iter_mut().for_each(stolen);
        let folder = tempfile::tempdir().unwrap();
        let written = report::write(folder.path(), &sample::run(), &analysis, &trials, &[]).unwrap();
        std::fs::read_to_string(written.markdown).unwrap()
    };
    let lost = told(|trial| {
        let lost = (trial.block, trial.topology.as_str()) == (3, "dind");
        trial.steal_ns = Some(if lost { 58_000_000_000 } else { 0 });
    });
    let words = "had 2.5 % of this machine's processors while trials ran, and 50.0 % in one of them (dind, block 3)";
    assert!(lost.contains(words), "{lost}");
    for quiet in [told(|trial| trial.steal_ns = Some(1_000_000_000)), told(|trial| trial.steal_ns = None)] {
        assert!(!quiet.contains("Others on the same hardware"), "{quiet}");
    }
}

#[test]
fn no_sentence_speaks_of_per_cent_faster() {
    for analysis in [three(7), decided(0.71, (0.68, 0.74), Verdict::Faster)] {
        let (html, markdown) = rendered(&sample::run(), &analysis);
        for text in [html, markdown, answer_text(&analysis), table::terminal(&analysis, None)] {
            assert!(!text.contains("% faster") && !text.contains("% slower"));
        }
    }
}

#[test]
fn tables_for_a_terminal_and_for_a_file() {
    assert_golden!("table-plain", table::terminal(&example(), None));
    assert_golden!("table-120-columns", table::terminal(&example(), Some(120)));
    let narrow = table::terminal(&example(), Some(100));
    let table = narrow.split("Ratio =").next().unwrap();
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
}

#[test]
fn markdown_of_three_topologies() {
    assert_golden!("markdown", rendered(&sample::run(), &three(7)).1);
}

#[test]
fn a_month_costs_what_the_scenarios_prices_say() {
    let (mut run, analysis) = (sample::run(), three(7));
    assert!(!rendered(&run, &analysis).1.contains("cost of"), "without prices there is none");
    run.scenario_text.push_str("\n[cost]\njobs_per_day = 400\nprice_per_minute = 0.008\n");
    let (html, markdown) = rendered(&run, &analysis);
    let socket = Choices::of(&analysis).list[0].elapsed_ns.unwrap().point;
    let month = format!("{:.2}", 400.0 * 30.0 * 0.008 * socket / 60e9);
    for page in [&html, &markdown] {
        assert!(page.contains("cost of a month") && page.contains(&month), "{month}");
        assert!(page.contains("400 jobs a day, 0.008 per minute."));
    }
}

#[test]
fn a_copy_of_a_topology_is_no_choice_wherever_it_stands() {
    let again = Behaviour { name: "dind-again", ..recreated() };
    let contrasts = [(Contrast::Repeat, 1, 0), (Contrast::Whole, 2, 0)];
    let (_, markdown) =
        rendered(&sample::run(), &sample::analysis(&[recreated(), again.clone(), socket()], 7, &contrasts));
    let (_, choice) = markdown.split_once("## What it means for a choice").expect("a section");
    let (choice, _) = choice.split_once("## How to repeat it").expect("another one");
    assert!(choice.contains("in time: socket;") && !choice.contains("dind-again"), "{choice}");
    let (_, checked) = rendered(&sample::run(), &sample::analysis(&[recreated(), again], 7, &contrasts[..1]));
    assert!(!checked.contains("## What it means for a choice") && !checked.contains("**Nesting:**"), "{checked}");
}

/// What one topology has not got is told, and no sentence says that it was compared.
#[test]
fn a_choice_names_what_is_not_known_of_all() {
    let mut analysis = three(7);
    for points in
        analysis.points.iter_mut().filter(|((_, metric), _)| *metric == Metric::DiskBytes).map(|(_, points)| points)
    {
        points.retain(|point| point.topology != 0);
    }
    let (_, markdown) = rendered(&sample::run(), &analysis);
    assert!(markdown.contains("- Not known, and not compared: disk of socket.\n"), "{markdown}");
    let told = "- No other of these is shown to be better than socket in time or bytes pulled. Less";
    assert!(markdown.contains(told), "{markdown}");
}

#[test]
fn a_choice_says_what_else_is_in_its_numbers_and_what_it_does_not_weigh() {
    const MIXED: &str = "- Their engines differ in storage driver, and that is in every number here.\n";
    const UNLIKE: &str = "- Topologies with another number of jobs at once do another amount of work";
    let told = |analysis: &Analysis| {
        let (_, markdown) = rendered(&sample::run(), analysis);
        [MIXED, UNLIKE].map(|sentence| markdown.contains(sentence))
    };
    let mut analysis = three(7);
    assert_eq!(told(&analysis), [false, false]);
    analysis.arms[1].storage_drivers = vec!["vfs".to_owned()];
    assert_eq!(told(&analysis), [true, false]);
    analysis.arms[2].parameters += " concurrency=2";
    assert_eq!(told(&analysis), [true, true]);
}

#[test]
fn what_was_pushed_is_shown_where_a_step_pushes() {
    let mut analysis = three(7);
    let pulled = analysis.cells.iter().filter(|cell| cell.metric == Metric::BytesPulled).cloned();
    let pushed: Vec<_> = pulled.map(|cell| Cell { metric: Metric::BytesPushed, ..cell }).collect();
    analysis.cells.extend(pushed.iter().cloned());
    assert!(!rendered(&sample::run(), &analysis).1.contains("| pulled | pushed |"), "every job pushed nothing");
    let push = Subject::Step { op: Op::Push, name: "2".to_owned() };
    let case = CaseKey { subject: push, edit: Edit::None };
    analysis.cells.push(Cell { case, ..pushed[0].clone() });
    assert!(rendered(&sample::run(), &analysis).1.contains("| pulled | pushed |"));
}

#[test]
fn figures_of_three_topologies() {
    for figure in figures(&three(7)).unwrap() {
        if ["elapsed", "ledger", "waterfall", "distribution"].contains(&figure.name) {
            assert_golden!(figure.name, figure.svg);
        }
    }
}

/// A driver that was asked for is no fallback.
#[test]
fn an_engine_that_falls_back_to_a_slow_driver_is_told_of() {
    for (parameters, driver, told) in [
        ("storage_driver=auto data_root=container", "vfs", true),
        ("storage_driver=auto data_root=container", "fuse-overlayfs", true),
        ("storage_driver=vfs data_root=container", "vfs", false),
        ("storage_driver=auto data_root=tmpfs", "overlay2", false),
    ] {
        let mut analysis = three(7);
        analysis.arms[2].parameters = parameters.to_owned();
        analysis.arms[2].storage_drivers = vec![driver.to_owned()];
        let (html, markdown) = rendered(&sample::run(), &analysis);
        let sentence = format!("The engine of dind fell back to the storage driver {driver}");
        for text in [html, markdown] {
            assert_eq!(text.contains(&sentence), told, "{parameters} {driver}");
        }
    }
}

#[test]
fn a_precision_goal_is_told_of_where_it_was_not_met() {
    let analysis = three(7);
    let width = analysis.half_width().expect("three topologies and seven blocks have intervals");
    let told = |goal: Option<f64>, planned: u32| {
        let (html, markdown) = rendered(&RunRecord { precision: goal, blocks: planned, ..sample::run() }, &analysis);
        ["Precision goal not met", "planned blocks have data"].map(|part| {
            assert_eq!(html.contains(part), markdown.contains(part));
            html.contains(part)
        })
    };
    assert_eq!(told(Some(width * 1.01), 40), [false, false], "it ended early because it could");
    assert_eq!(told(Some(width * 0.99), 40), [true, true]);
    assert_eq!(told(None, 40), [false, true]);
    assert_eq!(told(None, 7), [false, false]);
}

/// R: `binom.test(7, 21)`.
#[test]
fn a_failure_has_its_share_and_how_sure_that_is() {
    let (html, markdown) = rendered(&sample::run(), &sample::analysis(&[socket(), failing("dind")], 7, &[]));
    for text in [html, markdown] {
        for part in ["7 of 21", "33.3 % (14.6–57.0)"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn a_page_without_faults_has_no_box_of_cautions() {
    let mut run = sample::run();
    run.warnings.clear();
    let (html, markdown) = rendered(&run, &three(7));
    assert!(!html.contains("<aside") && !markdown.contains("Before you read"));
    run.blocks = 9;
    assert!(rendered(&run, &three(7)).0.contains("7 of 9 planned blocks have data."));
}

/// What was not measured for want of data is no property of the topologies.
#[test]
fn a_run_without_a_sample_says_so() {
    let run = sample::run();
    let empty = dindbench::analysis::analyse(&run, std::iter::empty(), std::iter::empty(), None).unwrap();
    assert_eq!(answer_text(&empty), "No data: no measured block has a sample.\n");
    rendered(&run, &empty);
}

#[test]
fn few_blocks_are_called_few() {
    let (html, markdown) = rendered(&sample::run(), &three(2));
    for text in [html, markdown] {
        assert!(text.contains("Only 2 blocks were measured"));
        assert!(text.contains("no interval"));
    }
}
