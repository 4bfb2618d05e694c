//! What a choice looks at.

use dindbench::analysis::{Axis, Choices};
use dindbench::case::{Edit, Status};
use dindbench::record::Sample;

use crate::run::{At, DIND, Run, SOCKET, block, fail};

const MB: u64 = 1_000_000;
const PRELOAD: (&str, &str, &str) = ("dind", "dind-preload", "lifecycle=recreate storage_driver=auto preload=true");

/// Six blocks of three jobs of two topologies, which take so long and a little more from block to block; the second pulls
/// less.
fn jobs(second: (&str, &str, &str), times: [u64; 3]) -> Run {
    let mut run = Run::new(&[SOCKET, second]);
    for number in 1..=6 {
        for (topology, times, more, bytes) in [("socket", [1_000; 3], 1, 50 * MB), ("dind", times, 2, 10 * MB)] {
            for (job, elapsed) in (1..).zip(times) {
                let at = At { job, edit: if job == 1 { Edit::First } else { Edit::None }, ..block(number) };
                for row in run.job(topology, at, [0, elapsed + more * u64::from(number), 0]) {
                    (row.bytes_pulled, row.disk_bytes) = (Some(bytes), Some(1_000 * MB));
                }
            }
        }
    }
    run
}

/// The second topology begins slower.
fn slow_starter(slower: u64, later: u64) -> Choices {
    Choices::of(&jobs(DIND, [slower, later, later]).analyse())
}

#[test]
fn a_choice_has_means_over_the_sequence_and_who_is_better_in_what() {
    let choices = slow_starter(1_600, 400);
    let [socket, dind] = choices.list.as_slice() else { panic!() };
    assert_eq!(choices.unused_bytes, None, "no row tells by how much the disk grew");
    let times = [socket, dind].map(|one| one.elapsed_ns.map(|time| (time.point, time.n)));
    assert_eq!(times, [Some((1_003.5, 6)), Some((807.0, 6))]);
    assert_eq!((socket.bytes_pulled, dind.bytes_pulled, dind.disk_bytes), (Some(150e6), Some(30e6), Some(1e9)));
    assert_eq!(socket.beaten_by, Some((1, vec![Axis::Time, Axis::Pulled])));
    assert_eq!(dind.beaten_by, None);
    // Slower and with fewer bytes: neither is better in all. Within the margin there is no difference.
    let choices = slow_starter(1_600, 1_000);
    assert_eq!(choices.list.iter().map(|one| one.beaten_by.clone()).collect::<Vec<_>>(), [None, None]);
    assert_eq!(slow_starter(1_040, 1_040).list[0].beaten_by, Some((1, vec![Axis::Pulled])));
}

/// Both begin with 900 MB that are none of theirs: of 1 000 and 1 040 they have 100 and 140.
#[test]
fn what_was_there_before_is_no_topologys_disk() {
    let mut run = jobs(DIND, [1_000; 3]);
    for row in &mut run.samples {
        let more = if row.topology.as_str() == "dind" { 140 * MB } else { 100 * MB };
        let grown = if row.job == 1 { more as i64 } else { 0 };
        (row.disk_bytes, row.disk_delta_bytes) = (Some(900 * MB + more), Some(grown));
        if row.job == 1 && row.step.as_str() != "start" {
            row.disk_delta_bytes = Some(0);
        }
    }
    let choices = Choices::of(&run.analyse());
    assert_eq!(choices.unused_bytes, Some(900e6));
    assert_eq!(choices.list.iter().map(|one| one.disk_bytes).collect::<Vec<_>>(), [Some(100e6), Some(140e6)]);
    assert_eq!(choices.list[0].beaten_by, None, "it is worse in bytes pulled, and better in disk");
    let unbeaten = [Axis::Time, Axis::Pulled, Axis::Disk].map(|axis| choices.unbeaten(axis));
    assert_eq!(unbeaten, [Some(vec![0, 1]), Some(vec![1]), Some(vec![0])]);
}

/// A build that was invalid, and well when its trial was run again, is no failure of its topology; one that failed is.
#[test]
fn what_was_invalid_is_no_failure() {
    let failures = |status| {
        let mut run = jobs(DIND, [1_000; 3]);
        let build = |row: &&mut Sample| {
            (row.block, row.job, row.topology.as_str(), row.step.as_str()) == (3, 2, "socket", "app")
        };
        fail(run.samples.iter_mut().find(build).unwrap(), status);
        let first: Vec<_> =
            run.samples.iter().filter(|row| row.block == 3 && row.topology.as_str() == "socket").collect();
        let again: Vec<_> =
            first.into_iter().cloned().map(|row| Sample { attempt: 2, status: Status::Ok, ..row }).collect();
        run.samples.extend(again);
        Choices::of(&run.analyse()).list[0].failures
    };
    assert_eq!([Status::Invalid, Status::Failed].map(failures), [0, 1]);
}

