//! The form in which a job's docker command tells of a build.

use crate::case::Builder;
use crate::engine::{Command, EngineError, Patience, Source};
use crate::topology::JobContainer;

/// What a build is asked to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Printout {
    /// The command has no choice to offer: it would use the classic builder, or none at all.
    Classic,
    /// BuildKit's progress as text.
    Plain,
    /// BuildKit's own records.
    Rawjson,
}

impl Printout {
    /// Asks the docker command itself, in a job container that has its engine: its help names an option for progress
    /// exactly where it would build with BuildKit.
    pub async fn ask(job: &JobContainer, builder: Builder, patience: Patience) -> Result<Self, EngineError> {
        let ask = async |arguments: &[&str]| {
            let command = Command { environment: environment(builder), ..Command::new(arguments.iter().copied()) };
            Ok::<_, EngineError>(job.exec(&command, patience).await?.text(Source::Stdout))
        };
        let help = ask(&["docker", "build", "--help"]).await?;
        Ok(if !help.contains("--progress ") {
            Self::Classic
        } else if help.contains("docker buildx build") && knows_rawjson(&ask(&["docker", "buildx", "version"]).await?) {
            Self::Rawjson
        } else {
            Self::Plain
        })
    }

    /// Whether the command builds with BuildKit where this builder is asked for.
    pub(super) fn buildkit(self, builder: Builder) -> bool {
        match builder {
            Builder::Classic => false,
            Builder::Buildkit => true,
            Builder::Auto => self != Self::Classic,
            Builder::Buildah => false,
        }
    }

    /// The option that asks for it.
    pub(super) fn option(self) -> Option<&'static str> {
        match self {
            Self::Classic => None,
            Self::Plain => Some("--progress=plain"),
            Self::Rawjson => Some("--progress=rawjson"),
        }
    }
}

/// What tells the docker command which builder to use; with `auto` it decides for itself.
pub(super) fn environment(builder: Builder) -> Vec<String> {
    match builder {
        Builder::Auto | Builder::Buildah => Vec::new(),
        Builder::Classic => vec!["DOCKER_BUILDKIT=0".to_owned()],
        Builder::Buildkit => vec!["DOCKER_BUILDKIT=1".to_owned()],
    }
}

/// Whether a buildx of this version has the form; its own help does not always name it. One that does not tell its
/// version gets the form that all know.
fn knows_rawjson(version: &str) -> bool {
    const SINCE: (u32, u32) = (0, 13);
    let number = version.split_ascii_whitespace().nth(1).map(|word| word.trim_start_matches('v'));
    let mut parts = number.unwrap_or_default().split('.').map_while(|part| part.parse::<u32>().ok());
    parts.next().zip(parts.next()).is_some_and(|number| number >= SINCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buildx_knows_records_since_0_13() {
        for version in ["0.13.1+ds1 0.13.1+ds1-3", "v0.29.1-desktop.1 abc", "v1.0.0 abc", "0.13"] {
            assert!(knows_rawjson(&format!("github.com/docker/buildx {version}\n")), "{version}");
        }
        for version in ["v0.12.1 abc", "0.9.1+azure-1 abc", "master abc", "1", ""] {
            assert!(!knows_rawjson(&format!("github.com/docker/buildx {version}")), "{version}");
        }
    }
}
