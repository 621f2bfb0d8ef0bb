//! The gradient step of the predictor, from a transition that was seen.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::container::TensorContainer;
use burn::tensor::{Gradients, Tensor};

use super::ActionWorldModel;
use crate::adaptable::{Adaptable, Transition};
use crate::normalise::normalise_latents;
use crate::parameters::{self, MapParameters, ParameterPath, VisitParameters};
use crate::world_model::WorldModel;
use crate::{ActionJepa, ActionPredictor};

/// By how much a step changes the predictor at most: the norm of the change over that of its weights. Where a gradient vanishes and an
/// error stays, the step that would take it away has no bound.
const LARGEST_CHANGE: f64 = 0.01;

impl Adaptable for ActionWorldModel {
    fn errors(&self, transition: &Transition) -> Tensor<1> {
        let [episodes, steps, width] = transition.actions.dims();
        let [_, seen, ..] = transition.seen.dims();
        let imagined = self.imagine(&transition.past, transition.actions.clone().reshape([episodes, 1, steps, width]));
        let targets = transition.seen.vectors();
        let targets = if self.normalise_targets { normalise_latents(targets) } else { targets };
        // The static part of a rollout is that of its start, whatever the predictor does.
        let still = self.model.static_dim();
        let moving = self.model.latent_dim() - still;
        let imagined = imagined.moments(steps - seen, seen).vectors().narrow(2, still, moving);
        let apart = (imagined - targets.narrow(2, still, moving)).square();
        apart.mean_dim(2).mean_dim(1).reshape([episodes])
    }

    fn adapted(&self, transition: &Transition, rate: f64) -> Arc<dyn WorldModel> {
        let taped = self.with(on_tape(&self.model));
        let loss = taped.errors(&transition.clone().autodiff()).mean();
        let error = f64::from(loss.clone().into_scalar::<f32>());
        let mut gradient = Gradient { gradients: loss.backward(), found: TensorContainer::new(), squares: Vec::new() };
        parameters::visit(&taped.model.predictor, &mut gradient);
        let [gradients, weights] = gradient.sums();
        let length = (2.0 * rate * error / gradients).min(LARGEST_CHANGE * (weights / gradients).sqrt());
        let predictor = self.model.predictor.clone();
        // Without a gradient nothing is learned; what is not finite is refused where it is planned with.
        let predictor = if gradients > 0.0 && length.is_finite() {
            parameters::map(predictor, &mut Step { gradients: gradient.found, length })
        } else {
            predictor
        };
        Arc::new(self.with(ActionJepa { predictor, ..self.model.clone() }))
    }
}

/// The same model on the tape, where gradients are of the predictor alone.
fn on_tape(model: &ActionJepa) -> ActionJepa {
    let predictor: ActionPredictor = model.predictor.clone().unfreeze();
    ActionJepa { predictor, ..model.clone().freeze() }.train()
}

/// The gradient of every parameter by its path, off the tape.
struct Gradient {
    gradients: Gradients,
    found: TensorContainer<String>,
    /// The sums of the squares of each gradient and of its parameter, `[2]`.
    squares: Vec<Tensor<1>>,
}

impl Gradient {
    /// The squared norms of the gradient and of the parameters that have one.
    fn sums(&self) -> [f64; 2] {
        let mut sums = [0.0; 2];
        if !self.squares.is_empty() {
            let squares = Tensor::cat(self.squares.clone(), 0).into_data();
            let squares = squares.try_into_vec_as::<f32>().expect("squares are floats");
            for pair in squares.chunks_exact(2) {
                sums[0] += f64::from(pair[0]);
                sums[1] += f64::from(pair[1]);
            }
        }
        sums
    }
}

impl VisitParameters for Gradient {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, parameter: &Param<Tensor<D>>) {
        let weights = parameter.val();
        let Some(gradient) = weights.grad(&self.gradients) else { return };
        let square = |tensor: Tensor<D>| tensor.square().sum();
        self.squares.push(Tensor::cat(vec![square(gradient.clone()), square(weights.without_autodiff())], 0));
        self.found.register(path.as_str().to_owned(), gradient);
    }
}

/// A step against the gradient, so many times as long as it.
struct Step {
    gradients: TensorContainer<String>,
    length: f64,
}

impl MapParameters for Step {
    fn map<const D: usize>(&mut self, path: &ParameterPath, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let gradient: Option<Tensor<D>> = self.gradients.remove(&path.as_str().to_owned());
        match gradient {
            Some(gradient) => parameter.map(|weights| weights - gradient * self.length),
            None => parameter,
        }
    }
}
