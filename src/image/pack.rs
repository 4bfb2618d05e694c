//! Packs the image.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use tempfile::TempDir;

use super::host_files::HostFiles;
use super::layer::Content;
use super::{ImageError, Packed, archive, inventory, layer, program};
use crate::elf;
use crate::engine::{Engine, PathKind};
use crate::journal::{Journal, Kind};

/// Packs the engine's own programs and `program` (dindbench itself) into a layer in `cache`. Everything made on the
/// engine on the way is gone afterwards.
pub async fn pack(engine: &Engine, journal: &mut Journal, cache: &Path, program: &Path) -> Result<Packed, ImageError> {
    let wrong = |error: std::io::Error| ImageError::file(cache.display(), error);
    std::fs::create_dir_all(cache).map_err(wrong)?;
    let staging = tempfile::tempdir_in(cache).map_err(wrong)?;
    let image = format!("dindbench/files:{}", journal.run());
    let container = journal.name("files");

    let empty = layer::write(&BTreeMap::new(), staging.path())?;
    let empty = Packed { layer: empty.0, digest: empty.1, bytes: empty.2, programs: BTreeMap::new() };
    journal.creating(Kind::Image, &image)?;
    engine.load_image(&image, archive(&empty, &image, &journal.labels("files")).await?).await?;
    journal.creating(Kind::Container, &container)?;
    engine.create_container(&HostFiles::container(&container, &image, journal.labels("files"))).await?;

    let packed = Collection::gather(engine, &container, staging).await;
    engine.remove_container(&container).await?;
    engine.remove_image(&image).await?;
    let collection = packed?;
    let (own, cache) = (program::files(program)?, cache.to_owned());
    tokio::task::spawn_blocking(move || collection.into_layer(own, &cache))
        .await
        .map_err(|error| ImageError::file("the layer", error))?
}

/// The files found so far, staged on this side.
struct Collection {
    staging: TempDir,
    files: BTreeSet<String>,
    links: BTreeMap<String, String>,
    programs: BTreeMap<String, String>,
}

impl Collection {
    async fn gather(engine: &Engine, container: &str, staging: TempDir) -> Result<Self, ImageError> {
        let mut host = HostFiles::new(engine, container);
        let mut collection =
            Self { staging, files: BTreeSet::new(), links: BTreeMap::new(), programs: BTreeMap::new() };
        for name in inventory::PROGRAMS {
            if !collection.program(&mut host, name).await? {
                let folders = inventory::PROGRAM_FOLDERS.join(", ");
                return Err(ImageError::Program { program: name.to_owned(), folders });
            }
        }
        for name in inventory::OPTIONAL_PROGRAMS {
            collection.program(&mut host, name).await?;
        }
        for folder in inventory::LINKED_FOLDERS {
            host.resolve(folder).await?;
        }
        for folder in inventory::FOLDERS {
            if let Some((real, stat)) = host.resolve(folder).await?
                && stat.kind == PathKind::Folder
            {
                collection.files.extend(host.fetch(&real, collection.staging.path()).await?);
            }
        }
        collection.libraries(&mut host).await?;
        collection.links = host.links;
        Ok(collection)
    }

    /// Finds a program as a shell would; false where no folder has it.
    async fn program(&mut self, host: &mut HostFiles<'_>, name: &str) -> Result<bool, ImageError> {
        for folder in inventory::PROGRAM_FOLDERS {
            let path = format!("{folder}/{name}");
            if let Some((real, stat)) = host.resolve(&path).await?
                && stat.kind == PathKind::File
            {
                self.programs.insert(name.to_owned(), path);
                return self.file(host, &real).await.map(|()| true);
            }
        }
        Ok(false)
    }

    async fn file(&mut self, host: &mut HostFiles<'_>, real: &str) -> Result<(), ImageError> {
        if !self.files.contains(real) {
            self.files.extend(host.fetch(real, self.staging.path()).await?);
        }
        Ok(())
    }

    /// Adds what the collected files load, and what that loads.
    async fn libraries(&mut self, host: &mut HostFiles<'_>) -> Result<(), ImageError> {
        let mut open: Vec<String> = self.files.iter().cloned().collect();
        let mut seen = BTreeSet::new();
        while let Some(path) = open.pop() {
            let Some(needs) = self.needs(&path) else { continue };
            if let Some(interpreter) = needs.interpreter.filter(|path| seen.insert(path.clone())) {
                self.library(host, &path, &interpreter, std::slice::from_ref(&interpreter)).await?;
            }
            for library in needs.needed.into_iter().filter(|library| seen.insert(library.clone())) {
                let folders = needs.runpath.iter().map(String::as_str).chain(inventory::LIBRARY_FOLDERS);
                let places: Vec<String> = folders.map(|folder| format!("{folder}/{library}")).collect();
                open.push(self.library(host, &path, &library, &places).await?);
            }
        }
        Ok(())
    }

    /// Empty for a script, and for anything else that loads nothing.
    fn needs(&self, path: &str) -> Option<elf::Elf> {
        let file = File::open(self.staging.path().join(path.trim_start_matches('/'))).ok()?;
        elf::needed(&file).ok()
    }

    async fn library(
        &mut self,
        host: &mut HostFiles<'_>,
        user: &str,
        library: &str,
        places: &[String],
    ) -> Result<String, ImageError> {
        for place in places {
            if let Some((real, stat)) = host.resolve(place).await?
                && stat.kind == PathKind::File
            {
                self.file(host, &real).await?;
                return Ok(real);
            }
        }
        Err(ImageError::Library { path: user.to_owned(), library: library.to_owned() })
    }

    fn into_layer(self, own: BTreeMap<String, std::path::PathBuf>, cache: &Path) -> Result<Packed, ImageError> {
        let staged = |path: &str| Content::Local(self.staging.path().join(path.trim_start_matches('/')));
        let mut entries: BTreeMap<String, Content> = BTreeMap::new();
        entries.extend(inventory::EMPTY_FOLDERS.map(|path| (path.to_owned(), Content::Folder)));
        entries.extend(inventory::FILES.map(|(path, text)| (path.to_owned(), Content::Text(text))));
        entries.extend(self.files.iter().map(|path| (path.clone(), staged(path))));
        entries.extend(self.links.iter().map(|(path, target)| (path.clone(), Content::Link(target.clone()))));
        entries.extend(own.into_iter().map(|(path, file)| (path, Content::Local(file))));
        let (layer, digest, bytes) = layer::write(&entries, cache)?;
        Ok(Packed { layer, digest, bytes, programs: self.programs })
    }
}
