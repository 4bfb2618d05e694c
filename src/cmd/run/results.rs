//! Where results go: not into what is measured.

use std::path::{Path, PathBuf};

use crate::ignore::sent;
use crate::scenario::{Build, Context, Scenario, Step};

/// The run directory would be a part of a build context, and every job would find another context than the last.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("results in {} would be a part of the build context {}, which they change while it is measured", out.display(), context.display())]
#[diagnostic(help("name another folder with --out, or add a line to the context's .dockerignore"))]
pub struct InContext {
    out: PathBuf,
    context: PathBuf,
}

/// The first build step whose context would hold the results.
pub fn in_context(out: &Path, scenario: &Scenario) -> Option<InContext> {
    let real = real(out)?;
    scenario.job.steps.iter().find_map(|step| {
        let Step::Build(Build { context: Context::Folder(folder), file, .. }) = step else { return None };
        let below = real.strip_prefix(folder.canonicalize().ok()?).ok()?.to_str()?.to_owned();
        // An ignore file that cannot be read is told when the context is.
        let taken = below.is_empty() || sent(folder, file, &below).unwrap_or(false);
        taken.then(|| InContext { out: out.to_owned(), context: folder.clone() })
    })
}

/// The folder without links, also where its last parts are still to be made.
fn real(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let there = path.ancestors().find(|ancestor| ancestor.exists())?;
    Some(there.canonicalize().ok()?.join(path.strip_prefix(there).ok()?))
}
