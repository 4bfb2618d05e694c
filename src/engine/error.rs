//! What can go wrong between dindbench and an engine: one error per verb, naming the object and the engine.

use std::time::Duration;

/// A request that an engine did not fulfil.
#[derive(Debug, thiserror::Error)]
#[error("cannot {verb} {object} on the {engine} engine: {cause}")]
pub struct EngineError {
    pub verb: Verb,
    /// Name or id of the container, image, volume or path.
    pub object: String,
    /// The engine's role, such as `user` or `outer`.
    pub engine: String,
    pub cause: Cause,
}

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum Verb {
    Ping,
    Describe,
    #[strum(serialize = "measure the disk use of")]
    MeasureDisk,
    List,
    Create,
    Start,
    Stop,
    #[strum(serialize = "attach to")]
    Attach,
    #[strum(serialize = "wait for")]
    Wait,
    Inspect,
    #[strum(serialize = "read the logs of")]
    ReadLogs,
    Remove,
    Load,
    Save,
    Pull,
    Push,
    Build,
    Run,
    Tag,
    #[strum(serialize = "copy files out of")]
    CopyOut,
    #[strum(serialize = "copy files into")]
    CopyIn,
    #[strum(serialize = "execute a command in")]
    Exec,
}

/// Why it did not work.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The engine answered, and said no.
    #[error("{message}")]
    Refused { status: u16, message: String },
    /// No answer, or a connection that ended in the middle of one.
    #[error("the connection failed: {0}")]
    Connection(String),
    #[error("no answer within {}", humantime::format_duration(*.0))]
    Timeout(Duration),
    #[error("nothing was heard for {}", humantime::format_duration(*.0))]
    Stall(Duration),
    /// The engine reported a failure within a stream.
    #[error("{0}")]
    Stream(String),
    /// An answer that this version of dindbench does not understand.
    #[error("the answer makes no sense: {0}")]
    Answer(String),
}

impl EngineError {
    /// The status of a refusal, such as 404 or 409.
    pub fn status(&self) -> Option<u16> {
        match self.cause {
            Cause::Refused { status, .. } => Some(status),
            _ => None,
        }
    }

    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }
}

impl From<bollard::errors::Error> for Cause {
    fn from(error: bollard::errors::Error) -> Self {
        use bollard::errors::Error;
        match error {
            Error::DockerResponseServerError { status_code, message } => Self::Refused { status: status_code, message },
            Error::DockerStreamError { error } => Self::Stream(error),
            Error::JsonDataError { message, .. } => Self::Answer(message),
            Error::JsonSerdeError { err } => Self::Answer(err.to_string()),
            Error::RequestTimeoutError => Self::Timeout(super::REQUEST_TIMEOUT),
            other => Self::Connection(chain(&other)),
        }
    }
}

/// An error with its sources: hyper's own text says only "client error (Connect)".
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let more = inner.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        source = inner.source();
    }
    text
}
