//! Packs the image.

use std::io::Write as _;
use std::path::Path;

use bytes::Bytes;

use super::cache::Cache;
use super::gather::{Answer, HOST_ROOT, Offer};
use super::{ImageError, Layer, SystemImage, archive, program};
use crate::agent;
use crate::engine::{AttachedOutput, ContainerSpec, Engine, Mount, Source};
use crate::journal::{Journal, Kind};

/// Name of the image whose engine is the host's own.
const HOST_ENGINE: &str = "host-engine";

/// Packs the engine's own programs and `program` (dindbench itself) into a layer in the cache folder, unless it is
/// there already. Everything made on the engine on the way is gone afterwards.
///
/// A container that holds nothing but `program` sees the host's files read-only and sends what is needed.
pub(super) async fn pack(
    engine: &Engine,
    journal: &mut Journal,
    cache: &Path,
    program: &Path,
) -> Result<SystemImage, ImageError> {
    let own = program::layer(cache, program)?;
    let own_digest = own.digest.clone();
    let files = SystemImage { name: "files".to_owned(), layers: vec![own] };
    let (image, container) = (format!("dindbench/files:{}", journal.run()), journal.name("files"));
    journal.creating(Kind::Image, &image)?;
    engine.load_image(&image, archive(&files, &image, &journal.labels("files")).await?).await?;
    journal.creating(Kind::Container, &container)?;
    let spec = ContainerSpec {
        name: container,
        image: image.clone(),
        command: agent::command(["pack", &own_digest]),
        labels: journal.labels("files"),
        mounts: vec![Mount::HostRoot { target: HOST_ROOT.to_owned() }],
        dead_man: true,
        ..ContainerSpec::default()
    };
    let packed = fetch(engine, &spec, Cache(cache)).await;
    engine.remove_container(&spec.name).await?;
    engine.remove_image(&image).await?;
    Ok(SystemImage { name: HOST_ENGINE.to_owned(), layers: vec![packed?] })
}

/// Starts the container and takes its layer, where the cache has not got it.
async fn fetch(engine: &Engine, spec: &ContainerSpec, cache: Cache<'_>) -> Result<Layer, ImageError> {
    engine.create_container(spec).await?;
    let (mut input, output) = engine.attach(&spec.name).await?.split();
    engine.start_container(&spec.name).await?;
    let mut stream = LayerStream { output, unread: Bytes::new(), complaint: String::new() };
    let offer = stream.offer().await?;
    if let Some(packed) = cache.find(&offer.key) {
        input.line(&Answer::Have.to_line()).await?;
        return Ok(packed);
    }
    // Asked for before it can end: the engine removes the container with its end.
    let ended = engine.wait_container(&spec.name);
    let received = async {
        input.line(&Answer::Send.to_line()).await?;
        let mut incoming = cache.begin()?;
        while let Some(chunk) = stream.chunk().await {
            incoming.write_all(&chunk).map_err(|error| ImageError::file("the cached layer", error))?;
        }
        Ok::<_, ImageError>(incoming)
    };
    let (ended, received) = tokio::join!(ended, received);
    match (ended?, received?) {
        (0, layer) => cache.keep(layer, &offer.key),
        (code, _) => Err(ImageError::Gather(format!("exit code {code}: {}", stream.complaint.trim()))),
    }
}

/// What the container sends: a line, then the layer.
struct LayerStream {
    output: AttachedOutput,
    unread: Bytes,
    complaint: String,
}

impl LayerStream {
    async fn offer(&mut self) -> Result<Offer, ImageError> {
        let mut line = Vec::new();
        while let Some(chunk) = self.chunk().await {
            line.extend_from_slice(&chunk);
            if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
                self.unread = Bytes::from(line.split_off(end + 1));
                return serde_json::from_slice(&line).map_err(|error| ImageError::Gather(error.to_string()));
            }
        }
        Err(ImageError::Gather(self.complaint.trim().to_owned()))
    }

    async fn chunk(&mut self) -> Option<Bytes> {
        if !self.unread.is_empty() {
            return Some(std::mem::take(&mut self.unread));
        }
        loop {
            match self.output.chunk().await? {
                (Source::Stdout, chunk) => return Some(chunk),
                (Source::Stderr, words) => self.complaint.push_str(&String::from_utf8_lossy(&words)),
            }
        }
    }
}
