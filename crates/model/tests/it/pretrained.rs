//! Weights of `transformers` give its outputs, and are written as it has them. The files are made by `tests/transformers/golden.py`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use prevision_model::pretrained::{ImportError, Pretrained, export, import};
use prevision_model::{Pixels, TokenIds};
use safetensors::{Dtype, SafeTensors};

const KINDS: [&str; 6] = ["vjepa2", "vjepa2-classifier", "vit", "ijepa", "dinov2", "dinov2-registers"];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transformers/golden").join(name)
}

/// Shapes and numbers by name.
pub(super) type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// The tensors of a file, as floats.
pub(super) fn tensors(path: &Path) -> Tensors {
    let bytes = std::fs::read(path).expect("a file");
    let file = SafeTensors::deserialize(&bytes).expect("a safetensors file");
    let read = |name: &str| {
        let view = file.tensor(name).expect("a tensor");
        let numbers = view.data().as_chunks::<4>().0.iter();
        let values = match view.dtype() {
            Dtype::F32 => numbers.map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            Dtype::I32 => numbers.map(|bytes| i32::from_le_bytes(*bytes) as f32).collect(),
            other => panic!("{name} is {other:?}"),
        };
        (view.shape().to_vec(), values)
    };
    file.names().into_iter().map(|name| (name.to_owned(), read(name))).collect()
}

struct Golden(Tensors);

impl Golden {
    fn of(name: &str) -> Self {
        Self(tensors(&golden(name).join("golden.safetensors")))
    }

    fn official() -> Self {
        Self(tensors(&golden("vjepa2-official.safetensors")))
    }

    fn tensor<const D: usize>(&self, name: &str) -> Tensor<D> {
        let (shape, values) = &self.0[name];
        Tensor::from_data(TensorData::new(values.clone(), shape.as_slice()), &Device::flex())
    }

    /// Clips as we have them, `[batch, channels, time, height, width]`, of `[batch, time, channels, height, width]` or of pictures.
    fn clips(&self, name: &str) -> Pixels {
        Pixels::from(match self.0[name].0.len() {
            5 => self.tensor::<5>(name).swap_dims(1, 2),
            _ => self.tensor::<4>(name).unsqueeze_dim(2),
        })
    }

    fn ids(&self, name: &str) -> TokenIds {
        self.tensor::<2>(name).int()
    }
}

/// The largest difference, and the smallest cosine of two tokens.
fn differences(ours: Tensor<3>, theirs: Tensor<3>) -> (f32, f32) {
    let product = |a: &Tensor<3>, b: &Tensor<3>| (a.clone() * b.clone()).sum_dim(2);
    let cosine = product(&ours, &theirs) / (product(&ours, &ours) * product(&theirs, &theirs)).sqrt();
    ((ours - theirs).abs().max().into_scalar(), cosine.min().into_scalar())
}

pub(super) fn assert_same(what: &str, ours: Tensor<3>, theirs: Tensor<3>) {
    assert_eq!(ours.dims(), theirs.dims(), "{what}");
    let (difference, cosine) = differences(ours, theirs);
    assert!(difference < 2e-5 && cosine > 0.999_999, "{what}: {difference} apart, cosine {cosine}");
}

/// All tokens, those that are no tubelets' first.
pub(super) fn all_tokens(model: &Pretrained, clips: Pixels, layer: usize) -> Tensor<3> {
    let features = model.features(clips, None, &[layer]).remove(0);
    Tensor::cat(features.prefix.into_iter().chain([features.tokens]).collect(), 1)
}

#[test]
fn features_are_those_of_transformers() {
    for kind in KINDS {
        let (model, report) = import(&golden(kind), &Device::flex()).unwrap();
        let (golden, depth) = (Golden::of(kind), model.spec.encoder.depth);
        assert_eq!(model.spec.source, kind);
        assert!(!report.used.is_empty() && model.spec.weights.len() == 64);
        if kind == "vjepa2-classifier" {
            let tokens = all_tokens(&model, golden.clips("video"), depth);
            assert_same(kind, tokens.clone(), golden.tensor("features"));
            let logits = model.networks.classifier.unwrap().forward(tokens);
            assert_same("logits", logits.unsqueeze_dim(0), golden.tensor::<2>("logits").unsqueeze_dim(0));
            assert_eq!(model.spec.labels, ["push", "pull", "nothing"]);
        } else if kind == "vjepa2" {
            assert_same(kind, all_tokens(&model, golden.clips("video"), depth), golden.tensor("features"));
            assert_same("middle", all_tokens(&model, golden.clips("video"), 1), golden.tensor("middle"));
        } else {
            assert_same(kind, all_tokens(&model, golden.clips("image"), depth), golden.tensor("features"));
            assert_same(kind, all_tokens(&model, golden.clips("wide"), depth), golden.tensor("wide_features"));
        }
    }
}

