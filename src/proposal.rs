//! What `init` proposes for a Dockerfile: the files that its edits change, the images it needs, and the scenario around it.

use std::collections::BTreeSet;
use std::path::Path;

use glob::{MatchOptions, Pattern};

use crate::dockerfile::{Buildkit, Dockerfile, Instruction, Origin};
use crate::scenario::{Mark, carriable};

/// A scenario's parts, as far as a Dockerfile and the files beside it tell them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The file that the edit `source` changes.
    pub source: Option<Choice>,
    /// The file that the edit `dependencies` changes.
    pub dependencies: Option<Choice>,
    /// Images that the engines have to be given.
    pub carry: Vec<String>,
    /// References that cannot be carried, as they are written.
    pub not_carried: Vec<String>,
    /// Why the builder has to be BuildKit.
    pub buildkit: Option<Buildkit>,
}

/// A file, and the instruction that takes it first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Path within the context.
    pub path: String,
    /// Of the Dockerfile, from 1.
    pub line: usize,
    /// The instruction's first line.
    pub instruction: String,
}

/// Files that name what a project depends on, by the tools that read them.
const MANIFESTS: [&str; 22] = [
    "requirements.txt",
    "pyproject.toml",
    "poetry.lock",
    "uv.lock",
    "Pipfile",
    "setup.py",
    "package.json",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "Cargo.toml",
    "Cargo.lock",
    "go.mod",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "Gemfile",
    "Gemfile.lock",
    "composer.json",
    "build.sbt",
    "pubspec.yaml",
    "CMakeLists.txt",
];

/// Extensions of programs.
const PROGRAMS: [&str; 32] = [
    "c", "cc", "cjs", "cpp", "cs", "dart", "go", "groovy", "h", "hpp", "hs", "java", "js", "jsx", "kt", "kts", "lua",
    "mjs", "php", "pl", "py", "r", "rb", "rs", "scala", "sh", "sql", "swift", "ts", "tsx", "vue", "html",
];

/// A program is looked for by these names first.
const ENTRANCES: [&str; 8] = ["main", "app", "index", "server", "lib", "mod", "__init__", "__main__"];

/// Folders whose programs are not what a project is about.
const ASIDE: [&str; 10] =
    ["test", "tests", "spec", "docs", "doc", "examples", "vendor", "node_modules", "benches", "scripts"];

impl Proposal {
    /// `sent` are the paths of the context that belong to it.
    pub fn new(dockerfile: &Dockerfile, sent: &BTreeSet<String>) -> Self {
        let stages = dockerfile.needed();
        let takers: Vec<&Instruction> =
            stages.iter().flat_map(|stage| &stage.instructions).filter(|taker| !taker.takes.is_empty()).collect();
        let first = |path: &str| takers.iter().position(|taker| taker.takes.iter().any(|what| takes(what, path)));
        let files: Vec<(usize, &str)> = sent
            .iter()
            .filter(|path| Mark::of(path).is_some())
            .filter_map(|path| Some((first(path)?, path.as_str())))
            .collect();
        let choice = |(taker, path): (usize, &str)| Choice {
            path: path.to_owned(),
            line: takers[taker].line,
            instruction: takers[taker].text.clone(),
        };
        let (mut carry, mut not_carried) = (Vec::new(), Vec::new());
        for origin in stages.iter().flat_map(|stage| stage.origins()) {
            match origin {
                Origin::Image(image) if carriable(image) => carry.push(image.clone()),
                Origin::Image(image) | Origin::Unknown(image) => not_carried.push(image.clone()),
                Origin::Scratch | Origin::Stage(_) => {}
            }
        }
        for images in [&mut carry, &mut not_carried] {
            images.sort();
            images.dedup();
        }
        Self {
            source: source(&files).map(choice),
            dependencies: dependencies(&files).map(choice),
            carry,
            not_carried,
            buildkit: dockerfile.buildkit().cloned(),
        }
    }

    /// The scenario file; `context` is relative to it, `file` to the context.
    pub fn scenario(&self, context: &str, file: &str) -> String {
        let mut build = format!("{{ op = \"build\", context = {}, tag = \"app\"", quoted(context));
        if file != "Dockerfile" {
            build += &format!(", file = {}", quoted(file));
        }
        let mut edits = Vec::new();
        for (word, choice) in [("source", &self.source), ("dependencies", &self.dependencies)] {
            if let Some(choice) = choice {
                build += &format!(", {word} = {}", quoted(&choice.path));
                edits.push(format!("{} = \"{word}\"", 3 + edits.len()));
            }
        }
        let carry: Vec<String> = self.carry.iter().map(|image| quoted(image)).collect();
        let builder = if self.buildkit.is_some() { "builder = \"buildkit\"\n" } else { "" };
        format!(
            "\
question = {question}
baseline = \"socket\"

[[topology]]
use = \"socket\"

# Nested like the next, and never thrown away: what parts it from the socket is what nesting costs.
[[topology]]
name = \"dind-kept\"
use = \"dind\"
lifecycle = \"keep\"

[[topology]]
use = \"dind\"

[job]
{builder}# Taken from your own engine, and there before each job at no cost: pull them first.
carry = [{carry}]
steps = [
  {build} }},
]

# Job 1 builds from nothing, job 2 finds nothing changed; the others follow an edit.
[sequence]
jobs = {jobs}
edits = {{ {edits} }}
blocks = 7
",
            question =
                quoted(&format!("What does a build of {context} cost in a CI job, by how the job gets its Docker?")),
            carry = carry.join(", "),
            jobs = 2 + edits.len(),
            edits = edits.join(", "),
        )
    }
}

