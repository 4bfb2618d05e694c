//! Where each repository stands in a registry that others run, and what was put there.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use super::digest::Digest;
use super::name::Repository;

/// Everything that is put there stands below one prefix, so nothing of others can be overwritten.
///
/// A repository that is emptied gets another place: a registry that deletes an image goes on serving its blobs until it
/// collects its garbage, and a push that finds them there sends nothing.
pub struct Places {
    /// Empty where every repository has its own name there.
    namespace: Option<Repository>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How often all repositories were emptied.
    renewals: u32,
    /// How often a repository was emptied besides.
    moves: HashMap<Repository, u32>,
    manifests: BTreeSet<Put>,
}

/// A manifest in its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Put {
    pub place: String,
    pub digest: Digest,
}

impl Places {
    pub fn below(namespace: Repository) -> Self {
        Self { namespace: Some(namespace), state: Mutex::default() }
    }

    /// Every repository stands under its own name, and nothing is put there.
    pub fn same() -> Self {
        Self { namespace: None, state: Mutex::default() }
    }

    /// The repository's name in the other registry.
    pub fn of(&self, repository: &Repository) -> String {
        let Some(namespace) = &self.namespace else { return repository.to_string() };
        let moves = self.with(|state| state.renewals + state.moves.get(repository).unwrap_or(&0));
        format!("{namespace}/{moves}/{repository}")
    }

    /// Remembers what is about to be put.
    pub fn note(&self, place: &str, digest: Digest) {
        self.with(|state| state.manifests.insert(Put { place: place.to_owned(), digest }));
    }

    /// Forgets what is not there any more.
    pub fn gone(&self, put: &Put) {
        self.with(|state| state.manifests.remove(put));
    }

    /// From now on the repository is an empty one.
    pub fn leave(&self, repository: &Repository) {
        self.with(|state| *state.moves.entry(repository.clone()).or_default() += 1);
    }

    /// From now on every repository is an empty one.
    pub fn leave_all(&self) {
        self.with(|state| state.renewals += 1);
    }

    /// All that was put and is not known to be gone.
    pub fn all(&self) -> Vec<Put> {
        self.with(|state| state.manifests.iter().cloned().collect())
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_that_is_left_has_another_place_and_shares_it_with_none() {
        let places = Places::below("mine".parse().unwrap());
        let [plain, like_a_place]: [Repository; 2] = ["pushed", "1/pushed"].map(|name| name.parse().unwrap());
        let mut seen = BTreeSet::new();
        for round in 0..4 {
            for repository in [&plain, &like_a_place] {
                let place = places.of(repository);
                assert!(place.starts_with("mine/") && place.parse::<Repository>().is_ok(), "{place}");
                assert_eq!(places.of(repository), place);
                assert!(seen.insert(place));
            }
            if round == 2 {
                places.leave_all();
            } else {
                places.leave(&plain);
                places.leave(&like_a_place);
            }
        }
    }

    #[test]
    fn what_was_put_is_known_until_it_is_gone() {
        let places = Places::below("mine".parse().unwrap());
        let digest = Digest::of(b"a");
        places.note("mine/0/a", digest);
        places.note("mine/0/a", digest);
        let put = Put { place: "mine/0/a".to_owned(), digest };
        assert_eq!(places.all(), std::slice::from_ref(&put));
        places.gone(&put);
        assert_eq!(places.all(), []);
    }
}
