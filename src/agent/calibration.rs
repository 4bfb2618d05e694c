//! The same small work in every block: what it takes tells how the machine changes over a run.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::AgentError;

/// Together about 150 ms on a small cloud machine.
const HASHED_BYTES: usize = 128 << 20;
const WRITES: usize = 96;
const WRITTEN_BYTES: usize = 64 << 10;

/// How long it takes to hash a fixed number of bytes and to write some to the disk of a folder, each time until they are
/// there.
pub fn calibrate(folder: &Path) -> Result<Duration, AgentError> {
    let path = folder.join("calibration");
    let wrong = |error: std::io::Error| AgentError::new(format!("write {}", path.display()), error);
    let block = vec![0x5a; WRITTEN_BYTES];
    let mut file = File::create(&path).map_err(wrong)?;
    let began = Instant::now();
    let mut hash = Sha256::new();
    (0..HASHED_BYTES / WRITTEN_BYTES).for_each(|_| hash.update(&block));
    std::hint::black_box(hash.finalize());
    for _ in 0..WRITES {
        file.write_all(&block).and_then(|()| file.sync_all()).map_err(wrong)?;
    }
    let elapsed = began.elapsed();
    std::fs::remove_file(&path).map_err(wrong)?;
    Ok(elapsed)
}
