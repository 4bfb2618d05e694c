//! Layers in the user's cache folder, named by their content.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::{ImageError, Layer};
use crate::units::hex;

/// A layer that no run has used for this long is removed.
const FORGOTTEN: Duration = Duration::from_secs(14 * 24 * 60 * 60);

#[derive(Clone, Copy, Debug)]
pub(super) struct Cache<'a>(pub &'a Path);

impl Cache<'_> {
    /// The layer that a key stands for, where it is there whole.
    pub fn find(&self, key: &str) -> Option<Layer> {
        let text = std::fs::read_to_string(self.index(key)).ok()?;
        let layer: Layer = serde_json::from_str(&text).ok()?;
        let file = File::options().append(true).open(&layer.file).ok()?;
        let whole = file.metadata().ok()?.len() == layer.bytes;
        // Its time tells when it was used last.
        file.set_modified(SystemTime::now()).ok()?;
        whole.then_some(layer)
    }

    /// Begins a new layer.
    pub fn begin(&self) -> Result<Incoming, ImageError> {
        std::fs::create_dir_all(self.0).map_err(|error| ImageError::file(self.0.display(), error))?;
        let file = NamedTempFile::new_in(self.0).map_err(|error| ImageError::file(self.0.display(), error))?;
        Ok(Incoming { file: BufWriter::with_capacity(1 << 20, file), digest: Sha256::new(), bytes: 0 })
    }

    /// Keeps a whole layer under its digest, for whoever has the same key again.
    pub fn keep(&self, incoming: Incoming, key: &str) -> Result<Layer, ImageError> {
        let wrong = |error: io::Error| ImageError::file(self.0.display(), error);
        let digest = incoming.digest();
        let path = self.0.join(format!("{digest}.tar"));
        let file = incoming.file.into_inner().map_err(|error| wrong(error.into_error()))?;
        file.persist(&path).map_err(|error| wrong(error.error))?;
        let layer = Layer { file: path, digest: format!("sha256:{digest}"), bytes: incoming.bytes };
        let text = serde_json::to_string(&layer).map_err(|error| wrong(error.into()))?;
        std::fs::write(self.index(key), text).map_err(wrong)?;
        self.forget().map_err(wrong)?;
        Ok(layer)
    }

    fn forget(&self) -> io::Result<()> {
        for entry in std::fs::read_dir(self.0)? {
            let entry = entry?;
            let unused = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            let ours = entry.path().extension().is_some_and(|kind| kind == "tar" || kind == "json");
            if ours && unused > FORGOTTEN {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn index(&self, key: &str) -> PathBuf {
        self.0.join(format!("{key}.json"))
    }
}

/// A layer that is being received.
pub(super) struct Incoming {
    file: BufWriter<NamedTempFile>,
    digest: Sha256,
    bytes: u64,
}

impl Incoming {
    /// Digest of what was written so far, as hexadecimal digits.
    pub fn digest(&self) -> String {
        hex(&self.digest.clone().finalize())
    }
}

impl Write for Incoming {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let length = self.file.write(buffer)?;
        self.digest.update(&buffer[..length]);
        self.bytes += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_layer_is_found_by_its_key_until_it_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache(folder.path());
        assert_eq!(cache.find("k"), None);
        let mut incoming = cache.begin().unwrap();
        incoming.write_all(b"lay").unwrap();
        incoming.write_all(b"er").unwrap();
        let layer = cache.keep(incoming, "k").unwrap();
        assert_eq!(layer.digest, format!("sha256:{}", hex(&Sha256::digest("layer"))));
        assert_eq!(cache.find("k"), Some(layer.clone()));
        assert_eq!(cache.find("other"), None);
        std::fs::write(&layer.file, "lay").unwrap();
        assert_eq!(cache.find("k"), None);
    }
}
