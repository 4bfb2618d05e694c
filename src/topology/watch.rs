//! Whether the user's engine and its machine are afterwards what they were before.

use std::collections::BTreeSet;

use super::{Held, TopologyError};
use crate::agent::{self, Fingerprint};
use crate::engine::{
    Command, ContainerSpec, Engine, EngineError, Mount, Network, Output, Patience, Powers, Privilege, Source,
};
use crate::journal::{Journal, Kind};

/// Where the machine's processes are told in the watching container.
const PROC: &str = "/run/machine";

/// Tells the kernel's security modules, from a file system that containers have not got.
const SECURITY_MODULES: &str =
    "cd /sys/kernel/security && { [ -e lsm ] || mount -t securityfs none .; } && cat /sys/kernel/security/lsm";

/// A container that looks at the machine under the user's engine, from its network.
pub struct Watch {
    held: Held,
}

impl Watch {
    /// Starts to watch. It is there as long as it is held, so that it changes nothing between two looks.
    pub(super) async fn start(
        engine: &Engine,
        journal: &mut Journal,
        image: &str,
        privilege: Privilege,
    ) -> Result<Self, TopologyError> {
        let spec = ContainerSpec {
            name: journal.name("watch"),
            image: image.to_owned(),
            // It ends with its input.
            command: vec!["cat".to_owned()],
            labels: journal.labels("watch"),
            mounts: vec![Mount::Bind { source: "/proc".to_owned(), target: PROC.to_owned(), read_only: true }],
            network: Network::Host,
            powers: Some(Powers::Engine(privilege)),
            dead_man: true,
            ..ContainerSpec::default()
        };
        journal.creating(Kind::Container, &spec.name)?;
        Ok(Self { held: Held::start(engine, &spec).await? })
    }

    /// What is there now: on the machine, and on the engine.
    pub async fn look(&self) -> Result<Fingerprint, TopologyError> {
        let engine = self.held.engine();
        let command = Command::new(agent::command(["fingerprint", PROC]));
        let output = engine.exec_well(self.held.name(), &command, Patience::CHORE).await?;
        let said = output.text(Source::Stdout);
        let mut found: Fingerprint = serde_json::from_str(&said).map_err(|error| TopologyError::Answer {
            container: self.held.name().to_owned(),
            reason: format!("`{said}`: {error}"),
        })?;
        let names = |list: Vec<(String, _)>| -> BTreeSet<String> { list.into_iter().map(|(name, _)| name).collect() };
        let lists = [
            ("containers", names(engine.containers(None, true).await?)),
            ("volumes", names(engine.volumes(None).await?)),
            ("networks", names(engine.networks(None).await?)),
            ("images", engine.image_ids().await?.into_iter().collect()),
        ];
        found.extend(lists.map(|(kind, names)| (kind.to_owned(), names.into_iter().collect())));
        Ok(found)
    }

    /// Executes a command on the machine itself, outside of every container but for the processes that it can signal: a process
    /// cannot enter the process name space that its own one is in. It may wreck the machine.
    pub async fn on_machine(&self, command: &Command, patience: Patience) -> Result<Output, EngineError> {
        let of = |flag: &str, kind: &str| format!("--{flag}={PROC}/1/ns/{kind}");
        let enter = [of("mount", "mnt"), of("uts", "uts"), of("ipc", "ipc"), of("net", "net")];
        let words = ["nsenter".to_owned()].into_iter().chain(enter).chain(command.arguments.iter().cloned());
        let entered = Command { arguments: words.collect(), ..command.clone() };
        self.held.engine().exec(self.held.name(), &entered, patience).await
    }

    /// Security modules that are active in the machine's kernel, joined by commas.
    ///
    /// # Errors
    /// Why they are not known.
    pub async fn security_modules(&self) -> Result<String, String> {
        let command = Command::new(["sh", "-c", SECURITY_MODULES]);
        let said = self.held.engine().exec(self.held.name(), &command, Patience::CHORE).await;
        let said = said.map_err(|error| error.to_string())?;
        match said.exit_code {
            0 => Ok(said.text(Source::Stdout).trim().to_owned()),
            _ => Err(format!("not known ({})", said.text(Source::Stderr).trim())),
        }
    }

    pub async fn end(self) -> Result<(), TopologyError> {
        Ok(self.held.remove().await?)
    }
}

/// What is in one of the two alone: kind, `+` or `-`, and the line.
pub fn differences(before: &Fingerprint, after: &Fingerprint) -> Vec<String> {
    let kinds: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut found = Vec::new();
    for kind in kinds {
        let lines = |of: &Fingerprint| -> BTreeSet<String> { of.get(kind).into_iter().flatten().cloned().collect() };
        let (before, after) = (lines(before), lines(after));
        found.extend(before.difference(&after).map(|line| format!("{kind}: - {line}")));
        found.extend(after.difference(&before).map(|line| format!("{kind}: + {line}")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_and_what_went_is_told() {
        let of = |kind: &str, lines: &[&str]| (kind.to_owned(), lines.iter().map(|line| (*line).to_owned()).collect());
        let before = Fingerprint::from([of("mounts", &["/ ext4", "/a tmpfs"]), of("images", &["one"])]);
        let after = Fingerprint::from([of("mounts", &["/ ext4", "/b tmpfs"]), of("images", &["one"])]);
        assert_eq!(differences(&before, &after), ["mounts: - /a tmpfs", "mounts: + /b tmpfs"]);
        assert!(differences(&before, &before).is_empty());
    }
}
