//! Figures that only some runs have: jobs at once, grids of storage, the parts of a start.

use dindbench::analysis::{Analysis, Arm, AtOnce, CaseKey, Cell, Metric, Phase, Subject, Summary};
use dindbench::case::Edit;
use dindbench::report::{Figure, figures};
use dindbench::stats::{Estimate, Interval};

use crate::drawn::assert_inside;
use crate::hostile::{TRICKS, assert_figures_contained};
use crate::sample::{self, Behaviour, failing, kept, noise, recreated, socket};

const MS: f64 = 1e6;

fn named(analysis: &Analysis, name: &str) -> Option<Figure> {
    figures(analysis).unwrap().into_iter().find(|figure| figure.name == name)
}

fn svg(analysis: &Analysis, name: &str) -> String {
    named(analysis, name).unwrap_or_else(|| panic!("no figure {name}")).svg
}

fn around(point: f64, share: f64) -> Estimate {
    let interval = Interval { low: point * (1.0 - share), high: point * (1.0 + share), coverage: 0.953_125 };
    Estimate { point, interval: Some(interval), n: 7 }
}

/// One, two, four and eight jobs at once in each topology, one after another.
fn at_once(behaviours: &[Behaviour]) -> Analysis {
    let levels = [1, 2, 4, 8];
    let arms: Vec<Behaviour> = behaviours.iter().flat_map(|one| levels.map(|_| one.clone())).collect();
    let mut analysis = sample::analysis(&arms, 3, &[]);
    for (topology, arm) in analysis.arms.iter_mut().enumerate() {
        let jobs = levels[topology % levels.len()];
        if jobs > 1 {
            arm.name.push_str(&format!("-{jobs}"));
        }
        let behaviour = &arms[topology];
        for edit in [Edit::First, Edit::None] {
            let alone = if behaviour.forgets || edit == Edit::First { 5_400.0 * MS } else { 980.0 * MS };
            let slower = 1.0 + 0.35 * (jobs as f64 - 1.0) * behaviour.nesting;
            if !behaviour.fails {
                analysis.at_once.push(AtOnce {
                    topology,
                    family: topology - topology % levels.len(),
                    edit,
                    concurrency: jobs,
                    slowest: around(alone * slower, 0.06),
                    evenness: around(0.9, 0.05),
                    slowdown: (jobs > 1).then(|| around(slower, 0.05 + 0.02 * noise([topology as u32]))),
                });
            }
        }
    }
    analysis
}

#[test]
fn jobs_at_once_have_a_ladder() {
    let analysis = at_once(&[socket(), recreated()]);
    let ladder = svg(&analysis, "ladder");
    assert_golden!("ladder", ladder);
    assert!(ladder.contains("socket after edit none: 1 in 980 ms, 2 in 1.32 s, each 1.35×, 4 in 2.01 s, each 2.05×"));
    // One legend entry and one line per plane for each of the two, whatever the number of their jobs.
    assert!(!ladder.contains("socket-8") && !ladder.contains("dind-8"));
    assert_eq!(named(&sample::three(7), "ladder"), None);
}

#[test]
fn a_ladder_holds_whatever_is_measured() {
    for count in [1, 2, 10] {
        let behaviours: Vec<_> = (0..count).map(|index| if index % 2 == 0 { kept() } else { recreated() }).collect();
        assert_inside(&at_once(&behaviours), &format!("{count} topologies at once"));
    }
    let failed = at_once(&[socket(), failing("dind")]);
    assert_inside(&failed, "one topology failed");
    assert!(!svg(&failed, "ladder").contains("dind"));
    for (slowest, slowdown) in [(1.0, 1.0), (86_400e9, 8.64e13), (1.0, 1e-14)] {
        let mut extreme = at_once(&[socket(), kept()]);
        for one in &mut extreme.at_once {
            one.slowest = Estimate { point: slowest, interval: None, n: 7 };
            one.slowdown = one.slowdown.map(|_| Estimate { point: slowdown, interval: None, n: 7 });
        }
        assert_inside(&extreme, &format!("jobs at once in {slowest} ns, {slowdown} times as long"));
    }
    let mut never_alone = at_once(&[socket()]);
    never_alone.at_once.retain(|one| one.concurrency > 1);
    never_alone.at_once.iter_mut().for_each(|one| one.slowdown = None);
    assert_eq!(svg(&never_alone, "ladder").matches(">\nno data\n<").count(), 2, "one for each edit");
}

