//! A container that lives only as long as this process holds it, and answers requests on its standard streams.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, watch};

use super::TopologyError;
use super::error::{Death, last_error_line};
use crate::engine::{AttachedInput, AttachedOutput, ContainerSpec, Engine, EngineError, Source};

/// How many lines of a container's log are kept for its obituary.
const KEPT_LINES: usize = 50;
/// How long an answer may take: settling a disk after a large build can take a while.
const ANSWER_DEADLINE: Duration = Duration::from_secs(120);
/// How long the engine may take to say that a container has ended whose streams have.
const END_DEADLINE: Duration = Duration::from_secs(30);

/// If this process ends in any way, the container's standard input ends, the program in it ends, and the engine
/// removes the container: nothing is left to clean up but volumes and images.
pub struct Held {
    engine: Engine,
    name: String,
    conversation: tokio::sync::Mutex<Conversation>,
    log: Arc<Mutex<VecDeque<String>>>,
    ended: watch::Receiver<Option<Option<i64>>>,
}

/// One request at a time.
struct Conversation {
    input: AttachedInput,
    replies: Replies,
}

/// Replies come in the order of their requests.
struct Replies {
    lines: mpsc::Receiver<String>,
    /// Requests that were sent and whose reply was not taken yet. Whoever waited for an earlier one has given up.
    owed: usize,
}

impl Replies {
    /// The reply to the last request; nothing where the container has ended.
    async fn last(&mut self) -> Option<String> {
        loop {
            let reply = self.lines.recv().await?;
            self.owed -= 1;
            if self.owed == 0 {
                return Some(reply);
            }
        }
    }
}

impl Held {
    /// Creates, attaches to and starts a container.
    pub async fn start(engine: &Engine, spec: &ContainerSpec) -> Result<Self, EngineError> {
        engine.create_container(spec).await?;
        let (input, output) = engine.attach(&spec.name).await?.split();
        engine.start_container(&spec.name).await?;
        let log = Arc::new(Mutex::new(VecDeque::new()));
        let (tell_line, lines) = mpsc::channel(4);
        tokio::spawn(read(output, tell_line, Arc::clone(&log)));
        let (tell, ended) = watch::channel(None);
        let (waiter, name) = (engine.clone(), spec.name.clone());
        tokio::spawn(async move { tell.send(Some(waiter.wait_container(&name).await.ok())) });
        let replies = Replies { lines, owed: 0 };
        let conversation = tokio::sync::Mutex::new(Conversation { input, replies });
        Ok(Self { engine: engine.clone(), name: spec.name.clone(), conversation, log, ended })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The engine that the container is on.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Sends a request and waits for its reply.
    pub async fn ask<R: DeserializeOwned>(&self, request: &impl Serialize) -> Result<R, TopologyError> {
        let wrong = |reason: String| TopologyError::Answer { container: self.name.clone(), reason };
        let line = serde_json::to_string(request).map_err(|error| wrong(error.to_string()))?;
        let Conversation { input, replies } = &mut *self.conversation.lock().await;
        // Before it is sent: whoever stops waiting meanwhile does not know whether it was.
        replies.owed += 1;
        if input.line(&line).await.is_err() {
            return Err(TopologyError::Died(self.obituary().await));
        }
        match tokio::time::timeout(ANSWER_DEADLINE, replies.last()).await {
            Ok(Some(reply)) => serde_json::from_str(&reply).map_err(|error| wrong(format!("`{reply}`: {error}"))),
            Ok(None) => Err(TopologyError::Died(self.obituary().await)),
            Err(_) => Err(wrong(format!("nothing for {}", humantime::format_duration(ANSWER_DEADLINE)))),
        }
    }

    /// Returns when the container has ended, with the story of its end.
    pub async fn death(&self) -> Death {
        let mut ended = self.ended.clone();
        // The sender lives as long as the wait; a wait that fails tells no exit code.
        let exit_code = match ended.wait_for(Option::is_some).await {
            Ok(code) => code.flatten(),
            Err(_) => None,
        };
        // The last words can arrive just after the exit code.
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.story(exit_code)
    }

    /// Of a container that does not answer any more. Where the way to its engine is cut, nobody ever says that it has ended.
    async fn obituary(&self) -> Death {
        let death = tokio::time::timeout(END_DEADLINE, self.death()).await;
        death.unwrap_or_else(|_| self.story(None))
    }

    fn story(&self, exit_code: Option<i64>) -> Death {
        Death { container: self.name.clone(), exit_code, last_line: last_error_line(&self.log()) }
    }

    /// The end of the container, where it has ended already.
    pub async fn dead(&self) -> Option<Death> {
        if self.ended.borrow().is_some() { Some(self.death().await) } else { None }
    }

    /// Ends the container and waits until the engine has removed it.
    pub async fn remove(&self) -> Result<(), EngineError> {
        self.engine.remove_container(&self.name).await
    }

    fn log(&self) -> String {
        let lines = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// Takes a container's output apart: whole lines of standard output are replies, the rest is its log.
async fn read(mut output: AttachedOutput, replies: mpsc::Sender<String>, log: Arc<Mutex<VecDeque<String>>>) {
    let (mut reply, mut line) = (Vec::new(), Vec::new());
    while let Some((source, chunk)) = output.chunk().await {
        let pending = if source == Source::Stdout { &mut reply } else { &mut line };
        pending.extend_from_slice(&chunk);
        while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
            let text = String::from_utf8_lossy(&pending[..end]).into_owned();
            pending.drain(..=end);
            match source {
                // Nobody waits for a reply any more: the log still matters.
                Source::Stdout => drop(replies.send(text).await),
                Source::Stderr => keep(&log, text),
            }
        }
    }
}

fn keep(log: &Mutex<VecDeque<String>>, line: String) {
    let mut lines = log.lock().unwrap_or_else(PoisonError::into_inner);
    if lines.len() == KEPT_LINES {
        lines.pop_front();
    }
    lines.push_back(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first reply comes after its deadline, the second request is given up before its own.
    #[tokio::test(start_paused = true)]
    async fn a_late_reply_is_no_answer_to_a_later_request() {
        let (tell, lines) = mpsc::channel(4);
        let mut replies = Replies { lines, owed: 1 };
        assert!(tokio::time::timeout(ANSWER_DEADLINE, replies.last()).await.is_err(), "nothing is there");
        replies.owed += 1;
        tell.send("first".to_owned()).await.unwrap();
        assert!(tokio::time::timeout(ANSWER_DEADLINE, replies.last()).await.is_err(), "the second is not there");
        replies.owed += 1;
        for reply in ["second", "third"] {
            tell.send(reply.to_owned()).await.unwrap();
        }
        assert_eq!(replies.last().await.as_deref(), Some("third"));
        replies.owed += 1;
        tell.send("fourth".to_owned()).await.unwrap();
        assert_eq!(replies.last().await.as_deref(), Some("fourth"));
        drop(tell);
        replies.owed += 1;
        assert_eq!(replies.last().await, None);
    }
}
