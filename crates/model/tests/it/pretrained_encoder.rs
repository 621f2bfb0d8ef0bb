//! Weights that were learned elsewhere as the encoder of a model.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use prevision_core::config::Options;
use prevision_model::frame_encoder::{LatentOf, PretrainedEncoderConfig};
use prevision_model::pretrained::{Pretrained, import};
use prevision_model::{ActionJepa, ActionJepaConfig, FrameEncoderConfig, HeadFlags, Pixels, normalise_latents};

use super::{clips, config, difference};

/// Frames of 16 x 24 pixels, which differ.
fn video() -> Pixels {
    let bytes = (0..2 * 3 * 16 * 24 * 3).map(|i: usize| (i * i / 5 + i * 7) as u8).collect();
    Pixels::from_rgb(bytes, [2, 3, 16, 24], [0.5; 3], [0.5; 3], &Device::flex())
}

/// A file of `import`, of a small checkpoint that `transformers` has written.
fn file(name: &str, folder: &Path) -> Pretrained {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transformers/golden").join(name);
    let (model, _) = import(&golden, &Device::flex()).expect("a golden checkpoint");
    model.save(&folder.join("model.safetensors")).expect("a file");
    model
}

fn with_encoder(encoder: PretrainedEncoderConfig) -> ActionJepaConfig {
    let config =
        config(r#"{"kind":"impala"}"#, r#"{"kind":"block-causal","width":16,"heads":2}"#, r#"{"kind":"shared"}"#);
    ActionJepaConfig { encoder: FrameEncoderConfig::Pretrained(encoder), ..config }
}

fn model(encoder: PretrainedEncoderConfig) -> ActionJepa {
    let config = with_encoder(encoder).complete().expect("a file of import");
    let model = config.init(&clips(3, 16, 24), &HeadFlags::default(), &Device::flex());
    ActionJepaConfig::load_pretrained(model).expect("weights")
}

#[test]
fn latents_are_the_features_of_every_frame() {
    let folder = tempfile::tempdir().unwrap();
    let pretrained = file("vjepa2", folder.path());
    let path = folder.path().join("model.safetensors");
    let spec = &pretrained.spec;
    // Every frame alone, twice, as the weights want its pixels.
    let frames = video().normalised_by(spec.input.mean, spec.input.std).single_frames().into_tensor();
    let tokens = pretrained.features(frames.into(), None, &[spec.encoder.depth]).remove(0).tokens;
    let [count, places, width] = tokens.dims();
    let whole = |tokens: Tensor<3>| tokens.reshape([2, 3, places * width]);
    let plain = PretrainedEncoderConfig { path, normalise: false, ..PretrainedEncoderConfig::default() };
    assert_eq!(count, 6);
    assert!(difference(model(plain.clone()).encode(video()), whole(tokens.clone())) < 1e-5);
    let normalised = PretrainedEncoderConfig { normalise: true, ..plain.clone() };
    assert!(difference(model(normalised).encode(video()), whole(normalise_latents(tokens.clone()))) < 1e-4);
    let mean = PretrainedEncoderConfig { latent: LatentOf::Mean, ..plain.clone() };
    let of_mean =
        with_encoder(mean).complete().unwrap().init(&clips(3, 16, 24), &HeadFlags::default(), &Device::flex());
    let of_mean = ActionJepaConfig::load_pretrained(of_mean).unwrap();
    assert!(difference(of_mean.encode(video()), tokens.mean_dim(1).reshape([2, 3, width])) < 1e-5);
    // Kept and read again, they are the same to the bit.
    let kept = PretrainedEncoderConfig { cache: Some(folder.path().join("cache")), ..plain.clone() };
    let first = model(kept.clone()).encode(video());
    assert_eq!(difference(first.clone(), model(plain).encode(video())), 0.0);
    assert_eq!(difference(first, model(kept).encode(video())), 0.0);
}

#[test]
fn it_does_not_learn() {
    let folder = tempfile::tempdir().unwrap();
    let _ = file("vjepa2", folder.path());
    let path = folder.path().join("model.safetensors");
    let config =
        with_encoder(PretrainedEncoderConfig { path, ..PretrainedEncoderConfig::default() }).complete().unwrap();
    let device = Device::flex().autodiff();
    let model = config.init(&clips(3, 16, 24), &HeadFlags::default(), &device);
    let model = ActionJepaConfig::load_pretrained(model).unwrap();
    let latents = model.encode(video());
    let actions = Tensor::ones([2, 2, 2], &device);
    let loss = model.rollout(latents.narrow(1, 0, 1), actions).square().mean();
    let gradients = burn::optim::GradientsParams::from_grads(loss.backward(), &model);
    assert!(!gradients.is_empty() && gradients.len() <= model.predictor.num_params());
    let of_encoder = burn::optim::GradientsParams::from_grads(
        model.rollout(model.encode(video()).narrow(1, 0, 1), Tensor::ones([2, 2, 2], &device)).sum().backward(),
        &model.encoder,
    );
    assert!(of_encoder.is_empty());
}

#[test]
fn what_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |encoder: PretrainedEncoderConfig| with_encoder(encoder).complete().unwrap_err();
    let at =
        |name: &str| PretrainedEncoderConfig { path: folder.path().join(name), ..PretrainedEncoderConfig::default() };
    assert!(refused(PretrainedEncoderConfig::default()).starts_with("encoder.path is \"\", but must be a file of"));
    let missing = refused(at("missing.safetensors"));
    assert!(missing.starts_with("encoder.path is ") && missing.contains("missing.safetensors"), "{missing}");
    let _ = file("vjepa2", folder.path());
    let no_class = refused(PretrainedEncoderConfig { latent: LatentOf::Class, ..at("model.safetensors") });
    assert!(no_class.starts_with("encoder.latent is \"class\", but must be \"tokens\" or \"mean\""), "{no_class}");
    let complete = with_encoder(at("model.safetensors")).complete().unwrap();
    let message = complete.validate_spaces(&clips(3, 17, 24)).unwrap_err();
    assert!(message.starts_with("frame height is 17, but must be a positive multiple of the patch of"), "{message}");
    // Other weights under the same name.
    let model = complete.init(&clips(3, 16, 24), &HeadFlags::default(), &Device::flex());
    let mut other = Pretrained::load(&folder.path().join("model.safetensors"), &Device::flex()).unwrap();
    other.spec.weights = "another".to_owned();
    other.save(&folder.path().join("model.safetensors")).unwrap();
    let message = ActionJepaConfig::load_pretrained(model).unwrap_err();
    assert!(message.starts_with("encoder.path is ") && message.contains("other weights"), "{message}");
}
