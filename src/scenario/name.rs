//! The grammars of the names in a scenario: topologies, image tags, fixtures, paths.

use std::path::{Component, Path};

/// Whether a topology can be called so: its name becomes a part of the names of containers, volumes and networks.
pub(super) fn is_topology_name(name: &str) -> bool {
    let allowed = |byte: u8| is_lower_alphanumeric(byte) || matches!(byte, b'.' | b'_' | b'-');
    name.len() <= 64 && name.bytes().next().is_some_and(is_lower_alphanumeric) && name.bytes().all(allowed)
}

/// The part after `fixture:`, where that is a name.
pub(super) fn fixture(reference: &str) -> Option<&str> {
    let name = reference.strip_prefix("fixture:")?;
    let allowed = |byte: u8| is_lower_alphanumeric(byte) || matches!(byte, b'.' | b'-');
    (!name.is_empty() && name.bytes().all(allowed)).then_some(name)
}

/// Whether docker accepts this as the tag of an image: the distribution project's reference grammar, without a digest,
/// and with a registry's host name in lower case too.
pub(super) fn is_image_tag(reference: &str) -> bool {
    let (name, tag) = split_tag(reference);
    let (first, rest) = name.split_once('/').map_or((name, None), |(first, rest)| (first, Some(rest)));
    let (host, port) = match first.split_once(':') {
        Some((host, port)) if rest.is_some() => (host, Some(port)),
        _ => (first, None),
    };
    name.len() <= 255
        && is_component(host)
        && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
        && rest.is_none_or(|rest| rest.split('/').all(is_component))
        && tag.is_none_or(is_tag)
        && !is_image_id(name)
}

/// Whether an image of the user's engine can be carried under this name.
pub fn carriable(image: &str) -> bool {
    is_image_tag(image) && !image.starts_with("fixture:")
}

/// The reference with the tag that docker adds where none is written: two tags are the same where this is.
pub(super) fn with_default_tag(reference: &str) -> String {
    match split_tag(reference) {
        (name, None) => format!("{name}:latest"),
        _ => reference.to_owned(),
    }
}

/// Whether a path stays below the folder that it is relative to, as far as its text tells.
pub(super) fn is_inner_path(path: &Path) -> bool {
    let inner = |component| matches!(component, Component::Normal(_) | Component::CurDir);
    !path.as_os_str().is_empty() && path.components().all(inner)
}

fn split_tag(reference: &str) -> (&str, Option<&str>) {
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (reference, None),
    }
}

/// Runs of lower-case letters and digits, joined by `.`, `_`, `__` or any number of `-`.
fn is_component(text: &str) -> bool {
    let mut rest = text;
    loop {
        let after_run = rest.trim_start_matches(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if after_run.len() == rest.len() {
            return false;
        }
        if after_run.is_empty() {
            return true;
        }
        rest = after_run.trim_start_matches(['.', '_', '-']);
        if !is_separator(&after_run[..after_run.len() - rest.len()]) {
            return false;
        }
    }
}

fn is_separator(text: &str) -> bool {
    matches!(text, "." | "_" | "__") || (!text.is_empty() && text.bytes().all(|byte| byte == b'-'))
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let allowed = |byte: u8| word(byte) || matches!(byte, b'.' | b'-');
    text.len() <= 128 && text.bytes().next().is_some_and(word) && text.bytes().all(allowed)
}

/// Docker takes 64 hexadecimal digits for an image's id.
fn is_image_id(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_lower_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_reference_of_the_grammar_is_accepted(
            reference in "([a-z0-9]{1,5}(:[0-9]{1,4})?/)?[a-z0-9]{1,5}((\\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,5})?"
        ) {
            prop_assert!(is_image_tag(&reference));
        }

        #[test]
        fn the_default_tag_is_added_once(reference in "[a-z]{1,5}(:[a-z0-9]{1,5})?") {
            let whole = with_default_tag(&reference);
            prop_assert_eq!(with_default_tag(&whole), whole.clone());
            prop_assert!(is_image_tag(&whole));
        }
    }

    #[test]
    fn what_docker_refuses_as_a_tag() {
        for bad in [
            "",
            "App",
            "app:",
            ":1",
            "a..b",
            "a___b",
            "-a",
            "a-",
            "a._b",
            "a//b",
            "/a",
            "a/",
            "a b",
            "app:-1",
            "a@sha256:00",
            "host:port/a",
            "host:/a",
            "a:1:2",
            "café",
        ] {
            assert!(!is_image_tag(bad), "{bad}");
        }
        assert!(!is_image_tag(&"a".repeat(256)) && !is_image_tag(&"0".repeat(64)));
        assert!(!is_image_tag(&format!("a:{}", "t".repeat(129))) && is_image_tag(&format!("a:{}", "t".repeat(128))));
    }

    #[test]
    fn topology_names_are_parts_of_object_names() {
        assert!(is_topology_name("dind-kept") && is_topology_name("0.a_b") && is_topology_name(&"a".repeat(64)));
        for bad in ["", "-a", ".a", "A", "a b", "a/b", "é"] {
            assert!(!is_topology_name(bad), "{bad}");
        }
        assert!(!is_topology_name(&"a".repeat(65)));
    }

    #[test]
    fn inner_paths_stay_inside() {
        for (path, inner) in
            [("a/b", true), (".", true), ("a/./b", true), ("", false), ("/a", false), ("a/../b", false), ("..", false)]
        {
            assert_eq!(is_inner_path(Path::new(path)), inner, "{path}");
        }
    }

    #[test]
    fn fixtures_have_plain_names() {
        assert_eq!(fixture("fixture:base-1.0"), Some("base-1.0"));
        for bad in ["fixture:", "fixture:A", "base", "fixture:a/b", "fixture:a:b"] {
            assert_eq!(fixture(bad), None, "{bad}");
        }
    }
}
