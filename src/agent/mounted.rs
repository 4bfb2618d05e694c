//! What a folder lies on: the file system that is mounted there, and with which options.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// A mounted file system, as the kernel describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mounted {
    /// The kernel's word for its type, such as `ext4`.
    pub file_system: String,
    /// Those of the mount, then those of the file system that the mount does not have; joined by commas.
    pub options: String,
}

impl Mounted {
    /// What a folder of this mount namespace lies on; empty where `/proc/self/mountinfo` does not tell.
    pub(super) fn at(folder: &Path) -> Option<Self> {
        Self::found(&std::fs::read_to_string("/proc/self/mountinfo").ok()?, folder)
    }

    /// The mount with the longest mount point above the folder; of several at the same point the last one hides the others.
    fn found(mountinfo: &str, folder: &Path) -> Option<Self> {
        let above = mountinfo.lines().filter_map(|line| {
            let point = unescaped(line.split(' ').nth(4)?);
            folder.starts_with(&point).then_some((Path::new(&point).components().count(), line))
        });
        let (_, line) = above.max_by_key(|(depth, _)| *depth)?;
        Self::parsed(line)
    }

    /// Fields by proc_pid_mountinfo(5): the mount's options are the sixth, and after ` - ` stand the type, the source and
    /// the options of the file system.
    fn parsed(line: &str) -> Option<Self> {
        let (mount, file_system) = line.split_once(" - ")?;
        let own: Vec<&str> = mount.split(' ').nth(5)?.split(',').collect();
        let mut fields = file_system.split(' ');
        let (kind, shared) = (fields.next()?, fields.nth(1)?);
        let added = shared.split(',').filter(|option| !own.contains(option));
        let options: Vec<&str> = own.iter().copied().chain(added).collect();
        Some(Self { file_system: kind.to_owned(), options: options.join(",") })
    }
}

/// A path as it is: blanks, tabs, line ends and backslashes stand there as three octal digits.
fn unescaped(field: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .into_iter()
        .fold(field.to_owned(), |path, (code, character)| path.replace(code, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a container on a reference host, shortened.
    const MOUNTINFO: &str = "\
        451 380 0:62 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/a:/b,upperdir=/c,workdir=/d\n\
        460 451 254:0 /var/lib/docker/volumes/one/_data /run/registry rw,relatime master:1 - ext4 /dev/vda rw,discard\n\
        461 451 254:0 /var/lib/docker/volumes/two/_data /disks rw,noatime master:1 - ext4 /dev/vda rw,discard\n\
        470 451 254:0 /hidden /var/lib/docker rw - ext4 /dev/vda rw\n\
        471 470 7:0 / /var/lib/docker rw,relatime - ext4 /dev/loop0 rw,errors=continue\n\
        472 451 0:70 / /with\\040a\\040blank ro - tmpfs none rw,size=4k\n";

    fn at(folder: &str) -> Option<(String, String)> {
        Mounted::found(MOUNTINFO, Path::new(folder)).map(|mounted| (mounted.file_system, mounted.options))
    }

    #[test]
    fn the_nearest_mount_is_taken_and_of_two_the_upper_one() {
        for (folder, file_system, options) in [
            ("/run/registry", "ext4", "rw,relatime,discard"),
            ("/disks/trial", "ext4", "rw,noatime,discard"),
            ("/var/lib/docker", "ext4", "rw,relatime,errors=continue"),
            ("/with a blank/folder", "tmpfs", "ro,rw,size=4k"),
            ("/var/lib/docker-else", "overlay", "rw,relatime,lowerdir=/a:/b,upperdir=/c,workdir=/d"),
        ] {
            assert_eq!(at(folder), Some((file_system.to_owned(), options.to_owned())), "{folder}");
        }
    }

    #[test]
    fn what_is_no_list_of_mounts_tells_nothing() {
        for text in ["", "one two\n", "1 2 3 4 / rw - ext4\n"] {
            assert_eq!(Mounted::found(text, Path::new("/run")), None, "{text:?}");
        }
    }
}
