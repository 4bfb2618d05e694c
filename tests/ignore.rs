//! What is taken for a build context is what the docker command itself sends: it is asked, on a made-up engine that keeps
//! the archive.

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
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Cases that people have stumbled over, and those of the documentation.
const WRITTEN: [&str; 34] = [
    "",
    "*",
    "**",
    "*\n!a",
    "*\n!b",
    "*\n!b/c\n!b/c/d",
    "b\n!b/c",
    "b/*\n!b/c",
    "*\n!**/d",
    "b\n!**/d",
    "**/d",
    "**/*.md",
    "*.md\n!x.md",
    "*/*.md",
    "/a",
    "a/",
    "./a",
    "b/../a",
    "b/**",
    "b/**/d",
    "**/b",
    "?",
    "[ab]",
    "[^a]",
    "\\*lit",
    "\\[x]",
    "# a\na",
    " a ",
    "\u{feff}a",
    "Dockerfile\n.dockerignore",
    "*\n!Dockerfile",
    "b/c/**\n!b/c/d",
    "!a\na",
    "link\nfolder-link",
];

/// Parts of which generated patterns are made.
const PARTS: [&str; 16] =
    ["a", "b", "c", "d", "*", "**", "?", "*.md", "x.md", ".*", "with space", "..", "[a-c]", "b*", "er", "."];
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

    fn sent(&self, folder: &Path) -> Option<BTreeSet<String>> {
        self.received.lock().unwrap().take();
        let mut command = Command::new("docker");
        command.arg(format!("--host=unix://{}/engine.sock", self.socket.path().display()));
        command.args(["build", "--tag", "none", "."]).current_dir(folder).env("DOCKER_BUILDKIT", "0");
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

fn tree(folder: &Path) {
    for path in [
        "Dockerfile",
        "a",
        "x.md",
        ".hidden",
        "with space",
        "*lit",
        "[x]",
        "b/a",
        "b/x.md",
        "b/c/d",
        "b/c/e",
        "b/.keep",
        "bb/b/d",
        "deep/er/and/d",
        "deep/er/x.md",
    ] {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "FROM scratch\n").unwrap();
    }
    fs::create_dir(folder.join("empty")).unwrap();
    std::os::unix::fs::symlink("a", folder.join("link")).unwrap();
    std::os::unix::fs::symlink("b", folder.join("folder-link")).unwrap();
}

fn generated(random: &mut ChaCha8Rng) -> String {
    let mut lines = Vec::new();
    for _ in 0..random.random_range(1..5) {
        let mut pattern = String::new();
        for part in 0..random.random_range(1..4) {
            if part > 0 {
                pattern.push('/');
            }
            pattern.push_str(PARTS[random.random_range(0..PARTS.len())]);
        }
        lines.push(format!("{}{pattern}", if random.random_bool(0.3) { "!" } else { "" }));
    }
    lines.join("\n")
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
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let cases = WRITTEN.map(str::to_owned).into_iter().chain((0..GENERATED).map(|_| generated(&mut random)));
    let mut wrong = Vec::new();
    for text in cases {
        fs::write(folder.path().join(".dockerignore"), &text).unwrap();
        let theirs = asked.sent(folder.path());
        let ours = entries(folder.path(), "Dockerfile", Sender::Classic).ok();
        if ours != theirs {
            wrong.push(format!("{text:?}\n  ours   {ours:?}\n  theirs {theirs:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
