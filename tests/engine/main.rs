//! The real engine: right values, failures, and what is left behind.
//!
//! First those with reference hosts of their own, two at a time; then, one after another, those that look at what is on the
//! user's engine.
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
mod daemonless;
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
mod systems;
mod tls;
mod upstream;
mod values;
mod versions;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Conclusion, Trial};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    let missing = lab::missing_engine();
    if let Some(reason) = &missing {
        eprintln!("no engine, so nothing of this file is tested: {reason}");
        if std::env::var_os("CI").is_some() {
            return ExitCode::FAILURE;
        }
    }
    let tests: [Vec<Trial>; 22] = [
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
        daemonless::tests(),
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
    let ignored = |test: Trial| {
        let ignored = missing.is_some() || test.has_ignored_flag();
        test.with_ignored_flag(ignored)
    };
    let tests = tests.into_iter().flatten().map(ignored);
    let (alone, together) = tests.partition(|test: &Trial| test.kind() == host::ALONE);
    let before = host::fingerprint();
    let conclusions = [(together, 2), (alone, 1)].map(|(tests, threads)| {
        arguments.test_threads = Some(threads);
        libtest_mimic::run(&arguments, tests)
    });
    lab::close();
    if missing.is_none() && host::fingerprint() != before {
        eprintln!("the engine is not as it was before: {before:#?}\nafter: {:#?}", host::fingerprint());
        return ExitCode::FAILURE;
    }
    if conclusions.iter().any(Conclusion::has_failed) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
