//! The live counters of one registry, and the body that counts what leaves.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Method, StatusCode};
use hyper::body::{Frame, SizeHint};
use uuid::Uuid;

use super::traffic::{Snapshot, Traffic};

#[derive(Debug)]
pub struct Counters {
    instance: String,
    traffic: Mutex<Traffic>,
}

/// One of the counters.
pub type Counter = fn(&mut Traffic) -> &mut u64;

impl Counters {
    pub fn new() -> Self {
        Self { instance: Uuid::now_v7().to_string(), traffic: Mutex::default() }
    }

    pub fn snapshot(&self) -> Snapshot {
        let traffic = *self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        Snapshot { instance: self.instance.clone(), traffic }
    }

    pub fn add(&self, counter: Counter, count: usize) {
        *counter(&mut self.traffic.lock().unwrap_or_else(PoisonError::into_inner)) += count as u64;
    }

    /// Counts an answer that tells of an error.
    pub fn answered(&self, method: &Method, status: StatusCode) {
        let only_asked = *method == Method::HEAD && status == StatusCode::NOT_FOUND;
        if status.as_u16() >= 400 && !only_asked {
            self.add(|traffic| &mut traffic.errors, 1);
        }
    }
}

/// An answer's body that counts what the connection takes of it.
pub struct Counted {
    inner: Body,
    counters: Arc<Counters>,
    counter: Counter,
}

impl Counted {
    pub fn new(inner: Body, counters: &Arc<Counters>, counter: Counter) -> Self {
        Self { inner, counters: Arc::clone(counters), counter }
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
            this.counters.add(this.counter, data.len());
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

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    fn counted(counters: &Arc<Counters>, counter: Counter, chunks: &[&'static [u8]]) -> Counted {
        let chunks: Vec<Result<&'static [u8], std::io::Error>> = chunks.iter().map(|chunk| Ok(*chunk)).collect();
        Counted::new(Body::from_stream(futures_util::stream::iter(chunks)), counters, counter)
    }

    #[tokio::test]
    async fn only_what_was_taken_counts() {
        let counters = Arc::new(Counters::new());
        let mut half = counted(&counters, |traffic| &mut traffic.blob_bytes, &[b"12345", b"678"]);
        assert_eq!(counters.snapshot().traffic.blob_bytes, 0);
        half.frame().await.unwrap().unwrap();
        assert_eq!(counters.snapshot().traffic.blob_bytes, 5);
        drop(half);
        counted(&counters, |traffic| &mut traffic.manifest_bytes, &[b"12"]).collect().await.unwrap();
        let expected = Traffic { blob_bytes: 5, manifest_bytes: 2, ..Traffic::default() };
        assert_eq!(counters.snapshot().traffic, expected);
    }

    #[test]
    fn asking_whether_something_is_there_is_no_error() {
        let counters = Counters::new();
        for (method, status) in [(Method::HEAD, 404), (Method::GET, 404), (Method::HEAD, 500), (Method::GET, 200)] {
            counters.answered(&method, StatusCode::from_u16(status).unwrap());
        }
        assert_eq!(counters.snapshot().traffic.errors, 2);
    }
}
