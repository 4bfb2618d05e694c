//! What is to be observed in an arm where a statement is right.

use std::fmt;
use std::str::FromStr;

/// Decimals of a number that is told, and how many it may take to tell it from the end of a condition.
const DECIMALS: i32 = 3;
const MOST_DECIMALS: i32 = 9;

/// Something that was observed.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// As a script told it.
    Text(String),
    /// A number that is known within two ends, both the same where it is exact.
    Range { low: f64, high: f64 },
}

/// What an observation must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// This word.
    Is(String),
    AtLeast(f64),
    AtMost(f64),
    Above(f64),
    Below(f64),
    /// Within two ends, which belong to it.
    Between(f64, f64),
}

impl Value {
    pub fn exactly(number: f64) -> Self {
        Self::Range { low: number, high: number }
    }

    /// In so few decimals, three at least, that a condition says the same of it.
    pub fn told(&self, condition: &Condition) -> String {
        let rounded = |decimals| match self {
            Self::Text(_) => self.clone(),
            Self::Range { low, high } => Self::Range { low: rounded(*low, decimals), high: rounded(*high, decimals) },
        };
        let same = |decimals: &i32| condition.met(&rounded(*decimals)) == condition.met(self);
        self.with_decimals((DECIMALS..MOST_DECIMALS).find(same).unwrap_or(MOST_DECIMALS))
    }

    fn with_decimals(&self, decimals: i32) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Range { low, high } if low == high => rounded(*low, decimals).to_string(),
            Self::Range { low, high } => format!("{} to {}", rounded(*low, decimals), rounded(*high, decimals)),
        }
    }

    fn ends(&self) -> Option<(f64, f64)> {
        match self {
            Self::Text(text) => text.parse().ok().filter(|number: &f64| number.is_finite()).map(|one| (one, one)),
            Self::Range { low, high } => Some((*low, *high)),
        }
    }
}

impl Condition {
    /// Whether it is met; empty where a number is not known well enough to say, and where there is none.
    pub fn met(&self, value: &Value) -> Option<bool> {
        if let Self::Is(word) = self {
            return Some(matches!(value, Value::Text(text) if text == word));
        }
        let (low, high) = value.ends()?;
        let (met, missed) = match *self {
            Self::Is(_) => return None,
            Self::AtLeast(least) => (low >= least, high < least),
            Self::AtMost(most) => (high <= most, low > most),
            Self::Above(end) => (low > end, high <= end),
            Self::Below(end) => (high < end, low >= end),
            Self::Between(least, most) => (low >= least && high <= most, high < least || low > most),
        };
        (met || missed).then_some(met)
    }
}

impl Condition {
    /// How far from 1 the nearest end of a condition on a ratio is, as a part of it; empty where 1 is the end itself, and
    /// where there is none.
    pub fn margin(&self) -> Option<f64> {
        let from_one = |end: f64| end.ln().abs().exp_m1();
        let margin = match *self {
            Self::Is(_) => return None,
            Self::AtLeast(end) | Self::AtMost(end) | Self::Above(end) | Self::Below(end) => from_one(end),
            Self::Between(low, high) => from_one(low).min(from_one(high)),
        };
        (margin > 0.0).then_some(margin)
    }
}

/// As a claim's file writes it: a word, `>= 1`, `<= 1`, `> 1`, `< 1`, or `1 to 2`.
impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            let number: Result<f64, _> = text.trim().parse();
            number.ok().filter(|number| number.is_finite()).ok_or_else(|| format!("{text:?} is no number"))
        };
        Ok(if let Some(end) = text.strip_prefix(">=") {
            Self::AtLeast(number(end)?)
        } else if let Some(end) = text.strip_prefix("<=") {
            Self::AtMost(number(end)?)
        } else if let Some(end) = text.strip_prefix('>') {
            Self::Above(number(end)?)
        } else if let Some(end) = text.strip_prefix('<') {
            Self::Below(number(end)?)
        } else if let Some((low, high)) = text.split_once(" to ") {
            Self::Between(number(low)?, number(high)?)
        } else {
            Self::Is(text.to_owned())
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(word) => write!(f, "{word}"),
            Self::AtLeast(end) => write!(f, "at least {end}"),
            Self::AtMost(end) => write!(f, "at most {end}"),
            Self::Above(end) => write!(f, "more than {end}"),
            Self::Below(end) => write!(f, "less than {end}"),
            Self::Between(low, high) => write!(f, "from {low} to {high}"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_decimals(DECIMALS))
    }
}

/// To so many decimals, without zeros that say nothing.
fn rounded(number: f64, decimals: i32) -> f64 {
    let factor = 10_f64.powi(decimals);
    (number * factor).round() / factor
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(condition: &str, value: &Value) -> Option<bool> {
        condition.parse::<Condition>().unwrap().met(value)
    }

    #[test]
    fn words_are_compared_and_numbers_measured() {
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(met("yes", &text("yes")), Some(true));
        assert_eq!(met("yes", &text("no")), Some(false));
        assert_eq!(met("overlay2", &Value::exactly(1.0)), Some(false));
        for (condition, expected) in
            [(">= 2", true), ("<= 2", true), ("> 2", false), ("< 2", false), ("1 to 2", true), ("2.1 to 3", false)]
        {
            assert_eq!(met(condition, &text("2")), Some(expected), "{condition}");
            assert_eq!(met(condition, &Value::exactly(2.0)), Some(expected), "{condition}");
        }
        assert_eq!(met(">= 2", &text("many")), None);
        assert_eq!(met(">= 2", &text("NaN")), None);
    }

    /// 1.2004 to three decimals would be at most 1.2, which it is not.
    #[test]
    fn what_is_told_is_on_the_side_of_an_end_on_which_it_is() {
        let told = |condition: &str, value: Value| value.told(&condition.parse().unwrap());
        assert_eq!(told("<= 1.2", Value::Range { low: 1.05, high: 1.2004 }), "1.05 to 1.2004");
        assert_eq!(told("<= 1.3", Value::Range { low: 1.05, high: 1.2004 }), "1.05 to 1.2");
        assert_eq!(told(">= 0.95", Value::exactly(0.949_72)), "0.9497");
        assert_eq!(told("yes", Value::Text("no".to_owned())), "no");
    }

    #[test]
    fn an_interval_that_reaches_across_an_end_says_neither() {
        let value = Value::Range { low: 1.1, high: 1.3 };
        for (condition, expected) in [
            ("> 1", Some(true)),
            ("> 1.2", None),
            ("> 1.3", Some(false)),
            (">= 1.3", None),
            (">= 1.4", Some(false)),
            ("< 1.4", Some(true)),
            ("< 1.2", None),
            ("<= 1", Some(false)),
            ("1 to 1.3", Some(true)),
            ("1.2 to 1.25", None),
            ("0.9 to 1", Some(false)),
        ] {
            assert_eq!(met(condition, &value), expected, "{condition}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for text in [">= x", "< ", "1 to y", "<= inf"] {
            assert!(text.parse::<Condition>().is_err(), "{text}");
        }
    }
}
