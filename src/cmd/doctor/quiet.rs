//! What of the machine's state will spoil a run, and what to do about it: from readings to findings.
//!
//! The readings come from beside the engine, whichever machine that is on.

use super::{Finding, Verdict};
use crate::agent::{Machine, Swap};
use crate::topology::Idle;
use crate::units;

/// Share of the looked-at time in which some task waited for processors, or for input and output. Rule 24 of the method
/// takes this figure over an idle second and gives no limit: a machine with nothing to do stays below 1 %.
const PRESSURE_LIMIT: f64 = 0.05;
/// Share of all processors' time that a hypervisor gave to others: rule 24 of the method, steal < 1 %.
const STEAL_LIMIT: f64 = 0.01;
/// Runnable tasks for each processor: rule 24 of the method, runnable ≤ cores/2.
const RUNNABLE_LIMIT: f64 = 0.5;
/// How many times what a run needs has to be free: rule 24 of the method, free disk > 3× need.
const DISK_FACTOR: u64 = 3;
/// What a run takes on the disk of the user's engine. Measured for the scenario `quick` on a reference host: 0.3 GB for the
/// engine image, 1.0 GB for the prepared disk with that image in it, 0.6 GB for a trial's copy of that disk with what jobs
/// pull and build, 0.1 GB for the registry.
const NEED_BYTES: u64 = 2_000_000_000;

/// The state of a machine before anything is measured.
pub(super) struct State<'a> {
    pub machine: &'a Machine,
    pub idle: &'a Idle,
    pub cpus: u32,
    /// Containers that ran on the user's engine before dindbench started one; empty where the engine does not tell.
    pub containers: Option<u64>,
}

/// Warnings first, in the order of what is done about them; then what is only worth knowing.
pub(super) fn findings(state: &State<'_>) -> Vec<Finding> {
    let State { machine, idle, cpus, containers } = state;
    let free = idle.after.free_disk_bytes;
    let found = [
        governor(&machine.governor),
        machine.swap.and_then(swap),
        free.and_then(disk),
        containers.and_then(others),
        runnable(idle, *cpus),
        pressure(idle, "processors", idle.before.psi_cpu_ns, idle.after.psi_cpu_ns),
        pressure(idle, "input and output", idle.before.psi_io_ns, idle.after.psi_io_ns),
        steal(idle, *cpus),
        machine.smt.and_then(smt),
        machine.virtualised.and_then(virtualised),
    ];
    found.into_iter().flatten().collect()
}

fn governor(governor: &str) -> Option<Finding> {
    let detail = || format!("the frequency governor is {governor}: set it to performance for steadier times");
    (!matches!(governor, "" | "performance")).then(|| Finding::new(Verdict::Warn, "processor", detail()))
}

fn swap(swap: Swap) -> Option<Finding> {
    let size = units::bytes(swap.bytes as f64);
    match swap {
        Swap { bytes: 0, .. } => None,
        Swap { used_bytes: 0, .. } => Some(Finding::new(
            Verdict::Note,
            "memory",
            format!(
                "{size} of swap, none in use: where memory gets short a job waits for it; swapoff -a rules that out"
            ),
        )),
        Swap { used_bytes, .. } => Some(Finding::new(
            Verdict::Warn,
            "memory",
            format!(
                "{} of {size} of swap are in use, so memory was short: end what takes it, and empty the swap with \
                 swapoff -a",
                units::bytes(used_bytes as f64)
            ),
        )),
    }
}

fn disk(free_bytes: u64) -> Option<Finding> {
    let wanted = DISK_FACTOR * NEED_BYTES;
    let detail = || {
        format!(
            "{} are free where the engine keeps its data, and a run takes about {}: free {} or more, for a full disk \
             makes trials fail and a nearly full one makes them slow",
            units::bytes(free_bytes as f64),
            units::bytes(NEED_BYTES as f64),
            units::bytes((wanted - free_bytes) as f64),
        )
    };
    (free_bytes < wanted).then(|| Finding::new(Verdict::Warn, "disk", detail()))
}

