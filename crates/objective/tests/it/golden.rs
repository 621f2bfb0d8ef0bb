//! Losses against values computed with NumPy; the generator scripts lie beside the values.

use burn::prelude::*;
use burn::tensor::TensorData;
use prevision_objective::{sigreg, sigreg_of_moments};

fn matrix(value: &serde_json::Value, device: &Device) -> Tensor<2> {
    let rows: Vec<Vec<f32>> = serde_json::from_value(value.clone()).expect("a matrix");
    let shape = [rows.len(), rows[0].len()];
    Tensor::from_data(TensorData::new(rows.concat(), shape), device)
}

#[test]
fn sigreg_of_moments_matches_stable_worldmodel() {
    let golden: serde_json::Value = serde_json::from_str(include_str!("../golden/lewm_sigreg.json")).expect("JSON");
    let device = Device::flex();
    let clips: Vec<Vec<Vec<f32>>> = serde_json::from_value(golden["latents"].clone()).expect("clips");
    let shape = [clips.len(), clips[0].len(), clips[0][0].len()];
    let latents =
        Tensor::<3>::from_data(TensorData::new(clips.into_iter().flatten().flatten().collect(), shape), &device);
    let got = sigreg_of_moments(latents, matrix(&golden["directions"], &device));
    let got = f64::from(got.into_data().try_into_vec_as::<f32>().expect("a float")[0]);
    let expected = golden["value"].as_f64().expect("a number");
    assert!((got - expected).abs() < 1e-5, "{got} against {expected}");
}

#[test]
fn sigreg_matches_numpy() {
    let golden: serde_json::Value = serde_json::from_str(include_str!("../golden/sigreg.json")).expect("JSON");
    let device = Device::flex();
    let got = sigreg(matrix(&golden["latents"], &device), matrix(&golden["directions"], &device));
    let got = f64::from(got.into_data().try_into_vec_as::<f32>().expect("a float")[0]);
    let expected = golden["value"].as_f64().expect("a number");
    assert!((got - expected).abs() < 1e-6, "{got} against {expected}");
}
