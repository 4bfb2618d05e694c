//! An image registry that docker can pull from and push to, which checks every digest and counts every byte.

mod api;
mod counters;
mod digest;
mod error;
mod manifest;
mod mirror;
mod name;
mod places;
mod publication;
mod range;
mod relay;
mod route;
mod store;
mod traffic;
mod uploads;
mod upstream;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;

use counters::Counters;
use places::Places;
use relay::Relay;
use uploads::Uploads;

pub use digest::{Digest, Hashing};
pub use error::Error;
pub use manifest::{Descriptor, MediaType};
pub use mirror::Mirror;
pub use name::{Reference, Repository};
pub use store::{Store, StoredManifest, Upload};
pub use traffic::{Snapshot, Traffic};
pub use upstream::{Address, Upstream};

/// A store with its counters, ready to be served: itself, or by a registry that others run.
pub struct Registry {
    shared: Arc<Shared>,
    /// The way to the registry that serves in the place of this one.
    relay: Option<Arc<Relay>>,
}

struct Shared {
    store: Store,
    counters: Arc<Counters>,
    uploads: Uploads,
}

impl Registry {
    /// Opens the store in a folder; the counters begin at 0.
    pub fn open(dir: impl Into<PathBuf>, upstream: Option<Upstream>) -> Result<Self, Error> {
        let store = Store::open(dir)?;
        let counters = Arc::new(Counters::new());
        let relay = upstream.map(|Upstream { address, namespace }| {
            Arc::new(Relay::new(address, Places::below(namespace), Arc::clone(&counters)))
        });
        Ok(Self { shared: Arc::new(Shared { store, counters, uploads: Uploads::default() }), relay })
    }

    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// What went through it so far.
    pub fn snapshot(&self) -> Snapshot {
        self.shared.counters.snapshot()
    }

    /// Lets a repository of the store be served as it is now. A registry of our own does so anyway.
    pub async fn publish(&self, repository: &Repository) -> Result<(), Error> {
        match &self.relay {
            Some(relay) => relay.publish(self.store(), repository).await,
            None => Ok(()),
        }
    }

    /// Does what the harness asks for, and answers.
    pub async fn answer(&self, request: &Request) -> Result<Reply, Error> {
        match request {
            Request::Counters => {}
            Request::Name { repository, tag, like } => {
                let (repository, tag) = (repository.parse()?, tag.parse()?);
                self.store().name(&repository, &tag, &like.parse()?)?;
                if let Some(relay) = &self.relay {
                    relay.put(self.store(), &repository, &tag).await?;
                }
            }
            Request::Forget { repository } => {
                let repository = repository.parse()?;
                self.store().forget(&repository)?;
                if let Some(relay) = &self.relay {
                    relay.leave(&repository).await?;
                }
            }
            Request::Renew { .. } => {
                self.store().clear()?;
                if let Some(relay) = &self.relay {
                    relay.leave_all().await?;
                }
            }
            Request::Deletes { repository, tag } => {
                let deletes = match &self.relay {
                    Some(relay) => relay.deletes(self.store(), &repository.parse()?, &tag.parse()?).await?,
                    None => true,
                };
                return Ok(Reply::Deletes(deletes));
            }
            Request::Withdraw => self.withdraw().await?,
        }
        Ok(Reply::Snapshot(self.snapshot()))
    }

    /// Takes back what was put into a registry that others run, as far as that one deletes.
    pub async fn withdraw(&self) -> Result<(), Error> {
        match &self.relay {
            Some(relay) => relay.withdraw().await,
            None => Ok(()),
        }
    }

    /// The distribution API.
    pub fn router(&self) -> Router {
        match &self.relay {
            Some(relay) => Router::new().fallback(relay::handle).with_state(Arc::clone(relay)),
            None => Router::new().fallback(api::handle).with_state(Arc::clone(&self.shared)),
        }
    }
}
/// What the harness asks of a registry, on its standard input.
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
    /// Whether images can be deleted where they are served; found out with this one, which no other tag may name.
    Deletes { repository: String, tag: String },
    /// Take back what was put into a registry that others run.
    Withdraw,
}

/// What is answered: the counters, to all requests but one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Reply {
    Snapshot(Snapshot),
    Deletes(bool),
}

/// Serves until it is dropped.
pub async fn serve(listener: UnixListener, router: Router) -> io::Result<()> {
    axum::serve(listener, router).await
}
