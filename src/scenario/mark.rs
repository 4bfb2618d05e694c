//! How an edit of a file of the user's is made: one more line at its end, which means nothing in the file's language.

use std::path::Path;

/// The form of a comment, by the language that a file's name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// `# ...`
    Hash,
    /// `// ...`
    Slashes,
    /// `-- ...`
    Dashes,
    /// `/* ... */`
    Block,
    /// `<!-- ... -->`
    Angle,
    /// Blanks, where the language has no comments.
    Blanks,
}

/// Names and extensions by their comments; a name is looked up before its extension.
const KNOWN: [(Mark, &[&str]); 6] = [
    (
        Mark::Hash,
        &[
            "Dockerfile",
            "Gemfile",
            "Makefile",
            "Pipfile",
            "Cargo.lock",
            "poetry.lock",
            "uv.lock",
            "requirements.txt",
            "bash",
            "cfg",
            "conf",
            "env",
            "ini",
            "pl",
            "properties",
            "py",
            "r",
            "rb",
            "sh",
            "toml",
            "yaml",
            "yml",
        ],
    ),
    (
        Mark::Slashes,
        &[
            "go.mod", "c", "cc", "cjs", "cpp", "cs", "dart", "go", "gradle", "groovy", "h", "hpp", "java", "js", "jsx",
            "kt", "kts", "mjs", "php", "proto", "rs", "scala", "swift", "ts", "tsx",
        ],
    ),
    (Mark::Dashes, &["hs", "lua", "sql"]),
    (Mark::Block, &["css", "scss", "less"]),
    (Mark::Angle, &["htm", "html", "md", "svg", "vue", "xml"]),
    (Mark::Blanks, &["json", "txt"]),
];

impl Mark {
    /// Empty where nothing can be added to such a file without changing what it means.
    pub fn of(path: &str) -> Option<Self> {
        let path = Path::new(path);
        let known = |word: &str| KNOWN.iter().find(|(_, words)| words.contains(&word)).map(|(mark, _)| *mark);
        let name = path.file_name()?.to_str()?;
        let extension = path.extension().and_then(|extension| extension.to_str());
        known(name).or_else(|| known(extension?))
    }

    /// A line that no other trial and no other revision adds, and that has the same length for all.
    pub fn line(self, seed: u64, revision: u32) -> String {
        let words = format!("edit {seed:016x} {revision:08x}");
        match self {
            Self::Hash => format!("\n# {words}\n"),
            Self::Slashes => format!("\n// {words}\n"),
            Self::Dashes => format!("\n-- {words}\n"),
            Self::Block => format!("\n/* {words} */\n"),
            Self::Angle => format!("\n<!-- {words} -->\n"),
            Self::Blanks => {
                let bits = (u128::from(seed) << 32) | u128::from(revision);
                let blank = |bit: u32| if bits >> bit & 1 == 1 { '\t' } else { ' ' };
                format!("\n{}\n", (0..96).map(blank).collect::<String>())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_more_than_its_extension() {
        assert_eq!(Mark::of("app/requirements.txt"), Some(Mark::Hash));
        assert_eq!(Mark::of("notes.txt"), Some(Mark::Blanks));
        assert_eq!(Mark::of("package.json"), Some(Mark::Blanks));
        assert_eq!(Mark::of("src/main.rs"), Some(Mark::Slashes));
        assert_eq!((Mark::of("go.sum"), Mark::of("logo.png"), Mark::of("yarn")), (None, None, None));
    }

    #[test]
    fn every_revision_has_a_line_of_its_own_and_the_same_length() {
        for mark in [Mark::Hash, Mark::Slashes, Mark::Dashes, Mark::Block, Mark::Angle, Mark::Blanks] {
            let lines = [mark.line(1, 1), mark.line(1, 2), mark.line(u64::MAX, 1)];
            assert!(lines.iter().all(|line| line.len() == lines[0].len()));
            assert!(lines[0] != lines[1] && lines[0] != lines[2] && lines[1] != lines[2]);
        }
        let json = format!("{{\"a\": 1}}{}", Mark::Blanks.line(7, 3));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["a"], 1);
    }
}
