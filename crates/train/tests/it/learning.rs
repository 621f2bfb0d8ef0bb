//! Training learns something.

use prevision_train::{Control, RunFolder};
use tempfile::tempdir;

use crate::world::{ACTION, MASKED, Square, experiment};

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
    assert!(summary.peak_memory_bytes.is_none_or(|bytes| bytes > 1 << 20));
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
