//! Ignore files: which files of a folder belong to a build's context.
//!
//! Patterns hold from the context's root, `*` and `?` stay within a folder, `**` does not, `!` takes back in, and the
//! last pattern that matches decides. A match of a folder holds for all that is in it. Source: the documentation of
//! `.dockerignore`; where it is silent, what the docker command does with either builder.

mod folder;
mod pattern;

use pattern::{Pattern, Version};

pub use folder::{FolderError, entries, sent};

/// Who sends a context to an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A docker command of 20.10, or of 23 and later, with the builder that it takes. It applies the ignore file
    /// itself, so it needs whatever one of them would send.
    Command,
    /// A client of the API that sends what the present docker command would send to the classic builder.
    Classic,
    /// A client of the API that sends what the present docker command would send to BuildKit.
    Buildkit,
}

/// The patterns of one file, in its order, as one docker command applies them.
#[derive(Clone, Debug)]
struct Ignore {
    patterns: Vec<Pattern>,
    version: Version,
    /// Whether the command sends to BuildKit.
    buildkit: bool,
}

/// A pattern that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: `{pattern}` is no pattern: {reason}")]
pub struct Error {
    line: usize,
    pattern: String,
    reason: String,
}

/// What was found about a folder, for the files in it.
#[derive(Clone, Debug, Default)]
struct Found {
    /// By pattern; empty for the root.
    matched: Vec<bool>,
    /// Whether the folder itself is left out.
    ignored: bool,
}

impl Ignore {
    fn parse(text: &str, version: Version, buildkit: bool) -> Result<Self, Error> {
        let mut patterns = Vec::new();
        for (index, line) in text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate() {
            let wrong = |reason| Error { line: index + 1, pattern: line.trim().to_owned(), reason };
            patterns.extend(Pattern::read(line, version).map_err(wrong)?);
        }
        Ok(Self { patterns, version, buildkit })
    }

    /// These patterns, and after them one that takes a path back in where it would be left out: the classic builder
    /// finds the Dockerfile and the ignore file in the context.
    fn but_not(mut self, path: &str) -> Self {
        if self.ignores(path) {
            self.patterns.push(Pattern::taking_back(path));
        }
        self
    }

    /// What holds for a path, given what holds for the folder that it is in.
    fn of(&self, path: &str, folder: &Found) -> Found {
        if self.version == Version::V20_10 {
            return Found { matched: Vec::new(), ignored: self.ignores(path) };
        }
        let mut found = Found { matched: vec![false; self.patterns.len()], ignored: false };
        for (index, pattern) in self.patterns.iter().enumerate() {
            let inherited = folder.matched.get(index) == Some(&true);
            // A pattern that could change nothing is not asked, and so holds for no file below either.
            if !inherited && pattern.exception != found.ignored {
                continue;
            }
            if inherited || pattern.matches(path) {
                found.matched[index] = true;
                found.ignored = !pattern.exception;
            }
        }
        found
    }

    /// Whether a path is left out, where nothing is known of its folder: of the folders above it, a pattern is asked
    /// about one.
    fn ignores(&self, path: &str) -> bool {
        let last = self.patterns.iter().rfind(|pattern| pattern.matches_at_its_depth(path));
        last.is_some_and(|pattern| !pattern.exception)
    }

    /// Whether an ignored folder is searched for what can be taken back in.
    fn searches(&self, folder: &str) -> bool {
        let below = format!("{folder}/");
        let mut exceptions = self.patterns.iter().filter(|pattern| pattern.exception).map(|pattern| &*pattern.text);
        if self.version == Version::V20_10 || !self.buildkit {
            // By the text alone: an exception that begins with a wildcard is found nowhere.
            return exceptions.any(|text| format!("{text}/").starts_with(&below));
        }
        let stem = |text: &str| {
            let text = text.strip_suffix("/**").unwrap_or(text);
            format!("{}/", text.strip_suffix("/*").unwrap_or(text))
        };
        let stems: Vec<String> = exceptions.map(stem).collect();
        // One wildcard elsewhere, and every folder is searched.
        stems.iter().any(|stem| stem.starts_with(&below) || stem.contains(['*', '[', ']', '?', '^', '\\']))
    }

