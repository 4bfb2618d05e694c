//! How much the machine was short of something: pressure-stall totals, stolen time and runnable tasks.

/// Nanoseconds in which some task waited for a resource, since boot; empty where the kernel does not account for it.
pub(super) fn stalled_ns(resource: &str) -> Option<u64> {
    some_total(&std::fs::read_to_string(format!("/proc/pressure/{resource}")).ok()?)
}

/// Nanoseconds that a hypervisor gave to others, all processors together, since boot.
pub(super) fn steal_ns() -> Option<u64> {
    let ticks = steal_ticks(&std::fs::read_to_string("/proc/stat").ok()?)?;
    Some(ticks * (1_000_000_000 / rustix::param::clock_ticks_per_second()))
}

/// Tasks of the whole machine that have a processor or want one, without this one.
pub(super) fn runnable() -> Option<u64> {
    others_runnable(&std::fs::read_to_string("/proc/loadavg").ok()?)
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

/// The fourth field is the runnable tasks, a slash, and all tasks; whoever reads it is one of the former.
fn others_runnable(text: &str) -> Option<u64> {
    let (runnable, _) = text.split_whitespace().nth(3)?.split_once('/')?;
    runnable.parse::<u64>().ok()?.checked_sub(1)
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
    fn the_reader_is_not_among_the_runnable_tasks() {
        for (text, expected) in [
            ("1.00 1.41 1.02 1/100 17924\n", Some(0)),
            ("9.50 4.00 2.00 7/1234 99\n", Some(6)),
            ("0.00 0.00 0.00 0/1 1\n", None),
            ("0.00 0.00\n", None),
        ] {
            assert_eq!(others_runnable(text), expected, "{text:?}");
        }
    }

    #[test]
    fn steal_is_the_eighth_figure() {
        assert_eq!(steal_ticks("cpu  10 20 30 40 50 60 70 80 90 100\ncpu0 1 2 3 4 5 6 7 8 9 10\n"), Some(80));
        assert_eq!(steal_ticks("cpu  10 20 30\n"), None);
    }
}
