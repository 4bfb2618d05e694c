//! The name of a vertex that is an instruction of the Dockerfile.

/// `[n/m] TEXT` or `[STAGE n/m] TEXT`. Everything else that BuildKit does has another name: `[internal] …`, `[auth] …`,
/// `copy /context /`, `exporting to image`, `importing cache manifest …`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step<'a> {
    /// Empty in a Dockerfile of one stage without a name.
    pub stage: &'a str,
    /// Place among the stage's vertices, from 1; FROM is one, unless it is `scratch`.
    pub number: u32,
    pub of: u32,
    pub text: &'a str,
}

impl<'a> Step<'a> {
    pub fn parse(name: &'a str) -> Option<Self> {
        let (place, text) = name.strip_prefix('[')?.split_once("] ")?;
        // Numbers are padded to the width of the last one.
        let (stage, count) = place.rsplit_once(' ').unwrap_or(("", place));
        let (number, of) = count.split_once('/')?;
        let (number, of) = (digits(number)?, digits(of)?);
        (1..=of).contains(&number).then_some(Self { stage: stage.trim_end(), number, of, text })
    }

    pub fn is_from(&self) -> bool {
        self.text.starts_with("FROM ")
    }
}

fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step<'a>(stage: &'a str, number: u32, of: u32, text: &'a str) -> Option<Step<'a>> {
        Some(Step { stage, number, of, text })
    }

    #[test]
    fn a_step_has_its_place_and_perhaps_a_stage() {
        assert_eq!(Step::parse("[2/3] RUN [ a ] b"), step("", 2, 3, "RUN [ a ] b"));
        assert_eq!(Step::parse("[ 2/10] RUN a"), step("", 2, 10, "RUN a"));
        assert_eq!(Step::parse("[stage-1  3/10] RUN a"), step("stage-1", 3, 10, "RUN a"));
        assert_eq!(Step::parse("[linux/arm64 build 1/1] COPY a b"), step("linux/arm64 build", 1, 1, "COPY a b"));
        assert!(Step::parse("[1/3] FROM a@sha256:0").is_some_and(|step| step.is_from()));
    }

    #[test]
    fn nothing_else_is_a_step() {
        for name in [
            "[internal] load build definition from 1/2] RUN",
            "[internal] load metadata for docker.io/library/a:b",
            "[auth] library/a:pull token for registry",
            "copy /context /",
            "exporting to image",
            "importing cache manifest from a",
            "resolve image config for docker.io/docker/dockerfile:1",
            "[0/3] RUN a",
            "[4/3] RUN a",
            "[+1/3] RUN a",
            "[1/] RUN a",
            "[/] RUN a",
            "[1/3]RUN a",
            "1/3] RUN a",
            "[1/99999999999] RUN a",
            "",
        ] {
            assert_eq!(Step::parse(name), None, "{name}");
        }
    }
}
