//! Device nodes: a container's /dev holds those that existed when it was created, and without `--privileged` next to none.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

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

/// What engines within need, and `--privileged` would have in the container: for a storage driver with a process of its
/// own, and for the network of an engine without root.
pub(super) fn make_nodes() -> Result<(), AgentError> {
    std::fs::create_dir_all("/dev/net").map_err(|error| AgentError::new("make /dev/net", error))?;
    for (path, minor) in [("/dev/fuse", 229), ("/dev/net/tun", 200)] {
        make(path, FileType::CharacterDevice, makedev(MISC_MAJOR, minor))?;
        // Everybody's, as everywhere, whatever mask this program was given.
        std::fs::set_permissions(path, Permissions::from_mode(0o666))
            .map_err(|error| AgentError::new(format!("open {path} to everybody"), error))?;
    }
    Ok(())
}

fn make(path: &str, kind: FileType, device: Dev) -> Result<(), AgentError> {
    match mknodat(CWD, path, kind, Mode::from_raw_mode(0o600), device) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(AgentError::new(format!("make the device {path}"), error)),
    }
}
