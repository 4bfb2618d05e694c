//! The table of exact intervals in `docs/methodology.md` is the one that the statistics give.

use std::num::NonZeroUsize;

use dindbench::stats::{Estimate, Level, Ordered, difference, fewest_unpaired, median};

const METHODOLOGY: &str = include_str!("../docs/methodology.md");

/// Powers of two: no two of their Walsh averages are the same, and all of them are exact.
fn powers(n: i32) -> Vec<f64> {
    (0..n).map(|exponent| 2_f64.powi(exponent)).collect()
}

/// Place of the interval's lower bound among ordered values, from 1, and its coverage.
fn interval(estimate: &Estimate, values: &[f64]) -> (usize, String) {
    let interval = estimate.interval.expect("an interval from six values on");
    let place = values.iter().position(|value| *value == interval.low).expect("a bound is one of the values");
    (place + 1, format!("{:.1} %", 100.0 * interval.coverage))
}

fn walsh_averages(values: &[f64]) -> Vec<f64> {
    let pairs = (0..values.len()).flat_map(|i| (i..values.len()).map(move |j| (i, j)));
    let mut averages: Vec<f64> = pairs.map(|(i, j)| (values[i] + values[j]) / 2.0).collect();
    averages.sort_by(f64::total_cmp);
    averages
}

#[test]
fn the_table_of_intervals_is_exact() {
    let rows: Vec<Vec<&str>> = METHODOLOGY
        .lines()
        .skip_while(|line| !line.starts_with("| n |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert!(rows.len() >= 5, "one row for each preset, and the floor");
    for row in rows {
        let n: i32 = row[0].parse().unwrap();
        let values = powers(n);
        let averages = walsh_averages(&values);
        let ordered = Ordered::new(values.iter().copied()).unwrap();
        let (rank, of_median) = interval(&median(&ordered, Level::P95), &values);
        let pairs: Vec<(f64, f64)> = values.iter().map(|value| (*value, 0.0)).collect();
        let (k, of_ratio) = interval(&difference(&pairs, Level::P95).unwrap(), &averages);
        let (narrow, of_equality) = interval(&difference(&pairs, Level::P90).unwrap(), &averages);
        let expected = [
            n.to_string(),
            format!("{rank} and {}", n as usize + 1 - rank),
            of_median,
            format!("{k} of {}", averages.len()),
            of_ratio,
            format!("{narrow} of {}", averages.len()),
            of_equality,
        ];
        assert_eq!(row, expected);
    }
}

/// Whole jobs and steps have half of the error each, so a half of so many cases is one of twice as many.
#[test]
fn the_table_of_cases_is_exact() {
    let rows: Vec<&str> = METHODOLOGY
        .lines()
        .skip_while(|line| *line != "| blocks in each run | whole jobs, or steps, at most |")
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert_eq!(rows.len(), 4, "one row for each number of blocks from the fewest on");
    for row in rows {
        let numbers: Vec<usize> = row.trim_matches('|').split('|').map(|cell| cell.trim().parse().unwrap()).collect();
        let fewest = |cases| fewest_unpaired(Level::Joint95(NonZeroUsize::new(2 * cases).unwrap()));
        assert_eq!((fewest(numbers[1]), fewest(numbers[1] + 1)), (numbers[0], numbers[0] + 1));
    }
}
