//! Tasks whose model's type is not known: what a registry holds.

use std::sync::Arc;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Device;
use prevision_core::{HostBatch, Normalise, Spaces};
use prevision_data::ClipDataset;
use prevision_model::{ClipBatch, FrozenModel, WorldModel, weights};
use prevision_objective::Draw;

use crate::init::fresh;
use crate::optimizer::Optimizer;
use crate::{
    Checkpoint, Control, OptimizerConfig, RunFolder, Settings, Task, Team, TrainError, TrainSummary, train_on,
};

/// A trained model, off the tape.
#[derive(Clone)]
pub struct Loaded {
    /// As planning knows it; `None` if it does not imagine what follows actions.
    pub world_model: Option<Arc<dyn WorldModel>>,
    /// As evaluation knows it; `None` if it cannot be measured.
    pub frozen: Option<Arc<dyn FrozenModel>>,
}

/// A [`Task`] of any model: every task is one.
pub trait AnyTask: Send + Sync {
    /// [`train_on`] for this task.
    ///
    /// # Errors
    /// As [`train_on`].
    fn train(
        &self,
        dataset: Arc<dyn ClipDataset>,
        settings: &Settings,
        run: &RunFolder,
        device: Device,
        team: &dyn Team,
        control: &mut Control<'_>,
    ) -> Result<TrainSummary, TrainError>;

    /// The model of a checkpoint on `device`. The data are not needed; `normalise` is what pixels became in training.
    ///
    /// # Errors
    /// If the streams of the checkpoint do not fit the task, or its weights cannot be read or do not fit the model.
    fn load(&self, checkpoint: &Checkpoint, normalise: &Normalise, device: &Device) -> Result<Loaded, TrainError>;

    /// A model with fresh weights on `device`, off the tape: the floor that a trained one is compared with.
    ///
    /// # Errors
    /// As [`fits`](Self::fits).
    fn untrained(&self, spaces: &Spaces, normalise: &Normalise, seed: u64, device: &Device) -> Result<Loaded, String>;

    /// Checks that the task can be done on clips of these streams.
    ///
    /// # Errors
    /// The key at fault, its value and what the clips allow.
    fn fits(&self, spaces: &Spaces) -> Result<(), String>;

    /// Single training steps on batches in memory, on a model with fresh weights: loss, gradients, optimiser and target encoder, at
    /// the peak learning rate and without anything written. For measuring how long they take.
    ///
    /// # Errors
    /// As [`fits`](Self::fits).
    fn stepper(self: Box<Self>, steps: Steps, device: &Device) -> Result<Stepper, String>;
}

/// Does a training step on a batch.
pub type Stepper = Box<dyn FnMut(&HostBatch)>;

/// What single training steps are made with.
#[derive(Clone, Debug)]
pub struct Steps {
    /// The clips.
    pub spaces: Spaces,
    /// What pixels become.
    pub normalise: Normalise,
    /// The optimiser.
    pub optimizer: OptimizerConfig,
    /// Seed of weights and random choices.
    pub seed: u64,
}

impl<T: Task> AnyTask for T {
    fn train(
        &self,
        dataset: Arc<dyn ClipDataset>,
        settings: &Settings,
        run: &RunFolder,
        device: Device,
        team: &dyn Team,
        control: &mut Control<'_>,
    ) -> Result<TrainSummary, TrainError> {
        train_on(self, dataset, settings, run, device, team, control)
    }

    fn load(&self, checkpoint: &Checkpoint, normalise: &Normalise, device: &Device) -> Result<Loaded, TrainError> {
        let device = device.clone().without_autodiff();
        let spaces = &checkpoint.state.spaces;
        self.validate(spaces).map_err(|message| TrainError::format(&checkpoint.path, message))?;
        let mut model = fresh(self, spaces, checkpoint.state.seed, &device);
        weights::load(&mut model, &checkpoint.weights())?;
        Ok(frozen(self, model, spaces, normalise, &device))
    }

    fn untrained(&self, spaces: &Spaces, normalise: &Normalise, seed: u64, device: &Device) -> Result<Loaded, String> {
        self.validate(spaces)?;
        let device = device.clone().without_autodiff();
        let model = self.prepare(fresh(self, spaces, seed, &device))?;
        Ok(frozen(self, model, spaces, normalise, &device))
    }

    fn fits(&self, spaces: &Spaces) -> Result<(), String> {
        self.validate(spaces)
    }

    fn stepper(self: Box<Self>, steps: Steps, device: &Device) -> Result<Stepper, String> {
        let Steps { spaces, normalise, optimizer: config, seed } = steps;
        self.validate(&spaces)?;
        let device = device.clone().autodiff();
        let mut model = Some(self.prepare(fresh(&*self, &spaces, seed, &device))?);
        let mut optimizer = Optimizer::new(&config);
        Ok(Box::new(move |batch: &HostBatch| {
            let Some(before) = model.take() else { return };
            let inputs = ClipBatch::upload(batch, spaces.frame_step, &normalise, &device);
            let draw = Draw { seed, number: batch.number, first: batch.first };
            let terms = self.terms(&before, inputs, &draw);
            let gradients = GradientsParams::from_grads(terms.total.backward(), &before);
            let (after, _) = optimizer.step(config.lr, before, gradients);
            model = Some(self.after_step(after, 0.0));
        }))
    }
}

/// The model as planning and as evaluation know it.
fn frozen<T: Task>(task: &T, model: T::Model, spaces: &Spaces, normalise: &Normalise, device: &Device) -> Loaded {
    let model = model.valid();
    Loaded {
        world_model: task.world_model(model.clone(), spaces, normalise, device),
        frozen: task.frozen(model, spaces, normalise, device),
    }
}
