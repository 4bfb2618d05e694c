//! The harness's side of a registry, on a listener of its own: an engine under test can neither read nor change it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use super::api::blocking;
use super::error::Error;
use super::name::{Reference, Repository, Tag};
use super::{FIXTURES, Shared};

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    since: u64,
}

#[derive(Deserialize)]
struct To {
    to: String,
}

/// Below `/_dindbench/`: `GET counters`, `GET log?since=SEQ`, `GET fixtures`, and, to move a tag,
/// `POST tags/REPOSITORY:TAG?to=TAG-OR-DIGEST`.
pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/_dindbench/counters", get(counters))
        .route("/_dindbench/log", get(log))
        .route("/_dindbench/fixtures", get(fixtures))
        .route("/_dindbench/tags/{*name}", post(move_tag))
        .with_state(shared)
}

async fn counters(State(shared): State<Arc<Shared>>) -> Result<Response, Error> {
    json(&shared.counters.snapshot())
}

async fn log(State(shared): State<Arc<Shared>>, Query(Since { since }): Query<Since>) -> Result<Response, Error> {
    json(&shared.counters.log(since))
}

/// What the fixture generator wrote beside the store.
async fn fixtures(State(shared): State<Arc<Shared>>) -> Result<Response, Error> {
    let text = blocking(&shared, |store| {
        let path = store.dir().join(FIXTURES);
        std::fs::read(&path).map_err(Error::io("read", path))
    });
    Ok(([(CONTENT_TYPE, "application/json")], text.await?).into_response())
}

async fn move_tag(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    Query(To { to }): Query<To>,
) -> Result<Response, Error> {
    let (repository, tag) = name.split_once(':').ok_or_else(|| Error::TagInvalid(name.clone()))?;
    let (repository, tag, to) = (repository.parse::<Repository>()?, tag.parse::<Tag>()?, to.parse::<Reference>()?);
    let digest = blocking(&shared, move |store| {
        let digest = store.manifest(&repository, &to)?.digest;
        store.set_tag(&repository, &tag, digest)?;
        Ok(digest)
    });
    json(&serde_json::json!({ "digest": digest.await? }))
}

fn json(value: &impl Serialize) -> Result<Response, Error> {
    let text = serde_json::to_string(value).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(([(CONTENT_TYPE, "application/json")], text).into_response())
}
