//! Gathers the image's files where they are: in a container that sees the engine's host, read-only.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::inventory;
use super::layer::{self, Content};
use crate::agent::FOLDER;
use crate::collection::{Collection, Collector, Error};
use crate::units::hex;

/// Where the host's root file system is in that container.
pub const HOST_ROOT: &str = "/host";

/// What the host has to offer, told before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Differs where any file would: made from paths, sizes and times, without reading a file.
    pub key: String,
}

/// The answer to an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The layer with this key is in the cache.
    Have,
    Send,
}

impl Answer {
    pub fn to_line(self) -> String {
        serde_json::to_string(&self).expect("a word is JSON")
    }
}

/// The files could not be gathered or sent.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    #[error(transparent)]
    Collection(#[from] Error),
    #[error("cannot read {}: {cause}", path.display())]
    Read { path: PathBuf, cause: std::io::Error },
    #[error("cannot send the layer: {0}")]
    Send(#[from] std::io::Error),
}

/// Offers the layer, and sends it where it is wanted. `own` is a digest of this program and its libraries.
pub fn gather(own: &str, mut answers: impl BufRead, mut out: impl Write) -> Result<(), GatherError> {
    let root = Path::new(HOST_ROOT);
    let collection = collect(root)?;
    let key = key(root, &collection, own)?;
    let offer = serde_json::to_string(&Offer { key }).map_err(std::io::Error::from)?;
    writeln!(out, "{offer}")?;
    out.flush()?;
    let mut line = String::new();
    answers.read_line(&mut line)?;
    match serde_json::from_str(&line).map_err(std::io::Error::from)? {
        Answer::Have => Ok(()),
        Answer::Send => Ok(layer::write(&entries(root, &collection)?, out)?),
    }
}

fn collect(root: &Path) -> Result<Collection, Error> {
    let mut collector = Collector::new(root);
    for name in inventory::PROGRAMS {
        collector.program(name)?;
    }
    for name in inventory::OPTIONAL_PROGRAMS {
        collector.optional_program(name)?;
    }
    for folder in inventory::FOLDERS {
        collector.folder(folder)?;
    }
    for folder in inventory::LINKED_FOLDERS {
        collector.links_to(folder)?;
    }
    Ok(collector.finish())
}

fn key(root: &Path, collection: &Collection, own: &str) -> Result<String, GatherError> {
    let mut digest = Sha256::new_with_prefix(own);
    for file in &collection.files {
        let path = root.join(file);
        let metadata = fs::metadata(&path).map_err(|cause| GatherError::Read { path, cause })?;
        let (size, time, nanos, mode) = (metadata.size(), metadata.mtime(), metadata.mtime_nsec(), metadata.mode());
        digest.update(format!("{file}\0{size}\0{time}.{nanos}\0{mode}\n"));
    }
    for (link, target) in &collection.links {
        digest.update(format!("{link}\0{target}\n"));
    }
    Ok(hex(&digest.finalize()))
}

/// The whole image: the host's files, a few of every image, and this program from its own container.
fn entries(root: &Path, collection: &Collection) -> Result<BTreeMap<String, Content>, GatherError> {
    let mut entries: BTreeMap<String, Content> = BTreeMap::new();
    entries.extend(inventory::EMPTY_FOLDERS.map(|path| (path.to_owned(), Content::Folder)));
    entries.extend(inventory::FILES.map(|(path, text)| (path.to_owned(), Content::Text(text))));
    entries.extend(collection.files.iter().map(|path| (path.clone(), Content::File(root.join(path)))));
    entries.extend(collection.links.iter().map(|(path, target)| (path.clone(), Content::Link(target.clone()))));
    let own = Path::new(FOLDER);
    for folder in [own.to_owned(), own.join("lib")] {
        let unreadable = |cause| GatherError::Read { path: folder.clone(), cause };
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.is_file() {
                entries.insert(path.display().to_string().trim_start_matches('/').to_owned(), Content::File(path));
            }
        }
    }
    Ok(entries)
}
