//! What a choice looks at.

use dindbench::analysis::Choices;
use dindbench::case::Edit;

use crate::run::{At, DIND, Run, SOCKET, block};

/// Jobs of two topologies: the second begins slower, pulls less and leaves as much.
fn slow_starter(slower: u64, later: u64) -> Choices {
    let mut run = Run::new(&[SOCKET, DIND]);
    for number in 1..=3 {
        for (topology, times, bytes) in [("socket", [100, 100, 100], 50), ("dind", [slower, later, later], 10)] {
            for (job, elapsed) in (1..).zip(times) {
                let at = At { job, edit: if job == 1 { Edit::First } else { Edit::None }, ..block(number) };
                for row in run.job(topology, at, [0, elapsed, 0]) {
                    (row.bytes_pulled, row.disk_bytes) = (Some(bytes), Some(1_000));
                }
            }
        }
    }
    Choices::of(&run.analyse())
}

#[test]
fn a_choice_has_means_over_the_sequence_and_who_is_better_in_all() {
    let choices = slow_starter(160, 40);
    let [socket, dind] = choices.list.as_slice() else { panic!() };
    let times = [socket, dind].map(|one| one.elapsed_ns.map(|time| (time.point, time.n)));
    assert_eq!(times, [Some((100.0, 3)), Some((80.0, 3))]);
    assert_eq!((socket.bytes_pulled, dind.bytes_pulled, dind.disk_bytes), (Some(150.0), Some(30.0), Some(1_000.0)));
    assert_eq!((socket.beaten_by, dind.beaten_by), (Some(1), None));
    // Slower and with fewer bytes: neither is better in all. Within the margin there is no difference.
    let choices = slow_starter(160, 100);
    assert_eq!(choices.list.iter().map(|one| one.beaten_by).collect::<Vec<_>>(), [None, None]);
    assert_eq!(slow_starter(104, 104).list[0].beaten_by, Some(1));
}

#[test]
fn a_slow_beginning_pays_off_where_the_sums_cross() {
    let choices = slow_starter(160, 40);
    assert_eq!((choices.overtakes(1, 0), choices.overtakes(0, 1)), (Some(3), None), "160 and 200 against 100 and 200");
    assert_eq!(slow_starter(90, 90).overtakes(1, 0), None, "it was ahead from the first");
    assert_eq!(slow_starter(400, 40).overtakes(1, 0), None, "not within the sequence");
}
