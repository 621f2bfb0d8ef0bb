//! Weights of stable-worldmodel's LeWM give its outputs, and are written as it reads them. The files are made by
//! `tests/stable_worldmodel/golden.py`.

use std::path::{Path, PathBuf};

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};
use prevision_core::config::Options;
use prevision_model::parameters::{self, MapParameters, ParameterPath, VisitParameters};
use prevision_model::pretrained::{ImportError, Pretrained, VitNames, export, import};
use prevision_model::{
    ActionJepa, ActionPredictor, FrameEncoder, HeadFlags, Latents, ObservationBatch, Past, Pixels, WorldModel, weights,
};

use super::pretrained::{Tensors, tensors};
use super::{MOMENTUM, SHARED, STRIDED, config, difference, random, small};

const PREDICTOR: &str = r#"{"kind":"lewm","history":3,"depth":2,"heads":2,"head_width":4,"hidden":10,"action_width":3,
    "action_hidden":6,"projector":14}"#;
const ENCODER: &str = r#"{"kind":"vit","patch":8,"width":8,"depth":2,"heads":2,"positions":"learned","position_side":2,
    "pool":"class","projector":10,"dim":8}"#;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stable_worldmodel/golden").join(name)
}

struct Golden(Tensors);

impl Golden {
    fn read() -> Self {
        Self(tensors(&golden("golden.safetensors")))
    }

    fn tensor<const D: usize>(&self, name: &str) -> Tensor<D> {
        let (shape, values) = &self.0[name];
        Tensor::from_data(TensorData::new(values.clone(), shape.as_slice()), &Device::flex())
    }

    /// Clips as we have them, `[batch, channels, time, height, width]`.
    fn clips(&self, name: &str) -> Pixels {
        Pixels::from(self.tensor::<5>(name).swap_dims(1, 2))
    }
}

fn imported(name: &str) -> Pretrained {
    import(&golden(name), &Device::flex()).expect("a golden checkpoint").0
}

fn network(name: &str) -> ActionJepa {
    imported(name).action_jepa().expect("a world model")
}

fn assert_same<const D: usize>(what: &str, ours: Tensor<D>, theirs: Tensor<D>) {
    let apart = difference(ours, theirs);
    assert!(apart < 2e-5, "{what}: {apart} apart");
}

#[test]
fn latents_are_those_of_stable_worldmodel() {
    let golden = Golden::read();
    for name in ["lewm", "lewm-older"] {
        let network = network(name);
        assert_same(name, network.encode(golden.clips("pixels")), golden.tensor("emb"));
        assert_same("wide", network.encode(golden.clips("wide")), golden.tensor("wide_emb"));
    }
}

#[test]
fn predictions_and_rollouts_are_those_of_stable_worldmodel() {
    let (golden, network) = (Golden::read(), network("lewm"));
    let ActionPredictor::Lewm(predictor) = &network.predictor else { panic!("another predictor") };
    let (latents, window) = (golden.tensor::<3>("emb"), golden.tensor::<3>("window"));
    assert_same("predicted", predictor.forward(latents.clone(), window), golden.tensor("predicted"));

    let (candidates, theirs) = (golden.tensor::<3>("candidates"), golden.tensor::<3>("rollout"));
    let [samples, length, _] = candidates.dims();
    let start = latents.clone().narrow(0, 0, 1).narrow(1, 0, 2).expand([samples, 2, 24]);
    let rolled = network.rollout(start, candidates);
    assert_same("rollout", rolled.clone(), theirs.narrow(1, 2, length - 1));
    let goal = latents.narrow(0, 0, 1).narrow(1, 2, 1).expand([samples, 1, 24]);
    let cost: Tensor<1> = (rolled.narrow(1, length - 2, 1) - goal).square().sum_dim(2).flatten(0, 2);
    let theirs: Tensor<1> = golden.tensor("cost");
    assert!(difference(cost / theirs.clone(), theirs.ones_like()) < 1e-5);
}

