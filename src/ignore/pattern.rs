//! One pattern of an ignore file, and which paths it matches.
//!
//! The docker command turns patterns into regular expressions and hands on what it does not know itself, so that a
//! pattern means more than its documentation says. What is done here is what it does, also where that is odd.

use regex::Regex;

/// Which docker command's reading of patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V20_10,
    /// Version 23 and later, and buildx since 0.10.
    Current,
}

#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub text: String,
    /// Written with `!`.
    pub exception: bool,
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

impl Pattern {
    /// Reads one line; none is on an empty one and on a comment.
    pub fn read(line: &str, version: Version) -> Result<Option<Self>, String> {
        if line.starts_with('#') || line.trim().is_empty() {
            return Ok(None);
        }
        // Cleaned twice, by the reader of files and by that of patterns: the second may find what the first has bared.
        let pattern = match line.trim().strip_prefix('!') {
            Some(rest) if rest.trim().is_empty() => "!".to_owned(),
            Some(rest) => format!("!{}", relative(&clean(rest.trim()))),
            None => relative(&clean(line.trim())).to_owned(),
        };
        let pattern = clean(pattern.trim());
        let (exception, text) = match pattern.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, pattern.as_str()),
        };
        if text.is_empty() {
            return Err("nothing is taken back in".to_owned());
        }
        well_formed(text)?;
        Ok(Some(Self { text: text.to_owned(), exception, rule: Rule::of(text, version)? }))
    }

    /// One that takes this path back in.
    pub fn taking_back(path: &str) -> Self {
        Self { text: path.to_owned(), exception: true, rule: Rule::Exact }
    }

    pub fn matches(&self, path: &str) -> bool {
        match &self.rule {
            Rule::Exact => path == self.text,
            Rule::Prefix => path.starts_with(&self.text[..self.text.len() - 2]),
            Rule::Suffix => {
                let suffix = &self.text[2..];
                path.ends_with(suffix) || suffix.strip_prefix('/') == Some(path)
            }
            Rule::Regex(regex) => regex.is_match(path),
        }
    }

    /// Whether it matches the path, or that folder above it which has as many parts as the pattern itself.
    pub fn matches_at_its_depth(&self, path: &str) -> bool {
        let folder = path.match_indices('/').nth(self.text.matches('/').count());
        self.matches(path) || folder.is_some_and(|(end, _)| self.matches(&path[..end]))
    }
}

impl Rule {
    fn of(pattern: &str, version: Version) -> Result<Self, String> {
        let plain = |part: &str| !part.contains(['*', '?', '[', ']', '\\']);
        let suffix = pattern.strip_prefix("**").map(|rest| rest.strip_prefix('/').unwrap_or(rest));
        Ok(match version {
            Version::Current if plain(pattern) => Self::Exact,
            Version::Current if suffix.is_some_and(plain) => Self::Suffix,
            Version::Current if pattern.strip_suffix("**").is_some_and(plain) => Self::Prefix,
            Version::Current => Self::Regex(Translation::of(pattern, "$.+()|{}")?),
            // The rest means there what it means in a regular expression; braces that count nothing mean themselves.
            Version::V20_10 => Self::Regex(Translation::of(pattern, "$.{}")?),
        })
    }
}

/// A regular expression in the making.
#[derive(Default)]
struct Translation {
    text: String,
    /// Within `[...]`, as a reader of regular expressions sees it.
    class: bool,
}

impl Translation {
    /// Translates a pattern; `literal` are those characters that mean nothing but themselves.
    fn of(pattern: &str, literal: &str) -> Result<Regex, String> {
        let mut translation = Self::default();
        translation.push("^");
        let mut rest = pattern.chars().peekable();
        while let Some(character) = rest.next() {
            match character {
                '*' if rest.next_if_eq(&'*').is_some() => {
                    rest.next_if_eq(&'/');
                    translation.push(if rest.peek().is_none() { ".*" } else { "(.*/)?" });
                }
                '*' => translation.push("[^/]*"),
                '?' => translation.push("[^/]"),
                '\\' => translation.escape(rest.next().ok_or("it ends with an escape")?)?,
                other if literal.contains(other) => translation.escape(other)?,
                other => translation.push(other.encode_utf8(&mut [0; 4])),
            }
        }
        translation.push("$");
        Regex::new(&translation.text).map_err(|_| format!("it is the regular expression {}", translation.text))
    }

    fn push(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                ']' if self.class => self.class = false,
                // What is special there in this crate and not in the docker command's.
                '[' | '&' | '~' if self.class => self.text.push('\\'),
                '[' => self.class = true,
                _ => {}
            }
            self.text.push(character);
        }
    }

    /// A character after a backslash: a letter stands for a class or a control character.
    fn escape(&mut self, character: char) -> Result<(), String> {
        if !character.is_ascii() || (character.is_ascii_alphanumeric() && !"afnrtvxpPAbBdDsSwWz".contains(character)) {
            return Err(format!("`\\{character}` means nothing"));
        }
        if character.is_ascii_alphanumeric() {
            self.text.extend(['\\', character]);
        } else {
            self.text.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
        }
        Ok(())
    }
}

