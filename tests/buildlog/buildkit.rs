//! BuildKit's output in its three forms, recorded and rearranged.

use std::collections::BTreeMap;
use std::time::Duration;

use dindbench::buildlog::{BuildkitBuild, BuildkitLog, Contradiction, Incomplete, failure};
use dindbench::case::{ErrorClass, Op};
use proptest::prelude::*;

/// A recorded stream, by its file's name, and by its ending the form.
macro_rules! stream {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../fixtures/streams/", $name)).as_slice())
    };
}

type Stream = (&'static str, &'static [u8]);

/// Whole builds, and which of their instructions were cached.
const BUILDS: &[(Stream, &[bool])] = &[
    (stream!("buildkit-20.10.24-imitates-cold.plain"), &[false; 3]),
    (stream!("buildkit-20.10.24-imitates-again.plain"), &[true; 3]),
    (stream!("buildkit-20.10.24-plain-cold.plain"), &[false; 2]),
    (stream!("buildkit-20.10.24-plain-again.plain"), &[true; 2]),
    (stream!("buildkit-20.10.24-stages-cold.plain"), &[false; 3]),
    (stream!("buildkit-20.10.24-stages-again.plain"), &[true; 3]),
    (stream!("buildkit-20.10.24-ten-cold.plain"), &[false; 7]),
    (stream!("buildkit-20.10.24-ten-again.plain"), &[true; 7]),
    (stream!("buildkit-20.10.24-ten-edited.plain"), &[true, true, true, true, true, false, false]),
    (stream!("buildkit-20.10.24-workdir-cold.plain"), &[false; 4]),
    (stream!("buildkit-20.10.24-workdir-again.plain"), &[true; 4]),
    (stream!("buildx-0.13.1-many-cold.plain"), &[false; 9]),
    (stream!("buildx-0.13.1-many-cold.rawjson"), &[false; 9]),
    (stream!("buildx-0.13.1-plain-cold.rawjson"), &[false; 5]),
    (stream!("buildx-0.13.1-plain-again.rawjson"), &[true; 5]),
    (stream!("buildx-0.13.1-plain-edited.rawjson"), &[true, true, true, false, false]),
    (stream!("buildx-0.13.1-spoof-cold.plain"), &[false; 3]),
    (stream!("buildx-0.13.1-spoof-cold.rawjson"), &[false; 3]),
    (stream!("buildx-0.13.1-spoof-again.plain"), &[true; 3]),
    (stream!("buildx-0.13.1-spoof-again.rawjson"), &[true; 3]),
    (stream!("buildx-0.13.1-stages-cold.rawjson"), &[false; 3]),
    (stream!("buildx-0.13.1-stages-again.rawjson"), &[true; 3]),
    (stream!("buildx-0.29.1-scratch-cold.rawjson"), &[false; 5]),
    (stream!("api-20.10.24-plain-first.jsonl"), &[true, false, false, false, false]),
    (stream!("api-20.10.24-plain-again.jsonl"), &[true; 5]),
    (stream!("api-20.10.24-plain-edited.jsonl"), &[true, true, true, false, false]),
    (stream!("api-20.10.24-scratch-again.jsonl"), &[true; 2]),
    (stream!("api-20.10.24-spoof-cold.jsonl"), &[false; 3]),
    (stream!("api-20.10.24-spoof-again.jsonl"), &[true; 3]),
];

/// Builds that failed, the class of the failure, and words of its message.
const FAILURES: &[(Stream, ErrorClass, &str)] = &[
    (stream!("buildkit-20.10.24-fails-cold.plain"), ErrorClass::CommandFailed, "exit code: 3"),
    (stream!("buildx-0.13.1-fails-cold.plain"), ErrorClass::CommandFailed, "exit code: 3"),
    (stream!("buildx-0.13.1-fails-cold.rawjson"), ErrorClass::CommandFailed, "exit code: 3"),
    (stream!("buildkit-20.10.24-absent-cold.plain"), ErrorClass::EngineError, "\"/nope\" not found"),
    (stream!("buildx-0.13.1-absent-cold.plain"), ErrorClass::EngineError, "\"/nope\" not found"),
    (stream!("buildx-0.13.1-absent-cold.rawjson"), ErrorClass::EngineError, "\"/nope\" not found"),
    (stream!("buildx-0.29.1-absent-cold.rawjson"), ErrorClass::EngineError, "\"/nope\": not found"),
    (stream!("buildx-0.13.1-missing-cold.plain"), ErrorClass::ImageMissing, "fixture:none"),
    (stream!("buildx-0.13.1-missing-cold.rawjson"), ErrorClass::ImageMissing, "fixture:none"),
];

