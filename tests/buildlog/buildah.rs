//! Podman's and buildah's output, recorded from buildah 1.28.2: what counts, and what does not fit together.

use std::collections::HashSet;
use std::time::Duration;

use dindbench::buildlog::{BuildahBuild, BuildahLog};
use proptest::prelude::*;

const COLD: &str = include_str!("../fixtures/streams/buildah-1.28.2-stages-cold.stdout");
const AGAIN: &str = include_str!("../fixtures/streams/buildah-1.28.2-stages-again.stdout");

const BASE: &str = "sha256:bf1418c7826af1a1fd7b9526e287fb3d07f283fc31fdb91d8e758dcc6b2aada3";

fn read(text: &str) -> BuildahBuild {
    read_in(text, usize::MAX)
}

fn read_in(text: &str, chunk: usize) -> BuildahBuild {
    let mut log = BuildahLog::default();
    for (millis, chunk) in (0..).zip(text.as_bytes().chunks(chunk.min(text.len()).max(1))) {
        log.text(Duration::from_millis(millis), chunk);
    }
    log.finish()
}

/// The images that the recorded builds made, in their order.
fn made() -> Vec<String> {
    let ids = AGAIN.lines().filter_map(|line| line.strip_prefix("--> Using cache "));
    ids.map(|id| format!("sha256:{id}")).collect()
}

fn set<'a>(ids: impl IntoIterator<Item = &'a String>) -> HashSet<String> {
    ids.into_iter().cloned().chain([BASE.to_owned()]).collect()
}

fn verified(text: &str, before: &HashSet<String>) -> Result<Vec<bool>, String> {
    let (after, image) = (set(&made()), made().pop().expect("images"));
    let instructions = read(text).verify(before, &after, &image).map_err(|mismatch| mismatch.to_string())?;
    Ok(instructions.into_iter().map(|instruction| instruction.cached).collect())
}

#[test]
fn every_instruction_is_a_miss_or_a_hit_whatever_a_run_prints() {
    assert_eq!(verified(COLD, &set([])), Ok(vec![false; 7]));
    assert_eq!(verified(AGAIN, &set(&made())), Ok(vec![true; 7]));
}

#[test]
fn instructions_have_their_text_and_their_time() {
    let (after, image) = (set(&made()), made().pop().expect("images"));
    let instructions = read_in(COLD, 1).verify(&set([]), &after, &image).expect("a build");
    let texts: Vec<&str> = instructions.iter().map(|instruction| instruction.text.as_str()).collect();
    assert_eq!(texts[..2], ["ENV A=1", "RUN echo one; printf 'no newline'"]);
    assert_eq!(texts[5..], ["LABEL b=2", "CMD [\"true\"]"]);
    assert!(instructions.iter().all(|instruction| instruction.elapsed > Some(Duration::ZERO)));
    assert_eq!(
        instructions.iter().map(|instruction| instruction.index).collect::<Vec<_>>(),
        (1..=7).collect::<Vec<_>>()
    );
}

/// Words that name images which are there, in the mouth of a RUN: no count is better than a wrong one.
#[test]
fn what_does_not_fit_together_counts_nothing() {
    let old = &BASE["sha256:".len()..];
    let imitated = |words: &str| verified(&COLD.replace("two\n", &format!("two\n{words}\n")), &set([]));
    let hit = imitated(&format!("--> Using cache {old}\n--> {}", &old[..11]));
    assert!(hit.as_ref().is_err_and(|told| told.contains("no instruction is under way")), "{hit:?}");
    assert_eq!(imitated(&format!("--> {}", &old[..11])), Ok(vec![false; 7]), "an image of before ends no miss");
    // An image that the storage had already, and the output did not call cached.
    assert!(verified(COLD, &set(&made()[..1])).is_err());
    // The other way round.
    assert!(verified(AGAIN, &set([])).is_err());
    let end = COLD.find("[2/2] STEP 6/6").expect("the last instruction");
    assert!(verified(&COLD[..end], &set([])).is_err_and(|told| told.contains("ends at LABEL b=2")));
    assert!(verified("", &set([])).is_err_and(|told| told.contains("ends at nothing")));
    let moved = read(COLD).verify(&set([]), &set(&made()), BASE).expect_err("another image");
    assert!(moved.to_string().contains("another build's"), "{moved}");
}

proptest! {
    #[test]
    fn any_cut_will_do(chunk in 1..200_usize) {
        let (after, image) = (set(&made()), made().pop().expect("images"));
        let counts = |build: BuildahBuild| {
            let instructions = build.verify(&set([]), &after, &image).expect("a build");
            instructions.into_iter().map(|instruction| (instruction.text, instruction.cached)).collect::<Vec<_>>()
        };
        prop_assert_eq!(counts(read_in(COLD, chunk)), counts(read(COLD)));
    }

    #[test]
    fn no_text_is_too_much(text in "([-> \\[\\]STEPUsing cache:0-9a-f/\n]{0,40}){0,8}") {
        let _ = read(&text).verify(&set([]), &set(&made()), BASE);
    }
}
