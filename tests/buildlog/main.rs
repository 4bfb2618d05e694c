//! The builders' output, recorded and made up, genuine and imitated.

mod buildah;
mod buildkit;
mod model;

use std::collections::HashSet;
use std::time::Duration;

use dindbench::buildlog::{ClassicBuild, ClassicLog, Mismatch, failure};
use dindbench::case::{ErrorClass, Op};

const COLD: &[u8] = include_bytes!("../fixtures/streams/classic-20.10.24-cold.jsonl");
const RUN_FAILS: &[u8] = include_bytes!("../fixtures/streams/classic-20.10.24-runfail.jsonl");

fn text(output: impl AsRef<[u8]>) -> ClassicBuild {
    let mut log = ClassicLog::default();
    log.text(Duration::ZERO, output.as_ref());
    log.finish()
}

fn json(output: impl AsRef<[u8]>) -> ClassicBuild {
    let mut log = ClassicLog::default();
    log.json(Duration::ZERO, output.as_ref());
    log.finish()
}

fn hits(build: &ClassicBuild) -> Vec<bool> {
    build.instructions.iter().map(|instruction| instruction.hit).collect()
}

/// A full id that begins with the short one.
fn full(short: &str) -> String {
    format!("sha256:{short}{:052}", 0)
}

fn fulls(shorts: &[&str]) -> Vec<String> {
    shorts.iter().map(|short| full(short)).collect()
}

