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
    pub(super) fn apply(self, host: &mut HostConfig) {
        match self {
            Self::Real => host.privileged = Some(true),
            Self::Explicit => {
                host.cap_add = Some(vec!["ALL".to_owned()]);
                host.cap_drop = Some(vec!["SYS_RESOURCE".to_owned()]);
                let lifted = ["seccomp=unconfined", "systempaths=unconfined", "label=disable", "apparmor=unconfined"];
                host.security_opt = Some(lifted.map(str::to_owned).to_vec());
                host.device_cgroup_rules = Some(vec!["a *:* rwm".to_owned()]);
                host.devices = Some(Vec::<DeviceMapping>::new());
                // The command's `systempaths=unconfined` is these two fields on the wire.
                host.masked_paths = Some(Vec::new());
                host.readonly_paths = Some(Vec::new());
                host.security_opt
                    .as_mut()
                    .into_iter()
                    .for_each(|options| options.retain(|option| !option.starts_with("systempaths")));
            }
        }
    }
}
