//! An image registry that docker can pull from and push to, which checks every digest and counts every byte.
//!
//! Two routers serve one registry: the distribution API for the engines under test, and the control router for the
//! harness.

mod api;
mod control;
mod counters;
mod digest;
mod error;
mod manifest;
mod name;
mod range;
mod route;
mod store;
mod traffic;
mod uploads;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, UnixListener};

use counters::Counters;
use uploads::Uploads;

pub use digest::{Digest, Hashing, NotADigest};
pub use error::Error;
pub use manifest::{Descriptor, MediaType};
pub use name::{Reference, Repository, Tag};
pub use store::{Blob, Store, StoredManifest, Upload};
pub use traffic::{LogEntry, LogPage, NotADifference, Snapshot, Traffic};

/// Name of the file in a store's folder that says which images were generated into it.
pub const FIXTURES: &str = "fixtures.json";

/// A store with its counters, ready to be served.
pub struct Registry {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    counters: Arc<Counters>,
    uploads: Uploads,
}

impl Registry {
    /// Opens the store in a folder; the counters begin at 0.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, Error> {
        let store = Store::open(dir)?;
        let counters = Arc::new(Counters::new());
        Ok(Self { shared: Arc::new(Shared { store, counters, uploads: Uploads::default() }) })
    }

    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// What went through it so far.
    pub fn snapshot(&self) -> Snapshot {
        self.shared.counters.snapshot()
    }

    /// The distribution API.
    pub fn router(&self) -> Router {
        Router::new().fallback(api::handle).with_state(Arc::clone(&self.shared))
    }

    /// The harness's side; see [`Snapshot`] and [`LogPage`] for what it answers.
    pub fn control_router(&self) -> Router {
        control::router(Arc::clone(&self.shared))
    }
}

/// What the harness asks of a registry, on its standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Answered by a [`Snapshot`].
    Counters,
}

/// What a router can be served on.
pub enum Socket {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl From<UnixListener> for Socket {
    fn from(listener: UnixListener) -> Self {
        Self::Unix(listener)
    }
}

impl From<TcpListener> for Socket {
    fn from(listener: TcpListener) -> Self {
        Self::Tcp(listener)
    }
}

/// Serves until it is dropped.
pub async fn serve(socket: impl Into<Socket>, router: Router) -> io::Result<()> {
    match socket.into() {
        Socket::Unix(listener) => axum::serve(listener, router).await,
        // A delayed small packet would be counted as an engine's time. Where this fails, the connection is gone.
        Socket::Tcp(listener) => axum::serve(listener.tap_io(|stream| drop(stream.set_nodelay(true))), router).await,
    }
}
