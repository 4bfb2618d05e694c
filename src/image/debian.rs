//! Debian systems with engines of other versions, and with what stands beside an engine, as `scripts/images` builds them.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use strum::VariantArray;

use super::{ImageError, Layer, SystemImage, program};
use crate::scenario::EngineVersion;
use crate::units::hex;

/// The script whose archives are looked for: another recipe makes other archives.
const RECIPE: &[u8] = include_bytes!("../../scripts/images");

/// What the script can build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum System {
    Engine(EngineVersion),
    /// HAProxy, to filter what reaches an engine.
    Proxy,
    /// Podman and buildah.
    Podman,
}

impl System {
    fn all() -> Vec<Self> {
        let named = EngineVersion::VARIANTS.iter().copied().filter(|version| *version != EngineVersion::Auto);
        named.map(Self::Engine).chain([Self::Proxy, Self::Podman]).collect()
    }

    /// The image: Debian's layer, and one of `program` (dindbench itself) on top where that has work there.
    pub(super) fn image(self, cache: &Path, program: &Path) -> Result<SystemImage, ImageError> {
        let debian = debian_layer(archive(cache, self))?;
        Ok(match self {
            Self::Engine(version) => {
                SystemImage { name: format!("engine-{version}"), layers: vec![debian, program::layer(cache, program)?] }
            }
            Self::Proxy => SystemImage { name: self.to_string(), layers: vec![debian] },
            Self::Podman => {
                SystemImage { name: self.to_string(), layers: vec![debian, program::layer(cache, program)?] }
            }
        })
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(version) => version.fmt(f),
            Self::Proxy => f.write_str("proxy"),
            Self::Podman => f.write_str("podman"),
        }
    }
}

/// The systems whose archive is in the cache folder, or, where `there` is false, those for which it could be built.
pub fn systems(cache: &Path, there: bool) -> Vec<System> {
    System::all().into_iter().filter(|system| archive(cache, *system).is_file() == there).collect()
}

/// Where the script puts its archives.
pub(super) fn folder(cache: &Path) -> PathBuf {
    cache.join("engines")
}

pub(super) fn archive(cache: &Path, system: System) -> PathBuf {
    let recipe = &hex(&Sha256::digest(RECIPE))[..12];
    folder(cache).join(format!("{system}-{}-{recipe}.tar", std::env::consts::ARCH))
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
        let every: Vec<System> = systems(&folder, false);
        assert_eq!(list(), every.iter().map(|system| (system.to_string(), "not".to_owned())).collect::<Vec<_>>());

        std::fs::create_dir_all(super::folder(&folder)).unwrap();
        for system in &every {
            std::fs::write(archive(&folder, *system), "layer").unwrap();
        }
        let named = |system: &System| (system.to_string(), archive(&folder, *system).display().to_string());
        assert_eq!(list(), every.iter().map(named).collect::<Vec<_>>());
        assert_eq!((systems(&folder, true), systems(&folder, false)), (every, Vec::new()));
    }

    #[test]
    fn an_archive_is_the_lower_of_an_engines_two_layers() {
        let cache = tempfile::tempdir().unwrap();
        let engine = System::Engine(EngineVersion::V28_5);
        let file = archive(cache.path(), engine);
        std::fs::create_dir_all(folder(cache.path())).unwrap();
        std::fs::write(&file, "layer").unwrap();
        let image = engine.image(cache.path(), &std::env::current_exe().unwrap()).unwrap();
        let digest = format!("sha256:{}", hex(&Sha256::digest("layer")));
        assert_eq!(image.name, "engine-28.5");
        assert_eq!(image.layers[0], Layer { file, digest, bytes: 5 });
        assert_eq!(image.layers[1].file.parent(), Some(cache.path()));
        assert_eq!(image.layers.len(), 2);
    }
}
