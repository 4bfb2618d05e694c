//! What `cargo bench --bench coverage` simulates: intervals hold the ratio as often as they say where trials are
//! interleaved, and not where they run in sequence on a machine that drifts.

#[path = "../benches/published.rs"]
mod published;
#[path = "../benches/simulation/mod.rs"]
mod simulation;

use dindbench::record::RunDir;
use simulation::{Blocks, Cell, Drifting, Machine, Order, Recorded, Tail, Tally};
use statrs::distribution::{Binomial, DiscreteCDF};

const RUNS: u32 = 400;

/// Trials that know nothing of one another, with this standard deviation.
fn independent(noise: f64) -> Drifting {
    let none = Tail { probability: 0.0, least: 0.0, most: 0.0 };
    Drifting { state: 0.0, correlation: 0.0, shift: 0.0, shifted: 0.0, noise, tail: none, compared_tail: none }
}

fn interleaved(blocks: Blocks, machine: &Machine, seed: u64) -> Tally {
    Cell { blocks, ratio: 1.0, order: Order::Interleaved }.simulate(machine, seed, RUNS)
}

/// Coverages from the table in `docs/methodology.md`, here of 31/32 and 487/512.
#[test]
fn independent_trials_are_covered_as_often_as_stated() {
    for (blocks, stated) in [(6, 0.968_75), (10, 0.951_171_875)] {
        let expected = Binomial::new(stated, RUNS.into()).unwrap();
        let [least, most] = [0.0005, 0.9995].map(|chance| expected.inverse_cdf(chance) as f64 / f64::from(RUNS));
        for ratio in [1.0, 1.1] {
            let cell = Cell { blocks: Blocks::Fixed(blocks), ratio, order: Order::Interleaved };
            let found = cell.simulate(&Machine::Drifting(independent(0.02)), 1, RUNS);
            assert!((least..=most).contains(&found.coverage), "{blocks} blocks, ratio {ratio}: {found:?}");
            assert_eq!(found.blocks, f64::from(blocks));
        }
    }
}

#[test]
fn a_sequence_on_a_machine_that_drifts_covers_less_than_blocks() {
    let machine = Machine::Drifting(Drifting { shift: 0.1, shifted: 1.0, ..independent(0.02) });
    let [interleaved, sequential] = [Order::Interleaved, Order::Sequential]
        .map(|order| Cell { blocks: Blocks::Fixed(20), ratio: 1.0, order }.simulate(&machine, 1, RUNS).coverage);
    assert!(interleaved > 0.9 && sequential < 0.5, "{interleaved} in blocks, {sequential} in sequence");
}

#[test]
fn a_run_ends_when_its_ratio_is_known_closely() {
    for (noise, blocks) in [(0.002, 10.0), (0.5, 40.0)] {
        let found = interleaved(Blocks::Adaptive, &Machine::Drifting(independent(noise)), 1);
        assert_eq!((found.blocks, found.half_width < 0.02), (blocks, noise < 0.02));
    }
}

#[test]
fn the_same_seed_gives_the_same_result() {
    let run = RunDir::open(&published::latest().unwrap()).unwrap();
    for machine in [Machine::Drifting(independent(0.02)), Machine::Recorded(Recorded::of(&run).unwrap())] {
        let [first, again, other] = [1, 1, 2].map(|seed| interleaved(Blocks::Fixed(10), &machine, seed));
        assert_eq!(first, again, "{machine}");
        assert_ne!(first, other, "{machine}");
    }
}
