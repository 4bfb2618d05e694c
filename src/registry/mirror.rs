//! A pull-through mirror: it keeps every blob that it was asked for, and passes all else on to another registry.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::counters::Counters;
use super::error::Error;
use super::places::Places;
use super::relay::{self, Relay};
use super::route::Route;
use super::store::Store;
use super::uploads::{self, Uploads};
use super::upstream::Address;
use super::{Shared, api};

/// Tags are asked for each time, so that a tag which moved names the new image at once.
pub struct Mirror {
    shared: Arc<Shared>,
    relay: Arc<Relay>,
}

impl Mirror {
    /// Opens the store in a folder, with what an earlier life kept there.
    pub fn open(dir: impl Into<PathBuf>, origin: Address) -> Result<Self, Error> {
        let counters = Arc::new(Counters::new());
        let relay = Arc::new(Relay::new(origin, Places::same(), Arc::clone(&counters)));
        let shared = Shared { store: Store::open(dir)?, counters, uploads: Uploads::default() };
        Ok(Self { shared: Arc::new(shared), relay })
    }

    /// The distribution API.
    pub fn router(self) -> Router {
        Router::new().fallback(handle).with_state(Arc::new(self))
    }

    /// Whether what is asked for is a blob that is kept here; one that is not yet is fetched first.
    async fn keeps(&self, method: &Method, path: &str) -> Result<bool, Error> {
        let (&Method::GET, Route::Blob(repository, digest)) = (method, Route::parse(path)?) else { return Ok(false) };
        let wanted = repository.clone();
        match api::blocking(&self.shared, move |store| store.blob(&wanted, digest)).await {
            Ok(_) => return Ok(true),
            Err(Error::BlobUnknown(_)) => {}
            Err(error) => return Err(error),
        }
        let path = format!("/v2/{repository}/blobs/{digest}");
        let answer = self.relay.requests.send(Method::GET, &path, HeaderMap::new(), Body::empty()).await?;
        if answer.status() != StatusCode::OK {
            // The other registry tells why, in its own words.
            return Ok(false);
        }
        let upload = api::blocking(&self.shared, Store::upload).await?;
        let upload = uploads::append(upload, Body::new(answer.into_body()), &self.shared.counters).await?;
        api::blocking(&self.shared, move |store| store.commit(&repository, upload, Some(digest))).await?;
        Ok(true)
    }
}

async fn handle(State(mirror): State<Arc<Mirror>>, request: Request) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    match mirror.keeps(&method, uri.path()).await {
        Ok(true) => api::handle(State(Arc::clone(&mirror.shared)), request).await,
        Ok(false) => relay::handle(State(Arc::clone(&mirror.relay)), request).await,
        Err(error) => error.into_response(),
    }
}
