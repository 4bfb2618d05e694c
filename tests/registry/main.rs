//! The registry as a client sees it: real HTTP over a unix socket.

mod client;
mod mirror;
mod relay;

use std::path::{Path, PathBuf};

use client::{CONFIG, Client, image, large, whole};
use dindbench::registry::{self, Digest, MediaType, Registry, Snapshot, Traffic};
use http_body_util::BodyExt;
use hyper::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};

struct Served {
    folder: tempfile::TempDir,
    registry: Registry,
    client: Client,
}

async fn served() -> Served {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::open(folder.path().join("store"), None).unwrap();
    let client = listen(&folder.path().join("api"), &registry).await;
    Served { folder, registry, client }
}

async fn listen(socket: &Path, registry: &Registry) -> Client {
    let listener = UnixListener::bind(socket).unwrap();
    tokio::spawn(registry::serve(listener, registry.router()));
    Client::unix(socket).await
}

impl Served {
    fn snapshot(&self) -> Snapshot {
        self.registry.snapshot()
    }

    fn blob_file(&self, digest: Digest) -> PathBuf {
        self.folder.path().join("store/blobs/sha256").join(digest.hex())
    }

    /// Whether the server, which is in this process, holds a blob's file open: it does so for as long as it sends it.
    fn sends(&self, digest: Digest) -> bool {
        let file = self.blob_file(digest).canonicalize().unwrap();
        let mut open = std::fs::read_dir("/proc/self/fd").unwrap();
        open.any(|entry| std::fs::read_link(entry.unwrap().path()).is_ok_and(|path| path == file))
    }
}

#[tokio::test]
async fn what_is_pushed_can_be_pulled_and_every_byte_is_counted() {
    let mut served = served().await;
    let layer = large();
    let before = served.snapshot();
    assert_eq!(served.client.get("/v2/").await.status, StatusCode::OK);
    let (digest, manifest) = served.client.push_image("team/app", "v1", &layer).await;
    let pushed = served.snapshot();
    let text = manifest.to_string();
    let expected = Traffic {
        requests: 1 + 3 + 3 + 1,
        blob_bytes_received: (CONFIG.len() + layer.len()) as u64,
        manifests_received: 1,
        ..Traffic::default()
    };
    assert_eq!(pushed.since(&before), Some(expected));

    let head = served.client.head("/v2/team/app/manifests/v1").await;
    assert_eq!((head.status, head.digest()), (StatusCode::OK, digest.to_string().as_str()));
    assert_eq!(head.header(&CONTENT_LENGTH), text.len().to_string());
    let by_tag = served.client.get("/v2/team/app/manifests/v1").await;
    let by_digest = served.client.get(&format!("/v2/team/app/manifests/{digest}")).await;
    for answer in [&by_tag, &by_digest] {
        assert_eq!(answer.body, text.as_bytes());
        assert_eq!(answer.header(&CONTENT_TYPE), MediaType::DockerImage.text());
    }
    let path = format!("/v2/team/app/blobs/{}", Digest::of(&layer));
    let head = served.client.head(&path).await;
    assert_eq!((head.status, head.header(&CONTENT_LENGTH)), (StatusCode::OK, layer.len().to_string().as_str()));
    let got = served.client.get(&path).await;
    assert!(got.body == layer);
    assert_eq!(got.header(&CONTENT_LENGTH), layer.len().to_string());

    let pulled = served.snapshot().since(&pushed).unwrap();
    let expected = Traffic {
        requests: 5,
        manifest_requests: 3,
        manifest_bytes: 2 * text.len() as u64,
        blob_requests: 2,
        blob_bytes: layer.len() as u64,
        ..Traffic::default()
    };
    assert_eq!(pulled, expected);
    let tags = served.client.get("/v2/team/app/tags/list").await;
    assert_eq!(serde_json::from_slice::<Value>(&tags.body).unwrap(), json!({ "name": "team/app", "tags": ["v1"] }));
}

#[tokio::test]
async fn a_transfer_that_is_broken_off_counts_only_what_left() {
    let mut served = served().await;
    let layer = large();
    let digest = served.client.push_blob("app", &layer).await;
    let before = served.snapshot();
    let mut client = Client::unix(&served.folder.path().join("api")).await;
    let mut response = client.start(Method::GET, &format!("/v2/app/blobs/{digest}"), &[], whole(b"")).await;
    let first = response.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(served.sends(digest));
    drop((response, client));

    while served.sends(digest) {
        tokio::task::yield_now().await;
    }
    let traffic = served.snapshot().since(&before).unwrap();
    assert!((first.len() as u64..layer.len() as u64 / 2).contains(&traffic.blob_bytes), "{}", traffic.blob_bytes);
}

