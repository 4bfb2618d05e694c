//! Claims on the real engine: every verdict from a cause that is planted, and the command as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use dindbench::case::Verdict;
use dindbench::claim::{self, Judgement, Kernel, Machine, Procedure, Site};
use dindbench::engine::{Command, Patience};
use dindbench::record::ClaimsDir;
use libtest_mimic::{Failed, Trial};

use crate::command::{dindbench, only_dir, state, stderr};
use crate::host::{alone, fingerprint};
use crate::lab::{self, Lab};

pub fn tests() -> Vec<Trial> {
    vec![
        Trial::test("claims::every_verdict_has_its_cause", verdicts),
        Trial::test("claims::a_script_of_the_lab_is_executed_on_the_machine_itself", on_machine),
        alone("claims::the_command_leaves_findings_with_evidence_and_nothing_else", command),
    ]
}

/// A container that a job starts is on the outer engine, where the engine of the job is that one.
const SIBLING: &str = r#"
statement = "A job's container is on the outer engine"
paragraphs = [22]
rule = "It is listed there."
touches = "containers of a reference host"
procedure = "script"
before = "docker ps --all --quiet --filter label=planted"
script = '''
docker pull --quiet "$BASE"
docker run --detach --label planted "$BASE" sleep 300
observe engine "$(docker info --format '{{.Name}}')"
'''
neighbour = "observe both_there yes"
after = '''
observe outer "$(docker ps --quiet --filter label=planted | wc -l)"
docker ps --quiet --filter label=planted | while read -r container; do docker rm --force "$container"; done
'''
"#;

const SOCKET: &str = "[[arm]]\ntopology = { use = \"socket\" }\nholds = { outer = \"1\", both_there = \"yes\" }\n";
const DIND: &str = "[[arm]]\ntopology = { use = \"dind\" }\nholds = { outer = \"1\", both_there = \"yes\" }\n";
const CONTROL: &str = "[[arm]]\ntopology = { use = \"dind\" }\ncontrol = true\nholds = { outer = \"1\" }\n";

fn verdicts() -> Result<(), Failed> {
    let other_script = |script: &str| SIBLING.replace("docker pull --quiet \"$BASE\"", script);
    let cases = [
        (format!("{SIBLING}{SOCKET}"), Verdict::Confirmed, "holds in socket"),
        (format!("{SIBLING}{DIND}"), Verdict::Refuted, "outer is 0, and not 1"),
        (format!("{SIBLING}{SOCKET}{DIND}"), Verdict::Conditional, "holds in socket; not in dind"),
        (format!("{SIBLING}{SOCKET}{CONTROL}"), Verdict::Undecided, "the control dind: outer is 0"),
        (format!("{}{SOCKET}", other_script("exit 7")), Verdict::Undecided, "its script `job` ended with 7"),
        (format!("needs = [\"no-such-program\"]\n{SIBLING}{SOCKET}"), Verdict::NotTestable, "no no-such-program"),
    ];
    lab::with(async |lab| {
        for (text, verdict, reason) in &cases {
            let (judgement, evidence) = judged(lab, text).await;
            assert_eq!(judgement.verdict, *verdict, "{text}\n{}\n{evidence}", judgement.reason);
            assert!(judgement.reason.contains(reason), "{}", judgement.reason);
        }
    });
    Ok(())
}

async fn judged(lab: &mut Lab, text: &str) -> (Judgement, String) {
    let claim = claim::claim("C1", text).unwrap_or_else(|error| panic!("{error}"));
    let Procedure::Script(script) = &claim.procedure else { panic!("no script") };
    let missing = BTreeSet::new();
    let mut site = Site { host: &mut lab.host, journal: &mut lab.journal, missing: &missing };
    let mut evidence = String::new();
    let tried = claim::tried(&mut site, &claim.id, script, &claim.needs, &mut evidence).await;
    (claim::judge(&tried.expect("a host")), evidence)
}

/// A script for the lab that this machine can have too: it looks for its own container with the machine's docker command.
const OUTSIDE: &str = r#"
statement = "It is executed outside of every container"
paragraphs = [8]
rule = "It finds the container that executes it."
touches = "nothing"
procedure = "lab"
lacks = "nothing"
script = '''
observe watches "$(docker ps --quiet --filter ancestor="$ENGINE_IMAGE" --filter label=dindbench.role=watch | wc -l)"
observe arm "$ARM on $KERNEL"
'''
"#;

