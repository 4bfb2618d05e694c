//! dindbench measures what each way of giving a CI job a Docker costs.
//!
//! Data flows one way: scenario, plan, runner, records, analysis, report. See `docs/architecture.md`.

#![forbid(unsafe_code)]
// They panic where nobody reads any more: `cmd::notice` and `cmd::print` do not.
#![deny(clippy::print_stderr, clippy::print_stdout)]

pub mod agent;
pub mod analysis;
pub mod buildlog;
pub mod case;
pub mod claim;
pub mod cleanup;
pub mod cli;
pub mod cmd;
pub mod collection;
pub mod dockerfile;
pub mod elf;
pub mod engine;
pub mod fixture;
pub mod guard;
pub mod ignore;
pub mod image;
pub mod journal;
pub mod plan;
pub mod platform;
pub mod probe;
pub mod proposal;
pub mod record;
pub mod registry;
pub mod report;
pub mod runner;
pub mod scenario;
pub mod stats;
pub mod topology;
pub mod units;
pub mod workload;
