//! `dindbench completions`: the completions for a shell.

use clap::CommandFactory;

use super::{Exit, Failure, print};
use crate::cli::{Cli, CompletionsArgs};

pub fn run(args: &CompletionsArgs) -> Result<Exit, Failure> {
    // Into memory first: the generator panics where its writer fails.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "dindbench", &mut script);
    print(&script)
}