/// Kept engines whose storage differs, and a socket beside them. The last one never starts.
fn grid() -> Analysis {
    let storages = [
        ("volume", "auto", "fresh", "overlay2"),
        ("container", "auto", "container", "vfs"),
        ("vfs", "vfs", "fresh", "vfs"),
        ("btrfs", "btrfs", "loop:btrfs", "btrfs"),
        ("inside", "overlay2", "container", ""),
    ];
    let behave = |(name, ..): &(&'static str, &str, &str, &str)| Behaviour { name, fails: *name == "inside", ..kept() };
    let behaviours: Vec<Behaviour> = [socket()].into_iter().chain(storages.iter().map(behave)).collect();
    let mut analysis = sample::analysis(&behaviours, 7, &[]);
    let first = CaseKey { subject: Subject::Job, edit: Edit::First };
    for (topology, (_, driver, data_root, ran)) in (1..).zip(storages) {
        let arm: &mut Arm = &mut analysis.arms[topology];
        arm.kind = "dind".to_owned();
        arm.parameters = format!("lifecycle=keep engine=auto storage_driver={driver} data_root={data_root}");
        arm.storage_drivers = if ran.is_empty() { Vec::new() } else { vec![ran.to_owned()] };
        let summary = if ran.is_empty() { Summary::Missing } else { Summary::Constant { value: 310e6, n: 7 } };
        let metric = Metric::DiskDeltaBytes;
        analysis.cells.push(Cell { topology, case: first.clone(), metric, summary, excluded: 0 });
    }
    analysis
}

#[test]
fn a_grid_of_storage_is_drawn_as_one() {
    let drawn = svg(&grid(), "storage");
    assert_golden!("storage", drawn);
    for told in [
        "volume, auto on fresh: works, 6.39 s, 310 MB.",
        "container, auto on container: falls back: vfs, 6.27 s, 310 MB.",
        "vfs, vfs on fresh: works, 6.20 s, 310 MB.",
        "inside, overlay2 on container: fails, engine-not-ready.",
    ] {
        assert!(drawn.contains(told), "{told}: {drawn}");
    }
    // Three places of data, four drivers, and five topologies.
    assert_eq!(drawn.matches(">\nnot tried\n<").count(), 3 * 4 - 5);
}

#[test]
fn only_a_grid_is_drawn_as_one() {
    assert_eq!(named(&sample::three(7), "storage"), None);
    for (what, from, to) in [
        ("another lifecycle", "lifecycle=keep", "lifecycle=recreate"),
        ("one driver", "storage_driver=vfs", "storage_driver=auto"),
    ] {
        let mut other = grid();
        for arm in other.arms.iter_mut().skip(if what == "one driver" { 1 } else { 3 }) {
            arm.parameters = arm.parameters.replace(from, to);
            if what == "one driver" {
                arm.parameters = arm.parameters.replace("=overlay2", "=auto").replace("=btrfs", "=auto");
            }
        }
        assert_eq!(named(&other, "storage"), None, "{what}");
    }
}

#[test]
fn a_failure_beside_successes_is_told_in_its_place() {
    let mut analysis = grid();
    let first = CaseKey { subject: Subject::Job, edit: Edit::First };
    for cell in analysis.cells.iter_mut().filter(|cell| (cell.topology, cell.metric) == (1, Metric::ElapsedNs)) {
        cell.excluded = if cell.case == first { 2 } else { 0 };
    }
    assert!(svg(&analysis, "storage").contains("volume, auto on fresh: works, 2 failed, 6.39 s"));
}

#[test]
fn a_grid_holds_whatever_is_measured() {
    for value in [1.0, 86_400e9, 1e17] {
        let mut analysis = grid();
        analysis.cells.iter_mut().for_each(|cell| cell.summary = Summary::Constant { value, n: 7 });
        assert_inside(&analysis, &format!("a grid of {value}"));
    }
    let mut wide = sample::analysis(&vec![kept(); 40], 2, &[]);
    for (index, arm) in wide.arms.iter_mut().enumerate() {
        arm.parameters = format!("storage_driver=driver-{index} data_root=root-{}", index % 7);
    }
    assert_inside(&wide, "a grid of forty");
    wide.arms.iter_mut().for_each(|arm| arm.parameters = "storage_driver=auto data_root=fresh".to_owned());
    wide.arms[0].parameters = "storage_driver=vfs data_root=tmpfs".to_owned();
    assert_inside(&wide, "thirty-nine in one place");
}

/// The usual three with the parts of their starts; the socket's start has one part.
fn in_parts() -> Analysis {
    let mut analysis = sample::three(7);
    let phase = |(topology, name, elapsed): (usize, &str, f64)| Phase {
        topology,
        name: name.to_owned(),
        elapsed_ns: elapsed * MS,
    };
    let parts = [(0, "job-container", 306.0), (2, "engine", 900.0), (2, "job-container", 280.0)];
    analysis.phases = Some(parts.map(phase).to_vec());
    analysis
}

#[test]
fn a_start_is_drawn_in_its_parts() {
    let whole = named(&sample::three(7), "waterfall").unwrap();
    assert!(whole.caption.contains("events.jsonl, which the directory of this run does not have"), "{}", whole.caption);
    let figure = named(&in_parts(), "waterfall").unwrap();
    assert_golden!("waterfall-in-parts", figure.svg);
    assert!(!figure.caption.contains("events.jsonl"), "{}", figure.caption);
    assert!(figure.svg.contains("dind: engine 900 ms, job-container 280 ms, build app "), "{}", figure.svg);
    assert!(figure.svg.contains("dind-kept: start "), "one without known parts has its start as one piece");
}

#[test]
fn parts_of_any_length_stay_inside() {
    for elapsed_ns in [0.0, 1.0, 86_400e9] {
        let mut analysis = in_parts();
        analysis.phases.iter_mut().flatten().for_each(|phase| phase.elapsed_ns = elapsed_ns);
        assert_inside(&analysis, &format!("parts of {elapsed_ns} ns"));
    }
}

#[test]
fn names_stay_text_in_these_figures_too() {
    let with = |text: &str| {
        let (mut ladder, mut storage) = (at_once(&[socket(), kept()]), grid());
        for arm in ladder.arms.iter_mut().chain(&mut storage.arms) {
            arm.name = text.to_owned();
        }
        // A parameter is one word, and its value may be any other.
        let word: String = text.split_whitespace().collect();
        storage.arms[1].parameters =
            storage.arms[1].parameters.replace("storage_driver=auto", &format!("storage_driver={word}"));
        (ladder, storage)
    };
    let plain = with("harmless");
    for hostile in TRICKS {
        let hostile = with(hostile);
        assert_figures_contained(&hostile.0, &plain.0);
        assert_figures_contained(&hostile.1, &plain.1);
        assert_inside(&hostile.1, "hostile names in a grid");
    }
}
