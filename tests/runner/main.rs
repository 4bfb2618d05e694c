//! What a runner promises, shown with an executor that follows a script instead of Docker.

mod attempt;
mod expectation;
mod failure;
mod fake;
mod files;
mod guard;
mod interruption;
mod limit;
mod order;
mod rows;
mod run;
mod statistics;
