//! Packed layers in the user's cache folder, named by their content.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::gather::Offer;
use super::{ImageError, Packed};
use crate::units::hex;

/// A layer that no run has used for this long is removed.
const FORGOTTEN: Duration = Duration::from_secs(14 * 24 * 60 * 60);

#[derive(Clone, Copy, Debug)]
pub(super) struct Cache<'a>(pub &'a Path);

impl Cache<'_> {
    /// The layer that an offer stands for, where it is there whole.
    pub fn find(&self, offer: &Offer) -> Option<Packed> {
        let text = std::fs::read_to_string(self.index(&offer.key)).ok()?;
        let packed: Packed = serde_json::from_str(&text).ok()?;
        let layer = File::options().append(true).open(&packed.layer).ok()?;
        let whole = layer.metadata().ok()?.len() == packed.bytes;
        // Its time tells when it was used last.
        layer.set_modified(SystemTime::now()).ok()?;
        whole.then_some(packed)
    }

    /// Begins a new layer.
    pub fn begin(&self) -> Result<Incoming, ImageError> {
        std::fs::create_dir_all(self.0).map_err(|error| ImageError::file(self.0.display(), error))?;
        let file = NamedTempFile::new_in(self.0).map_err(|error| ImageError::file(self.0.display(), error))?;
        Ok(Incoming { file: BufWriter::with_capacity(1 << 20, file), digest: Sha256::new(), bytes: 0 })
    }

    /// Keeps a whole layer under its digest, for whoever offers the same again.
    pub fn keep(&self, incoming: Incoming, offer: &Offer) -> Result<Packed, ImageError> {
        let wrong = |error: io::Error| ImageError::file(self.0.display(), error);
        let digest = incoming.digest();
        let layer = self.0.join(format!("{digest}.tar"));
        let file = incoming.file.into_inner().map_err(|error| wrong(error.into_error()))?;
        file.persist(&layer).map_err(|error| wrong(error.error))?;
        let packed = Packed {
            layer,
            digest: format!("sha256:{digest}"),
            bytes: incoming.bytes,
            programs: offer.programs.clone(),
        };
        let text = serde_json::to_string(&packed).map_err(|error| wrong(error.into()))?;
        std::fs::write(self.index(&offer.key), text).map_err(wrong)?;
        self.forget().map_err(wrong)?;
        Ok(packed)
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
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_kept_layer_is_found_by_its_offer_until_it_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache(folder.path());
        let offer = Offer { key: "k".to_owned(), programs: BTreeMap::from([("sh".to_owned(), "/bin/sh".to_owned())]) };
        assert_eq!(cache.find(&offer), None);
        let mut incoming = cache.begin().unwrap();
        incoming.write_all(b"lay").unwrap();
        incoming.write_all(b"er").unwrap();
        let packed = cache.keep(incoming, &offer).unwrap();
        assert_eq!(packed.digest, format!("sha256:{}", hex(&Sha256::digest("layer"))));
        assert_eq!(cache.find(&offer), Some(packed.clone()));
        assert_eq!(cache.find(&Offer { key: "other".to_owned(), ..offer.clone() }), None);
        std::fs::write(&packed.layer, "lay").unwrap();
        assert_eq!(cache.find(&offer), None);
    }
}
