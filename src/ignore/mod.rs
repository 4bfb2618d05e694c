//! `.dockerignore`: which files of a folder the docker command sends as a build context.
//!
//! The rules are those of the docker command's classic builder: patterns hold from the context's root, `*` and `?` stay
//! within a folder, `**` does not, `!` takes back in, and the last pattern that matches decides. A match of a folder holds
//! for all that is in it. Source: the documentation of `.dockerignore`; where it is silent, what the command does.

mod folder;

use regex::Regex;

pub use folder::{FolderError, entries, sent};

/// The patterns of one file, in its order.
#[derive(Clone, Debug, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

/// A pattern that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: `{pattern}` is no pattern: {reason}")]
pub struct Error {
    pub line: usize,
    pattern: String,
    reason: String,
}

/// What was found about a folder, for the files in it.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// By pattern; empty for the root.
    matched: Vec<bool>,
    /// Whether the folder itself is left out.
    pub ignored: bool,
}

#[derive(Clone, Debug)]
struct Pattern {
    text: String,
    /// Written with `!`.
    exception: bool,
    rule: Rule,
}

#[derive(Clone, Debug)]
enum Rule {
    Exact,
    /// `**` at the end.
    Prefix,
    /// `**` at the beginning.
    Suffix,
    Regex(Regex),
}

impl Ignore {
    /// Reads the text of a `.dockerignore`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut patterns = Vec::new();
        for (index, line) in text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate() {
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let wrong = |reason: String| Error { line: index + 1, pattern: line.trim().to_owned(), reason };
            let (exception, rest) = match line.trim().strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line.trim()),
            };
            if rest.is_empty() {
                return Err(wrong("nothing is taken back in".to_owned()));
            }
            patterns.push(Pattern::new(&clean(rest), exception).map_err(wrong)?);
        }
        Ok(Self { patterns })
    }

    /// These patterns, and after them one that takes a path back in where it would be left out: the command always sends
    /// the Dockerfile and the ignore file.
    #[must_use]
    pub fn but_not(mut self, path: &str) -> Self {
        if self.of_path(path).ignored {
            self.patterns.push(Pattern { text: path.to_owned(), exception: true, rule: Rule::Exact });
        }
        self
    }

    /// What holds for a path, given what holds for the folder that it is in.
    pub fn of(&self, path: &str, folder: &Found) -> Found {
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

    /// Whether something in an ignored folder can be taken back in. An exception is found by its first folders, so one
    /// that begins with a wildcard takes nothing back out of an ignored folder.
    pub fn may_return(&self, folder: &str) -> bool {
        let below = format!("{folder}/");
        self.patterns.iter().any(|pattern| pattern.exception && format!("{}/", pattern.text).starts_with(&below))
    }

    fn of_path(&self, path: &str) -> Found {
        let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        let parent = folders.fold(Found::default(), |parent, folder| self.of(folder, &parent));
        self.of(path, &parent)
    }
}

impl Pattern {
    fn new(text: &str, exception: bool) -> Result<Self, String> {
        Ok(Self { text: text.to_owned(), exception, rule: Rule::of(text)? })
    }

    fn matches(&self, path: &str) -> bool {
        match &self.rule {
            Rule::Exact => path == self.text,
            Rule::Prefix => path.starts_with(self.text.trim_end_matches('*')),
            Rule::Suffix => {
                let suffix = &self.text[2..];
                path.ends_with(suffix) || suffix.strip_prefix('/') == Some(path)
            }
            Rule::Regex(regex) => regex.is_match(path),
        }
    }
}

