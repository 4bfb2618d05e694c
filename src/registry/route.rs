//! What a path of the distribution API names.

use super::digest::Digest;
use super::error::Error;
use super::name::{Reference, Repository};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Whether this is a registry at all.
    Base,
    Tags(Repository),
    Manifest(Repository, Reference),
    Blob(Repository, Digest),
    /// Where uploads begin.
    Uploads(Repository),
    /// One upload, by its id.
    Upload(Repository, String),
}

impl Route {
    /// Reads a path as it was sent. Nothing is percent-decoded: no valid name needs that.
    pub fn parse(path: &str) -> Result<Self, Error> {
        let nothing = || Error::NoSuchPath(path.to_owned());
        let rest = match path.strip_prefix("/v2") {
            Some("" | "/") => return Ok(Self::Base),
            Some(rest) => rest.strip_prefix('/').ok_or_else(nothing)?,
            None => return Err(nothing()),
        };
        if let Some(name) = rest.strip_suffix("/tags/list") {
            return Ok(Self::Tags(name.parse()?));
        }
        if let Some(name) = rest.strip_suffix("/blobs/uploads/").or_else(|| rest.strip_suffix("/blobs/uploads")) {
            return Ok(Self::Uploads(name.parse()?));
        }
        let (head, last) = rest.rsplit_once('/').ok_or_else(nothing)?;
        if let Some(name) = head.strip_suffix("/blobs/uploads") {
            Ok(Self::Upload(name.parse()?, last.to_owned()))
        } else if let Some(name) = head.strip_suffix("/manifests") {
            Ok(Self::Manifest(name.parse()?, last.parse()?))
        } else if let Some(name) = head.strip_suffix("/blobs") {
            Ok(Self::Blob(name.parse()?, last.parse()?))
        } else {
            Err(nothing())
        }
    }

    pub fn repository(&self) -> Option<&Repository> {
        match self {
            Self::Base => None,
            Self::Tags(repository)
            | Self::Manifest(repository, _)
            | Self::Blob(repository, _)
            | Self::Uploads(repository)
            | Self::Upload(repository, _) => Some(repository),
        }
    }

    /// The path to the same thing in a repository of another name.
    pub fn path(&self, repository: &str) -> String {
        match self {
            Self::Base => "/v2/".to_owned(),
            Self::Tags(_) => format!("/v2/{repository}/tags/list"),
            Self::Manifest(_, reference) => format!("/v2/{repository}/manifests/{reference}"),
            Self::Blob(_, digest) => format!("/v2/{repository}/blobs/{digest}"),
            Self::Uploads(_) => format!("/v2/{repository}/blobs/uploads/"),
            Self::Upload(_, id) => format!("/v2/{repository}/blobs/uploads/{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_path() {
        let repository = |name: &str| name.parse::<Repository>().unwrap();
        let digest = Digest::of(b"x");
        for (path, route) in [
            ("/v2".to_owned(), Route::Base),
            ("/v2/".to_owned(), Route::Base),
            ("/v2/a/b/tags/list".to_owned(), Route::Tags(repository("a/b"))),
            ("/v2/a/manifests/base".to_owned(), Route::Manifest(repository("a"), "base".parse().unwrap())),
            (format!("/v2/a/b/manifests/{digest}"), Route::Manifest(repository("a/b"), Reference::Digest(digest))),
            (format!("/v2/a/blobs/{digest}"), Route::Blob(repository("a"), digest)),
            ("/v2/a/blobs/uploads/".to_owned(), Route::Uploads(repository("a"))),
            ("/v2/a/blobs/uploads".to_owned(), Route::Uploads(repository("a"))),
            ("/v2/a/b/blobs/uploads/7".to_owned(), Route::Upload(repository("a/b"), "7".into())),
            ("/v2/manifests/manifests/manifests".to_owned(), {
                Route::Manifest(repository("manifests"), "manifests".parse().unwrap())
            }),
        ] {
            assert_eq!(Route::parse(&path).unwrap(), route, "{path}");
            let name = route.repository().map(Repository::to_string).unwrap_or_default();
            assert_eq!(Route::parse(&route.path(&name)).unwrap(), route, "{path}");
        }
    }

    #[test]
    fn wrong_paths_are_told_apart() {
        for path in ["/", "/v1/", "/v20/a/manifests/b", "/v2/a", "/v2/_catalog", "/other/a", "/v2/manifests/a"] {
            assert!(matches!(Route::parse(path), Err(Error::NoSuchPath(_))), "{path}");
        }
        for path in
            ["/v2/../../etc/manifests/passwd", "/v2/A/tags/list", "/v2//blobs/uploads/", "/v2/%2e%2e/manifests/a"]
        {
            assert!(matches!(Route::parse(path), Err(Error::NameInvalid(_))), "{path}");
        }
        assert!(matches!(Route::parse("/v2/a/blobs/sha256:0"), Err(Error::NotADigest(_))));
        assert!(matches!(Route::parse("/v2/a/manifests/.."), Err(Error::TagInvalid(_))));
    }
}
