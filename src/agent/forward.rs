//! Makes the registry's unix socket answer at one TCP address in every engine's container.

use std::path::PathBuf;

use tokio::net::{TcpListener, UnixStream};

use super::AgentError;

/// Forwards every connection to `address` (loopback only) to the socket, for as long as the program runs.
pub async fn forward(address: &str, socket: PathBuf) -> Result<(), AgentError> {
    let wrong = |error: std::io::Error| AgentError::new(format!("forward {address}"), error);
    let listener = TcpListener::bind(address).await.map_err(wrong)?;
    tokio::spawn(async move {
        loop {
            // A client that went away while it was accepted is its own loss.
            let Ok((mut client, _)) = listener.accept().await else { continue };
            // A small packet that waits for more would be counted as the engine's time. Where this fails, the connection
            // is gone.
            let _ = client.set_nodelay(true);
            let socket = socket.clone();
            tokio::spawn(async move {
                // A registry that is not there closes the connection, and the engine's own message says so.
                if let Ok(mut registry) = UnixStream::connect(&socket).await {
                    let _ = tokio::io::copy_bidirectional_with_sizes(&mut client, &mut registry, 256 << 10, 256 << 10)
                        .await;
                }
            });
        }
    });
    Ok(())
}
