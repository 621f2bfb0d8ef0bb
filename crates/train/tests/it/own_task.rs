//! A Burn module of one's own, with a loss of its own, in the same loop.

use std::fs;
use std::sync::Arc;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::prelude::*;
use prevision_core::config::{NoKeys, WeightedParts};
use prevision_core::{Normalise, Spaces};
use prevision_model::ClipBatch;
use prevision_objective::{Draw, LossTerms, Objective, built_in};
use prevision_train::{
    AnyTask, Control, ModelContext, RunFolder, ScheduleConfig, Task, TrainError, TrainSummary, built_in_models,
};
use tempfile::tempdir;

use crate::world::{Experiment, Square, experiment, train_until, weights};

/// Predicts the next state from the state and the action.
#[derive(Module, Debug)]
struct Mover {
    change: Linear,
}

/// Training of a [`Mover`].
struct Moves;

impl Task for Moves {
    type Model = Mover;

    fn validate(&self, spaces: &Spaces) -> Result<(), String> {
        if spaces.state.is_some() { Ok(()) } else { Err("model.kind is \"mover\", but the data have no states".into()) }
    }

    fn init(&self, spaces: &Spaces, device: &Device) -> Mover {
        let state = spaces.state_width();
        Mover { change: LinearConfig::new(state + spaces.action_width(), state).init(device) }
    }

    fn terms(&self, model: &Mover, batch: ClipBatch, _: &Draw) -> LossTerms {
        let (state, actions) = (batch.state.expect("a state"), batch.actions.expect("actions"));
        let steps = actions.dims()[1];
        let (now, next) = (state.clone().narrow(1, 0, steps), state.narrow(1, 1, steps));
        let predicted = now.clone() + model.change.forward(Tensor::cat(vec![now, actions], 2));
        let error = (predicted - next).square().mean();
        LossTerms { total: error.clone(), terms: vec![("step".to_owned(), error.detach())] }
    }

    fn positions(&self, model: &Mover, batch: &ClipBatch) -> Option<Tensor<2>> {
        let rows = model.valid().change.weight.val().sum_dim(0).reshape([1, 2]);
        Some(rows.expand([batch.state.as_ref()?.dims()[1], 2]))
    }
}

const TEXT: &str = r"
seed = 3
[data]
frames = 4
batch_size = 8
[optimizer]
lr = 0.05
clip_norm = 0.0
[train]
steps = 60
log_every = 10
checkpoint_every = 20
keep_checkpoints = 9
histogram_every = 20
image_every = 20
";

/// The experiment on a model that is registered as the built-in ones are.
fn own(overrides: &[&str]) -> Experiment {
    let models = built_in_models().with("mover", |_: NoKeys, _: &ModelContext| Ok(Box::new(Moves) as Box<dyn AnyTask>));
    let settings = experiment(&format!("{TEXT}\n[model]\nkind = \"masked\""), overrides).settings;
    let objective = Arc::new(Objective::new(&WeightedParts::default(), &built_in()).unwrap());
    let context = ModelContext { objective, final_momentum: None };
    Experiment { task: models.make("model", "mover", &toml::Table::new(), &context).unwrap(), settings }
}

fn train(experiment: &Experiment, run: &RunFolder) -> Result<TrainSummary, TrainError> {
    experiment.train(Square::new(4), run, &mut Control::default())
}

#[test]
fn a_module_of_ones_own_learns_and_resumes_bit_for_bit() {
    let folder = tempdir().unwrap();
    let run = RunFolder::create(&folder.path().join("run")).unwrap();
    let experiment = own(&[]);
    let summary = train(&experiment, &run).unwrap();
    assert_eq!(summary.final_loss.keys().collect::<Vec<_>>(), ["step", "total"]);
    let text = fs::read_to_string(run.path("metrics.jsonl")).unwrap();
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let first_loss = first["loss"]["step"].as_f64().unwrap();
    assert!(summary.final_loss["step"] < 0.5 * first_loss, "{first_loss} to {}", summary.final_loss["step"]);
    assert!(first.get("momentum").is_none(), "{first}");

    let parts = RunFolder::create(&folder.path().join("parts")).unwrap();
    assert!(train_until(&experiment, &parts, 33).unwrap().interrupted);
    train(&experiment, &parts).unwrap();
    assert_eq!(weights(&run, 60), weights(&parts, 60));

    let loaded = experiment.task.load(&run.trained().unwrap(), &Normalise::default(), &Device::flex()).unwrap();
    assert!(loaded.world_model.is_none() && loaded.frozen.is_none());
}

#[test]
fn what_the_task_does_not_take_is_refused() {
    let folder = tempdir().unwrap();
    let run = RunFolder::create(&folder.path().join("run")).unwrap();
    let mut experiment = own(&[]);
    experiment.settings.schedule = ScheduleConfig { final_momentum: Some(1.0), ..ScheduleConfig::default() };
    let message = train(&experiment, &run).unwrap_err().to_string();
    assert!(message.starts_with("schedule.final_momentum is 1, but must be unset"), "{message}");
    let mut square = Arc::into_inner(Square::new(4)).unwrap();
    square.spaces.state = None;
    let message = own(&[]).train(Arc::new(square), &run, &mut Control::default()).unwrap_err().to_string();
    assert_eq!(message, "model.kind is \"mover\", but the data have no states");
    assert_eq!(fs::read_dir(run.root()).unwrap().count(), 0);
}