fn read(name: &str, chunks: &[&[u8]]) -> BuildkitBuild {
    let mut log = BuildkitLog::default();
    for (at, chunk) in (0..).zip(chunks) {
        let at = Duration::from_millis(at);
        match name.rsplit('.').next() {
            Some("plain") => log.plain(at, chunk),
            Some("rawjson") => log.rawjson(at, chunk),
            _ => log.api(at, chunk),
        }
    }
    log.finish()
}

fn hits(build: &BuildkitBuild) -> Vec<bool> {
    build.instructions.iter().map(|instruction| instruction.cached).collect()
}

/// The records of a stream that is not text.
fn records(stream: &[u8]) -> Vec<&[u8]> {
    let mut values = serde_json::Deserializer::from_slice(stream).into_iter::<serde::de::IgnoredAny>();
    let (mut records, mut from) = (Vec::new(), 0);
    while let Some(Ok(_)) = values.next() {
        records.push(stream[from..values.byte_offset()].trim_ascii());
        from = values.byte_offset();
    }
    records
}

#[test]
fn recorded_builds_have_the_hits_that_they_had() {
    for ((name, stream), expected) in BUILDS {
        let build = read(name, &[stream]);
        assert_eq!(build.complete(), Ok(()), "{name}");
        assert_eq!(hits(&build), *expected, "{name}");
        assert_eq!((build.error, build.said.lines().count()), (None, 0), "{name}");
        let indices: Vec<u32> = build.instructions.iter().map(|instruction| instruction.index).collect();
        assert_eq!(indices, (1..=u32::try_from(expected.len()).unwrap()).collect::<Vec<_>>(), "{name}");
        assert!(build.image.is_some_and(|image| image.starts_with("sha256:")), "{name}");
        assert!(build.upload <= build.exporting, "{name}");
    }
}

#[test]
fn the_flag_that_tells_a_hit_is_read_in_every_form() {
    for name in
        ["buildkit-20.10.24-ten-again.plain", "buildx-0.13.1-plain-again.rawjson", "api-20.10.24-plain-again.jsonl"]
    {
        let (stream, _) = BUILDS.iter().find(|((found, _), _)| *found == name).expect("a recording");
        assert!(hits(&read(name, &[stream.1])).iter().all(|cached| *cached), "{name}");
    }
}

#[test]
fn instructions_have_their_stage_and_text() {
    let build = read("x.plain", &[include_bytes!("../fixtures/streams/buildkit-20.10.24-stages-cold.plain")]);
    let told: Vec<_> = build.instructions.iter().map(|one| (one.stage.as_str(), one.text.as_str())).collect();
    assert_eq!(
        told,
        [("first", "RUN echo one > /one"), ("stage-1", "COPY --from=first /one /two"), ("stage-1", "RUN cat /two")]
    );
}

#[test]
fn the_three_forms_of_one_context_tell_the_same() {
    let texts = |name: &str, stream: &[u8]| -> Vec<String> {
        read(name, &[stream]).instructions.into_iter().map(|instruction| instruction.text).collect()
    };
    let records = texts("x.rawjson", include_bytes!("../fixtures/streams/buildx-0.13.1-plain-edited.rawjson"));
    assert_eq!(records, texts("x.jsonl", include_bytes!("../fixtures/streams/api-20.10.24-plain-edited.jsonl")));
    assert_eq!(records[1..4], ["COPY a /a", "RUN printf 'no newline'", "COPY b /b"]);
}

