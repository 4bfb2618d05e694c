//! Uploads that clients began over HTTP and have not ended.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use futures_util::StreamExt;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::counters::Counters;
use super::error::Error;
use super::name::Repository;
use super::store::Upload;

/// Chunks of a body that wait for the disk.
const QUEUE: usize = 16;

#[derive(Default)]
pub struct Uploads(Mutex<HashMap<String, (Repository, Upload)>>);

impl Uploads {
    /// Holds an upload until the client's next request; the id is new.
    pub fn begin(&self, repository: &Repository, upload: Upload) -> String {
        let id = Uuid::now_v7().to_string();
        self.hold(repository, &id, upload);
        id
    }

    pub fn hold(&self, repository: &Repository, id: &str, upload: Upload) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(id.to_owned(), (repository.clone(), upload));
    }

    /// Takes an upload out: while one request writes, another finds none. Dropping it throws its content away.
    ///
    /// # Errors
    /// [`Error::UploadUnknown`], also for another repository's upload.
    pub fn take(&self, repository: &Repository, id: &str) -> Result<Upload, Error> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match held.remove(id) {
            Some((owner, upload)) if owner == *repository => Ok(upload),
            Some(other) => {
                held.insert(id.to_owned(), other);
                Err(Error::UploadUnknown(id.to_owned()))
            }
            None => Err(Error::UploadUnknown(id.to_owned())),
        }
    }
}

/// Appends a request's body to an upload, in constant memory.
///
/// # Errors
/// [`Error::UploadInvalid`] where the client stops early; the upload is lost then, and the client begins anew.
pub async fn append(mut upload: Upload, body: Body, counters: &Counters) -> Result<Upload, Error> {
    let (sender, mut receiver) = mpsc::channel::<axum::body::Bytes>(QUEUE);
    let writer = tokio::task::spawn_blocking(move || {
        while let Some(chunk) = receiver.blocking_recv() {
            upload.write_all(&chunk).map_err(Error::io("write", "an upload"))?;
        }
        Ok(upload)
    });
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| Error::UploadInvalid(format!("its content ended early: {error}")))?;
        counters.add(|traffic| &mut traffic.blob_bytes_received, chunk.len());
        // The writer stops listening only when it failed; its error is the one to tell.
        if sender.send(chunk).await.is_err() {
            break;
        }
    }
    drop(sender);
    writer.await.map_err(|error| Error::Internal(error.to_string()))?
}
