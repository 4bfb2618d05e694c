//! The folder behind a registry: blobs by content, and per repository its manifests, tags and the blobs it may serve.
//!
//! ```text
//! blobs/sha256/HEX
//! repositories/NAME/_blobs/HEX       empty: this repository may serve the blob
//! repositories/NAME/_manifests/HEX
//! repositories/NAME/_tags/TAG        the digest of a manifest
//! uploads/                           what is being written
//! ```

mod forget;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tempfile::NamedTempFile;

use super::digest::{Digest, Hashing};
use super::error::Error;
use super::manifest::{Manifest, MediaType, parse_media_type};
use super::name::{Reference, Repository, Tag};

/// Everything in it is checked against its digest: when it comes in, and again when its file was touched since.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    /// The state in which each blob's file was last found to be right.
    verified: Mutex<HashMap<Digest, Stamp>>,
}

/// Changes whenever a file is written to, truncated or replaced: the kernel sets the change time, no program can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// Content that is being written; dropped without [`Store::commit`], it leaves nothing.
pub struct Upload(Hashing<NamedTempFile>);

/// A blob that was found to be right, at its beginning.
#[derive(Debug)]
pub struct Blob {
    pub file: File,
    pub bytes: u64,
}

/// A manifest that was found to be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredManifest {
    pub digest: Digest,
    pub media_type: MediaType,
    pub content: Vec<u8>,
}

impl Store {
    /// Opens the store in a folder, which is made where it does not exist.
    pub fn open(dir: impl Into<PathBuf>) -> Result<Self, Error> {
        let store = Self { dir: dir.into(), verified: Mutex::default() };
        for folder in [store.blob_folder(), store.dir.join("repositories"), store.upload_folder()] {
            create_folder(&folder)?;
        }
        Ok(store)
    }

    /// Forgets everything that was stored.
    pub fn clear(&self) -> Result<(), Error> {
        for folder in [self.blob_folder(), self.dir.join("repositories")] {
            fs::remove_dir_all(&folder).map_err(Error::io("empty", &folder))?;
            create_folder(&folder)?;
        }
        self.verified.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }

    /// Begins to write a blob.
    pub fn upload(&self) -> Result<Upload, Error> {
        Ok(Upload(Hashing::new(self.temporary()?)))
    }

    /// Stores what was written, for a repository to serve.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`] where it was said to be something else: nothing is stored then.
    pub fn commit(&self, repository: &Repository, upload: Upload, said: Option<Digest>) -> Result<Digest, Error> {
        let (file, actual) = upload.0.finish();
        if let Some(said) = said.filter(|said| *said != actual) {
            return Err(Error::DigestMismatch { said, actual });
        }
        let path = self.blob_path(actual);
        let file = file.persist(&path).map_err(|error| Error::io("store", &path)(error.error))?;
        self.remember(actual, stamp(&file, &path)?);
        self.write(&self.folder(repository, "_blobs").join(actual.hex()), b"")?;
        Ok(actual)
    }

