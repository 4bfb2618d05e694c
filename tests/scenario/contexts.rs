//! Build contexts and the edits that change them.

use std::fs;
use std::path::Path;

use dindbench::case::Edit;
use dindbench::scenario::{Context, Step, parse};

use crate::written::WHOLE;

#[test]
fn a_moved_base_must_be_pulled_and_built_on() {
    let read = |steps: &str| {
        let text = format!(
            "question = \"Why?\"\nbaseline = \"socket\"\ntopology = [{{ use = \"socket\" }}]\njob.steps = [{steps}]\n\
             sequence = {{ jobs = 2, edits = {{ 2 = \"base\" }} }}"
        );
        parse("a", &text, Path::new(".")).map(|scenario| scenario.sequence.edit(2)).map_err(|invalid| invalid.message)
    };
    let step = |op: &str, rest: &str| format!("{{ op = \"{op}\", {rest} }},");
    let (base, moved) = (step("pull", "image = \"fixture:base\""), step("pull", "image = \"fixture:moved\""));
    let ten = step("build", "context = \"fixture:ten\", tag = \"a\"");
    let big = step("build", "context = \"fixture:big\", tag = \"b\"");
    for (steps, message) in [
        (format!("{moved}{ten}"), "no step pulls"),
        (format!("{ten}{base}"), "no step pulls"),
        (format!("{base}{big}"), "no step that builds on it"),
        (base.clone(), "no step that builds"),
    ] {
        let told = read(&steps).expect_err(&steps);
        assert!(told.contains(message), "{told}");
    }
    for steps in [format!("{base}{ten}"), format!("{big}{base}{ten}")] {
        assert_eq!(read(&steps), Ok(Edit::Base));
    }
}

#[test]
fn a_context_is_a_folder_beside_the_file() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("scenarios");
    fs::create_dir_all(root.join("contexts/own")).unwrap();
    fs::create_dir(place.path().join("elsewhere")).unwrap();
    fs::write(root.join("contexts/own/Dockerfile"), "FROM scratch\n").unwrap();
    fs::write(root.join("contexts/file"), "").unwrap();
    std::os::unix::fs::symlink(place.path().join("elsewhere"), root.join("link")).unwrap();
    let read = |context: &str, file: &str, edit: &str| {
        let text = WHOLE.replace("fixture:ten", context).replace("\"Dockerfile\"", file).replace("\"source\"", edit);
        parse("whole", &text, &root).map_err(|invalid| invalid.message)
    };
    let scenario = read("contexts/own", "\"Dockerfile\"", "\"none\"").unwrap();
    let Step::Build(build) = &scenario.job.steps[1] else { panic!("{:?}", scenario.job.steps) };
    assert_eq!(build.context, Context::Folder(root.join("contexts/own")));
    for (context, file, edit, message) in [
        ("contexts/none", "\"Dockerfile\"", "\"none\"", "there is no folder"),
        ("contexts/file", "\"Dockerfile\"", "\"none\"", "there is no folder"),
        ("../elsewhere", "\"Dockerfile\"", "\"none\"", "leaves the scenario's folder"),
        ("contexts/../../elsewhere", "\"Dockerfile\"", "\"none\"", "leaves the scenario's folder"),
        ("/", "\"Dockerfile\"", "\"none\"", "leaves the scenario's folder"),
        ("", "\"Dockerfile\"", "\"none\"", "leaves the scenario's folder"),
        ("link", "\"Dockerfile\"", "\"none\"", "is a link out of the scenario's folder"),
        ("contexts/own", "\"Other\"", "\"none\"", "there is no file"),
        ("contexts/own", "\"Dockerfile\"", "\"source\"", "no build step says which file it changes"),
    ] {
        let told = read(context, file, edit).expect_err(context);
        assert!(told.contains(message), "{context}: {told}");
    }
}

#[test]
fn an_edit_of_a_folder_names_a_file_that_is_sent_and_that_a_line_can_be_added_to() {
    let place = tempfile::tempdir().unwrap();
    let own = place.path().join("own");
    fs::create_dir_all(own.join("src")).unwrap();
    for (file, text) in [
        ("Dockerfile", "FROM scratch\n"),
        (".dockerignore", "left-out.py\n"),
        ("src/main.py", ""),
        ("left-out.py", ""),
        ("logo.png", ""),
    ] {
        fs::write(own.join(file), text).unwrap();
    }
    let read = |keys: &str| {
        let context = format!("\"own\", {keys}");
        let text = WHOLE.replace("\"fixture:ten\"", &context);
        parse("whole", &text, place.path()).map_err(|invalid| invalid.message)
    };
    let scenario = read("source = \"src/main.py\", target = \"app\"").unwrap();
    let Step::Build(build) = &scenario.job.steps[1] else { panic!("{:?}", scenario.job.steps) };
    assert_eq!(build.edited[&Edit::Source].path, "src/main.py");
    assert_eq!(build.target.as_deref(), Some("app"));
    for (keys, message) in [
        ("source = \"none.py\"", "there is no file"),
        ("source = \"../own/src/main.py\"", "there is no file"),
        ("source = \"src\"", "there is no file"),
        ("source = \"logo.png\"", "without changing what it means"),
        ("source = \"left-out.py\"", "leaves `left-out.py` out"),
        ("target = \"a b\"", "cannot be a stage"),
        ("dependencies = \"src/main.py\"", "no build step says which file it changes"),
    ] {
        let told = read(keys).expect_err(keys);
        assert!(told.contains(message), "{keys}: {told}");
    }
}

#[test]
fn the_default_dockerfile_must_be_there_too() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("own")).unwrap();
    let text =
        WHOLE.replace("fixture:ten", "own").replace("file = \"Dockerfile\", ", "").replace("\"source\"", "\"none\"");
    let told = parse("whole", &text, place.path()).unwrap_err();
    assert!(told.message.contains("own/Dockerfile"), "{told}");
}
