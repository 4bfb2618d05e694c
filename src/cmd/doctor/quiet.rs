//! What of the machine's state will spoil a run, and what to do about it: from readings to findings.
//!
//! The readings come from beside the engine, whichever machine that is on.

use super::{Finding, Verdict};
use crate::agent::{Machine, Second, Swap};
use crate::analysis::MOST_STEAL;
use crate::guard::{LEAST_TRIALS, MOST_PRESSURE, MOST_RUNNABLE};
use crate::units;

/// What a run takes on the disk of the user's engine. Measured for the scenario `quick` on a reference host: 0.3 GB for the
/// engine image, 1.0 GB for the prepared disk with that image in it, 0.6 GB for a trial's copy of that disk with what jobs
/// pull and build, 0.1 GB for the registry.
const NEED_BYTES: u64 = 2_000_000_000;

/// The state of a machine before anything is measured.
pub(super) struct State<'a> {
    pub machine: &'a Machine,
    pub second: &'a Second,
    /// Containers that ran on the user's engine before dindbench started one; empty where the engine does not tell.
    pub containers: Option<u64>,
}

/// Warnings first, in the order of what is done about them; then what is only worth knowing.
pub(super) fn findings(state: &State<'_>) -> Vec<Finding> {
    let State { machine, second, containers } = state;
    let found = [
        governor(&machine.governor),
        machine.swap.and_then(swap),
        second.free_disk_bytes.and_then(disk),
        containers.and_then(others),
        runnable(second),
        pressure(second, "processors", second.psi_cpu_ns),
        pressure(second, "input and output", second.psi_io_ns),
        steal(second),
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
    let wanted = LEAST_TRIALS * NEED_BYTES;
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

fn runnable(second: &Second) -> Option<Finding> {
    let (tasks, processors) = (second.runnable?, second.processors);
    let detail = || {
        format!(
            "{tasks} tasks want a processor, of which there are {processors}: end other work, or wait for it; a run wants half \
             of the processors free"
        )
    };
    (tasks as f64 > MOST_RUNNABLE * f64::from(processors)).then(|| Finding::new(Verdict::Warn, "load", detail()))
}

fn pressure(second: &Second, resource: &str, waited_ns: Option<u64>) -> Option<Finding> {
    let share = share(second, waited_ns?);
    let detail = || {
        format!(
            "some task waited for {resource} in {} of an idle second: end other work, or wait for it",
            percent(share)
        )
    };
    (share > MOST_PRESSURE).then(|| Finding::new(Verdict::Warn, "load", detail()))
}

fn steal(second: &Second) -> Option<Finding> {
    let share = share(second, second.steal_ns?) / f64::from(second.processors.max(1));
    let detail = || {
        format!(
            "the hypervisor gave {} of the processors' time to others: measure when they are quiet, or on a machine with \
             processors of its own",
            percent(share)
        )
    };
    (share > MOST_STEAL).then(|| Finding::new(Verdict::Warn, "steal", detail()))
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

fn share(second: &Second, nanos: u64) -> f64 {
    nanos as f64 / second.elapsed_ns.max(1) as f64
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    const QUIET: Second = Second {
        elapsed_ns: GB,
        psi_cpu_ns: Some(0),
        psi_io_ns: Some(0),
        steal_ns: Some(0),
        runnable: Some(0),
        processors: 4,
        free_disk_bytes: Some(80 * GB),
    };

    fn found(machine: &Machine, second: &Second, containers: Option<u64>) -> Vec<(Verdict, &'static str, String)> {
        let findings = findings(&State { machine, second, containers });
        findings.into_iter().map(|finding| (finding.verdict, finding.subject, finding.detail)).collect()
    }

    fn of_machine(change: impl FnOnce(&mut Machine)) -> Vec<(Verdict, &'static str, String)> {
        let mut machine = quiet_machine();
        change(&mut machine);
        found(&machine, &QUIET, Some(0))
    }

    fn of_second(change: impl FnOnce(&mut Second)) -> Vec<(Verdict, &'static str, String)> {
        let mut second = QUIET;
        change(&mut second);
        found(&quiet_machine(), &second, Some(0))
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
        none(&found(&quiet_machine(), &QUIET, Some(0)));
        let silent = Second { elapsed_ns: GB, processors: 4, ..Second::default() };
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
        let with = |free| of_second(|second| second.free_disk_bytes = Some(free));
        one(&with(2 * GB), Verdict::Warn, "disk", "2.00 GB are free where the engine keeps its data");
        one(&with(0), Verdict::Warn, "disk", "free 6.00 GB or more");
        none(&with(LEAST_TRIALS * NEED_BYTES));
    }

    #[test]
    fn containers_of_others_are_counted() {
        let with = |containers| found(&quiet_machine(), &QUIET, Some(containers));
        one(&with(1), Verdict::Warn, "load", "1 container of others runs");
        one(&with(12), Verdict::Warn, "load", "12 containers of others run");
    }

    #[test]
    fn tasks_on_more_than_half_of_the_processors_are_warned_of() {
        let with = |tasks| of_second(|second| second.runnable = Some(tasks));
        one(&with(3), Verdict::Warn, "load", "3 tasks want a processor, of which there are 4");
        none(&with(2));
    }

    #[test]
    fn waiting_in_an_idle_second_is_warned_of() {
        let with_cpu = |rise| of_second(|second| second.psi_cpu_ns = Some(rise));
        one(&with_cpu(51 * MS), Verdict::Warn, "load", "waited for processors in 5.1 %");
        none(&with_cpu(50 * MS));
        let with_io = |rise| of_second(|second| second.psi_io_ns = Some(rise));
        one(&with_io(400 * MS), Verdict::Warn, "load", "waited for input and output in 40.0 %");
        none(&with_io(50 * MS));
    }

    #[test]
    fn stolen_time_is_a_share_of_all_processors() {
        let with = |rise| of_second(|second| second.steal_ns = Some(rise));
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
