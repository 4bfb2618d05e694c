//! The way to a registry that others run: the same answers and the same counts as without it, and nothing left there.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request as HttpRequest;
use axum::http::StatusCode as Status;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response as HttpResponse};
use dindbench::registry::{Digest, Reference, Registry, Reply, Repository, Request, Upstream};
use hyper::header::{CONTENT_LENGTH, HeaderName, LOCATION, RANGE};
use hyper::{Method, StatusCode};

use crate::client::{CONFIG, Client, image, large, whole};
use crate::listen;

/// A registry of our own in the place of one that others run, and the way to it.
struct Relayed {
    _folder: tempfile::TempDir,
    other: Arc<Registry>,
    relay: Registry,
    client: Client,
}

/// `around` changes what the other registry does.
async fn relayed(around: impl FnOnce(Router) -> Router) -> Relayed {
    let folder = tempfile::tempdir().unwrap();
    let other = Arc::new(Registry::open(folder.path().join("other"), None).unwrap());
    let upstream = format!("{}/mine", serve(around(other.router())).await).parse().unwrap();
    relay_to(folder, other, upstream).await
}

async fn relay_to(folder: tempfile::TempDir, other: Arc<Registry>, upstream: Upstream) -> Relayed {
    let relay = Registry::open(folder.path().join("store"), Some(upstream)).unwrap();
    let client = listen(&folder.path().join("api"), &relay).await;
    Relayed { _folder: folder, other, relay, client }
}

/// The address at which a router serves.
async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

impl Relayed {
    async fn ask(&self, request: Request) -> Reply {
        self.relay.answer(&request).await.unwrap_or_else(|error| panic!("{request:?}: {error}"))
    }

    /// Three tags of a repository of the store, two images, as the fixtures have them.
    async fn publish(&self) -> [Digest; 2] {
        let repository = repository("fixture");
        let images = [b"one", b"two"].map(|layer| {
            for content in [CONFIG, layer] {
                let mut upload = self.relay.store().upload().unwrap();
                std::io::Write::write_all(&mut upload, content).unwrap();
                self.relay.store().commit(&repository, upload, None).unwrap();
            }
            image(layer)
        });
        for (tag, image) in [("base", 0), ("original", 0), ("sibling", 1)] {
            let manifest = &images[image];
            let media_type = manifest["mediaType"].as_str().unwrap();
            let content = manifest.to_string();
            let tag = Reference::Tag(tag.parse().unwrap());
            self.relay.store().put_manifest(&repository, &tag, media_type, content.as_bytes()).unwrap();
        }
        self.relay.publish(&repository).await.unwrap();
        images.map(|image| Digest::of(image.to_string().as_bytes()))
    }

    /// What is said to exist under a tag.
    async fn tagged(&mut self, repository: &str, tag: &str) -> Option<String> {
        let answer = self.client.head(&format!("/v2/{repository}/manifests/{tag}")).await;
        (answer.status == StatusCode::OK).then(|| answer.digest().to_owned())
    }
}

fn repository(name: &str) -> Repository {
    name.parse().unwrap()
}

fn name(repository: &str, tag: &str, like: &str) -> Request {
    let [repository, tag, like] = [repository, tag, like].map(str::to_owned);
    Request::Name { repository, tag, like }
}

/// Deletes manifests, in name, and writes down which.
fn deleting(router: Router, deleted: Arc<Mutex<Vec<String>>>) -> Router {
    router.layer(middleware::from_fn(move |request: HttpRequest, next: Next| {
        let deleted = Arc::clone(&deleted);
        async move {
            if request.method() != Method::DELETE {
                return next.run(request).await;
            }
            deleted.lock().unwrap().push(request.uri().path().to_owned());
            Status::ACCEPTED.into_response()
        }
    }))
}

