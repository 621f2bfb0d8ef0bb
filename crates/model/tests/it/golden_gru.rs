//! The GRU against `PyTorch`'s formulas in `NumPy` (`tests/golden/gru.py`).

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use prevision_model::LayerNorm;
use prevision_model::predictor::GruConfig;
use serde_json::Value;

/// All numbers of a nested list, in order.
fn flatten(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(items) => items.iter().flat_map(flatten).collect(),
        number => vec![number.as_f64().expect("number") as f32],
    }
}

#[test]
fn rollout_equals_numpy() {
    let golden: Value = serde_json::from_str(include_str!("../golden/gru.json")).expect("golden file");
    for device in [Device::flex(), Device::flex().autodiff()] {
        let vector = |key: &str| Param::from_tensor(Tensor::<1>::from_data(flatten(&golden[key]).as_slice(), &device));
        let matrix = |key: &str| {
            let columns = golden[key][0].as_array().expect("row").len();
            let values = flatten(&golden[key]);
            let rows = values.len() / columns;
            Param::from_tensor(Tensor::<2>::from_data(TensorData::new(values, [rows, columns]), &device))
        };
        let mut gru = GruConfig {}.init(4, 2, &device);
        gru.weight_input = matrix("weight_input");
        gru.weight_hidden = matrix("weight_hidden");
        gru.bias_input = vector("bias_input");
        gru.bias_hidden = vector("bias_hidden");
        let mut norm = LayerNorm::new(4, 1e-5, &device);
        norm.gamma = vector("gamma");
        norm.beta = vector("beta");
        let start = Tensor::<3>::from_data(TensorData::new(flatten(&golden["start"]), [3, 1, 4]), &device);
        let actions = Tensor::<3>::from_data(TensorData::new(flatten(&golden["actions"]), [3, 3, 2]), &device);
        let expected = Tensor::<3>::from_data(TensorData::new(flatten(&golden["expected"]), [3, 3, 4]), &device);
        let error = super::difference(gru.rollout(start, actions, &norm), expected);
        assert!(error < 2e-6, "largest error {error}");
    }
}
