//! From what was observed to a verdict: pure, and the same for every procedure that has arms.

use std::collections::BTreeMap;

use super::{Condition, Value};
use crate::case::Verdict;

/// An observation of this ending says more of the one without it.
pub const DETAIL: &str = "_detail";

/// What one repetition in one arm showed, by name.
pub type Observations = BTreeMap<String, Value>;

/// One arm of a claim's experiment, tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    pub arm: String,
    /// Whether it says something of the experiment, and nothing of the statement.
    pub control: bool,
    /// What is observed where the statement is right; in a control, where the experiment is sound.
    pub holds: BTreeMap<String, Condition>,
    pub observed: Observed,
}

/// What became of an arm.
#[derive(Clone, Debug, PartialEq)]
pub enum Observed {
    Repetitions(Vec<Observations>),
    /// The experiment itself went wrong.
    Broken(String),
    /// The arm cannot be had on this host.
    Absent(String),
}

/// A verdict and what it rests on, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub verdict: Verdict,
    pub reason: String,
    /// Of the arms that decided it, in which the statement holds.
    pub arms: BTreeMap<String, bool>,
}

impl Judgement {
    /// One that no arm decided.
    pub fn without_arms(verdict: Verdict, reason: String) -> Self {
        Self { verdict, reason, arms: BTreeMap::new() }
    }
}

/// What an arm says of the statement.
enum Answer {
    Yes,
    No(String),
    Unclear(String),
    Absent(String),
}

/// A control that does not show what it must leaves everything undecided, and so does an arm that says nothing clear. Else the
/// arms decide: all, none, or some of them.
pub fn judge(tried: &[Tried]) -> Judgement {
    for control in tried.iter().filter(|one| one.control) {
        let (verdict, how) = match answer(control) {
            Answer::Yes => continue,
            Answer::No(how) | Answer::Unclear(how) => (Verdict::Undecided, how),
            Answer::Absent(how) => (Verdict::NotTestable, how),
        };
        return Judgement::without_arms(verdict, format!("the control {}: {how}", control.arm));
    }
    let (mut yes, mut no, mut absent, mut arms) = (Vec::new(), Vec::new(), Vec::new(), BTreeMap::new());
    for arm in tried.iter().filter(|one| !one.control) {
        match answer(arm) {
            Answer::Yes => {
                yes.push(arm.arm.as_str());
                arms.insert(arm.arm.clone(), true);
            }
            Answer::No(how) => {
                no.push(format!("{}: {how}", arm.arm));
                arms.insert(arm.arm.clone(), false);
            }
            Answer::Absent(how) => absent.push(format!("{}: {how}", arm.arm)),
            Answer::Unclear(how) => {
                return Judgement::without_arms(Verdict::Undecided, format!("{}: {how}", arm.arm));
            }
        }
    }
    let (yes, no, absent) = (yes.join(", "), no.join("; "), absent.join("; "));
    let (verdict, reason) = match (yes.is_empty(), no.is_empty()) {
        (true, true) => return Judgement::without_arms(Verdict::NotTestable, absent),
        (false, true) => (Verdict::Confirmed, format!("holds in {yes}")),
        (true, false) => (Verdict::Refuted, format!("does not hold in {no}")),
        (false, false) => (Verdict::Conditional, format!("holds in {yes}; not in {no}")),
    };
    let left_out = if absent.is_empty() { String::new() } else { format!("; not tried in {absent}") };
    Judgement { verdict, reason: reason + &left_out, arms }
}

fn answer(tried: &Tried) -> Answer {
    let repetitions = match &tried.observed {
        Observed::Repetitions(repetitions) => repetitions,
        Observed::Broken(how) => return Answer::Unclear(how.clone()),
        Observed::Absent(how) => return Answer::Absent(how.clone()),
    };
    let answers: Result<Vec<Option<String>>, String> =
        repetitions.iter().map(|one| deviation(&tried.holds, one)).collect();
    let answers = match answers {
        Ok(answers) => answers,
        Err(how) => return Answer::Unclear(how),
    };
    let deviations: Vec<&String> = answers.iter().flatten().collect();
    match deviations.first() {
        None if answers.is_empty() => Answer::Unclear("it was never tried".to_owned()),
        None => Answer::Yes,
        Some(how) if deviations.len() == answers.len() => Answer::No((*how).clone()),
        Some(how) => Answer::Unclear(format!("{how} in {} of {} repetitions", deviations.len(), answers.len())),
    }
}

