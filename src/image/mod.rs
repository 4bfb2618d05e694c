//! The `host-engine` image: packed on the spot from the outer engine's own binaries, read where they are.
//!
//! It needs no network, no registry and no root on this side, and both arms of a comparison run the very same build.

mod archive;
mod cache;
mod gather;
mod inventory;
mod layer;
mod pack;
mod program;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use archive::archive;
pub use gather::gather;
pub use pack::pack;

use crate::engine::EngineError;
use crate::journal::JournalError;

/// A packed root file system, cached by its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    /// The layer: an uncompressed tar archive.
    pub layer: PathBuf,
    /// `sha256:` of the layer.
    pub digest: String,
    pub bytes: u64,
    /// Where each of the engine's own programs was found on the host.
    pub programs: BTreeMap<String, String>,
}

/// The image could not be packed.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(
        "cannot pack the engine's own programs: {0}; an engine in a virtual machine or a container of its own may not \
         have them on its host"
    )]
    Gather(String),
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
