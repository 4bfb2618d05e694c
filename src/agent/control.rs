//! Requests and replies on the standard streams of a container.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines, Stdin};

use serde::Serialize;

use super::{AgentError, Reply, Request};

/// The container's end of its control streams.
pub(super) struct Control(Lines<BufReader<Stdin>>);

impl Control {
    pub fn open() -> Self {
        Self(BufReader::new(tokio::io::stdin()).lines())
    }

    /// The next request; none once the client is gone, and with it everything in this container is to go.
    pub async fn next(&mut self) -> Result<Option<Request>, AgentError> {
        let Some(line) = self.0.next_line().await.map_err(|error| AgentError::new("read a request", error))? else {
            return Ok(None);
        };
        serde_json::from_str(&line)
            .map(Some)
            .map_err(|error| AgentError::new(format!("understand the request `{line}`"), error))
    }
}

pub(super) async fn reply(reply: &Reply) -> Result<(), AgentError> {
    say(reply).await
}

/// One line on standard output.
pub(super) async fn say(what: &impl Serialize) -> Result<(), AgentError> {
    let wrong = |error: std::io::Error| AgentError::new("reply", error);
    let mut line = serde_json::to_vec(what).map_err(|error| wrong(error.into()))?;
    line.push(b'\n');
    let mut stdout = tokio::io::stdout();
    stdout.write_all(&line).await.map_err(wrong)?;
    stdout.flush().await.map_err(wrong)
}