    /// Whether a path is sent; each folder above it must be gone through.
    fn sends(&self, path: &str) -> bool {
        let mut above = Found::default();
        for (end, _) in path.match_indices('/') {
            let folder = &path[..end];
            above = self.of(folder, &above);
            if above.ignored && !self.searches(folder) {
                return false;
            }
        }
        !self.of(path, &above).ignored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUILDERS: [bool; 2] = [false, true];
    const CLASSIC: bool = false;
    const BUILDKIT: bool = true;

    fn current(text: &str, buildkit: bool) -> Ignore {
        Ignore::parse(text, Version::Current, buildkit).unwrap()
    }

    fn old(text: &str) -> Ignore {
        Ignore::parse(text, Version::V20_10, BUILDKIT).unwrap()
    }

    #[test]
    fn the_last_match_decides_and_what_is_below_follows() {
        for (text, path, expected) in [
            ("*\n!a", "a", true),
            ("*\n!a", "a/b", true),
            ("*\n!a\na/b", "a/b", false),
            ("!a\n*", "a", false),
            ("a\n!a/b", "a/b/c", true),
            ("a", "a/b/c", false),
            ("# a", "# a", true),
            ("\u{feff}a", "a", false),
        ] {
            for buildkit in BUILDERS {
                assert_eq!(current(text, buildkit).sends(path), expected, "{text} {path}");
            }
            assert_eq!(old(text).sends(path), expected, "{text} {path}");
        }
    }

    #[test]
    fn only_buildkit_searches_ignored_folders_for_an_exception_with_a_wildcard() {
        for text in ["a\n!**/keep", "a\n!a*/keep", "a\n!?/keep"] {
            assert!(current(text, BUILDKIT).sends("a/keep"), "{text}");
            assert!(!current(text, CLASSIC).sends("a/keep") && !old(text).sends("a/keep"), "{text}");
        }
        // The wildcard of another exception will do.
        assert!(current("a\nb\n!a/*/keep\n!?x", BUILDKIT).sends("a/b/keep"));
        let stem = "a\n!a/b/*";
        assert!(!current(stem, BUILDKIT).searches("b") && current(stem, BUILDKIT).searches("a/b"));
    }

    #[test]
    fn named_folders_are_searched_for_exceptions() {
        for ignore in [current("a\n!a/b/keep", CLASSIC), current("a\n!a/b/keep", BUILDKIT), old("a\n!a/b/keep")] {
            assert!(ignore.searches("a") && ignore.searches("a/b"));
            assert!(!ignore.searches("a/x") && !ignore.searches("other"));
        }
    }

    #[test]
    fn versions_differ_in_what_a_match_above_means() {
        // The exception matched a folder that was not ignored: only the old command asks it again.
        assert!(old("*/x\n!b").sends("b/x") && !current("*/x\n!b", BUILDKIT).sends("b/x"));
        // The match is deeper than the pattern.
        let deep = "**/b\n!a/a/b/keep";
        assert!(old(deep).sends("a/a/b/other") && !current(deep, BUILDKIT).sends("a/a/b/other"));
    }

    #[test]
    fn the_dockerfile_is_taken_back_in() {
        let ignore = current("*", CLASSIC).but_not("docker/Dockerfile");
        assert!(ignore.sends("docker/Dockerfile") && !ignore.sends("docker/x") && !ignore.sends("x"));
        // As the command finds it, by one folder above it.
        assert!(!current("**/docker", CLASSIC).but_not("docker/Dockerfile").sends("docker/Dockerfile"));
    }

    #[test]
    fn what_is_no_pattern_is_told_with_its_line() {
        for (text, line) in [("a\n!", 2), ("[", 1), ("# [\n\na\\", 3)] {
            assert_eq!(Ignore::parse(text, Version::Current, CLASSIC).unwrap_err().line, line, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-c*?!/.\\[\\]\\\\^# \n-]{0,40}", path in "[a-c.]{1,3}(/[a-c.]{1,3}){0,3}") {
            for version in [Version::V20_10, Version::Current] {
                if let Ok(ignore) = Ignore::parse(&text, version, BUILDKIT) {
                    let _ = ignore.sends(&path);
                }
            }
        }
    }
}
