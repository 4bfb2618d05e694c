//! What machine this is, from the files that a container can see.

use std::collections::BTreeMap;

use super::{Machine, Reading, network};

/// Describes the machine; `reading` tells which counters it has. `shared` is why an engine's counters are not read.
pub(super) fn describe(reading: &Reading, shared: Option<&str>) -> Machine {
    let read = |path: &str| std::fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default();
    Machine {
        cpu_model: cpu_model(&read("/proc/cpuinfo")).unwrap_or_default(),
        clock_source: read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        governor: read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        mtu: network::mtu().ok(),
        unavailable: unavailable(reading, shared),
    }
}

fn cpu_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn unavailable(reading: &Reading, shared: Option<&str>) -> BTreeMap<String, String> {
    let engine = |reason| shared.unwrap_or(reason);
    let missing = [
        ("disk_bytes", reading.disk_bytes, engine("the data root has no file system of its own")),
        ("cpu_ns", reading.cpu_ns, engine("the control group of the reference host tells no processor time")),
        (
            "peak_memory_bytes",
            reading.peak_memory_bytes,
            engine("the kernel cannot start a new memory peak for each step (it can with control groups version 1)"),
        ),
        ("io_read_bytes", reading.io_read_bytes, engine("the data root's block device tells no statistics")),
        ("psi_cpu_ns", reading.psi_cpu_ns, "the kernel accounts for no pressure stalls"),
        ("steal_ns", reading.steal_ns, "the kernel tells no stolen time"),
    ];
    let missing = missing.into_iter().filter(|(_, value, _)| value.is_none());
    missing.map(|(column, _, reason)| (column.to_owned(), reason.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_named_once() {
        let cpuinfo = "processor\t: 0\nmodel name\t: Some CPU @ 2.00GHz\n\nprocessor\t: 1\nmodel name\t: Other\n";
        assert_eq!(cpu_model(cpuinfo).as_deref(), Some("Some CPU @ 2.00GHz"));
        assert_eq!(cpu_model("processor: 0\n"), None);
    }

    #[test]
    fn a_missing_counter_is_told_with_its_reason() {
        let reading = Reading {
            disk_bytes: Some(1),
            cpu_ns: Some(1),
            io_read_bytes: Some(0),
            psi_cpu_ns: Some(0),
            steal_ns: Some(0),
            ..Reading::default()
        };
        assert_eq!(unavailable(&reading, None).into_keys().collect::<Vec<_>>(), ["peak_memory_bytes"]);
        let shared =
            unavailable(&Reading { psi_cpu_ns: Some(0), steal_ns: Some(0), ..Reading::default() }, Some("shared"));
        assert_eq!(shared.len(), 4);
        assert!(shared.values().all(|reason| reason == "shared"));
    }
}
