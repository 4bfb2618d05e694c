//! How an engine's container is given what an engine needs.

use bollard::models::{DeviceMapping, HostConfig};
use serde::{Deserialize, Serialize};

/// The two ways to give a container the powers of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Privilege {
    /// `--privileged`.
    Real,
    /// Every capability but SYS_RESOURCE, with the confinements lifted one by one: for an engine that lacks that one
    /// capability itself and therefore cannot grant `--privileged`.
    Explicit,
}

impl Privilege {
    /// The same for the docker command.
    pub fn options(self) -> &'static [&'static str] {
        match self {
            Self::Real => &["--privileged"],
            Self::Explicit => &[
                "--cap-add=ALL",
                "--cap-drop=SYS_RESOURCE",
                "--device-cgroup-rule=a *:* rwm",
                "--security-opt=seccomp=unconfined",
                "--security-opt=label=disable",
                "--security-opt=apparmor=unconfined",
                "--security-opt=systempaths=unconfined",
            ],
        }
    }
}

/// What a container has beyond an ordinary one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Powers {
    /// What an engine needs.
    Engine(Privilege),
    /// What an engine without root needs, or a program that does an engine's work: no capability that other containers
    /// have not, confinement lifted, and the devices for a network and a storage driver of its own.
    Unconfined,
    /// What a runtime other than the engine's own gives it; the container itself has nothing that others have not.
    Runtime(&'static str),
}

impl Powers {
    pub(super) fn apply(self, host: &mut HostConfig) {
        match self {
            Self::Engine(Privilege::Real) => host.privileged = Some(true),
            Self::Engine(Privilege::Explicit) => {
                host.cap_add = Some(vec!["ALL".to_owned()]);
                host.cap_drop = Some(vec!["SYS_RESOURCE".to_owned()]);
                host.device_cgroup_rules = Some(vec!["a *:* rwm".to_owned()]);
                lift(host);
            }
            Self::Unconfined => {
                host.devices = Some(["/dev/net/tun", "/dev/fuse"].map(device).to_vec());
                lift(host);
            }
            Self::Runtime(name) => host.runtime = Some(name.to_owned()),
        }
    }
}

/// Lifts the confinements. The command's `systempaths=unconfined` is two fields on the wire.
fn lift(host: &mut HostConfig) {
    let lifted = ["seccomp=unconfined", "label=disable", "apparmor=unconfined"];
    host.security_opt = Some(lifted.map(str::to_owned).to_vec());
    host.masked_paths = Some(Vec::new());
    host.readonly_paths = Some(Vec::new());
}

fn device(path: &str) -> DeviceMapping {
    let path = Some(path.to_owned());
    DeviceMapping { path_on_host: path.clone(), path_in_container: path, cgroup_permissions: Some("rwm".to_owned()) }
}
