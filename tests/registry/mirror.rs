//! A mirror before a registry: what was pulled once is pulled from it, and a tag that moves is followed.

use dindbench::registry::{self, Digest, Mirror, Registry};
use hyper::StatusCode;
use tokio::net::{TcpListener, UnixListener};

use crate::client::{Client, large};
use crate::listen;

struct Mirrored {
    folder: tempfile::TempDir,
    origin: Registry,
    /// A client of the registry itself, and one of the mirror.
    at_origin: Client,
    client: Client,
}

async fn mirrored() -> Mirrored {
    let folder = tempfile::tempdir().unwrap();
    let origin = Registry::open(folder.path().join("origin"), None).unwrap();
    let at_origin = listen(&folder.path().join("origin-api"), &origin).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let router = origin.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mirror = Mirror::open(folder.path().join("mirror"), address).unwrap();
    let socket = folder.path().join("mirror-api");
    tokio::spawn(registry::serve(UnixListener::bind(&socket).unwrap(), mirror.router()));
    let client = Client::unix(&socket).await;
    Mirrored { folder, origin, at_origin, client }
}

impl Mirrored {
    fn blob_bytes(&self) -> u64 {
        self.origin.snapshot().traffic.blob_bytes
    }

    async fn blob(&mut self, digest: Digest) -> StatusCode {
        self.client.get(&format!("/v2/team/app/blobs/{digest}")).await.status
    }
}

#[tokio::test]
async fn a_blob_is_asked_of_the_registry_once() {
    let mut mirrored = mirrored().await;
    let layer = large();
    mirrored.at_origin.push_image("team/app", "v1", &layer).await;
    let digest = Digest::of(&layer);
    for _ in 0..3 {
        let answer = mirrored.client.get(&format!("/v2/team/app/blobs/{digest}")).await;
        assert_eq!((answer.status, answer.body.as_ref()), (StatusCode::OK, layer.as_slice()));
        assert_eq!(mirrored.blob_bytes(), layer.len() as u64);
    }
}

#[tokio::test]
async fn a_tag_that_moves_is_followed() {
    let mut mirrored = mirrored().await;
    for layer in [b"one".as_slice(), b"two"] {
        let (digest, _) = mirrored.at_origin.push_image("team/app", "v1", layer).await;
        let answer = mirrored.client.get("/v2/team/app/manifests/v1").await;
        assert_eq!((answer.status, answer.digest()), (StatusCode::OK, digest.to_string().as_str()));
    }
}

#[tokio::test]
async fn what_the_registry_has_not_is_told_in_its_words_and_asked_again() {
    let mut mirrored = mirrored().await;
    let digest = Digest::of(b"later");
    assert_eq!(mirrored.blob(digest).await, StatusCode::NOT_FOUND);
    mirrored.at_origin.push_image("team/app", "v1", b"later").await;
    assert_eq!(mirrored.blob(digest).await, StatusCode::OK);
}

#[tokio::test]
async fn what_is_pushed_goes_to_the_registry() {
    let mut mirrored = mirrored().await;
    let (digest, _) = mirrored.client.push_image("team/app", "v1", b"mine").await;
    let answer = mirrored.at_origin.get("/v2/team/app/manifests/v1").await;
    assert_eq!((answer.status, answer.digest()), (StatusCode::OK, digest.to_string().as_str()));
}

#[tokio::test]
async fn a_blob_that_arrives_damaged_is_neither_kept_nor_passed_on() {
    let mut mirrored = mirrored().await;
    mirrored.at_origin.push_image("team/app", "v1", b"whole").await;
    let digest = Digest::of(b"whole");
    let file = mirrored.folder.path().join("origin/blobs/sha256").join(digest.hex());
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, b"wrong").unwrap();
    assert!(!mirrored.blob(digest).await.is_success());
    std::fs::write(&file, whole).unwrap();
    assert_eq!(mirrored.blob(digest).await, StatusCode::OK);
}