/// The same through the trait that planning knows, where all samples share the actions of the past.
#[test]
fn it_is_a_world_model_as_any_other() {
    let (golden, model) = (Golden::read(), imported("lewm"));
    let world = model.world_model(&Device::flex()).unwrap();
    let spec = world.spec().clone();
    assert_eq!((spec.history, spec.tokens, spec.token_width, spec.spaces.action_width()), (3, 1, 24, 4));
    assert_eq!(spec.normalise.mean, [0.485, 0.456, 0.406]);
    assert!(world.adaptable().is_none(), "a batch norm would mix episodes");
    let seen = ObservationBatch::of_camera("pixels", golden.clips("pixels").frames(0, 2).into_tensor());
    let latents = Latents::new(world.encode(&seen).tokens.narrow(0, 0, 1));
    let candidates = golden.tensor::<3>("candidates");
    let before = candidates.clone().narrow(0, 0, 1).narrow(1, 0, 1);
    let past = Past { latents, actions: Some(before) };
    let imagined = world.imagine(&past, candidates.narrow(0, 0, 1).narrow(1, 1, 5).unsqueeze_dim(0));
    let theirs = golden.tensor::<3>("rollout").narrow(0, 0, 1).narrow(1, 2, 5);
    assert_same("imagined", imagined.vectors(), theirs);
}

#[test]
fn pictures_are_brought_to_size_as_torchvision_does() {
    let (golden, model) = (Golden::read(), imported("lewm"));
    let rgb: Vec<u8> = golden.0["picture"].1.iter().map(|value| *value as u8).collect();
    let (seen, size) = model.spec.input.whole(&rgb, (37, 20), model.spec.encoder.patch);
    // 59 columns are made of 37; 56 of them fill patches.
    assert_eq!(size, [32, 56]);
    let seen = Tensor::<3>::from_data(TensorData::new(seen, [3, 32, 56]), &Device::flex());
    assert_same("picture", seen, golden.tensor::<3>("seen").narrow(2, 0, 56));
}

#[test]
fn a_projector_is_trained_with_the_norm_of_its_rows() {
    let (golden, device) = (Golden::read(), Device::flex().autodiff());
    let projector = imported("lewm").networks.world.unwrap().projector.train();
    let projected = projector.forward(golden.tensor::<2>("rows").autodiff());
    assert_same("projected", projected.without_autodiff(), golden.tensor("projected"));
    let running =
        |state: &burn::module::RunningState<Tensor<1>>| state.value_sync().to_device(&device).without_autodiff();
    assert_same("mean", running(&projector.norm.running_mean), golden.tensor("running_mean"));
    assert_same("variance", running(&projector.norm.running_var), golden.tensor("running_var"));
}

#[test]
fn what_is_written_is_what_was_read() {
    let folder = tempfile::tempdir().unwrap();
    for (name, names) in [("lewm", VitNames::Current), ("lewm-older", VitNames::Older)] {
        let (model, report) = import(&golden(name), &Device::flex()).unwrap();
        assert_eq!((report.layout, model.spec.world.as_ref().unwrap().names), ("lewm", names));
        // Two counts of batches.
        assert_eq!(report.left_out.len(), 2);
        let file = folder.path().join(format!("{name}.safetensors"));
        model.save(&file).unwrap();
        let again = Pretrained::load(&file, &Device::flex()).unwrap();
        assert_eq!((&again.spec, again.hash()), (&model.spec, model.spec.weights.clone()));
        let written = folder.path().join(name);
        export(&again, &written).unwrap();
        let (back, report) = import(&written, &Device::flex()).unwrap();
        assert_eq!((back.spec.weights, report.left_out.len()), (model.spec.weights, 0));
        assert_eq!((back.spec.encoder, back.spec.input), (model.spec.encoder, model.spec.input));
        assert_eq!(back.spec.world.unwrap().names, VitNames::Current);
        assert!(export(&again, &written).unwrap_err().to_string().contains("exists"));
    }
}

