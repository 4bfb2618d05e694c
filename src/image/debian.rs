//! Debian systems with engines of other versions, as `scripts/images` builds them.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use strum::VariantArray;

use super::{EngineImage, ImageError, Layer, program};
use crate::scenario::EngineVersion;
use crate::units::hex;

/// The script whose archives are looked for: another recipe makes other archives.
const RECIPE: &[u8] = include_bytes!("../../scripts/images");

/// The image of a version: Debian's layer, and one of `program` (dindbench itself) on top.
pub(super) fn image(version: EngineVersion, cache: &Path, program: &Path) -> Result<EngineImage, ImageError> {
    Ok(EngineImage {
        name: format!("engine-{version}"),
        layers: vec![debian_layer(archive(cache, version))?, program::layer(cache, program)?],
    })
}

/// The versions whose archive is in the cache folder, or, where `there` is false, those for which it could be built.
pub fn versions(cache: &Path, there: bool) -> Vec<EngineVersion> {
    let named = EngineVersion::VARIANTS.iter().copied().filter(|version| *version != EngineVersion::Auto);
    named.filter(|version| archive(cache, *version).is_file() == there).collect()
}

/// Where the script puts its archives.
pub(super) fn folder(cache: &Path) -> PathBuf {
    cache.join("engines")
}

pub(super) fn archive(cache: &Path, version: EngineVersion) -> PathBuf {
    let recipe = &hex(&Sha256::digest(RECIPE))[..12];
    folder(cache).join(format!("{version}-{}-{recipe}.tar", std::env::consts::ARCH))
}

fn debian_layer(file: PathBuf) -> Result<Layer, ImageError> {
    let wrong = |error: io::Error| ImageError::file(file.display(), error);
    let mut archive = File::open(&file).map_err(wrong)?;
    let (mut digest, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 20]);
    loop {
        let length = archive.read(&mut buffer).map_err(wrong)?;
        if length == 0 {
            break;
        }
        digest.update(&buffer[..length]);
        bytes += length as u64;
    }
    let digest = format!("sha256:{}", hex(&digest.finalize()));
    Ok(Layer { file, digest, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The script and this program must agree on the names of archives, or nothing that is built is ever found.
    #[test]
    fn what_the_script_lists_is_what_is_looked_for() {
        let cache = tempfile::tempdir().unwrap();
        let list = || {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/images");
            let output =
                std::process::Command::new(script).arg("--list").env("XDG_CACHE_HOME", cache.path()).output().unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            let row = |line: &str| {
                let mut words = line.split_whitespace();
                (words.next().unwrap().to_owned(), words.nth(1).unwrap().to_owned())
            };
            text.lines().map(row).collect::<Vec<_>>()
        };
        let folder = cache.path().join("dindbench");
        let every: Vec<EngineVersion> = versions(&folder, false);
        assert_eq!(list(), every.iter().map(|version| (version.to_string(), "not".to_owned())).collect::<Vec<_>>());

        std::fs::create_dir_all(super::folder(&folder)).unwrap();
        for version in &every {
            std::fs::write(archive(&folder, *version), "layer").unwrap();
        }
        let named = |version: &EngineVersion| (version.to_string(), archive(&folder, *version).display().to_string());
        assert_eq!(list(), every.iter().map(named).collect::<Vec<_>>());
        assert_eq!((versions(&folder, true), versions(&folder, false)), (every, Vec::new()));
    }

    #[test]
    fn an_archive_is_the_lower_of_two_layers() {
        let cache = tempfile::tempdir().unwrap();
        let file = archive(cache.path(), EngineVersion::V28_5);
        std::fs::create_dir_all(folder(cache.path())).unwrap();
        std::fs::write(&file, "layer").unwrap();
        let image = image(EngineVersion::V28_5, cache.path(), &std::env::current_exe().unwrap()).unwrap();
        let digest = format!("sha256:{}", hex(&Sha256::digest("layer")));
        assert_eq!(image.name, "engine-28.5");
        assert_eq!(image.layers[0], Layer { file, digest, bytes: 5 });
        assert_eq!(image.layers[1].file.parent(), Some(cache.path()));
        assert_eq!(image.layers.len(), 2);
    }
}
