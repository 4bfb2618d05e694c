//! Runs that are a grid: where inner engines keep their data, by what keeps layers there.

use super::{Analysis, Arm, Fallback};

const DRIVER: &str = "storage_driver";
const DATA_ROOT: &str = "data_root";

/// One topology of a grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    pub topology: usize,
    /// As it was asked for.
    pub driver: String,
    pub data_root: String,
    /// The slow driver that ran where the engine was left the choice.
    pub fallback: Option<Fallback>,
}

/// The topologies of a run that is such a grid, in the run's order: those with data of their own are alike in all but
/// driver and data root, and have two of each at least. Nothing of any other run.
pub fn storage_grid(analysis: &Analysis) -> Vec<Storage> {
    let arms = analysis.arms.iter().enumerate();
    let grid: Vec<Storage> = arms.filter_map(|(topology, arm)| storage(topology, arm)).collect();
    let alike = |one: &Storage| {
        let (arm, first) = (&analysis.arms[one.topology], &analysis.arms[grid[0].topology]);
        arm.kind == first.kind
            && arm.parameters_without(&[DRIVER, DATA_ROOT]) == first.parameters_without(&[DRIVER, DATA_ROOT])
    };
    let several = |of: fn(&Storage) -> &String| grid.iter().any(|one| of(one) != of(&grid[0]));
    if grid.iter().all(alike) && several(|one| &one.driver) && several(|one| &one.data_root) {
        grid
    } else {
        Vec::new()
    }
}

fn storage(topology: usize, arm: &Arm) -> Option<Storage> {
    Some(Storage {
        topology,
        driver: arm.parameter(DRIVER)?.to_owned(),
        data_root: arm.parameter(DATA_ROOT)?.to_owned(),
        fallback: arm.fallbacks().next(),
    })
}
