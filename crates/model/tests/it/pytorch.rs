//! Weights that `PyTorch` wrote, and what it computes with them (`tests/pytorch/golden.py`).

#[path = "../pytorch/case.rs"]
#[allow(dead_code)] // shared with the example `outputs`
mod case;

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use prevision_model::parameters::TensorReader;
use prevision_model::weights;
use safetensors::SafeTensors;
use serde_json::Value;

use case::Case;

/// Names, shapes and bytes of all tensors of a file.
fn tensors(path: &Path) -> Vec<(String, Vec<usize>, Vec<u8>)> {
    let bytes = fs::read(path).expect("a file");
    let file = SafeTensors::deserialize(&bytes).expect("tensors");
    let mut tensors: Vec<_> =
        file.iter().map(|(name, view)| (name.to_owned(), view.shape().to_vec(), view.data().to_vec())).collect();
    tensors.sort();
    tensors
}

#[test]
fn networks_compute_what_pytorch_computes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pytorch");
    let text = fs::read_to_string(folder.join("cases.json")).expect("descriptions");
    let cases: serde_json::Map<String, Value> = serde_json::from_str(&text).expect("descriptions");
    assert_eq!(cases.len(), 5);
    let device = Device::flex();
    for (name, description) in &cases {
        let case = Case::new(description);
        let file = folder.join(format!("golden/{name}.safetensors"));
        let mut network = case.network();
        weights::load(&mut network, &file).expect("PyTorch's weights");

        let golden = folder.join(format!("golden/{name}-outputs.safetensors"));
        let mut inputs = TensorReader::open(&golden).expect("inputs and outputs");
        let video = inputs.floats("video", case.video_shape(), false, &device).expect("a tensor").expect("a video");
        let actions =
            inputs.floats("actions", case.actions_shape(), false, &device).expect("a tensor").expect("actions");
        let expected = tensors(&golden);
        let outputs = case.outputs(&network, video, actions).0;
        assert_eq!(outputs.len() + 2, expected.len(), "{name}: as many outputs as PyTorch's");
        for (output, shape, values) in outputs {
            let (_, expected_shape, bytes) = expected.iter().find(|(name, ..)| name == output).expect("an output");
            assert_eq!(&shape, expected_shape, "{name}: {output}");
            let expected: Vec<f32> =
                bytes.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)).collect();
            let values = values.into_data().try_into_vec_as::<f32>().expect("floats");
            let largest = expected.iter().fold(1.0_f32, |largest, value| largest.max(value.abs()));
            let error = values.iter().zip(&expected).fold(0.0_f32, |error, (a, b)| error.max((a - b).abs()));
            assert!(error <= 1e-5 * largest, "{name}: {output} differs by {error}, values up to {largest}");
        }

        let folder = tempfile::tempdir().expect("a folder");
        let copy = folder.path().join("copy.safetensors");
        weights::save(&network, &copy).expect("written");
        assert!(tensors(&copy) == tensors(&file), "{name}: what was read is not what is written");
    }
}
