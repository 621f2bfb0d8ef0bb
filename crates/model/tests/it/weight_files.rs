//! Weights survive a file bit for bit, and a file that does not fit is refused by name.

use burn::store::{ModuleSnapshot, SafetensorsStore};
use burn::tensor::Device;
use prevision_model::{HeadFlags, Jepa, ModelError, weights};

use super::{GRU, MOMENTUM, SHARED, SMALL, STRIDED, TRANSFORMER, VIT, config};

/// Names and bytes of all tensors.
fn bytes(model: &Jepa) -> Vec<(String, Vec<u8>)> {
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
    let heads = HeadFlags { inverse_dynamics: true, distance: true, position: true };
    for device in [Device::flex(), Device::flex().autodiff()] {
        for (encoder, predictor) in [(STRIDED, GRU), (VIT, TRANSFORMER)] {
            let saved = Jepa::Action(config(encoder, predictor, MOMENTUM).init(&SMALL, &heads, &device));
            let mut loaded = Jepa::Action(config(encoder, predictor, MOMENTUM).init(&SMALL, &heads, &device));
            assert_ne!(bytes(&saved), bytes(&loaded));
            weights::save(&saved, &path).unwrap();
            weights::load(&mut loaded, &path).unwrap();
            assert_eq!(bytes(&saved), bytes(&loaded));
        }
    }
    let names: Vec<String> = SafetensorsStore::from_file(&path).keys_of();
    assert!(names.contains(&"encoder.projection.weight".to_owned()), "{names:?}");
    assert!(names.contains(&"predictor.blocks.0.attn.qkv.weight".to_owned()), "{names:?}");
    assert!(names.contains(&"target.norm.gamma".to_owned()), "{names:?}");
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
    let build = |target: &str, encoder: &str| {
        Jepa::Action(config(encoder, GRU, target).init(&SMALL, &HeadFlags::default(), &device))
    };
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