#[tokio::test]
async fn both_ends_count_the_same() {
    let mut relayed = relayed(|router| router).await;
    let layer = large();
    let client = &mut relayed.client;
    assert_eq!(client.get("/v2/").await.status, StatusCode::OK);
    let (digest, manifest) = client.push_image("team/app", "v1", &layer).await;
    let path = format!("/v2/team/app/blobs/{}", Digest::of(&layer));
    let mount = format!("/v2/other/blobs/uploads/?mount={}&from=team%2Fapp", Digest::of(&layer));
    let mounted = client.send(Method::POST, &mount, &[], whole(b"")).await;
    assert_eq!(mounted.status, StatusCode::CREATED);
    assert_eq!(mounted.header(&LOCATION), format!("/v2/other/blobs/{}", Digest::of(&layer)));
    let head = client.head(&path).await;
    assert_eq!((head.status, head.header(&CONTENT_LENGTH)), (StatusCode::OK, layer.len().to_string().as_str()));
    assert!(client.get(&path).await.body == layer);
    let part = client.send(Method::GET, &path, &[(RANGE, "bytes=2-4")], whole(b"")).await;
    assert_eq!((part.status, part.body.as_ref()), (StatusCode::PARTIAL_CONTENT, &layer[2..5]));
    let got = client.get("/v2/team/app/manifests/v1").await;
    assert_eq!((got.body.as_ref(), got.digest()), (manifest.to_string().as_bytes(), digest.to_string().as_str()));
    assert_eq!(client.head("/v2/team/app/manifests/v2").await.status, StatusCode::NOT_FOUND);
    let wrong = client.push_manifest("team/app", "v2", &image(b"never pushed")).await;
    assert_eq!(wrong.code(), (400, "MANIFEST_BLOB_UNKNOWN".to_owned()));
    let absent = client.get(&format!("/v2/app/blobs/{}", Digest::of(b"absent"))).await;
    assert_eq!(absent.code(), (404, "BLOB_UNKNOWN".to_owned()));
    let version = HeaderName::from_static("docker-distribution-api-version");
    assert_eq!(absent.header(&version), "registry/2.0");

    let (near, far) = (relayed.relay.snapshot().traffic, relayed.other.snapshot().traffic);
    assert_eq!(near.blob_bytes_received, (CONFIG.len() + layer.len()) as u64);
    assert_eq!(near.blob_bytes, layer.len() as u64 + 3);
    assert_eq!(far.blob_bytes, near.blob_bytes);
    assert_eq!(near, far);
}

