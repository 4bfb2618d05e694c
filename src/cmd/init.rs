//! `dindbench init`: a scenario around a Dockerfile of the user's.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use super::{Exit, Failure, could_not_run, print};
use crate::cli::InitArgs;
use crate::dockerfile::{self, Dockerfile};
use crate::ignore::{FolderError, Sender, entries, sent};
use crate::proposal::{Choice, Proposal};
use crate::scenario;

/// The file that is written, in the present folder.
const SCENARIO: &str = "dindbench.toml";

#[derive(Debug, thiserror::Error, miette::Diagnostic)]
enum InitError {
    #[error("{} cannot be read: {cause}", path.display())]
    #[diagnostic(help("name the build context, and with --file the Dockerfile in it"))]
    Unreadable { path: PathBuf, cause: io::Error },
    #[error("{}: {cause}", path.display())]
    NoDockerfile { path: PathBuf, cause: dockerfile::Error },
    #[error("the context {} is not below {}", context.display(), here.display())]
    #[diagnostic(help("a scenario file stands above its contexts: run init there, or in the context itself"))]
    Elsewhere { context: PathBuf, here: PathBuf },
    #[error("the Dockerfile {} is not in the context {}", file.display(), context.display())]
    #[diagnostic(help("--file is a path as docker build takes it, and a scenario's Dockerfile is in its context"))]
    Outside { file: PathBuf, context: PathBuf },
    #[error("{} is no UTF-8, and a scenario is", path.display())]
    NotUtf8 { path: PathBuf },
    #[error("{SCENARIO} is there already")]
    #[diagnostic(help("move it or remove it: what you have written is not overwritten"))]
    Exists,
    #[error(transparent)]
    Context(#[from] FolderError),
}

pub fn run(args: &InitArgs) -> Result<Exit, Failure> {
    let found = find(args).map_err(Failure::usage)?;
    let text = found.proposal.scenario(&found.context, &found.file);
    // What was proposed is held to what a run would hold it to.
    scenario::parse("dindbench", &text, Path::new(".")).map_err(|invalid| Failure::usage(*invalid))?;
    match fs::File::create_new(SCENARIO).and_then(|mut file| file.write_all(text.as_bytes())) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(Failure::usage(InitError::Exists)),
        written => written.map_err(could_not_run)?,
    }
    print(told(&found).as_bytes())
}

/// What a context says of itself.
struct Found {
    /// Relative to the present folder.
    context: String,
    /// The Dockerfile, relative to the context.
    file: String,
    dockerfile: Dockerfile,
    proposal: Proposal,
}

fn find(args: &InitArgs) -> Result<Found, InitError> {
    let folder = real(&args.context)?;
    let here = real(Path::new("."))?;
    let elsewhere = |_| InitError::Elsewhere { context: folder.clone(), here: here.clone() };
    let context = text(folder.strip_prefix(&here).map_err(elsewhere)?)?;
    let path = args.file.clone().unwrap_or_else(|| args.context.join("Dockerfile"));
    let file = real(&path)?;
    let outside = |_| InitError::Outside { file: file.clone(), context: folder.clone() };
    let file = text(file.strip_prefix(&folder).map_err(outside)?)?;
    let written = fs::read_to_string(&path).map_err(|cause| InitError::Unreadable { path: path.clone(), cause })?;
    let dockerfile =
        Dockerfile::parse(&written, &BTreeMap::new()).map_err(|cause| InitError::NoDockerfile { path, cause })?;
    let sender = if dockerfile.buildkit().is_some() { Sender::Buildkit } else { Sender::Classic };
    let proposal = Proposal::new(&dockerfile, &entries(&folder, &file, sender)?);
    Ok(Found { context, file, dockerfile, proposal })
}

/// A path without links, which is how a scenario's paths are compared.
fn real(path: &Path) -> Result<PathBuf, InitError> {
    path.canonicalize().map_err(|cause| InitError::Unreadable { path: path.to_owned(), cause })
}

/// A path that stands in a scenario: `.` where it is empty.
fn text(path: &Path) -> Result<String, InitError> {
    let path = if path.as_os_str().is_empty() { Path::new(Component::CurDir.as_os_str()) } else { path };
    path.to_str().map(str::to_owned).ok_or_else(|| InitError::NotUtf8 { path: path.to_owned() })
}

/// What was found and chosen, and what is next.
fn told(found: &Found) -> String {
    let Found { context, file, dockerfile, proposal } = found;
    let stages = dockerfile.needed();
    let instructions: usize = stages.iter().map(|stage| stage.length).sum();
    let mut told = format!(
        "{context}/{file}: {instructions} instructions in {} of {} stages are needed for the last\n",
        stages.len(),
        dockerfile.stages.len()
    );
    let mut line = |text: String| {
        // Writing to a string does not fail.
        let _ = writeln!(told, "{text}");
    };
    line(edit("source", proposal.source.as_ref(), "no instruction copies a program whose comments are known"));
    line(edit("dependencies", proposal.dependencies.as_ref(), "no instruction copies a manifest that is known"));
    if !proposal.carry.is_empty() {
        line(format!("carried from your engine: {}", proposal.carry.join(", ")));
    }
    for image in &proposal.not_carried {
        line(format!(
            "not carried: {image}; give it a tag and add it to `carry`, without which the build cannot begin"
        ));
    }
    if let Some(buildkit) = &proposal.buildkit {
        line(format!("builder: buildkit, for {} in line {}", buildkit.feature, buildkit.line));
    }
    if let Some(frontend) = &dockerfile.frontend {
        line(format!(
            "`# syntax={frontend}`: BuildKit pulls that image to read the file, from a registry that the engines under \
             test may not reach; without the line it reads the file itself"
        ));
    }
    let folder = Path::new(context);
    let inside = context == "." && sent(folder, file, "results").unwrap_or(true);
    let out = if inside { " --out ../results" } else { "" };
    line(format!("wrote {SCENARIO}; next: dindbench run {SCENARIO}{out}"));
    told
}

fn edit(word: &str, choice: Option<&Choice>, without: &str) -> String {
    match choice {
        Some(Choice { path, line, instruction }) => format!("edit {word}: {path}, by line {line}: {instruction}"),
        None => format!("edit {word}: none, for {without}"),
    }
}
