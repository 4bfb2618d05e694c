//! Which BuildKit is within an outer engine. The engine's API does not tell; buildx does, of engines that tell it.

use super::job::docker_host;
use crate::engine::{Command, Engine, Output, Patience, Source};

/// Why it is not known of an engine that dindbench has not started: no container of ours has both a docker command and its
/// socket before the first job.
pub const NOT_ASKED: &str = "only the outer engine of a reference host is asked";

/// The version that `docker buildx inspect` tells of the engine in a container; else why it is not known.
pub(super) async fn version(engine: &Engine, container: &str) -> Result<String, String> {
    let environment = vec![docker_host(), "HOME=/root".to_owned()];
    let command = Command { environment, ..Command::new(["docker", "buildx", "inspect"]) };
    let output = engine.exec(container, &command, Patience::CHORE).await.map_err(|error| error.to_string())?;
    told(&output)
}

fn told(output: &Output) -> Result<String, String> {
    if output.exit_code != 0 {
        let said = output.text(Source::Stderr);
        let first = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("no word of why").trim();
        return Err(format!("docker buildx inspect ended with exit code {}: {first}", output.exit_code));
    }
    let missing = || "docker buildx inspect names no version of BuildKit for this engine".to_owned();
    named(&output.text(Source::Stdout)).ok_or_else(missing)
}

/// The line is `BuildKit version:`, and `Buildkit:` before buildx 0.13.
fn named(text: &str) -> Option<String> {
    let mut facts = text.lines().filter_map(|line| line.split_once(':'));
    let (_, version) =
        facts.find(|(name, _)| ["buildkit", "buildkit version"].contains(&name.trim().to_lowercase().as_str()))?;
    Some(version.trim().to_owned()).filter(|version| !version.is_empty())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;

    fn output(exit_code: i64, source: Source, text: &'static str) -> Output {
        let chunks = vec![(Duration::ZERO, source, Bytes::from_static(text.as_bytes()))];
        Output { chunks, exit_code, elapsed: Duration::ZERO, dropped_bytes: 0 }
    }

    #[test]
    fn the_version_stands_among_the_facts_of_a_node() {
        let head = "Name:   default\nDriver: docker\n\nNodes:\nName:             default\nStatus:           running\n";
        for (line, expected) in [
            ("BuildKit version: v0.25.1\nPlatforms:        linux/amd64\n", Some("v0.25.1")),
            ("Buildkit:         v0.11.6\n", Some("v0.11.6")),
            ("Platforms: linux/amd64\nBuildKit daemon flags: --debug\n", None),
            ("BuildKit version:\n", None),
        ] {
            assert_eq!(named(&format!("{head}{line}")).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn a_command_that_tells_none_is_the_reason() {
        let refused = output(1, Source::Stderr, "docker: 'buildx' is not a docker command.\nSee 'docker --help'\n");
        let reason = "docker buildx inspect ended with exit code 1: docker: 'buildx' is not a docker command.";
        assert_eq!(told(&refused), Err(reason.to_owned()));
        let silent = told(&output(0, Source::Stdout, "Name: default\n")).unwrap_err();
        assert!(silent.contains("names no version"), "{silent}");
    }
}
