//! Many simulated runs of one kind, and how often their intervals hold the truth.

use std::num::NonZero;
use std::ops::Range;
use std::thread;

use dindbench::plan::Plan;
use dindbench::scenario::{QUICK, Scenario, builtin};
use dindbench::stats::{Level, Ordered, half_width, looks, ratio};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Machine, Order};

/// Places in `quick` of the two topologies that are compared. The trials of the third take their time as well.
const BASELINE: usize = 0;
const COMPARED: usize = 1;

/// Where a run with a precision ends at the latest, and the half-width at which it ends before: the defaults of
/// `--precision`.
const LAST: u32 = 40;
const PRECISION: f64 = 0.02;

/// When a run ends.
#[derive(Clone, Copy)]
pub enum Blocks {
    Fixed(u32),
    /// As soon as the ratio is known to 2 %, and after 40 blocks at the latest.
    Adaptive,
}

#[derive(Clone, Copy)]
pub struct Cell {
    pub blocks: Blocks,
    /// What a trial takes on the same machine in the topology that is compared, by what it takes in the baseline.
    pub ratio: f64,
    pub order: Order,
}

/// Of the runs of a cell.
#[derive(Debug, PartialEq)]
pub struct Tally {
    /// Share of runs whose interval holds the ratio.
    pub coverage: f64,
    /// Median of √(high / low) - 1.
    pub half_width: f64,
    /// Mean number of blocks.
    pub blocks: f64,
}

/// Of one run.
struct Outcome {
    held: bool,
    half_width: f64,
    blocks: usize,
}

impl Blocks {
    fn last(self) -> u32 {
        match self {
            Self::Fixed(blocks) => blocks,
            Self::Adaptive => LAST,
        }
    }

    fn looks(self) -> Vec<u32> {
        match self {
            Self::Fixed(blocks) => vec![blocks],
            Self::Adaptive => looks(LAST).collect(),
        }
    }
}

impl Cell {
    /// Every run has a generator of its own, so the number of threads changes nothing.
    pub fn simulate(self, machine: &Machine, seed: u64, runs: u32) -> Tally {
        let scenario = builtin(QUICK).expect("it is built in");
        let outcomes = |runs: Range<u32>| -> Vec<Outcome> {
            runs.map(|run| self.run(&scenario, machine, self.random(seed, run))).collect()
        };
        let threads = thread::available_parallelism().map_or(1, NonZero::get) as u32;
        let share = runs.div_ceil(threads);
        let outcomes: Vec<Outcome> = thread::scope(|scope| {
            let shares = (0..runs).step_by(share as usize).map(|first| first..runs.min(first + share));
            let workers: Vec<_> = shares.map(|share| scope.spawn(|| outcomes(share))).collect();
            workers.into_iter().flat_map(|worker| worker.join().expect("no run panics")).collect()
        });
        Tally::of(&outcomes)
    }

    /// The generator of one run. It does not depend on the order of trials: both orders meet the same machine.
    fn random(self, seed: u64, run: u32) -> ChaCha8Rng {
        let mut key = [0; 32];
        for (place, word) in key.chunks_exact_mut(8).zip([seed, self.blocks.last().into(), self.ratio.to_bits()]) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        let mut random = ChaCha8Rng::from_seed(key);
        random.set_stream(run.into());
        random
    }

    fn run(self, scenario: &Scenario, machine: &Machine, mut random: ChaCha8Rng) -> Outcome {
        let last = self.blocks.last();
        let plan = Plan::new(scenario, last, random.next_u64());
        let pairs = self.pairs(&plan, machine, &mut random);
        let mut outcomes = self.blocks.looks().into_iter().map(|blocks| self.outcome(&pairs[..blocks as usize]));
        let enough = |outcome: &Outcome| outcome.half_width <= PRECISION || outcome.blocks == last as usize;
        outcomes.find(enough).expect("the last look is enough")
    }

    /// Times of both topologies in the measured blocks, that of the baseline second; their unit is the baseline's usual time.
    fn pairs(self, plan: &Plan, machine: &Machine, random: &mut ChaCha8Rng) -> Vec<(f64, f64)> {
        let trials = self.order.trials(plan);
        let compared: Vec<bool> = trials.iter().map(|trial| trial.topology == COMPARED).collect();
        let mut pairs = vec![(0.0, 0.0); plan.blocks.len()];
        for (trial, slowness) in trials.iter().zip(machine.slowness(&compared, random)) {
            match trial.topology {
                COMPARED => pairs[trial.block as usize].0 = self.ratio * slowness.exp(),
                BASELINE => pairs[trial.block as usize].1 = slowness.exp(),
                _ => {}
            }
        }
        // The warm-up is in no statistic.
        pairs.remove(0);
        pairs
    }

    fn outcome(self, pairs: &[(f64, f64)]) -> Outcome {
        let estimate = ratio(pairs, Level::P95).expect("times are positive");
        let interval = estimate.interval.expect("six blocks or more");
        let held = interval.low <= self.ratio && self.ratio <= interval.high;
        Outcome { held, half_width: half_width([&estimate]).expect("an interval"), blocks: pairs.len() }
    }
}

impl Tally {
    fn of(outcomes: &[Outcome]) -> Self {
        let runs = outcomes.len() as f64;
        let half_widths = Ordered::new(outcomes.iter().map(|outcome| outcome.half_width)).expect("one run or more");
        Self {
            coverage: outcomes.iter().filter(|outcome| outcome.held).count() as f64 / runs,
            half_width: half_widths.median(),
            blocks: outcomes.iter().map(|outcome| outcome.blocks).sum::<usize>() as f64 / runs,
        }
    }
}
