//! The real engine: right values, failures, and what is left behind.
//!
//! First those with reference hosts of their own, two at a time, and beside them, one after another, those that look at what
//! is on the user's engine; then, alone, those that kill a run there and clean up, or take the whole machine.
//!
//! They run whenever an engine answers. With CI set, an engine that does not answer is an error.

mod agreement;
mod at_once;
mod block;
mod buildkit;
mod cached;
#[path = "../ignore/cases.rs"]
mod cases;
mod claims;
mod command;
mod daemonless;
mod edits;
mod failures;
mod grid;
mod host;
mod ignored;
mod inner;
mod kinds;
mod lab;
mod lifecycles;
mod own;
mod planted;
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
    let arguments = Arguments::from_args();
    let missing = lab::missing_engine();
    if let Some(reason) = &missing {
        eprintln!("no engine, so nothing of this file is tested: {reason}");
        if std::env::var_os("CI").is_some() {
            return ExitCode::FAILURE;
        }
    }
    let tests: [Vec<Trial>; 25] = [
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
        grid::tests(),
        daemonless::tests(),
        at_once::tests(),
        cached::tests(),
        claims::tests(),
        recordings::tests(),
        failures::tests(),
        planted::tests(),
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
    let (users, labs): (Vec<_>, Vec<_>) = tests.partition(|test| [host::USERS, host::ALONE].contains(&test.kind()));
    let (alone, users): (Vec<_>, Vec<_>) = users.into_iter().partition(|test| test.kind() == host::ALONE);
    let before = host::fingerprint();
    let run =
        |tests, threads| libtest_mimic::run(&Arguments { test_threads: Some(threads), ..arguments.clone() }, tests);
    // Several threads, so that lines of two runs at once are whole.
    let beside = std::thread::scope(|scope| {
        let users = scope.spawn(|| run(users, 2));
        [run(labs, 2), users.join().expect("a harness that catches what its tests do")]
    });
    let conclusions = beside.into_iter().chain([run(alone, 1)]).collect::<Vec<_>>();
    lab::close();
    if missing.is_none() && host::fingerprint() != before {
        eprintln!("the engine is not as it was before: {before:#?}\nafter: {:#?}", host::fingerprint());
        return ExitCode::FAILURE;
    }
    if conclusions.iter().any(Conclusion::has_failed) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
