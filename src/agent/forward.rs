//! Makes the registry answer at one TCP address in every engine's container.

use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use super::AgentError;

/// Where connections go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Unix(PathBuf),
    Tcp(&'static str),
}

/// Forwards every connection to `address` (loopback only), for as long as the program runs.
pub async fn forward(address: &str, target: Target) -> Result<(), AgentError> {
    let wrong = |error: std::io::Error| AgentError::new(format!("forward {address}"), error);
    let listener = TcpListener::bind(address).await.map_err(wrong)?;
    tokio::spawn(async move {
        loop {
            // A client that went away while it was accepted is its own loss.
            let Ok((mut client, _)) = listener.accept().await else { continue };
            // A small packet that waits for more would be counted as the engine's time. Where this fails, the connection
            // is gone.
            let _ = client.set_nodelay(true);
            let target = target.clone();
            tokio::spawn(async move {
                // A registry that is not there closes the connection, and the engine's own message says so.
                match target {
                    Target::Unix(socket) => copy(&mut client, UnixStream::connect(&socket).await).await,
                    Target::Tcp(address) => copy(&mut client, connect(address).await).await,
                }
            });
        }
    });
    Ok(())
}

async fn connect(address: &str) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn copy<S: AsyncRead + AsyncWrite + Unpin>(client: &mut TcpStream, registry: std::io::Result<S>) {
    const BUFFER: usize = 256 << 10;
    if let Ok(mut registry) = registry {
        let _ = tokio::io::copy_bidirectional_with_sizes(client, &mut registry, BUFFER, BUFFER).await;
    }
}
