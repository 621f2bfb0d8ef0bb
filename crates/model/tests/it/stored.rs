//! Weights in fewer bits: what is written is what is read, and broken files are refused by name.

use std::path::Path;

use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use prevision_model::Pixels;
use prevision_model::parameters::StoredType;
use prevision_model::pretrained::{FeatureChange, Pretrained, import};
use prevision_model::weights;
use safetensors::{Dtype, SafeTensors};

const KINDS: [&str; 4] = [
    "transformers/golden/vjepa2",
    "transformers/golden/dinov2",
    "transformers/golden/vit",
    "stable_worldmodel/golden/lewm",
];

fn golden(kind: &str) -> Pretrained {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(kind);
    import(&folder, &Device::flex()).expect("a checkpoint").0
}

#[test]
fn what_is_stored_is_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    for kind in KINDS {
        let model = golden(kind);
        for stored in StoredType::ALL {
            let file = folder.path().join(format!("{}.safetensors", stored.name()));
            let rounded = model.save_stored(&file, stored).expect("a file");
            let again = Pretrained::load(&file, &Device::flex()).expect("a model");
            assert_eq!((&again.spec, again.hash()), (&rounded.spec, rounded.spec.weights.clone()), "{kind} {stored}");
            assert_eq!(again.spec.weights == model.spec.weights, stored == StoredType::Float32, "{kind} {stored}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 4);
        let size = |name: &str| folder.path().join(name).metadata().expect("a file").len();
        assert!(
            size("int8.safetensors") < size("bf16.safetensors") && size("bf16.safetensors") < size("f32.safetensors")
        );
    }
}

#[test]
fn features_change_as_much_as_weights_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = golden(KINDS[0]);
    let change = |stored| {
        let rounded = model.save_stored(&folder.path().join("m.safetensors"), stored).expect("a file");
        let bytes = (0..4 * 32 * 32 * 3).map(|at| (at * 37 % 251) as u8).collect();
        let clip = Pixels::from_rgb(bytes, [1, 4, 32, 32], [0.5; 3], [0.25; 3], &Device::flex());
        FeatureChange::between(&model, &rounded, clip)
    };
    let same = change(StoredType::Float32);
    assert!(same.least_cosine > 0.999_999_9 && same.largest == 0.0, "{same:?}");
    let [half, brain, whole] = [StoredType::Float16, StoredType::Bfloat16, StoredType::Int8].map(change);
    assert!(half.largest > 0.0 && half.largest < brain.largest, "{half:?} {brain:?}");
    for change in [half, brain, whole] {
        assert!(change.least_cosine > 0.99 && change.least_cosine <= change.mean_cosine, "{change:?}");
    }
}

/// A layer with the weight of outputs `[1, -127]` and `[0.5, 0.25]`.
fn layer() -> Linear {
    let device = Device::flex();
    let mut layer = LinearConfig::new(2, 2).init(&device);
    layer.weight = Param::from_tensor(Tensor::from_floats([[1.0, 0.5], [-127.0, 0.25]], &device));
    layer.bias = Some(Param::from_tensor(Tensor::from_floats([0.1, 0.2], &device)));
    layer
}

#[test]
fn each_output_of_a_matrix_has_a_scale() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    weights::save_stored(&layer(), &path, "{}", StoredType::Int8).expect("a file");
    let bytes = std::fs::read(&path).expect("the file");
    let file = SafeTensors::deserialize(&bytes).expect("safetensors");
    let weight = file.tensor("weight").expect("a weight");
    assert_eq!((weight.dtype(), weight.shape(), weight.data()), (Dtype::I8, &[2, 2][..], &[1, 129, 127, 64][..]));
    let scale = file.tensor("weight.scale").expect("its scales");
    let expected = [1.0_f32.to_le_bytes(), (0.5_f32 / 127.0).to_le_bytes()].concat();
    assert_eq!((scale.dtype(), scale.shape(), scale.data()), (Dtype::F32, &[2][..], expected.as_slice()));
    assert_eq!(file.tensor("bias").expect("a bias").dtype(), Dtype::F32);
    let mut read = LinearConfig::new(2, 2).init(&Device::flex());
    weights::load(&mut read, &path).expect("a layer");
    let values = read.weight.val().into_data().try_into_vec_as::<f32>().expect("floats");
    assert_eq!(values[..3], [1.0, 0.5, -127.0]);
    assert!((values[3] - 0.25).abs() < 0.003, "{values:?}");
}

#[test]
fn broken_files_are_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    weights::save_stored(&layer(), &path, "{}", StoredType::Int8).expect("a file");
    let whole = std::fs::read(&path).expect("the file");
    let refused = |from: &[u8], to: &[u8]| {
        assert_eq!(from.len(), to.len());
        let at = whole.windows(from.len()).position(|part| part == from).expect("bytes that are there");
        let mut bytes = whole.clone();
        bytes[at..at + to.len()].copy_from_slice(to);
        std::fs::write(&path, bytes).expect("a file");
        let mut read = LinearConfig::new(2, 2).init(&Device::flex());
        weights::load(&mut read, &path).expect_err("a broken file").to_string()
    };
    let message = refused(b"weight.scale", b"weight.scalf");
    assert!(message.contains("`weight`: numbers of 8 bits without `weight.scale`"), "{message}");
    let message = refused(br#""dtype":"I8""#, br#""dtype":"U8""#);
    assert!(message.contains("the file has type U8, expected F32, BF16, F16 or I8"), "{message}");
    let message = refused(&(0.5_f32 / 127.0).to_le_bytes(), &f32::NAN.to_le_bytes());
    assert!(message.contains("`weight.scale`: number 1 is NaN, expected finite numbers of 0 or more"), "{message}");
    let message = refused(&1.0_f32.to_le_bytes(), &(-1.0_f32).to_le_bytes());
    assert!(message.contains("`weight.scale`: number 0 is -1"), "{message}");
}

#[test]
fn what_is_too_large_is_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut model = golden(KINDS[0]);
    let block = &mut model.networks.encoder.blocks[0];
    block.mlp.fc1.weight = Param::from_tensor(block.mlp.fc1.weight.val().mul_scalar(1e9));
    let error = model.save_stored(&folder.path().join("m.safetensors"), StoredType::Float16).expect_err("too large");
    let message = error.to_string();
    assert!(message.contains("m.safetensors: tensor `encoder.blocks.0.mlp.fc1.weight`: number 0 is"), "{message}");
    assert!(message.ends_with("which F16 cannot hold"), "{message}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
}