#[test]
fn a_failed_build_says_why_in_dockers_own_words() {
    for ((name, stream), class, words) in FAILURES {
        let build = read(name, &[stream]);
        assert!(matches!(build.complete(), Err(Incomplete::Failed(_))), "{name}: {:?}", build.complete());
        assert_eq!(build.image, None, "{name}");
        let failure = failure(Op::Build, Some(1), &build.said);
        assert_eq!(failure.class, *class, "{name}: {}", failure.message);
        assert!(failure.message.contains(words), "{name}: {}", failure.message);
    }
}

#[test]
fn the_engines_stream_has_its_own_error() {
    let (name, stream) = stream!("api-20.10.24-fails-cold.jsonl");
    let build = read(name, &[stream]);
    let error = build.error.clone().expect("an error");
    assert!(error.message.ends_with("exit code: 3"), "{}", error.message);
    assert_eq!(failure(Op::Build, None, &error.message).class, ErrorClass::CommandFailed);
    assert!(build.instructions[0].error.is_some());
}

#[test]
fn output_that_is_not_buildkits_begins_no_build() {
    let deprecated: &[u8] = include_bytes!("../fixtures/streams/cli-20.10.24-plain-cold.stderr");
    for name in ["x.plain", "x.rawjson"] {
        let build = read(name, &[deprecated]);
        assert!(!build.begun);
        assert_eq!(build.complete(), Err(Incomplete::Unwritten));
    }
    assert!(!read("x.jsonl", &[include_bytes!("../fixtures/streams/classic-20.10.24-cold.jsonl")]).begun);
}

#[test]
fn every_cut_is_an_incomplete_build_or_the_same_one() {
    for ((name, stream), expected) in BUILDS {
        // All cuts of the long ones would take minutes.
        for cut in (0..stream.len()).step_by(1 + stream.len() / 3000) {
            let build = read(name, &[&stream[..cut]]);
            assert!(build.complete().is_err() || hits(&build) == *expected, "{name} cut at {cut}");
        }
    }
}

#[test]
fn chunks_of_any_size_tell_the_same() {
    for ((name, stream), expected) in BUILDS {
        for size in [1, 7, 4096] {
            let build = read(name, &stream.chunks(size).collect::<Vec<_>>());
            assert_eq!((build.complete(), hits(&build).as_slice()), (Ok(()), *expected), "{name} by {size}");
        }
    }
}

#[test]
fn glued_records_and_text_among_them_change_nothing() {
    for ((name, stream), expected) in BUILDS.iter().filter(|((name, _), _)| !name.ends_with(".plain")) {
        let records = records(stream);
        let glued = records.concat();
        assert_eq!(hits(&read(name, &[&glued])), *expected, "{name}");
        if name.ends_with(".rawjson") {
            let mixed = [b"WARN: ${A}\n".as_slice(), &records.join(b"WARN: {text} ".as_slice()), b"done\n"].concat();
            let build = read(name, &[&mixed]);
            assert_eq!((build.complete(), hits(&build).as_slice()), (Ok(()), *expected), "{name}");
            assert!(build.said.ends_with("done\n"));
        }
    }
}

#[test]
fn a_record_that_cannot_be_read_spoils_the_build() {
    let (name, stream) = stream!("buildx-0.29.1-scratch-cold.rawjson");
    let broken = String::from_utf8_lossy(stream).replacen("\"started\":\"2026", "\"started\":\"once 2026", 1);
    assert_eq!(read(name, &[broken.as_bytes()]).complete(), Err(Incomplete::Unreadable));
    let (name, stream) = stream!("api-20.10.24-plain-first.jsonl");
    let broken = String::from_utf8_lossy(stream).replacen("\"aux\":\"C", "\"aux\":\"=", 1);
    assert_eq!(read(name, &[broken.as_bytes()]).complete(), Err(Incomplete::Unreadable));
    let long = [stream, &vec![b' '; 2 << 20], b"\n"].concat();
    assert_eq!(read(name, &[&long]).complete(), Err(Incomplete::Unreadable));
}

