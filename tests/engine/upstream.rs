//! Runs with a registry that others run, Debian's docker-registry: the same values, and nothing left in it.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dindbench::case::{Op, Status};
use dindbench::record::Sample;
use dindbench::registry::{Address, Traffic};
use libtest_mimic::{Failed, Trial};
use tempfile::TempDir;

use crate::block::Recorded;
use crate::command::{dindbench, only_run, samples, signal, state, stderr};
use crate::host::{alone, fingerprint, users};
use crate::lab::{self, Engines, Lab};
use crate::pushes;
use crate::stored::Stored;

pub fn tests() -> Vec<Trial> {
    vec![
        Trial::test("upstream::hits_and_bytes_are_those_of_our_own_registry_and_of_its_access_log", same),
        users("upstream::a_registry_that_deletes_nothing_is_told_and_serves_all_the_same", lasting),
        Trial::test("upstream::a_mirror_asks_it_for_each_layer_once", mirrored),
        alone("upstream::a_run_that_is_interrupted_or_killed_leaves_no_image_there", ended),
        users("upstream::one_that_is_not_there_is_told", absent),
    ]
}

/// A registry process of its own, with everything in a folder that goes with it.
struct Upstream {
    process: Child,
    folder: TempDir,
    address: Address,
}

/// One line of its access log.
struct Access {
    method: String,
    path: String,
    status: u16,
    bytes: u64,
    client: String,
}

impl Upstream {
    fn start(deletes: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("a free port");
        let config = folder.path().join("config.yml");
        let text = format!(
            "version: 0.1\nlog: {{ level: error }}\nstorage:\n  delete: {{ enabled: {deletes} }}\n  filesystem: {{ \
             rootdirectory: {} }}\nhttp: {{ addr: '{address}' }}\n",
            folder.path().join("storage").display()
        );
        fs::write(&config, text).unwrap();
        let file = |name: &str| File::create(folder.path().join(name)).unwrap();
        let process = Command::new("docker-registry")
            .args(["serve".as_ref(), config.as_os_str()])
            .stdin(Stdio::null())
            .stdout(file("access.log"))
            .stderr(file("errors.log"))
            .spawn()
            .expect("docker-registry, from Debian's package of that name");
        let upstream = Self { process, folder, address: format!("http://{address}").parse().unwrap() };
        until("the registry listens", || std::net::TcpStream::connect(address).is_ok());
        upstream
    }

    /// The access log in its combined form.
    fn log(&self) -> Vec<Access> {
        let text = fs::read_to_string(self.folder.path().join("access.log")).unwrap();
        let lines = text.lines().map(|line| {
            let parts: Vec<&str> = line.split('"').collect();
            let [_, request, numbers, _, _, client, _] = parts[..] else { panic!("{line}") };
            let (request, numbers): (Vec<&str>, Vec<&str>) =
                (request.split(' ').collect(), numbers.split_whitespace().collect());
            Access {
                method: request[0].to_owned(),
                path: request[1].to_owned(),
                status: numbers[0].parse().unwrap(),
                bytes: numbers[1].parse().unwrap(),
                client: client.to_owned(),
            }
        });
        lines.collect()
    }

    /// What engines did, as the access log has it: all but the bytes of pushes, which it has not.
    fn traffic(&self) -> Traffic {
        let log: Vec<Access> = self.log().into_iter().filter(|access| access.client.starts_with("docker/")).collect();
        let reads = |kind: &str| {
            let of_kind = log.iter().filter(|access| access.path.contains(kind) && !access.path.contains("/uploads/"));
            let reads = of_kind.filter(|access| matches!(access.method.as_str(), "GET" | "HEAD"));
            // Of a HEAD it writes down the bytes that a GET would have sent.
            let sent = reads.clone().filter(|access| access.method == "GET" && access.status == 200);
            let bytes = sent.map(|access| access.bytes).sum();
            (reads.count() as u64, bytes)
        };
        let put =
            |access: &&Access| access.method == "PUT" && access.path.contains("/manifests/") && access.status == 201;
        let error = |access: &&Access| access.status >= 400 && !(access.method == "HEAD" && access.status == 404);
        let ((manifest_requests, manifest_bytes), (blob_requests, blob_bytes)) =
            (reads("/manifests/"), reads("/blobs/"));
        Traffic {
            requests: log.len() as u64,
            manifest_requests,
            manifest_bytes,
            blob_requests,
            blob_bytes,
            blob_bytes_received: 0,
            manifests_received: log.iter().filter(put).count() as u64,
            errors: log.iter().filter(error).count() as u64,
        }
    }