#[tokio::test]
async fn an_upload_is_cancelled_where_it_began() {
    let mut relayed = relayed(|router| router).await;
    let begun = relayed.client.send(Method::POST, "/v2/app/blobs/uploads/", &[], whole(b"")).await;
    let location = begun.header(&LOCATION).to_owned();
    assert!(location.starts_with("/v2/app/blobs/uploads/"), "{location}");
    assert_eq!(relayed.client.send(Method::DELETE, &location, &[], whole(b"")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(relayed.client.send(Method::PATCH, &location, &[], whole(b"")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn fixtures_are_put_moved_and_taken_back_below_one_prefix() {
    let deleted = Arc::new(Mutex::new(Vec::new()));
    let mut relayed = relayed(|router| deleting(router, Arc::clone(&deleted))).await;
    let [one, two] = relayed.publish().await;
    assert_eq!(relayed.relay.snapshot().traffic, Default::default(), "the harness's own requests are not counted");
    assert_eq!(relayed.tagged("fixture", "base").await, Some(one.to_string()));
    assert_eq!(relayed.other.store().tags(&repository("mine/0/fixture")).unwrap(), ["base", "original", "sibling"]);
    relayed.ask(name("fixture", "base", "sibling")).await;
    assert_eq!(relayed.tagged("fixture", "base").await, Some(two.to_string()));
    let asked = Request::Deletes { repository: "fixture".to_owned(), tag: "sibling".to_owned() };
    assert_eq!(relayed.ask(asked).await, Reply::Deletes(true));
    let image = |place: &str, digest: Digest| format!("/v2/mine/{place}/manifests/{digest}");
    assert_eq!(std::mem::take(&mut *deleted.lock().unwrap()), [image("0/fixture", two)]);
    assert_eq!(relayed.tagged("fixture", "sibling").await, Some(two.to_string()), "it was put back");

    let (pushed, _) = relayed.client.push_image("pushed", "step-1", b"built").await;
    relayed.ask(Request::Forget { repository: "pushed".to_owned() }).await;
    assert_eq!(std::mem::take(&mut *deleted.lock().unwrap()), [image("0/pushed", pushed)]);
    assert_eq!(relayed.tagged("pushed", "step-1").await, None);
    let blob = relayed.client.head(&format!("/v2/pushed/blobs/{}", Digest::of(b"built"))).await;
    assert_eq!(blob.status, StatusCode::NOT_FOUND, "the other registry has it still, elsewhere");

    relayed.client.push_image("pushed", "step-1", b"again").await;
    relayed.ask(Request::Withdraw).await;
    let mut gone = std::mem::take(&mut *deleted.lock().unwrap());
    gone.sort();
    let again = Digest::of(crate::client::image(b"again").to_string().as_bytes());
    let mut expected = vec![image("0/fixture", one), image("0/fixture", two), image("1/pushed", again)];
    expected.sort();
    assert_eq!(gone, expected);
    relayed.ask(Request::Withdraw).await;
    assert_eq!(*deleted.lock().unwrap(), [""; 0], "what is gone is not deleted twice");
}

#[tokio::test]
async fn where_nothing_is_deleted_a_repository_is_empty_all_the_same() {
    let mut relayed = relayed(|router| router).await;
    relayed.publish().await;
    let asked = Request::Deletes { repository: "fixture".to_owned(), tag: "sibling".to_owned() };
    assert_eq!(relayed.ask(asked).await, Reply::Deletes(false));
    relayed.client.push_image("pushed", "step-1", b"built").await;
    relayed.ask(Request::Forget { repository: "pushed".to_owned() }).await;
    assert_eq!(relayed.tagged("pushed", "step-1").await, None);
    assert!(relayed.tagged("fixture", "base").await.is_some());
    relayed.ask(Request::Renew { seed: 2, labels: Default::default() }).await;
    assert_eq!(relayed.tagged("fixture", "base").await, None);
    let [one, _] = relayed.publish().await;
    assert_eq!(relayed.tagged("fixture", "base").await, Some(one.to_string()));
    assert_eq!(relayed.other.store().tags(&repository("mine/1/fixture")).unwrap().len(), 3);
}

#[tokio::test]
async fn what_would_pass_by_the_counters_is_refused() {
    let away = |at: &'static str| {
        move |router: Router| {
            router.layer(middleware::from_fn(move |request: HttpRequest, next: Next| async move {
                let upload = request.method() == Method::POST;
                let mut answer: HttpResponse = next.run(request).await;
                if upload || !answer.status().is_success() {
                    answer.headers_mut().insert("location", at.parse().unwrap());
                }
                if !upload && answer.status() == Status::NOT_FOUND {
                    *answer.status_mut() = Status::TEMPORARY_REDIRECT;
                }
                answer
            }))
        }
    };
    for at in ["http://elsewhere:1/v2/mine/0/app/blobs/uploads/1", "/storage/1", "/v2/mine/0/another/blobs/uploads/1"] {
        let mut relayed = relayed(away(at)).await;
        for (method, path) in [
            (Method::POST, "/v2/app/blobs/uploads/".to_owned()),
            (Method::GET, format!("/v2/app/blobs/{}", Digest::of(b"a"))),
        ] {
            let answer = relayed.client.send(method, &path, &[], whole(b"")).await;
            assert_eq!(answer.code(), (502, "UNKNOWN".to_owned()), "{at} {path}");
            assert!(String::from_utf8_lossy(&answer.body).contains(at), "{at} {path}");
        }
    }
}

#[tokio::test]
async fn a_registry_that_is_not_there_or_wants_a_password_is_told() {
    let silent = serve(Router::new()).await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let locked = serve(Router::new().fallback(|| async { (Status::UNAUTHORIZED, "who are you?") })).await;
    for (address, words) in [
        (silent, vec!["404 Not Found", "POST /v2/mine/0/fixture/blobs/uploads/"]),
        (format!("http://{closed}"), vec!["does not answer", "refused"]),
        (locked, vec!["401 Unauthorized", "who are you?", "without credentials"]),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let other = Arc::new(Registry::open(folder.path().join("other"), None).unwrap());
        let mut relayed = relay_to(folder, other, format!("{address}/mine").parse().unwrap()).await;
        let mut upload = relayed.relay.store().upload().unwrap();
        std::io::Write::write_all(&mut upload, CONFIG).unwrap();
        relayed.relay.store().commit(&repository("fixture"), upload, None).unwrap();
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": image(b"")["config"], "layers": [],
        });
        let (tag, media_type) = (Reference::Tag("base".parse().unwrap()), manifest["mediaType"].as_str().unwrap());
        let content = manifest.to_string();
        relayed.relay.store().put_manifest(&repository("fixture"), &tag, media_type, content.as_bytes()).unwrap();
        let error = relayed.relay.publish(&repository("fixture")).await.unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)) && error.contains(&address), "{error}");
        if address.contains(&closed.to_string()) {
            assert_eq!(relayed.client.get("/v2/").await.code(), (502, "UNKNOWN".to_owned()));
        }
    }
}
