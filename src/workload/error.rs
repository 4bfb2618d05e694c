//! Why a context could not be made, brought to its place, or found in what was built of it.

use crate::engine::EngineError;

#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("cannot read the context {context}: {reason}")]
    Read { context: String, reason: String },
    #[error(
        "the image {image} holds {found} at {path}, and the edited file has the digest {expected}: the build used another file"
    )]
    OldFile { image: String, path: String, expected: String, found: String },
}
