//! Ignore files, and the folder that they are tried on.

use std::fs;
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Cases that people have stumbled over, and those of the documentation.
const WRITTEN: [&str; 56] = [
    "",
    "*",
    "**",
    "*\n!a",
    "*\n!b",
    "*\n!b/c\n!b/c/d",
    "b\n!b/c",
    "b/*\n!b/c",
    "*\n!**/d",
    "b\n!**/d",
    "**/d",
    "**/*.md",
    "*.md\n!x.md",
    "*/*.md",
    "/a",
    "a/",
    "./a",
    "b/../a",
    "b/**",
    "b/**/d",
    "**/b",
    "?",
    "[ab]",
    "[^a]",
    "\\*lit",
    "\\[x]",
    "# a\na",
    " a ",
    "\u{feff}a",
    "Dockerfile\n.dockerignore",
    "*\n!Dockerfile",
    "b/c/**\n!b/c/d",
    "!a\na",
    "link\nfolder-link",
    "**/b\n!bb/b/d",
    "*/x.md\n!b",
    "b\n!b/**",
    "b\n!b/*",
    "b\n!?/c/d",
    "**/b\n.hidden\n!**/x.md",
    "b\n!b/c\nb",
    "!b/c\n**/d\n!bb",
    "**d",
    "\\w",
    "\\o*",
    "^*",
    "[a*]",
    "[]a]",
    "[a-]",
    "a+(b)|{c}",
    "!/",
    "/!a\n*",
    "/ a",
    "!",
    "*.{md,txt}",
    "**/c/**\n!b/c/d",
];

/// Parts of which generated patterns are made.
const PARTS: [&str; 23] = [
    "a", "b", "c", "d", "*", "**", "?", "*.md", "x.md", ".*", "w* s*", "..", "[a-c]", "b*", "er", ".", "bb", "deep",
    "*b", "**d", "+a", "[^x]*", "\\w",
];

/// Those that are written down, and so many others.
pub fn cases(generated: usize) -> impl Iterator<Item = String> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    WRITTEN.map(str::to_owned).into_iter().chain((0..generated).map(move |_| self::generated(&mut random)))
}

pub fn tree(folder: &Path) {
    for path in [
        "Dockerfile",
        "a",
        "x.md",
        ".hidden",
        "with space",
        "*lit",
        "[x]",
        "b/a",
        "b/x.md",
        "b/c/d",
        "b/c/e",
        "b/.keep",
        "bb/b/d",
        "deep/er/and/d",
        "deep/er/x.md",
    ] {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "FROM scratch\n").unwrap();
    }
    fs::create_dir(folder.join("empty")).unwrap();
    std::os::unix::fs::symlink("a", folder.join("link")).unwrap();
    std::os::unix::fs::symlink("b", folder.join("folder-link")).unwrap();
}

fn generated(random: &mut ChaCha8Rng) -> String {
    let mut lines = Vec::new();
    for _ in 0..random.random_range(1..5) {
        let mut pattern = String::new();
        for part in 0..random.random_range(1..4) {
            if part > 0 {
                pattern.push('/');
            }
            pattern.push_str(PARTS[random.random_range(0..PARTS.len())]);
        }
        lines.push(format!("{}{pattern}", if random.random_bool(0.3) { "!" } else { "" }));
    }
    lines.join("\n")
}
