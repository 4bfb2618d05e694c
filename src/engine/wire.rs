//! Requests whose answers are read as they were sent: what the client library decodes wrongly, or not to the last field.

use std::collections::BTreeMap;

use bollard::BollardRequest;
use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::{BodyDataStream, BodyExt};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HOST};
use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;

use super::error::chain;
use super::{Cause, Engine, EngineError, Patience, REQUEST_TIMEOUT, Verb};

/// A build as it is asked of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildRequest {
    /// Path of the Dockerfile within the context.
    pub file: String,
    pub tag: String,
    pub args: BTreeMap<String, String>,
    /// The stage to build; empty for the last.
    pub target: Option<String>,
    /// Images whose cache is imported.
    pub cache_from: Vec<String>,
    /// Whether BuildKit is asked for, instead of the classic builder.
    pub buildkit: bool,
}

impl Engine {
    /// The body of a GET's answer.
    pub(super) async fn get_json(&self, path: &str, verb: Verb) -> Result<String, EngineError> {
        self.body(hyper::Request::get(format!("http://engine{path}")), path, verb).await
    }

    /// The body of the answer to a POST without content.
    pub(super) async fn post_json(&self, path: &str, verb: Verb) -> Result<String, EngineError> {
        self.body(hyper::Request::post(format!("http://engine{path}")), path, verb).await
    }

    async fn body(
        &self,
        request: hyper::http::request::Builder,
        path: &str,
        verb: Verb,
    ) -> Result<String, EngineError> {
        let wrap = |cause| self.error(verb, path, cause);
        let request = request
            .header(HOST, "engine")
            .body(bollard::body_full(Bytes::new()))
            .map_err(|error| wrap(Cause::Connection(error.to_string())))?;
        let answer = tokio::time::timeout(REQUEST_TIMEOUT, self.answer(request));
        let body = answer.await.unwrap_or(Err(Cause::Timeout(REQUEST_TIMEOUT))).map_err(wrap)?;
        let text = tokio::time::timeout(REQUEST_TIMEOUT, text(body));
        text.await.unwrap_or(Err(Cause::Timeout(REQUEST_TIMEOUT))).map_err(wrap)
    }

    /// Pulls an image; each part of the engine's answer is handed on as it comes.
    pub async fn pull(&self, image: &str, each: impl FnMut(Bytes)) -> Result<(), EngineError> {
        let (name, tag) = name_and_tag(image);
        let query = Serializer::new(String::new()).append_pair("fromImage", name).append_pair("tag", tag).finish();
        let request = hyper::Request::post(format!("http://engine/images/create?{query}"));
        let request = request.header(HOST, "engine").body(bollard::body_full(Bytes::new()));
        self.stream(Verb::Pull, format!("image {image}"), request, each).await
    }

    /// Pulls an image that is no part of a job, in a chore's time.
    pub async fn provide(&self, image: &str) -> Result<(), EngineError> {
        let pulled = Patience::SILENT_CHORE.start().bound(self.pull(image, |_| {})).await;
        pulled.map_err(|cause| self.error(Verb::Pull, format!("image {image}"), cause))?
    }

    /// Pushes an image; each part of the engine's answer is handed on as it comes.
    pub async fn push(&self, image: &str, each: impl FnMut(Bytes)) -> Result<(), EngineError> {
        let (name, tag) = name_and_tag(image);
        let query = Serializer::new(String::new()).append_pair("tag", tag).finish();
        // The engine insists on credentials, be they empty.
        let request =
            hyper::Request::post(format!("http://engine/images/{name}/push?{query}")).header("X-Registry-Auth", "e30=");
        let request = request.header(HOST, "engine").body(bollard::body_full(Bytes::new()));
        self.stream(Verb::Push, format!("image {image}"), request, each).await
    }

    /// Builds from a packed context; each part of the engine's answer is handed on as it comes. There is no session: a
    /// context that is sent whole needs none, and neither does a registry without credentials.
    pub async fn build(
        &self,
        build: &BuildRequest,
        context: tokio::fs::File,
        each: impl FnMut(Bytes),
    ) -> Result<(), EngineError> {
        let args = serde_json::to_string(&build.args).expect("a map of texts is JSON");
        let cache_from = serde_json::to_string(&build.cache_from).expect("a list of texts is JSON");
        let query = Serializer::new(String::new())
            .append_pair("dockerfile", &build.file)
            .append_pair("t", &build.tag)
            .append_pair("buildargs", &args)
            .append_pair("cachefrom", &cache_from)
            .append_pair("target", build.target.as_deref().unwrap_or_default())
            // As the docker command asks for it.
            .append_pair("rm", "1")
            .append_pair("version", if build.buildkit { "2" } else { "1" })
            .finish();
        let request =
            hyper::Request::post(format!("http://engine/build?{query}")).header(CONTENT_TYPE, "application/x-tar");
        let request = request.header(HOST, "engine").body(bollard::body_try_stream(super::image::file_chunks(context)));
        self.stream(Verb::Build, format!("image {}", build.tag), request, each).await
    }

    async fn stream(
        &self,
        verb: Verb,
        object: String,
        request: Result<BollardRequest, hyper::http::Error>,
        mut each: impl FnMut(Bytes),
    ) -> Result<(), EngineError> {
        let wrap = |cause| self.error(verb, object.as_str(), cause);
        let request = request.map_err(|error| wrap(Cause::Connection(error.to_string())))?;
        let mut answer = BodyDataStream::new(self.answer(request).await.map_err(wrap)?);
        while let Some(chunk) = answer.next().await {
            each(chunk.map_err(|error| wrap(Cause::Connection(chain(&error))))?);
        }
        Ok(())
    }

    /// The body of an answer, where the engine does not refuse.
    async fn answer(&self, request: BollardRequest) -> Result<Incoming, Cause> {
        let response = (self.requests)(request).await.map_err(Cause::from)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response.into_body());
        }
        let message = text(response.into_body()).await?;
        Err(Cause::Refused { status: status.as_u16(), message })
    }
}

async fn text(body: Incoming) -> Result<String, Cause> {
    let body = body.collect().await.map_err(|error| Cause::Connection(chain(&error)))?;
    Ok(String::from_utf8_lossy(&body.to_bytes()).into_owned())
}

/// A colon before the last slash belongs to a port.
fn name_and_tag(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_no_tag() {
        assert_eq!(name_and_tag("127.0.0.1:5000/fixture:base"), ("127.0.0.1:5000/fixture", "base"));
        assert_eq!(name_and_tag("127.0.0.1:5000/fixture"), ("127.0.0.1:5000/fixture", "latest"));
        assert_eq!(name_and_tag("app"), ("app", "latest"));
    }
}
