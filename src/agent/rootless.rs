//! An engine without root: its user, and the program that gives it namespaces of its own.

use std::fs::{OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rustix::fs::{XattrFlags, setxattr};
use tokio::process::Command;

use super::{AgentError, EngineConfig, RootlessSide, network};

const USER: u32 = 1000;
const HOME: &str = "/home/rootless";
const RUNTIME: &str = "/run/rootless";
/// Who that is, and which users it may have in a namespace of its own.
const ACCOUNTS: [(&str, &str); 4] = [
    ("/etc/passwd", "rootless:x:1000:1000::/home/rootless:/bin/sh\n"),
    ("/etc/group", "rootless:x:1000:\n"),
    ("/etc/subuid", "rootless:100000:65536\n"),
    ("/etc/subgid", "rootless:100000:65536\n"),
];

/// The programs that map users and groups, each with the number of the one capability that it needs. Debian makes them
/// root's, and root without SYS_ADMIN may not write another user's map.
const MAPPERS: [(&str, u32); 2] = [("/usr/bin/newuidmap", 7), ("/usr/bin/newgidmap", 6)];
/// Revision 2 of the attribute, and that the capability is in effect at once.
const CAPABILITY_MAGIC: u32 = 0x0200_0001;

/// For its network, and for a storage driver with a process of its own.
const DEVICES: [&str; 2] = ["/dev/net/tun", "/dev/fuse"];
/// Reading and writing, for owner, group and all others.
const EVERYBODY: u32 = 0o666;

/// Where the container's own loopback, on which the registry answers, is found from within.
pub(super) const REGISTRY: &str = "10.0.2.2:5000";

/// Packet size of the way out in bytes, as docker's own script has it: nothing on that way is a real network.
const TAP_MTU: u32 = 65_520;

/// Prepares the container, which is root's work, and returns what starts this program again without root.
pub(super) fn command(config: &EngineConfig) -> Result<Command, AgentError> {
    // Made once: a container that is started again has them.
    if !Path::new(HOME).exists() {
        make_user()?;
    }
    open_devices()?;
    let socket_folder = config.socket.parent().map(Path::to_owned);
    for folder in [PathBuf::from(HOME), RUNTIME.into(), config.data_root.clone()].into_iter().chain(socket_folder) {
        let wrong = |error| AgentError::new(format!("give {} to the engine's user", folder.display()), error);
        std::fs::create_dir_all(&folder).map_err(wrong)?;
        chown(&folder, Some(USER), Some(USER)).map_err(wrong)?;
    }
    let mtu = config.mtu.map_or_else(network::mtu, Ok)?;
    let inside = EngineConfig { rootless: Some(RootlessSide::Inside), mtu: Some(mtu), ..config.clone() };
    let mut command = Command::new("rootlesskit");
    command
        .args([format!("--state-dir={RUNTIME}/state"), format!("--mtu={}", config.mtu.unwrap_or(TAP_MTU))])
        .args(["--net=slirp4netns", "--port-driver=builtin"])
        .args(["--slirp4netns-sandbox=auto", "--slirp4netns-seccomp=auto"])
        .args(["--copy-up=/etc", "--copy-up=/run", "--propagation=rslave"])
        .args(super::command(["engine", &inside.to_argument()]))
        .env("HOME", HOME)
        .env("XDG_RUNTIME_DIR", RUNTIME)
        .uid(USER)
        .gid(USER);
    Ok(command)
}

/// Opens the container's own nodes of its devices to that user, where the machine keeps them to root.
fn open_devices() -> Result<(), AgentError> {
    for device in DEVICES {
        let wrong = |error| AgentError::new(format!("open {device} to the engine's user"), error);
        let mode = std::fs::metadata(device).map_err(wrong)?.permissions().mode();
        if mode & EVERYBODY != EVERYBODY {
            std::fs::set_permissions(device, Permissions::from_mode(mode | EVERYBODY)).map_err(wrong)?;
        }
    }
    Ok(())
}

fn make_user() -> Result<(), AgentError> {
    for (file, line) in ACCOUNTS {
        let appended = OpenOptions::new().append(true).create(true).open(file);
        appended
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .map_err(|error| AgentError::new(format!("add the engine's user to {file}"), error))?;
    }
    for (program, capability) in MAPPERS {
        let wrong = |error: std::io::Error| AgentError::new(format!("give {program} its capability"), error);
        std::fs::set_permissions(program, Permissions::from_mode(0o755)).map_err(wrong)?;
        let words = [CAPABILITY_MAGIC, 1 << capability, 0, 0, 0];
        let value: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        setxattr(program, "security.capability", &value, XattrFlags::empty()).map_err(|error| wrong(error.into()))?;
    }
    Ok(())
}