#[test]
fn what_is_broken_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let copy = |name: &str| {
        let to = folder.path().join(name);
        std::fs::create_dir(&to).unwrap();
        for file in ["config.json", "weights.pt"] {
            std::fs::copy(golden("lewm").join(file), to.join(file)).unwrap();
        }
        to
    };
    let message = |path: &Path| import(path, &Device::flex()).unwrap_err().to_string();
    for (name, from, to, expected) in [
        ("deeper", "\"depth\": 2", "\"depth\": 3", "no tensor `predictor.transformer.layers.2"),
        ("shallower", "\"depth\": 2", "\"depth\": 1", "`predictor.transformer.layers.1"),
        ("blocks", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "no tensor `encoder.layers.2"),
        ("heads", "\"heads\": 3", "\"heads\": 4", "has shape [72, 24], the model [96, 24]"),
        ("longer", "\"num_frames\": 3", "\"num_frames\": 4", "`predictor.pos_embedding`: has shape [1, 3, 24]"),
        ("zero", "\"depth\": 2", "\"depth\": 0", "predictor.depth is 0, but must be a whole number, 1 or more"),
        ("wider", "\"emb_dim\": 24", "\"emb_dim\": 25", "action_encoder.emb_dim is 25, but must be 24"),
        ("actions", "\"input_dim\": 4", "\"input_dim\": 5", "`action_encoder.patch_embed.weight`: has shape [6, 4, 1]"),
        ("layer", "torch.nn.BatchNorm1d", "torch.nn.LayerNorm", "norm_fn is"),
        ("other", "lewm.LeWM", "pldm.PLDM", "_target_ is \"stable_worldmodel.wm.pldm.PLDM\""),
        ("module", "module.Predictor", "module.Transformer", "predictor._target_ is"),
        ("vit", "transformers.ViTModel", "torch.nn.Identity", "encoder._target_ is \"torch.nn.Identity\""),
        ("text", "{", "[", "config.json"),
    ] {
        let path = copy(name);
        let file = path.join("config.json");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{from}");
        std::fs::write(file, text.replace(from, to)).unwrap();
        let message = message(&path);
        assert!(message.contains(expected) && message.contains(name), "{name}: {message}");
    }
    let path = copy("cut");
    let weights = path.join("weights.pt");
    let bytes = std::fs::read(&weights).unwrap();
    for length in [0, 5, 100, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&weights, &bytes[..length]).unwrap();
        assert!(matches!(import(&path, &Device::flex()), Err(ImportError::Broken { .. })), "{length}");
    }
    let path = copy("two");
    std::fs::copy(path.join("weights.pt"), path.join("weights_epoch_2.pt")).unwrap();
    assert!(message(&path).contains("several .pt: weights.pt, weights_epoch_2.pt"));
    assert!(import(&path.join("weights.pt"), &Device::flex()).is_ok());
    let path = copy("alone");
    std::fs::remove_file(path.join("config.json")).unwrap();
    assert!(message(&path).contains("without the config.json"), "{}", message(&path));
}

/// A run holds every number of a model, those that run along too.
#[test]
fn a_run_keeps_what_runs_along() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.safetensors");
    let (golden, model) = (Golden::read(), imported("lewm"));
    weights::save(&model.action_jepa().unwrap(), &file).unwrap();
    let config = model.spec.action_config().unwrap();
    assert_eq!(config.validate(), Ok(()));
    let mut fresh = config.init(&model.spec.world_spaces().unwrap(), &HeadFlags::default(), &Device::flex());
    weights::load(&mut fresh, &file).unwrap();
    assert_same("run", fresh.encode(golden.clips("pixels")), golden.tensor("emb"));
}

