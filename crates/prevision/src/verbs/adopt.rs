//! A run folder of a pretrained world model, for `prevision plan` and `prevision eval`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use burn::tensor::Device;
use prevision_core::config::Part;
use prevision_core::{Normalise, Spaces};
use prevision_env::registry::Purpose;
use prevision_model::pretrained::Pretrained;
use prevision_model::{ActionJepa, ActionPredictor};
use prevision_train::RunFolder;
use toml::Table;

use crate::app::Parts;
use crate::{Experiment, TrainedRun, Usage};

/// What a run folder is made with.
#[derive(clap::Args)]
pub(super) struct RunArgs {
    /// Also make a run folder of a world model, for `prevision plan` and `prevision eval`
    #[arg(long, value_name = "DIR", requires = "experiment")]
    run: Option<PathBuf>,
    /// World, data and planner of the run; its [model] becomes that of the checkpoint
    #[arg(long, value_name = "FILE", requires = "run")]
    experiment: Option<PathBuf>,
    /// Override a key of the experiment, as in --set plan.horizon=5
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "run")]
    overrides: Vec<String>,
    /// Mean of each number of an action in the data that it was trained with [default: 0]
    #[arg(long, value_name = "X", value_delimiter = ',', requires = "run", allow_hyphen_values = true)]
    action_mean: Vec<f32>,
    /// Standard deviation of each number of an action in the data that it was trained with [default: 1]
    #[arg(long, value_name = "X", value_delimiter = ',', requires = "run")]
    action_std: Vec<f32>,
}

impl RunArgs {
    /// Makes the folder, if it is asked for; gives its path.
    pub(super) fn make(&self, parts: &Parts, model: &Pretrained) -> Result<Option<PathBuf>> {
        let (Some(root), Some(file)) = (&self.run, &self.experiment) else { return Ok(None) };
        let network = model.action_jepa().ok_or_else(|| {
            Usage(format!("--run: a {} imagines nothing; expected a world model, such as a LeWM", model.spec.family))
        })?;
        let experiment = self.experiment(parts, file, model)?;
        let spaces = spaces(parts, &experiment, model)?;
        let network = self.of_raw_actions(network, spaces.action_width())?;
        let task = experiment.task(parts).map_err(Usage)?;
        task.fits(&spaces).map_err(Usage)?;
        RunFolder::adopt(root, &network, spaces, &experiment.settings())?;
        // The objective may ask for heads that the weights do not have.
        let loaded = TrainedRun::open(root, &[], parts).and_then(|run| run.load(parts, &Device::flex()));
        loaded.map(|_| Some(root.clone())).map_err(|error| {
            // What failed is told, not what became of the rest.
            let _ = std::fs::remove_dir_all(root);
            error.context(format!("{}: not a run of this model", file.display()))
        })
    }

    /// The experiment with the model of the checkpoint.
    fn experiment(&self, parts: &Parts, file: &Path, model: &Pretrained) -> Result<Experiment> {
        let mut experiment = Experiment::load(file, &self.overrides, parts)?;
        let config = model.spec.action_config().context("a world model")?;
        experiment.model = Part { kind: "action-conditioned".to_owned(), keys: Table::try_from(config)? };
        experiment.data.normalise = Normalise { mean: model.spec.input.mean, std: model.spec.input.std };
        let checked = experiment.resolve(parts).and_then(|()| experiment.validate(parts));
        checked.map_err(|message| Usage(format!("{}: {message}", file.display())))?;
        Ok(experiment)
    }

    /// The network for actions as the world takes them.
    fn of_raw_actions(&self, network: ActionJepa, width: usize) -> Result<ActionJepa, Usage> {
        let list = |name: &str, given: &[f32], default: f32, least: f32| {
            let fits = given.is_empty() || width.is_multiple_of(given.len());
            let finite = given.iter().all(|value| value.is_finite() && *value > least);
            if fits && finite {
                let given = if given.is_empty() { &[default] } else { given };
                return Ok(given.iter().copied().cycle().take(width).collect::<Vec<f32>>());
            }
            let allowed = if fits {
                "above 0".to_owned()
            } else {
                format!("as many as a part of {width}, the numbers of an action")
            };
            Err(Usage(format!("{name}: {given:?}, expected numbers, {allowed}")))
        };
        let mean = list("--action-mean", &self.action_mean, 0.0, f32::MIN)?;
        let std = list("--action-std", &self.action_std, 1.0, 0.0)?;
        let ActionPredictor::Lewm(predictor) = network.predictor else { return Ok(network) };
        let predictor = ActionPredictor::Lewm(predictor.of_raw_actions(&mean, &std));
        Ok(ActionJepa { predictor, ..network })
    }
}

/// The clips of the experiment's world, if the model can take them.
fn spaces(parts: &Parts, experiment: &Experiment, model: &Pretrained) -> Result<Spaces> {
    let world = experiment.env.world(&parts.worlds).map_err(Usage)?;
    let worlds = world.worlds(Purpose::Evaluation, 1)?;
    let (frames, frame_step) = (experiment.data.frames, experiment.data.frame_step);
    let spaces = Spaces { frames, frame_step, ..worlds.spec().spaces.clone() };
    let name = &worlds.spec().name;
    let (_, camera) = spaces.only_camera().map_err(Usage)?;
    let (side, action) =
        (model.spec.input.crop, model.networks.world.as_ref().map_or(0, |it| it.predictor.action_dim()));
    if (camera.height, camera.width) != (side, side) {
        let (width, height) = (camera.width, camera.height);
        return Err(
            Usage(format!("{name} shows {width} x {height}, but must show {side} x {side} to this model")).into()
        );
    }
    if spaces.action_width() != action {
        let found = spaces.action_width();
        let message = format!("{name} takes actions of {found} numbers with data.frame_step = {frame_step}");
        return Err(Usage(format!("{message}, but must take {action} to fit this model")).into());
    }
    Ok(spaces)
}
