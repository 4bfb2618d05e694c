//! Which trial runs when: randomised complete blocks from a recorded seed.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

use crate::scenario::Scenario;

/// Every block holds one trial of every topology, in an order of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    /// Block 0 is the warm-up.
    pub blocks: Vec<Block>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub index: u32,
    /// Indices into the scenario's topologies, in the order in which they run.
    pub order: Vec<usize>,
}

impl Plan {
    /// The plan for `blocks` measured blocks; the same seed gives the same order.
    pub fn new(scenario: &Scenario, blocks: u32, seed: u64) -> Self {
        let blocks = (0..=blocks).map(|index| Block::shuffled(scenario, index, seed)).collect();
        Self { seed, blocks }
    }

    pub fn trials(&self) -> usize {
        self.blocks.iter().map(|block| block.order.len()).sum()
    }
}

impl Block {
    pub fn warmup(&self) -> bool {
        self.index == 0
    }

    fn shuffled(scenario: &Scenario, index: u32, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..scenario.topologies.len()).collect();
        order.shuffle(&mut ChaCha8Rng::from_seed(block_seed(seed, &scenario.name, index)));
        Self { index, order }
    }
}

/// A seed for one block, so that a block's order depends on nothing that ran before it.
fn block_seed(seed: u64, scenario: &str, block: u32) -> [u8; 32] {
    Sha256::new()
        .chain_update(seed.to_le_bytes())
        .chain_update(scenario)
        .chain_update(block.to_le_bytes())
        .finalize()
        .into()
}
