//! Files whose weights are stored in fewer bits.

use std::path::Path;

use burn::module::Param;
use burn::tensor::{Tensor, TensorData};

use super::Pretrained;
use crate::parameters::{self, MapParameters, ParameterPath, StoredType, transpose};
use crate::{ModelError, weights};

impl Pretrained {
    /// Writes it to one file as [`save`](Self::save) does, its matrices in another type, and gives the model that the file is of: with weights as
    /// they are read from it, and their hash.
    ///
    /// # Errors
    /// When a weight is too large for the type, or the file cannot be written.
    pub fn save_stored(&self, path: &Path, stored: StoredType) -> Result<Self, ModelError> {
        let mut round = Round { stored, error: None };
        let networks = parameters::map(self.networks.clone(), &mut round);
        if let Some((name, message)) = round.error {
            return Err(ModelError::Tensor { path: path.to_owned(), name, message });
        }
        let mut model = Self { spec: self.spec.clone(), networks };
        model.spec.weights = model.hash();
        let text = serde_json::to_string(&model.spec).expect("a spec is plain data");
        weights::save_stored(&self.networks, path, &text, stored)?;
        Ok(model)
    }
}

/// Makes of each parameter what it is when it is read again.
struct Round {
    stored: StoredType,
    /// The first that cannot be stored, and why.
    error: Option<(String, String)>,
}

impl MapParameters for Round {
    fn map<const D: usize>(&mut self, path: &ParameterPath, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, device) = (parameter.id, parameter.lazy_device());
        let tensor = parameter.transform_for_save().val().without_autodiff();
        let dims = tensor.dims();
        let shape = path.stored_shape(&dims);
        let values = tensor.into_data().try_into_vec_as::<f32>().unwrap_or_default();
        let values = if path.is_transposed() { transpose(&values, dims[0], dims[1]) } else { values };
        match self.stored.rounded(path.as_str(), &shape, &values) {
            Ok(values) => {
                let values = if path.is_transposed() { transpose(&values, shape[0], shape[1]) } else { values };
                parameter.transform_for_load(Tensor::from_data(TensorData::new(values, dims), &device), id)
            }
            Err(message) => {
                self.error.get_or_insert_with(|| (path.as_str().to_owned(), message));
                parameter
            }
        }
    }
}
