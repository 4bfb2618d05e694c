//! A builder that prints as the classic one does, knows what it did, and is read back.

use std::collections::HashSet;
use std::time::Duration;

use dindbench::buildlog::{ClassicBuild, ClassicLog, Printed};
use proptest::prelude::*;

use super::{full, hits, text};

/// One line, or part of one, that a RUN instruction prints.
#[derive(Clone, Debug)]
enum Output {
    Noise(Vec<u8>),
    Header {
        ahead: u32,
        of: bool,
        from: bool,
    },
    UsingCache,
    RunningIn(Option<usize>),
    Removal {
        container: Option<usize>,
        newer: bool,
    },
    Image(Option<usize>),
    Built(Option<usize>),
    LineBreak,
    /// The end of a step, by a container's id, and the next one from its header on.
    Steps {
        container: usize,
        ahead: u32,
        then: Box<Output>,
    },
}

#[derive(Clone, Debug)]
enum Instruction {
    Run(Vec<Output>),
    Copy,
    Env,
}

#[derive(Clone, Debug)]
struct Stage {
    /// None is `scratch`.
    base: bool,
    cached: usize,
    instructions: Vec<Instruction>,
}

fn output() -> impl Strategy<Value = Output> {
    // Most choices are an id that exists by then: the container's own, an earlier one's, an earlier image's.
    let known = || prop::option::weighted(0.9, 0usize..8);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..6).prop_map(Output::Noise),
        (0u32..4, prop::bool::weighted(0.9), any::<bool>()).prop_map(|(ahead, of, from)| Output::Header {
            ahead,
            of,
            from
        }),
        Just(Output::UsingCache),
        known().prop_map(Output::RunningIn),
        (known(), any::<bool>()).prop_map(|(container, newer)| Output::Removal { container, newer }),
        known().prop_map(Output::Image),
        known().prop_map(Output::Built),
        Just(Output::LineBreak),
        (0usize..3, 0u32..3, known(), 0..3).prop_map(|(container, ahead, id, then)| Output::Steps {
            container,
            ahead,
            then: Box::new(match then {
                0 => Output::RunningIn(id),
                1 => Output::UsingCache,
                _ => Output::Image(id),
            })
        }),
    ]
}

fn stages() -> impl Strategy<Value = Vec<Stage>> {
    let instruction = prop_oneof![
        3 => prop::collection::vec(output(), 0..14).prop_map(Instruction::Run),
        1 => Just(Instruction::Copy),
        1 => Just(Instruction::Env),
    ];
    let stage = (any::<bool>(), 0usize..3, prop::collection::vec(instruction, 1..5))
        .prop_map(|(base, cached, instructions)| Stage { base, cached, instructions });
    prop::collection::vec(stage, 1..4)
}

/// A builder that prints as the classic one does, and knows what it did.
#[derive(Default)]
struct Model {
    printed: Vec<u8>,
    steps: u32,
    step: u32,
    containers: Vec<String>,
    images: Vec<String>,
    before: HashSet<String>,
    ancestry: Vec<String>,
    instructions: Vec<Printed>,
    base: Option<String>,
    ids: u64,
}

impl Model {
    fn of(stages: &[Stage]) -> Self {
        let steps = stages.iter().map(|stage| 1 + stage.instructions.len()).sum::<usize>();
        let mut model = Self { steps: u32::try_from(steps).expect("few steps"), ..Self::default() };
        model.say("Sending build context to Docker daemon  3.072kB\r\r\n");
        for (number, stage) in (1..).zip(stages) {
            model.stage(number, stage);
        }
        model.say(&format!("Successfully built {}\n", model.images.last().expect("an image")));
        model.say("Successfully tagged a:latest\n");
        model
    }

    fn say(&mut self, words: &str) {
        self.printed.extend_from_slice(words.as_bytes());
    }

    /// Ids differ from one another within their short form, and cannot be foreseen by RUN output.
    fn new_id(&mut self) -> String {
        self.ids += 1;
        format!("{:012x}", self.ids * 0x1_0001)
    }

    fn header(&mut self, text: &str) {
        self.step += 1;
        self.say(&format!("Step {}/{} : {text}\n", self.step, self.steps));
    }

    fn stage(&mut self, number: u32, stage: &Stage) {
        self.header(if stage.base { "FROM base AS x" } else { "FROM scratch" });
        self.base = stage.base.then(|| self.new_id());
        self.ancestry = self.base.iter().map(|base| full(base)).collect();
        self.say(&format!(" ---> {}\n", self.base.clone().unwrap_or_default()));
        for (place, instruction) in stage.instructions.iter().enumerate() {
            self.instruction(number, instruction, place < stage.cached);
        }
    }

    fn instruction(&mut self, stage: u32, instruction: &Instruction, hit: bool) {
        let text = match instruction {
            Instruction::Run(_) => "RUN x",
            Instruction::Copy => "COPY a /",
            Instruction::Env => "ENV A=1",
        };
        self.header(text);
        match instruction {
            _ if hit => self.say(" ---> Using cache\n"),
            Instruction::Copy => {}
            Instruction::Env => self.container(&[]),
            Instruction::Run(output) => self.container(output),
        }
        let image = self.new_id();
        self.say(&format!(" ---> {image}\n"));
        if hit {
            self.before.insert(full(&image));
        }
        self.ancestry.push(full(&image));
        self.instructions.push(Printed {
            index: u32::try_from(self.instructions.len() + 1).expect("few instructions"),
            stage,
            text: text.to_owned(),
            hit,
            image: Some(image.clone()),
            started: Duration::ZERO,
            elapsed: Some(Duration::ZERO),
        });
        self.images.push(image);
    }

