//! The job: its steps, and that each names an image, a context and a tag that can be.

use std::path::Path;

use crate::case::Driver;
use crate::scenario::invalid::{Fault, advice};
use crate::scenario::name::{fixture, is_image_tag, is_inner_path, with_default_tag};
use crate::scenario::wire::{self, At, BuildStep, RunStep};
use crate::scenario::{Build, Context, FIXTURE_CONTEXTS, ImageRef, Job, Step};

const DOCKERFILE: &str = "Dockerfile";

pub(super) fn job(written: &wire::Job, root: &Path) -> Result<Job, Fault> {
    let builder = written.builder.as_deref().copied().unwrap_or_default();
    let mut job = Job { driver: driver(&written.driver)?, builder, steps: Vec::new() };
    if written.steps.is_empty() {
        return Err(written.steps.fault("a job without steps", "at least one of pull, build, run"));
    }
    for step in written.steps.iter() {
        let step = match &**step {
            wire::Step::Pull(pull) => Step::Pull { image: pulled(&pull.image)? },
            wire::Step::Build(build) => Step::Build(self::build(build, &job, root)?),
            wire::Step::Run(run) => self::run(run, &job)?,
            wire::Step::Push(push) => {
                let what = format!("op = push, here of `{}`,", *push.image);
                return Err(Fault::not_built(step.span(), what, "pull, build, run"));
            }
        };
        job.steps.push(step);
    }
    Ok(job)
}

fn driver(written: &Option<At<Driver>>) -> Result<Driver, Fault> {
    match written {
        Some(api) if **api == Driver::Api => Err(api.not_built("driver", "cli")),
        other => Ok(other.as_deref().copied().unwrap_or_default()),
    }
}

fn pulled(image: &At<String>) -> Result<ImageRef, Fault> {
    fixture_image(image)?.ok_or_else(|| {
        let what = format!("pulling an image such as `{}`", **image);
        Fault::not_built(image.span(), what, "images of dindbench's own registry, such as fixture:base")
    })
}

fn fixture_image(image: &At<String>) -> Result<Option<ImageRef>, Fault> {
    match fixture(image) {
        Some(name) => Ok(Some(ImageRef::Fixture(name.to_owned()))),
        None if image.starts_with("fixture:") => {
            let message = format!("`{}` cannot be an image", **image);
            Err(image.fault(message, "after `fixture:` come a-z, 0-9, `.` and `-`, such as fixture:base"))
        }
        None => Ok(None),
    }
}

fn build(written: &BuildStep, before: &Job, root: &Path) -> Result<Build, Fault> {
    let context = context(&written.context, root)?;
    let file = dockerfile(written, &context)?;
    Ok(Build { context, file, tag: tag(&written.tag, before)?, args: written.args.clone() })
}

fn context(written: &At<String>, root: &Path) -> Result<Context, Fault> {
    if let Some(name) = written.strip_prefix("fixture:") {
        if FIXTURE_CONTEXTS.contains(&name) {
            return Ok(Context::Fixture(name.to_owned()));
        }
        let known = FIXTURE_CONTEXTS.map(|name| format!("fixture:{name}"));
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        return Err(written.fault(format!("no context is generated as `{}`", **written), advice(written, &known)));
    }
    const RIGHT: &str = "a folder below the scenario file's own, relative to it and without `..`, or fixture:ten";
    if !is_inner_path(Path::new(written.as_str())) {
        return Err(written.fault(format!("the context `{}` leaves the scenario's folder", **written), RIGHT));
    }
    let folder = root.join(written.as_str());
    // Compared as they really are: a link can leave the folder too.
    match (folder.canonicalize(), root.canonicalize()) {
        (Ok(real), Ok(root)) if !real.starts_with(&root) => {
            Err(written.fault(format!("the context `{}` is a link out of the scenario's folder", **written), RIGHT))
        }
        (Ok(real), Ok(_)) if real.is_dir() => Ok(Context::Folder(folder)),
        _ => Err(written.fault(format!("there is no folder {}", folder.display()), RIGHT)),
    }
}

/// Where no file is written, a fault is told at the context that lacks one.
fn dockerfile(written: &BuildStep, context: &Context) -> Result<String, Fault> {
    let (file, at) = match &written.file {
        Some(file) => (file.as_str(), file.span()),
        None => (DOCKERFILE, written.context.span()),
    };
    if !is_inner_path(Path::new(file)) {
        let message = format!("the Dockerfile `{file}` is outside its context");
        return Err(Fault::new(at, message, "a path relative to the context, without `..`"));
    }
    match context {
        Context::Fixture(name) if file != DOCKERFILE => {
            let message = format!("fixture:{name} has no `{file}`");
            Err(Fault::new(at, message, "generated contexts have one: Dockerfile"))
        }
        Context::Folder(folder) if !folder.join(file).is_file() => {
            let message = format!("there is no file {}", folder.join(file).display());
            Err(Fault::new(at, message, "the path of a Dockerfile, relative to the context"))
        }
        _ => Ok(file.to_owned()),
    }
}

fn tag(written: &At<String>, before: &Job) -> Result<String, Fault> {
    if !is_image_tag(written) || written.starts_with("fixture:") {
        let message = format!("`{}` cannot be an image's tag", **written);
        return Err(written.fault(message, "a lower-case name such as `app` or `team/app:1`, not one of fixture:"));
    }
    if written.bytes().all(|byte| byte.is_ascii_digit()) {
        let message = format!("the tag `{}` would be taken for a step's index", **written);
        return Err(written.fault(message, "a tag with a letter: it names the step in the results"));
    }
    if built(written, before).is_some() {
        return Err(written.fault(format!("a second build step with the tag `{}`", **written), "a tag of its own"));
    }
    Ok(written.to_string())
}

fn run(written: &RunStep, before: &Job) -> Result<Step, Fault> {
    if written.command.is_empty() {
        return Err(written.command.fault("a run step without a command", "such as command = [\"true\"]"));
    }
    if let Some(image) = fixture_image(&written.image)? {
        return Ok(Step::Run { image, command: written.command.to_vec() });
    }
    let Some(tag) = built(&written.image, before) else {
        let known: Vec<&str> = tags(before).collect();
        let right = format!("fixture:NAME, or the tag of an earlier build step; {}", advice(&written.image, &known));
        return Err(written.image.fault(format!("no earlier step builds `{}`", *written.image), right));
    };
    Ok(Step::Run { image: ImageRef::Built(tag.to_owned()), command: written.command.to_vec() })
}

/// The tag of the step that builds this image, as that step writes it.
fn built<'a>(image: &str, before: &'a Job) -> Option<&'a str> {
    tags(before).find(|tag| with_default_tag(tag) == with_default_tag(image))
}

fn tags(job: &Job) -> impl Iterator<Item = &str> {
    job.steps.iter().filter_map(|step| match step {
        Step::Build(build) => Some(build.tag.as_str()),
        Step::Pull { .. } | Step::Run { .. } => None,
    })
}
