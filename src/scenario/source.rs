//! Where scenarios come from: files, and the binary itself.

use std::io;
use std::path::{Path, PathBuf};

use super::invalid::Invalid;
use super::{Scenario, check, document};

/// The built-in scenario that runs where none is named.
pub const QUICK: &str = "quick";

/// Names of the scenarios that are embedded in the binary.
pub const BUILTINS: [&str; 1] = [QUICK];

/// A scenario that cannot be had.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum LoadError {
    #[error("{argument:?} is neither a scenario file nor a built-in scenario")]
    #[diagnostic(help("built-in scenarios: {}", BUILTINS.join(", ")))]
    Unknown { argument: String },
    #[error("cannot read the scenario {path}")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the scenario {path} needs a name in UTF-8")]
    Unnamed { path: PathBuf },
    #[error(transparent)]
    Invalid(#[from] Box<Invalid>),
}

/// Reads what a command line names: a built-in, else a file, whose contexts are relative to its folder.
///
/// A file that is called like a built-in is named with its folder: `./quick`.
pub fn load(argument: &str) -> Result<Scenario, LoadError> {
    if let Some(scenario) = builtin(argument) {
        return Ok(scenario);
    }
    let path = Path::new(argument);
    let text = std::fs::read_to_string(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => LoadError::Unknown { argument: argument.to_owned() },
        _ => LoadError::Unreadable { path: path.to_owned(), source },
    })?;
    let name = path.file_stem().and_then(|stem| stem.to_str());
    let name = name.ok_or_else(|| LoadError::Unnamed { path: path.to_owned() })?;
    let root = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(parse_file(argument, name, &text, root)?)
}

/// A scenario that is embedded in the binary.
pub fn builtin(name: &str) -> Option<Scenario> {
    let text = match name {
        QUICK => include_str!("../../scenarios/quick.toml"),
        _ => return None,
    };
    Some(parse(name, text, Path::new(".")).expect("built-in scenarios are valid, which a test checks"))
}

/// Reads a scenario. `name` is the file's stem, `root` the folder that its contexts are relative to.
///
/// # Errors
///
/// The first fault that is found, with its place and what would be right.
pub fn parse(name: &str, text: &str, root: &Path) -> Result<Scenario, Box<Invalid>> {
    parse_file(&format!("{name}.toml"), name, text, root)
}

/// `file` is how errors call it.
fn parse_file(file: &str, name: &str, text: &str, root: &Path) -> Result<Scenario, Box<Invalid>> {
    let checked = document::read(text).and_then(|written| check::scenario(written, name, text, root));
    checked.map_err(|fault| Box::new(Invalid::new(fault, file, text)))
}
