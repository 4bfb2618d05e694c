//! What the harness itself does in a registry that others run: puts fixtures there, moves tags, and takes all of it back.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::api;
use super::digest::Digest;
use super::error::Error;
use super::manifest::Manifest;
use super::name::{Reference, Repository, Tag};
use super::places::Put;
use super::relay::Relay;
use super::store::Store;
use super::upstream::location;

impl Relay {
    /// Puts all images of a repository of the store into the other registry.
    pub async fn publish(&self, store: &Store, repository: &Repository) -> Result<(), Error> {
        let mut sent = BTreeSet::new();
        for tag in store.tags(repository)? {
            let tag: Tag = tag.parse()?;
            let stored = store.manifest(repository, &Reference::Tag(tag.clone()))?;
            for blob in Manifest::parse(&stored.content)?.blobs {
                if sent.insert(blob.digest) {
                    self.send_blob(store, repository, blob.digest).await?;
                }
            }
            self.put(store, repository, &tag).await?;
        }
        Ok(())
    }

    async fn send_blob(&self, store: &Store, repository: &Repository, digest: Digest) -> Result<(), Error> {
        let begin = format!("/v2/{}/blobs/uploads/", self.places.of(repository));
        let answer = self.requests.send(Method::POST, &begin, HeaderMap::new(), Body::empty()).await?;
        let headers = self.requests.expect(StatusCode::ACCEPTED, format!("POST {begin}"), answer).await?;
        let at = location(&headers).ok_or_else(|| self.requests.elsewhere("nowhere"))?;
        let at = self.requests.local(at)?;
        let joint = if at.contains('?') { '&' } else { '?' };
        let blob = store.blob(repository, digest)?;
        let headers = HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
            (CONTENT_LENGTH, HeaderValue::from(blob.bytes)),
        ]);
        let bytes = blob.bytes;
        let body = api::blob_body(blob, 0, bytes)?;
        let answer = self.requests.send(Method::PUT, &format!("{at}{joint}digest={digest}"), headers, body).await?;
        self.requests.expect(StatusCode::CREATED, format!("PUT of the blob {digest}"), answer).await?;
        Ok(())
    }

    /// Puts the manifest that a tag of the store names, under that tag.
    pub async fn put(&self, store: &Store, repository: &Repository, tag: &Tag) -> Result<(), Error> {
        let stored = store.manifest(repository, &Reference::Tag(tag.clone()))?;
        let place = self.places.of(repository);
        self.places.note(&place, stored.digest);
        let path = format!("/v2/{place}/manifests/{tag}");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(stored.media_type.text()))]);
        let answer = self.requests.send(Method::PUT, &path, headers, Body::from(stored.content)).await?;
        self.requests.expect(StatusCode::CREATED, format!("PUT {path}"), answer).await?;
        Ok(())
    }

    /// Whether images can be deleted there: the one of this tag, which no other tag may name, is, and is put back.
    pub async fn deletes(&self, store: &Store, repository: &Repository, tag: &Tag) -> Result<bool, Error> {
        let stored = store.manifest(repository, &Reference::Tag(tag.clone()))?;
        let put = Put { place: self.places.of(repository), digest: stored.digest };
        let deleted = self.delete(&put).await?;
        self.put(store, repository, tag).await?;
        Ok(deleted)
    }

    /// Empties a repository. What that registry does not delete stays there, and is served no more.
    pub async fn leave(&self, repository: &Repository) -> Result<(), Error> {
        let place = self.places.of(repository);
        self.places.leave(repository);
        self.take_back(|put| put.place == place).await
    }

    /// Empties every repository.
    pub async fn leave_all(&self) -> Result<(), Error> {
        self.places.leave_all();
        self.withdraw().await
    }

    /// Takes back everything that was put, as far as that registry deletes.
    pub async fn withdraw(&self) -> Result<(), Error> {
        self.take_back(|_| true).await
    }

    async fn take_back(&self, which: impl Fn(&Put) -> bool) -> Result<(), Error> {
        for put in self.places.all().into_iter().filter(which) {
            if self.delete(&put).await? {
                self.places.gone(&put);
            }
        }
        Ok(())
    }

    /// Deletes an image; tells whether that registry does such a thing at all. Its blobs go when it collects its garbage.
    async fn delete(&self, put: &Put) -> Result<bool, Error> {
        let path = format!("/v2/{}/manifests/{}", put.place, put.digest);
        let answer = self.requests.send(Method::DELETE, &path, HeaderMap::new(), Body::empty()).await?;
        match answer.status() {
            // A push that was noted and then failed has put nothing.
            StatusCode::ACCEPTED | StatusCode::NOT_FOUND => Ok(true),
            StatusCode::BAD_REQUEST
            | StatusCode::UNAUTHORIZED
            | StatusCode::FORBIDDEN
            | StatusCode::METHOD_NOT_ALLOWED => Ok(false),
            _ => self.requests.expect(StatusCode::ACCEPTED, format!("DELETE {path}"), answer).await.map(|_| true),
        }
    }
}
