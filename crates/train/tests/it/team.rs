//! Several processes, here threads, that train one model together.

use std::fs;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use prevision_train::{Control, RunFolder, Team, TeamError, TrainSummary};
use safetensors::SafeTensors;
use tempfile::tempdir;

use crate::world::{ACTION, Experiment, Square, experiment, weights};

/// A thread of a team: values are summed in the order of the ranks.
struct Thread {
    rank: usize,
    shared: Arc<Shared>,
}

struct Shared {
    barrier: Barrier,
    given: Mutex<Vec<Vec<f32>>>,
}

impl Thread {
    fn team(size: usize) -> Vec<Self> {
        let shared = Arc::new(Shared { barrier: Barrier::new(size), given: Mutex::new(vec![Vec::new(); size]) });
        (0..size).map(|rank| Self { rank, shared: Arc::clone(&shared) }).collect()
    }
}

impl Team for Thread {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.shared.given.lock().unwrap().len()
    }

    fn sum(&self, values: &mut [f32]) -> Result<(), TeamError> {
        self.shared.given.lock().unwrap()[self.rank] = values.to_vec();
        self.shared.barrier.wait();
        values.fill(0.0);
        for given in self.shared.given.lock().unwrap().iter() {
            assert_eq!(given.len(), values.len(), "all give equally many values");
            values.iter_mut().zip(given).for_each(|(sum, value)| *sum += value);
        }
        // Nobody gives the next values before all have read these.
        self.shared.barrier.wait();
        Ok(())
    }
}

/// Trains with as many threads; `stops` gives for a rank the step after which it is told to stop.
fn together(
    size: usize,
    experiment: &Experiment,
    run: &RunFolder,
    stops: impl Fn(usize) -> Option<u64> + Sync,
) -> Vec<TrainSummary> {
    thread::scope(|scope| {
        let ranks: Vec<_> = Thread::team(size)
            .into_iter()
            .map(|team| {
                let stops = &stops;
                scope.spawn(move || {
                    let mut control = Control::default();
                    let (stop, until) = (Arc::clone(&control.stop), stops(team.rank()));
                    control.on_progress =
                        Box::new(move |progress| stop.store(until == Some(progress.step), Ordering::Relaxed));
                    experiment.train_in(&team, Square::new(4), run, &mut control).unwrap()
                })
            })
            .collect();
        ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
    })
}

/// Terms that are means over clips. With Adam's usual epsilon rounding errors of gradients near 0 would become whole steps.
const MEANS: [&str; 10] = [
    "objective.variance=0",
    "objective.covariance=0",
    "objective.sigreg=0",
    "objective.distance=0",
    "objective.temporal_similarity=1",
    "optimizer.epsilon=1e-3",
    "data.workers=1",
    "train.steps=6",
    "train.checkpoint_every=3",
    "train.accumulate=2",
];

/// The largest difference between the tensors of two weight files.
fn largest_difference(a: &[u8], b: &[u8]) -> f32 {
    let (a, b) = (SafeTensors::deserialize(a).unwrap(), SafeTensors::deserialize(b).unwrap());
    assert_eq!(a.len(), b.len());
    let values = |file: &SafeTensors<'_>, name: &str| -> Vec<f32> {
        let view = file.tensor(name).unwrap();
        view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    };
    let differences = a.names().into_iter().flat_map(|name| {
        let pairs = values(&a, name).into_iter().zip(values(&b, name));
        pairs.map(|(a, b)| (a - b).abs()).collect::<Vec<_>>()
    });
    differences.fold(0.0, f32::max)
}

#[test]
fn two_with_half_a_batch_each_train_what_one_trains_with_the_whole() {
    let folder = tempdir().unwrap();
    let experiment = experiment(ACTION, &MEANS);
    let alone = RunFolder::create(&folder.path().join("alone")).unwrap();
    let whole = experiment.train(Square::new(4), &alone, &mut Control::default()).unwrap();
    let run = RunFolder::create(&folder.path().join("together")).unwrap();
    let parts = together(2, &experiment, &run, |_| None);
    assert_eq!(parts[0].final_loss, parts[1].final_loss);
    assert_eq!((parts[0].frames, parts[1].frames, parts[0].steps), (whole.frames, whole.frames, whole.steps));
    for (name, loss) in &whole.final_loss {
        let found = parts[0].final_loss[name];
        assert!((loss - found).abs() < 1e-4 * loss.abs(), "{name}: {found} against {loss}");
    }
    // Weights move by some 1e-3 in a step; sums of two halves round otherwise than sums of the whole.
    let moved = largest_difference(&weights(&alone, 6)[0], &weights(&alone, 3)[0]);
    let difference = largest_difference(&weights(&alone, 6)[0], &weights(&run, 6)[0]);
    assert!(moved > 1e-4 && difference < 1e-2 * moved, "{difference} of {moved}");

    // The first one alone writes, and writes what a single process does.
    let files = |run: &RunFolder| {
        let mut names: Vec<_> = fs::read_dir(run.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(files(&run), files(&alone));
    let lines = |run: &RunFolder| fs::read_to_string(run.path("metrics.jsonl")).unwrap().lines().count();
    assert_eq!(lines(&run), lines(&alone));
}

#[test]
fn a_team_of_three_resumes_bit_for_bit_and_stops_when_one_is_told_to() {
    let folder = tempdir().unwrap();
    let experiment = experiment(ACTION, &["data.batch_size=6", "train.steps=7"]);
    let straight = RunFolder::create(&folder.path().join("straight")).unwrap();
    together(3, &experiment, &straight, |_| None);
    let broken = RunFolder::create(&folder.path().join("broken")).unwrap();
    let stopped = together(3, &experiment, &broken, |rank| (rank == 2).then_some(2));
    assert!(stopped.iter().all(|summary| summary.interrupted && summary.steps == 3), "{stopped:?}");
    let rest = together(3, &experiment, &broken, |_| None);
    assert!(rest.iter().all(|summary| !summary.interrupted && summary.steps == 7), "{rest:?}");
    assert_eq!(weights(&straight, 7), weights(&broken, 7));
}
