//! The file of a reflex.

use std::path::Path;

use prevision_model::{ModelError, WorldModel, weights};

use super::{Reflex, ReflexSpec};

impl Reflex {
    pub(super) fn new(spec: ReflexSpec, network: prevision_model::ReflexNetwork) -> Self {
        Self { spec, network }
    }

    /// Writes it as safetensors in `PyTorch`'s layout: the weights, and as JSON in the metadata what is fixed about it. The file appears
    /// whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), ModelError> {
        let spec = serde_json::to_string(&self.spec).expect("a tree of numbers and strings");
        weights::save_described(&self.network, path, &spec)
    }

    /// Reads the reflex of a model.
    ///
    /// # Errors
    /// What is wrong with the file, or how its model differs from this one.
    pub fn read(path: &Path, model: &dyn WorldModel) -> Result<Self, String> {
        let no_reflex = |cause: String| format!("{}: it is no reflex: {cause}", path.display());
        let text = weights::description(path).map_err(|error| error.to_string())?;
        let text = text.ok_or_else(|| no_reflex("it does not say what its weights are of".to_owned()))?;
        let spec: ReflexSpec = serde_json::from_str(&text).map_err(|error| no_reflex(error.to_string()))?;
        spec.check(model).map_err(|message| format!("{}: {message}", path.display()))?;
        // Sizes that the file has no weights for are not made room for.
        let bytes = path.metadata().map_err(|error| format!("{}: {error}", path.display()))?.len();
        if spec.network.weights().is_none_or(|count| count.saturating_mul(4) as u64 > bytes) {
            return Err(no_reflex("it has fewer weights than its sizes need".to_owned()));
        }
        let mut network = spec.network.init(0, &model.device());
        weights::load(&mut network, path).map_err(|error| error.to_string())?;
        Ok(Self { spec, network })
    }
}
