//! The real engine: right values, failures, and what is left behind. One after another, for they share an engine.
//!
//! They run whenever an engine answers. With CI set, an engine that does not answer is an error.

mod agreement;
mod at_once;
mod block;
mod buildkit;
mod cached;
#[path = "../ignore/cases.rs"]
mod cases;
mod command;
mod docker_command;
mod edits;
mod failures;
mod host;
mod ignored;
mod inner;
mod kinds;
mod lab;
mod lifecycles;
mod own;
mod proxy;
mod pushes;
mod recordings;
mod shared;
mod stored;
mod suite;
mod tls;
mod upstream;
mod values;
mod versions;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let missing = lab::missing_engine();
    if let Some(reason) = &missing {
        eprintln!("no engine, so nothing of this file is tested: {reason}");
        if std::env::var_os("CI").is_some() {
            return ExitCode::FAILURE;
        }
    }
    let tests: [Vec<Trial>; 21] = [
        host::tests(),
        values::tests(),
        versions::tests(),
        agreement::tests(),
        buildkit::tests(),
        edits::tests(),
        pushes::tests(),
        lifecycles::tests(),
        suite::tests(),
        kinds::tests(),
        inner::tests(),
        at_once::tests(),
        cached::tests(),
        recordings::tests(),
        failures::tests(),
        command::tests(),
        shared::tests(),
        ignored::tests(),
        own::tests(),
        proxy::tests(),
        upstream::tests(),
    ];
    let tests = tests.into_iter().flatten().map(|test| test.with_ignored_flag(missing.is_some())).collect();
    let before = host::fingerprint();
    let conclusion = libtest_mimic::run(&arguments, tests);
    lab::close();
    docker_command::close();
    if missing.is_none() && host::fingerprint() != before {
        eprintln!("the engine is not as it was before: {before:#?}\nafter: {:#?}", host::fingerprint());
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}
