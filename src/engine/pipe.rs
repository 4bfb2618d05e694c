//! The standard streams of a command in a container, as a byte stream and as lines.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bollard::container::LogOutput;
use bollard::errors::Error;
use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::{Cause, Engine, EngineError, Verb};

/// One of a command's or container's two output streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Source {
    Stdout,
    Stderr,
}

/// What a container prints, as bollard hands it out.
pub(super) type LogStream = Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>;
type Input = Pin<Box<dyn AsyncWrite + Send>>;

/// A command's standard output to read and its standard input to write.
pub(super) struct Pipe {
    output: LogStream,
    input: Input,
    unread: Bytes,
    complaint: Vec<u8>,
}

/// How much of what a command says on standard error is kept for a message.
const COMPLAINT_BYTES: usize = 1024;

impl Engine {
    /// Runs a command in a running container, with a byte stream to its standard input and output.
    pub(super) async fn pipe(&self, container: &str, command: &[String]) -> Result<Pipe, EngineError> {
        let (_, output, input) = self.start_exec(container, command, &[], None, true).await?;
        Ok(Pipe { output, input, unread: Bytes::new(), complaint: Vec::new() })
    }
}

impl Pipe {
    fn ended(&self) -> std::io::Result<()> {
        if self.complaint.is_empty() {
            return Ok(());
        }
        Err(std::io::Error::other(String::from_utf8_lossy(&self.complaint).trim().to_owned()))
    }
}

impl AsyncRead for Pipe {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        while self.unread.is_empty() {
            match ready!(self.output.poll_next_unpin(cx)) {
                Some(Ok(LogOutput::StdErr { message })) => {
                    let room = COMPLAINT_BYTES.saturating_sub(self.complaint.len());
                    self.complaint.extend_from_slice(&message[..message.len().min(room)]);
                }
                Some(Ok(output)) => self.unread = output.into_bytes(),
                Some(Err(error)) => return Poll::Ready(Err(std::io::Error::other(error))),
                None => return Poll::Ready(self.ended()),
            }
        }
        let length = self.unread.len().min(buf.remaining());
        buf.put_slice(&self.unread[..length]);
        self.unread.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.input.as_mut().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.input.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.input.as_mut().poll_shutdown(cx)
    }
}

/// The standard streams of a container's first process. The container's input ends when this is dropped, or when the
/// process that holds it is killed.
pub struct Attached {
    engine: Engine,
    container: String,
    output: LogStream,
    input: Input,
}

impl Engine {
    /// Attaches to a container that was created with an open standard input; do it before the start, so that no
    /// output is lost.
    pub async fn attach(&self, container: &str) -> Result<Attached, EngineError> {
        let options = bollard::query_parameters::AttachContainerOptionsBuilder::default()
            .stdin(true)
            .stdout(true)
            .stderr(true)
            .stream(true)
            .build();
        let results = self
            .docker
            .attach_container(container, Some(options))
            .await
            .map_err(|error| self.error(Verb::Attach, container, error.into()))?;
        Ok(Attached {
            engine: self.clone(),
            container: container.to_owned(),
            output: results.output,
            input: results.input,
        })
    }
}

impl Attached {
    /// Splits into a writer of lines and a reader of chunks.
    pub fn split(self) -> (AttachedInput, AttachedOutput) {
        let input = AttachedInput { engine: self.engine, container: self.container, input: self.input };
        (input, AttachedOutput { output: self.output })
    }
}

pub struct AttachedInput {
    engine: Engine,
    container: String,
    input: Input,
}

impl AttachedInput {
    pub async fn line(&mut self, line: &str) -> Result<(), EngineError> {
        let bytes = format!("{line}\n");
        let written = async {
            self.input.write_all(bytes.as_bytes()).await?;
            self.input.flush().await
        };
        written.await.map_err(|error| {
            self.engine.error(Verb::Attach, self.container.as_str(), Cause::Connection(error.to_string()))
        })
    }
}

pub struct AttachedOutput {
    output: LogStream,
}

impl AttachedOutput {
    /// The next chunk; `None` when the container has ended or the connection is lost.
    pub async fn chunk(&mut self) -> Option<(Source, Bytes)> {
        match self.output.next().await? {
            Ok(LogOutput::StdErr { message }) => Some((Source::Stderr, message)),
            Ok(output) => Some((Source::Stdout, output.into_bytes())),
            Err(_) => None,
        }
    }
}
