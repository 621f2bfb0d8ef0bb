//! How many numbers a model expects in one action.

use burn::module::{Module, ModuleVisitor, Param};
use burn::prelude::*;
use prevision_model::{ActionJepa, ActionPredictor};

/// Numbers in one action of the model: as many as its predictor's action weights have inputs.
pub(crate) fn action_dim(model: &ActionJepa) -> usize {
    match &model.predictor {
        ActionPredictor::Gru(predictor) => predictor.weight_input.dims()[0],
        ActionPredictor::Transformer(predictor) => {
            let mut inputs = ActionInputs::default();
            predictor.visit(&mut inputs);
            inputs.found.expect("an action-conditioned transformer has the weights `action.weight`")
        }
    }
}

/// Finds the number of inputs of the layer `action`.
#[derive(Default)]
struct ActionInputs {
    path: Vec<String>,
    found: Option<usize>,
}

impl ModuleVisitor for ActionInputs {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.path == ["action", "weight"] {
            self.found = Some(param.dims()[0]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prevision_model::predictor::{ActionTransformerConfig, GruConfig};
    use prevision_model::{ActionJepaConfig, ActionPredictorConfig, HeadFlags, InputShape};

    #[test]
    fn either_predictor_tells() {
        let input = InputShape { channels: 3, frames: 2, height: 65, width: 65, action_dim: 6, state_dim: 0 };
        for predictor in [
            ActionPredictorConfig::Gru(GruConfig {}),
            ActionPredictorConfig::Transformer(ActionTransformerConfig::default()),
        ] {
            let config = ActionJepaConfig { predictor, ..ActionJepaConfig::default() };
            let model = config.init(&input, &HeadFlags::default(), &Device::flex());
            assert_eq!(action_dim(&model), 6);
        }
    }
}