#[test]
fn records_tell_times_by_the_engines_clock() {
    let (_, stream) = stream!("buildx-0.29.1-scratch-cold.rawjson");
    let mut log = BuildkitLog::default();
    log.rawjson(Duration::from_secs(1), stream);
    let build = log.finish();
    // The last record is of 33.454923482, and nothing arrives before it happened.
    assert_eq!(build.exporting, Some(Duration::from_nanos(1_000_000_000 - (454_923_482 - 419_598_770))));
    assert_eq!(build.upload, Some(Duration::from_nanos(1_000_000_000 - (454_923_482 - 363_900_170))));
    assert_eq!(build.instructions[1].elapsed, Some(Duration::from_nanos(396_500_634 - 373_954_935)));
}

#[test]
fn plain_text_tells_times_by_its_arrival() {
    let mut log = BuildkitLog::default();
    for (at, chunk) in [
        (1, "#1 [internal] load build definition from Dockerfile\n#1 DO"),
        (2, "NE 0.0s\n\n#2 [1/3] FROM a\n#2 DONE 0.1s\n\n#3 [2/3] RUN a\n"),
        (5, "#3 0.2 no newline"),
        (7, "#3 DONE 9.9s\n\n#4 [3/3] COPY a b\n#4 CACHED\n\n#5 exporting to image\n"),
        (
            9,
            "#5 writing image sha256:0000000000000000000000000000000000000000000000000000000000000000 done\n#5 DONE 0.1s\n",
        ),
    ] {
        log.plain(Duration::from_secs(at), chunk.as_bytes());
    }
    let build = log.finish();
    assert_eq!(build.complete(), Ok(()));
    assert_eq!((build.upload, build.exporting), (Some(Duration::from_secs(2)), Some(Duration::from_secs(7))));
    let times: Vec<_> = build.instructions.iter().map(|one| (one.started, one.elapsed)).collect();
    let second = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(times, [(second(2), second(5)), (second(7), None)]);
}

/// An instruction that another one seemed to begin after is called cached, and executed later.
#[test]
fn the_last_word_on_a_vertex_counts() {
    let end = "#4 exporting to image\n#4 writing image \
        sha256:0000000000000000000000000000000000000000000000000000000000000000 done\n#4 DONE 0.1s\n";
    let text = format!(
        "#2 [1/2] RUN a\n#2 CACHED\n\n#3 [2/2] COPY a b\n\n#2 [1/2] RUN a\n#2 0.1 a\n#2 DONE 0.2s\n\n#3 [2/2] COPY a b\n#3 DONE 0.1s\n{end}"
    );
    assert_eq!(hits(&read("x.plain", &[text.as_bytes()])), [false, false]);
    let missing = text.replace("[1/2] RUN", "[internal] RUN");
    assert_eq!(read("x.plain", &[missing.as_bytes()]).complete(), Err(Incomplete::Missing { number: 1, of: 2 }));
    let open = text.replace("#3 DONE 0.1s\n", "");
    assert_eq!(read("x.plain", &[open.as_bytes()]).complete(), Err(Incomplete::Unfinished("COPY a b".to_owned())));
    let unwritten = text.replace("writing image", "writing");
    assert_eq!(read("x.plain", &[unwritten.as_bytes()]).complete(), Err(Incomplete::Unwritten));
}

/// A vertex of an imported cache begins again when its layers are needed, and brings them here.
#[test]
fn a_hit_whose_layers_are_fetched_later_stays_one() {
    let end = "#4 exporting to image\n#4 exporting manifest \
        sha256:0000000000000000000000000000000000000000000000000000000000000000 done\n#4 exporting manifest list \
        sha256:1111111111111111111111111111111111111111111111111111111111111111 done\n#4 DONE 0.1s\n";
    let fetched = "#2 sha256:aa 1.2MB / 3MB 0.1s\n#2 extracting sha256:aa 0.1s done\n";
    let text = |between: &str| {
        format!(
            "#2 [1/2] RUN a\n#2 sha256:bb\n#2 CACHED\n\n#3 [2/2] COPY a b\n#3 DONE 0.1s\n\n#2 [1/2] RUN a\n{between}#2 DONE 0.2s\n\n{end}"
        )
    };
    let build = read("x.plain", &[text(fetched).as_bytes()]);
    assert_eq!(hits(&build), [true, false]);
    let list = format!("sha256:{}", "1".repeat(64));
    assert_eq!(build.image, Some(list), "where there is a list, it is the image");
    assert_eq!(hits(&read("x.plain", &[text("").as_bytes()])), [false, false], "executed after all");
    let executed = text(fetched).replace("#2 CACHED\n", "");
    assert_eq!(hits(&read("x.plain", &[executed.as_bytes()])), [false, false], "fetched what it is executed on");
}

