//! A claim's file as it is written, and its checks.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::ledger::{measured_scenario, measured_text, shared_script};
use super::{
    Claim, Condition, Kernel, Lab, LabArm, Measured, MeasuredArm, Member, Procedure, Script, ScriptArm, Umbrella,
};
use crate::scenario::{self, Topology};
use crate::units::hex;

/// A claim's file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the claim {id}: {reason}")]
pub struct InvalidClaim {
    pub id: String,
    pub reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    statement: String,
    paragraphs: Vec<u32>,
    rule: String,
    touches: String,
    #[serde(default)]
    comment: String,
    #[serde(default)]
    needs: Vec<String>,
    procedure: Word,
    reason: Option<String>,
    lacks: Option<String>,
    any_of: Option<Vec<String>>,
    all_of: Option<Vec<String>>,
    before: Option<String>,
    script: Option<String>,
    script_file: Option<String>,
    neighbour: Option<String>,
    after: Option<String>,
    alike: Option<[String; 2]>,
    scenario: Option<String>,
    #[serde(default, rename = "arm")]
    arms: Vec<Arm>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    None,
    Lab,
    Umbrella,
    Script,
    Measured,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arm {
    /// A table of a scenario's keys; of a measured claim the name of one of its scenario's topologies. None in the lab.
    topology: Option<toml::Value>,
    /// In the lab alone: where the script is executed, and under which name where an arm is not alone there.
    kernel: Option<Kernel>,
    name: Option<String>,
    #[serde(default)]
    control: bool,
    holds: BTreeMap<String, String>,
}

/// Reads a claim.
///
/// # Errors
/// The first fault that is found.
pub(super) fn parse(id: &str, text: &str) -> Result<Claim, InvalidClaim> {
    let wrong = |reason: String| InvalidClaim { id: id.to_owned(), reason };
    let file: File = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
    file.only_its_own().map_err(&wrong)?;
    let digest = file.digest(text);
    Ok(Claim {
        id: id.to_owned(),
        procedure: file.procedure().map_err(wrong)?,
        statement: in_one_line(&file.statement),
        paragraphs: file.paragraphs,
        rule: in_one_line(&file.rule),
        touches: in_one_line(&file.touches),
        comment: in_one_line(&file.comment),
        needs: file.needs,
        expected: BTreeMap::new(),
        digest,
    })
}

/// Prose without the line ends that it has in a file.
fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl File {
    /// Of its text, and of the script or the scenario that it shares with other claims: what is observed depends on them as well.
    fn digest(&self, text: &str) -> String {
        let script = self.script_file.as_deref().and_then(shared_script);
        let scenario = self.scenario.as_deref().and_then(measured_text);
        let shared = script.into_iter().chain(scenario);
        let digest = shared.fold(Sha256::new_with_prefix(text), |digest, shared| digest.chain_update(shared));
        format!("sha256:{}", hex(&digest.finalize()))
    }

    /// Keys of another procedure would be ignored.
    fn only_its_own(&self) -> Result<(), String> {
        const SCRIPT: &[Word] = &[Word::Script];
        let any_arm = |has: fn(&Arm) -> bool| self.arms.iter().any(has);
        let keys: [(&str, bool, &[Word]); 14] = [
            ("reason", self.reason.is_some(), &[Word::None]),
            ("lacks", self.lacks.is_some(), &[Word::Lab]),
            ("any_of", self.any_of.is_some(), &[Word::Umbrella]),
            ("all_of", self.all_of.is_some(), &[Word::Umbrella]),
            ("before", self.before.is_some(), SCRIPT),
            ("script", self.script.is_some(), &[Word::Script, Word::Lab]),
            ("script_file", self.script_file.is_some(), SCRIPT),
            ("neighbour", self.neighbour.is_some(), SCRIPT),
            ("after", self.after.is_some(), SCRIPT),
            ("alike", self.alike.is_some(), SCRIPT),
            ("scenario", self.scenario.is_some(), &[Word::Measured]),
            ("arm.topology", any_arm(|arm| arm.topology.is_some()), &[Word::Script, Word::Measured]),
            ("arm.kernel", any_arm(|arm| arm.kernel.is_some()), &[Word::Lab]),
            ("arm.name", any_arm(|arm| arm.name.is_some()), &[Word::Lab]),
        ];
        let foreign = keys.iter().find(|(_, there, of)| *there && !of.contains(&self.procedure));
        let armless = matches!(self.procedure, Word::None | Word::Umbrella) && !self.arms.is_empty();
        match foreign {
            Some((key, ..)) => Err(format!("`{key}` is no key of its procedure")),
            None if armless => Err("its procedure has no arms".to_owned()),
            None => Ok(()),
        }
    }

    fn procedure(&self) -> Result<Procedure, String> {
        let needed = |key: &str| format!("its procedure needs the key `{key}`");
        Ok(match self.procedure {
            Word::None => Procedure::None { reason: self.reason.clone().ok_or_else(|| needed("reason"))? },
            Word::Lab => Procedure::Lab(Lab {
                lacks: self.lacks.clone().ok_or_else(|| needed("lacks"))?,
                script: self.script.clone().ok_or_else(|| needed("script"))?,
                arms: self.lab_arms()?,
            }),
            Word::Umbrella => Procedure::Umbrella(match (&self.any_of, &self.all_of) {
                (Some(any), None) => Umbrella::Any(members(any)?),
                (None, Some(all)) => Umbrella::All(members(all)?),
                _ => return Err(needed("any_of` or `all_of")),
            }),
            Word::Script => Procedure::Script(self.scripts()?),
            Word::Measured => Procedure::Measured(self.measured()?),
        })
    }

    fn scripts(&self) -> Result<Script, String> {
        let job = match (&self.script, &self.script_file) {
            (Some(script), None) => script.clone(),
            (None, Some(file)) => shared_script(file).ok_or_else(|| format!("there is no script {file}"))?.to_owned(),
            _ => return Err("its procedure needs one of `script` and `script_file`".to_owned()),
        };
        let arms = self.arms.iter().zip(self.topologies()?);
        let arms: Vec<ScriptArm> = arms
            .map(|(arm, topology)| Ok(ScriptArm { topology, control: arm.control, holds: conditions(&arm.holds)? }))
            .collect::<Result<_, String>>()?;
        let known = |name: &String| arms.iter().any(|arm| arm.topology.name == *name);
        if let Some(name) = self.alike.iter().flatten().find(|name| !known(name)) {
            return Err(format!("`alike` names {name}, which is no arm"));
        }
        let (before, neighbour, after) = (self.before.clone(), self.neighbour.clone(), self.after.clone());
        Ok(Script { before, job, neighbour, after, alike: self.alike.clone(), arms })
    }

    fn lab_arms(&self) -> Result<Vec<LabArm>, String> {
        let mut arms: Vec<LabArm> = Vec::new();
        for arm in &self.arms {
            let kernel = arm.kernel.ok_or("an arm in the lab needs the key `kernel`")?;
            let name = arm.name.clone().unwrap_or_else(|| kernel.to_string());
            if arms.iter().any(|other| other.name == name) {
                return Err(format!("two arms are named {name}"));
            }
            arms.push(LabArm { name, kernel, control: arm.control, holds: conditions(&arm.holds)? });
        }
        if arms.is_empty() { Err("it has no arm".to_owned()) } else { Ok(arms) }
    }

    /// The arms as topologies of a scenario that checks them.
    fn topologies(&self) -> Result<Vec<Topology>, String> {
        let tables: Option<toml::value::Array> = self.arms.iter().map(|arm| arm.topology.clone()).collect();
        let tables = tables.ok_or("an arm has no topology")?;
        let first = tables.first().ok_or("it has no arm")?.as_table().ok_or("an arm's topology is a table")?;
        let baseline = first.get("name").or(first.get("use")).cloned().ok_or("an arm's topology has no `use`")?;
        let mut scenario = toml::Table::from_iter([
            ("question".to_owned(), toml::Value::from(self.statement.as_str())),
            ("baseline".to_owned(), baseline),
            ("topology".to_owned(), toml::Value::Array(tables)),
        ]);
        let rest = "job.steps = [{ op = \"pull\", image = \"fixture:base\" }]\nsequence.jobs = 1\n";
        scenario.extend(toml::from_str::<toml::Table>(rest).map_err(|error| error.to_string())?);
        let text = toml::to_string(&scenario).map_err(|error| error.to_string())?;
        Ok(scenario::parse("arms", &text, Path::new(".")).map_err(|error| error.to_string())?.topologies)
    }

    fn measured(&self) -> Result<Measured, String> {
        let name = self.scenario.clone().ok_or("its procedure needs the key `scenario`")?;
        let scenario = measured_scenario(&name).ok_or_else(|| format!("there is no scenario {name} for claims"))?;
        let arm = |arm: &Arm| {
            let topology = arm.topology.as_ref().and_then(toml::Value::as_str);
            let topology = topology.ok_or("an arm's topology is a name of its scenario")?;
            if !scenario.topologies.iter().any(|one| one.name == topology) {
                return Err(format!("the scenario {name} has no topology {topology}"));
            }
            Ok(MeasuredArm { topology: topology.to_owned(), control: arm.control, holds: conditions(&arm.holds)? })
        };
        let arms = self.arms.iter().map(arm).collect::<Result<_, String>>()?;
        Ok(Measured { scenario: name, arms })
    }
}

fn members(written: &[String]) -> Result<Vec<Member>, String> {
    written.iter().map(|member| member.parse()).collect()
}

fn conditions(written: &BTreeMap<String, String>) -> Result<BTreeMap<String, Condition>, String> {
    if written.is_empty() {
        return Err("an arm in which nothing must hold decides nothing".to_owned());
    }
    written.iter().map(|(name, condition)| Ok((name.clone(), condition.parse()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "statement = \"s\"\nparagraphs = [1]\nrule = \"r\"\ntouches = \"t\"\n";

    fn reason(rest: &str) -> String {
        parse("C1", &format!("{HEAD}{rest}")).expect_err(rest).to_string()
    }

    #[test]
    fn a_script_has_arms_with_conditions() {
        let text = format!(
            "{HEAD}procedure = \"script\"\nscript = \"true\"\nalike = [\"socket\", \"inner\"]\n\
             [[arm]]\ntopology = {{ use = \"socket\" }}\nholds = {{ share = \">= 0.5\" }}\n\
             [[arm]]\ntopology = {{ use = \"dind\", name = \"inner\", lifecycle = \"keep\" }}\ncontrol = true\n\
             holds = {{ seen = \"no\" }}\n"
        );
        let claim = parse("C1", &text).unwrap_or_else(|error| panic!("{error}"));
        let Procedure::Script(script) = claim.procedure else { panic!("no script") };
        let names: Vec<_> = script.arms.iter().map(|arm| (arm.topology.name.as_str(), arm.control)).collect();
        assert_eq!(names, [("socket", false), ("inner", true)]);
        assert_eq!(script.arms[0].holds["share"], Condition::AtLeast(0.5));
    }

    #[test]
    fn what_would_be_ignored_or_decide_nothing_is_refused() {
        for (rest, expected) in [
            ("procedure = \"none\"\n", "needs the key `reason`"),
            ("procedure = \"none\"\nreason = \"r\"\nscript = \"s\"\n", "`script` is no key of its procedure"),
            ("procedure = \"umbrella\"\n", "needs the key `any_of` or `all_of`"),
            (
                "procedure = \"umbrella\"\nall_of = [\"S3 with dind\"]\n",
                "\"S3 with dind\" is neither a claim nor an arm of one",
            ),
            ("procedure = \"script\"\nscript = \"s\"\n", "it has no arm"),
            (
                "procedure = \"script\"\nscript = \"s\"\n[[arm]]\ntopology = { use = \"socket\" }\nholds = {}\n",
                "decides nothing",
            ),
            (
                "procedure = \"script\"\nscript = \"s\"\n[[arm]]\ntopology = { use = \"sockets\" }\nholds = { a = \"b\" }\n",
                "sockets",
            ),
            (
                "procedure = \"script\"\nscript = \"s\"\nalike = [\"socket\", \"dind\"]\n\
                 [[arm]]\ntopology = { use = \"socket\" }\nholds = { a = \"b\" }\n",
                "`alike` names dind, which is no arm",
            ),
            ("procedure = \"script\"\nscript_file = \"none.sh\"\n", "there is no script none.sh"),
            ("procedure = \"measured\"\nscenario = \"none\"\n", "there is no scenario none for claims"),
            ("procedure = \"guess\"\n", "guess"),
            ("procedure = \"lab\"\nlacks = \"l\"\nscript = \"s\"\n", "it has no arm"),
            (
                "procedure = \"lab\"\nlacks = \"l\"\nscript = \"s\"\n[[arm]]\nholds = { a = \"b\" }\n",
                "needs the key `kernel`",
            ),
            (
                "procedure = \"lab\"\nlacks = \"l\"\nscript = \"s\"\n[[arm]]\nkernel = \"apparmor\"\n\
                 holds = { a = \"b\" }\n[[arm]]\nkernel = \"apparmor\"\nholds = { a = \"b\" }\n",
                "two arms are named apparmor",
            ),
            (
                "procedure = \"script\"\nscript = \"s\"\n[[arm]]\nkernel = \"apparmor\"\nholds = { a = \"b\" }\n",
                "`arm.kernel` is no key of its procedure",
            ),
            ("procedure = \"none\"\nreason = \"r\"\nnote = \"n\"\n", "note"),
        ] {
            let reason = reason(rest);
            assert!(reason.contains(expected), "{rest}: {reason}");
        }
    }
}
