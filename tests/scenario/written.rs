//! A scenario that uses every key, and the fault after a part of it was replaced.

use std::path::Path;

use dindbench::scenario::{Invalid, Scenario, parse};

/// A scenario that uses every key that is built; faults are made by replacing a part of it.
pub const WHOLE: &str = r#"question = "Why?"
baseline = "socket"
analysis = "Prose."

[[topology]]
use = "socket"

[[topology]]
name = "dind-kept"
use = "dind"
lifecycle = "keep"
engine = "28.5"
storage_driver = "vfs"
data_root = "fresh"
mirror = false
preload = false
tls = false

[job]
driver = "cli"
builder = "classic"
steps = [
  { op = "pull", image = "fixture:base" },
  { op = "build", context = "fixture:ten", file = "Dockerfile", tag = "app", args = { A = "1" } },
  { op = "run", image = "app:latest", command = ["true"] },
  { op = "push", image = "app" },
]

[sequence]
jobs = 3
edits = { 2 = "none", 3 = "source" }
blocks = 4
concurrency = 1

[[expect]]
topology = "socket"
job = 2
step = "app"
instructions_cached = "all"

[[expect]]
topology = "dind-kept"
job = 3
step = 1
instructions_cached = 6

[limits]
step_timeout = "90s"
stall_timeout = "1m 30s"

[cost]
jobs_per_day = 400
price_per_minute = 0.008
"#;

pub fn whole() -> Scenario {
    parse("whole", WHOLE, Path::new(".")).unwrap_or_else(|invalid| panic!("{invalid}"))
}

/// Where a fault is to be told, in the text that makes it.
pub const HERE: char = '▶';

/// The fault after `from`, which stands there exactly once, was replaced by `to`.
pub fn fault(from: &str, to: &str) -> Invalid {
    assert_eq!(WHOLE.matches(from).count(), 1, "{from}");
    let marked = WHOLE.replace(from, to);
    let invalid = *parse("whole", &marked.replace(HERE, ""), Path::new(".")).expect_err(to);
    let before = &marked[..marked.find(HERE).expect(to)];
    let line = before.split('\n').count();
    let column = before.rsplit('\n').next().map_or(0, str::len) + 1;
    assert_eq!(invalid.to_string(), format!("whole.toml:{line}:{column}: {}", invalid.message), "{to}");
    invalid
}

/// Replaced part, replacement with the fault's place marked, and a part of its message and of its help.
pub type Case = (&'static str, &'static str, &'static str, &'static str);

pub fn check(cases: &[Case]) {
    for (from, to, message, help) in cases {
        let invalid = fault(from, to);
        assert!(invalid.message.contains(message), "{to}: {invalid}");
        assert!(invalid.help.contains(help), "{to}: {}", invalid.help);
    }
}
