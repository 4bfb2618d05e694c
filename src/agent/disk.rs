//! A file system of its own for an engine's data: a file, mounted through a loop device.
//!
//! With it the allocated bytes are exact to the block, cold is cold in every trial, and nothing of a trial outlives it.
//! An inner engine can have one in turn, in a file on the outer one's.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{SeekFrom, copy_file_range, seek, statvfs, syncfs};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};

use super::{AgentError, DiskConfig, NestedDisk, device};
use crate::case::FileSystem;

/// Apparent size of a file system that is only tried: more than the least of any.
const TRIED_BYTES: u64 = 1 << 30;

/// A mounted disk.
#[derive(Debug)]
pub(super) struct Disk {
    root: PathBuf,
}

impl Disk {
    /// Makes the disk, where it is not there from an earlier life of its engine, and mounts it. A copy is unlinked at once:
    /// it lives as long as its mount.
    pub fn mount(config: &DiskConfig, root: &Path) -> Result<Self, AgentError> {
        match &config.copy_of {
            Some(source) => copy_sparse(source, &config.file)?,
            None if config.file.exists() => {}
            None => format(config)?,
        }
        device::make_loop_nodes()?;
        std::fs::create_dir_all(root).map_err(|error| AgentError::new(format!("make {}", root.display()), error))?;
        run(Command::new("mount")
            .args(["-t", &config.file_system.to_string(), "-o", "loop"])
            .arg(&config.file)
            .arg(root))?;
        if config.copy_of.is_some() {
            std::fs::remove_file(&config.file)
                .map_err(|error| AgentError::new(format!("unlink {}", config.file.display()), error))?;
        }
        Ok(Self { root: root.to_owned() })
    }

    /// What is used here; of a file system nested in a file, what is used in it and not what the file has grown to, which
    /// it does when blocks are written back and never undoes. Empty where that one is not mounted: then only it knows. Empty
    /// as well for one that counts nothing before it is written out, and was not `settled`.
    pub fn used(&self, nested: Option<&NestedDisk>, settled: bool) -> Option<Used> {
        let here = Used::at(&self.root)?;
        let Some(nested) = nested else { return Some(here) };
        if nested.file_system == FileSystem::Btrfs && !settled {
            return None;
        }
        let (file, root) = (nested.seen(&nested.file)?, nested.seen(&nested.root)?);
        let (file, device) = (std::fs::metadata(file).ok()?, std::fs::metadata(&root).ok()?.dev());
        if device == file.dev() {
            return None;
        }
        let there = Used::at(&root)?;
        let bytes = here.bytes.checked_sub(file.blocks() * BLOCK)?.checked_add(there.bytes)?;
        Some(Used { bytes, inodes: here.inodes.zip(there.inodes).map(|(here, there)| here + there) })
    }

    /// Bytes read from and written to the loop device since it was set up.
    pub fn io_bytes(&self) -> Option<(u64, u64)> {
        let device = std::fs::metadata(&self.root).ok()?.dev();
        let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
        sectors(&std::fs::read_to_string(format!("/sys/dev/block/{major}:{minor}/stat")).ok()?)
    }

    /// Writes out everything that is still in memory only, the nested file system first.
    pub fn settle(&self, nested: Option<&NestedDisk>) -> Result<(), AgentError> {
        // One that is not mounted was written out by that.
        let nested = nested.and_then(|nested| nested.seen(&nested.root)).filter(|root| root.exists());
        for root in nested.iter().chain([&self.root]) {
            let wrong = |error: std::io::Error| AgentError::new(format!("settle {}", root.display()), error);
            let folder = File::open(root).map_err(wrong)?;
            syncfs(folder).map_err(|error| wrong(error.into()))?;
        }
        Ok(())
    }

    pub fn unmount(self) -> Result<(), AgentError> {
        unmount(&self.root, UnmountFlags::empty())
            .map_err(|error| AgentError::new(format!("unmount {}", self.root.display()), error))
    }
}

/// The unit of allocation that a file's metadata counts in.
const BLOCK: u64 = 512;

/// What is allocated on a file system. Not every one counts inodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Used {
    pub bytes: u64,
    pub inodes: Option<u64>,
}

impl Used {
    fn at(root: &Path) -> Option<Self> {
        let stat = statvfs(root).ok()?;
        let bytes = stat.f_blocks.checked_sub(stat.f_bfree)? * stat.f_frsize;
        let inodes = if stat.f_files == 0 { None } else { Some(stat.f_files.checked_sub(stat.f_ffree)?) };
        Some(Self { bytes, inodes })
    }
}

impl NestedDisk {
    /// A path of that container, as it is seen from here.
    fn seen(&self, path: &Path) -> Option<PathBuf> {
        Some(Path::new("/proc").join(self.pid?.to_string()).join("root").join(path.strip_prefix("/").ok()?))
    }
}

/// Bytes that others than root can still write on the file system of a folder.
pub(super) fn free_bytes(folder: &Path) -> Option<u64> {
    let stat = statvfs(folder).ok()?;
    Some(stat.f_bavail * stat.f_frsize)
}

/// Whether a loop device of this machine has a file of this name. It has it until its last mount is gone and everything
/// written out, which can be after the container that mounted it.
pub(super) fn attached(name: &str) -> Result<bool, AgentError> {
    let devices = Path::new("/sys/block");
    let list = std::fs::read_dir(devices).map_err(|error| AgentError::new("list the block devices", error))?;
    let mut files = list.flatten().map(|device| device.path().join("loop/backing_file"));
    // A device without a file has no such entry, and one can lose it meanwhile.
    Ok(files.any(|file| std::fs::read_to_string(file).is_ok_and(|path| path.contains(name))))
}

/// Makes a file system in a file, mounts it, and takes both away: whether the tools for it are here, and the kernel has it.
pub fn try_file_system(file_system: FileSystem, folder: &Path) -> Result<(), AgentError> {
    let config = DiskConfig { file: folder.join("try.img"), copy_of: None, file_system, bytes: TRIED_BYTES };
    let disk = Disk::mount(&config, &folder.join("mounted"))?;
    disk.unmount()
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
    let mut command = Command::new(format!("mkfs.{}", config.file_system));
    match config.file_system {
        FileSystem::Ext4 => {
            // Everything is initialised now: the kernel would otherwise go on writing during the measurements.
            let options = "lazy_itable_init=0,lazy_journal_init=0,nodiscard";
            command.args(["-q", "-F", "-m", "0", "-i", "32768", "-E", options])
        }
        FileSystem::Xfs | FileSystem::Btrfs => command.args(["-q", "-f", "-K"]),
    };
    run(command.arg(&config.file))
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