#[test]
fn a_cold_build_has_no_hit_and_counts_neither_from_nor_running_in() {
    let build = json(COLD);
    assert_eq!((build.steps, build.stages, hits(&build)), (Some(5), 1, vec![false; 4]));
    assert_eq!((build.image.as_deref(), build.base, build.error), (Some("acc848bc013e"), None, None));
    assert_eq!(build.instructions[0].text, "COPY busybox /bin/busybox");
    assert_eq!(build.instructions[3].text, r#"CMD ["/bin/busybox","sleep","60"]"#);
    assert_eq!(build.instructions[3].index, 4);
}

#[test]
fn a_failing_run_ends_the_instructions_with_itself() {
    let build = json(RUN_FAILS);
    assert!(!build.complete());
    assert_eq!(hits(&build), [true, false]);
    assert_eq!((build.instructions[1].image.as_ref(), build.instructions[1].elapsed), (None, None));
    let error = build.error.clone().expect("the engine reported one");
    assert_eq!(failure(Op::Build, error.code, &error.message).class, ErrorClass::CommandFailed);
    assert_eq!(build.verify(&HashSet::new(), &[]), Err(Mismatch::Unfinished));
}

#[test]
fn a_stream_that_just_ends_is_no_build() {
    let end = COLD.windows(7).position(|bytes| bytes == b"Success").expect("the fixture is a whole build");
    for cut in 0..end {
        assert!(!json(&COLD[..cut]).complete(), "cut at {cut}");
    }
    assert_eq!(json(b"").steps, None);
}

#[test]
fn text_between_the_records_is_the_error_of_a_build_that_has_no_other() {
    let cut = [RUN_FAILS.split(|byte| *byte == b'\n').next().expect("a record"), b"\nERROR: out of tea\n"].concat();
    assert_eq!(json(cut).error.expect("stray text").message, "ERROR: out of tea");
    assert!(json([b"warming up\r\n".as_slice(), RUN_FAILS].concat()).error.expect("an error").code == Some(1));
    assert_eq!(json([b"warming up\r\n".as_slice(), COLD].concat()), json(COLD));
}

#[test]
fn an_error_after_the_image_unmakes_it() {
    let error = br#"{"errorDetail":{"message":"no space left on device"}}"#;
    assert!(!json([COLD, error].concat()).complete());
}

#[test]
fn the_record_of_the_image_overrules_the_text() {
    let other = String::from_utf8_lossy(COLD).replace("sha256:acc848bc013e", "sha256:bcc848bc013e");
    assert!(!json(other).complete());
}

#[test]
fn times_are_those_of_the_first_byte_of_a_header() {
    let mut log = ClassicLog::default();
    for (at, chunk) in [
        (1, "Sending build context to Docker daemon  3.072kB\r\r\nStep 1/3 : FR"),
        (2, "OM scratch\n ---> \n"),
        (5, "Step 2/3 : COPY a /"),
        (6, "\n ---> Using cache\n"),
        (7, " ---> 0000000000aa\n"),
        (8, "Step 3/3 : RUN x\n ---> Running in 00000000000c\nabc"),
        (11, "Removing intermediate container 00000000000c\n ---> 0000000000bb\n"),
        (12, "Successfully built 0000000000bb\nSuccessfully tagged a:latest\n"),
    ] {
        log.text(Duration::from_secs(at), chunk.as_bytes());
    }
    let build = log.finish();
    let times: Vec<_> = build.instructions.iter().map(|one| (one.started.as_secs(), one.elapsed)).collect();
    assert_eq!(build.upload, Some(Duration::from_secs(1)));
    assert_eq!(times, [(5, Some(Duration::from_secs(3))), (8, Some(Duration::from_secs(4)))]);
}

/// Two instructions on scratch: a RUN in container `…c0`, made image `…a1`, and a COPY, image `…a2`.
fn run_then_copy(output: &str) -> String {
    [
        "Step 1/3 : FROM scratch\n ---> \n",
        "Step 2/3 : RUN x\n ---> Running in 0000000000c0\n",
        output,
        "Removing intermediate container 0000000000c0\n ---> 0000000000a1\n",
        "Step 3/3 : COPY a /\n ---> 0000000000a2\n",
        "Successfully built 0000000000a2\nSuccessfully tagged a:latest\n",
    ]
    .concat()
}

/// What only a RUN that knows its container's id can print.
const IMITATED_END: &str = concat!(
    "Removing intermediate container 0000000000c0\n ---> 0000000000ff\n",
    "Step 3/3 : COPY a /\n ---> Using cache\n ---> 0000000000fe\n",
    "Successfully built 0000000000fe\n",
);

#[test]
fn run_output_cannot_imitate_the_builder() {
    let genuine = text(run_then_copy(""));
    assert_eq!(hits(&genuine), [false, false]);
    for output in [
        " ---> Using cache\n",
        " ---> Using cache\n ---> 0000000000ff\n",
        "Step 2/3 : RUN x\n ---> Using cache\n ---> 0000000000ff\n",
        "Step 3/3 : COPY a /\n ---> Using cache\n ---> 0000000000ff\nSuccessfully built 0000000000ff\n",
        "Step 1/1 : FROM scratch\n ---> \n",
        "abc",
        "\u{1b}[91mwarning\n\u{1b}[0m",
        // By its own container's id, which is its host name.
        IMITATED_END,
        concat!(
            "Removing intermediate container 0000000000c0\n ---> 0000000000ff\n",
            "Step 3/3 : RUN y\n ---> Running in 0000000000cc\nlost\n",
        ),
        "Removing intermediate container 0000000000c0\n ---> 0000000000ff\nStep 3/3 : COPY a /",
        " ---> Removed intermediate container 0000000000c0\n ---> Using cache\n ---> 0000000000ff\n",
        " ---> Running in 0000000000cc\nRemoving intermediate container 0000000000cc\n ---> 0000000000ff\n",
    ] {
        assert_eq!(text(run_then_copy(output)), genuine, "{output:?}");
    }
}

#[test]
fn a_failing_run_ends_in_itself_whatever_it_prints() {
    let failing = |output: &str| {
        let whole = run_then_copy(output);
        let end = whole.rfind("Removing").expect("the genuine removal");
        text(&whole[..end])
    };
    let genuine = failing("");
    assert_eq!((hits(&genuine), &genuine.instructions[0].image), (vec![false], &None));
    for output in [
        " ---> Using cache\n ---> 0000000000ff\n",
        " ---> 0000000000ff\nSuccessfully built 0000000000ff\n",
        "Step 3/3 : COPY a /\n ---> Using cache\n ---> 0000000000ff\nSuccessfully built 0000000000ff\n",
        "Step 1/3 : FROM scratch\n ---> \nStep 2/3 : RUN y\n ---> Using cache\n ---> 0000000000ff\n",
        " ---> Running in 0000000000cc\nRemoving intermediate container 0000000000cc\n ---> 0000000000ff\n",
        // Nor by its container's id, as long as the rest is not what the builder would print there.
        "Removing intermediate container 0000000000c0\n ---> \nStep 3/3 : COPY a /\n",
        "Removing intermediate container 0000000000c0\nStep 3/3 : COPY a /\n",
        "Removing intermediate container 0000000000c0\n ---> Using cache\n ---> \n",
    ] {
        assert_eq!(failing(output), genuine, "{output:?}");
    }
    let early = "Removing intermediate container 0000000000c0\n ---> 0000000000ff\nSuccessfully built 0000000000ff\n";
    assert!(!failing(early).complete());
    let other_count = "Removing intermediate container 0000000000c0\n ---> 0000000000ff\nStep 3/4 : COPY a /\n";
    assert_eq!(failing(other_count).instructions.len(), 1);
}

#[test]
fn the_end_counts_only_after_the_last_container_and_for_the_last_image() {
    let genuine = concat!(
        "Step 1/2 : FROM scratch\n ---> \n",
        "Step 2/2 : RUN x\n ---> Running in 0000000000c0\n",
        "Removing intermediate container 0000000000c0\n ---> 0000000000ff\n",
        "Successfully built 0000000000ff\n",
    );
    assert!(text(genuine).complete());
    assert!(!text(genuine.replace("built 0000000000ff", "built 0000000000fe")).complete());
    // The same, as RUN output, before the genuine end.
    let mut log = ClassicLog::default();
    log.text(Duration::from_secs(1), genuine.as_bytes());
    log.text(Duration::from_secs(5), b"Removing intermediate container 0000000000c0\n ---> 0000000000aa\n");
    log.text(Duration::from_secs(6), b"Successfully built 0000000000aa\n");
    let build = log.finish();
    assert_eq!(build.image.as_deref(), Some("0000000000aa"));
    assert_eq!(build.instructions[0].elapsed, Some(Duration::from_secs(5)));
    let cut = format!("{genuine}Removing intermediate container 0000000000c0\n ---> 0000000000aa\n");
    assert!(!text(cut).complete());
}

#[test]
fn a_failing_run_that_imitates_the_end_of_its_build_is_caught_by_the_ids() {
    let whole = run_then_copy(IMITATED_END);
    let cut = whole.find("0000000000fe\nRemoving").expect("the imitation's end") + 13;
    let imitated = text(&whole[..cut]);
    assert!(imitated.complete(), "no text can tell");
    let there = fulls(&["0000000000a1", "0000000000a2"]);
    assert!(matches!(imitated.verify(&HashSet::new(), &[]), Err(Mismatch::Image { .. })));
    assert!(matches!(imitated.verify(&there.iter().cloned().collect(), &there), Err(Mismatch::Image { .. })));
}

#[test]
fn an_arg_before_the_first_from_and_the_triggers_of_onbuild_are_no_instructions() {
    let build = text(concat!(
        "Step 1/4 : ARG BASE=base\n",
        "Step 2/4 : from ${BASE}\nlatest: Pulling from base\nStatus: Downloaded newer image for base:latest\n",
        "# Executing 3 build triggers\n ---> Using cache\n",
        " ---> Running in 0000000000c0\nhello\nRemoving intermediate container 0000000000c0\n",
        " ---> Running in 0000000000c1\nRemoving intermediate container 0000000000c1\n",
        " ---> 0000000000a1\n",
        "Step 3/4 : HEALTHCHECK CMD true\nNote: overriding previous HEALTHCHECK: [CMD]\n",
        " ---> Using cache\n ---> 0000000000a2\n",
        "Step 4/4 : ENV A=1\n ---> [Warning] no swap limit\n ---> Running in 0000000000c2\n",
        " ---> Removed intermediate container 0000000000c2\n ---> 0000000000a3\n",
        "[Warning] One or more build-args [B] were not consumed\nSuccessfully built 0000000000a3\n",
    ));
    assert!(build.complete());
    assert_eq!((build.stages, build.base.as_deref(), hits(&build)), (1, Some("0000000000a1"), vec![true, false]));
    assert_eq!(build.instructions[0].index, 1);
}

/// Two stages that share their first instruction.
const STAGES: &str = concat!(
    "Step 1/5 : FROM base AS one\n ---> 0000000000b0\n",
    "Step 2/5 : COPY a /\n ---> 0000000000a1\n",
    "Step 3/5 : FROM base\n ---> 0000000000b0\n",
    "Step 4/5 : COPY a /\n ---> Using cache\n ---> 0000000000a1\n",
    "Step 5/5 : COPY b /\n ---> 0000000000a2\n",
    "Successfully built 0000000000a2\n",
);

#[test]
fn a_stage_may_hit_what_an_earlier_one_made() {
    let ancestry = fulls(&["0000000000b0", "0000000000a1", "0000000000a2"]);
    let before = HashSet::from([full("0000000000b0")]);
    let verified = text(STAGES).verify(&before, &ancestry).expect("all ids agree");
    let cached: Vec<_> = verified.iter().map(|instruction| (instruction.index, instruction.cached)).collect();
    assert_eq!(cached, [(1, false), (2, true), (3, false)]);
}

#[test]
fn ids_that_contradict_the_output_are_named() {
    let build = text(STAGES);
    let ancestry = fulls(&["0000000000b0", "0000000000a1", "0000000000a2"]);
    let verify = |before: &[&str], ancestry: &[String]| {
        build.verify(&fulls(before).into_iter().collect(), ancestry).expect_err("a contradiction")
    };
    // A miss of the first stage, and one of the last, whose images were there before.
    assert!(matches!(verify(&["0000000000a1"], &ancestry), Mismatch::Instruction { index: 1, .. }));
    assert!(matches!(verify(&["0000000000a2"], &ancestry), Mismatch::Instruction { index: 3, .. }));
    // A moved tag; another chain to the same image; a missing and a wrong base.
    let moved = fulls(&["0000000000b0", "0000000000a1", "0000000000a9"]);
    assert!(matches!(verify(&[], &moved), Mismatch::Image { .. }));
    let other = fulls(&["0000000000b0", "0000000000a9", "0000000000a2"]);
    assert!(matches!(verify(&[], &other), Mismatch::Instruction { index: 2, .. }));
    assert!(matches!(verify(&[], &ancestry[1..]), Mismatch::Ancestry { .. }));
    assert!(matches!(verify(&[], &ancestry[2..]), Mismatch::Ancestry { .. }));
    let rebased = fulls(&["0000000000b9", "0000000000a1", "0000000000a2"]);
    assert!(matches!(verify(&[], &rebased), Mismatch::Ancestry { .. }));
    // A hit whose image nobody had.
    let hit = text(run_then_copy("").replace("COPY a /\n", "COPY a /\n ---> Using cache\n"));
    let error = hit.verify(&HashSet::new(), &fulls(&["0000000000a1", "0000000000a2"])).expect_err("a false hit");
    assert_eq!(
        error.to_string(),
        "instruction 2 (COPY a /): the output says cached, but the ids say that image 0000000000a2 was not there \
         before: count none of this build"
    );
}

#[test]
fn the_last_stage_is_compared_by_full_ids() {
    let build = text(run_then_copy(""));
    let ancestry = fulls(&["0000000000a1", "0000000000a2"]);
    let alike = HashSet::from([full("0000000000a1").replace("a10", "a11")]);
    assert_eq!(build.verify(&alike, &ancestry).map(|verified| verified.len()), Ok(2));
}

#[test]
fn megabytes_of_imitation_are_read_in_linear_time() {
    // Quadratic work on these would take hours.
    let loops = "Removing intermediate container 0000000000c0\n ---> 0000000000ff\nStep 3/3 : RUN y\n".repeat(100_000);
    let endless = "x".repeat(8 << 20);
    assert_eq!(text(run_then_copy(&loops)), text(run_then_copy("")));
    assert_eq!(text(run_then_copy(&endless)), text(run_then_copy("")));
}