    fn stored(&self, digest: &str) -> Stored {
        let hex = digest.strip_prefix("sha256:").expect("a digest");
        let blob = self.storage().join(format!("blobs/sha256/{}/{hex}/data", &hex[..2]));
        serde_json::from_slice(&fs::read(blob).expect("a stored manifest")).expect("a manifest")
    }

    /// The images that it serves: repository and digest.
    fn images(&self) -> Vec<String> {
        let links = walkdir::WalkDir::new(self.folder.path().join("storage")).into_iter().filter_map(Result::ok);
        let links = links.map(|entry| entry.path().display().to_string());
        links.filter(|path| path.contains("/_manifests/revisions/") && path.ends_with("/link")).collect()
    }

    /// The first parts of all repositories' names.
    fn owners(&self) -> Vec<String> {
        let entries = fs::read_dir(self.storage().join("repositories")).expect("repositories");
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    fn storage(&self) -> PathBuf {
        self.folder.path().join("storage/docker/registry/v2")
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn until(what: &str, so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < deadline, "it does not come to this: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn same() -> Result<(), Failed> {
    let upstream = Upstream::start(true);
    let scenario = lab::scenario(&pushes::scenario("keep"), std::path::Path::new("/"));
    let (own, base) = lab::with(async |lab| (lab.run(&scenario).await, Stored::tagged(lab, "fixture", "base").await));
    let seen = lab::RUNTIME.block_on(async {
        let mut lab = Lab::open(&Engines::default().place(), &Engines::default(), Some(&upstream.address)).await;
        let (before, run) = (lab.host.served().await, lab.journal.run().to_owned());
        let recorded = lab.run(&scenario).await;
        let (after, lasting, images) = (lab.host.served().await, lab.host.lasting().cloned(), upstream.images());
        let withdrawn = lab.host.withdraw().await;
        // What follows can fail, and nothing is to stay then.
        lab.close().await;
        withdrawn.map(|()| (before, recorded, after, lasting, images, run))
    });
    let (before, recorded, after, lasting, images, run) = seen?;
    assert_eq!(before?.traffic, Traffic::default(), "the harness's own requests are not counted");
    let counted = after?.traffic;
    assert_eq!(counted, Traffic { blob_bytes_received: counted.blob_bytes_received, ..upstream.traffic() });
    compare(&upstream, &base, &recorded, &own);
    let pushed: u64 = recorded.samples().iter().filter_map(|sample| sample.bytes_pushed).sum();
    assert_eq!(counted.blob_bytes_received, pushed);
    assert!(images.len() > 3, "{images:?}");
    assert_eq!((lasting, upstream.images()), (None, Vec::new()));
    assert_eq!(upstream.owners(), [format!("dindbench-{}", run.rsplit('-').next().expect("a part"))]);
    Ok(())
}

/// All values of two runs of one scenario that do not depend on time.
fn compare(upstream: &Upstream, base: &Stored, recorded: &Recorded, own: &Recorded) {
    // In the registry from the beginning, in another repository: mounted, not moved.
    let mut there = base.layers.clone();
    for job in 1..=3 {
        for step in ["0", "team/app:1", "2"] {
            let [row, of_own] = [recorded, own].map(|run| run.sample("dind", job, step));
            assert_eq!(row.status, Status::Ok, "job {job} {step}: {}", row.error.as_str());
            let values = |row: &Sample| {
                let instructions = (row.instructions_cached, row.instructions_total);
                (instructions, row.bytes_pulled, row.layers_total, row.layers_reused)
            };
            assert_eq!(values(&row), values(&of_own), "job {job} {step}");
        }
        let said = recorded.printed("dind", job, "2", "stdout");
        let (_, rest) = said.split_once(": digest: ").expect("the digest of what was stored");
        let image = upstream.stored(rest.split(' ').next().expect("a digest"));
        let new = image.layers.iter().chain([&image.config]).filter(|blob| !there.contains(*blob));
        let bytes: u64 = new.map(|blob| blob.size).sum();
        assert_eq!(recorded.sample("dind", job, "2").bytes_pushed, Some(bytes), "job {job}: {said}");
        there.extend(image.layers);
        there.push(image.config);
    }
}

/// Without the mirror each fresh engine asks for them.
fn mirrored() -> Result<(), Failed> {
    const SCENARIO: &str = r#"
        question = "Who is asked for a layer?"
        baseline = "dind"
        [[topology]]
        use = "dind"
        [[topology]]
        use = "dind-mirror"
        [job]
        steps = [{ op = "pull", image = "fixture:base" }]
        [sequence]
        jobs = 2
    "#;
    let upstream = Upstream::start(true);
    let scenario = lab::scenario(SCENARIO, std::path::Path::new("/"));
    let recorded = lab::RUNTIME.block_on(async {
        let mut lab = Lab::open(&Engines::default().place(), &Engines::default(), Some(&upstream.address)).await;
        let recorded = lab.run(&scenario).await;
        let withdrawn = lab.host.withdraw().await;
        lab.close().await;
        withdrawn.map(|()| recorded)
    })?;
    let pulled = |topology| [1, 2].map(|job| recorded.sample(topology, job, "0").bytes_pulled.expect("a count"));
    let [first, second] = pulled("dind");
    assert!(first > 60_000_000 && second == first, "{first} and {second} bytes");
    assert_eq!(pulled("dind-mirror"), [first, 0]);
    assert_eq!(upstream.traffic().blob_bytes, 2 * first, "that engines asked for themselves");
    let blobs = upstream.log().into_iter().filter(|access| access.path.contains("/blobs/") && access.method == "GET");
    let sent: u64 = blobs.filter(|access| access.status == 200).map(|access| access.bytes).sum();
    assert_eq!(sent, 3 * first, "and once more for the mirror");
    assert!(recorded.samples().iter().all(|row| row.status == Status::Ok));
    Ok(())
}

fn lasting() -> Result<(), Failed> {
    let (before, state, upstream) = (fingerprint(), state(), Upstream::start(false));
    let url = upstream.address.to_string();
    let output = dindbench(&state, &["run", "--blocks", "1", "--only", "socket", "--registry", &url]).output()?;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stderr(&output).matches("the registry deletes no image").count(), 2, "{}", stderr(&output));
    let run = only_run(&state);
    assert_eq!(run.record().environment.registry, url);
    let [owner] = &upstream.owners()[..] else { panic!("{:?}", upstream.owners()) };
    let below = format!("below {url}/{owner}");
    assert!(run.record().warnings.iter().any(|warning| warning.contains(&below)), "{:?}", run.record().warnings);
    let samples = samples(&run);
    assert!(samples.iter().all(|sample| sample.status == Status::Ok));
    let pulls: Vec<u64> = samples.iter().filter(|row| row.op == Op::Pull).filter_map(|row| row.bytes_pulled).collect();
    assert_eq!(pulls.len(), 6, "two blocks, three jobs");
    assert!(pulls.iter().enumerate().all(|(index, bytes)| (index % 3 == 0) == (*bytes > 60_000_000)), "{pulls:?}");
    assert_eq!(pulls.iter().sum::<u64>(), upstream.traffic().blob_bytes);
    assert!(!upstream.images().is_empty());
    assert_eq!(fingerprint(), before);
    Ok(())
}

fn ended() -> Result<(), Failed> {
    let before = fingerprint();
    for (how, code) in [("INT", Some(130)), ("KILL", None)] {
        let (state, upstream) = (state(), Upstream::start(true));
        let url = upstream.address.to_string();
        let child = dindbench(&state, &["run", "--blocks", "1", "--registry", &url]).spawn()?;
        until("the fixtures are there", || !upstream.images().is_empty());
        signal(&child, how);
        let output = child.wait_with_output()?;
        assert_eq!(output.status.code(), code, "{how}: {}", stderr(&output));
        until("the fixtures are gone", || upstream.images().is_empty());
        let output = dindbench(&state, &["clean"]).output()?;
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(upstream.images(), [""; 0], "{how}");
        assert_eq!(fingerprint(), before, "{how}");
    }
    Ok(())
}

fn absent() -> Result<(), Failed> {
    let (before, state) = (fingerprint(), state());
    let output = dindbench(&state, &["run", "--blocks", "1", "--registry", "http://127.0.0.1:1"]).output()?;
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("http://127.0.0.1:1 does not answer"), "{}", stderr(&output));
    assert_eq!(fingerprint(), before);
    Ok(())
}
