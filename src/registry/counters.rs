//! The live counters of one registry, its access log, and the body that counts what leaves.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Method, StatusCode};
use hyper::body::{Frame, SizeHint};
use uuid::Uuid;

use super::traffic::{LogEntry, LogPage, Snapshot, Traffic};

/// Entries of the access log that are held: a pull or push makes some dozens.
const LOG_ENTRIES: usize = 4096;

#[derive(Debug)]
pub struct Counters {
    instance: String,
    requests: AtomicU64,
    manifest_requests: AtomicU64,
    manifest_bytes: AtomicU64,
    blob_requests: AtomicU64,
    blob_bytes: AtomicU64,
    blob_bytes_received: AtomicU64,
    manifests_received: AtomicU64,
    errors: AtomicU64,
    log: Mutex<Log>,
}

#[derive(Debug, Default)]
struct Log {
    next: u64,
    entries: VecDeque<LogEntry>,
}

/// What an answer's body is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    Manifest,
    Blob,
    /// Errors, and answers about things: in the log alone.
    Other,
}

impl Counters {
    pub fn new() -> Self {
        Self {
            instance: Uuid::now_v7().to_string(),
            requests: AtomicU64::new(0),
            manifest_requests: AtomicU64::new(0),
            manifest_bytes: AtomicU64::new(0),
            blob_requests: AtomicU64::new(0),
            blob_bytes: AtomicU64::new(0),
            blob_bytes_received: AtomicU64::new(0),
            manifests_received: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            log: Mutex::default(),
        }
    }

    /// A consistent reading only while nothing is being transferred: the counters are read one after the other.
    pub fn snapshot(&self) -> Snapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Snapshot {
            instance: self.instance.clone(),
            traffic: Traffic {
                requests: read(&self.requests),
                manifest_requests: read(&self.manifest_requests),
                manifest_bytes: read(&self.manifest_bytes),
                blob_requests: read(&self.blob_requests),
                blob_bytes: read(&self.blob_bytes),
                blob_bytes_received: read(&self.blob_bytes_received),
                manifests_received: read(&self.manifests_received),
                errors: read(&self.errors),
            },
        }
    }

    pub fn request(&self) {
        add(&self.requests, 1);
    }

    pub fn manifest_request(&self) {
        add(&self.manifest_requests, 1);
    }

    pub fn blob_request(&self) {
        add(&self.blob_requests, 1);
    }

    pub fn blob_received(&self, bytes: usize) {
        add(&self.blob_bytes_received, bytes as u64);
    }

    pub fn manifest_received(&self) {
        add(&self.manifests_received, 1);
    }

    pub fn answer(&self, method: &Method, status: StatusCode) {
        let only_asked = *method == Method::HEAD && status == StatusCode::NOT_FOUND;
        if status.as_u16() >= 400 && !only_asked {
            add(&self.errors, 1);
        }
    }

    /// Entries from a sequence number on.
    pub fn log(&self, since: u64) -> LogPage {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = log.entries.front().map_or(log.next, |entry| entry.seq);
        LogPage {
            next: log.next,
            forgotten: oldest.saturating_sub(since),
            entries: log.entries.iter().filter(|entry| entry.seq >= since).cloned().collect(),
        }
    }

    fn sent(&self, content: Content, bytes: usize) {
        match content {
            Content::Manifest => add(&self.manifest_bytes, bytes as u64),
            Content::Blob => add(&self.blob_bytes, bytes as u64),
            Content::Other => {}
        }
    }

    fn ended(&self, entry: LogEntry) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.entries.len() == LOG_ENTRIES {
            log.entries.pop_front();
        }
        let seq = log.next;
        log.next += 1;
        log.entries.push_back(LogEntry { seq, ..entry });
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

/// An answer's body that counts what the connection takes of it, and enters the answer in the log when it ends.
pub struct Counted {
    inner: Body,
    content: Content,
    counters: Arc<Counters>,
    entry: LogEntry,
}

impl Counted {
    pub fn new(
        inner: Body,
        content: Content,
        counters: Arc<Counters>,
        method: &Method,
        path: &str,
        status: StatusCode,
    ) -> Self {
        let entry =
            LogEntry { seq: 0, method: method.to_string(), path: path.to_owned(), status: status.as_u16(), bytes: 0 };
        Self { inner, content, counters, entry }
    }
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.inner).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            this.counters.sent(this.content, data.len());
            this.entry.bytes += data.len() as u64;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.counters.ended(self.entry.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    fn counted(counters: &Arc<Counters>, content: Content, chunks: &[&'static [u8]]) -> Counted {
        let chunks: Vec<Result<&'static [u8], std::io::Error>> = chunks.iter().map(|chunk| Ok(*chunk)).collect();
        let body = Body::from_stream(futures_util::stream::iter(chunks));
        Counted::new(body, content, Arc::clone(counters), &Method::GET, "/x", StatusCode::OK)
    }

    #[tokio::test]
    async fn only_what_was_taken_counts() {
        let counters = Arc::new(Counters::new());
        let mut half = counted(&counters, Content::Blob, &[b"12345", b"678"]);
        assert_eq!(counters.snapshot().traffic.blob_bytes, 0);
        half.frame().await.unwrap().unwrap();
        assert_eq!(counters.snapshot().traffic.blob_bytes, 5);
        assert_eq!(counters.log(0).entries, []);
        drop(half);
        counted(&counters, Content::Manifest, &[b"12"]).collect().await.unwrap();
        counted(&counters, Content::Other, &[b"1234"]).collect().await.unwrap();

        let traffic = counters.snapshot().traffic;
        assert_eq!((traffic.blob_bytes, traffic.manifest_bytes), (5, 2));
        let bytes: Vec<(u64, u64)> = counters.log(0).entries.iter().map(|entry| (entry.seq, entry.bytes)).collect();
        assert_eq!(bytes, [(0, 5), (1, 2), (2, 4)]);
    }

    #[test]
    fn the_log_is_bounded_and_says_what_it_forgot() {
        let counters = Arc::new(Counters::new());
        let total = LOG_ENTRIES as u64 + 10;
        for _ in 0..total {
            drop(counted(&counters, Content::Other, &[]));
        }
        let page = counters.log(4);
        assert_eq!((page.next, page.forgotten, page.entries.len()), (total, 6, LOG_ENTRIES));
        assert_eq!(page.entries[0].seq, 10);
        let newest = counters.log(total - 1);
        assert_eq!((newest.forgotten, newest.entries.len()), (0, 1));
        assert_eq!(counters.log(total).entries, []);
    }

    #[test]
    fn asking_whether_something_is_there_is_no_error() {
        let counters = Counters::new();
        for (method, status) in [(Method::HEAD, 404), (Method::GET, 404), (Method::HEAD, 500), (Method::GET, 200)] {
            counters.answer(&method, StatusCode::from_u16(status).unwrap());
        }
        assert_eq!(counters.snapshot().traffic.errors, 2);
    }
}