fn others(containers: u64) -> Option<Finding> {
    let detail = match containers {
        0 => return None,
        1 => "1 container of others runs on the engine: stop it, or measure while it has nothing to do".to_owned(),
        many => {
            format!(
                "{many} containers of others run on the engine: stop them, or measure while they have nothing to do"
            )
        }
    };
    Some(Finding::new(Verdict::Warn, "load", detail))
}

/// The lesser of two readings: a task that was there for a moment is no load.
fn runnable(idle: &Idle, cpus: u32) -> Option<Finding> {
    let tasks = idle.before.runnable?.min(idle.after.runnable?);
    let detail = || {
        format!(
            "{tasks} tasks want a processor, of which there are {cpus}: end other work, or wait for it; a run wants half of \
             the processors free"
        )
    };
    (tasks as f64 > RUNNABLE_LIMIT * f64::from(cpus)).then(|| Finding::new(Verdict::Warn, "load", detail()))
}

fn pressure(idle: &Idle, resource: &str, before: Option<u64>, after: Option<u64>) -> Option<Finding> {
    let share = share(idle, before, after)?;
    let detail = || {
        format!(
            "some task waited for {resource} in {} of an idle second: end other work, or wait for it",
            percent(share)
        )
    };
    (share > PRESSURE_LIMIT).then(|| Finding::new(Verdict::Warn, "load", detail()))
}

fn steal(idle: &Idle, cpus: u32) -> Option<Finding> {
    let share = share(idle, idle.before.steal_ns, idle.after.steal_ns)? / f64::from(cpus.max(1));
    let detail = || {
        format!(
            "the hypervisor gave {} of the processors' time to others: measure when they are quiet, or on a machine with \
             processors of its own",
            percent(share)
        )
    };
    (share > STEAL_LIMIT).then(|| Finding::new(Verdict::Warn, "steal", detail()))
}

fn smt(active: bool) -> Option<Finding> {
    let detail = "two threads or more share a core, and slow each other down: for steadier times write off to \
                  /sys/devices/system/cpu/smt/control";
    active.then(|| Finding::new(Verdict::Note, "processor", detail))
}

fn virtualised(virtualised: bool) -> Option<Finding> {
    let detail = "a hypervisor is under this machine: compare topologies within a run, and not times with those of another \
                  machine";
    virtualised.then(|| Finding::new(Verdict::Note, "machine", detail))
}

