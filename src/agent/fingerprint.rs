//! What of a machine an experiment could change without anybody noticing: firewall, mounts, devices, sockets.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::AgentError;

/// By kind, each a sorted list of lines. Two of one machine are equal where nothing changed.
pub type Fingerprint = BTreeMap<String, Vec<String>>;

/// The bridge that docker makes itself, and that a second engine in its network would take away.
const BRIDGE: &str = "docker0";

/// Of the machine whose network this program is in. `proc` is where that machine's processes are told.
pub fn fingerprint(proc: &Path) -> Result<Fingerprint, AgentError> {
    let sections = [
        ("bridge", bridge()),
        ("addresses", read(Path::new("/proc/net/fib_trie")).map(|text| addresses(&text))?),
        ("firewall", firewall()?),
        ("listening", listening()?),
        ("mounts", read(&proc.join("1/mountinfo")).map(|text| mounts(&text))?),
        ("loop devices", loop_devices()?),
    ];
    let sorted = sections.map(|(kind, mut lines): (&str, Vec<String>)| {
        lines.sort();
        (kind.to_owned(), lines)
    });
    Ok(sorted.into())
}

fn read(path: &Path) -> Result<String, AgentError> {
    std::fs::read_to_string(path).map_err(|error| AgentError::new(format!("read {}", path.display()), error))
}

/// Empty where there is no such bridge.
fn bridge() -> Vec<String> {
    let fact = |name: &str| {
        let value = std::fs::read_to_string(format!("/sys/class/net/{BRIDGE}/{name}")).ok()?;
        Some(format!("{BRIDGE} {name} {}", value.trim()))
    };
    ["address", "mtu"].into_iter().filter_map(fact).collect()
}

/// The machine's own addresses, of a trie whose leaves follow their address.
fn addresses(trie: &str) -> Vec<String> {
    let mut last = "";
    let mut found = Vec::new();
    for line in trie.lines().map(str::trim) {
        if let Some(address) = line.strip_prefix("|-- ") {
            last = address;
        } else if line == "/32 host LOCAL" {
            found.push(last.to_owned());
        }
    }
    found.dedup();
    found
}

/// The rules of both tables that docker writes to, without counters.
fn firewall() -> Result<Vec<String>, AgentError> {
    let mut rules = Vec::new();
    for table in ["filter", "nat"] {
        let output = Command::new("iptables").args(["--table", table, "--list-rules"]).output();
        let output = output.map_err(|error| AgentError::new("run iptables", error))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(AgentError::new(format!("list the rules of the table {table}"), said));
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        rules.extend(text.lines().map(|line| format!("{table} {line}")));
    }
    Ok(rules)
}

/// Addresses at which somebody listens, in the kernel's own form.
fn listening() -> Result<Vec<String>, AgentError> {
    let mut found = Vec::new();
    for protocol in ["tcp", "tcp6"] {
        // A kernel without one of them has no file for it.
        let Ok(text) = std::fs::read_to_string(format!("/proc/net/{protocol}")) else { continue };
        found.extend(listeners(&text).map(|address| format!("{protocol} {address}")));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// The fourth field is the state, and 0A is LISTEN.
fn listeners(table: &str) -> impl Iterator<Item = &str> {
    table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let address = fields.next()?;
        (fields.nth(1)? == "0A").then_some(address)
    })
}

/// Mount points with what is mounted there; numbers that a mount has by chance are left out.
fn mounts(mountinfo: &str) -> Vec<String> {
    let one = |line: &str| {
        let (mount, file_system) = line.split_once(" - ")?;
        let point = mount.split(' ').nth(4)?;
        let kind = file_system.split(' ').next()?;
        Some(format!("{point} {kind}"))
    };
    mountinfo.lines().filter_map(one).collect()
}

/// Those that a file is attached to.
fn loop_devices() -> Result<Vec<String>, AgentError> {
    let folder = Path::new("/sys/block");
    let wrong = |error| AgentError::new(format!("read {}", folder.display()), error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        if let Ok(file) = std::fs::read_to_string(entry.path().join("loop/backing_file")) {
            found.push(format!("{} {}", entry.file_name().display(), file.trim()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_addresses_are_those_of_hosts() {
        let trie = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     |-- 10.0.0.7\n        \
                    /32 host LOCAL\n     |-- 172.17.0.0\n        /16 link UNICAST\n     |-- 172.17.0.1\n        /32 host LOCAL\n";
        assert_eq!(addresses(trie), ["10.0.0.7", "172.17.0.1"]);
    }

    #[test]
    fn only_those_who_listen_are_listed() {
        let table = "  sl  local_address rem_address   st tx_queue\n   0: 0100007F:1388 00000000:0000 0A 00000000:00000000\n   \
                     1: 0100007F:A2C4 0100007F:1388 01 00000000:00000000\n";
        assert_eq!(listeners(table).collect::<Vec<_>>(), ["0100007F:1388"]);
    }

    #[test]
    fn a_mount_is_where_and_what() {
        let mountinfo = "460 451 254:0 /var/lib /run/registry rw,relatime master:1 - ext4 /dev/vda rw,discard\n";
        assert_eq!(mounts(mountinfo), ["/run/registry ext4"]);
    }
}
