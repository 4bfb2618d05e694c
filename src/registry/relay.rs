//! Passes what docker asks of a registry on to one that others run, and counts it on the way.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse, Response};

use super::api;
use super::counters::{Counted, Counter, Counters};
use super::digest::Digest;
use super::error::Error;
use super::name::Repository;
use super::places::Places;
use super::route::Route;
use super::upstream::{Address, Requests, location};

/// What one connection says of itself alone; `Host` is the other registry's own.
const OF_A_CONNECTION: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::HOST,
    header::EXPECT,
];

/// The way to a registry that others run.
pub struct Relay {
    pub(super) counters: Arc<Counters>,
    pub(super) requests: Requests,
    pub(super) places: Places,
}

impl Relay {
    pub fn new(address: Address, places: Places, counters: Arc<Counters>) -> Self {
        Self { counters, requests: Requests::to(address), places }
    }
}

/// Passes a request on, and counts it as a registry of our own would.
pub async fn handle(State(relay): State<Arc<Relay>>, request: Request) -> Response {
    relay.counters.add(|traffic| &mut traffic.requests, 1);
    let method = request.method().clone();
    let response = relay.pass(request).await.unwrap_or_else(Error::into_response);
    relay.counters.answered(&method, response.status());
    response
}

impl Relay {
    async fn pass(&self, request: Request) -> Result<Response, Error> {
        let (parts, body) = request.into_parts();
        let counters = &self.counters;
        match (&parts.method, Route::parse(parts.uri.path())?) {
            (&Method::GET | &Method::HEAD, route @ Route::Base) => self.forward(&parts, &route, body).await,
            (&Method::GET | &Method::HEAD, route @ Route::Manifest(..)) => {
                counters.add(|traffic| &mut traffic.manifest_requests, 1);
                Ok(self.counted(self.forward(&parts, &route, body).await?, |traffic| &mut traffic.manifest_bytes))
            }
            (&Method::GET | &Method::HEAD, route @ Route::Blob(..)) => {
                counters.add(|traffic| &mut traffic.blob_requests, 1);
                Ok(self.counted(self.forward(&parts, &route, body).await?, |traffic| &mut traffic.blob_bytes))
            }
            (&Method::PUT, Route::Manifest(repository, reference)) => {
                let content = api::manifest_content(body).await?;
                self.places.note(&self.places.of(&repository), Digest::of(&content));
                let route = Route::Manifest(repository, reference);
                let answer = self.forward(&parts, &route, Body::from(content)).await?;
                if answer.status().is_success() {
                    counters.add(|traffic| &mut traffic.manifests_received, 1);
                }
                Ok(answer)
            }
            (&Method::POST, route @ Route::Uploads(_))
            | (&Method::PATCH | &Method::PUT | &Method::DELETE, route @ Route::Upload(..)) => {
                let received = Counted::new(body, counters, |traffic| &mut traffic.blob_bytes_received);
                self.forward(&parts, &route, Body::new(received)).await
            }
            _ => Err(Error::NoSuchMethod { method: parts.method.to_string(), path: parts.uri.path().to_owned() }),
        }
    }

    /// Counts what is sent on; a text that tells of an error is not what was asked for.
    fn counted(&self, answer: Response, counter: Counter) -> Response {
        if !answer.status().is_success() {
            return answer;
        }
        answer.map(|body| Body::new(Counted::new(body, &self.counters, counter)))
    }

    async fn forward(&self, parts: &Parts, route: &Route, body: Body) -> Result<Response, Error> {
        let place = route.repository().map(|repository| self.places.of(repository)).unwrap_or_default();
        let path = format!("{}{}", route.path(&place), self.query(route, &parts.uri)?);
        let sent = self.requests.send(parts.method.clone(), &path, of_the_message(&parts.headers), body).await?;
        let location = match (location(sent.headers()), route.repository()) {
            (Some(location), Some(repository)) => Some(self.location_here(location, repository, &place)?),
            _ => None,
        };
        let (mut parts, body) = sent.into_parts();
        parts.headers = of_the_message(&parts.headers);
        if let Some(location) = location {
            parts.headers.insert(LOCATION, location);
        }
        Ok(Response::from_parts(parts, Body::new(body)))
    }

    /// The query as the other registry takes it: a blob can be mounted from a repository that stands elsewhere there.
    fn query(&self, route: &Route, uri: &Uri) -> Result<String, Error> {
        let Some(text) = uri.query() else { return Ok(String::new()) };
        if let (Route::Uploads(_), Some((digest, from))) = (route, api::query(uri)?.mount()?) {
            return Ok(format!("?mount={digest}&from={}", self.places.of(&from)));
        }
        Ok(format!("?{text}"))
    }

    /// A place in a repository of the other registry, as docker finds it here.
    fn location_here(&self, location: &str, repository: &Repository, place: &str) -> Result<HeaderValue, Error> {
        let local = self.requests.local(location)?;
        let rest = local.strip_prefix("/v2/").and_then(|rest| rest.strip_prefix(place)?.strip_prefix('/'));
        let rest = rest.ok_or_else(|| self.requests.elsewhere(location))?;
        HeaderValue::try_from(format!("/v2/{repository}/{rest}")).map_err(|error| Error::Internal(error.to_string()))
    }
}

fn of_the_message(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in &OF_A_CONNECTION {
        headers.remove(name);
    }
    headers
}
