//! Training learns something.

use burn::tensor::{Device, Tensor};
use prevision_core::HostBatch;
use prevision_data::{ClipDataset, ClipRequest, Draw};
use prevision_model::ClipBatch;
use prevision_train::{Control, RunFolder};
use tempfile::tempdir;

use crate::world::{ACTION, Experiment, MASKED, Square, experiment};

/// Every line of metrics: a term of the loss.
fn curve(run: &RunFolder, term: &str) -> Vec<f64> {
    let text = std::fs::read_to_string(run.path("metrics.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["loss"][term].as_f64().unwrap())
        .collect()
}

#[test]
fn an_action_conditioned_model_learns_to_predict_and_to_know_where_the_square_is() {
    let folder = tempdir().unwrap();
    let run = RunFolder::create(&folder.path().join("run")).unwrap();
    let sets = [
        "train.steps=300",
        "train.log_every=20",
        "model.target.kind=shared",
        "optimizer.lr=3e-3",
        "objective.sigreg=0",
    ];
    let experiment = experiment(&ACTION.replace("final_momentum = 1.0", ""), &sets);
    let summary = experiment.train(Square::new(4), &run, &mut Control::default()).unwrap();
    let (total, position, actions) = (curve(&run, "total"), curve(&run, "position"), curve(&run, "inverse_dynamics"));
    let ends = |curve: &[f64]| (curve[0], curve[curve.len() - 1]);
    for (name, curve, factor) in
        [("total", &total, 0.5), ("position", &position, 0.3), ("inverse_dynamics", &actions, 0.5)]
    {
        let (first, last) = ends(curve);
        assert!(last < factor * first, "{name}: {first} to {last}");
    }
    assert_eq!(summary.final_loss["total"], total[total.len() - 1]);
    let (read, taken) = actions_read(&experiment, &run);
    assert!(read < 0.5 * taken, "error {read} of actions whose mean square is {taken}");
    assert!(summary.peak_memory_bytes.is_none_or(|bytes| bytes > 1 << 20));
}

/// The mean squared error of the actions that the inverse dynamics of the loaded run read from new clips, and the mean square of these
/// actions.
fn actions_read(experiment: &Experiment, run: &RunFolder) -> (f32, f32) {
    let (normalise, device) = (experiment.settings.data.normalise, Device::flex());
    let checkpoint = run.latest_checkpoint().unwrap().unwrap();
    let model = experiment.task.load(&checkpoint, &normalise, &device).unwrap().world_model.unwrap();
    let head = model.inverse_dynamics().unwrap();
    let data = Square::new(4);
    let clip = |slot| ClipRequest { seed: 99, epoch: 0, slot, video: 0, clip: 0, clips: 1, draw: Draw::Random };
    let clips = (0..32).map(|slot| data.clip(&clip(slot)).unwrap()).collect();
    let batch = ClipBatch::upload(&HostBatch { clips, number: 0, first: 0 }, 1, &normalise, &device);
    let actions = batch.actions.unwrap().flatten::<2>(0, 1);
    let latents = model.encode(&batch.observations);
    let part = |from: usize| latents.moments(from, 3).tokens.flatten::<3>(0, 1);
    let mean_square = |values: Tensor<2>| values.square().mean().into_scalar::<f32>();
    (mean_square(head.action(part(0), part(1)) - actions.clone()), mean_square(actions))
}

#[test]
fn a_masked_models_loss_falls() {
    let folder = tempdir().unwrap();
    let run = RunFolder::create(&folder.path().join("run")).unwrap();
    let sets = ["train.steps=120", "train.accumulate=1", "train.log_every=10", "optimizer.lr=2e-3"];
    experiment(MASKED, &sets).train(Square::new(4), &run, &mut Control::default()).unwrap();
    let curve = curve(&run, "prediction");
    assert!(curve[curve.len() - 1] < 0.8 * curve[0], "{curve:?}");
}
