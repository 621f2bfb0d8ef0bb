//! Encoders as their authors publish them, against what another program makes of the same weights: see `tests/published/golden.py`.

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use prevision_model::Pixels;
use prevision_model::pretrained::{Pretrained, export, import};
use prevision_model::{AttentionKind, PositionKind};

use super::pretrained::{Tensors, all_tokens, assert_same, tensors};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/published/golden").join(name)
}

fn tensor<const D: usize>(golden: &Tensors, name: &str) -> Tensor<D> {
    let (shape, values) = &golden[name];
    Tensor::from_data(TensorData::new(values.clone(), shape.as_slice()), &Device::flex())
}

/// Clips as we have them, of `[batch, time, channels, height, width]`.
fn clips(golden: &Tensors) -> Pixels {
    tensor::<5>(golden, "video").swap_dims(1, 2).into()
}

#[test]
fn levjepa_is_read_and_written() {
    let (model, report) = import(&golden("levjepa"), &Device::flex()).unwrap();
    assert_eq!((report.layout, report.left_out.len()), ("levjepa", 0));
    let (encoder, input) = (&model.spec.encoder, &model.spec.input);
    assert_eq!((encoder.attention, encoder.class_token, encoder.tubelet), (AttentionKind::BlockCausal, true, 1));
    assert_eq!((input.frames, input.crop), (4, 32));
    let golden = tensors(&golden("levjepa").join("golden.safetensors"));
    assert_same("levjepa", all_tokens(&model, clips(&golden), 2), tensor(&golden, "features"));
    let folder = tempfile::tempdir().unwrap();
    let written = folder.path().join("again");
    export(&model, &written).unwrap();
    let (again, _) = import(&written, &Device::flex()).unwrap();
    assert_eq!(again.spec.weights, model.spec.weights);
    assert_same("again", all_tokens(&again, clips(&golden), 2), tensor(&golden, "features"));
}

#[test]
fn other_attention_than_is_known_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors"] {
        std::fs::copy(golden("levjepa").join(name), folder.path().join(name)).unwrap();
    }
    let config = std::fs::read_to_string(folder.path().join("config.json")).unwrap();
    for (from, to, expected) in [
        ("\"block_causal\"", "\"causal\"", "attn_mode"),
        ("\"use_rope\": true", "\"use_rope\": false", "use_rope"),
        ("\"depth\": 2", "\"depth\": 3", "encoder.blocks.2"),
        ("\"embed_dim\": 24", "\"embed_dim\": 48", "has shape"),
    ] {
        std::fs::write(folder.path().join("config.json"), config.replace(from, to)).unwrap();
        let message = import(folder.path(), &Device::flex()).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn the_encoder_of_vjepa_2_1_is_read() {
    let (model, report) = import(&golden("vjepa2.1.pt"), &Device::flex()).unwrap();
    assert_eq!(
        (report.layout, model.spec.part.as_deref()),
        ("vjepa2.1-official", Some("ema_encoder.module.backbone."))
    );
    assert_eq!(model.spec.encoder.positions, PositionKind::RopeScaled);
    assert_eq!((model.spec.input.frames, model.spec.input.crop), (64, 384));
    let why = |part: &str| report.left_out.iter().find(|(name, _)| name.contains(part)).map(|(_, why)| *why);
    assert_eq!(why("ema_encoder.module.backbone.norms_block.0"), Some("the norm of an earlier level"));
    assert!(
        why("ema_encoder.module.backbone.patch_embed_img").is_some_and(|why| why.starts_with("of single pictures"))
    );
    assert!(why("predictor.").is_some_and(|why| why.starts_with("of the predictor")));
    let golden = tensors(&golden("vjepa2.1.safetensors"));
    let ours = all_tokens(&model, clips(&golden), 2);
    assert_same("vjepa2.1", ours, tensor(&golden, "features"));
    // What is one parameter here and two there can be kept, not written back.
    let folder = tempfile::tempdir().unwrap();
    let (file, written) = (folder.path().join("encoder.safetensors"), folder.path().join("again"));
    model.save(&file).unwrap();
    let again = Pretrained::load(&file, &Device::flex()).unwrap();
    assert_same("kept", all_tokens(&again, clips(&golden), 2), tensor(&golden, "features"));
    assert!(export(&model, &written).unwrap_err().to_string().contains("are not written, only read"));
}
