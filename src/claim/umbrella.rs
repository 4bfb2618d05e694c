//! A statement that sums others up: its verdict follows from theirs.

use std::fmt;
use std::str::FromStr;

use super::Judgement;
use crate::case::Verdict;

/// How many of the others must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Umbrella {
    Any(Vec<Member>),
    All(Vec<Member>),
}

/// A claim that a statement rests on, or one arm of its experiment: `S3`, `S3 in dind`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub claim: String,
    pub arm: Option<String>,
}

impl FromStr for Member {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let member = |claim: &str, arm: Option<&str>| Self { claim: claim.to_owned(), arm: arm.map(str::to_owned) };
        match *text.split_whitespace().collect::<Vec<_>>() {
            [claim] => Ok(member(claim, None)),
            [claim, "in", arm] => Ok(member(claim, Some(arm))),
            _ => Err(format!("{text:?} is neither a claim nor an arm of one, such as `S3 in dind`")),
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.arm {
            None => f.write_str(&self.claim),
            Some(arm) => write!(f, "{} in {arm}", self.claim),
        }
    }
}

impl Member {
    /// What it says of the statement; empty where nothing was found of it. An arm that was not among those that decided is
    /// undecided.
    fn verdict(&self, found: Option<&Judgement>) -> Option<Verdict> {
        let found = found?;
        Some(match &self.arm {
            None => found.verdict,
            Some(arm) => match found.arms.get(arm) {
                Some(true) => Verdict::Confirmed,
                Some(false) => Verdict::Refuted,
                None => Verdict::Undecided,
            },
        })
    }
}

impl Umbrella {
    /// What it rests on.
    pub fn members(&self) -> &[Member] {
        match self {
            Self::Any(members) | Self::All(members) => members,
        }
    }

    /// `found` tells what was found of a claim, where anything was.
    pub fn judge<'a>(&self, found: impl Fn(&str) -> Option<&'a Judgement>) -> Judgement {
        let verdicts: Vec<(String, Option<Verdict>)> =
            self.members().iter().map(|member| (member.to_string(), member.verdict(found(&member.claim)))).collect();
        let of = |wanted: fn(Option<Verdict>) -> bool| -> Vec<&str> {
            let those = verdicts.iter().filter(|(_, verdict)| wanted(*verdict));
            those.map(|(member, _)| member.as_str()).collect()
        };
        let confirmed = of(|verdict| verdict == Some(Verdict::Confirmed));
        let conditional = of(|verdict| verdict == Some(Verdict::Conditional));
        let refuted = of(|verdict| verdict == Some(Verdict::Refuted));
        let open = of(|verdict| matches!(verdict, None | Some(Verdict::Undecided | Verdict::NotTestable)));
        let verdict = match self {
            _ if open.len() == verdicts.len() => Verdict::Undecided,
            Self::Any(_) if !confirmed.is_empty() => Verdict::Confirmed,
            Self::All(_) if !refuted.is_empty() => Verdict::Refuted,
            _ if !open.is_empty() => Verdict::Undecided,
            _ if !conditional.is_empty() => Verdict::Conditional,
            Self::Any(_) => Verdict::Refuted,
            Self::All(_) => Verdict::Confirmed,
        };
        let parts = [("confirmed", confirmed), ("conditional", conditional), ("refuted", refuted), ("open", open)];
        let parts = parts.into_iter().filter(|(_, members)| !members.is_empty());
        let reason: Vec<String> = parts.map(|(word, members)| format!("{word}: {}", members.join(", "))).collect();
        Judgement::without_arms(verdict, reason.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use Verdict::{Conditional, Confirmed, NotTestable, Refuted, Undecided};

    fn members(texts: &[&str]) -> Vec<Member> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn found(verdict: Verdict) -> Judgement {
        Judgement::without_arms(verdict, String::new())
    }

    fn judged(umbrella: fn(Vec<Member>) -> Umbrella, verdicts: [Option<Verdict>; 2]) -> Verdict {
        let (umbrella, found) = (umbrella(members(&["C1", "C2"])), verdicts.map(|verdict| verdict.map(found)));
        umbrella.judge(|claim| found[usize::from(claim == "C2")].as_ref()).verdict
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
            ([Some(Conditional), None], Undecided),
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
            ([Some(Conditional), Some(Undecided)], Undecided),
        ] {
            assert_eq!(judged(Umbrella::All, found), expected, "{found:?}");
        }
    }

    /// A claim that holds with the socket alone is conditional, and its arm with an engine of the job's own is a plain no.
    #[test]
    fn an_arm_counts_by_itself() {
        let arms = BTreeMap::from([("socket".to_owned(), true), ("dind".to_owned(), false)]);
        let s3 = Judgement { arms, ..found(Conditional) };
        let judged = |member: &str| {
            let judgement = Umbrella::All(members(&[member])).judge(|_| Some(&s3));
            (judgement.verdict, judgement.reason)
        };
        assert_eq!(judged("S3"), (Conditional, "conditional: S3".to_owned()));
        assert_eq!(judged("S3 in dind"), (Refuted, "refuted: S3 in dind".to_owned()));
        assert_eq!(judged("S3 in socket"), (Confirmed, "confirmed: S3 in socket".to_owned()));
        assert_eq!(judged("S3 in sysbox"), (Undecided, "open: S3 in sysbox".to_owned()));
    }

    #[test]
    fn what_is_no_member_is_refused() {
        for text in ["", "S3 at dind", "S3 in", "S3 in dind socket"] {
            assert!(text.parse::<Member>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_reason_names_every_claim_it_rests_on() {
        let (umbrella, found) = (Umbrella::Any(members(&["C1", "C2", "C3"])), [found(Confirmed), found(Refuted)]);
        let judgement = umbrella.judge(|claim| match claim {
            "C1" => Some(&found[0]),
            "C2" => Some(&found[1]),
            _ => None,
        });
        assert_eq!(judgement.reason, "confirmed: C1; refuted: C2; open: C3");
    }
}