#[tokio::test]
async fn ranges_serve_parts() {
    let mut served = served().await;
    let digest = served.client.push_blob("app", b"0123456789").await;
    let path = format!("/v2/app/blobs/{digest}");
    for (range, body, content_range) in [
        ("bytes=2-4", &b"234"[..], "bytes 2-4/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-1", b"9", "bytes 9-9/10"),
    ] {
        let answer = served.client.send(Method::GET, &path, &[(RANGE, range)], whole(b"")).await;
        assert_eq!((answer.status, &answer.body[..]), (StatusCode::PARTIAL_CONTENT, body));
        assert_eq!(answer.header(&CONTENT_RANGE), content_range);
    }
    let outside = served.client.send(Method::GET, &path, &[(RANGE, "bytes=10-")], whole(b"")).await;
    assert_eq!((outside.status, outside.header(&CONTENT_RANGE)), (StatusCode::RANGE_NOT_SATISFIABLE, "bytes */10"));
    assert_eq!(served.snapshot().traffic.blob_bytes, 3 + 3 + 1);
}

#[tokio::test]
async fn a_wrong_digest_is_refused_and_stores_nothing() {
    let mut served = served().await;
    let (right, wrong) = (Digest::of(b"content"), Digest::of(b"other"));
    let uploads = "/v2/app/blobs/uploads/";
    let refused = served.client.send(Method::POST, &format!("{uploads}?digest={wrong}"), &[], whole(b"content")).await;
    assert_eq!(refused.code(), (400, "DIGEST_INVALID".into()));
    for digest in [right, wrong] {
        assert_eq!(served.client.head(&format!("/v2/app/blobs/{digest}")).await.status, StatusCode::NOT_FOUND);
        assert!(!served.blob_file(digest).exists());
    }
    let whole_at_once =
        served.client.send(Method::POST, &format!("{uploads}?digest={right}"), &[], whole(b"content")).await;
    assert_eq!(whole_at_once.status, StatusCode::CREATED);
    assert_eq!(served.client.get(&format!("/v2/app/blobs/{right}")).await.body, &b"content"[..]);
    assert_eq!(served.snapshot().traffic.errors, 1, "a HEAD that finds nothing is no error");
}

#[tokio::test]
async fn an_upload_in_parts_must_be_in_order() {
    let mut served = served().await;
    let begun = served.client.send(Method::POST, "/v2/app/blobs/uploads/", &[], whole(b"")).await;
    let location = begun.header(&LOCATION).to_owned();
    let mut part = async |method: Method, query: &str, range: &str, content: &'static [u8]| {
        served.client.send(method, &format!("{location}{query}"), &[(CONTENT_RANGE, range)], whole(content)).await
    };
    assert_eq!(part(Method::PATCH, "", "0-2", b"abc").await.status, StatusCode::ACCEPTED);
    let gap = part(Method::PATCH, "", "5-6", b"fg").await;
    assert_eq!(gap.code(), (416, "BLOB_UPLOAD_INVALID".into()));
    assert_eq!(part(Method::PATCH, "", "3-4", b"de").await.header(&RANGE), "0-4");
    let query = format!("?digest={}", Digest::of(b"abcdefg"));
    assert_eq!(part(Method::PUT, &query, "5-6", b"fg").await.status, StatusCode::CREATED);
    let again = part(Method::PUT, &query, "0-0", b"").await;
    assert_eq!(again.code(), (404, "BLOB_UPLOAD_UNKNOWN".into()));
}

#[tokio::test]
async fn an_upload_can_be_cancelled_and_belongs_to_its_repository() {
    let mut served = served().await;
    let begun = served.client.send(Method::POST, "/v2/app/blobs/uploads/", &[], whole(b"")).await;
    let location = begun.header(&LOCATION).to_owned();
    let elsewhere = location.replace("/app/", "/other/");
    let stolen = served.client.send(Method::PATCH, &elsewhere, &[], whole(b"x")).await;
    assert_eq!(stolen.code(), (404, "BLOB_UPLOAD_UNKNOWN".into()));
    let cancelled = served.client.send(Method::DELETE, &location, &[], whole(b"")).await;
    assert_eq!(cancelled.status, StatusCode::NO_CONTENT);
    let gone = served.client.send(Method::PATCH, &location, &[], whole(b"x")).await;
    assert_eq!(gone.code(), (404, "BLOB_UPLOAD_UNKNOWN".into()));
    assert_eq!(std::fs::read_dir(served.folder.path().join("store/uploads")).unwrap().count(), 0);
}

#[tokio::test]
async fn an_upload_that_a_client_breaks_off_leaves_nothing() {
    let mut served = served().await;
    let begun = served.client.send(Method::POST, "/v2/app/blobs/uploads/", &[], whole(b"")).await;
    let location = begun.header(&LOCATION).to_owned();
    let mut stream = UnixStream::connect(served.folder.path().join("api")).await.unwrap();
    let request = format!("PATCH {location} HTTP/1.1\r\nhost: registry\r\ncontent-length: 100\r\n\r\nhalf");
    stream.write_all(request.as_bytes()).await.unwrap();
    drop(stream);

    while std::fs::read_dir(served.folder.path().join("store/uploads")).unwrap().count() > 0 {
        tokio::task::yield_now().await;
    }
    let after = served.client.send(Method::PATCH, &location, &[], whole(b"x")).await;
    assert_eq!(after.code(), (404, "BLOB_UPLOAD_UNKNOWN".into()));
}