    fn container(&mut self, outputs: &[Output]) {
        let own = self.new_id();
        self.say(&format!(" ---> Running in {own}\n"));
        self.containers.push(own.clone());
        for output in outputs {
            self.imitate(output);
        }
        self.say(&format!("Removing intermediate container {own}\n"));
    }

    fn imitate(&mut self, output: &Output) {
        let of = self.steps;
        // Counted from the newest; made-up ids are ones that the builder never gives.
        let pick = |ids: &[String], at: &Option<usize>| match at {
            Some(at) => ids.iter().rev().nth(*at).cloned().unwrap_or_else(|| format!("f{at:011x}")),
            None => "ffffffffffff".to_owned(),
        };
        let words = match output {
            Output::Noise(bytes) => {
                self.printed.extend_from_slice(bytes);
                return;
            }
            Output::LineBreak => "\n".to_owned(),
            Output::Steps { container, ahead, then } => {
                self.imitate(&Output::Removal { container: Some(*container), newer: false });
                self.imitate(&Output::Image(Some(0)));
                self.imitate(&Output::Header { ahead: *ahead, of: true, from: false });
                return self.imitate(then);
            }
            Output::Header { ahead, of: same, from } => {
                let text = if *from { "FROM y" } else { "RUN y" };
                format!("Step {}/{} : {text}\n", self.step + ahead, if *same { of } else { of + 1 })
            }
            Output::UsingCache => " ---> Using cache\n".to_owned(),
            Output::RunningIn(at) => format!(" ---> Running in {}\n", pick(&self.containers, at)),
            Output::Removal { container, newer } => {
                let words = if *newer { " ---> Removed" } else { "Removing" };
                format!("{words} intermediate container {}\n", pick(&self.containers, container))
            }
            Output::Image(at) => format!(" ---> {}\n", pick(&self.images, at)),
            Output::Built(at) => format!("Successfully built {}\n", pick(&self.images, at)),
        };
        self.say(&words);
    }

    fn build(&self) -> ClassicBuild {
        ClassicBuild {
            steps: Some(self.steps),
            stages: self.instructions.last().expect("an instruction").stage,
            base: self.base.clone(),
            instructions: self.instructions.clone(),
            image: self.images.last().cloned(),
            upload: Some(Duration::ZERO),
            error: None,
        }
    }
}

/// The pieces of `bytes` between some of its places.
fn pieces<'a>(bytes: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_the_builder_did_is_read_whatever_its_run_output_imitates(stages in stages(), cuts in cuts()) {
        let model = Model::of(&stages);
        let mut log = ClassicLog::default();
        for piece in pieces(&model.printed, &cuts) {
            log.text(Duration::ZERO, piece);
        }
        let build = log.finish();
        prop_assert_eq!(&build, &model.build());

        let verified = build.verify(&model.before, &model.ancestry);
        let cached = verified.map(|all| all.iter().map(|one| one.cached).collect::<Vec<_>>());
        prop_assert_eq!(cached, Ok(hits(&model.build())));
        if hits(&build).contains(&true) {
            prop_assert!(build.verify(&HashSet::new(), &model.ancestry).is_err());
        }
    }

    #[test]
    fn json_is_the_same_output_in_records(stages in stages(), records in cuts(), chunks in cuts()) {
        let model = Model::of(&stages);
        let printed = String::from_utf8_lossy(&model.printed).into_owned();
        let mut stream = Vec::new();
        for piece in pieces(printed.as_bytes(), &records) {
            let record = serde_json::json!({ "stream": String::from_utf8_lossy(piece) });
            stream.extend_from_slice(format!("{record}\r\n").as_bytes());
        }
        let image = model.images.last().expect("an image");
        stream.extend_from_slice(serde_json::json!({ "aux": { "ID": full(image) } }).to_string().as_bytes());
        let mut log = ClassicLog::default();
        for chunk in pieces(&stream, &chunks) {
            log.json(Duration::ZERO, chunk);
        }
        prop_assert_eq!(log.finish(), model.build());
    }

    #[test]
    fn a_cut_build_tells_of_the_instructions_up_to_the_cut(stages in stages(), cut in any::<prop::sample::Index>()) {
        let quiet: Vec<_> = stages
            .into_iter()
            .map(|stage| Stage {
                instructions: stage
                    .instructions
                    .into_iter()
                    .map(|one| if let Instruction::Run(_) = one { Instruction::Run(Vec::new()) } else { one })
                    .collect(),
                ..stage
            })
            .collect();
        let model = Model::of(&quiet);
        let build = text(&model.printed[..cut.index(model.printed.len())]);
        let finished: Vec<_> = build.instructions.iter().filter(|one| one.image.is_some()).collect();
        for (one, whole) in finished.iter().zip(&model.instructions) {
            prop_assert_eq!((&one.text, one.hit, &one.image), (&whole.text, whole.hit, &whole.image));
        }
        prop_assert!(build.instructions.len() - finished.len() <= 1);
        prop_assert!(build.instructions.iter().filter(|one| one.elapsed.is_some()).all(|one| one.image.is_some()));
    }

    #[test]
    fn no_bytes_make_it_panic(chunks in prop::collection::vec((any::<bool>(), any::<Vec<u8>>()), 0..20)) {
        let mut log = ClassicLog::default();
        for (as_text, chunk) in &chunks {
            if *as_text { log.text(Duration::ZERO, chunk) } else { log.json(Duration::ZERO, chunk) }
        }
        prop_assert!(!log.finish().complete());
    }
}