/// The second takes half the time in five blocks of six and a little more in the other, and 8 kB less of 28 kB.
#[test]
fn what_blocks_do_not_show_and_a_few_bytes_make_no_topology_better() {
    let mut run = jobs(DIND, [500; 3]);
    for row in &mut run.samples {
        let dind = row.topology.as_str() == "dind";
        (row.bytes_pulled, row.disk_bytes) = (None, Some(if dind { 20_000 } else { 28_000 }));
        if dind && row.block == 6 {
            row.elapsed_ns = row.elapsed_ns.map(|nanos| nanos * 2);
        }
    }
    let choices = Choices::of(&run.analyse());
    let points = choices.list.iter().map(|one| one.elapsed_ns.unwrap().point).collect::<Vec<_>>();
    assert!(points[1] < 0.6 * points[0], "{points:?}");
    assert_eq!(choices.list[0].beaten_by, None);
    let unbeaten = [Axis::Time, Axis::Pulled, Axis::Disk].map(|axis| choices.unbeaten(axis));
    assert_eq!(unbeaten, [Some(vec![0, 1]), None, Some(vec![0, 1])]);
}

/// Four jobs at once take half as long again each as one alone, which is more work in less time.
#[test]
fn jobs_at_once_are_not_held_against_a_job_alone() {
    let many = ("dind", "dind", "lifecycle=recreate storage_driver=auto concurrency=4");
    let mut run = Run::new(&[SOCKET, many]);
    for number in 1..=6 {
        run.job("socket", block(number), [0, 1_000, 0]);
        for worker in 0..4 {
            let elapsed = 1_500 + u64::from(worker) * 10;
            run.job("dind", block(number), [0, elapsed, 0]).iter_mut().for_each(|row| row.worker = worker);
        }
    }
    let choices = Choices::of(&run.clone().analyse());
    assert_eq!(
        choices.list.iter().map(|one| one.elapsed_ns.map(|time| time.point)).collect::<Vec<_>>(),
        [Some(1_000.0), Some(1_515.0)]
    );
    assert_eq!(choices.list[1].beaten_by, None);
    assert_eq!(choices.unbeaten(Axis::Time), Some(vec![0, 1]));
    // Where one of them fails, the other three had more of the machine.
    fail(run.samples.last_mut().unwrap(), Status::Failed);
    let trials = run.analyse().trials();
    let whole: Vec<bool> = trials.iter().filter(|trial| trial.topology == 1).map(|trial| trial.whole()).collect();
    assert_eq!(whole, [true, true, true, true, true, false]);
}

#[test]
fn what_is_pulled_before_the_first_job_is_not_counted_and_not_compared() {
    let choices = Choices::of(&jobs(PRELOAD, [1_000; 3]).analyse());
    assert_eq!(choices.list.iter().map(|one| one.bytes_pulled).collect::<Vec<_>>(), [Some(150e6), None]);
    assert_eq!(choices.list[0].beaten_by, None);
}

#[test]
fn a_slow_beginning_pays_off_where_the_sums_are_shown_to_cross() {
    let choices = slow_starter(1_600, 400);
    let crossed = (choices.overtakes(1, 0), choices.overtakes(0, 1));
    assert_eq!(crossed, (Some(3), None), "1 600 and 2 000 and 2 400 against 1 000 and 2 000 and 3 000");
    assert_eq!(slow_starter(900, 900).overtakes(1, 0), None, "it was ahead from the first");
    assert_eq!(slow_starter(4_000, 400).overtakes(1, 0), None, "not within the sequence");
}

/// In one block of six the second topology takes longer, as a slow machine may have it: the sums cross by their medians.
#[test]
fn sums_that_cross_in_some_blocks_alone_are_not_shown_to() {
    let mut run = jobs(DIND, [1_600, 400, 400]);
    for row in run.samples.iter_mut().filter(|row| (row.block, row.job, row.topology.as_str()) == (4, 3, "dind")) {
        row.elapsed_ns = row.elapsed_ns.map(|nanos| nanos * 4);
    }
    assert_eq!(Choices::of(&run.analyse()).overtakes(1, 0), None);
}

/// The second topology's first job takes half as long again in 14 blocks of 24, and a little less in the others.
#[test]
fn sums_of_blocks_that_depend_on_one_another_are_shown_to_cross_less_often() {
    let choices = |slow: fn(u32) -> bool| {
        let mut run = Run::new(&[SOCKET, DIND]);
        for number in 1..=24 {
            let first = if slow(number) { 1_500 } else { 990 };
            for (topology, times) in [("socket", [1_000; 3]), ("dind", [first, 100, 100])] {
                for (job, elapsed) in (1..).zip(times) {
                    let at = At { job, edit: if job == 1 { Edit::First } else { Edit::None }, ..block(number) };
                    run.job(topology, at, [0, elapsed + u64::from(number % 3), 0]);
                }
            }
        }
        Choices::of(&run.analyse())
    };
    assert_eq!(choices(|number| number * 7 % 24 < 14).overtakes(1, 0), Some(2), "the slow blocks lie apart");
    assert_eq!(choices(|number| number <= 14).overtakes(1, 0), None, "the slow blocks are neighbours");
}
