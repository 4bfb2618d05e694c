//! Which trial runs when: randomised complete blocks from a recorded seed.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use uuid::Uuid;

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

/// A new seed, for a run that was given none. It has 53 bits, so that every reader of JSON keeps it whole.
pub fn draw_seed() -> u64 {
    let bits = Sha256::digest(Uuid::now_v7().as_bytes());
    bits.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte)) >> 11
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::scenario::{QUICK, Topology, builtin};

    fn scenario(topologies: usize) -> Scenario {
        let mut scenario = builtin(QUICK).unwrap();
        let one = scenario.topologies[0].clone();
        scenario.topologies =
            (0..topologies).map(|index| Topology { name: format!("t{index}"), ..one.clone() }).collect();
        scenario
    }

    proptest! {
        #[test]
        fn every_block_holds_every_topology_once(seed: u64, topologies in 1_usize..7, blocks in 0_u32..20) {
            let plan = Plan::new(&scenario(topologies), blocks, seed);
            prop_assert_eq!(plan.blocks.len(), blocks as usize + 1);
            prop_assert_eq!(plan.trials(), topologies * plan.blocks.len());
            for (index, block) in (0_u32..).zip(&plan.blocks) {
                prop_assert_eq!(block.index, index);
                prop_assert_eq!(block.warmup(), index == 0);
                let mut order = block.order.clone();
                order.sort_unstable();
                prop_assert_eq!(order, (0..topologies).collect::<Vec<_>>());
            }
        }

        #[test]
        fn a_block_depends_on_the_seed_and_its_index_alone(seed: u64, fewer in 0_u32..10, more in 0_u32..10) {
            let scenario = scenario(5);
            let short = Plan::new(&scenario, fewer, seed);
            let long = Plan::new(&scenario, fewer + more, seed);
            prop_assert_eq!(&short.blocks, &long.blocks[..short.blocks.len()]);
        }

        #[test]
        fn blocks_and_seeds_differ_in_their_orders(seed in 0..u64::MAX) {
            let plan = Plan::new(&scenario(6), 20, seed);
            let orders: BTreeSet<_> = plan.blocks.iter().map(|block| block.order.clone()).collect();
            prop_assert!(orders.len() > 10);
            prop_assert_ne!(plan.blocks, Plan::new(&scenario(6), 20, seed + 1).blocks);
        }
    }

    /// The order is a part of every published run: it must stay what the seed says.
    #[test]
    fn a_seed_keeps_its_order() {
        let orders: Vec<_> = Plan::new(&scenario(3), 4, 42).blocks.into_iter().map(|block| block.order).collect();
        assert_eq!(orders, [[2, 1, 0], [1, 2, 0], [1, 0, 2], [2, 0, 1], [0, 2, 1]]);
    }

    #[test]
    fn no_topology_has_a_favourite_position() {
        let plan = Plan::new(&scenario(3), 2999, 1);
        for position in 0..3 {
            for topology in 0..3 {
                let times = plan.blocks.iter().filter(|block| block.order[position] == topology).count();
                assert!((900..1100).contains(&times), "topology {topology} at {position}: {times} of 3000");
            }
        }
    }

    #[test]
    fn drawn_seeds_differ_and_fit_every_reader() {
        let (one, other) = (draw_seed(), draw_seed());
        assert_ne!(one, other);
        assert!(one < 1 << 53 && other < 1 << 53);
    }
}
