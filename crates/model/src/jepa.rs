//! Either kind of model.

use burn::module::Module;

use crate::{ActionJepa, MaskedJepa};

/// A model of either kind. Weight names do not contain the variant: `encoder.projection.weight`.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // one value lives for the whole run
pub enum Jepa {
    /// Predicts the next latent from the action.
    Action(ActionJepa),
    /// Predicts the latents of hidden tubelets (V-JEPA).
    Masked(MaskedJepa),
}

impl Jepa {
    /// The action-conditioned model, if it is one.
    pub fn as_action(&self) -> Option<&ActionJepa> {
        match self {
            Self::Action(model) => Some(model),
            Self::Masked(_) => None,
        }
    }

    /// The masked model, if it is one.
    pub fn as_masked(&self) -> Option<&MaskedJepa> {
        match self {
            Self::Masked(model) => Some(model),
            Self::Action(_) => None,
        }
    }

    /// Moves the target encoder: `target = momentum * target + (1 - momentum) * context`. Nothing happens when weights are shared.
    #[must_use]
    pub fn update_target(self, momentum: f64) -> Self {
        match self {
            Self::Action(model) => Self::Action(model.update_target(momentum)),
            Self::Masked(model) => Self::Masked(model.update_target(momentum)),
        }
    }
}
