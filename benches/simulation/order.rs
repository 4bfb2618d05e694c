//! In which order the trials of a run go over the machine.

use dindbench::plan::{Block, Plan};

#[derive(Clone, Copy, PartialEq)]
pub enum Order {
    /// The planner's: random within blocks.
    Interleaved,
    /// All trials of one topology, then all of the next.
    Sequential,
}

/// A trial of a plan.
#[derive(Clone, Copy)]
pub struct Trial {
    pub block: u32,
    /// Index in the scenario.
    pub topology: usize,
}

impl Order {
    /// All trials of the plan, the warm-up's too, in time.
    pub fn trials(self, plan: &Plan) -> Vec<Trial> {
        let of_block = |block: &Block| {
            let index = block.index;
            block.order.clone().into_iter().map(move |topology| Trial { block: index, topology })
        };
        let mut trials: Vec<_> = plan.blocks.iter().flat_map(of_block).collect();
        if self == Self::Sequential {
            trials.sort_by_key(|trial| trial.topology);
        }
        trials
    }
}