/// Classes and escapes must have an end, and a class something in it, without `-` and `]` for themselves.
fn well_formed(pattern: &str) -> Result<(), String> {
    let mut rest = pattern.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\\' => {
                rest.next().ok_or("it ends with an escape")?;
            }
            '[' => {
                rest.next_if_eq(&'^');
                let mut empty = true;
                while empty || rest.next_if_eq(&']').is_none() {
                    one_of_class(&mut rest)?;
                    if rest.next_if_eq(&'-').is_some() {
                        one_of_class(&mut rest)?;
                    }
                    empty = false;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn one_of_class(rest: &mut impl Iterator<Item = char>) -> Result<(), String> {
    match rest.next() {
        Some('\\') => rest.next().map(drop).ok_or_else(|| "it ends with an escape".to_owned()),
        Some(character @ ('-' | ']')) => Err(format!("`{character}` in `[...]` needs a backslash before it")),
        Some(_) => Ok(()),
        None => Err("a `[` is not closed".to_owned()),
    }
}

/// A path without `.`, `..`, doubled slashes, and a slash at its end: what names the same path is the same text.
fn clean(path: &str) -> String {
    let root = if path.starts_with('/') { "/" } else { "" };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if !root.is_empty() => {}
            part => parts.push(part),
        }
    }
    match format!("{root}{}", parts.join("/")) {
        nothing if nothing.is_empty() => ".".to_owned(),
        cleaned => cleaned,
    }
}

/// Without the slash that stands for the context's root.
fn relative(path: &str) -> &str {
    path.strip_prefix('/').filter(|rest| !rest.is_empty()).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str, version: Version) -> Pattern {
        Pattern::read(text, version).unwrap().expect("a pattern")
    }

    #[test]
    fn wildcards_stay_within_a_folder_but_for_two_stars() {
        for (text, path, expected) in [
            ("a", "a", true),
            ("a", "b/a", false),
            ("/a/", "a", true),
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
            ("**", "a/b", true),
            ("?", "a", true),
            ("?", "ab", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a.b*", "axb", false),
            ("a+(b)|{c}*", "a+(b)|{c}", true),
            ("./a/../b", "b", true),
            (" a ", "a", true),
            (".", "a", false),
        ] {
            assert_eq!(pattern(text, Version::Current).matches(path), expected, "{text} {path}");
        }
    }

    #[test]
    fn what_regular_expressions_know_has_its_meaning_there() {
        for (text, path, expected) in [
            ("bin\\Debug*", "binxebug", true),
            ("bin\\Debug*", "bin\\Debug", false),
            ("^*", "a", true),
            ("[a*]", "a]", true),
            ("[a*]", "a", false),
            ("[a&&b]", "a", true),
        ] {
            assert_eq!(pattern(text, Version::Current).matches(path), expected, "{text} {path}");
        }
        assert!(!pattern("a+", Version::V20_10).matches("a+") && pattern("a+", Version::V20_10).matches("aa"));
        assert!(pattern("*.{a,b}", Version::V20_10).matches("x.{a,b}"));
        assert!(pattern("**x", Version::Current).matches("yx") && !pattern("**x", Version::V20_10).matches("yx"));
    }

    #[test]
    fn lines_are_cleaned_twice() {
        for (line, exception, text) in [
            ("! a", true, "a"),
            ("!/a/./b/", true, "a/b"),
            ("!!a", true, "!a"),
            ("/!a", true, "a"),
            ("/ a", false, "a"),
            ("/", false, "/"),
            ("/../a", false, "a"),
            ("../a", false, "../a"),
            ("a/..", false, "."),
        ] {
            let pattern = pattern(line, Version::Current);
            assert_eq!((pattern.exception, pattern.text.as_str()), (exception, text), "{line}");
        }
        for line in ["", "  ", "#a"] {
            assert!(Pattern::read(line, Version::Current).unwrap().is_none(), "{line}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for line in
            ["!", "! ", "!/", "[", "[]", "[^]", "[]a]", "[-a]", "[a-]", "[a", "a\\", "[a\\", "bin\\output*", "[z-a]"]
        {
            assert!(Pattern::read(line, Version::Current).is_err(), "{line}");
        }
    }

    #[test]
    fn one_folder_is_as_deep_as_the_pattern() {
        let two = pattern("**/b", Version::Current);
        assert!(two.matches_at_its_depth("a/b") && two.matches_at_its_depth("a/b/c"));
        assert!(!two.matches_at_its_depth("a/a/b/c") && !two.matches_at_its_depth("b/c"));
    }
}