/// By how much a counter of nanoseconds rose, as a share of the time; empty where it cannot be had.
fn share(idle: &Idle, before: Option<u64>, after: Option<u64>) -> Option<f64> {
    let rise = after?.checked_sub(before?)?;
    Some(rise as f64 / units::as_nanos(idle.elapsed) as f64)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::agent::Reading;

    const GB: u64 = 1_000_000_000;
    const MS: u64 = 1_000_000;

    fn quiet_machine() -> Machine {
        Machine {
            governor: "performance".to_owned(),
            smt: Some(false),
            virtualised: Some(false),
            swap: Some(Swap { bytes: 0, used_bytes: 0 }),
            ..Machine::default()
        }
    }

    /// Of four processors; every counter began at a second.
    fn quiet_idle() -> Idle {
        let before = Reading {
            psi_cpu_ns: Some(GB),
            psi_io_ns: Some(GB),
            steal_ns: Some(GB),
            runnable: Some(0),
            free_disk_bytes: Some(80 * GB),
            ..Reading::default()
        };
        Idle { after: before.clone(), before, elapsed: Duration::from_secs(1) }
    }

    fn found(machine: &Machine, idle: &Idle, containers: Option<u64>) -> Vec<(Verdict, &'static str, String)> {
        let findings = findings(&State { machine, idle, cpus: 4, containers });
        findings.into_iter().map(|finding| (finding.verdict, finding.subject, finding.detail)).collect()
    }

    fn of_machine(change: impl FnOnce(&mut Machine)) -> Vec<(Verdict, &'static str, String)> {
        let mut machine = quiet_machine();
        change(&mut machine);
        found(&machine, &quiet_idle(), Some(0))
    }

    fn of_idle(change: impl FnOnce(&mut Idle)) -> Vec<(Verdict, &'static str, String)> {
        let mut idle = quiet_idle();
        change(&mut idle);
        found(&quiet_machine(), &idle, Some(0))
    }

    /// There is one finding, and it says this.
    fn one(found: &[(Verdict, &'static str, String)], verdict: Verdict, subject: &str, words: &str) {
        let [(its, of, detail)] = found else { panic!("{} findings", found.len()) };
        assert!(*its == verdict && *of == subject && detail.contains(words), "{its} {of} {detail}");
    }

    fn none(found: &[(Verdict, &'static str, String)]) {
        let details: Vec<&String> = found.iter().map(|(_, _, detail)| detail).collect();
        assert_eq!(details, [""; 0]);
    }

    #[test]
    fn nothing_is_said_of_a_quiet_machine_nor_of_one_that_tells_nothing() {
        none(&found(&quiet_machine(), &quiet_idle(), Some(0)));
        let silent = Idle { before: Reading::default(), after: Reading::default(), elapsed: Duration::from_secs(1) };
        none(&found(&Machine::default(), &silent, None));
    }

    #[test]
    fn a_governor_that_saves_power_is_warned_of() {
        let found = of_machine(|machine| machine.governor = "powersave".to_owned());
        one(&found, Verdict::Warn, "processor", "is powersave: set it to performance");
        none(&of_machine(|machine| machine.governor = String::new()));
    }

    #[test]
    fn swap_in_use_is_warned_of_and_unused_swap_noted() {
        let with = |used_bytes| of_machine(|machine| machine.swap = Some(Swap { bytes: 2 * GB, used_bytes }));
        one(&with(48_000), Verdict::Warn, "memory", "48.0 kB of 2.00 GB of swap are in use");
        one(&with(0), Verdict::Note, "memory", "none in use");
    }

    #[test]
    fn little_free_disk_is_warned_of() {
        let with = |free| of_idle(|idle| idle.after.free_disk_bytes = Some(free));
        one(&with(2 * GB), Verdict::Warn, "disk", "2.00 GB are free where the engine keeps its data");
        one(&with(0), Verdict::Warn, "disk", "free 6.00 GB or more");
        none(&with(DISK_FACTOR * NEED_BYTES));
    }

    #[test]
    fn containers_of_others_are_counted() {
        let with = |containers| found(&quiet_machine(), &quiet_idle(), Some(containers));
        one(&with(1), Verdict::Warn, "load", "1 container of others runs");
        one(&with(12), Verdict::Warn, "load", "12 containers of others run");
    }

    #[test]
    fn tasks_on_more_than_half_of_the_processors_are_warned_of() {
        let with =
            |before, after| of_idle(|idle| (idle.before.runnable, idle.after.runnable) = (Some(before), Some(after)));
        one(&with(5, 3), Verdict::Warn, "load", "3 tasks want a processor, of which there are 4");
        none(&with(2, 2));
        none(&with(9, 0));
        none(&with(0, 9));
    }

    #[test]
    fn waiting_in_an_idle_second_is_warned_of() {
        let with_cpu = |rise| of_idle(|idle| idle.after.psi_cpu_ns = Some(GB + rise));
        one(&with_cpu(51 * MS), Verdict::Warn, "load", "waited for processors in 5.1 %");
        none(&with_cpu(50 * MS));
        let with_io = |rise| of_idle(|idle| idle.after.psi_io_ns = Some(GB + rise));
        one(&with_io(400 * MS), Verdict::Warn, "load", "waited for input and output in 40.0 %");
        none(&with_io(50 * MS));
    }

    #[test]
    fn stolen_time_is_a_share_of_all_processors() {
        let with = |rise| of_idle(|idle| idle.after.steal_ns = Some(GB + rise));
        one(&with(60 * MS), Verdict::Warn, "steal", "gave 1.5 % of the processors' time");
        none(&with(40 * MS));
    }

    #[test]
    fn shared_cores_and_a_hypervisor_are_notes() {
        one(&of_machine(|machine| machine.smt = Some(true)), Verdict::Note, "processor", "share a core");
        one(&of_machine(|machine| machine.virtualised = Some(true)), Verdict::Note, "machine", "a hypervisor");
        none(&of_machine(|machine| (machine.smt, machine.virtualised) = (None, None)));
    }
}
