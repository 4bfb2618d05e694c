//! `socket`: the outer engine's socket, mounted into the job container.

use super::{JobContainer, SOCKET_FOLDER};
use crate::engine::Mount;

/// The folder of the outer engine's socket, as the outer engine sees it.
pub(super) fn mount() -> Mount {
    JobContainer::bind(SOCKET_FOLDER)
}
