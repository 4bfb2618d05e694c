//! The output of podman and buildah, which build alike, chunk by chunk.
//!
//! RUN output stands in between, and can imitate every line. But each instruction ends with the short id of an image, which
//! nothing knows before it exists: so the ids that the storage has tell what is genuine, and [`BuildahBuild::verify`] has
//! them. What does not fit together is no count at all.

use std::collections::HashSet;
use std::time::Duration;

use super::lines::Lines;
use super::verify::Instruction;

/// Reads what one build printed on stdout.
#[derive(Debug, Default)]
pub struct BuildahLog {
    lines: Lines,
    said: Vec<(Duration, Line)>,
}

/// A build as its output tells it, lines of RUN output among the builder's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildahBuild {
    said: Vec<(Duration, Line)>,
}

/// A line with the shape of one of the builder's own.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    /// `[2/2] STEP 3/6: COPY a /b`; without the stages where there is one.
    Step(Place, String),
    /// `--> Using cache ID`, the whole id.
    UsingCache(String),
    /// What ends with `--> ID`, the short id: output without a line break may stand before it.
    Made(String),
}

/// Where a step stands: of which stages, and of which steps of its stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    stage: u32,
    stages: u32,
    step: u32,
    steps: u32,
}

impl Place {
    fn last(self) -> bool {
        self.step == self.steps
    }

    /// Whether a step here comes right after this one. Stages that nothing needs are left out.
    fn leads_to(self, next: Self) -> bool {
        let within = next.stage == self.stage && next.steps == self.steps && next.step == self.step + 1;
        let stage = self.last() && next.step == 1 && next.stage > self.stage;
        next.stages == self.stages && (within || stage)
    }
}

/// The output and the images of the storage contradict each other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    #[error("the output ends at {last}, before an image was built: count nothing of this build")]
    Unfinished { last: String },
    #[error("the output goes on with {text}, which does not come next: count nothing of this build")]
    Order { text: String },
    #[error(
        "the output says that the cache had image {image}, which was not there before: count nothing of this build"
    )]
    Late { image: String },
    #[error("the output tells of image {image} where no instruction is under way: count nothing of this build")]
    Unasked { image: String },
    #[error("the output says that image {printed} was built, but the tag is that of {found}: is it another build's?")]
    Image { printed: String, found: String },
}

impl BuildahLog {
    /// Takes a chunk of the command's stdout that arrived `at` since the start of the build. Any cut will do.
    pub fn text(&mut self, at: Duration, chunk: &[u8]) {
        self.lines.push(at, chunk, |since, line| self.said.extend(Line::parse(line).map(|line| (since, line))));
    }

    /// Ends the stream. A last line without its line break was cut.
    pub fn finish(self) -> BuildahBuild {
        BuildahBuild { said: self.said }
    }
}

/// The step under way.
struct Open {
    place: Place,
    /// The image that the cache had for it.
    hit: Option<String>,
    done: bool,
}

/// A reading of the output beside the images that there are.
struct Reading<'a> {
    before: &'a HashSet<String>,
    after: &'a HashSet<String>,
    instructions: Vec<Instruction>,
    made: HashSet<&'a str>,
    open: Option<Open>,
    /// Short id of the last image that was genuine.
    image: &'a str,
}

impl BuildahBuild {
    /// The instructions, each one's hit or miss confirmed.
    ///
    /// `before` and `after` are the full ids of all images, intermediate ones too, when the build began and when it had
    /// ended, `image` the id of the one that has its tag.
    ///
    /// An instruction is cached exactly if its image was there already, or was made by an earlier stage of the same build.
    pub fn verify(
        &self,
        before: &HashSet<String>,
        after: &HashSet<String>,
        image: &str,
    ) -> Result<Vec<Instruction>, Mismatch> {
        let (instructions, made) = (Vec::new(), HashSet::new());
        let mut reading = Reading { before, after, instructions, made, open: None, image: "" };
        for (at, line) in &self.said {
            match line {
                Line::Step(place, text) => reading.step(*at, *place, text)?,
                Line::UsingCache(id) => reading.using_cache(id),
                Line::Made(id) => reading.made(*at, id)?,
            }
        }
        let whole = |open: Open| open.done && open.place.last() && open.place.stage == open.place.stages;
        if !reading.open.is_some_and(whole) {
            let last = reading.instructions.last().map_or_else(|| "nothing".to_owned(), |last| last.text.clone());
            return Err(Mismatch::Unfinished { last });
        }
        if reading.image != short(image) {
            return Err(Mismatch::Image { printed: reading.image.to_owned(), found: image.to_owned() });
        }
        Ok(reading.instructions)
    }
}

