//! Names in a registry: repositories, tags, and what a manifest is asked for by.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::digest::Digest;
use super::error::Error;

/// A checked repository name: it is also a relative path below a folder, and can leave that folder by no spelling.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Repository(String);

/// A checked tag; also a file name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(String);

/// What a manifest is asked for by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    Tag(Tag),
    Digest(Digest),
}

impl Repository {
    /// The folder of this repository. No component can begin with an underscore, so names that do are free for others.
    pub fn below(&self, folder: &Path) -> PathBuf {
        folder.join(&self.0)
    }
}

impl FromStr for Repository {
    type Err = Error;

    /// The OCI distribution specification's grammar, at most 255 bytes.
    fn from_str(name: &str) -> Result<Self, Error> {
        if name.len() <= 255 && name.split('/').all(is_component) {
            Ok(Self(name.to_owned()))
        } else {
            Err(Error::NameInvalid(name.to_owned()))
        }
    }
}

/// Runs of lower-case letters and digits, joined by one dot, one or two underscores, or any number of hyphens.
fn is_component(component: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    component.starts_with(is_word)
        && component.ends_with(is_word)
        && component
            .split(is_word)
            .all(|joint| matches!(joint, "" | "." | "_" | "__") || joint.bytes().all(|byte| byte == b'-'))
}

impl FromStr for Tag {
    type Err = Error;

    /// The OCI distribution specification's grammar.
    fn from_str(tag: &str) -> Result<Self, Error> {
        let is_first = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let good = tag.len() <= 128
            && tag.bytes().next().is_some_and(is_first)
            && tag.bytes().all(|byte| is_first(byte) || byte == b'.' || byte == b'-');
        if good { Ok(Self(tag.to_owned())) } else { Err(Error::TagInvalid(tag.to_owned())) }
    }
}

impl FromStr for Reference {
    type Err = Error;

    /// A text with a colon is a digest, since no tag has one.
    fn from_str(text: &str) -> Result<Self, Error> {
        if text.contains(':') { Ok(Self::Digest(text.parse()?)) } else { Ok(Self::Tag(text.parse()?)) }
    }
}

impl AsRef<str> for Tag {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(formatter),
            Self::Digest(digest) => digest.fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::Component;

    #[test]
    fn repositories_follow_the_grammar() {
        for good in ["fixture", "a", "a/b/c", "a.b", "a_b", "a__b", "a---b", "0/9", "library/x86-64"] {
            assert!(good.parse::<Repository>().is_ok(), "{good}");
        }
        let long = "a".repeat(256);
        for bad in [
            "", "/", "a/", "/a", "a//b", "..", "a/../b", ".", "A", "a..b", "a___b", "_a", "a_", "a._b", "a b", "é",
            "a%2f", &long,
        ] {
            assert!(bad.parse::<Repository>().is_err(), "{bad}");
        }
    }

    #[test]
    fn tags_follow_the_grammar() {
        let longest = "t".repeat(128);
        for good in ["base", "v1.2.3-rc_1", "_x", "A", &longest] {
            assert!(good.parse::<Tag>().is_ok(), "{good}");
        }
        let long = "t".repeat(129);
        for bad in ["", ".", "..", "-x", "a/b", "a:b", "a b", &long] {
            assert!(bad.parse::<Tag>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_reference_with_a_colon_is_a_digest() {
        assert!(matches!("base".parse(), Ok(Reference::Tag(_))));
        assert!(matches!("sha256:00".parse::<Reference>(), Err(Error::NotADigest(_))));
    }

    proptest! {
        #[test]
        fn no_accepted_name_leaves_its_folder(name in "[a-c._/\\-]{0,12}", tag in "[a-c._/\\-]{0,6}") {
            if let Ok(repository) = name.parse::<Repository>() {
                let path = repository.below(Path::new(""));
                prop_assert!(path.components().all(|part| matches!(part, Component::Normal(_))));
            }
            if let Ok(tag) = tag.parse::<Tag>() {
                let path = Path::new(tag.as_ref());
                prop_assert_eq!(path.components().collect::<Vec<_>>(), vec![Component::Normal(tag.as_ref().as_ref())]);
            }
        }
    }
}
