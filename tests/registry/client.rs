//! A client of registries: real HTTP over a unix socket.

use std::path::Path;

use dindbench::registry::{Digest, MediaType};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HeaderName, LOCATION, RANGE};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::UnixStream;

pub type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error>;

pub struct Client(SendRequest<Body>);

pub struct Answer {
    pub status: StatusCode,
    pub headers: hyper::HeaderMap,
    pub body: Bytes,
}

impl Client {
    pub async fn unix(socket: &Path) -> Self {
        let (sender, connection) = handshake(TokioIo::new(UnixStream::connect(socket).await.unwrap())).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    pub async fn start(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: Body,
    ) -> Response<Incoming> {
        let mut request = Request::builder().method(method).uri(path).header("host", "registry");
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        self.0.ready().await.unwrap();
        self.0.send_request(request.body(body).unwrap()).await.unwrap()
    }

    pub async fn send(&mut self, method: Method, path: &str, headers: &[(HeaderName, &str)], body: Body) -> Answer {
        let (parts, body) = self.start(method, path, headers, body).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], whole(b"")).await
    }

    pub async fn head(&mut self, path: &str) -> Answer {
        self.send(Method::HEAD, path, &[], whole(b"")).await
    }

    /// As docker pushes: begin, send in chunks of unknown total length, end.
    pub async fn push_blob(&mut self, repository: &str, content: &[u8]) -> Digest {
        let digest = Digest::of(content);
        let begun = self.send(Method::POST, &format!("/v2/{repository}/blobs/uploads/"), &[], whole(b"")).await;
        assert_eq!(begun.status, StatusCode::ACCEPTED);
        let sent = self.send(Method::PATCH, begun.header(&LOCATION), &[], chunked(content)).await;
        assert_eq!(sent.status, StatusCode::ACCEPTED);
        assert_eq!(sent.header(&RANGE), format!("0-{}", content.len().saturating_sub(1)));
        let escaped = digest.to_string().replace(':', "%3A");
        let ended =
            self.send(Method::PUT, &format!("{}?digest={escaped}", sent.header(&LOCATION)), &[], whole(b"")).await;
        assert_eq!(ended.status, StatusCode::CREATED);
        assert_eq!(ended.header(&LOCATION), format!("/v2/{repository}/blobs/{digest}"));
        digest
    }

    pub async fn push_manifest(&mut self, repository: &str, reference: &str, manifest: &Value) -> Answer {
        let headers = [(CONTENT_TYPE, MediaType::DockerImage.text())];
        let body = whole(manifest.to_string().as_bytes());
        self.send(Method::PUT, &format!("/v2/{repository}/manifests/{reference}"), &headers, body).await
    }

    /// An image of one layer under a tag.
    pub async fn push_image(&mut self, repository: &str, tag: &str, layer: &[u8]) -> (Digest, Value) {
        self.push_blob(repository, CONFIG).await;
        self.push_blob(repository, layer).await;
        let manifest = image(layer);
        let answer = self.push_manifest(repository, tag, &manifest).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{:?}", answer.body);
        (Digest::of(manifest.to_string().as_bytes()), manifest)
    }
}

impl Answer {
    pub fn header(&self, name: &HeaderName) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }

    pub fn digest(&self) -> &str {
        self.header(&HeaderName::from_static("docker-content-digest"))
    }

    pub fn code(&self) -> (u16, String) {
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        assert!(!body["errors"][0]["message"].as_str().unwrap().is_empty());
        (self.status.as_u16(), body["errors"][0]["code"].as_str().unwrap().to_owned())
    }
}

pub const CONFIG: &[u8] = b"{}";

pub fn image(layer: &[u8]) -> Value {
    let descriptor = |content: &[u8]| {
        let digest = Digest::of(content).to_string();
        json!({ "mediaType": "any/thing", "size": content.len(), "digest": digest })
    };
    json!({
        "schemaVersion": 2, "mediaType": MediaType::DockerImage.text(),
        "config": descriptor(CONFIG), "layers": [descriptor(layer)],
    })
}

pub fn whole(content: &[u8]) -> Body {
    Full::new(Bytes::copy_from_slice(content)).map_err(|never| match never {}).boxed_unsync()
}

pub fn chunked(content: &[u8]) -> Body {
    let chunks: Vec<_> = content.chunks(10_000).map(|chunk| Ok(Frame::data(Bytes::copy_from_slice(chunk)))).collect();
    StreamBody::new(futures_util::stream::iter(chunks)).boxed_unsync()
}

/// Larger than all buffers of a connection, and of no short period.
pub fn large() -> Vec<u8> {
    (0..3_000_000u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}