/// A program of the instruction that takes most of them, the later of equals: what a project's own code is.
fn source<'a>(files: &[(usize, &'a str)]) -> Option<(usize, &'a str)> {
    let programs: Vec<(usize, &str)> = files.iter().copied().filter(|(_, path)| is_program(path)).collect();
    let number = |taker: usize| programs.iter().filter(|(other, _)| *other == taker).count();
    let taker = programs.iter().map(|(taker, _)| *taker).max_by_key(|taker| (number(*taker), *taker))?;
    programs.into_iter().filter(|(other, _)| *other == taker).min_by_key(|(_, path)| distance(path))
}

/// The manifest that is taken first.
fn dependencies<'a>(files: &[(usize, &'a str)]) -> Option<(usize, &'a str)> {
    let rank = |path: &str| MANIFESTS.iter().position(|manifest| Some(*manifest) == name(path));
    let manifests = files.iter().copied().filter_map(|(taker, path)| Some((taker, depth(path), rank(path)?, path)));
    manifests.min().map(|(taker, _, _, path)| (taker, path))
}

fn is_program(path: &str) -> bool {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| PROGRAMS.contains(&extension)) && !MANIFESTS.contains(&name(path).unwrap_or(""))
}

/// How far a program is from being a project's entrance.
fn distance(path: &str) -> (bool, bool, usize, &str) {
    let aside = path.split('/').any(|part| ASIDE.contains(&part));
    let stem = Path::new(path).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    (aside, !ENTRANCES.contains(&stem), depth(path), path)
}

fn depth(path: &str) -> usize {
    path.matches('/').count()
}

fn name(path: &str) -> Option<&str> {
    path.rsplit('/').next()
}

/// Whether an instruction's source is this file or a folder above it.
fn takes(what: &str, path: &str) -> bool {
    let parts: Vec<&str> = what.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.is_empty() {
        return true;
    }
    let Ok(pattern) = Pattern::new(&parts.join("/")) else { return false };
    let options = MatchOptions { require_literal_separator: true, ..MatchOptions::default() };
    let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
    ends.into_iter().any(|end| pattern.matches_with(&path[..end], options))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn proposal(dockerfile: &str, sent: &[&str]) -> Proposal {
        let sent: BTreeSet<String> = sent.iter().map(|path| (*path).to_owned()).collect();
        Proposal::new(&Dockerfile::parse(dockerfile, &BTreeMap::new()).unwrap(), &sent)
    }

    /// The file of `source` and that of `dependencies`, each with the line of its instruction.
    fn chosen(dockerfile: &str, sent: &[&str]) -> [Option<(String, usize)>; 2] {
        let found = proposal(dockerfile, sent);
        [found.source, found.dependencies].map(|choice| choice.map(|choice| (choice.path, choice.line)))
    }

    #[test]
    fn a_manifest_that_is_copied_early_and_a_program_that_is_copied_late() {
        let sent =
            ["Dockerfile", "README.md", "requirements.txt", "app", "app/main.py", "app/util.py", "tests/main.py"];
        let [source, dependencies] = chosen("FROM a\nCOPY requirements.txt .\nRUN true\nCOPY . .", &sent);
        assert_eq!(source, Some(("app/main.py".to_owned(), 4)));
        assert_eq!(dependencies, Some(("requirements.txt".to_owned(), 2)));
    }

    #[test]
    fn the_instruction_that_takes_most_programs_decides_not_a_start_script() {
        let sent = ["package.json", "src/index.js", "src/a.js", "start.sh", "yarn.lock"];
        let [source, dependencies] = chosen("FROM a\nCOPY package*.json ./\nCOPY src/ src\nCOPY start.sh /", &sent);
        assert_eq!(source, Some(("src/index.js".to_owned(), 3)));
        assert_eq!(dependencies, Some(("package.json".to_owned(), 2)));
    }

    #[test]
    fn what_no_instruction_takes_is_not_edited() {
        let [source, dependencies] = chosen("FROM a\nCOPY go.sum /\nRUN true", &["go.sum", "go.mod", "main.go"]);
        assert_eq!((source, dependencies), (None, None));
        let [source, _] = chosen("FROM a AS unused\nCOPY main.go /\nFROM b\nCOPY x /", &["main.go"]);
        assert_eq!(source, None, "a stage that is not needed");
    }

    #[test]
    fn sources_are_files_folders_and_patterns() {
        for (what, path, expected) in [
            (".", "a/b", true),
            ("./", "a", true),
            ("/a", "a/b/c", true),
            ("a/", "a/b", true),
            ("a", "ab", false),
            ("*.py", "main.py", true),
            ("*.py", "a/main.py", false),
            ("a/*", "a/b/c", true),
            ("?", "a", true),
            ("[", "[", false),
        ] {
            assert_eq!(takes(what, path), expected, "{what} {path}");
        }
    }

    #[test]
    fn the_scenario_carries_what_can_be_carried_and_asks_for_the_builder_it_needs() {
        let text = "FROM a:1\nCOPY --from=b@sha256:1 x y\nRUN --mount=type=tmpfs,target=/x true\nFROM a:1 AS c\nFROM c\n\
                    COPY --from=0 x y";
        let found = proposal(text, &[]);
        assert_eq!(
            (found.carry.as_slice(), found.not_carried.as_slice()),
            (&["a:1".to_owned()][..], &["b@sha256:1".to_owned()][..])
        );
        let scenario = found.scenario("my \"app\"", "docker/a.Dockerfile");
        let written: toml::Table = scenario.parse().unwrap();
        assert_eq!(written["job"]["builder"].as_str(), Some("buildkit"));
        let step = &written["job"]["steps"][0];
        assert_eq!(step["context"].as_str(), Some("my \"app\""));
        assert_eq!(step["file"].as_str(), Some("docker/a.Dockerfile"));
        assert_eq!(written["sequence"]["jobs"].as_integer(), Some(2));
    }
}
