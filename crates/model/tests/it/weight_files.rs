//! Weights survive a file bit for bit, and a file that does not fit is refused by name.

use std::collections::HashMap;

use burn::module::{Module, Param, ParamId};
use burn::nn::LinearConfig;
use burn::store::{ModuleSnapshot, SafetensorsStore};
use burn::tensor::{Device, Int, Tensor};
use prevision_model::predictor::GruConfig;
use prevision_model::{ActionJepa, HeadFlags, ModelError, weights};
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};

use super::{GRU, MOMENTUM, SHARED, STRIDED, TRANSFORMER, VIT, config, small};

/// Names and bytes of all tensors.
fn bytes(model: &ActionJepa) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<_> = model
        .collect(None, None, true)
        .iter()
        .map(|tensor| (tensor.name.clone(), tensor.to_bytes().expect("readable tensor").to_vec()))
        .collect();
    all.sort();
    all
}

#[test]
fn round_trip_is_exact_and_names_are_module_paths() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let heads = HeadFlags { inverse_dynamics: true, distance: true, position: true, levels: false };
    for device in [Device::flex(), Device::flex().autodiff()] {
        for (encoder, predictor) in [(STRIDED, GRU), (VIT, TRANSFORMER)] {
            let saved = config(encoder, predictor, MOMENTUM).init(&small(), &heads, &device);
            let mut loaded = config(encoder, predictor, MOMENTUM).init(&small(), &heads, &device);
            assert_ne!(bytes(&saved), bytes(&loaded));
            weights::save(&saved, &path).unwrap();
            weights::load(&mut loaded, &path).unwrap();
            assert_eq!(bytes(&saved), bytes(&loaded));
        }
    }
    let names: Vec<String> = SafetensorsStore::from_file(&path).keys_of();
    assert!(names.contains(&"encoder.projection.weight".to_owned()), "{names:?}");
    assert!(names.contains(&"predictor.blocks.0.attn.qkv.weight".to_owned()), "{names:?}");
    assert!(names.contains(&"target.norm.weight".to_owned()), "{names:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
}

/// Names in a file, sorted.
trait KeysOf {
    fn keys_of(self) -> Vec<String>;
}

impl KeysOf for SafetensorsStore {
    fn keys_of(mut self) -> Vec<String> {
        burn::store::ModuleStore::keys(&mut self).expect("readable file")
    }
}

#[test]
fn files_that_do_not_fit_are_refused_by_name() {
    let device = Device::flex();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let build =
        |target: &str, encoder: &str| config(encoder, GRU, target).init(&small(), &HeadFlags::default(), &device);
    weights::save(&build(SHARED, STRIDED), &path).unwrap();
    let error = weights::load(&mut build(MOMENTUM, STRIDED), &path).unwrap_err();
    assert!(matches!(&error, ModelError::MissingTensor { first, .. } if first.starts_with("target.")), "{error}");
    assert!(error.to_string().contains("model.safetensors"), "{error}");
    let error =
        weights::load(&mut build(SHARED, r#"{"kind":"strided-conv","widths":[4,6],"dim":16}"#), &path).unwrap_err();
    assert!(matches!(&error, ModelError::Tensor { name, .. } if name.contains("encoder.")), "{error}");
    weights::save(&build(MOMENTUM, STRIDED), &path).unwrap();
    let error = weights::load(&mut build(SHARED, STRIDED), &path).unwrap_err();
    assert!(matches!(&error, ModelError::UnexpectedTensor { first, .. } if first.starts_with("target.")), "{error}");
    let absent = folder.path().join("absent.safetensors");
    let error = weights::load(&mut build(SHARED, STRIDED), &absent).unwrap_err();
    assert!(error.to_string().contains("absent.safetensors"), "{error}");
}

#[test]
fn the_layout_is_pytorchs() {
    let device = Device::flex();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let mut layer = LinearConfig::new(2, 3).init(&device);
    layer.weight = Param::from_tensor(Tensor::from_floats([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], &device));
    weights::save(&layer, &path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let weight = file.tensor("weight").unwrap();
    assert_eq!(weight.shape(), [3, 2]);
    let numbers: Vec<f32> = weight.data().as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)).collect();
    assert_eq!(numbers, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    let header = String::from_utf8_lossy(&bytes[8..]);
    assert!(header.starts_with(r#"{"__metadata__":{"format":"pt","prevision_format":"2"},"bias":"#), "{header}");

    let gru = GruConfig {}.init(4, 2, &device);
    weights::save(&gru, &path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let shapes = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
        .map(|name| file.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}")).shape().to_vec());
    assert_eq!(shapes, [vec![12, 2], vec![12, 4], vec![12], vec![12]]);
}

/// A square matrix of an older file has the shape of a new one, so only the metadata can tell.
#[test]
fn older_layouts_and_damaged_files_are_refused() {
    let device = Device::flex();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let mut layer = LinearConfig::new(2, 2).with_bias(false).init(&device);
    let mut refused = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let message = weights::load(&mut layer, &path).unwrap_err().to_string();
        assert!(message.contains("model.safetensors: cannot read weights: "), "{message}");
        message
    };
    let write = |version: Option<&str>| {
        let mut metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
        metadata.extend(version.map(|version| ("prevision_format".to_owned(), version.to_owned())));
        let view = TensorView::new(Dtype::F32, vec![2, 2], &[0; 16]).unwrap();
        serialize([("weight", view)], Some(metadata)).unwrap()
    };
    let message = refused(&write(None));
    assert!(message.contains("`prevision_format` is missing from its metadata, but must be 2"), "{message}");
    let message = refused(&write(Some("3")));
    assert!(message.contains("`prevision_format` of its metadata is 3, but must be 2"), "{message}");
    let whole = write(Some("2"));
    let message = refused(&whole[..whole.len() - 1]);
    assert!(message.contains("bytes, but the header tells of"), "{message}");
    let message = refused(&whole[..40]);
    assert!(message.contains("not a safetensors file: a header of"), "{message}");
    let mut garbled = whole.clone();
    garbled[9] = b'{';
    let message = refused(&garbled);
    assert!(message.contains("not a safetensors file: its header"), "{message}");
    refused(b"");

    std::fs::write(&path, whole).unwrap();
    weights::load(&mut layer, &path).unwrap();
}

#[test]
fn whole_numbers_are_refused_when_written() {
    #[derive(Module, Debug)]
    struct Counter {
        count: Param<Tensor<1, Int>>,
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let counter = Counter { count: Param::initialized(ParamId::new(), Tensor::zeros([1], &Device::flex())) };
    let message = weights::save(&counter, &path).unwrap_err().to_string();
    assert!(message.contains("parameter `count` is not of floating-point numbers"), "{message}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
}
