//! The engine itself: what is on it, and how it is talked to.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use dindbench::engine::{Cause, ContainerSpec, Engine, Mount, Patience};
use libtest_mimic::{Failed, Trial};

use crate::lab;

pub fn tests() -> Vec<Trial> {
    vec![
        Trial::test("host::a_missing_bind_source_is_refused_and_not_made", || {
            lab::with(async |lab| missing_source(&lab.engine, lab.host.image()).await)
        }),
        Trial::test("host::an_engine_in_a_container_is_reached_through_exec", through_exec),
        Trial::test("host::a_command_that_is_silent_stalls_and_one_that_goes_on_times_out", patience),
    ]
}

/// The kind of the tests which look at what is on the user's engine, one at a time: labs are no business of theirs.
pub const USERS: &str = "user's engine";

/// The kind of those which kill a run there and clean up, or take the whole machine: nothing may begin or be busy beside them.
pub const ALONE: &str = "alone";

pub fn users(name: &str, test: impl FnOnce() -> Result<(), Failed> + Send + 'static) -> Trial {
    static ENGINE: Mutex<()> = Mutex::new(());
    let test = || {
        let _one = ENGINE.lock().unwrap_or_else(PoisonError::into_inner);
        test()
    };
    Trial::test(name, test).with_kind(USERS)
}

pub fn alone(name: &str, test: impl FnOnce() -> Result<(), Failed> + Send + 'static) -> Trial {
    Trial::test(name, test).with_kind(ALONE)
}

/// Does something on the user's engine.
pub fn docker(arguments: &[&str]) {
    let output = Command::new("docker").args(arguments).output().expect("the docker command");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Everything on the user's engine but what the labs of these tests have there, by kind.
pub fn fingerprint() -> BTreeMap<&'static str, Vec<String>> {
    let list = |arguments: &[&str]| -> Vec<String> {
        let output = Command::new("docker").args(arguments).output().expect("the docker command");
        let mut lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
        lines.retain(|line| !line.split(' ').nth(1).is_some_and(|run| run.starts_with(&lab::runs())));
        lines.sort();
        lines
    };
    let images = list(&["images", "--all", "--quiet", "--no-trunc"]);
    let label = "{{index .Config.Labels \"dindbench.run\"}}";
    let inspect = ["image", "inspect", "--format", &format!("{{{{.Id}}}} {label}")].map(str::to_owned);
    let inspect: Vec<&str> = inspect.iter().chain(&images).map(String::as_str).collect();
    BTreeMap::from([
        ("containers", list(&["ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Label \"dindbench.run\"}}"])),
        ("images", if images.is_empty() { Vec::new() } else { list(&inspect) }),
        ("volumes", list(&["volume", "ls", "--format", "{{.Name}} {{.Label \"dindbench.run\"}}"])),
        ("networks", list(&["network", "ls", "--quiet", "--no-trunc"])),
        ("build cache", list(&["system", "df", "--verbose", "--format", "{{range .BuildCache}}{{.ID}}\n{{end}}"])),
    ])
}

async fn missing_source(engine: &Engine, image: &str) -> Result<(), Failed> {
    let missing = std::env::temp_dir().join(format!("dindbench-no-such-folder-{}", std::process::id()));
    let spec = ContainerSpec {
        name: "dindbench-test-missing-source".to_owned(),
        image: image.to_owned(),
        command: vec!["true".to_owned()],
        labels: dindbench::journal::labels("test", "test"),
        mounts: vec![Mount::Bind { source: missing.display().to_string(), target: "/mnt".to_owned(), read_only: true }],
        ..ContainerSpec::default()
    };
    let error = engine.create_container(&spec).await.expect_err("a source that is missing");
    assert_eq!(error.status(), Some(400), "{error}");
    assert!(error.to_string().contains(&missing.display().to_string()), "{error}");
    assert!(!missing.exists(), "the engine made {}", missing.display());
    Ok(())
}

fn through_exec() -> Result<(), Failed> {
    lab::with(async |lab| {
        let host = lab.open_host().await?;
        let (outer, user) = (host.engine.describe().await?, lab.engine.describe().await?);
        assert_ne!(outer.id, user.id, "the same engine was reached twice");
        assert_eq!(outer.version, user.version, "the reference host runs the packed engine");
        let error = host.engine.inspect_image("no-such-image").await?;
        assert_eq!(error, None);
        host.remove().await?;
        Ok(())
    })
}

fn patience() -> Result<(), Failed> {
    use dindbench::engine::Command;
    use std::time::Duration;

    lab::with(async |lab| {
        let host = lab.open_host().await?;
        let exec = async |script: &str, total: u64, silence: u64| {
            let patience = Patience { total: Duration::from_secs(total), silence: Duration::from_secs(silence) };
            lab.engine.exec(host.container(), &Command::new(["sh", "-c", script]), patience).await
        };
        let silent = exec("sleep 30", 20, 1).await.expect_err("a silent command");
        assert!(matches!(silent.cause, Cause::Stall(_)), "{silent}");
        let endless = exec("while true; do echo x; sleep 0.1; done", 1, 10).await.expect_err("an endless command");
        assert!(matches!(endless.cause, Cause::Timeout(_)), "{endless}");
        host.remove().await?;
        Ok(())
    })
}