    /// Lets a repository serve a blob of another one; tells whether that one has it.
    pub fn mount(&self, from: &Repository, digest: Digest, repository: &Repository) -> Result<bool, Error> {
        match self.blob(from, digest) {
            Ok(_) => self.write(&self.folder(repository, "_blobs").join(digest.hex()), b"").map(|()| true),
            Err(Error::BlobUnknown(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether a repository may serve a blob.
    fn has_blob(&self, repository: &Repository, digest: Digest) -> Result<bool, Error> {
        exists(&self.folder(repository, "_blobs").join(digest.hex()))
    }

    /// Opens a blob for reading, after making sure that it is what its digest says.
    ///
    /// # Errors
    /// [`Error::BlobUnknown`], or [`Error::Corrupt`] where the file is not what was stored.
    pub fn blob(&self, repository: &Repository, digest: Digest) -> Result<Blob, Error> {
        if !self.has_blob(repository, digest)? {
            return Err(Error::BlobUnknown(digest));
        }
        let path = self.blob_path(digest);
        let mut file = File::open(&path).map_err(Error::io("open", &path))?;
        let found = stamp(&file, &path)?;
        if self.verified.lock().unwrap_or_else(PoisonError::into_inner).get(&digest) != Some(&found) {
            let actual = Digest::read(&file).map_err(Error::io("read", &path))?;
            if actual != digest {
                return Err(Error::Corrupt { path, digest });
            }
            file.rewind().map_err(Error::io("rewind", &path))?;
            self.remember(digest, found);
        }
        Ok(Blob { file, bytes: found.bytes })
    }

    /// Stores a manifest, under its digest and, if that is what it is put as, a tag.
    ///
    /// # Errors
    /// Where it is not what its media type or its digest says, or names something that its repository does not have.
    pub fn put_manifest(
        &self,
        repository: &Repository,
        reference: &Reference,
        media_type: &str,
        content: &[u8],
    ) -> Result<Digest, Error> {
        let actual = Digest::of(content);
        if let Reference::Digest(said) = *reference
            && said != actual
        {
            return Err(Error::DigestMismatch { said, actual });
        }
        let manifest = Manifest::parse(content)?;
        if parse_media_type(media_type)? != manifest.media_type {
            let (said, is) = (media_type, manifest.media_type.text());
            return Err(Error::ManifestInvalid(format!("it was sent as {said:?} and is {is:?}")));
        }
        self.check_references(repository, &manifest)?;
        self.write(&self.manifest_path(repository, actual), content)?;
        if let Reference::Tag(tag) = reference {
            self.write(&self.tag_path(repository, tag), actual.to_string().as_bytes())?;
        }
        Ok(actual)
    }

    /// Lets a tag name the image that another tag of its repository names.
    ///
    /// # Errors
    /// As [`Store::manifest`], of the other tag.
    pub fn name(&self, repository: &Repository, tag: &Tag, like: &Tag) -> Result<(), Error> {
        let named = self.manifest(repository, &Reference::Tag(like.clone()))?;
        self.write(&self.tag_path(repository, tag), named.digest.to_string().as_bytes())
    }

    fn check_references(&self, repository: &Repository, manifest: &Manifest) -> Result<(), Error> {
        for blob in &manifest.blobs {
            if !self.has_blob(repository, blob.digest)? {
                return Err(Error::ManifestBlobUnknown(blob.digest));
            }
            let path = self.blob_path(blob.digest);
            let actual = fs::metadata(&path).map_err(Error::io("look at", &path))?.len();
            if actual != blob.size {
                return Err(Error::SizeInvalid { digest: blob.digest, said: blob.size, actual });
            }
        }
        match manifest.manifests.iter().find(|image| !self.manifest_path(repository, image.digest).is_file()) {
            Some(missing) => Err(Error::ManifestBlobUnknown(missing.digest)),
            None => Ok(()),
        }
    }

    /// # Errors
    /// [`Error::NameUnknown`], [`Error::ManifestUnknown`], or [`Error::Corrupt`].
    pub fn manifest(&self, repository: &Repository, reference: &Reference) -> Result<StoredManifest, Error> {
        let unknown = || Error::ManifestUnknown(repository.clone(), reference.clone());
        self.require(repository)?;
        let digest = match reference {
            Reference::Digest(digest) => *digest,
            Reference::Tag(tag) => {
                let text = read(&self.tag_path(repository, tag))?.ok_or_else(unknown)?;
                String::from_utf8_lossy(&text).parse()?
            }
        };
        let path = self.manifest_path(repository, digest);
        let content = read(&path)?.ok_or_else(unknown)?;
        if Digest::of(&content) != digest {
            return Err(Error::Corrupt { path, digest });
        }
        let media_type = Manifest::parse(&content)?.media_type;
        Ok(StoredManifest { digest, media_type, content })
    }

    /// The tags of a repository, sorted.
    pub fn tags(&self, repository: &Repository) -> Result<Vec<String>, Error> {
        self.require(repository)?;
        let folder = self.folder(repository, "_tags");
        if !exists(&folder)? {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(&folder).map_err(Error::io("list", &folder))?;
        let names = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
        let mut tags = names.collect::<io::Result<Vec<String>>>().map_err(Error::io("list", &folder))?;
        tags.sort_unstable();
        Ok(tags)
    }

    /// A repository is known from its first blob on.
    fn require(&self, repository: &Repository) -> Result<(), Error> {
        if exists(&self.folder(repository, "_blobs"))? { Ok(()) } else { Err(Error::NameUnknown(repository.clone())) }
    }

    fn folder(&self, repository: &Repository, kind: &str) -> PathBuf {
        repository.below(&self.dir.join("repositories")).join(kind)
    }

    fn manifest_path(&self, repository: &Repository, digest: Digest) -> PathBuf {
        self.folder(repository, "_manifests").join(digest.hex())
    }

    fn tag_path(&self, repository: &Repository, tag: &Tag) -> PathBuf {
        self.folder(repository, "_tags").join(tag.as_ref())
    }

    fn blob_folder(&self) -> PathBuf {
        self.dir.join("blobs").join("sha256")
    }

    fn blob_path(&self, digest: Digest) -> PathBuf {
        self.blob_folder().join(digest.hex())
    }

    fn upload_folder(&self) -> PathBuf {
        self.dir.join("uploads")
    }

    fn temporary(&self) -> Result<NamedTempFile, Error> {
        let folder = self.upload_folder();
        NamedTempFile::new_in(&folder).map_err(Error::io("write below", folder))
    }

    /// A whole file at once: a reader sees the old content or the new.
    fn write(&self, path: &Path, content: &[u8]) -> Result<(), Error> {
        if let Some(folder) = path.parent() {
            create_folder(folder)?;
        }
        let mut file = self.temporary()?;
        file.write_all(content).map_err(Error::io("write", path))?;
        file.persist(path).map_err(|error| Error::io("store", path)(error.error))?;
        Ok(())
    }

    fn remember(&self, digest: Digest, stamp: Stamp) {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner).insert(digest, stamp);
    }
}

impl Upload {
    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.0.bytes()
    }
}

impl Write for Upload {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn stamp(file: &File, path: &Path) -> Result<Stamp, Error> {
    let found = file.metadata().map_err(Error::io("look at", path))?;
    Ok(Stamp {
        inode: found.ino(),
        bytes: found.len(),
        modified: (found.mtime(), found.mtime_nsec()),
        changed: (found.ctime(), found.ctime_nsec()),
    })
}

fn create_folder(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))
}

fn exists(path: &Path) -> Result<bool, Error> {
    path.try_exists().map_err(Error::io("look for", path))
}

/// None where there is no such file.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    pub struct Fresh {
        _folder: tempfile::TempDir,
        pub store: Store,
        pub repository: Repository,
    }

