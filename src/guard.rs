//! Whether the machine is quiet enough to begin a trial.

use std::collections::BTreeSet;

use crate::agent::Second;
use crate::analysis::MOST_STEAL;
use crate::case::Disturbance;

/// Share of a second in which something waited for a processor or a disk. An idle machine was seen with 0.6 % at most.
pub const MOST_PRESSURE: f64 = 0.05;
/// Tasks that can run, for each processor.
pub const MOST_RUNNABLE: f64 = 0.5;
/// Room on the disk, in trials.
pub const LEAST_TRIALS: u64 = 3;

/// What disturbs the machine. `foreign` are containers of others that were started since the block began, `trial_bytes`
/// what a trial takes of the disk, as far as it is known. What the kernel does not tell disturbs nobody.
pub fn disturbances(second: &Second, foreign: bool, trial_bytes: u64) -> BTreeSet<Disturbance> {
    let part = |value: Option<u64>, of: f64| value.map_or(0.0, |value| value as f64 / of);
    let (elapsed, processors) = (second.elapsed_ns.max(1) as f64, f64::from(second.processors.max(1)));
    let found = [
        (part(second.psi_cpu_ns, elapsed) > MOST_PRESSURE, Disturbance::CpuPressure),
        (part(second.psi_io_ns, elapsed) > MOST_PRESSURE, Disturbance::IoPressure),
        (part(second.steal_ns, elapsed * processors) > MOST_STEAL, Disturbance::Steal),
        (second.runnable.unwrap_or(0) as f64 > MOST_RUNNABLE * processors, Disturbance::Load),
        (foreign, Disturbance::ForeignContainer),
        (second.free_disk_bytes.is_some_and(|free| free < LEAST_TRIALS * trial_bytes), Disturbance::LowDisk),
    ];
    found.into_iter().filter_map(|(is, disturbance)| is.then_some(disturbance)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Second = Second {
        elapsed_ns: 1_000_000_000,
        psi_cpu_ns: Some(50_000_000),
        psi_io_ns: Some(0),
        steal_ns: Some(20_000_000),
        runnable: Some(1),
        processors: 2,
        free_disk_bytes: Some(3_000),
    };

    fn found(second: Second) -> Vec<Disturbance> {
        disturbances(&second, false, 1_000).into_iter().collect()
    }

    #[test]
    fn what_is_just_quiet_enough_is_quiet() {
        assert_eq!(found(QUIET), []);
    }

    #[test]
    fn each_disturbance_is_told_by_itself() {
        for (second, expected) in [
            (Second { psi_cpu_ns: Some(50_000_001), ..QUIET }, Disturbance::CpuPressure),
            (Second { psi_io_ns: Some(60_000_000), ..QUIET }, Disturbance::IoPressure),
            (Second { steal_ns: Some(20_000_001), ..QUIET }, Disturbance::Steal),
            (Second { runnable: Some(2), ..QUIET }, Disturbance::Load),
            (Second { free_disk_bytes: Some(2_999), ..QUIET }, Disturbance::LowDisk),
        ] {
            assert_eq!(found(second), [expected]);
        }
        assert_eq!(disturbances(&QUIET, true, 0).into_iter().collect::<Vec<_>>(), [Disturbance::ForeignContainer]);
    }

    /// The second may have been longer: shares are of its own length.
    #[test]
    fn a_longer_second_may_wait_longer() {
        assert_eq!(found(Second { elapsed_ns: 2_000_000_000, psi_io_ns: Some(100_000_000), ..QUIET }), []);
    }

    #[test]
    fn what_the_kernel_does_not_tell_disturbs_nobody() {
        let silent = Second { elapsed_ns: 1_000_000_000, processors: 2, ..Second::default() };
        assert_eq!(disturbances(&silent, false, 1_000), BTreeSet::new());
    }
}
