//! A Dockerfile of the user's: its stages, what they are based on, and which files of the context they take.
//!
//! The text is taken apart by the parser of another crate; here it is given the meaning that the builders give it. The
//! builders read it themselves: what is found here proposes, and decides nothing about a build.

mod variables;

use std::collections::BTreeMap;
use std::ops::Range;

use parse_dockerfile::{Flag, Instruction as Written, Source, UnescapedString};
pub use variables::Variables;

/// A Dockerfile that can be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dockerfile {
    /// In the file's order; never empty.
    pub stages: Vec<Stage>,
    /// The image that `# syntax=` names: BuildKit pulls it to read the file.
    pub frontend: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    pub name: Option<String>,
    /// What FROM names.
    pub base: Origin,
    /// Where in the text it does.
    named: Range<usize>,
    /// How many instructions come after FROM.
    pub length: usize,
    /// Those of them that can take something from elsewhere: COPY, ADD and RUN.
    pub instructions: Vec<Instruction>,
    /// Why only BuildKit can read the FROM of this stage.
    pub buildkit: Option<Buildkit>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instruction {
    /// Of the file, from 1.
    pub line: usize,
    /// Its first line.
    pub text: String,
    /// What it copies from the context: paths or patterns, relative to the context's root.
    pub takes: Vec<String>,
    /// Stages and images that it copies from or mounts.
    pub origins: Vec<Origin>,
    /// Why only BuildKit can do it.
    pub buildkit: Option<Buildkit>,
}

/// Where files come from that are not the context's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Scratch,
    /// An earlier stage, by its index.
    Stage(usize),
    Image(String),
    /// A reference with a variable that has no default, as it is written.
    Unknown(String),
}

/// What the classic builder has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buildkit {
    pub line: usize,
    /// Such as `--mount`.
    pub feature: String,
}

/// A text that is no Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct Error {
    /// From 1.
    pub line: usize,
    reason: String,
}

/// Options that only BuildKit knows. The classic builder takes `--from` and `--chown` of COPY, and `--platform` of FROM.
const BUILDKIT_OPTIONS: [&str; 10] =
    ["mount", "network", "security", "device", "link", "chmod", "parents", "exclude", "checksum", "keep-git-dir"];

impl Dockerfile {
    /// Reads a Dockerfile that is built with these arguments.
    pub fn parse(text: &str, args: &BTreeMap<String, String>) -> Result<Self, Error> {
        let parsed = parse_dockerfile::parse(text).map_err(|error| {
            // The error's own text names file and place once more, where a person would look first.
            let reason = error.to_string();
            let reason = reason.split(" at line").next().unwrap_or(&reason).to_owned();
            Error { line: error.line(), reason }
        })?;
        let mut variables = Variables::default();
        for arg in parsed.global_args() {
            variables.declare(&arg.arguments.value, args);
        }
        let mut reader = Reader { text, stages: Vec::new() };
        for stage in parsed.stages() {
            let base = reader.origin(&stage.from.image.value, &variables);
            let platform = stage.from.options.iter().any(|flag| flag.value.as_ref().is_some_and(of_platform));
            let buildkit = platform.then(|| reader.buildkit(stage.from.from.span.start, "--platform=$..."));
            let name = stage.from.as_.as_ref().map(|(_, name)| name.value.to_lowercase());
            let length = stage.instructions.len();
            let instructions = stage.instructions.iter().filter_map(|written| reader.instruction(written, &variables));
            let instructions = instructions.collect();
            let named = stage.from.image.span.clone();
            reader.stages.push(Stage { name, base, named, length, instructions, buildkit });
        }
        let frontend = parsed.parser_directives.syntax.map(|syntax| syntax.value.value.to_owned());
        Ok(Self { stages: reader.stages, frontend })
    }

    /// The stages that the last one is made of, itself included, in the file's order.
    pub fn needed(&self) -> Vec<&Stage> {
        let mut needed = vec![false; self.stages.len()];
        let mut open = vec![self.stages.len() - 1];
        while let Some(index) = open.pop() {
            if !std::mem::replace(&mut needed[index], true) {
                open.extend(self.stages[index].origins().filter_map(|origin| match origin {
                    Origin::Stage(index) => Some(*index),
                    Origin::Scratch | Origin::Image(_) | Origin::Unknown(_) => None,
                }));
            }
        }
        self.stages.iter().zip(needed).filter_map(|(stage, needed)| needed.then_some(stage)).collect()
    }