impl<'a> Reading<'a> {
    fn step(&mut self, at: Duration, place: Place, text: &str) -> Result<(), Mismatch> {
        let follows = match &self.open {
            // The builder does not go on before the step under way has its image: these are the words of a RUN.
            Some(open) if !open.done => return Ok(()),
            Some(open) => open.place.leads_to(place),
            None => place.step == 1,
        };
        if !follows {
            return Err(Mismatch::Order { text: text.to_owned() });
        }
        self.end(at);
        // FROM is the first, and no instruction.
        if place.step > 1 {
            let index = u32::try_from(self.instructions.len() + 1).unwrap_or(u32::MAX);
            let text = text.to_owned();
            self.instructions.push(Instruction { index, text, cached: false, started: at, elapsed: None });
        }
        self.open = Some(Open { place, hit: None, done: place.step == 1 });
        Ok(())
    }

    fn using_cache(&mut self, id: &str) {
        if let Some(open) = self.open.as_mut().filter(|open| !open.done) {
            open.hit = Some(id.to_owned());
        }
    }

    fn made(&mut self, at: Duration, id: &str) -> Result<(), Mismatch> {
        // An id that no image has is nothing that the builder printed.
        let Some(whole) = self.after.iter().find(|image| digits(image).starts_with(id)) else { return Ok(()) };
        let there = self.there(whole);
        let Some(open) = &mut self.open else { return Ok(()) };
        match &open.hit {
            // What was made is told once more when it gets its name; a stage of a FROM alone has its base's image.
            _ if open.done && (open.place.step == 1 || short(whole) == self.image) => {}
            _ if open.done => return Err(Mismatch::Unasked { image: id.to_owned() }),
            Some(hit) if short(hit) == short(whole) && there => self.done(at, true),
            Some(hit) if short(hit) == short(whole) => return Err(Mismatch::Late { image: id.to_owned() }),
            _ if !there => self.done(at, false),
            // An image that was there before, in the words of a RUN.
            _ => return Ok(()),
        }
        self.made.insert(short(whole));
        self.image = short(whole);
        Ok(())
    }

    fn done(&mut self, at: Duration, cached: bool) {
        self.open.iter_mut().for_each(|open| open.done = true);
        self.instructions.iter_mut().rev().take(1).for_each(|instruction| instruction.cached = cached);
        self.end(at);
    }

    /// What is under way has lasted until now.
    fn end(&mut self, at: Duration) {
        if let (Some(open), Some(instruction)) = (&self.open, self.instructions.last_mut())
            && open.place.step > 1
        {
            instruction.elapsed = at.checked_sub(instruction.started);
        }
    }

    /// Whether an image was there when the step under way began.
    fn there(&self, id: &str) -> bool {
        self.made.contains(short(id)) || self.before.iter().any(|image| digits(image) == digits(id))
    }
}

/// The digits of an id that the builder prints of it, at least: some versions print one more.
const SHORT: usize = 11;

fn digits(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}

fn short(id: &str) -> &str {
    let digits = digits(id);
    digits.get(..SHORT).unwrap_or(digits)
}

impl Line {
    fn parse(line: &[u8]) -> Option<Self> {
        let line = String::from_utf8_lossy(line);
        if let Some(step) = step(&line) {
            return Some(step);
        }
        if let Some(id) = line.strip_prefix("--> Using cache ").filter(|id| is_id(id, 64..=64)) {
            return Some(Self::UsingCache(id.to_owned()));
        }
        let (_, id) = line.rsplit_once("--> ")?;
        is_id(id, SHORT..=12).then(|| Self::Made(id.to_owned()))
    }
}

fn step(line: &str) -> Option<Line> {
    let (stages, rest) = match line.strip_prefix('[') {
        Some(rest) => {
            let (stages, rest) = rest.split_once("] ")?;
            (ratio(stages)?, rest)
        }
        None => ((1, 1), line),
    };
    let (steps, text) = rest.strip_prefix("STEP ")?.split_once(": ")?;
    let ((stage, stages), (step, steps)) = (stages, ratio(steps)?);
    Some(Line::Step(Place { stage, stages, step, steps }, text.to_owned()))
}

/// `3/6`, the first no more than the second.
fn ratio(text: &str) -> Option<(u32, u32)> {
    let (part, of) = text.split_once('/')?;
    Some((part.parse().ok()?, of.parse().ok()?)).filter(|(part, of)| part <= of)
}

fn is_id(text: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
