//! A head of the model that reads something from latents, by its name.

use std::sync::Arc;

use burn::prelude::*;
use prevision_core::config::check::message;
use prevision_model::{Latents, WorldModel};

/// The readout that says where the agent is, x and y in the coordinates of [`Environment::position`](prevision_env::Environment::position).
pub(crate) const POSITION: &str = "position";

/// A readout that a model is known to have.
#[derive(Clone)]
pub(crate) struct Readout {
    model: Arc<dyn WorldModel>,
    name: String,
    width: usize,
}

impl Readout {
    /// The readout of a model by its name, which stands under `key`.
    ///
    /// # Errors
    /// If the model has none of this name.
    pub(crate) fn new(key: &str, name: &str, model: &Arc<dyn WorldModel>) -> Result<Self, String> {
        let spec = model.spec();
        let latents = Latents::new(Tensor::zeros([1, 1, spec.tokens, spec.token_width], &model.device()));
        let Some(values) = model.readout(name, &latents) else {
            let allowed = "the name of a readout of this model, which has none of that name; `position` is there with \
                           objective.position above 0";
            return Err(message(key, name, allowed));
        };
        let [.., width] = values.dims();
        Ok(Self { model: Arc::clone(model), name: name.to_owned(), width })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Numbers that it reads from a latent.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// What it reads, `[b, t, n]`.
    pub(crate) fn of(&self, latents: &Latents) -> Tensor<3> {
        self.model.readout(&self.name, latents).expect("checked when it was made")
    }
}