    /// The text that was read, with other images in FROM lines where `base` knows one.
    pub fn rebased(&self, text: &str, base: impl Fn(&Origin) -> Option<String>) -> String {
        let (mut rebased, mut copied) = (String::new(), 0);
        for stage in &self.stages {
            if let Some(image) = base(&stage.base) {
                rebased += &text[copied..stage.named.start];
                rebased += &image;
                copied = stage.named.end;
            }
        }
        rebased + &text[copied..]
    }

    /// The first thing that only BuildKit can do, in any stage: the classic builder builds them all.
    pub fn buildkit(&self) -> Option<&Buildkit> {
        self.stages.iter().find_map(|stage| {
            stage.buildkit.as_ref().or_else(|| stage.instructions.iter().find_map(|one| one.buildkit.as_ref()))
        })
    }
}

impl Stage {
    /// What it is based on, and what its instructions take from elsewhere.
    pub fn origins(&self) -> impl Iterator<Item = &Origin> {
        std::iter::once(&self.base).chain(self.instructions.iter().flat_map(|instruction| &instruction.origins))
    }
}

/// The stages so far, by which later ones are understood.
struct Reader<'a> {
    text: &'a str,
    stages: Vec<Stage>,
}

impl Reader<'_> {
    fn instruction(&self, written: &Written<'_>, variables: &Variables) -> Option<Instruction> {
        let (at, options, sources, here_docs): (_, &[Flag<'_>], &[Source<'_>], _) = match written {
            Written::Copy(copy) => (copy.copy.span.start, &copy.options, &copy.src, 0),
            Written::Add(add) => (add.add.span.start, &add.options, &add.src, 0),
            Written::Run(run) => (run.run.span.start, &run.options, &[], run.here_docs.len()),
            _ => return None,
        };
        let here_doc = here_docs > 0 || sources.iter().any(|source| matches!(source, Source::HereDoc(_)));
        let option = options.iter().map(|flag| &*flag.name.value).find(|name| BUILDKIT_OPTIONS.contains(name));
        let feature = option.map(|name| format!("--{name}")).or_else(|| here_doc.then(|| "<<".to_owned()));
        let elsewhere = options.iter().any(|flag| flag.name.value == "from");
        Some(Instruction {
            line: self.line(at),
            text: self.text[at..].lines().next().unwrap_or_default().trim_end_matches('\\').trim().to_owned(),
            takes: if elsewhere { Vec::new() } else { sources.iter().filter_map(taken).collect() },
            origins: options.iter().filter_map(from).map(|name| self.origin(name, variables)).collect(),
            buildkit: feature.map(|feature| self.buildkit(at, &feature)),
        })
    }

    fn origin(&self, reference: &str, variables: &Variables) -> Origin {
        let Some(name) = variables.expand(reference) else { return Origin::Unknown(reference.to_owned()) };
        let lower = name.to_lowercase();
        // The last of that name; a number is a stage's index, for COPY alone, and no image can be called so.
        let named = self.stages.iter().rposition(|stage| stage.name.as_deref() == Some(&lower));
        let index = name.parse().ok().filter(|index| *index < self.stages.len());
        match named.or(index) {
            Some(index) => Origin::Stage(index),
            None if name == "scratch" => Origin::Scratch,
            None => Origin::Image(name),
        }
    }

    fn buildkit(&self, at: usize, feature: &str) -> Buildkit {
        Buildkit { line: self.line(at), feature: feature.to_owned() }
    }

    fn line(&self, at: usize) -> usize {
        self.text[..at].matches('\n').count() + 1
    }
}

/// The stage or image that an option names: `--from=NAME`, or `from=NAME` within `--mount`.
fn from<'a>(flag: &'a Flag<'_>) -> Option<&'a str> {
    let value: &str = &flag.value.as_ref()?.value;
    match &*flag.name.value {
        "from" => Some(value),
        "mount" => value.split(',').find_map(|part| part.strip_prefix("from=")),
        _ => None,
    }
}

/// A source within the context; URLs and here-documents are not.
fn taken(source: &Source<'_>) -> Option<String> {
    let Source::Path(path) = source else { return None };
    let path = &*path.value;
    let remote = path.contains("://") || path.starts_with("git@") || path.contains('$');
    (!remote).then(|| path.to_owned())
}

