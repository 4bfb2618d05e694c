//! A file system of its own for an engine's data: a file, mounted through a loop device.
//!
//! With it the allocated bytes are exact to the block, cold is cold in every trial, and nothing of a trial outlives it.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{CWD, FileType, Mode, SeekFrom, copy_file_range, makedev, mknodat, seek, statvfs, syncfs};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};

use super::{AgentError, DiskConfig};

/// Loop devices for which a node is made; the kernel's own limit is far higher.
const LOOP_DEVICES: u32 = 64;
const LOOP_MAJOR: u32 = 7;

/// A mounted disk.
#[derive(Debug)]
pub(super) struct Disk {
    root: PathBuf,
}

impl Disk {
    /// Makes the disk and mounts it. A copy is unlinked at once: it lives as long as its mount.
    pub fn mount(config: &DiskConfig, root: &Path) -> Result<Self, AgentError> {
        match &config.copy_of {
            Some(source) => copy_sparse(source, &config.file)?,
            None => format(config)?,
        }
        make_loop_nodes()?;
        std::fs::create_dir_all(root).map_err(|error| AgentError::new(format!("make {}", root.display()), error))?;
        run(Command::new("mount").args(["-o", "loop"]).arg(&config.file).arg(root))?;
        if config.copy_of.is_some() {
            std::fs::remove_file(&config.file)
                .map_err(|error| AgentError::new(format!("unlink {}", config.file.display()), error))?;
        }
        Ok(Self { root: root.to_owned() })
    }

    /// Allocated bytes and used inodes.
    pub fn used(&self) -> Option<(u64, u64)> {
        let stat = statvfs(&self.root).ok()?;
        Some((stat.f_blocks.checked_sub(stat.f_bfree)? * stat.f_frsize, stat.f_files.checked_sub(stat.f_ffree)?))
    }

    /// Bytes read from and written to the loop device since it was set up.
    pub fn io_bytes(&self) -> Option<(u64, u64)> {
        let device = std::fs::metadata(&self.root).ok()?.dev();
        let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
        sectors(&std::fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/stat")).ok()?)
    }

    /// Writes out everything that is still in memory only.
    pub fn settle(&self) -> Result<(), AgentError> {
        let wrong = |error: std::io::Error| AgentError::new(format!("settle {}", self.root.display()), error);
        let folder = File::open(&self.root).map_err(wrong)?;
        syncfs(folder).map_err(|error| wrong(error.into()))
    }

    pub fn unmount(self) -> Result<(), AgentError> {
        unmount(&self.root, UnmountFlags::empty())
            .map_err(|error| AgentError::new(format!("unmount {}", self.root.display()), error))
    }
}

/// Fields 3 and 7 of a block device's statistics are sectors of 512 bytes, whatever the device's own sector size.
fn sectors(text: &str) -> Option<(u64, u64)> {
    let fields: Vec<u64> = text.split_whitespace().map_while(|field| field.parse().ok()).collect();
    Some((fields.get(2)? * 512, fields.get(6)? * 512))
}

fn format(config: &DiskConfig) -> Result<(), AgentError> {
    let file = File::create_new(&config.file);
    file.and_then(|file| file.set_len(config.bytes))
        .map_err(|error| AgentError::new(format!("make {}", config.file.display()), error))?;
    // Everything is initialised now: the kernel would otherwise go on writing during the measurements.
    let options = "lazy_itable_init=0,lazy_journal_init=0,nodiscard";
    run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0", "-i", "32768", "-E", options]).arg(&config.file))
}

/// Copies the parts of a file that hold data, and leaves its holes holes.
fn copy_sparse(source: &Path, target: &Path) -> Result<(), AgentError> {
    let wrong =
        |error: std::io::Error| AgentError::new(format!("copy {} to {}", source.display(), target.display()), error);
    let from = File::open(source).map_err(wrong)?;
    let to = File::create_new(target).map_err(wrong)?;
    let length = from.metadata().map_err(wrong)?.len();
    to.set_len(length).map_err(wrong)?;
    let mut at = 0;
    while at < length {
        let start = match seek(&from, SeekFrom::Data(at)) {
            Ok(start) => start,
            // No data after this offset.
            Err(Errno::NXIO) => break,
            Err(error) => return Err(wrong(error.into())),
        };
        let end = seek(&from, SeekFrom::Hole(start)).map_err(|error| wrong(error.into()))?;
        copy_extent(&from, &to, start, end).map_err(wrong)?;
        at = end;
    }
    Ok(())
}

fn copy_extent(from: &File, to: &File, start: u64, end: u64) -> std::io::Result<()> {
    let (mut read_at, mut write_at) = (start, start);
    while read_at < end {
        let length = usize::try_from(end - read_at).unwrap_or(usize::MAX).min(1 << 30);
        if copy_file_range(from, Some(&mut read_at), to, Some(&mut write_at), length)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

/// Device nodes for loop devices: a container's /dev holds those that existed when it was created, or none at all.
fn make_loop_nodes() -> Result<(), AgentError> {
    let wrong = |path: &str, error: Errno| AgentError::new(format!("make the device {path}"), error);
    let nodes = (0..LOOP_DEVICES)
        .map(|number| (format!("/dev/loop{number}"), FileType::BlockDevice, makedev(LOOP_MAJOR, number)));
    let control = ("/dev/loop-control".to_owned(), FileType::CharacterDevice, makedev(10, 237));
    for (path, kind, device) in nodes.chain([control]) {
        match mknodat(CWD, &path, kind, Mode::from_raw_mode(0o600), device) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(wrong(&path, error)),
        }
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<(), AgentError> {
    let line = format!("run {command:?}");
    let output = command.output().map_err(|error| AgentError::new(line.as_str(), error))?;
    if output.status.success() {
        return Ok(());
    }
    Err(AgentError::new(line, format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn a_sparse_copy_has_the_same_bytes_and_stays_sparse() {
        let folder = tempfile::tempdir().unwrap();
        let (source, target) = (folder.path().join("a"), folder.path().join("b"));
        let file = File::create_new(&source).unwrap();
        file.set_len(64 << 20).unwrap();
        file.write_all_at(&[7; 4096], 8 << 20).unwrap();
        file.write_all_at(&[9; 100_000], 40 << 20).unwrap();
        copy_sparse(&source, &target).unwrap();
        assert!(std::fs::read(&source).unwrap() == std::fs::read(&target).unwrap());
        assert!(std::fs::metadata(&target).unwrap().blocks() * 512 < 1 << 20);
    }

    #[test]
    fn device_statistics_are_in_sectors_of_512_bytes() {
        assert_eq!(sectors("   10  0  8 5  20 0 16 3 0 1 1 0 0 0 0"), Some((4096, 8192)));
        assert_eq!(sectors("1 2"), None);
    }
}