impl Rule {
    /// Rewrites a pattern as a regular expression, or finds out that it needs none.
    fn of(pattern: &str) -> Result<Self, String> {
        let mut regex = String::from("^");
        let (mut rule, mut class) = (Self::Exact, false);
        let mut rest = pattern.chars().peekable();
        let mut first = true;
        let mut wild = false;
        while let Some(character) = rest.next() {
            match character {
                _ if class => {
                    class = character != ']';
                    // In a class these mean nothing to the docker command.
                    if matches!(character, '[' | '&' | '~') {
                        regex.push('\\');
                    }
                    regex.push(character);
                }
                '*' if rest.next_if_eq(&'*').is_some() => {
                    rest.next_if_eq(&'/');
                    let last = rest.peek().is_none();
                    regex.push_str(if last { ".*" } else { "(.*/)?" });
                    rule = match (first, last) {
                        (true, _) => Self::Suffix,
                        (false, true) if !wild && matches!(rule, Self::Exact) => Self::Prefix,
                        (false, _) => {
                            wild = true;
                            rule
                        }
                    };
                }
                '*' => {
                    wild = true;
                    regex.push_str("[^/]*");
                }
                '?' => {
                    wild = true;
                    regex.push_str("[^/]");
                }
                '[' => {
                    (wild, class) = (true, true);
                    regex.push('[');
                }
                '\\' => match rest.next() {
                    Some(escaped) => {
                        wild = true;
                        regex.push_str(&regex::escape(&escaped.to_string()));
                    }
                    None => return Err("it ends with an escape".to_owned()),
                },
                other => regex.push_str(&regex::escape(&other.to_string())),
            }
            first = false;
        }
        if class {
            return Err("a `[` is not closed".to_owned());
        }
        if !wild {
            return Ok(rule);
        }
        regex.push('$');
        Regex::new(&format!("(?s){regex}")).map(Self::Regex).map_err(|error| error.to_string())
    }
}

/// A pattern without `.`, `..`, doubled slashes, and slashes at its ends: what names the same path is the same pattern.
fn clean(pattern: &str) -> String {
    let rooted = pattern.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    if parts.is_empty() { if rooted { "/" } else { "." }.to_owned() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignored(text: &str, path: &str) -> bool {
        Ignore::parse(text).unwrap().of_path(path).ignored
    }

    #[test]
    fn patterns_hold_from_the_root_and_wildcards_within_a_folder() {
        for (pattern, path, expected) in [
            ("a", "a", true),
            ("a", "b/a", false),
            ("/a/", "a", true),
            ("a", "a/b/c", true),
            ("*.md", "x.md", true),
            ("*.md", "b/x.md", false),
            ("*/*.md", "b/x.md", true),
            ("**/*.md", "x.md", true),
            ("**/*.md", "b/c/x.md", true),
            ("**/x", "x", true),
            ("**/x", "b/x", true),
            ("**/x", "b/yx", false),
            ("b/**", "b/c/d", true),
            ("b/**", "b", false),
            ("b/**/d", "b/d", true),
            ("b/**/d", "b/c/c/d", true),
            ("?", "a", true),
            ("?", "ab", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a.b", "axb", false),
            ("./a/../b", "b", true),
            (" a ", "a", true),
            ("# a", "# a", false),
            ("**", "a/b", true),
            (".", "a", false),
        ] {
            assert_eq!(ignored(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn the_last_match_decides_and_what_is_below_follows() {
        assert!(!ignored("*\n!a", "a"));
        assert!(!ignored("*\n!a", "a/b"));
        assert!(ignored("*\n!a\na/b", "a/b"));
        assert!(ignored("!a\n*", "a"));
        assert!(!ignored("a\n!a/b", "a/b/c"));
        assert!(ignored("\u{feff}a", "a"));
    }

    #[test]
    fn the_dockerfile_is_always_sent() {
        let ignore = Ignore::parse("*").unwrap().but_not("Dockerfile");
        assert!(!ignore.of_path("Dockerfile").ignored && ignore.of_path("x").ignored);
    }

    #[test]
    fn only_named_folders_are_searched_for_exceptions() {
        let ignore = Ignore::parse("a\n!a/b/keep\n!**/c").unwrap();
        assert!(ignore.may_return("a") && ignore.may_return("a/b"));
        assert!(!ignore.may_return("a/x") && !ignore.may_return("other"));
    }

    #[test]
    fn what_is_no_pattern_is_told_with_its_line() {
        for (text, line) in [("a\n!", 2), ("[", 1), ("a\\", 1)] {
            assert_eq!(Ignore::parse(text).unwrap_err().line, line, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-c*?!/.\\[\\]\\\\^# \n-]{0,40}", path in "[a-c.]{1,3}(/[a-c.]{1,3}){0,3}") {
            if let Ok(ignore) = Ignore::parse(&text) {
                let _ = ignore.of_path(&path);
            }
        }
    }
}
