//! What machine this is, from the files that a container can see.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Machine, Mounted, Reading, Swap, network};

/// Where in a container the data of engines are to be seen.
pub(super) struct Data<'a> {
    /// A volume of the engine that the container is on.
    pub around: &'a Path,
    /// The data root of the engine in the container, where there is one.
    pub within: Option<&'a Path>,
}

/// Describes the machine; `reading` tells which counters it has. `shared` is why an engine's counters are not read.
pub(super) fn describe(reading: &Reading, data: &Data<'_>, shared: Option<&str>) -> Machine {
    let text = |path: &str| std::fs::read_to_string(path).map(|text| text.trim().to_owned()).ok();
    let cpuinfo = text("/proc/cpuinfo").unwrap_or_default();
    Machine {
        cpu_model: cpu_model(&cpuinfo).unwrap_or_default(),
        clock_source: text("/sys/devices/system/clocksource/clocksource0/current_clocksource").unwrap_or_default(),
        governor: text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").unwrap_or_default(),
        smt: text("/sys/devices/system/cpu/smt/active").as_deref().and_then(flag),
        virtualised: virtualised(&cpuinfo, text("/sys/hypervisor/type").as_deref()),
        swap: text("/proc/meminfo").as_deref().and_then(swap),
        mtu: network::mtu().ok(),
        around: Mounted::at(data.around),
        within: data.within.and_then(Mounted::at),
        unavailable: unavailable(reading, shared),
    }
}

fn cpu_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    }
}

/// A guest of Xen can have no flag for it. Processors of other families than x86 have no such flag at all, and tell nothing.
fn virtualised(cpuinfo: &str, hypervisor: Option<&str>) -> Option<bool> {
    if hypervisor.is_some_and(|kind| !kind.is_empty()) {
        return Some(true);
    }
    let flags = cpuinfo.lines().find(|line| line.starts_with("flags"))?;
    Some(flags.split_once(':')?.1.split_whitespace().any(|flag| flag == "hypervisor"))
}

fn swap(meminfo: &str) -> Option<Swap> {
    let bytes = |key: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes * 1024)
    };
    let (total, free) = (bytes("SwapTotal")?, bytes("SwapFree")?);
    Some(Swap { bytes: total, used_bytes: total.checked_sub(free)? })
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
    fn threads_that_share_a_core_are_told_by_a_digit() {
        for (text, smt) in [("0", Some(false)), ("1", Some(true)), ("", None), ("on", None)] {
            assert_eq!(flag(text), smt, "{text:?}");
        }
    }

    #[test]
    fn a_hypervisor_is_told_by_a_flag_or_by_its_own_file() {
        let x86 = |flags: &str| format!("processor\t: 0\nflags\t\t: fpu {flags} sse\nbugs\t\t: none\n");
        let arm = "processor\t: 0\nFeatures\t: fp asimd\n".to_owned();
        for (cpuinfo, file, expected) in [
            (x86("hypervisor"), None, Some(true)),
            (x86("vme"), None, Some(false)),
            (x86("hypervisor_else"), None, Some(false)),
            (x86("vme"), Some("xen"), Some(true)),
            (arm.clone(), Some("xen"), Some(true)),
            (arm, None, None),
        ] {
            assert_eq!(virtualised(&cpuinfo, file), expected, "{cpuinfo}{file:?}");
        }
    }

    #[test]
    fn swap_is_told_in_bytes() {
        let meminfo = "MemTotal:       24683656 kB\nSwapCached:            1 kB\nSwapTotal:       2097148 kB\nSwapFree:        2097100 kB\n";
        assert_eq!(swap(meminfo), Some(Swap { bytes: 2_097_148 * 1024, used_bytes: 48 * 1024 }));
        let none = "SwapTotal:             0 kB\nSwapFree:              0 kB\n";
        assert_eq!(swap(none), Some(Swap { bytes: 0, used_bytes: 0 }));
        assert_eq!(swap("MemTotal:       24683656 kB\n"), None);
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
