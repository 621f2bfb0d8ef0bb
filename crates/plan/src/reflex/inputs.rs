//! What a reflex sees: the latents of present and goal in their places, and the way between them where the model has learned it.

use burn::prelude::*;
use prevision_model::{Distance, ModelSpec, WorldModel};

use crate::cost::Scene;

/// Steps by which a place is nearer to the goal than where the agent stands, or farther, that make most of a difference to it.
const NEAR: f64 = 10.0;

/// How latents lie in places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inputs {
    grid: [usize; 2],
    /// Tokens of a latent that stay, and those that do not.
    tokens: [usize; 2],
    width: usize,
    /// Whether the model's learned distance knows these places.
    field: bool,
}

impl Inputs {
    /// For latents of this kind.
    pub(super) fn new(spec: &ModelSpec, field: bool) -> Self {
        let tokens = [spec.static_tokens, spec.tokens - spec.static_tokens];
        Self { grid: spec.grid, tokens, width: spec.token_width, field }
    }

    /// For latents of this model.
    ///
    /// # Errors
    /// If its tokens do not fill the places.
    pub(super) fn of_model(model: &dyn WorldModel) -> Result<Self, String> {
        let spec = model.spec();
        let inputs = Self::new(spec, knows_places(model, spec.grid));
        let places = inputs.places();
        if places > 0 && inputs.tokens.iter().all(|tokens| tokens.is_multiple_of(places)) {
            return Ok(inputs);
        }
        let [still, moving] = inputs.tokens;
        Err(format!("{still} tokens that stay and {moving} that move do not fill a grid of {:?} places", spec.grid))
    }

    pub(super) fn places(&self) -> usize {
        self.grid.iter().product()
    }

    /// Numbers in every place.
    pub(super) fn channels(&self) -> usize {
        let [still, moving] = self.tokens.map(|tokens| tokens / self.places() * self.width);
        still + 2 * moving + if self.field { 3 } else { 0 }
    }

    /// Whether the learned distance is seen.
    pub(super) fn field(&self) -> bool {
        self.field
    }

    /// Numbers in a latent that move.
    pub(super) fn moving(&self) -> usize {
        self.tokens[1] * self.width
    }

    /// Numbers in a latent that stay.
    pub(super) fn still(&self) -> usize {
        self.tokens[0] * self.width
    }

    /// In every place: what stays, what moves, the difference of that at the goal; where the learned distance knows places, also the
    /// share of the agent, that of the goal, and how much nearer to the goal the place is than the agent, between -1 and 1.
    ///
    /// # Shapes
    /// - output: `[b, rows * columns, channels]`
    ///
    /// # Errors
    /// If the scene has no goal.
    pub(super) fn of(&self, model: &dyn WorldModel, scene: &Scene) -> Result<Tensor<3>, String> {
        let goal = scene.goal()?;
        let [still, moving] = self.tokens;
        let present = scene.present.clone();
        let now = self.in_places(present.clone().narrow(1, still, moving));
        let then = self.in_places(goal.clone().narrow(1, still, moving));
        let mut parts = Vec::new();
        if still > 0 {
            parts.push(self.in_places(present.clone().narrow(1, 0, still)));
        }
        parts.extend([now.clone(), then - now]);
        if let Some(distance) = model.distance().filter(|_| self.field) {
            parts.extend(ways(distance, present, goal, scene));
        }
        Ok(Tensor::cat(parts, 2))
    }

    /// Tokens as numbers in places.
    ///
    /// # Shapes
    /// - tokens: `[b, k * places, d]`
    /// - output: `[b, places, k * d]`
    fn in_places(&self, tokens: Tensor<3>) -> Tensor<3> {
        let ([rows, count, width], places) = (tokens.dims(), self.places());
        let layers = count / places;
        if layers == 1 {
            return tokens;
        }
        tokens.reshape([rows, layers, places, width]).swap_dims(1, 2).reshape([rows, places, layers * width])
    }
}

/// Where agent and goal are, and the way between them, `[b, places, 1]` each.
fn ways(distance: &dyn Distance, present: Tensor<3>, goal: Tensor<3>, scene: &Scene) -> [Tensor<3>; 3] {
    let (here, there) = (distance.starts(present), distance.starts(goal.clone()));
    let field = distance.goals(goal, scene.obstacles_from(here.clone()));
    let [rows, places] = field.dims();
    let left = (here.clone() * field.clone()).sum_dim(1);
    let nearer = ((left - field) / NEAR).tanh();
    [here, there, nearer].map(|values| values.reshape([rows, places, 1]))
}

/// Whether a model has a learned distance whose places are those of its tokens.
fn knows_places(model: &dyn WorldModel, grid: [usize; 2]) -> bool {
    let places = grid[0] * grid[1];
    places > 1 && model.distance().and_then(Distance::places) == Some(places)
}