/// Whether a platform is one of those that BuildKit alone fills in.
fn of_platform(value: &UnescapedString<'_>) -> bool {
    ["BUILD", "TARGET"].iter().any(|what| value.value.contains(what)) && value.value.contains('$')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# syntax=docker/dockerfile:1
ARG VERSION=3.11
ARG UNSET
FROM python:${VERSION}-slim AS Base
ENV A=1
FROM base AS build
COPY requirements.txt /app/
RUN --mount=type=cache,target=/root/.cache pip install \
    -r requirements.txt
COPY --chown=1:1 ["src", "main.py", "/app/"]
ADD https://example.org/file /
FROM python:$UNSET AS unused
FROM scratch
COPY --from=build /app /app
COPY --from=busybox:1 /bin/sh /bin/
COPY --from=0 /a /a
"#;

    #[test]
    fn stages_know_what_they_are_made_of() {
        let read = Dockerfile::parse(TEXT, &BTreeMap::new()).unwrap();
        assert_eq!(read.frontend.as_deref(), Some("docker/dockerfile:1"));
        let bases: Vec<&Origin> = read.stages.iter().map(|stage| &stage.base).collect();
        let [image, stage, unknown, scratch] = bases[..] else { panic!("{bases:?}") };
        assert_eq!((image, stage), (&Origin::Image("python:3.11-slim".to_owned()), &Origin::Stage(0)));
        assert_eq!((unknown, scratch), (&Origin::Unknown("python:$UNSET".to_owned()), &Origin::Scratch));
        let needed: Vec<Option<&str>> = read.needed().iter().map(|stage| stage.name.as_deref()).collect();
        assert_eq!(needed, [Some("base"), Some("build"), None]);
        let last: Vec<&Origin> = read.stages[3].origins().collect();
        assert_eq!(last[1..], [&Origin::Stage(1), &Origin::Image("busybox:1".to_owned()), &Origin::Stage(0)]);
        let lengths: Vec<usize> = read.stages.iter().map(|stage| stage.length).collect();
        assert_eq!(lengths, [1, 4, 0, 3]);
    }

    #[test]
    fn instructions_know_what_they_take_from_the_context() {
        let read = Dockerfile::parse(TEXT, &BTreeMap::new()).unwrap();
        let build = &read.stages[1].instructions;
        let takes: Vec<(usize, &[String])> = build.iter().map(|one| (one.line, &one.takes[..])).collect();
        let both = ["src".to_owned(), "main.py".to_owned()];
        assert_eq!(takes, [(7, &["requirements.txt".to_owned()][..]), (8, &[]), (10, &both[..]), (11, &[])]);
        assert_eq!(build[1].text, "RUN --mount=type=cache,target=/root/.cache pip install");
        assert!(read.stages[3].instructions.iter().all(|one| one.takes.is_empty()));
    }

    #[test]
    fn what_only_buildkit_can_do_is_known() {
        for (text, feature) in [
            ("FROM a\nRUN --mount=type=cache,target=/x true", Some("--mount")),
            ("FROM a\nCOPY --link a b", Some("--link")),
            ("FROM a\nRUN <<E\ntrue\nE\n", Some("<<")),
            ("FROM a\nCOPY <<E /a\ntext\nE\n", Some("<<")),
            ("FROM --platform=$BUILDPLATFORM a", Some("--platform=$...")),
            ("FROM --platform=linux/amd64 a\nCOPY --chown=1 a b\nCOPY --from=b a b", None),
        ] {
            let read = Dockerfile::parse(text, &BTreeMap::new()).unwrap();
            assert_eq!(read.buildkit().map(|found| found.feature.as_str()), feature, "{text}");
        }
    }

    #[test]
    fn another_base_changes_its_name_and_nothing_else() {
        let args = BTreeMap::from([("UNSET".to_owned(), "3.12".to_owned())]);
        let read = Dockerfile::parse(TEXT, &args).unwrap();
        let other = |origin: &Origin| match origin {
            Origin::Image(name) => Some(format!("ours:{}", name.len())),
            Origin::Scratch => Some("ours:0".to_owned()),
            Origin::Stage(_) | Origin::Unknown(_) => None,
        };
        let expected = TEXT
            .replace("FROM python:${VERSION}-slim AS Base", "FROM ours:16 AS Base")
            .replace("FROM python:$UNSET AS", "FROM ours:11 AS")
            .replace("FROM scratch", "FROM ours:0");
        assert_eq!(read.rebased(TEXT, other), expected);
        assert_eq!(read.rebased(TEXT, |_| None), TEXT);
    }

    #[test]
    fn what_is_no_dockerfile_is_told_with_its_line() {
        for (text, line) in [("FROM a\nFLY b", 2), ("RUN true", 1)] {
            let error = Dockerfile::parse(text, &BTreeMap::new()).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(!error.reason.contains(" at line"), "{error}");
        }
        assert!(
            Dockerfile::parse("", &BTreeMap::new()).is_err()
                && Dockerfile::parse("# nothing\n", &BTreeMap::new()).is_err()
        );
    }
}
