//! The job: its steps, and that each names an image, a context and a tag that can be.

use std::collections::BTreeMap;
use std::path::Path;

use crate::case::{Builder, Edit};
use crate::scenario::invalid::{Fault, advice};
use crate::scenario::name::{carriable, fixture, is_image_tag, is_inner_path, with_default_tag};
use crate::scenario::wire::{self, At, BuildStep, RunStep};
use crate::scenario::{Build, Context, Edited, FIXTURE_CONTEXTS, ImageRef, Job, Mark, Step};

const DOCKERFILE: &str = "Dockerfile";

pub(super) fn job(written: &wire::Job, root: &Path) -> Result<Job, Fault> {
    let mut job = Job {
        driver: written.driver.as_deref().copied().unwrap_or_default(),
        builder: written.builder.as_deref().copied().unwrap_or_default(),
        carry: carry(&written.carry)?,
        steps: Vec::new(),
    };
    if let (Builder::Buildah, Some(builder)) = (job.builder, &written.builder) {
        let message = "buildah is the builder of podman and buildah topologies, whatever the others are asked for";
        return Err(builder.fault(message, "auto, classic, buildkit"));
    }
    if written.steps.is_empty() {
        return Err(written.steps.fault("a job without steps", "at least one of pull, build, run, push"));
    }
    for step in written.steps.iter() {
        let step = match &**step {
            wire::Step::Pull(pull) => Step::Pull { image: pulled(&pull.image)? },
            wire::Step::Build(build) => Step::Build(self::build(build, &job, root)?),
            wire::Step::Run(run) => self::run(run, &job)?,
            wire::Step::Push(push) => Step::Push { image: pushed(&push.image, &job)? },
        };
        job.steps.push(step);
    }
    Ok(job)
}

fn carry(written: &[At<String>]) -> Result<Vec<String>, Fault> {
    let name = |image: &At<String>| {
        if carriable(image) {
            Ok(image.to_string())
        } else {
            let message = format!("`{}` cannot be an image of your engine", **image);
            Err(image.fault(message, "such as `debian:12` or `team/base:1`"))
        }
    };
    written.iter().map(name).collect()
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
    let target = written.target.as_ref().map(stage).transpose()?;
    let mut edited = BTreeMap::new();
    for (edit, path) in [(Edit::Source, &written.source), (Edit::Dependencies, &written.dependencies)] {
        if let Some(path) = path {
            edited.insert(edit, self::edited(path, &context, &file)?);
        }
    }
    Ok(Build { context, file, tag: tag(&written.tag, before)?, args: written.args.clone(), target, edited })
}

fn stage(written: &At<String>) -> Result<String, Fault> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if written.is_empty() || !written.bytes().all(plain) {
        return Err(
            written.fault(format!("`{}` cannot be a stage", **written), "the name after AS, or a stage's number")
        );
    }
    Ok(written.to_string())
}

/// A file of the context that an edit can add a line to.
fn edited(written: &At<String>, context: &Context, dockerfile: &str) -> Result<Edited, Fault> {
    let Context::Folder(folder) = context else {
        let message = format!("{} knows by itself what an edit changes", context.word());
        return Err(written.fault(message, "leave it out: it is for a folder of your own"));
    };
    if !is_inner_path(Path::new(written.as_str())) || !folder.join(written.as_str()).is_file() {
        let message = format!("there is no file `{}` in {}", **written, folder.display());
        return Err(written.fault(message, "a file's path within the context"));
    }
    let Some(mark) = Mark::of(written) else {
        let message = format!("nothing can be added to `{}` without changing what it means", **written);
        return Err(
            written.fault(message, "source code, a manifest or another text whose comments are known by its name")
        );
    };
    let sent = crate::ignore::sent(folder, dockerfile, written);
    match sent {
        Ok(true) => Ok(Edited { path: written.to_string(), mark }),
        Ok(false) => Err(written.fault(format!("`.dockerignore` leaves `{}` out", **written), "a file that is sent")),
        Err(error) => Err(written.fault(error.to_string(), "a `.dockerignore` that can be read")),
    }
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
    let image = built_earlier(&written.image, before, "fixture:NAME, or the tag of an earlier build step")?;
    Ok(Step::Run { image: ImageRef::Built(image), command: written.command.to_vec() })
}

fn pushed(image: &At<String>, before: &Job) -> Result<String, Fault> {
    built_earlier(image, before, "the tag of an earlier build step")
}

/// The tag of the step that builds an image; `right` says what would be an image here.
fn built_earlier(image: &At<String>, before: &Job, right: &str) -> Result<String, Fault> {
    built(image, before).map(str::to_owned).ok_or_else(|| {
        let known: Vec<&str> = tags(before).collect();
        let right = format!("{right}; {}", advice(image, &known));
        image.fault(format!("no earlier step builds `{}`", **image), right)
    })
}

/// The tag of the step that builds this image, as that step writes it.
fn built<'a>(image: &str, before: &'a Job) -> Option<&'a str> {
    tags(before).find(|tag| with_default_tag(tag) == with_default_tag(image))
}

fn tags(job: &Job) -> impl Iterator<Item = &str> {
    job.steps.iter().filter_map(|step| match step {
        Step::Build(build) => Some(build.tag.as_str()),
        Step::Pull { .. } | Step::Run { .. } | Step::Push { .. } => None,
    })
}