/// In what one repetition is not what it is where the statement is right.
///
/// # Errors
/// Something was not observed, or does not say whether the condition is met.
fn deviation(holds: &BTreeMap<String, Condition>, observed: &Observations) -> Result<Option<String>, String> {
    let mut deviations = Vec::new();
    for (name, condition) in holds {
        let value = observed.get(name).ok_or_else(|| format!("nothing was observed of {name}"))?;
        match condition.met(value) {
            Some(true) => {}
            Some(false) => {
                let detail = observed.get(&format!("{name}{DETAIL}")).map(ToString::to_string);
                let detail = detail.filter(|detail| !detail.is_empty()).map(|detail| format!(" ({detail})"));
                let value = value.told(condition);
                deviations.push(format!("{name} is {value}{}, and not {condition}", detail.unwrap_or_default()));
            }
            None => {
                return Err(format!(
                    "{name} is {}, which does not say whether it is {condition}",
                    value.told(condition)
                ));
            }
        }
    }
    Ok((!deviations.is_empty()).then(|| deviations.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repetition(values: &[(&str, &str)]) -> Observations {
        values.iter().map(|(name, value)| ((*name).to_owned(), Value::Text((*value).to_owned()))).collect()
    }

    fn tried(arm: &str, control: bool, observed: &[&str]) -> Tried {
        let observed = observed.iter().map(|value| repetition(&[("seen", value)])).collect();
        Tried { observed: Observed::Repetitions(observed), ..arm_of(arm, control, Observed::Absent(String::new())) }
    }

    fn arm_of(arm: &str, control: bool, observed: Observed) -> Tried {
        let holds = BTreeMap::from([("seen".to_owned(), Condition::Is("yes".to_owned()))]);
        Tried { arm: arm.to_owned(), control, holds, observed }
    }

    fn judged(tried: &[Tried]) -> (Verdict, String) {
        let judgement = judge(tried);
        (judgement.verdict, judgement.reason)
    }

    #[test]
    fn arms_decide_together() {
        let yes = || tried("socket", false, &["yes"; 3]);
        let no = || tried("dind", false, &["no"; 3]);
        assert_eq!(judged(&[yes()]), (Verdict::Confirmed, "holds in socket".to_owned()));
        let refuted = "does not hold in dind: seen is no, and not yes".to_owned();
        assert_eq!(judged(&[no()]), (Verdict::Refuted, refuted));
        let conditional = "holds in socket; not in dind: seen is no, and not yes".to_owned();
        assert_eq!(judged(&[yes(), no()]), (Verdict::Conditional, conditional));
        let absent = arm_of("sysbox", false, Observed::Absent(String::new()));
        let arms = judge(&[tried("apart", true, &["yes"]), yes(), no(), absent]).arms;
        assert_eq!(arms, BTreeMap::from([("socket".to_owned(), true), ("dind".to_owned(), false)]));
    }

    #[test]
    fn a_detail_stands_beside_what_it_is_of() {
        let observed = Observed::Repetitions(vec![repetition(&[("seen", "no"), ("seen_detail", "it was hidden")])]);
        let (_, reason) = judged(&[arm_of("dind", false, observed)]);
        assert_eq!(reason, "does not hold in dind: seen is no (it was hidden), and not yes");
        let empty = Observed::Repetitions(vec![repetition(&[("seen", "no"), ("seen_detail", "")])]);
        let (_, reason) = judged(&[arm_of("dind", false, empty)]);
        assert_eq!(reason, "does not hold in dind: seen is no, and not yes");
    }

    #[test]
    fn repetitions_that_disagree_decide_nothing() {
        let (verdict, reason) = judged(&[tried("socket", false, &["yes", "no", "yes"])]);
        assert_eq!(verdict, Verdict::Undecided);
        assert_eq!(reason, "socket: seen is no, and not yes in 1 of 3 repetitions");
        assert_eq!(judged(&[tried("socket", false, &[])]).0, Verdict::Undecided);
    }

    #[test]
    fn a_control_decides_whether_there_is_a_verdict_at_all() {
        let yes = || tried("dind", false, &["yes"]);
        assert_eq!(judged(&[tried("apart", true, &["yes"]), yes()]).0, Verdict::Confirmed);
        let (verdict, reason) = judged(&[yes(), tried("apart", true, &["no"])]);
        assert_eq!((verdict, reason.as_str()), (Verdict::Undecided, "the control apart: seen is no, and not yes"));
        let absent = arm_of("apart", true, Observed::Absent("no such file system".to_owned()));
        let (verdict, reason) = judged(&[yes(), absent]);
        assert_eq!((verdict, reason.as_str()), (Verdict::NotTestable, "the control apart: no such file system"));
    }

    #[test]
    fn what_cannot_be_had_here_is_in_neither_column() {
        let absent = || arm_of("sysbox", false, Observed::Absent("no such runtime".to_owned()));
        assert_eq!(judged(&[absent()]), (Verdict::NotTestable, "sysbox: no such runtime".to_owned()));
        let (verdict, reason) = judged(&[absent(), tried("socket", false, &["yes"])]);
        assert_eq!(verdict, Verdict::Confirmed);
        assert_eq!(reason, "holds in socket; not tried in sysbox: no such runtime");
        assert_eq!(judged(&[]).0, Verdict::NotTestable);
    }

    #[test]
    fn what_went_wrong_or_was_not_observed_decides_nothing() {
        let broken = arm_of("dind", false, Observed::Broken("the script ended with 2".to_owned()));
        assert_eq!(judged(&[broken]), (Verdict::Undecided, "dind: the script ended with 2".to_owned()));
        let blind = arm_of("dind", false, Observed::Repetitions(vec![repetition(&[("other", "yes")])]));
        assert_eq!(judged(&[blind]), (Verdict::Undecided, "dind: nothing was observed of seen".to_owned()));
        let wide = Value::Range { low: 0.9, high: 1.4 };
        let holds = BTreeMap::from([("ratio".to_owned(), Condition::Above(1.2))]);
        let observed = Observed::Repetitions(vec![Observations::from([("ratio".to_owned(), wide)])]);
        let (verdict, reason) = judged(&[Tried { arm: "dind".to_owned(), control: false, holds, observed }]);
        assert_eq!(verdict, Verdict::Undecided);
        assert_eq!(reason, "dind: ratio is 0.9 to 1.4, which does not say whether it is more than 1.2");
    }
}
