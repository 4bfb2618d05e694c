//! The container's own network: its packet size, and whether a bridge's range is free.

use std::net::Ipv4Addr;

use super::AgentError;

/// Packet size of the container's interface; an inner bridge with larger packets loses them silently.
pub(super) fn mtu() -> Result<u32, AgentError> {
    let file = "/sys/class/net/eth0/mtu";
    let text = std::fs::read_to_string(file).map_err(|error| AgentError::new(format!("read {file}"), error))?;
    text.trim().parse().map_err(|error| AgentError::new(format!("understand {file}"), error))
}

/// Refuses a bridge whose range overlaps a route of this network namespace.
pub(super) fn check_bridge(bridge: &str) -> Result<(), AgentError> {
    let file = "/proc/net/route";
    let routes = std::fs::read_to_string(file).map_err(|error| AgentError::new(format!("read {file}"), error))?;
    let range = Range::parse(bridge)
        .ok_or_else(|| AgentError::new("give the engine a bridge", format!("`{bridge}` is no ADDRESS/PREFIX")))?;
    match parse_routes(&routes).into_iter().find(|route| route.overlaps(range)) {
        None => Ok(()),
        Some(taken) => Err(AgentError::new(
            format!("give the engine the bridge {bridge}"),
            format!("{}/{} is in use around it already", taken.address, taken.prefix),
        )),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    address: Ipv4Addr,
    prefix: u32,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let prefix = prefix.parse().ok().filter(|prefix| *prefix <= 32)?;
        Some(Self { address: address.parse().ok()?, prefix })
    }

    fn overlaps(self, other: Self) -> bool {
        let shared = self.prefix.min(other.prefix);
        let mask = u32::MAX.checked_shl(32 - shared).unwrap_or(0);
        u32::from(self.address) & mask == u32::from(other.address) & mask
    }
}

/// The destinations in `/proc/net/route`, the default route left out; its words are hexadecimal in host byte order.
fn parse_routes(text: &str) -> Vec<Range> {
    let word = |field: Option<&str>| u32::from_str_radix(field?, 16).ok().map(u32::swap_bytes);
    text.lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split_whitespace();
            let (address, mask) = (word(fields.nth(1))?, word(fields.nth(5))?);
            Some(Range { address: address.into(), prefix: mask.leading_ones() })
        })
        .filter(|range| range.prefix > 0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: &str = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
        eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
        eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";

    #[test]
    fn routes_are_read_without_the_default_one() {
        assert_eq!(parse_routes(ROUTES), [Range { address: Ipv4Addr::new(172, 17, 0, 0), prefix: 16 }]);
    }

    #[test]
    fn overlap_is_by_the_shorter_prefix() {
        let range = |text| Range::parse(text).unwrap();
        for (a, b, overlap) in [
            ("172.17.0.1/16", "172.17.5.1/24", true),
            ("172.17.0.1/16", "172.18.0.1/16", false),
            ("10.0.0.0/8", "10.201.0.1/24", true),
            ("0.0.0.0/0", "10.201.0.1/24", true),
        ] {
            assert_eq!(range(a).overlaps(range(b)), overlap, "{a} {b}");
            assert_eq!(range(b).overlaps(range(a)), overlap, "{b} {a}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["10.0.0.1", "10.0.0.1/33", "host/8", "/"] {
            assert_eq!(Range::parse(text), None, "{text}");
        }
    }
}
