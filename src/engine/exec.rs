//! Commands in running containers: a step of a job is one of these.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::{Duration, Instant};

use bollard::container::LogOutput;
use bollard::exec::StartExecResults;
use bollard::models::ExecConfig;
use bytes::Bytes;
use tokio::io::AsyncWrite;

use super::pipe::{LogStream, Source};
use super::{Cause, Engine, EngineError, Patience, Verb};

/// A command to execute in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub arguments: Vec<String>,
    /// `NAME=VALUE`.
    pub environment: Vec<String>,
    pub working_dir: Option<String>,
}

impl Command {
    pub fn new<I: IntoIterator<Item = S>, S: Into<String>>(arguments: I) -> Self {
        Self { arguments: arguments.into_iter().map(Into::into).collect(), environment: Vec::new(), working_dir: None }
    }
}

/// What a command printed, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Chunks in the order in which they arrived, with their time since the request for the command.
    pub chunks: Vec<(Duration, Source, Bytes)>,
    pub exit_code: i64,
    /// From just before the request for the command to the end of its output.
    pub elapsed: Duration,
    /// Bytes in the middle of the output that were not kept, because there were too many.
    pub dropped_bytes: usize,
}

impl Output {
    /// One stream as text.
    pub fn text(&self, source: Source) -> String {
        let bytes: Vec<u8> = self
            .chunks
            .iter()
            .filter(|(_, from, _)| *from == source)
            .flat_map(|(_, _, bytes)| bytes.iter().copied())
            .collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Most output of one command that is kept: the harness must stay small beside what it measures.
const MAX_OUTPUT_BYTES: usize = 16 << 20;

impl Engine {
    /// Executes a command and waits for its end. A non-zero exit code is not an error of the engine.
    pub async fn exec(&self, container: &str, command: &Command, patience: Patience) -> Result<Output, EngineError> {
        let wrap = |cause| self.error(Verb::Exec, container, cause);
        let watch = patience.start();
        let began = Instant::now();
        let start =
            self.start_exec(container, &command.arguments, &command.environment, command.working_dir.as_deref(), false);
        let (id, mut output, _) = watch.bound(start).await.map_err(wrap)??;
        let mut kept = Kept::default();
        while let Some(item) = watch.next(&mut output).await.map_err(wrap)? {
            let at = began.elapsed();
            match item.map_err(|error| wrap(error.into()))? {
                LogOutput::StdErr { message } => kept.push(at, Source::Stderr, message),
                other => kept.push(at, Source::Stdout, other.into_bytes()),
            }
        }
        let elapsed = began.elapsed();
        let state = self.docker.inspect_exec(&id).await.map_err(|error| wrap(error.into()))?;
        let exit_code = state
            .exit_code
            .ok_or_else(|| wrap(Cause::Connection("its output ended before the command did".to_owned())))?;
        Ok(Output { chunks: kept.chunks.into(), exit_code, elapsed, dropped_bytes: kept.dropped })
    }

    /// Executes a command that must succeed.
    pub async fn exec_well(
        &self,
        container: &str,
        command: &Command,
        patience: Patience,
    ) -> Result<Output, EngineError> {
        let output = self.exec(container, command, patience).await?;
        if output.exit_code == 0 {
            return Ok(output);
        }
        let (program, said) = (command.arguments.join(" "), output.text(Source::Stderr));
        let cause = Cause::Stream(format!("`{program}` ended with exit code {}: {}", output.exit_code, said.trim()));
        Err(self.error(Verb::Exec, container, cause))
    }

    /// Starts a command with attached streams; the input only where it is wanted.
    pub(super) async fn start_exec(
        &self,
        container: &str,
        arguments: &[String],
        environment: &[String],
        working_dir: Option<&str>,
        stdin: bool,
    ) -> Result<(String, LogStream, Pin<Box<dyn AsyncWrite + Send>>), EngineError> {
        let wrap = |cause| self.error(Verb::Exec, container, cause);
        let config = ExecConfig {
            cmd: Some(arguments.to_vec()),
            env: Some(environment.to_vec()),
            working_dir: working_dir.map(str::to_owned),
            attach_stdin: Some(stdin),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..ExecConfig::default()
        };
        let created = self.docker.create_exec(container, config).await.map_err(|error| wrap(error.into()))?;
        match self.docker.start_exec(&created.id, None).await.map_err(|error| wrap(error.into()))? {
            StartExecResults::Attached { output, input } => Ok((created.id, output, input)),
            StartExecResults::Detached => Err(wrap(Cause::Answer("the command was started detached".to_owned()))),
        }
    }
}

/// The chunks kept so far, bounded.
#[derive(Default)]
struct Kept {
    chunks: VecDeque<(Duration, Source, Bytes)>,
    /// Chunks that are never dropped.
    head: usize,
    bytes: usize,
    dropped: usize,
}

impl Kept {
    /// The first half is kept for good, and of the rest the end, which says how the command ended.
    fn push(&mut self, at: Duration, source: Source, chunk: Bytes) {
        self.bytes += chunk.len();
        if self.bytes <= MAX_OUTPUT_BYTES / 2 {
            self.head = self.chunks.len() + 1;
        }
        self.chunks.push_back((at, source, chunk));
        while self.bytes > MAX_OUTPUT_BYTES
            && let Some((_, _, dropped)) = self.chunks.remove(self.head)
        {
            self.bytes -= dropped.len();
            self.dropped += dropped.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_counted_and_both_ends_stay() {
        let mut kept = Kept::default();
        let chunk = |byte: u8| Bytes::from(vec![byte; 1 << 20]);
        for byte in 0..40 {
            kept.push(Duration::ZERO, Source::Stdout, chunk(byte));
        }
        let bytes: Vec<u8> = kept.chunks.iter().map(|(_, _, chunk)| chunk[0]).collect();
        assert_eq!(kept.dropped, 24 << 20);
        assert_eq!(bytes, (0..8).chain(32..40).collect::<Vec<u8>>());
    }
}
