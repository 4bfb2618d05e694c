//! The part of the OCI distribution API that docker uses to pull and to push.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::Shared;
use super::counters::{Counted, Counter};
use super::digest::Digest;
use super::error::Error;
use super::name::{Reference, Repository};
use super::range;
use super::route::Route;
use super::store::{Blob, Store, StoredManifest, Upload};
use super::uploads;

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// Read at once from a blob's file.
const CHUNK: usize = 128 * 1024;
/// The distribution specification asks for at least 4 MiB.
const LARGEST_MANIFEST: usize = 4 << 20;

#[derive(Deserialize)]
pub(super) struct UploadQuery {
    digest: Option<String>,
    mount: Option<String>,
    from: Option<String>,
}

impl UploadQuery {
    /// The blob that is to be mounted, and the repository that has it.
    pub fn mount(&self) -> Result<Option<(Digest, Repository)>, Error> {
        match (&self.mount, &self.from) {
            (Some(digest), Some(from)) => Ok(Some((digest.parse()?, from.parse()?))),
            _ => Ok(None),
        }
    }
}

/// Answers any request of the API, and counts it.
pub async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    shared.counters.add(|traffic| &mut traffic.requests, 1);
    let method = request.method().clone();
    let mut response = answer(&shared, request).await.unwrap_or_else(Error::into_response);
    response.headers_mut().insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    shared.counters.answered(&method, response.status());
    response
}

