//! A statement that sums others up: its verdict follows from theirs.

use super::Judgement;
use crate::case::Verdict;

/// How many of the others must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Umbrella {
    Any(Vec<String>),
    All(Vec<String>),
}

impl Umbrella {
    /// The claims that it rests on.
    pub fn claims(&self) -> &[String] {
        match self {
            Self::Any(claims) | Self::All(claims) => claims,
        }
    }

    /// `found` tells the verdict of a claim, where it has one.
    pub fn judge(&self, found: impl Fn(&str) -> Option<Verdict>) -> Judgement {
        let of = |wanted: Verdict| -> Vec<&str> {
            self.claims().iter().map(String::as_str).filter(|claim| found(claim) == Some(wanted)).collect()
        };
        let (confirmed, conditional, refuted) =
            (of(Verdict::Confirmed), of(Verdict::Conditional), of(Verdict::Refuted));
        let decided = confirmed.len() + conditional.len() + refuted.len();
        let open: Vec<&str> = self
            .claims()
            .iter()
            .map(String::as_str)
            .filter(|claim| ![&confirmed, &conditional, &refuted].iter().any(|of| of.contains(claim)))
            .collect();
        let verdict = match self {
            _ if decided == 0 => Verdict::Undecided,
            Self::Any(_) if !confirmed.is_empty() => Verdict::Confirmed,
            Self::All(_) if !refuted.is_empty() => Verdict::Refuted,
            _ if !open.is_empty() && conditional.is_empty() => Verdict::Undecided,
            _ if !conditional.is_empty() => Verdict::Conditional,
            Self::Any(_) => Verdict::Refuted,
            Self::All(_) => Verdict::Confirmed,
        };
        let parts = [("confirmed", confirmed), ("conditional", conditional), ("refuted", refuted), ("open", open)];
        let parts = parts.into_iter().filter(|(_, claims)| !claims.is_empty());
        let reason: Vec<String> = parts.map(|(word, claims)| format!("{word}: {}", claims.join(", "))).collect();
        Judgement { verdict, reason: reason.join("; ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Conditional, Confirmed, NotTestable, Refuted, Undecided};

    fn judged(umbrella: fn(Vec<String>) -> Umbrella, found: [Option<Verdict>; 2]) -> Verdict {
        let umbrella = umbrella(vec!["C1".to_owned(), "C2".to_owned()]);
        umbrella.judge(|claim| found[usize::from(claim == "C2")]).verdict
    }

    #[test]
    fn one_of_any_is_enough() {
        for (found, expected) in [
            ([Some(Confirmed), Some(Refuted)], Confirmed),
            ([Some(Confirmed), None], Confirmed),
            ([Some(Refuted), Some(Refuted)], Refuted),
            ([Some(Conditional), Some(Refuted)], Conditional),
            ([Some(Refuted), None], Undecided),
            ([Some(Refuted), Some(Undecided)], Undecided),
            ([Some(NotTestable), None], Undecided),
        ] {
            assert_eq!(judged(Umbrella::Any, found), expected, "{found:?}");
        }
    }

    #[test]
    fn all_of_all_are_needed() {
        for (found, expected) in [
            ([Some(Confirmed), Some(Confirmed)], Confirmed),
            ([Some(Confirmed), Some(Refuted)], Refuted),
            ([Some(Refuted), None], Refuted),
            ([Some(Confirmed), Some(Conditional)], Conditional),
            ([Some(Confirmed), None], Undecided),
            ([None, Some(NotTestable)], Undecided),
        ] {
            assert_eq!(judged(Umbrella::All, found), expected, "{found:?}");
        }
    }

    #[test]
    fn the_reason_names_every_claim_it_rests_on() {
        let umbrella = Umbrella::Any(["C1", "C2", "C3"].map(str::to_owned).to_vec());
        let judgement =
            umbrella.judge(|claim| (claim != "C3").then_some(if claim == "C1" { Confirmed } else { Refuted }));
        assert_eq!(judgement.reason, "confirmed: C1; refuted: C2; open: C3");
    }
}
