//! What can be asked for and is not built yet: one place, so that nothing that was asked for is ever ignored.

use super::{
    ClaimHost, ClaimsArgs, CleanArgs, Command, CompareArgs, CompletionsArgs, DoctorArgs, Host, Image, InitArgs, Inside,
    PlanArgs, ReportArgs, RunArgs,
};

/// A command line that asks only for what is built.
#[derive(Debug)]
pub enum Built {
    Run(RunArgs),
    Plan(PlanArgs),
    Report(ReportArgs),
    Compare(CompareArgs),
    Claims(ClaimsArgs),
    Doctor(DoctorArgs),
    Clean(CleanArgs),
    Init(InitArgs),
    Schema,
    Completions(CompletionsArgs),
    Man,
    Inside(Inside),
}

/// Something that the command line has and dindbench has not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("{what} is not built yet")]
#[diagnostic(help("what works now: {works}"))]
pub struct NotBuilt {
    what: String,
    works: &'static str,
}

impl NotBuilt {
    pub fn new(what: impl Into<String>, works: &'static str) -> Self {
        Self { what: what.into(), works }
    }
}

impl Command {
    /// This command, where all of it is built.
    pub fn built(self) -> Result<Built, NotBuilt> {
        match self {
            Self::Run(args) => run(&args).map_or(Ok(Built::Run(args)), Err),
            Self::Plan(args) => Ok(Built::Plan(args)),
            Self::Report(args) => Ok(Built::Report(args)),
            Self::Compare(args) => Ok(Built::Compare(args)),
            Self::Doctor(args) => Ok(Built::Doctor(args)),
            Self::Clean(args) => Ok(Built::Clean(args)),
            Self::Init(args) => Ok(Built::Init(args)),
            Self::Schema => Ok(Built::Schema),
            Self::Completions(args) => Ok(Built::Completions(args)),
            Self::Man => Ok(Built::Man),
            Self::Inside(role) => Ok(Built::Inside(role)),
            Self::Claims(args) => claims(&args).map_or(Ok(Built::Claims(args)), Err),
        }
    }
}

/// The first thing a `run` asks for that is not built.
fn run(args: &RunArgs) -> Option<NotBuilt> {
    let refusal = |what: &str, works| Some(NotBuilt::new(what, works));
    if args.image != Image::HostEngine {
        return refusal("--image other than host-engine", "--image host-engine");
    }
    if args.resume.is_some() {
        return refusal("--resume", "a new run");
    }
    None
}

/// Where claims cannot be tested yet. Some of them wreck what they are tested on.
fn claims(args: &ClaimsArgs) -> Option<NotBuilt> {
    let works = "claims on a reference host or in the lab, which are thrown away";
    match args.host {
        ClaimHost::Engine(Host::Reference) | ClaimHost::Lab => None,
        ClaimHost::Engine(Host::Local | Host::Url(_)) => Some(NotBuilt::new("claims on an engine in use", works)),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn built(line: &str) -> Result<Built, NotBuilt> {
        let words = std::iter::once("dindbench").chain(line.split_whitespace());
        Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}")).command.built()
    }

    #[test]
    fn what_is_not_built_is_refused_by_its_name() {
        for (line, what) in [
            ("claims --host local", "claims on an engine in use"),
            ("run --image official", "--image other than host-engine"),
            ("run --image docker:dind", "--image other than host-engine"),
            ("run --resume results/1", "--resume"),
        ] {
            let refused = built(line).expect_err(line);
            assert_eq!(refused.to_string(), format!("{what} is not built yet"));
            assert!(!refused.works.is_empty());
        }
    }

    #[test]
    fn what_is_built_passes_with_its_values() {
        for line in [
            "run",
            "run quick a.toml --host reference --engine auto --image host-engine --preset smoke --seed 1 --only a,b \
             --driver cli --builder buildkit --out o --dry-run --host-label h --format json",
            "run --engine 28.5",
            "run --time-limit 30m",
            "run --precision 2% --blocks 60",
            "plan --precision 2%",
            "plan quick --blocks 3 --seed 7 --only socket",
            "report a b --out c",
            "compare a b --threshold 3% --format markdown",
            "claims",
            "claims C16 --host lab",
            "claims C1 S1 --list --engine 20.10 --format json --seed 1 --out o --host-label h",
            "doctor --host local",
            "run --host local --builder classic",
            "run --host local --allow-host-cache",
            "run --registry http://localhost:5000",
            "run --host unix:///run/docker.sock",
            "clean --host tcp://h:1 --dry-run",
            "init app --file app/Dockerfile.ci",
            "schema",
            "completions bash",
            "man",
        ] {
            built(line).unwrap_or_else(|refused| panic!("{line}: {refused}"));
        }
        let Ok(Built::Run(args)) = built("run") else { panic!("run") };
        assert_eq!(args.scenarios, ["quick"]);
    }
}
