//! An image registry that docker can pull from and push to, which checks every digest and counts every byte.

mod api;
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

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;

use counters::Counters;
use uploads::Uploads;

pub use digest::{Digest, Hashing};
pub use error::Error;
pub use manifest::{Descriptor, MediaType};
pub use name::{Reference, Repository};
pub use store::{Store, StoredManifest, Upload};
pub use traffic::{Snapshot, Traffic};

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

    /// Does what the harness asks for, and tells what went through so far.
    pub fn answer(&self, request: &Request) -> Result<Snapshot, Error> {
        match request {
            Request::Counters => {}
            Request::Name { repository, tag, like } => {
                self.store().name(&repository.parse()?, &tag.parse()?, &like.parse()?)?;
            }
            Request::Forget { repository } => self.store().forget(&repository.parse()?)?,
            Request::Renew { .. } => self.store().clear()?,
        }
        Ok(self.snapshot())
    }

    /// The distribution API.
    pub fn router(&self) -> Router {
        Router::new().fallback(api::handle).with_state(Arc::clone(&self.shared))
    }
}

/// What the harness asks of a registry, on its standard input; each is answered by a [`Snapshot`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// Nothing but the counters.
    Counters,
    /// Let a tag name the image that another tag names.
    Name { repository: String, tag: String, like: String },
    /// Empty a repository.
    Forget { repository: String },
    /// Empty every repository, for fixtures from another seed, with these labels.
    Renew { seed: u64, labels: BTreeMap<String, String> },
}

/// Serves until it is dropped.
pub async fn serve(listener: UnixListener, router: Router) -> io::Result<()> {
    axum::serve(listener, router).await
}
