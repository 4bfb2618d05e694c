//! How a store gets rid of what nobody may have any more.

use std::collections::HashSet;
use std::sync::PoisonError;
use std::{fs, io};

use super::{Error, Repository, Store};

impl Store {
    /// Empties a repository, and removes the blobs that no other one may serve. Nothing may be pushed meanwhile: a blob
    /// that has arrived, and is not its repository's yet, would go.
    pub fn forget(&self, repository: &Repository) -> Result<(), Error> {
        for kind in ["_tags", "_manifests", "_blobs"] {
            let folder = self.folder(repository, kind);
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io("remove", folder)(error));
                }
                _ => {}
            }
        }
        let served = self.served()?;
        let folder = self.blob_folder();
        for blob in fs::read_dir(&folder).map_err(Error::io("list", &folder))? {
            let path = blob.map_err(Error::io("list", &folder))?.path();
            if path.file_name().is_some_and(|name| !served.contains(name.to_string_lossy().as_ref())) {
                fs::remove_file(&path).map_err(Error::io("remove", &path))?;
            }
        }
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.retain(|digest, _| served.contains(&digest.hex()));
        Ok(())
    }

    /// The blobs that some repository may serve, as their files are called.
    fn served(&self) -> Result<HashSet<String>, Error> {
        let folder = self.dir.join("repositories");
        let mut served = HashSet::new();
        for entry in walkdir::WalkDir::new(&folder).follow_links(false) {
            let entry = entry.map_err(|error| Error::io("list", &folder)(error.into()))?;
            if entry.path().parent().is_some_and(|parent| parent.ends_with("_blobs")) {
                served.insert(entry.file_name().to_string_lossy().into_owned());
            }
        }
        Ok(served)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fresh;
    use super::*;

    #[test]
    fn a_mounted_blob_is_served_by_both_and_goes_with_the_last() {
        let fresh = fresh();
        let [one, two]: [Repository; 2] = ["team/one", "two"].map(|name| name.parse().unwrap());
        let (shared, own) = (fresh.put(b"shared"), fresh.put(b"own"));
        assert!(fresh.store.mount(&fresh.repository, shared, &two).unwrap());
        assert!(!fresh.store.mount(&one, shared, &two).unwrap(), "that repository has no such blob");
        assert_eq!(fresh.store.blob(&two, shared).unwrap().bytes, 6);

        fresh.store.forget(&fresh.repository).unwrap();
        assert!(matches!(fresh.get(own), Err(Error::BlobUnknown(_))));
        assert!(matches!(fresh.get(shared), Err(Error::BlobUnknown(_))));
        assert_eq!(fresh.store.blob(&two, shared).unwrap().bytes, 6);
        assert_eq!(fresh.files("blobs/sha256"), 1);
        fresh.store.forget(&two).unwrap();
        fresh.store.forget(&one).unwrap();
        assert_eq!(fresh.files("blobs/sha256"), 0);
        assert_eq!(fresh.put(b"own"), own, "it can be stored again");
    }
}