    pub fn fresh() -> Fresh {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("store")).unwrap();
        Fresh { _folder: folder, store, repository: "team/app".parse().unwrap() }
    }

    impl Fresh {
        pub fn put(&self, content: &[u8]) -> Digest {
            let mut upload = self.store.upload().unwrap();
            upload.write_all(content).unwrap();
            self.store.commit(&self.repository, upload, None).unwrap()
        }

        pub fn get(&self, digest: Digest) -> Result<Vec<u8>, Error> {
            let mut blob = self.store.blob(&self.repository, digest)?;
            let mut content = Vec::new();
            blob.file.read_to_end(&mut content).unwrap();
            assert_eq!(content.len() as u64, blob.bytes);
            Ok(content)
        }

        pub fn files(&self, below: &str) -> usize {
            fs::read_dir(self.store.dir.join(below)).unwrap().count()
        }
    }

    #[test]
    fn a_blob_comes_back_as_it_went_in() {
        let fresh = fresh();
        let digest = fresh.put(b"content");
        assert_eq!(digest, Digest::of(b"content"));
        assert_eq!(fresh.get(digest).unwrap(), b"content");
        assert!(matches!(fresh.get(Digest::of(b"other")), Err(Error::BlobUnknown(_))));
    }

    #[test]
    fn what_is_not_what_it_was_said_to_be_leaves_nothing() {
        let fresh = fresh();
        let mut upload = fresh.store.upload().unwrap();
        upload.write_all(b"content").unwrap();
        assert_eq!(fresh.files("uploads"), 1);
        let said = Digest::of(b"other");
        let error = fresh.store.commit(&fresh.repository, upload, Some(said)).unwrap_err();
        assert!(matches!(error, Error::DigestMismatch { actual, .. } if actual == Digest::of(b"content")));
        assert_eq!((fresh.files("uploads"), fresh.files("blobs/sha256")), (0, 0));
    }

    #[test]
    fn a_repository_serves_only_what_was_given_to_it() {
        let fresh = fresh();
        let digest = fresh.put(b"content");
        let other: Repository = "team/other".parse().unwrap();
        assert!(matches!(fresh.store.blob(&other, digest), Err(Error::BlobUnknown(_))));
    }

    #[test]
    fn a_changed_file_is_noticed_even_at_equal_size_and_time() {
        let fresh = fresh();
        let digest = fresh.put(b"content");
        let path = fresh.store.blob_path(digest);
        let before = fs::metadata(&path).unwrap();
        // The change time has the kernel's tick for a resolution.
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&path, b"CONTENT").unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(before.modified().unwrap()).unwrap();
        assert!(matches!(fresh.get(digest), Err(Error::Corrupt { .. })));

        fs::write(&path, b"cont").unwrap();
        assert!(matches!(fresh.get(digest), Err(Error::Corrupt { .. })));
        fs::remove_file(&path).unwrap();
        assert!(matches!(fresh.get(digest), Err(Error::Io { .. })));
        fs::write(&path, b"content").unwrap();
        assert_eq!(fresh.get(digest).unwrap(), b"content");
    }

    #[test]
    fn a_store_opened_again_verifies_before_it_serves() {
        let fresh = fresh();
        let (good, bad) = (fresh.put(b"good"), fresh.put(b"bad"));
        fs::write(fresh.store.blob_path(bad), b"BAD").unwrap();
        let again = Store::open(&fresh.store.dir).unwrap();
        assert_eq!(again.blob(&fresh.repository, good).unwrap().bytes, 4);
        assert!(matches!(again.blob(&fresh.repository, bad), Err(Error::Corrupt { .. })));
    }

    fn image(config: &[u8], layer: &[u8]) -> Vec<u8> {
        let descriptor = |content: &[u8]| {
            let digest = Digest::of(content).to_string();
            serde_json::json!({ "mediaType": "any", "size": content.len(), "digest": digest })
        };
        serde_json::json!({ "schemaVersion": 2, "config": descriptor(config), "layers": [descriptor(layer)] })
            .to_string()
            .into_bytes()
    }

    #[test]
    fn a_manifest_must_name_only_what_is_there() {
        let fresh = fresh();
        let put = |reference: &str, content: &[u8]| {
            let reference = reference.parse().unwrap();
            fresh.store.put_manifest(&fresh.repository, &reference, MediaType::OciImage.text(), content)
        };
        fresh.put(b"config");
        let content = image(b"config", b"layer");
        assert!(
            matches!(put("base", &content), Err(Error::ManifestBlobUnknown(missing)) if missing == Digest::of(b"layer"))
        );
        fresh.put(b"layer");
        let wrong_size = String::from_utf8(content.clone()).unwrap().replace("\"size\":5", "\"size\":6");
        assert!(matches!(put("base", wrong_size.as_bytes()), Err(Error::SizeInvalid { said: 6, actual: 5, .. })));
        let other = Digest::of(b"other").to_string();
        assert!(matches!(put(&other, &content), Err(Error::DigestMismatch { .. })));

        let digest = put("base", &content).unwrap();
        let by_tag = fresh.store.manifest(&fresh.repository, &"base".parse().unwrap()).unwrap();
        let by_digest = fresh.store.manifest(&fresh.repository, &Reference::Digest(digest)).unwrap();
        assert_eq!(by_tag, by_digest);
        assert_eq!((by_tag.content, by_tag.media_type), (content.clone(), MediaType::OciImage));

        let as_docker = fresh.store.put_manifest(
            &fresh.repository,
            &Reference::Digest(digest),
            MediaType::DockerImage.text(),
            &content,
        );
        assert!(matches!(as_docker, Err(Error::ManifestInvalid(_))));
        fs::write(fresh.store.manifest_path(&fresh.repository, digest), b"{}").unwrap();
        let corrupt = fresh.store.manifest(&fresh.repository, &"base".parse().unwrap());
        assert!(matches!(corrupt, Err(Error::Corrupt { .. })));
    }

    #[test]
    fn a_tag_moves_and_moves_back() {
        let fresh = fresh();
        for content in [&b"config"[..], b"one", b"two"] {
            fresh.put(content);
        }
        let put = |tag: &str, layer: &[u8]| {
            let (tag, media_type) = (tag.parse().unwrap(), MediaType::OciImage.text());
            fresh.store.put_manifest(&fresh.repository, &tag, media_type, &image(b"config", layer)).unwrap()
        };
        let named = |tag: &str| fresh.store.manifest(&fresh.repository, &tag.parse().unwrap()).unwrap().digest;
        let (one, two) = (put("first", b"one"), put("second", b"two"));
        assert_eq!((named("first"), named("second")), (one, two));
        let name =
            |tag: &str, like: &str| fresh.store.name(&fresh.repository, &tag.parse().unwrap(), &like.parse().unwrap());
        name("first", "second").unwrap();
        assert_eq!(named("first"), two);
        assert!(matches!(name("first", "third"), Err(Error::ManifestUnknown(..))));
        put("first", b"one");
        assert_eq!(named("first"), one);
        assert_eq!(fresh.store.tags(&fresh.repository).unwrap(), ["first", "second"]);
    }
}
