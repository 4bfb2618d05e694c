//! Quantities with their unit, and how a person reads them. Data files never use this module: they hold base units.

use std::time::Duration;

/// Nanoseconds as a person reads them: three significant digits and a unit, such as `1.42 s`.
pub fn nanos(ns: f64) -> String {
    const STEPS: [(f64, &str); 4] = [(1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")];
    let size = ns.abs();
    if size >= 60e9 {
        return minutes(ns);
    }
    // 999.96 ms would print as "1000 ms": the step is chosen for the rounded value.
    let (scale, unit) = STEPS.into_iter().find(|(scale, _)| size >= 0.9995 * scale).unwrap_or(STEPS[3]);
    format!("{} {unit}", three_digits(ns / scale))
}

/// Bytes in decimal units, as docker prints them: `62.4 MB`.
pub fn bytes(count: f64) -> String {
    const STEPS: [(f64, &str); 5] = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")];
    let size = count.abs();
    let (scale, unit) = STEPS.into_iter().find(|(scale, _)| size >= 0.9995 * scale).unwrap_or(STEPS[4]);
    if scale == 1.0 {
        return format!("{} B", trim(format!("{count:.1}")));
    }
    format!("{} {unit}", three_digits(count / scale))
}

/// Nanoseconds of a duration, saturating at 584 years.
pub fn as_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn minutes(ns: f64) -> String {
    let total = (ns.abs() / 1e9).round();
    let sign = if ns < 0.0 { "-" } else { "" };
    let (hours, rest) = ((total / 3600.0).floor(), total % 3600.0);
    let (mins, secs) = ((rest / 60.0).floor(), rest % 60.0);
    if hours > 0.0 {
        format!("{sign}{hours:.0} h {mins:02.0} min")
    } else {
        format!("{sign}{mins:.0} min {secs:02.0} s")
    }
}

fn three_digits(value: f64) -> String {
    let size = value.abs();
    let decimals = if size >= 99.95 {
        0
    } else if size >= 9.995 {
        1
    } else {
        2
    };
    format!("{value:.decimals$}")
}

fn trim(text: String) -> String {
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanos_picks_the_unit_of_the_rounded_value() {
        for (ns, text) in [
            (0.0, "0.00 ns"),
            (1.0, "1.00 ns"),
            (999.4e3, "999 µs"),
            (999.96e6, "1.00 s"),
            (1.424e9, "1.42 s"),
            (-23.5e6, "-23.5 ms"),
            (59.94e9, "59.9 s"),
            (61e9, "1 min 01 s"),
            (86_400e9, "24 h 00 min"),
        ] {
            assert_eq!(nanos(ns), text);
        }
    }

    #[test]
    fn bytes_are_decimal() {
        for (count, text) in
            [(0.0, "0 B"), (512.0, "512 B"), (104_857_600.0, "105 MB"), (999_960.0, "1.00 MB"), (1.5e3, "1.50 kB")]
        {
            assert_eq!(bytes(count), text);
        }
    }
}
