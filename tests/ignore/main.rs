//! What is taken for a build context is what the docker command itself sends: it is asked, on a made-up engine that keeps
//! the archive.

mod cases;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, Method, Uri};
use dindbench::ignore::{Sender, entries};

use cases::{cases, tree};

const GENERATED: usize = 60;

/// The command's archive of a folder; empty where it refuses the ignore file.
struct Asked {
    received: Arc<Mutex<Option<Vec<u8>>>>,
    socket: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

impl Asked {
    fn open() -> Self {
        let socket = tempfile::tempdir().unwrap();
        let received: Arc<Mutex<Option<Vec<u8>>>> = Arc::default();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let kept = Arc::clone(&received);
        let answer = move |method: Method, uri: Uri, body: Bytes| async move {
            if method == Method::POST && uri.path().ends_with("/build") {
                *kept.lock().unwrap() = Some(body.to_vec());
            }
            let mut headers = HeaderMap::new();
            headers.insert("Api-Version", "1.41".parse().unwrap());
            headers.insert("Builder-Version", "1".parse().unwrap());
            (headers, "{\"stream\":\"Successfully built 0123456789ab\\n\"}")
        };
        let router = Router::new().fallback(answer).layer(DefaultBodyLimit::disable());
        let listener = {
            let _entered = runtime.enter();
            tokio::net::UnixListener::bind(socket.path().join("engine.sock")).unwrap()
        };
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { received, socket, _runtime: runtime }
    }

    fn sent(&self, folder: &Path, dockerfile: &str) -> Option<BTreeSet<String>> {
        self.received.lock().unwrap().take();
        let mut command = Command::new("docker");
        command.arg(format!("--host=unix://{}/engine.sock", self.socket.path().display()));
        command.args(["build", "--tag", "none", "--file", dockerfile, "."]);
        command.current_dir(folder).env("DOCKER_BUILDKIT", "0");
        let output = command.output().expect("the docker command");
        let Some(archive) = self.received.lock().unwrap().take() else {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(said.contains(".dockerignore") || said.contains("pattern"), "{said}");
            return None;
        };
        let archive = if archive.starts_with(&[0x1f, 0x8b]) {
            let mut plain = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&archive[..]), &mut plain).unwrap();
            plain
        } else {
            archive
        };
        let mut tar = tar::Archive::new(&archive[..]);
        let paths = tar.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().to_string_lossy().into_owned());
        Some(paths.map(|path| path.trim_end_matches('/').to_owned()).filter(|path| path != ".").collect())
    }
}

#[test]
fn the_context_is_what_the_docker_command_sends() {
    if Command::new("docker").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "there is no docker command");
        eprintln!("no docker command, so what it sends is not compared");
        return;
    }
    let asked = Asked::open();
    let folder = tempfile::tempdir().unwrap();
    tree(folder.path());
    let mut wrong = Vec::new();
    for text in cases(GENERATED) {
        fs::write(folder.path().join(".dockerignore"), &text).unwrap();
        for dockerfile in ["Dockerfile", "bb/b/d"] {
            let theirs = asked.sent(folder.path(), dockerfile);
            let ours = entries(folder.path(), dockerfile, Sender::Classic).ok();
            if ours != theirs {
                wrong.push(format!("{text:?} {dockerfile}\n  ours   {ours:?}\n  theirs {theirs:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
