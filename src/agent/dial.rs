//! The far end of a tunnel: carries standard input and output to a unix socket.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use super::AgentError;

/// How often a socket that is not there yet is tried again: far below what a readiness is measured to.
const RETRY: Duration = Duration::from_millis(1);

/// Connects as soon as the socket accepts, and copies until the other side ends the connection. A request that is
/// sent early is answered the moment the engine serves.
pub fn dial(socket: &Path, deadline: Duration) -> Result<(), AgentError> {
    let stream = connect(socket, deadline)?;
    let wrong = |error: std::io::Error| AgentError::new(format!("talk to {}", socket.display()), error);
    let upstream = stream.try_clone().map_err(wrong)?;
    std::thread::spawn(move || {
        // An error here ends the connection, which the other direction reports.
        let _ = copy(std::io::stdin().lock(), &upstream);
        let _ = upstream.shutdown(Shutdown::Write);
    });
    copy(&stream, std::io::stdout().lock()).map_err(wrong)
}

fn connect(socket: &Path, deadline: Duration) -> Result<UnixStream, AgentError> {
    let began = Instant::now();
    loop {
        match UnixStream::connect(socket) {
            Ok(stream) => return Ok(stream),
            Err(error) if began.elapsed() >= deadline => {
                return Err(AgentError::new(format!("connect to {}", socket.display()), error));
            }
            Err(_) => std::thread::sleep(RETRY),
        }
    }
}

/// Copies and flushes what is there: standard output is line-buffered, and a response need not end in a newline.
fn copy(mut from: impl Read, mut to: impl Write) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = from.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..length])?;
        to.flush()?;
    }
}