#[tokio::test]
async fn a_blob_of_another_repository_is_mounted_and_moves_nothing() {
    let mut served = served().await;
    let digest = served.client.push_blob("one", b"content").await;
    let mount = format!("/v2/two/blobs/uploads/?mount={digest}&from=one");
    let before = served.snapshot();
    let answer = served.client.send(Method::POST, &mount, &[], whole(b"")).await;
    assert_eq!(
        (answer.status, answer.header(&LOCATION)),
        (StatusCode::CREATED, format!("/v2/two/blobs/{digest}").as_str())
    );
    assert_eq!(served.client.head(&format!("/v2/two/blobs/{digest}")).await.status, StatusCode::OK);
    assert_eq!(served.snapshot().since(&before).map(|traffic| traffic.blob_bytes_received), Some(0));

    let unknown = mount.replace("from=one", "from=none");
    let answer = served.client.send(Method::POST, &unknown.replace("/two/", "/three/"), &[], whole(b"")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "what that repository has not is uploaded");
    let wrong = served.client.send(Method::POST, &mount.replace("sha256", "md5"), &[], whole(b"")).await;
    assert_eq!(wrong.code(), (400, "DIGEST_INVALID".into()));
}

#[tokio::test]
async fn errors_have_the_codes_that_clients_know() {
    let mut served = served().await;
    served.client.push_image("app", "v1", b"layer").await;
    let missing = Digest::of(b"missing");
    for (path, status, code) in [
        ("/v2/none/manifests/v1".to_owned(), 404, "NAME_UNKNOWN"),
        ("/v2/none/tags/list".to_owned(), 404, "NAME_UNKNOWN"),
        ("/v2/app/manifests/v2".to_owned(), 404, "MANIFEST_UNKNOWN"),
        (format!("/v2/app/manifests/{missing}"), 404, "MANIFEST_UNKNOWN"),
        (format!("/v2/app/blobs/{missing}"), 404, "BLOB_UNKNOWN"),
        ("/v2/app/blobs/sha256:short".to_owned(), 400, "DIGEST_INVALID"),
        ("/v2/App/manifests/v1".to_owned(), 400, "NAME_INVALID"),
        ("/v2/app/../../../etc/manifests/passwd".to_owned(), 400, "NAME_INVALID"),
        ("/v2/_catalog".to_owned(), 404, "UNSUPPORTED"),
    ] {
        assert_eq!(served.client.get(&path).await.code(), (status, code.to_owned()), "{path}");
    }
    let delete = served.client.send(Method::DELETE, "/v2/app/manifests/v1", &[], whole(b"")).await;
    assert_eq!(delete.code(), (405, "UNSUPPORTED".into()));
    let dangling = served.client.push_manifest("app", "v2", &image(b"never pushed")).await;
    assert_eq!(dangling.code(), (400, "MANIFEST_BLOB_UNKNOWN".into()));
    let nonsense = served.client.push_manifest("app", "v2", &json!({ "schemaVersion": 2 })).await;
    assert_eq!(nonsense.code(), (400, "MANIFEST_INVALID".into()));
    let misnamed = served.client.push_manifest("app", &missing.to_string(), &image(b"layer")).await;
    assert_eq!(misnamed.code(), (400, "DIGEST_INVALID".into()));
    let tags = served.client.get("/v2/app/tags/list").await;
    assert_eq!(serde_json::from_slice::<Value>(&tags.body).unwrap()["tags"], json!(["v1"]));
}

#[tokio::test]
async fn a_blob_that_was_changed_on_disk_is_never_served() {
    let mut served = served().await;
    let digest = served.client.push_blob("app", b"content").await;
    std::fs::write(served.blob_file(digest), b"changed").unwrap();
    let answer = served.client.get(&format!("/v2/app/blobs/{digest}")).await;
    assert_eq!(answer.code(), (500, "UNKNOWN".into()));
    assert_eq!(served.client.head(&format!("/v2/app/blobs/{digest}")).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    let traffic = served.snapshot().traffic;
    assert_eq!((traffic.blob_bytes, traffic.errors), (0, 2));
}

#[tokio::test]
async fn a_registry_opened_again_has_its_images_and_another_identity() {
    let mut served = served().await;
    let (digest, manifest) = served.client.push_image("app", "v1", b"layer").await;
    let before = served.snapshot();

    let again = Registry::open(served.folder.path().join("store"), None).unwrap();
    let mut client = listen(&served.folder.path().join("again"), &again).await;
    let answer = client.get("/v2/app/manifests/v1").await;
    assert_eq!((answer.digest(), &answer.body[..]), (digest.to_string().as_str(), manifest.to_string().as_bytes()));
    assert_eq!(client.get(&format!("/v2/app/blobs/{}", Digest::of(b"layer"))).await.body, &b"layer"[..]);

    assert_eq!(again.snapshot().since(&before), None);
}
