//! Files of the engine's host, read through the engine's API.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;

use super::ImageError;
use crate::engine::{ContainerSpec, Engine, Mount, PathKind, PathStat};

/// Where the host's root file system is in the container that it is read through.
const ROOT: &str = "/host";
/// More links than this one after the other are a circle, as for the kernel.
const MAX_LINKS: usize = 40;

/// The host's root file system, bound read-only into a container that is never started.
pub(super) struct HostFiles<'a> {
    engine: &'a Engine,
    container: &'a str,
    stats: HashMap<String, Option<PathStat>>,
    /// Links met on the way, with their targets: the image needs them too.
    pub links: BTreeMap<String, String>,
}

impl<'a> HostFiles<'a> {
    /// What the container has to be: made from any image, and never started.
    pub fn container(name: &str, image: &str, labels: BTreeMap<String, String>) -> ContainerSpec {
        ContainerSpec {
            name: name.to_owned(),
            image: image.to_owned(),
            command: vec!["none".to_owned()],
            environment: Vec::new(),
            labels,
            mounts: vec![Mount::HostRoot { target: ROOT.to_owned() }],
            privilege: None,
            dead_man: false,
        }
    }

    pub fn new(engine: &'a Engine, container: &'a str) -> Self {
        Self { engine, container, stats: HashMap::new(), links: BTreeMap::new() }
    }

    /// The real path of a file or folder, every link followed; empty where there is none.
    pub async fn resolve(&mut self, path: &str) -> Result<Option<(String, PathStat)>, ImageError> {
        let mut rest: Vec<String> = parts(path);
        let mut real = String::new();
        let mut followed = 0;
        let mut links = Vec::new();
        let mut last = None;
        while !rest.is_empty() {
            let part = rest.remove(0);
            if part == ".." {
                real.truncate(real.rfind('/').unwrap_or(0));
                continue;
            }
            let here = format!("{real}/{part}");
            let Some(stat) = self.stat(&here).await? else { return Ok(None) };
            let PathKind::Link { target } = &stat.kind else {
                real = here;
                last = Some(stat);
                continue;
            };
            followed += 1;
            if followed > MAX_LINKS {
                return Err(ImageError::file(path, "its links go in a circle"));
            }
            if target.starts_with('/') {
                real.clear();
            }
            rest.splice(0..0, parts(target));
            links.push((here, target.clone()));
        }
        self.links.extend(links);
        Ok(last.map(|stat| (real, stat)))
    }

    async fn stat(&mut self, path: &str) -> Result<Option<PathStat>, ImageError> {
        if let Some(known) = self.stats.get(path) {
            return Ok(known.clone());
        }
        let stat = self.engine.stat_path(self.container, &format!("{ROOT}{path}")).await?;
        // The engine reports a link's target as it stands in the container.
        let stat = stat.map(|mut stat| {
            if let PathKind::Link { target } = &mut stat.kind
                && let Some(inside) = target.strip_prefix(ROOT)
            {
                *target = inside.to_owned();
            }
            stat
        });
        self.stats.insert(path.to_owned(), stat.clone());
        Ok(stat)
    }

    /// Copies a file or folder to the same path below a folder of ours. Returns the paths of the files in it; the links
    /// in it join the others.
    pub async fn fetch(&mut self, path: &str, below: &Path) -> Result<BTreeSet<String>, ImageError> {
        let wrong = |error: std::io::Error| ImageError::file(path, error);
        let mut tar = tempfile::tempfile_in(below).map(tokio::fs::File::from_std).map_err(wrong)?;
        let mut chunks = Box::pin(self.engine.copy_out(self.container, &format!("{ROOT}{path}")));
        while let Some(chunk) = chunks.next().await {
            tar.write_all(&chunk?).await.map_err(wrong)?;
        }
        tar.flush().await.map_err(wrong)?;
        let (tar, path, below) = (tar.into_std().await, path.to_owned(), below.to_owned());
        let unpacked = tokio::task::spawn_blocking(move || unpack(tar, &path, &below));
        let (files, links) = unpacked.await.map_err(|error| ImageError::file("the host's files", error))??;
        self.links.extend(links);
        Ok(files)
    }
}

fn parts(path: &str) -> Vec<String> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
}

/// Unpacks what the engine sent for `path` at the same place below `below`. Returns the files and the links in it.
fn unpack(
    mut tar: std::fs::File,
    path: &str,
    below: &Path,
) -> Result<(BTreeSet<String>, BTreeMap<String, String>), ImageError> {
    use std::io::{Seek, SeekFrom};

    let wrong = |error: std::io::Error| ImageError::file(path, error);
    tar.seek(SeekFrom::Start(0)).map_err(wrong)?;
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    let folder = below.join(parent.trim_start_matches('/'));
    std::fs::create_dir_all(&folder).map_err(wrong)?;
    let (mut files, mut links) = (BTreeSet::new(), BTreeMap::new());
    let mut archive = tar::Archive::new(tar);
    for entry in archive.entries().map_err(wrong)? {
        let mut entry = entry.map_err(wrong)?;
        let name = format!("{parent}/{}", entry.path().map_err(wrong)?.display());
        if entry.header().entry_type().is_file() {
            files.insert(name);
        } else if entry.header().entry_type().is_symlink()
            && let Some(target) = entry.link_name().map_err(wrong)?
        {
            links.insert(name, target.display().to_string());
            continue;
        }
        if !entry.unpack_in(&folder).map_err(wrong)? {
            return Err(ImageError::file(path, "it reaches outside its folder"));
        }
    }
    Ok((files, links))
}