#[test]
fn a_cache_that_cannot_be_imported_is_no_failed_build() {
    let (name, stream) = stream!("buildkit-20.10.24-ten-again.plain");
    let import = b"#99 importing cache manifest from a\n#99 ERROR: a: not found\n\n";
    let build = read(name, &[import, stream]);
    assert_eq!((build.complete(), build.error), (Ok(()), None));
}

proptest! {
    #[test]
    fn records_in_any_order_and_repeated_tell_the_same(
        which in 0..BUILDS.len(),
        order in proptest::collection::vec(any::<u32>(), 400),
        twice in proptest::collection::vec(any::<bool>(), 400),
    ) {
        let ((name, stream), expected) = &BUILDS[which];
        prop_assume!(!name.ends_with(".plain"));
        let mut shuffled: Vec<(u32, &[u8])> = Vec::new();
        for ((record, order), twice) in records(stream).into_iter().zip(&order).zip(&twice) {
            shuffled.push((*order, record));
            if *twice {
                shuffled.push((order.rotate_left(16), record));
            }
        }
        shuffled.sort_by_key(|(order, _)| *order);
        let lines: Vec<Vec<u8>> = shuffled.into_iter().map(|(_, record)| [record, b"\r\n"].concat()).collect();
        let build = read(name, &lines.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prop_assert_eq!(build.complete(), Ok(()));
        prop_assert_eq!(hits(&build), expected.to_vec());
    }

    #[test]
    fn no_bytes_break_the_readers(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in 0..2000_usize) {
        for (name, stream) in BUILDS.iter().map(|(stream, _)| *stream).filter(|(name, _)| name.contains("again")) {
            let (before, after) = stream.split_at(at.min(stream.len()));
            read(name, &[before, &bytes, after]);
        }
    }

    /// Whatever a RUN instruction prints, every line of it is behind a number and a time.
    #[test]
    fn run_output_counts_for_nothing(lines in proptest::collection::vec("(#[1-9]{1,2} )?(CACHED|DONE 0.1s|ERROR: x|exporting to image|\\[[1-8]/8\\] RUN x|writing image sha256:[0-9a-f]{64}|\\PC{0,20})\r?", 1..9)) {
        let (name, stream) = stream!("buildkit-20.10.24-ten-cold.plain");
        let text = String::from_utf8_lossy(stream);
        let output: String = lines.iter().map(|line| format!("#8 0.312 {line}\n")).collect();
        let imitated = text.replacen("#8 DONE", &format!("{output}#8 DONE"), 1);
        let build = read(name, &[imitated.as_bytes()]);
        prop_assert_eq!(&build, &read(name, &[stream]));
    }
}

const IMAGE: &str = "sha256:be27dc4f4bf135d1b1617a930832408af3e4db0bb2767f57d45f26ebefccf039";

/// A base of two layers, and one layer for each instruction.
fn layers(of: &[&str]) -> Vec<String> {
    ["base", "base2"].iter().chain(of).map(|layer| (*layer).to_owned()).collect()
}

const TEN: [&str; 7] = ["1", "2", "3", "4", "5", "6", "7"];

#[test]
fn what_images_can_confirm_is_confirmed() {
    let again = read("x.plain", &[include_bytes!("../fixtures/streams/buildkit-20.10.24-ten-again.plain")]);
    let built = layers(&TEN);
    let before = BTreeMap::from([(IMAGE.to_owned(), built.clone()), ("sha256:b".to_owned(), layers(&[]))]);
    let verified = again.verify(&before, IMAGE, &built).expect("the image was there");
    assert!(verified.iter().all(|instruction| instruction.cached));
    // The same layers under another configuration.
    let renamed = BTreeMap::from([("sha256:other".to_owned(), built.clone())]);
    assert!(again.verify(&renamed, IMAGE, &built).is_ok());
    let never = again.verify(&BTreeMap::from([("sha256:b".to_owned(), layers(&[]))]), IMAGE, &built);
    assert_eq!(never, Err(Contradiction::NeverBuilt { cached: 7, instructions: 7 }));
    let moved = again.verify(&before, "sha256:b", &built);
    assert!(matches!(moved, Err(Contradiction::Image { .. })));
}

#[test]
fn an_edited_build_needs_the_layers_up_to_its_first_miss() {
    let edited = read("x.plain", &[include_bytes!("../fixtures/streams/buildkit-20.10.24-ten-edited.plain")]);
    let id = edited.image.clone().expect("an image");
    let built = layers(&["1", "2", "3", "4", "5", "6 edited", "7 edited"]);
    let before = |layers: Vec<String>| BTreeMap::from([(IMAGE.to_owned(), layers)]);
    assert!(edited.verify(&before(layers(&TEN)), &id, &built).is_ok());
    let other = layers(&["1", "2", "3", "4", "other", "6", "7"]);
    let never = Contradiction::NeverBuilt { cached: 5, instructions: 7 };
    assert_eq!(edited.verify(&before(other), &id, &built), Err(never));
    let same = BTreeMap::from([(id.clone(), built.clone())]);
    assert_eq!(edited.verify(&same, &id, &built), Err(Contradiction::NothingBuilt { image: id.clone() }));
}

#[test]
fn a_cold_build_makes_a_new_image() {
    let cold = read("x.plain", &[include_bytes!("../fixtures/streams/buildkit-20.10.24-ten-cold.plain")]);
    assert!(cold.verify(&BTreeMap::new(), IMAGE, &layers(&TEN)).is_ok());
    let there = BTreeMap::from([(IMAGE.to_owned(), layers(&TEN))]);
    assert!(matches!(cold.verify(&there, IMAGE, &layers(&TEN)), Err(Contradiction::NothingBuilt { .. })));
}

#[test]
fn of_several_stages_only_what_holds_for_all_is_checked() {
    let stages = |state: &[u8]| read("x.plain", &[state]);
    let again = stages(include_bytes!("../fixtures/streams/buildkit-20.10.24-stages-again.plain"));
    let id = again.image.clone().expect("an image");
    let built = layers(&["copy", "run"]);
    let there = BTreeMap::from([("sha256:other".to_owned(), built.clone())]);
    assert!(again.verify(&there, &id, &built).is_ok());
    assert!(matches!(again.verify(&BTreeMap::new(), &id, &built), Err(Contradiction::NeverBuilt { .. })));
    let cold = stages(include_bytes!("../fixtures/streams/buildkit-20.10.24-stages-cold.plain"));
    assert!(matches!(
        cold.verify(&BTreeMap::from([(id.clone(), built.clone())]), &id, &built),
        Err(Contradiction::NothingBuilt { .. })
    ));
}

/// The recorded build has a WORKDIR on `scratch`, of which the builder says nothing but that it ended.
#[test]
fn below_a_cached_instruction_nothing_of_its_stage_was_executed() {
    let again = include_str!("../fixtures/streams/buildkit-20.10.24-workdir-again.plain");
    let built = |text: &str| read("x.plain", &[text.as_bytes()]);
    // RUN, WORKDIR, COPY --from, COPY: what another stage executed does not matter to the image.
    let edited = built(&again.replace("#5 CACHED", "#5 DONE 0.1s"));
    assert_eq!(hits(&edited), [false, true, true, true]);
    let id = edited.image.clone().expect("an image");
    let there = BTreeMap::from([(id.clone(), layers(&["copy"]))]);
    assert!(edited.verify(&there, &id, &layers(&["copy"])).is_ok());
    let linked = again.replace("COPY Dockerfile", "COPY --link Dockerfile").replace("#6 CACHED", "#6 DONE 0.1s");
    assert_eq!(hits(&built(&linked)), [true, false, false, true]);
}
