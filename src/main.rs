//! The `dindbench` command: reads the command line, hands it to its command, and turns the end into an exit code.

#![forbid(unsafe_code)]

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use dindbench::cli::{Built, Cli};
use dindbench::cmd::{self, Exit, Failure};
use miette::MietteHandlerOpts;

fn main() -> ExitCode {
    // One line is one line, so that paths and `file:line:column` stay in one piece for editors and scripts.
    let handler = Box::new(|_: &_| -> Box<dyn miette::ReportHandler> {
        Box::new(MietteHandlerOpts::new().wrap_lines(false).build())
    });
    // Only a second hook is refused, and this is the first.
    let _ = miette::set_hook(handler);
    match dispatch(Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(Failure { exit, report }) => {
            // Where nobody reads stderr, the exit code still tells.
            let _ = writeln!(std::io::stderr(), "{report:?}");
            exit.into()
        }
    }
}

fn dispatch(cli: Cli) -> Result<Exit, Failure> {
    match cli.command.built()? {
        Built::Run(args) => cmd::run::run(&args),
        Built::Plan(args) => cmd::plan::run(&args),
        Built::Report(args) => cmd::report::run(&args),
        Built::Compare(args) => cmd::compare::run(&args),
        Built::Claims(args) => cmd::claims::run(&args),
        Built::Doctor(args) => cmd::doctor::run(&args),
        Built::Clean(args) => cmd::clean::run(&args),
        Built::Init(args) => cmd::init::run(&args),
        Built::Schema => cmd::schema::run(),
        Built::Completions(args) => cmd::completions::run(&args),
        Built::Man => cmd::man::run(),
        Built::Inside(role) => cmd::inside::run(role),
    }
}
