//! An image as the registry of the shared reference host stores it.

use dindbench::engine::{Command, Patience, Source};
use serde::Deserialize;

use crate::lab::Lab;

const STORE: &str = "/run/registry/store";

/// What a manifest names.
#[derive(Debug, Deserialize)]
pub struct Stored {
    pub config: Blob,
    pub layers: Vec<Blob>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Blob {
    pub digest: String,
    pub size: u64,
}

impl Stored {
    /// The image that a tag names now.
    pub async fn tagged(lab: &Lab, repository: &str, tag: &str) -> Self {
        let digest = execute(lab, &["cat", &format!("{STORE}/repositories/{repository}/_tags/{tag}")]).await;
        Self::with_digest(lab, repository, &digest).await
    }

    pub async fn with_digest(lab: &Lab, repository: &str, digest: &str) -> Self {
        let hex = digest.trim().strip_prefix("sha256:").expect("a digest");
        let manifest = format!("{STORE}/repositories/{repository}/_manifests/{hex}");
        serde_json::from_str(&execute(lab, &["cat", &manifest]).await).expect("a manifest")
    }

    /// What a pull of all of it moves.
    pub fn bytes(&self) -> u64 {
        self.config.size + self.layers.iter().map(|layer| layer.size).sum::<u64>()
    }
}

/// The names of all blobs.
pub async fn blobs(lab: &Lab) -> String {
    execute(lab, &["ls", &format!("{STORE}/blobs/sha256")]).await
}

async fn execute(lab: &Lab, command: &[&str]) -> String {
    let registry = format!("dindbench-{}-registry", lab.journal.run());
    let output =
        lab.engine.exec(&registry, &Command::new(command.iter().copied()), Patience::CHORE).await.expect("a command");
    assert_eq!(output.exit_code, 0, "{command:?}: {}", output.text(Source::Stderr));
    output.text(Source::Stdout)
}