fn on_machine() -> Result<(), Failed> {
    let arm = |name: &str, kernel: &str, watches: &str| {
        format!("[[arm]]\nname = \"{name}\"\nkernel = \"{kernel}\"\nholds = {{ watches = \"{watches}\" }}\n")
    };
    let control = |text: &str| text.replace("holds", "control = true\nholds");
    let (one, two) = (arm("one", "apparmor", "1"), arm("two", "apparmor", "2"));
    let absent = arm("three", "selinux-enforcing", "1");
    let cases = [
        (one.clone(), Verdict::Confirmed, "holds in one"),
        (two.clone(), Verdict::Refuted, "watches is 1, and not 2"),
        (format!("{one}{two}"), Verdict::Conditional, "holds in one; not in two"),
        (format!("{one}{}", control(&two)), Verdict::Undecided, "the control two: watches is 1"),
        (format!("{one}{absent}"), Verdict::Confirmed, "not tried in three: the lab's machine with selinux-enforcing"),
        (absent, Verdict::NotTestable, "the lab's machine with selinux-enforcing is not there"),
    ];
    lab::with(async |lab| {
        let watch = lab.host.watch(&mut lab.journal).await.expect("a watch");
        let (image, privilege) = (lab.host.image().to_owned(), lab.host.privilege());
        let machine = Machine { watch, image, privilege };
        let entered = machine.watch.on_machine(&Command::new(["true"]), Patience::CHORE).await.expect("an answer");
        let machines = BTreeMap::from([(Kernel::Apparmor, machine)]);
        for (arms, verdict, reason) in &cases {
            // Some machines let nobody into the name spaces of their first process. There a script decides nothing.
            let (verdict, reason) = match (entered.exit_code, verdict) {
                (0, verdict) | (_, verdict @ Verdict::NotTestable) => (verdict, *reason),
                _ => (&Verdict::Undecided, "nsenter: cannot open"),
            };
            let claim = claim::claim("C1", &format!("{OUTSIDE}{arms}")).unwrap_or_else(|error| panic!("{error}"));
            let Procedure::Lab(script) = &claim.procedure else { panic!("no script of the lab") };
            let mut evidence = String::new();
            let judgement = claim::judge(&claim::tried_in_lab(&machines, script, &mut evidence).await);
            assert_eq!(judgement.verdict, *verdict, "{arms}\n{}\n{evidence}", judgement.reason);
            assert!(judgement.reason.contains(reason), "{}", judgement.reason);
        }
        for machine in machines.into_values() {
            machine.watch.end().await.expect("an end");
        }
    });
    Ok(())
}

/// One claim that cannot be tested anywhere, and one whose verdict is the same on every engine.
fn command() -> Result<(), Failed> {
    let (before, state) = (fingerprint(), state());
    let output = dindbench(&state, &["claims", "C10", "s6"]).output()?;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(fingerprint(), before);
    let dir = only_dir(&state);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.lines().last(), Some(dir.strip_prefix(state.path()).unwrap_or(&dir).to_str().unwrap()), "{said}");
    assert!(said.contains("; the host is what it was\n"), "{said}");
    let found = ClaimsDir::open(&dir)?;
    let verdicts: Vec<_> = found.findings.iter().map(|row| (row.claim.as_str(), row.verdict)).collect();
    let expected = [("C10", Verdict::NotTestable), ("S6", Verdict::Conditional)];
    assert_eq!(verdicts, expected, "{said}");
    for row in &found.findings {
        assert_eq!(row.evidence.is_empty(), row.claim == "C10");
        if !row.evidence.is_empty() {
            let evidence = fs::read_to_string(dir.join(&row.evidence))?;
            assert!(
                evidence.contains("Repetition 3, job, exit code 0") && evidence.contains("@observe "),
                "{evidence}"
            );
        }
    }
    let output = dindbench(&state, &["report", dir.to_str().expect("a path")]).output()?;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let ledger = fs::read_to_string(dir.join("claims.md"))?;
    assert!(ledger.contains("## S6: ") && ledger.contains("([evidence](evidence/S6.md))"), "{ledger}");
    Ok(())
}
