//! Faults that are planted in a job on the real engine: each makes its trial invalid, and none a fast or a slow time.

use dindbench::case::{ErrorClass, Status};
use dindbench::engine::{Command, Engine, Patience, Source};
use dindbench::journal::ROLE_LABEL;
use libtest_mimic::{Failed, Trial};

use crate::block::Recorded;
use crate::failures::await_host;
use crate::lab;

pub fn tests() -> Vec<Trial> {
    vec![
        Trial::test("planted::a_cold_that_shares_its_first_step", cold),
        Trial::test("planted::a_warm_whose_images_were_removed", evicted),
        Trial::test("planted::an_edit_that_kept_bytes_size_and_time", kept),
    ]
}

/// The step before the build leaves time for the plant.
const SCENARIO: &str = r#"
question = "?"
baseline = "socket"
[[topology]]
use = "socket"
[job]
builder = "classic"
steps = [
  { op = "pull", image = "fixture:base" },
  { op = "run", image = "fixture:base", command = ["sleep", "4"] },
  { op = "build", context = "fixture:ten", tag = "app" },
]
[sequence]
jobs = 2
edits = { 2 = "EDIT" }
"#;

/// Everything of a build but its first instructions, as another project's build would share them.
const SHARE: &str = "docker exec $job sh -c 'mkdir /tmp/other && head -n 3 $0/Dockerfile >/tmp/other/Dockerfile && \
    docker build --tag other /tmp/other' $folder";
const EVICT: &str = "docker image rm --force app && docker image prune --force";
/// The files of job 1 in the place of those of job 2, with their times.
const SAVE: &str = "docker cp $job:$folder /tmp/saved";
const RESTORE: &str = "docker cp /tmp/saved/. $job:$folder";

fn cold() -> Result<(), Failed> {
    assert_invalid(&planted("none", &[(1, SHARE)]), 1, "expected 0 of 10 instructions cached, and 1 were");
    Ok(())
}

fn evicted() -> Result<(), Failed> {
    assert_invalid(&planted("source", &[(2, EVICT)]), 2, "expected 6 of 10 instructions cached, and 0 were");
    Ok(())
}

fn kept() -> Result<(), Failed> {
    let recorded = planted("source", &[(1, SAVE), (2, RESTORE)]);
    assert_invalid(&recorded, 2, "the build used another file");
    Ok(())
}

/// The build of a job is invalid for this reason, in both attempts of its trial.
fn assert_invalid(recorded: &Recorded, job: u32, reason: &str) {
    let builds = recorded.samples().into_iter().filter(|row| (row.job, row.step.as_str()) == (job, "app"));
    let found: Vec<_> = builds.map(|row| (row.attempt, row.status, row.error_class, row.error)).collect();
    let [(1, Status::Invalid, Some(ErrorClass::Expectation), error), ..] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert!(error.as_str().contains(reason), "{error}");
    assert_eq!(recorded.trials()[0].status, Status::Invalid);
}

/// A block of one trial of two jobs; each of these is done on the outer engine while the job waits before its build. What is
/// invalid is run again, and then nothing is planted.
fn planted(edit: &str, plants: &[(u32, &str)]) -> Recorded {
    let mut text = SCENARIO.replace("EDIT", edit);
    if edit != "none" {
        text.push_str("[[expect]]\ntopology = \"socket\"\njob = 2\nstep = \"app\"\ninstructions_cached = 6\n");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = lab::scenario(&text, folder.path());
    lab::with(async |lab| {
        let (user, run) = (lab.engine.clone(), lab.journal.run().to_owned());
        let plant = async move {
            for (job, script) in plants {
                plant(&user, &run, *job, script).await;
            }
        };
        lab.run_while(&scenario, plant).await
    })
}

async fn plant(user: &Engine, run: &str, job: u32, script: &str) {
    let script = format!(
        "job=dindbench-{run}-job-{job} folder={FOLDER}\n\
         export DOCKER_HOST=unix:///run/engine/docker.sock\n\
         until docker inspect $job >/dev/null 2>&1 && \
         [ -n \"$(docker ps --quiet --filter label={ROLE_LABEL}=fixture)\" ]; do sleep 0.1; done\n\
         {script}"
    );
    let host = await_host(user, run).await;
    let output = user.exec(&host, &Command::new(["sh", "-ec", &script]), Patience::CHORE).await.expect("a command");
    assert_eq!(output.exit_code, 0, "{}", output.text(Source::Stderr));
}

/// Where a job container has the context of its third step.
const FOLDER: &str = "/tmp/context-2";