/// What the authors publish: a pickle of several networks, in 16-bit floats.
#[test]
fn published_files_are_read() {
    let (model, report) = import(&golden("vjepa2-official.pt"), &Device::flex()).unwrap();
    let golden = Golden::official();
    assert_eq!(
        (report.layout, model.spec.part.as_deref()),
        ("vjepa2-official", Some("target_encoder.module.backbone."))
    );
    assert!(report.left_out.iter().any(|(name, why)| name.starts_with("opt.") && *why == "of the optimiser"));
    assert!(report.left_out.iter().any(|(name, why)| name.starts_with("encoder.") && why.contains("another copy")));
    assert_same("published", all_tokens(&model, golden.clips("video"), 2), golden.tensor("features"));
    assert_same("middle", all_tokens(&model, golden.clips("video"), 1), golden.tensor("middle"));
    let (context, target) = (golden.ids("context"), golden.ids("target"));
    let seen = golden.tensor::<3>("features").narrow(1, 0, context.dims()[1]);
    // The file does not tell the size of its clips.
    let predicted = model.predict(seen, &context, &target, model.grid(&golden.clips("video")), 1).unwrap();
    assert_same("predicted", predicted, golden.tensor("predicted"));
    let refused = export(&model, Path::new("nowhere")).unwrap_err().to_string();
    assert!(refused.contains("are not written, only read"), "{refused}");
}

#[test]
fn masked_predictions_are_those_of_transformers() {
    let (model, _) = import(&golden("vjepa2"), &Device::flex()).unwrap();
    let golden = Golden::of("vjepa2");
    let (context, target) = (golden.ids("context"), golden.ids("target"));
    let seen = golden.tensor::<3>("features").narrow(1, 0, context.dims()[1]);
    let predicted = model.predict(seen, &context, &target, [2, 4, 4], 1).unwrap();
    assert_same("predicted", predicted, golden.tensor("predicted"));
}

#[test]
fn a_picture_is_a_clip_of_one_frame() {
    let (model, _) = import(&golden("vjepa2"), &Device::flex()).unwrap();
    let frame = Golden::of("vjepa2").clips("video").frames(1, 1);
    let twice = Pixels::from(frame.clone().into_tensor().repeat_dim(2, 2));
    assert_same("picture", all_tokens(&model, frame, 2), all_tokens(&model, twice, 2));
}

#[test]
fn what_is_written_is_what_was_read() {
    let folder = tempfile::tempdir().unwrap();
    for kind in KINDS {
        let (model, report) = import(&golden(kind), &Device::flex()).unwrap();
        let file = folder.path().join(format!("{kind}.safetensors"));
        model.save(&file).unwrap();
        let again = Pretrained::load(&file, &Device::flex()).unwrap();
        assert_eq!((&again.spec, again.hash()), (&model.spec, model.spec.weights.clone()));

        let written = folder.path().join(kind);
        export(&again, &written).unwrap();
        let mut theirs = tensors(&golden(kind).join("model.safetensors"));
        let unused: Vec<String> = report.left_out.iter().map(|(name, _)| name.clone()).collect();
        theirs.retain(|name, _| !unused.contains(name));
        assert!(tensors(&written.join("model.safetensors")) == theirs, "{kind}");
        let (back, _) = import(&written, &Device::flex()).unwrap();
        assert_eq!(back.spec.encoder, model.spec.encoder);
        assert_eq!((back.spec.predictor, back.spec.input), (model.spec.predictor, model.spec.input));
        assert_eq!(back.spec.weights, model.spec.weights);
        // A folder that is there is not written over.
        assert!(export(&again, &written).unwrap_err().to_string().contains("exists"));
    }
}

#[test]
fn what_is_broken_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let copy = |name: &str| {
        let to = folder.path().join(name);
        std::fs::create_dir(&to).unwrap();
        for file in ["config.json", "model.safetensors"] {
            std::fs::copy(golden("vit").join(file), to.join(file)).unwrap();
        }
        to
    };
    let message = |path: &Path| import(path, &Device::flex()).unwrap_err().to_string();
    let edit = |path: &Path, from: &str, to: &str| {
        let file = path.join("config.json");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{from}");
        std::fs::write(file, text.replace(from, to)).unwrap();
    };
    for (name, from, to, expected) in [
        ("deeper", "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4", "no tensor `encoder.layer.3"),
        ("shallower", "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 2", "`encoder.layer.2"),
        ("wider", "\"hidden_size\": 24", "\"hidden_size\": 32", "has shape [24"),
        ("other", "\"vit\"", "\"clip\"", "model_type is \"clip\""),
        ("relu", "\"gelu\"", "\"relu\"", "hidden_act is \"relu\", but must be \"gelu\""),
        ("none", "\"num_hidden_layers\": 3", "\"num_hidden_layers\": -1", "num_hidden_layers is -1, but must be"),
    ] {
        let path = copy(name);
        edit(&path, from, to);
        let message = message(&path);
        assert!(message.contains(expected) && message.contains(name), "{name}: {message}");
    }
    let path = copy("cut");
    let weights = path.join("model.safetensors");
    let bytes = std::fs::read(&weights).unwrap();
    for length in [0, 5, 100, bytes.len() - 1] {
        std::fs::write(&weights, &bytes[..length]).unwrap();
        assert!(matches!(import(&path, &Device::flex()), Err(ImportError::Broken { .. })), "{length}");
    }
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    assert!(message(&empty).contains("a folder without weights"));
    let hostile = message(&golden("hostile.pt"));
    assert!(hostile.contains("asks to run `posix.system`") && hostile.contains("nothing was run"), "{hostile}");
    std::fs::write(folder.path().join("model.onnx"), "").unwrap();
    assert!(message(&folder.path().join("model.onnx")).contains("expected .safetensors"));
    let nowhere = Pretrained::load(&golden("vit").join("model.safetensors"), &Device::flex()).unwrap_err();
    assert!(nowhere.to_string().contains("prevision_format"), "{nowhere}");
}