async fn answer(shared: &Arc<Shared>, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    match (&parts.method, Route::parse(parts.uri.path())?) {
        (&Method::GET | &Method::HEAD, Route::Base) => Ok(json("{}".to_owned())),
        (&Method::GET, Route::Tags(repository)) => tags(shared, repository).await,
        (&Method::GET | &Method::HEAD, Route::Manifest(repository, reference)) => {
            shared.counters.add(|traffic| &mut traffic.manifest_requests, 1);
            let stored = blocking(shared, move |store| store.manifest(&repository, &reference)).await?;
            Ok(counted(shared, manifest(stored), |traffic| &mut traffic.manifest_bytes))
        }
        (&Method::PUT, Route::Manifest(repository, reference)) => {
            put_manifest(shared, repository, reference, &parts.headers, body).await
        }
        (&Method::GET | &Method::HEAD, Route::Blob(repository, digest)) => {
            shared.counters.add(|traffic| &mut traffic.blob_requests, 1);
            let stored = blocking(shared, move |store| store.blob(&repository, digest)).await?;
            Ok(counted(shared, blob(stored, digest, &parts.headers)?, |traffic| &mut traffic.blob_bytes))
        }
        (&Method::POST, Route::Uploads(repository)) => begin(shared, repository, &parts.uri, body).await,
        (&Method::PATCH, Route::Upload(repository, id)) => {
            let upload = receive(shared, &repository, &id, &parts.headers, body).await?;
            let response = accepted(&repository, &id, upload.bytes());
            shared.uploads.hold(&repository, &id, upload);
            Ok(response)
        }
        (&Method::PUT, Route::Upload(repository, id)) => {
            let said = query(&parts.uri)?.digest.unwrap_or_default().parse()?;
            let upload = receive(shared, &repository, &id, &parts.headers, body).await?;
            commit(shared, repository, upload, said).await
        }
        (&Method::DELETE, Route::Upload(repository, id)) => {
            shared.uploads.take(&repository, &id)?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        _ => Err(Error::NoSuchMethod { method: parts.method.to_string(), path: parts.uri.path().to_owned() }),
    }
}

fn counted(shared: &Shared, response: Response, counter: Counter) -> Response {
    response.map(|body| Body::new(Counted::new(body, &shared.counters, counter)))
}

fn json(text: String) -> Response {
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

async fn tags(shared: &Arc<Shared>, repository: Repository) -> Result<Response, Error> {
    let name = repository.to_string();
    let tags = blocking(shared, move |store| store.tags(&repository)).await?;
    Ok(json(serde_json::json!({ "name": name, "tags": tags }).to_string()))
}

fn manifest(stored: StoredManifest) -> Response {
    let headers = [
        (CONTENT_TYPE, stored.media_type.text().to_owned()),
        (CONTENT_DIGEST, stored.digest.to_string()),
        (CONTENT_LENGTH, stored.content.len().to_string()),
    ];
    (headers, stored.content).into_response()
}

async fn put_manifest(
    shared: &Arc<Shared>,
    repository: Repository,
    reference: Reference,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    let media_type = text(headers, &CONTENT_TYPE).unwrap_or_default().to_owned();
    let content = manifest_content(body).await?;
    let name = repository.clone();
    let digest =
        blocking(shared, move |store| store.put_manifest(&repository, &reference, &media_type, &content)).await?;
    shared.counters.add(|traffic| &mut traffic.manifests_received, 1);
    Ok(created(format!("/v2/{name}/manifests/{digest}"), digest))
}

pub(super) async fn manifest_content(body: Body) -> Result<Bytes, Error> {
    axum::body::to_bytes(body, LARGEST_MANIFEST).await.map_err(|error| {
        Error::ManifestInvalid(format!("it did not arrive whole, or is larger than {LARGEST_MANIFEST} bytes: {error}"))
    })
}

fn blob(stored: Blob, digest: Digest, headers: &HeaderMap) -> Result<Response, Error> {
    let range = range::parse(text(headers, &RANGE), stored.bytes)?;
    let (first, length, status) = match &range {
        Some(part) => (*part.start(), part.end() - part.start() + 1, StatusCode::PARTIAL_CONTENT),
        None => (0, stored.bytes, StatusCode::OK),
    };
    let always = [
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_DIGEST, digest.to_string()),
        (CONTENT_LENGTH, length.to_string()),
        (ACCEPT_RANGES, "bytes".to_owned()),
    ];
    let part = range.map(|part| [(CONTENT_RANGE, format!("bytes {}-{}/{}", part.start(), part.end(), stored.bytes))]);
    Ok((status, always, part, blob_body(stored, first, length)?).into_response())
}

/// A part of a blob, read as it is sent.
pub(super) fn blob_body(mut stored: Blob, first: u64, length: u64) -> Result<Body, Error> {
    std::io::Seek::seek(&mut stored.file, std::io::SeekFrom::Start(first)).map_err(Error::io("seek in", "a blob"))?;
    let mut file = tokio::fs::File::from_std(stored.file);
    file.set_max_buf_size(CHUNK);
    Ok(Body::from_stream(ReaderStream::with_capacity(file.take(length), CHUNK)))
}

/// Begins an upload, or does a whole one, or does without: where another repository has the blob, it is mounted.
async fn begin(shared: &Arc<Shared>, repository: Repository, uri: &Uri, body: Body) -> Result<Response, Error> {
    let query = query(uri)?;
    if let Some((digest, from)) = query.mount()? {
        let to = repository.clone();
        if blocking(shared, move |store| store.mount(&from, digest, &to)).await? {
            return Ok(created(format!("/v2/{repository}/blobs/{digest}"), digest));
        }
    }
    let said = query.digest.map(|digest| digest.parse::<Digest>()).transpose()?;
    let upload = blocking(shared, Store::upload).await?;
    match said {
        Some(said) => {
            let upload = uploads::append(upload, body, &shared.counters).await?;
            commit(shared, repository, upload, said).await
        }
        None => {
            let id = shared.uploads.begin(&repository, upload);
            Ok(accepted(&repository, &id, 0))
        }
    }
}

/// Appends a request's body to its upload, which must have just the bytes before it.
async fn receive(
    shared: &Arc<Shared>,
    repository: &Repository,
    id: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Upload, Error> {
    let upload = shared.uploads.take(repository, id)?;
    let begins = text(headers, &CONTENT_RANGE).and_then(|range| range.split_once('-')?.0.parse::<u64>().ok());
    let have = upload.bytes();
    if let Some(begins) = begins.filter(|begins| *begins != have) {
        shared.uploads.hold(repository, id, upload);
        return Err(Error::UploadOutOfOrder { have, begins });
    }
    uploads::append(upload, body, &shared.counters).await
}

async fn commit(shared: &Arc<Shared>, repository: Repository, upload: Upload, said: Digest) -> Result<Response, Error> {
    let name = repository.clone();
    let digest = blocking(shared, move |store| store.commit(&repository, upload, Some(said))).await?;
    Ok(created(format!("/v2/{name}/blobs/{digest}"), digest))
}

fn created(location: String, digest: Digest) -> Response {
    (StatusCode::CREATED, [(LOCATION, location), (CONTENT_DIGEST, digest.to_string())]).into_response()
}

/// An upload goes on. `have` is in bytes; the header names the last one, and 0-0 also stands for none.
fn accepted(repository: &Repository, id: &str, have: u64) -> Response {
    let headers = [
        (LOCATION, format!("/v2/{repository}/blobs/uploads/{id}")),
        (RANGE, format!("0-{}", have.saturating_sub(1))),
        (UPLOAD_ID, id.to_owned()),
    ];
    (StatusCode::ACCEPTED, headers).into_response()
}

pub(super) fn query(uri: &Uri) -> Result<UploadQuery, Error> {
    let Query(query) = Query::try_from_uri(uri).map_err(|error| Error::UploadInvalid(error.to_string()))?;
    Ok(query)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Work on the store, away from the threads that serve connections.
pub(super) async fn blocking<T: Send + 'static>(
    shared: &Arc<Shared>,
    work: impl FnOnce(&Store) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let shared = Arc::clone(shared);
    let task = tokio::task::spawn_blocking(move || work(&shared.store));
    task.await.map_err(|error| Error::Internal(error.to_string()))?
}
