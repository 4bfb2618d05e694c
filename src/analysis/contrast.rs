//! Which topologies are compared with which, and what the comparison shows.

use super::Arm;

/// What the data roots `fresh` and `kept` are both on.
const VOLUME: &str = "volume";

/// Which effect a comparison shows. Only topologies that differ in nothing else are given one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, strum::Display)]
#[strum(serialize_all = "kebab-case")]
pub enum Contrast {
    /// An inner engine that is kept, against the outer engine.
    Nesting,
    /// An inner engine, or its data, that is less kept between jobs than another one.
    Lifecycle,
    /// A job container with the outer engine's socket against a job that runs beside that engine, or the other way round.
    JobContainer,
    /// A filtering proxy before the outer engine's socket against none, or the other way round.
    Proxy,
    /// The same topology under another name: nothing but noise.
    Repeat,
    /// The same topology, lengthened by a known part of its time: what the run must see.
    Control,
    /// Against the baseline, with more than one thing different.
    Whole,
}

impl Contrast {
    /// Whether the ratio is known beforehand, so that it says something of the run and nothing of topologies.
    pub fn checks(self) -> bool {
        matches!(self, Self::Repeat | Self::Control)
    }
}

/// A topology and the one that it is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub contrast: Contrast,
    pub topology: usize,
    pub reference: usize,
}

/// Every arm against the baseline, then every engine that is recreated or restarted against the first kept one that is
/// otherwise the same.
pub(super) fn pairs(arms: &[Arm], baseline: usize) -> Vec<Pair> {
    let others = (0..arms.len()).filter(|topology| *topology != baseline);
    let mut pairs: Vec<_> = others.map(|topology| against_baseline(arms, topology, baseline)).collect();
    for topology in 0..arms.len() {
        let kept = (0..arms.len()).find(|reference| {
            loss(&arms[*reference]) == Some(Loss::Nothing) && only_lifecycle(&arms[topology], &arms[*reference])
        });
        if let Some(reference) = kept.filter(|reference| *reference != baseline) {
            pairs.push(Pair { contrast: Contrast::Lifecycle, topology, reference });
        }
    }
    pairs
}

fn against_baseline(arms: &[Arm], topology: usize, reference: usize) -> Pair {
    let (arm, base) = (&arms[topology], &arms[reference]);
    let contrast = if repeats(arm, base) {
        Contrast::Repeat
    } else if controls(arm, base) {
        Contrast::Control
    } else if only_lifecycle(arm, base) {
        Contrast::Lifecycle
    } else if only_nesting(arm, base) {
        Contrast::Nesting
    } else if differ_as(arm, base, ["host", "socket"]) {
        Contrast::JobContainer
    } else if differ_as(arm, base, ["socket", "socket-proxy"]) {
        Contrast::Proxy
    } else {
        Contrast::Whole
    };
    Pair { contrast, topology, reference }
}

/// Whether the two differ in their names alone.
fn repeats(arm: &Arm, base: &Arm) -> bool {
    arm.kind == base.kind && arm.parameters_without(&[]) == base.parameters_without(&[]) && same_conditions(arm, base)
}

/// Whether the first is the second, lengthened in the client.
fn controls(arm: &Arm, base: &Arm) -> bool {
    let delays = (arm.parameter("delay").is_some(), base.parameter("delay").is_some());
    arm.kind == base.kind
        && delays == (true, false)
        && arm.parameters_without(&["delay"]) == base.parameters_without(&[])
        && same_software(arm, base)
}

/// A kept inner engine against the outer one, where the same software ran in both. The parameters cannot tell: the
/// outer engine's storage driver is not a parameter of the socket.
fn only_nesting(arm: &Arm, base: &Arm) -> bool {
    let outers_disk = matches!(medium(arm), None | Some(VOLUME | "bind"));
    let kept = arm.kind == "dind" && loss(arm) == Some(Loss::Nothing) && arm.parameter("mtu").is_none();
    kept && base.kind == "socket" && outers_disk && same_conditions(arm, base)
}

/// Whether the two are of these kinds, whichever is which, and the same software ran in both.
fn differ_as(arm: &Arm, base: &Arm, kinds: [&str; 2]) -> bool {
    let [one, other] = kinds;
    let found = (arm.kind.as_str(), base.kind.as_str());
    (found == (one, other) || found == (other, one)) && same_conditions(arm, base)
}

/// Whether the same software really ran, within the same bounds, for as many jobs at once.
fn same_conditions(arm: &Arm, base: &Arm) -> bool {
    const CONDITIONS: [&str; 4] = ["cpus", "memory_bytes", "delay", "concurrency"];
    let bounds = |arm: &Arm| CONDITIONS.map(|bound| arm.parameter(bound).map(str::to_owned));
    same_software(arm, base) && bounds(arm) == bounds(base)
}

fn same_software(arm: &Arm, base: &Arm) -> bool {
    let software = |arm: &Arm| [&arm.storage_drivers, &arm.engines, &arm.builders].map(Clone::clone);
    software(arm) == software(base)
}

