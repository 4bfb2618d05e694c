//! A job container without an engine: the settings of podman and buildah, and podman's service on the same storage.

use std::path::Path;

use tokio::process::Command;

use super::{AgentError, DaemonlessConfig, REGISTRY_ADDRESS};

const POLICY: &str = r#"{ "default": [{ "type": "insecureAcceptAnything" }] }"#;

/// The users that root may have in a namespace of its own: all others, under their own numbers.
const USERS: &str = "root:1:65536\n";

/// Writes the settings, and returns what starts the service.
pub(super) fn command(config: &DaemonlessConfig) -> Result<Command, AgentError> {
    // It speaks plain HTTP.
    let registries = format!("[[registry]]\nlocation = \"{REGISTRY_ADDRESS}\"\ninsecure = true\n");
    for (file, text) in [
        ("/etc/containers/registries.conf", registries.as_str()),
        ("/etc/containers/policy.json", POLICY),
        ("/etc/subuid", USERS),
        ("/etc/subgid", USERS),
    ] {
        write(file, text)?;
    }
    if let Some(driver) = &config.driver {
        write("/etc/containers/storage.conf", &storage(driver))?;
    }
    if let Some(folder) = config.socket.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| AgentError::new(format!("make {}", folder.display()), error))?;
    }
    let mut command = Command::new("podman");
    // It would end after five silent seconds.
    command.args(["system", "service", "--time=0", &format!("unix://{}", config.socket.display())]);
    Ok(command)
}

fn storage(driver: &str) -> String {
    let helper = "[storage.options.overlay]\nmount_program = \"/usr/bin/fuse-overlayfs\"\n";
    let (driver, options) = if driver == "fuse-overlayfs" { ("overlay", helper) } else { (driver, "") };
    format!(
        "[storage]\ndriver = \"{driver}\"\ngraphroot = \"/var/lib/containers/storage\"\n\
         runroot = \"/run/containers/storage\"\n{options}"
    )
}

fn write(file: &str, text: &str) -> Result<(), AgentError> {
    let wrong = |error: std::io::Error| AgentError::new(format!("write {file}"), error);
    if let Some(folder) = Path::new(file).parent() {
        std::fs::create_dir_all(folder).map_err(wrong)?;
    }
    std::fs::write(file, text).map_err(wrong)
}
