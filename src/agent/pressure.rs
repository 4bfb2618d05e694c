//! How much the machine was short of something: pressure-stall totals and stolen time.

/// Nanoseconds in which some task waited for a resource, since boot; empty where the kernel does not account for it.
pub(super) fn stalled_ns(resource: &str) -> Option<u64> {
    some_total(&std::fs::read_to_string(format!("/proc/pressure/{resource}")).ok()?)
}

/// Nanoseconds that a hypervisor gave to others, all processors together, since boot.
pub(super) fn steal_ns() -> Option<u64> {
    let ticks = steal_ticks(&std::fs::read_to_string("/proc/stat").ok()?)?;
    Some(ticks * (1_000_000_000 / rustix::param::clock_ticks_per_second()))
}

/// Tasks that run or could run, without the one that asks.
pub(super) fn runnable() -> Option<u32> {
    runnable_tasks(&std::fs::read_to_string("/proc/loadavg").ok()?)?.checked_sub(1)
}

/// What stands before the slash of the fourth figure.
fn runnable_tasks(text: &str) -> Option<u32> {
    text.split_whitespace().nth(3)?.split_once('/')?.0.parse().ok()
}

fn some_total(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with("some "))?;
    let micros: u64 = line.split(' ').find_map(|word| word.strip_prefix("total="))?.parse().ok()?;
    Some(micros * 1000)
}

/// The eighth figure of the `cpu` line.
fn steal_ticks(text: &str) -> Option<u64> {
    text.lines().find(|line| line.starts_with("cpu "))?.split_whitespace().nth(8)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_taken_from_the_some_line() {
        let text =
            "some avg10=0.12 avg60=0.00 avg300=0.00 total=5234\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=99\n";
        assert_eq!(some_total(text), Some(5_234_000));
        assert_eq!(some_total("full avg10=0 total=1\n"), None);
    }

    #[test]
    fn runnable_tasks_stand_before_the_slash() {
        assert_eq!(runnable_tasks("0.20 0.18 0.12 3/251 7\n"), Some(3));
        assert_eq!(runnable_tasks("0.20 0.18\n"), None);
    }

    #[test]
    fn steal_is_the_eighth_figure() {
        assert_eq!(steal_ticks("cpu  10 20 30 40 50 60 70 80 90 100\ncpu0 1 2 3 4 5 6 7 8 9 10\n"), Some(80));
        assert_eq!(steal_ticks("cpu  10 20 30\n"), None);
    }
}