/// An inner engine, or storage without one, that loses more between jobs than the other one, with the same parameters
/// otherwise.
fn only_lifecycle(arm: &Arm, base: &Arm) -> bool {
    const LIFECYCLE: [&str; 2] = ["lifecycle", "data_root"];
    let more = loss(arm).zip(loss(base)).is_some_and(|(arm, base)| arm > base);
    more && arm.kind == base.kind
        && medium(arm) == medium(base)
        && arm.parameters_without(&LIFECYCLE) == base.parameters_without(&LIFECYCLE)
}

/// Where the data of an inner engine are, however long they stay there.
fn medium(arm: &Arm) -> Option<&str> {
    match arm.parameter("data_root")? {
        "fresh" | "kept" => Some(VOLUME),
        other => Some(other),
    }
}

/// What an inner engine, or storage without one, loses between two jobs, the least first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Loss {
    Nothing,
    /// Its process is another one.
    Process,
    /// Its container is another one, on the same data.
    Container,
    Data,
}

/// Empty where nothing is a topology's own.
fn loss(arm: &Arm) -> Option<Loss> {
    match (arm.parameter("lifecycle"), arm.parameter("data_root")) {
        (Some("keep"), _) | (None, Some("kept")) => Some(Loss::Nothing),
        (Some("restart"), _) => Some(Loss::Process),
        (Some("recreate"), Some("kept")) => Some(Loss::Container),
        (Some("recreate"), _) | (None, Some("fresh")) => Some(Loss::Data),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ArmRecord;

    fn arm(kind: &str, parameters: &str, driver: &str) -> Arm {
        let record = ArmRecord { name: kind.into(), kind: kind.into(), parameters: parameters.into() };
        Arm { storage_drivers: vec![driver.into()], ..Arm::new(&record) }
    }

    fn pair(contrast: Contrast, topology: usize, reference: usize) -> Pair {
        Pair { contrast, topology, reference }
    }

    #[test]
    fn jobs_at_once_are_a_difference_of_their_own() {
        let many = "concurrency=4";
        let arms = [
            arm("socket", "", "overlay2"),
            arm("dind", &format!("lifecycle=keep storage_driver=auto {many}"), "overlay2"),
            arm("socket-proxy", many, "overlay2"),
            arm("host", many, "overlay2"),
        ];
        let contrasts: Vec<_> = pairs(&arms, 0).into_iter().map(|pair| pair.contrast).collect();
        assert_eq!(contrasts, [Contrast::Whole; 3]);
    }

    #[test]
    fn bounds_are_a_difference_of_their_own() {
        let kept = "lifecycle=keep storage_driver=auto";
        let arms = [
            arm("socket", "", "overlay2"),
            arm("dind", kept, "overlay2"),
            arm("dind", &format!("{kept} cpus=0.5"), "overlay2"),
            arm("socket", "cpus=0.5", "overlay2"),
        ];
        let contrasts = |baseline| pairs(&arms, baseline).into_iter().map(|pair| pair.contrast).collect::<Vec<_>>();
        assert_eq!(contrasts(0), [Contrast::Nesting, Contrast::Whole, Contrast::Whole]);
        assert_eq!(contrasts(3), [Contrast::Whole, Contrast::Whole, Contrast::Nesting]);
    }

    #[test]
    fn nesting_and_lifecycle_are_told_apart() {
        let arms = [
            arm("socket", "", "overlay2"),
            arm("dind", "lifecycle=keep storage_driver=auto", "overlay2"),
            arm("dind", "storage_driver=auto lifecycle=recreate", "overlay2"),
            arm("dind", "lifecycle=restart storage_driver=auto", "overlay2"),
        ];
        let expected = [
            pair(Contrast::Nesting, 1, 0),
            pair(Contrast::Whole, 2, 0),
            pair(Contrast::Whole, 3, 0),
            pair(Contrast::Lifecycle, 2, 1),
            pair(Contrast::Lifecycle, 3, 1),
        ];
        assert_eq!(pairs(&arms, 0), expected);
    }

    #[test]
    fn whatever_loses_less_is_the_reference() {
        let arms = [
            arm("dind", "lifecycle=keep data_root=fresh", "vfs"),
            arm("dind", "lifecycle=restart data_root=fresh", "vfs"),
            arm("dind", "lifecycle=recreate data_root=kept", "vfs"),
            arm("dind", "lifecycle=recreate data_root=fresh", "vfs"),
        ];
        let effect =
            |baseline| pairs(&arms, baseline).into_iter().map(|pair| (pair.contrast, pair.topology, pair.reference));
        let kept = [1, 2, 3].map(|topology| (Contrast::Lifecycle, topology, 0));
        assert_eq!(effect(0).collect::<Vec<_>>(), kept);
        let against_kept_data = [(Contrast::Whole, 0, 2), (Contrast::Whole, 1, 2), (Contrast::Lifecycle, 3, 2)];
        assert_eq!(effect(2).collect::<Vec<_>>(), [against_kept_data, kept].concat());
    }

    #[test]
    fn another_storage_driver_is_neither_nesting_nor_lifecycle_alone() {
        let arms = [
            arm("socket", "", "overlay2"),
            arm("dind", "lifecycle=keep storage_driver=vfs", "vfs"),
            arm("dind", "lifecycle=recreate storage_driver=auto", "overlay2"),
        ];
        assert_eq!(pairs(&arms, 0), [pair(Contrast::Whole, 1, 0), pair(Contrast::Whole, 2, 0)]);
    }

    #[test]
    fn another_place_for_the_data_is_neither_nesting_nor_lifecycle_alone() {
        let arms = [
            arm("socket", "", "overlay2"),
            arm("dind", "lifecycle=keep data_root=tmpfs", "overlay2"),
            arm("dind", "lifecycle=keep data_root=bind", "overlay2"),
            arm("dind", "lifecycle=recreate data_root=tmpfs", "overlay2"),
            arm("dind", "lifecycle=recreate data_root=fresh", "overlay2"),
        ];
        let expected = [
            pair(Contrast::Whole, 1, 0),
            pair(Contrast::Nesting, 2, 0),
            pair(Contrast::Whole, 3, 0),
            pair(Contrast::Whole, 4, 0),
            pair(Contrast::Lifecycle, 3, 1),
        ];
        assert_eq!(pairs(&arms, 0), expected);
    }

    #[test]
    fn a_kept_baseline_is_compared_once() {
        let arms = [arm("dind", "lifecycle=recreate", "vfs"), arm("dind", "lifecycle=keep", "vfs")];
        assert_eq!(pairs(&arms, 1), [pair(Contrast::Lifecycle, 0, 1)]);
        // The other way round the baseline is the one that differs: both views are shown.
        assert_eq!(pairs(&arms, 0), [pair(Contrast::Whole, 1, 0), pair(Contrast::Lifecycle, 0, 1)]);
    }

    #[test]
    fn without_a_job_container_or_with_a_proxy_it_is_one_difference_from_the_socket() {
        let arms = [
            arm("host", "", "overlay2"),
            arm("socket", "", "overlay2"),
            arm("dind", "lifecycle=keep storage_driver=auto", "overlay2"),
        ];
        assert_eq!(pairs(&arms, 0), [pair(Contrast::JobContainer, 1, 0), pair(Contrast::Whole, 2, 0)]);
        assert_eq!(pairs(&arms, 1), [pair(Contrast::JobContainer, 0, 1), pair(Contrast::Nesting, 2, 1)]);
        let arms = [arm("socket", "", "overlay2"), arm("socket-proxy", "", "overlay2"), arm("host", "", "overlay2")];
        assert_eq!(pairs(&arms, 0), [pair(Contrast::Proxy, 1, 0), pair(Contrast::JobContainer, 2, 0)]);
        let other_engine = Arm { engines: vec!["28.5.2".into()], ..arm("socket", "", "overlay2") };
        assert_eq!(pairs(&[arm("host", "", "overlay2"), other_engine], 0), [pair(Contrast::Whole, 1, 0)]);
    }

    #[test]
    fn the_same_topology_twice_is_no_effect() {
        let arms = [arm("socket", "", "overlay2"), arm("socket", "", "overlay2")];
        assert_eq!(pairs(&arms, 0), [pair(Contrast::Repeat, 1, 0)]);
        let kept = "lifecycle=keep storage_driver=auto data_root=fresh";
        let arms = [arm("dind", kept, "overlay2"), arm("dind", kept, "vfs"), arm("dind", kept, "overlay2")];
        assert_eq!(pairs(&arms, 0), [pair(Contrast::Whole, 1, 0), pair(Contrast::Repeat, 2, 0)]);
    }

    #[test]
    fn the_same_topology_lengthened_is_a_control_and_nothing_else() {
        let delayed = "lifecycle=keep storage_driver=auto delay=0.1";
        let arms = [
            arm("socket", "", "overlay2"),
            arm("socket", "delay=0.1", "overlay2"),
            arm("dind", delayed, "overlay2"),
            arm("socket", "delay=0.1", "vfs"),
        ];
        let contrasts = |baseline| pairs(&arms, baseline).into_iter().map(|pair| pair.contrast).collect::<Vec<_>>();
        assert_eq!(contrasts(0), [Contrast::Control, Contrast::Whole, Contrast::Whole]);
        assert_eq!(contrasts(1), [Contrast::Whole, Contrast::Nesting, Contrast::Whole]);
    }

    #[test]
    fn storage_that_is_thrown_away_without_an_engine_is_a_lifecycle() {
        let arms = [
            arm("dind", "lifecycle=keep storage_driver=auto data_root=fresh", "overlay2"),
            arm("podman", "storage_driver=auto data_root=kept", "overlay"),
            arm("podman", "storage_driver=auto data_root=fresh", "overlay"),
        ];
        let expected = [pair(Contrast::Whole, 1, 0), pair(Contrast::Whole, 2, 0), pair(Contrast::Lifecycle, 2, 1)];
        assert_eq!(pairs(&arms, 0), expected);
    }
}
