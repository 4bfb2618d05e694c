//! dindbench itself as part of the image, with its own loader and libraries beside it.
//!
//! The engine's host may be another machine with another C library, so the program brings its own.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use super::cache::Cache;
use super::layer::{self, Content};
use super::{ImageError, Layer};
use crate::agent::FOLDER;
use crate::collection::LIBRARY_FOLDERS;
use crate::elf;

/// A layer of `program` alone, which is dindbench itself.
pub(super) fn layer(cache: &Path, program: &Path) -> Result<Layer, ImageError> {
    let cache = Cache(cache);
    let entries = files(program)?.into_iter().map(|(path, file)| (path, Content::File(file))).collect();
    let mut bytes = cache.begin()?;
    layer::write(&entries, &mut bytes).map_err(|error| ImageError::file(program.display(), error))?;
    // The digest names the program's content, whatever its place and time.
    let key = format!("program-{}", bytes.digest());
    match cache.find(&key) {
        Some(layer) => Ok(layer),
        None => cache.keep(bytes, &key),
    }
}

/// Local files by their path in the image, which does not begin with a slash.
fn files(program: &Path) -> Result<BTreeMap<String, PathBuf>, ImageError> {
    let needs = needs(program)?;
    let interpreter = needs.interpreter.ok_or_else(|| {
        ImageError::file(program.display(), "it is linked statically, and the image starts it through its loader")
    })?;
    let folder = FOLDER.trim_start_matches('/');
    let mut files = BTreeMap::from([
        (format!("{folder}/dindbench"), program.to_owned()),
        (format!("{folder}/loader"), PathBuf::from(interpreter)),
    ]);
    let mut open = needs.needed;
    while let Some(library) = open.pop() {
        let target = format!("{folder}/lib/{library}");
        if files.contains_key(&target) {
            continue;
        }
        let folders = LIBRARY_FOLDERS.iter();
        let found = folders.map(|folder| Path::new(folder).join(&library)).find(|path| path.is_file());
        let path = found.ok_or_else(|| ImageError::Library { path: program.display().to_string(), library })?;
        open.extend(self::needs(&path)?.needed);
        files.insert(target, path);
    }
    Ok(files)
}

fn needs(path: &Path) -> Result<elf::Elf, ImageError> {
    let file = File::open(path).map_err(|error| ImageError::file(path.display(), error))?;
    elf::needed(&file).map_err(|error| ImageError::file(path.display(), error))
}
