//! The control group of the container we run in: its counters, and its preparation for nested engines.

use std::path::Path;
use std::str::FromStr;

use rustix::mount::{MountFlags, mount_remount};

use super::AgentError;

const ROOT: &str = "/sys/fs/cgroup";

/// The two layouts. A hybrid host counts as version 1: its controllers are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

impl Version {
    pub fn detect() -> Self {
        if Path::new(ROOT).join("cgroup.controllers").exists() { Self::V2 } else { Self::V1 }
    }

    /// Processor time of the group and everything below it.
    pub fn cpu_ns(self) -> Option<u64> {
        match self {
            Self::V1 => number(&read("cpuacct/cpuacct.usage")?),
            Self::V2 => keyed(&read("cpu.stat")?, "usage_usec").map(|micros| micros * 1000),
        }
    }

    /// The highest memory use since the last reset. Version 1 counts page cache as well.
    pub fn peak_memory(self) -> Option<u64> {
        match self {
            Self::V1 => number(&read("memory/memory.max_usage_in_bytes")?),
            Self::V2 => number(&read("memory.peak")?),
        }
    }

    /// Starts a new peak; false where the kernel cannot, and the peak is that of the whole life.
    pub fn reset_peak(self) -> bool {
        let file = match self {
            Self::V1 => "memory/memory.max_usage_in_bytes",
            Self::V2 => "memory.peak",
        };
        // Version 2 resets for the writing descriptor only (Linux 6.12), which is no use between two opens.
        self == Self::V1 && std::fs::write(Path::new(ROOT).join(file), "0").is_ok()
    }

    /// Makes the tree ready for an engine: writable, and on version 2 with a root that holds no process itself.
    pub fn prepare(self, remount: bool) -> Result<(), AgentError> {
        match self {
            Self::V1 if remount => remount_writable(),
            Self::V1 => Ok(()),
            Self::V2 => {
                if remount {
                    remount_one(Path::new(ROOT))?;
                }
                nest(Path::new(ROOT))
            }
        }
    }
}

fn read(file: &str) -> Option<String> {
    std::fs::read_to_string(Path::new(ROOT).join(file)).ok()
}

fn number(text: &str) -> Option<u64> {
    u64::from_str(text.trim()).ok()
}

/// The value of a `key value` line.
fn keyed(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| number(line.strip_prefix(key)?.strip_prefix(' ')?))
}

fn remount_writable() -> Result<(), AgentError> {
    let mounts = std::fs::read_to_string("/proc/self/mounts")
        .map_err(|error| AgentError::new("read /proc/self/mounts", error))?;
    for line in mounts.lines() {
        let mut fields = line.split(' ').skip(1);
        let (Some(target), Some(kind)) = (fields.next(), fields.next()) else { continue };
        if kind == "cgroup" && target.starts_with(ROOT) {
            remount_one(Path::new(target))?;
        }
    }
    Ok(())
}

fn remount_one(target: &Path) -> Result<(), AgentError> {
    mount_remount(target, MountFlags::BIND, "")
        .map_err(|error| AgentError::new(format!("remount {} writable", target.display()), error))
}

/// Moves every process into a leaf and hands the controllers down: version 2 allows no processes beside child groups.
fn nest(root: &Path) -> Result<(), AgentError> {
    let wrong = |what: &str, error: std::io::Error| AgentError::new(format!("{what} {}", root.display()), error);
    let leaf = root.join("init");
    std::fs::create_dir_all(&leaf).map_err(|error| wrong("make a leaf group in", error))?;
    let processes =
        std::fs::read_to_string(root.join("cgroup.procs")).map_err(|error| wrong("list the processes of", error))?;
    for process in processes.lines() {
        // A process that has ended in the meantime needs no move.
        let _ = std::fs::write(leaf.join("cgroup.procs"), process);
    }
    let controllers = std::fs::read_to_string(root.join("cgroup.controllers"))
        .map_err(|error| wrong("list the controllers of", error))?;
    for controller in controllers.split_whitespace() {
        std::fs::write(root.join("cgroup.subtree_control"), format!("+{controller}"))
            .map_err(|error| wrong(&format!("hand down the controller {controller} of"), error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_must_match_whole() {
        assert_eq!(keyed("usage_usec 15\nuser_usec 10\n", "usage_usec"), Some(15));
        assert_eq!(keyed("usage_usec_extra 15\n", "usage_usec"), None);
    }

    #[test]
    fn a_leaf_takes_the_processes_and_the_controllers_are_handed_down() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("cgroup.procs"), "1\n7\n").unwrap();
        std::fs::write(root.path().join("cgroup.controllers"), "cpu memory\n").unwrap();
        nest(root.path()).unwrap();
        assert_eq!(std::fs::read_to_string(root.path().join("init/cgroup.procs")).unwrap(), "7");
        assert_eq!(std::fs::read_to_string(root.path().join("cgroup.subtree_control")).unwrap(), "+memory");
    }
}
