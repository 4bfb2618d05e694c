//! What is packed.

/// Programs without which there is no engine, no job and no fixture.
pub(super) const PROGRAMS: [&str; 54] = [
    "dockerd",
    "containerd",
    "containerd-shim-runc-v2",
    "runc",
    "docker-init",
    "docker-proxy",
    "docker",
    "iptables",
    "ip6tables",
    "mkfs.ext4",
    "mount",
    "umount",
    "sh",
    "cat",
    "chmod",
    "cp",
    "cut",
    "dd",
    "df",
    "du",
    "echo",
    "env",
    "false",
    "head",
    "hostname",
    "id",
    "ls",
    "mkdir",
    "mv",
    "rm",
    "seq",
    "sha256sum",
    "sleep",
    "sort",
    "stat",
    "tail",
    "touch",
    "tr",
    "true",
    "uname",
    "wc",
    "sync",
    // Of scripts.
    "date",
    "find",
    "grep",
    "ln",
    "mknod",
    "mktemp",
    "nproc",
    "readlink",
    "sed",
    "tar",
    "tee",
    "timeout",
];

/// Programs that an engine, or a file system of its own, uses where they are there: so an inner engine has what the outer
/// one has.
pub(super) const OPTIONAL_PROGRAMS: [&str; 21] = [
    "fuse-overlayfs",
    "mkfs.xfs",
    "mkfs.btrfs",
    "rootlesskit",
    "slirp4netns",
    "newuidmap",
    "newgidmap",
    "getsubids",
    "ip",
    "nsenter",
    "unpigz",
    "xz",
    "ps",
    "modprobe",
    "dmsetup",
    "tune2fs",
    "blkid",
    "apparmor_parser",
    "git",
    "bash",
    "cmp",
];

/// Folders packed whole where they are there: the firewall's extensions and the docker command's plugins.
pub(super) const FOLDERS: [&str; 9] = [
    "/usr/lib/x86_64-linux-gnu/xtables",
    "/usr/lib/aarch64-linux-gnu/xtables",
    "/usr/lib64/xtables",
    "/usr/lib/xtables",
    "/usr/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/local/lib/docker/cli-plugins",
    "/usr/share/xtables",
];

/// Folders that may be links to others on the host, and then are in the image.
pub(super) const LINKED_FOLDERS: [&str; 4] = ["/bin", "/sbin", "/lib", "/lib64"];

/// Small files that every image has.
pub(super) const FILES: [(&str, &str); 3] = [
    ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"),
    ("etc/group", "root:x:0:\ndocker:x:999:\nnogroup:x:65534:\n"),
    ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
];

/// Empty folders that every image has.
pub(super) const EMPTY_FOLDERS: [&str; 8] = ["dev", "etc", "proc", "root", "run", "sys", "tmp", "var"];
