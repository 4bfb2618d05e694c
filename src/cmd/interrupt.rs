//! Ctrl-C and a polite request to end: tear down in good order, and leave readable files.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::notice;

/// Turns true with the first SIGINT or SIGTERM. A second one ends the process at once: containers go with it, and
/// `dindbench clean` removes the rest.
pub fn watch() -> std::io::Result<watch::Receiver<bool>> {
    let (tell, interrupted) = watch::channel(false);
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            if *tell.borrow() {
                notice("ended at once; `dindbench clean` removes what is left");
                std::process::exit(130);
            }
            notice("interrupted, tearing down; once more to end at once");
            // Nobody may be listening any more.
            let _ = tell.send(true);
        }
    });
    Ok(interrupted)
}