#[test]
fn gradients_reach_every_parameter() {
    struct Shake;
    impl MapParameters for Shake {
        fn map<const D: usize>(&mut self, path: &ParameterPath, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
            // The zeros of AdaLN hide what is behind them.
            if path.as_str().contains("modulation") {
                parameter.map(|values| values.clone() + Tensor::random(values.dims(), NORMAL, &values.device()))
            } else {
                parameter
            }
        }
    }
    struct Still<'a>(&'a burn::tensor::Gradients, Vec<String>);
    impl VisitParameters for Still<'_> {
        fn visit<const D: usize>(&mut self, path: &ParameterPath, parameter: &Param<Tensor<D>>) {
            let gradient = parameter.val().grad(self.0).map_or(0.0, |it| it.abs().max().into_scalar::<f32>());
            if gradient == 0.0 && !path.as_str().contains("running_") {
                self.1.push(path.as_str().to_owned());
            }
        }
    }
    const NORMAL: burn::tensor::Distribution = burn::tensor::Distribution::Normal(0.0, 0.3);
    let device = Device::flex().autodiff();
    let model = config(ENCODER, PREDICTOR, SHARED).init(&small(), &HeadFlags::default(), &Device::flex());
    let model = parameters::map(model, &mut Shake).train();
    let latents = model.encode(random([6, 3, 4, 16, 16], &device));
    let rolled = model.rollout(latents.clone().narrow(1, 0, 1), random([6, 3, 2], &device));
    let gradients =
        ((rolled - latents.clone().narrow(1, 1, 3)).square().sum() + latents.powi_scalar(3).sum()).backward();
    let mut still = Still(&gradients, Vec::new());
    parameters::visit(&model, &mut still);
    // A bias before a batch norm moves nothing.
    still.1.retain(|path| !path.ends_with("projector.fc1.bias"));
    assert_eq!(still.1, Vec::<String>::new());
    assert!(model.encoder.norm().is_none() && matches!(model.encoder, FrameEncoder::Vit(_)));
}

#[test]
fn what_does_not_fit_a_projector_is_named() {
    let gru = config(ENCODER, r#"{"kind":"gru"}"#, SHARED).validate().unwrap_err();
    assert!(gru.starts_with("encoder.projector is 10, but must be unset with predictor.kind gru"), "{gru}");
    let momentum = config(ENCODER, PREDICTOR, MOMENTUM).validate().unwrap_err();
    assert!(momentum.starts_with("encoder.projector is 10, but must be unset with target.kind"), "{momentum}");
    let wide = config(&ENCODER.replace("\"dim\":8", "\"dim\":9"), PREDICTOR, SHARED).validate().unwrap_err();
    assert_eq!(wide, "encoder.dim is 9, but must be 8, the width, with a projector");
    assert_eq!(config(STRIDED, PREDICTOR, SHARED).validate(), Ok(()));
    let none = config(STRIDED, &PREDICTOR.replace("\"heads\":2", "\"heads\":0"), SHARED).validate().unwrap_err();
    assert_eq!(none, "predictor.heads is 0, but must be 1 or more");
}

/// The published size, to the number; beside what is trained there are the means and variances of two batch norms.
#[test]
fn it_is_as_large_as_the_released_one() {
    let encoder = r#"{"kind":"vit","patch":14,"width":192,"depth":12,"heads":3,"positions":"learned","pool":"class",
        "projector":2048,"dim":192,"epsilon":1e-12}"#;
    let spaces = prevision_core::Spaces {
        action: Some(prevision_core::Space::Unbounded { dim: 10 }),
        ..super::clips(4, 224, 224)
    };
    let model = config(encoder, r#"{"kind":"lewm"}"#, SHARED).init(&spaces, &HeadFlags::default(), &Device::flex());
    assert_eq!(model.num_params(), 18_034_478 + 4 * 2048);
}

#[test]
fn features_of_its_encoder_are_there_too() {
    let (golden, model) = (Golden::read(), imported("lewm"));
    let clips = golden.clips("pixels").single_frames();
    let kept = Tensor::<2, Int>::zeros([6, 1], &Device::flex());
    let features = model.features(clips, Some(&kept), &[2]).remove(0);
    assert_eq!((features.prefix.unwrap().dims(), features.tokens.dims()), ([6, 1, 24], [6, 1, 24]));
}
