//! `dindbench man`: the manual, one page for the program and one for each of its commands.

use std::io;

use clap::CommandFactory;
use clap_mangen::Man;

use super::{Exit, Failure, print};
use crate::cli::Cli;

pub fn run() -> Result<Exit, Failure> {
    let mut manual = Vec::new();
    pages(&mut manual).expect("writing to memory does not fail");
    print(&manual)
}

fn pages(manual: &mut Vec<u8>) -> io::Result<()> {
    let mut program = Cli::command();
    program.build();
    Man::new(program.clone()).render(manual)?;
    for command in program.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help") {
        Man::new(command.clone()).render(manual)?;
    }
    Ok(())
}
