//! Finds the one chain of steps that the classic builder itself can have printed, whatever RUN output is in between.
//!
//! A container's id is random, and nothing can print it before the builder does in `Running in ID`. So the first such
//! line is genuine, and each removal of that container leads back to the step it belongs to. RUN output can imitate
//! everything else, and can imitate a removal by its own container's id or by an earlier one's. But the genuine removal
//! comes after all output of its container, and what the builder prints from there on is taken up in the right place
//! again. A header therefore names the header it follows, imitations grow into side branches, and the branch in which
//! the stream ends is the one that counts: of a finished build, exactly the genuine one. A stream that ends inside
//! RUN output can end in a side branch; no text can tell.

use std::collections::HashMap;
use std::time::Duration;

use super::lines::{Line, removal};

/// What became of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) hit: bool,
    /// Short id; none for `FROM scratch`, and for an ARG before the first FROM.
    pub(super) image: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An ARG before the first FROM: a step of its own that makes no image and prints nothing.
    Global,
    From,
    Instruction,
}

/// The header of a step.
#[derive(Debug)]
pub(super) struct Header {
    step: u32,
    of: u32,
    pub(super) kind: Kind,
    /// Number of the FROM that it belongs to, from 1; 0 before the first one.
    pub(super) stage: u32,
    pub(super) text: String,
    pub(super) at: Duration,
    /// The header before it, and what became of that step in this branch.
    parent: Option<(usize, Outcome)>,
}

/// How far the step at hand has come.
#[derive(Debug)]
enum Phase {
    /// Nothing but the builder speaks.
    Open,
    Hit,
    /// A container speaks, until it is removed.
    Running,
    Removed,
    Done(Outcome),
}

#[derive(Debug)]
struct Place {
    header: usize,
    phase: Phase,
}

/// The headers that can be genuine, and the place where the stream is.
#[derive(Debug, Default)]
pub(super) struct Trail {
    headers: Vec<Header>,
    /// The step that each container was first seen in.
    containers: HashMap<String, usize>,
    place: Option<Place>,
    built_at: Option<Duration>,
}

/// One step of the branch that counts.
pub(super) struct Step<'a> {
    pub(super) header: &'a Header,
    /// None for the step in which the stream ended.
    pub(super) outcome: Option<Outcome>,
    /// When the builder's next words came.
    pub(super) until: Option<Duration>,
}

impl Trail {
    /// Takes a whole line that began to arrive `at`. Constant time but for copying a header's text.
    pub(super) fn line(&mut self, at: Duration, line: &[u8]) {
        // Before everything else: RUN output without a line break can turn a genuine removal into the end of a line
        // that looks like a header.
        if let Some(&header) = removal(line).and_then(|container| self.containers.get(container)) {
            self.place = Some(Place { header, phase: Phase::Removed });
            self.built_at = None;
            return;
        }
        match Line::parse(line) {
            Some(Line::Header { step, of, text }) => self.header(at, step, of, text),
            Some(Line::UsingCache) => self.using_cache(),
            Some(Line::RunningIn(container)) => self.running_in(container),
            Some(Line::Image(image)) => self.image(image),
            Some(Line::Built(image)) => self.built(at, image),
            None => {}
        }
    }

    /// Number of steps that the builder announced; none before the first header.
    pub(super) fn announced(&self) -> Option<u32> {
        self.headers.first().map(|header| header.of)
    }

    /// When the first header came: the context had been sent by then.
    pub(super) fn first_header_at(&self) -> Option<Duration> {
        self.headers.first().map(|header| header.at)
    }

    /// Short id of the image that the builder says it built.
    pub(super) fn built_image(&self) -> Option<&str> {
        match &self.place {
            Some(Place { phase: Phase::Done(outcome), .. }) if self.built_at.is_some() => outcome.image.as_deref(),
            _ => None,
        }
    }

    /// The steps of the branch in which the stream ended, in their order.
    pub(super) fn steps(&self) -> Vec<Step<'_>> {
        let Some(place) = &self.place else { return Vec::new() };
        let mut outcome = match &place.phase {
            Phase::Done(outcome) => Some(outcome.clone()),
            _ => None,
        };
        let mut until = self.built_at;
        let mut at = Some(place.header);
        let mut steps = Vec::new();
        while let Some(header) = at.and_then(|index| self.headers.get(index)) {
            steps.push(Step { header, outcome: outcome.take(), until });
            until = Some(header.at);
            at = header.parent.as_ref().map(|(index, _)| *index);
            outcome = header.parent.as_ref().map(|(_, outcome)| outcome.clone());
        }
        steps.reverse();
        steps
    }

    fn header(&mut self, at: Duration, step: u32, of: u32, text: &[u8]) {
        let parent = match &self.place {
            // The one beginning: no container has run yet.
            None if step == 1 => None,
            None => return,
            Some(place) => match self.follows(place, step, of) {
                Some(outcome) => Some((place.header, outcome)),
                None => return,
            },
        };
        let stage_before = parent.as_ref().map_or(0, |(index, _)| self.headers[*index].stage);
        let text = String::from_utf8_lossy(text).into_owned();
        let (kind, stage) = match text.split_ascii_whitespace().next() {
            Some(word) if word.eq_ignore_ascii_case("FROM") => (Kind::From, stage_before + 1),
            _ if stage_before == 0 => (Kind::Global, 0),
            _ => (Kind::Instruction, stage_before),
        };
        self.place = Some(Place { header: self.headers.len(), phase: Phase::Open });
        self.headers.push(Header { step, of, kind, stage, text, at, parent });
    }

    /// What became of the step at `place`, if a header numbered `step` of `of` can come next.
    fn follows(&self, place: &Place, step: u32, of: u32) -> Option<Outcome> {
        let last = &self.headers[place.header];
        if last.of != of || last.step + 1 != step {
            return None;
        }
        match &place.phase {
            Phase::Done(outcome) => Some(outcome.clone()),
            Phase::Open if last.kind == Kind::Global => Some(Outcome { hit: false, image: None }),
            _ => None,
        }
    }

    fn using_cache(&mut self) {
        if let Some(place) = &mut self.place {
            // The triggers of ONBUILD run, or are cached, one after the other within their FROM.
            let again = self.headers[place.header].kind == Kind::From && matches!(place.phase, Phase::Removed);
            if matches!(place.phase, Phase::Open) || again {
                place.phase = Phase::Hit;
            }
        }
    }

    fn running_in(&mut self, container: &str) {
        if self.containers.contains_key(container) {
            return;
        }
        if let Some(place) = &mut self.place {
            let trigger = self.headers[place.header].kind == Kind::From;
            if matches!(place.phase, Phase::Open) || (trigger && matches!(place.phase, Phase::Hit | Phase::Removed)) {
                self.containers.insert(container.to_owned(), place.header);
                place.phase = Phase::Running;
            }
        }
    }

    fn image(&mut self, image: Option<&str>) {
        if let Some(place) = &mut self.place {
            let from = self.headers[place.header].kind == Kind::From;
            let hit = match place.phase {
                Phase::Hit => !from,
                Phase::Open | Phase::Removed => false,
                Phase::Running | Phase::Done(_) => return,
            };
            if image.is_some() || from {
                place.phase = Phase::Done(Outcome { hit, image: image.map(str::to_owned) });
            }
        }
    }

    fn built(&mut self, at: Duration, image: &str) {
        if let Some(Place { header, phase: Phase::Done(outcome) }) = &self.place {
            let last = &self.headers[*header];
            if last.step == last.of && outcome.image.as_deref() == Some(image) {
                self.built_at = Some(at);
            }
        }
    }
}
