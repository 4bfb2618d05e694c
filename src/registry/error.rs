//! Why the registry refuses a request, or fails at it, and what a client is told.

use std::io;
use std::path::PathBuf;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_RANGE, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::digest::{Digest, NotADigest};
use super::name::{Reference, Repository};
use super::upstream::Address;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0:?} is not a repository name: use lower-case letters and digits, joined by . _ - or /")]
    NameInvalid(String),
    #[error("repository {0} is not known here: push to it first")]
    NameUnknown(Repository),
    #[error("{0:?} is not a tag: use at most 128 letters, digits, _ . or -, beginning with a letter, a digit or _")]
    TagInvalid(String),
    #[error("repository {0} has no manifest {1}")]
    ManifestUnknown(Repository, Reference),
    #[error("the manifest is not accepted: {0}")]
    ManifestInvalid(String),
    #[error("the manifest names {0}, which is not in its repository: push it first")]
    ManifestBlobUnknown(Digest),
    #[error("the manifest says that {digest} has {said} bytes; it has {actual}")]
    SizeInvalid { digest: Digest, said: u64, actual: u64 },
    #[error("the repository has no blob {0}")]
    BlobUnknown(Digest),
    #[error("there is no upload {0}: it ended, failed, or is being written to by another request")]
    UploadUnknown(String),
    #[error("the upload is refused: {0}")]
    UploadInvalid(String),
    #[error("the upload has {have} bytes, and this part begins at {begins}")]
    UploadOutOfOrder { have: u64, begins: u64 },
    #[error(transparent)]
    NotADigest(#[from] NotADigest),
    #[error("the content was said to be {said} and is {actual}; nothing was stored")]
    DigestMismatch { said: Digest, actual: Digest },
    #[error("the range lies outside the blob's {size} bytes")]
    RangeOutside { size: u64 },
    #[error("nothing is served at {0}")]
    NoSuchPath(String),
    #[error("{method} is not served at {path}")]
    NoSuchMethod { method: String, path: String },
    /// The store was changed behind the registry's back.
    #[error("{path} should be {digest} and is not: the file was changed after it was stored; throw this store away")]
    Corrupt { path: PathBuf, digest: Digest },
    #[error("cannot {doing} {path}: {cause}")]
    Io { doing: &'static str, path: PathBuf, cause: io::Error },
    #[error("the registry failed at its own work: {0}")]
    Internal(String),
    #[error(
        "the registry at {address} does not answer: {reason}; start it, or name one that the engine's host can reach"
    )]
    Unreachable { address: Address, reason: String },
    #[error(
        "the registry at {address} sends its clients on to {location}, where nothing is counted: let it serve \
         everything itself, under the address that it was given by, without redirects to its storage"
    )]
    Elsewhere { address: Address, location: String },
    #[error(
        "the registry at {address} answers {asked} with {status}: {said}; it must take pulls and pushes without \
         credentials"
    )]
    Refused { address: Address, asked: String, status: StatusCode, said: String },
}

impl Error {
    /// For `map_err` at a file operation.
    pub(super) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Self::Io { doing, path, cause }
    }

    /// The status, and the OCI distribution specification's code; `UNKNOWN`, which clients know, for the registry's own
    /// failures.
    fn told(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NameInvalid(_) => (StatusCode::BAD_REQUEST, "NAME_INVALID"),
            Self::NameUnknown(_) => (StatusCode::NOT_FOUND, "NAME_UNKNOWN"),
            Self::TagInvalid(_) => (StatusCode::BAD_REQUEST, "TAG_INVALID"),
            Self::ManifestUnknown(..) => (StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN"),
            Self::ManifestInvalid(_) => (StatusCode::BAD_REQUEST, "MANIFEST_INVALID"),
            Self::ManifestBlobUnknown(_) => (StatusCode::BAD_REQUEST, "MANIFEST_BLOB_UNKNOWN"),
            Self::SizeInvalid { .. } => (StatusCode::BAD_REQUEST, "SIZE_INVALID"),
            Self::BlobUnknown(_) => (StatusCode::NOT_FOUND, "BLOB_UNKNOWN"),
            Self::UploadUnknown(_) => (StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN"),
            Self::UploadInvalid(_) => (StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID"),
            Self::UploadOutOfOrder { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID"),
            Self::NotADigest(_) | Self::DigestMismatch { .. } => (StatusCode::BAD_REQUEST, "DIGEST_INVALID"),
            Self::RangeOutside { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "RANGE_INVALID"),
            Self::NoSuchPath(_) => (StatusCode::NOT_FOUND, "UNSUPPORTED"),
            Self::NoSuchMethod { .. } => (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED"),
            Self::Corrupt { .. } | Self::Io { .. } | Self::Internal(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN")
            }
            Self::Unreachable { .. } | Self::Elsewhere { .. } | Self::Refused { .. } => {
                (StatusCode::BAD_GATEWAY, "UNKNOWN")
            }
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, code) = self.told();
        let body = json!({ "errors": [{ "code": code, "message": self.to_string(), "detail": null }] });
        let size = match self {
            Self::RangeOutside { size } => Some([(CONTENT_RANGE, format!("bytes */{size}"))]),
            _ => None,
        };
        (status, [(CONTENT_TYPE, "application/json")], size, body.to_string()).into_response()
    }
}
