//! The `host-engine` image: packed on the spot from the outer engine's own binaries, read through the engine's API.
//!
//! It needs no network, no registry and no root on this side, and both arms of a comparison run the very same build.

mod archive;
mod host_files;
mod inventory;
mod layer;
mod pack;
mod program;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use archive::archive;
pub use pack::pack;

use crate::engine::EngineError;
use crate::journal::JournalError;

/// A packed root file system, cached by its content.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        "cannot pack the engine's own programs: `{program}` is in none of {folders} on the engine's host; an engine that runs inside a virtual machine or a container of its own may hide its host: use --image official there once it is built"
    )]
    Program { program: String, folders: String },
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
