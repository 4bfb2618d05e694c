//! One operation of a job through the engine's API, done where the docker command would do it: in the job container, at
//! the same address.

use std::io::{Seek, SeekFrom};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::AgentError;
use super::control::say;
use crate::engine::{BuildRequest, Engine, EngineError, Settings, Source};
use crate::units::as_nanos;

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    Pull {
        image: String,
    },
    Push {
        image: String,
    },
    /// The folder is packed before the clock starts: packing is the client's business, and differs between clients.
    Build {
        folder: PathBuf,
        request: BuildRequest,
    },
    Run {
        image: String,
        command: Vec<String>,
    },
}

/// A line on standard output. Times are since the request was begun, by the clock of the job container's machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// A part of the engine's answer, or of a container's output, in base 64: a part can end within a character.
    Part { at_ns: u64, source: Source, base64: String },
    /// The end, always last. `exit_code` is that of a container which was run to its end.
    End { elapsed_ns: u64, exit_code: Option<i64>, error: Option<String> },
}

/// Parts of an answer on their way to standard output.
type Parts = mpsc::UnboundedSender<Said>;

impl Operation {
    /// The one argument that says what to do.
    pub fn to_argument(&self) -> String {
        serde_json::to_string(self).expect("texts are JSON")
    }

    /// Does it on the engine that the environment names. Parts are written by another task, so that writing is no part of
    /// the operation.
    pub async fn execute(self) -> Result<(), AgentError> {
        let found =
            Settings::from_environment().endpoint().map_err(|error| AgentError::new("find the engine", error))?;
        let engine = Engine::at(found.endpoint, "job's");
        let context = self.context()?;
        // A connection that stands already, as a client that lives has one.
        engine.ping(Duration::from_secs(10)).await.map_err(|error| AgentError::new("reach the engine", error))?;
        let (parts, mut received) = mpsc::unbounded_channel();
        let writer = tokio::spawn(async move {
            while let Some(part) = received.recv().await {
                say(&part).await?;
            }
            Ok::<_, AgentError>(())
        });
        let began = Instant::now();
        let ended = self.request(&engine, context, began, parts).await;
        let elapsed_ns = as_nanos(began.elapsed());
        writer.await.map_err(|error| AgentError::new("write what the engine said", error))??;
        let (exit_code, error) = match ended {
            Ok(exit_code) => (exit_code, None),
            Err(error) => (None, Some(error.cause.to_string())),
        };
        say(&Said::End { elapsed_ns, exit_code, error }).await
    }

    fn context(&self) -> Result<Option<std::fs::File>, AgentError> {
        let Self::Build { folder, .. } = self else { return Ok(None) };
        let pack = || {
            let mut tar = tar::Builder::new(tempfile::tempfile()?);
            tar.follow_symlinks(false);
            tar.append_dir_all(".", folder)?;
            let mut file = tar.into_inner()?;
            file.seek(SeekFrom::Start(0))?;
            Ok::<_, std::io::Error>(file)
        };
        pack().map(Some).map_err(|error| AgentError::new(format!("pack {}", folder.display()), error))
    }

    /// Returns the exit code of a container that was run.
    async fn request(
        self,
        engine: &Engine,
        context: Option<std::fs::File>,
        began: Instant,
        parts: Parts,
    ) -> Result<Option<i64>, EngineError> {
        let tell = |source: Source, bytes: &[u8]| {
            // Without a reader there is nobody left to tell.
            let _ = parts.send(Said::Part { at_ns: as_nanos(began.elapsed()), source, base64: STANDARD.encode(bytes) });
        };
        match self {
            Self::Pull { image } => engine.pull(&image, |bytes| tell(Source::Stdout, &bytes)).await.map(|()| None),
            Self::Push { image } => engine.push(&image, |bytes| tell(Source::Stdout, &bytes)).await.map(|()| None),
            Self::Build { request, .. } => {
                let context = context.expect("a build has packed its context");
                let context = tokio::fs::File::from_std(context);
                engine.build(&request, context, |bytes| tell(Source::Stdout, &bytes)).await.map(|()| None)
            }
            Self::Run { image, command } => {
                engine.run(&image, &command, |source, bytes| tell(source, &bytes)).await.map(Some)
            }
        }
    }
}
