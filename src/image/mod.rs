//! Images of engine and job containers: packed on the spot from the host's own engine, or a Debian system with an engine
//! of another version. dindbench itself is in each of them.
//!
//! Neither needs a registry of images or root on this side, and the packed one no network.

mod archive;
mod cache;
mod carried;
mod debian;
mod gather;
mod images;
mod inventory;
mod layer;
mod pack;
mod program;

use std::path::PathBuf;

use sha2::{Digest, Sha256};

pub use archive::archive;
pub use carried::Carried;
pub use debian::{System, systems};
pub use gather::gather;
pub use images::{RunImages, Wanted};
pub use layer::Layer;

use crate::engine::EngineError;
use crate::journal::JournalError;

/// An image whose layers are in the cache folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemImage {
    /// `host-engine`, `engine-` and a version, `proxy` or `podman`.
    pub name: String,
    /// Lowest first.
    pub layers: Vec<Layer>,
}

impl SystemImage {
    /// Names the whole content: the digest of a single layer, else the chain of them, as the image specification
    /// defines it.
    pub fn digest(&self) -> String {
        let mut digests = self.layers.iter().map(|layer| layer.digest.clone());
        let lowest = digests.next().unwrap_or_default();
        let above = |chain: String, next: String| {
            format!("sha256:{}", crate::units::hex(&Sha256::digest(format!("{chain} {next}"))))
        };
        digests.fold(lowest, above)
    }

    pub fn bytes(&self) -> u64 {
        self.layers.iter().map(|layer| layer.bytes).sum()
    }
}

/// The image could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    #[error(
        "your engine has no image {name}, which the scenario carries: build or pull it there, or leave it out of `carry`"
    )]
    NotThere { name: String },
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(
        "cannot pack the engine's own programs: {0}; an engine in a virtual machine or a container of its own may not \
         have them on its host"
    )]
    Gather(String),
    #[error("{} has no image of {systems} by this program's recipe; it is built by: scripts/images {systems}", folder.display())]
    NotBuilt { systems: String, folder: PathBuf },
    #[error("cannot pack {path}: it needs the library {library}, which is in none of the usual folders")]
    Library { path: String, library: String },
    #[error("cannot pack {path}: {reason}")]
    File { path: String, reason: String },
}

impl ImageError {
    fn file(path: impl ToString, reason: impl ToString) -> Self {
        Self::File { path: path.to_string(), reason: reason.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second value is `printf 'sha256:a sha256:b' | sha256sum`, computed elsewhere.
    #[test]
    fn the_digest_of_an_image_is_that_of_its_chain_of_layers() {
        let layer = |digest: &str| Layer { file: PathBuf::new(), digest: digest.to_owned(), bytes: 2 };
        let image = |layers| SystemImage { name: "test".to_owned(), layers };
        assert_eq!(image(vec![layer("sha256:a")]).digest(), "sha256:a");
        let two = image(vec![layer("sha256:a"), layer("sha256:b")]);
        assert_eq!(two.digest(), "sha256:970a948bffa8de94d6e22d747ba8c95030e6e546909f98f54e99a13005e173a8");
        assert_eq!(two.bytes(), 4);
    }
}
