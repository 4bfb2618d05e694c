//! Device nodes: a container's /dev holds those that existed when it was created, and without `--privileged` next to none.

use rustix::fs::{CWD, Dev, FileType, Mode, makedev, mknodat};
use rustix::io::Errno;

use super::AgentError;

/// Loop devices for which a node is made; the kernel's own limit is far higher.
const LOOP_DEVICES: u32 = 64;
const LOOP_MAJOR: u32 = 7;
/// Major number of devices that are one of a kind.
const MISC_MAJOR: u32 = 10;

pub(super) fn make_loop_nodes() -> Result<(), AgentError> {
    for number in 0..LOOP_DEVICES {
        make(&format!("/dev/loop{number}"), FileType::BlockDevice, makedev(LOOP_MAJOR, number))?;
    }
    make("/dev/loop-control", FileType::CharacterDevice, makedev(MISC_MAJOR, 237))
}

/// What a storage driver with a process of its own needs. `--privileged` would have it in the container.
pub(super) fn make_fuse_node() -> Result<(), AgentError> {
    make("/dev/fuse", FileType::CharacterDevice, makedev(MISC_MAJOR, 229))
}

fn make(path: &str, kind: FileType, device: Dev) -> Result<(), AgentError> {
    match mknodat(CWD, path, kind, Mode::from_raw_mode(0o600), device) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(AgentError::new(format!("make the device {path}"), error)),
    }
}
