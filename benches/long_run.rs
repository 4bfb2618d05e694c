//! The rows of a run of as many as wanted, made of a published one's.

use dindbench::record::Sample;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use strum::Display;

/// Measured blocks of the preset `full`, and the warm-up.
const FULL: u32 = 31;

/// What a longer run has more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Display)]
#[strum(serialize_all = "lowercase")]
pub enum More {
    /// In the blocks of the preset `full`.
    Jobs,
    Blocks,
}

/// How a row of the published run becomes one of the longer one.
pub struct Places {
    more: More,
    /// Blocks and jobs of the published run.
    blocks: u32,
    jobs: u32,
}

impl Places {
    pub fn of(more: More, published: &[Sample]) -> Self {
        let blocks = 1 + published.iter().map(|row| row.block).max().expect("rows");
        Self { more, blocks, jobs: published.iter().map(|row| row.job).max().expect("rows") }
    }

    /// Block and job of a row that had these, in the so-many-th round.
    pub fn of_row(&self, (block, job): (u32, u32), round: u32) -> (u32, u32) {
        let place = block + self.blocks * round;
        match self.more {
            More::Jobs => (place % FULL, job + self.jobs * (place / FULL)),
            More::Blocks => (place, job),
        }
    }
}

/// The rows of a published run, again and again: its blocks and jobs in turn, with noise of a few per cent in what is
/// measured, for no two trials are the same.
pub fn lengthened(published: &[Sample], more: More) -> impl Iterator<Item = Sample> {
    let places = Places::of(more, published);
    let mut random = ChaCha8Rng::seed_from_u64(1);
    (0..).flat_map(move |round| published.iter().map(move |row| (round, row))).map(move |(round, row)| {
        let (block, job) = places.of_row((row.block, row.job), round);
        let mut noisy = |value: Option<u64>| value.map(|value| (value as f64 * random.random_range(0.95..1.05)) as u64);
        Sample {
            block,
            warmup: block == 0,
            job,
            elapsed_ns: noisy(row.elapsed_ns),
            upload_ns: noisy(row.upload_ns),
            disk_bytes: noisy(row.disk_bytes),
            cpu_ns: noisy(row.cpu_ns),
            peak_memory_bytes: noisy(row.peak_memory_bytes),
            io_read_bytes: noisy(row.io_read_bytes),
            io_write_bytes: noisy(row.io_write_bytes),
            ..row.clone()
        }
    })
}
