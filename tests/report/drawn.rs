//! Every figure keeps to its frame, and names what it leaves out.

use dindbench::analysis::{Analysis, Metric, Point, Subject, Summary};
use dindbench::case::Op;
use dindbench::report::figures;

use crate::example;
use crate::sample::{self, failing, kept, recreated, three};

/// Every coordinate of a figure, in its own units, with the limit that it must keep to.
pub fn coordinates(svg: &str) -> Vec<(f64, f64)> {
    let view: Vec<f64> =
        attribute(svg, "viewBox").next().unwrap().split(' ').map(|part| part.parse().unwrap()).collect();
    let single = |names: &[&'static str], limit: f64| -> Vec<(f64, f64)> {
        let values = names.iter().flat_map(|name| attribute(svg, name));
        values.map(|value| (value.parse().unwrap(), limit)).collect()
    };
    let points = attribute(svg, "points").flat_map(|points| {
        points.split_whitespace().flat_map(|point| {
            let (x, y) = point.split_once(',').unwrap();
            [(x.parse().unwrap(), view[2]), (y.parse().unwrap(), view[3])]
        })
    });
    let x = single(&["x", "cx", "x1", "x2"], view[2]);
    let y = single(&["y", "cy", "y1", "y2"], view[3]);
    x.into_iter().chain(y).chain(points).collect()
}

pub fn attribute<'a>(svg: &'a str, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    let opening = format!(" {name}=\"");
    let parts: Vec<&str> = svg.split(&opening).skip(1).collect();
    parts.into_iter().map(|part| part.split('"').next().unwrap())
}

pub fn assert_inside(analysis: &Analysis, what: &str) {
    for figure in figures(analysis).unwrap() {
        let all = coordinates(&figure.svg);
        assert!(all.len() > 4, "{what}: {} is empty", figure.name);
        for (value, limit) in all {
            assert!((0.0..=limit).contains(&value), "{what}: {} draws at {value} of {limit}", figure.name);
        }
        assert!(!figure.svg.contains("NaN") && !figure.svg.contains("inf\""), "{what}: {}", figure.name);
    }
}

#[test]
fn nothing_is_drawn_outside_of_a_figure() {
    for count in [0, 1, 2, 8, 40] {
        let behaviours: Vec<_> = (0..count).map(|index| if index % 3 == 0 { recreated() } else { kept() }).collect();
        let analysis = sample::analysis(&behaviours, 3, &[]);
        assert_inside(&analysis, &format!("{count} topologies"));
    }
    for value in [0.0, 1.0, 86_400e9, 1e17] {
        let mut analysis = three(7);
        analysis.points.values_mut().flatten().for_each(|point| point.value = value);
        analysis.cells.iter_mut().for_each(|cell| cell.summary = Summary::Constant { value, n: 7 });
        assert_inside(&analysis, &format!("all values {value}"));
    }
    let mut many_jobs = three(2);
    for points in many_jobs.points.values_mut() {
        let copies = points.clone();
        let later = |round: u32| copies.iter().map(move |point| Point { job: point.job + 6 * round, ..*point });
        points.extend((1..40).flat_map(later));
        points.sort_by_key(|point| (point.topology, point.block, point.job));
    }
    many_jobs.jobs = (1..).zip(sample::EDITS.into_iter().cycle()).take(240).collect();
    assert_inside(&many_jobs, "240 jobs");
}

#[test]
fn missing_data_is_named_in_the_figure() {
    for figure in figures(&sample::analysis(&[failing("socket")], 7, &[])).unwrap() {
        assert!(figure.svg.matches("no data").count() >= 2, "{}", figure.name);
    }
    let elapsed = |analysis: &Analysis| figures(analysis).unwrap().swap_remove(0).svg;
    // Words in the slots of the failed topology; a note where the slots are too narrow for words.
    assert_eq!(elapsed(&example()).matches(">\nno data\n<").count(), sample::EDITS.len());
    let mut narrow = vec![recreated(); 30];
    narrow[4] = failing("dind");
    assert!(elapsed(&sample::analysis(&narrow, 2, &[])).contains("no data in 6 of 180 places"));
}

/// A step without a value ends its bar, and a block that lacks a job its line.
#[test]
fn what_would_be_too_short_is_not_drawn() {
    let named = |analysis: &Analysis, name: &str| {
        figures(analysis).unwrap().into_iter().find(|figure| figure.name == name).unwrap().svg
    };
    let mut analysis = three(7);
    let whole = named(&analysis, "waterfall");
    assert!(
        whole.contains("socket: start 306 ms, build app 5.33 s.") && whole.matches(", build app ").count() == 3,
        "{whole}"
    );
    for cell in analysis.cells.iter_mut().filter(|cell| cell.topology == 1) {
        if matches!(cell.case.subject, Subject::Step { op: Op::Start, .. }) {
            cell.summary = Summary::Missing;
        }
    }
    let cut = named(&analysis, "waterfall");
    assert!(cut.contains("dind-kept: no data.") && cut.matches(", build app ").count() == 2, "{cut}");
    let marks = |analysis: &Analysis| named(analysis, "blocks").matches("<circle").count();
    let before = marks(&analysis);
    let times = analysis.points.get_mut(&(Subject::Job, Metric::ElapsedNs)).unwrap();
    times.retain(|point| (point.topology, point.block, point.job) != (0, 3, 2));
    assert_eq!(marks(&analysis), before - 1);
}

#[test]
fn values_that_no_axis_can_hold_are_counted_in_the_figure() {
    let mut analysis = three(7);
    let mut broken = [-1.0, f64::NAN, f64::INFINITY].into_iter();
    let times = analysis.points.get_mut(&(Subject::Job, Metric::ElapsedNs)).unwrap();
    for point in times.iter_mut().filter(|point| !point.warmup) {
        point.value = broken.next().unwrap_or(point.value);
    }
    assert!(figures(&analysis).unwrap()[0].svg.contains("not shown: 3 values that are negative or not finite"));
    assert_inside(&analysis, "broken values");
}
