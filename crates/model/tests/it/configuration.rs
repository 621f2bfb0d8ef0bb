//! Configuration files: kinds, defaults, unknown keys, values out of range.

use prevision_core::Spaces;
use prevision_core::config::{Options, Registry};
use prevision_model::{ActionJepaConfig, FrameEncoderConfig, MaskedJepaConfig};

use super::clips;

/// A model of either kind from JSON, checked.
fn check(kind: &str, json: &str) -> Result<(), String> {
    let table: toml::Table = serde_json::from_str(json).expect("a table");
    let registry = Registry::<(), ()>::new("model")
        .with("action-conditioned", |_: ActionJepaConfig, ()| Ok(()))
        .with("masked", |_: MaskedJepaConfig, ()| Ok(()));
    registry.make("model", kind, &table, &())
}

#[test]
fn kinds_are_kebab_case_and_everything_else_has_a_default() {
    let masked: MaskedJepaConfig = serde_json::from_str(r#"{"encoder":{"positions":"sin-cos"}}"#).unwrap();
    assert_eq!((masked.masks.len(), masked.momentum), (2, 0.99925));
    let text = r#"{"encoder":{"kind":"impala"},"target":{"kind":"momentum"}}"#;
    let impala: ActionJepaConfig = serde_json::from_str(text).unwrap();
    assert_eq!(impala.target.momentum(), Some(0.99925));
    let round_trip = serde_json::to_string(&impala).unwrap();
    assert_eq!(serde_json::from_str::<ActionJepaConfig>(&round_trip).unwrap(), impala);
}

#[test]
fn unknown_keys_are_errors() {
    for (kind, text, key) in [
        ("action-conditioned", r#"{"encodr":{}}"#, "model.encodr"),
        ("action-conditioned", r#"{"encoder":{"kind":"strided-conv","with":[1]}}"#, "model.encoder.with"),
        ("action-conditioned", r#"{"predictor":{"kind":"gru","depth":2}}"#, "model.predictor.depth"),
        ("action-conditioned", r#"{"target":{"kind":"shared","momentum":0.99}}"#, "model.target.momentum"),
        ("masked", r#"{"predictor":{"dim":3}}"#, "model.predictor.dim"),
    ] {
        let message = check(kind, text).unwrap_err();
        assert!(message.starts_with(&format!("unknown key `{key}`")), "{message}");
    }
}

#[test]
fn values_out_of_range_are_named() {
    for (kind, text, message) in [
        (
            "action-conditioned",
            r#"{"encoder":{"kind":"strided-conv","patch":0}}"#,
            "model.encoder.patch is 0, but must be 1 or more",
        ),
        (
            "action-conditioned",
            r#"{"predictor":{"kind":"transformer","width":30,"heads":4}}"#,
            "model.predictor.width is 30, but must be a positive multiple of heads (4)",
        ),
        (
            "action-conditioned",
            r#"{"target":{"kind":"momentum","momentum":1.5}}"#,
            "model.target.momentum is 1.5, but must be in [0, 1]",
        ),
        ("masked", r#"{"masks":[]}"#, "model.masks is [], but must be a list of at least one mask"),
        (
            "masked",
            r#"{"masks":[{"spatial":[0.5,0.2]}]}"#,
            "model.masks[0].spatial is [0.5, 0.2], but must be two ascending numbers in (0, 1]",
        ),
        (
            "masked",
            r#"{"predictor":{"width":48,"heads":12}}"#,
            "model.predictor.width is 48, but must be such that width / heads (4) is even and at least 6 for rotary positions",
        ),
        (
            "action-conditioned",
            r#"{"encoder":{"kind":"vit","width":10,"heads":3}}"#,
            "model.encoder.width is 10, but must be a positive multiple of heads (3)",
        ),
        (
            "action-conditioned",
            r#"{"predictor":{"kind":"residual-conv"}}"#,
            "model.predictor.kind is residual-conv, but must have a grid of tokens to work on: set encoder.kind to patches",
        ),
        (
            "action-conditioned",
            r#"{"predictor":{"kind":"residual-mlp"},"encoder":{"kind":"patches"},
                "distance":{"kind":"field"},"static_encoder":{"kind":"patches","patch":4}}"#,
            "model.distance.kind is field, but must have static_encoder.kind = patches with the patch of the encoder",
        ),
    ] {
        assert_eq!(check(kind, text), Err(message.to_owned()));
    }
    assert_eq!((check("action-conditioned", "{}"), check("masked", "{}")), (Ok(()), Ok(())));
}

#[test]
fn clips_that_do_not_fit_are_named() {
    let odd = clips(3, 32, 40);
    let message = MaskedJepaConfig::default().validate_spaces(&odd).unwrap_err();
    assert_eq!(message, "frames of a clip is 3, but must be a positive multiple of model.encoder.tubelet (2)");
    let without_actions = Spaces { action: None, ..odd.clone() };
    let message = ActionJepaConfig::default().validate_spaces(&without_actions).unwrap_err();
    assert!(message.contains("needs actions, the data have none"), "{message}");
    let vit: FrameEncoderConfig = serde_json::from_str(r#"{"kind":"vit","patch":16}"#).unwrap();
    let config = ActionJepaConfig { encoder: vit, ..ActionJepaConfig::default() };
    assert_eq!(config.validate(), Ok(()));
    let message = config.validate_spaces(&odd).unwrap_err();
    assert_eq!(message, "frame width is 40, but must be a positive multiple of model.encoder.patch (16)");
    let as_static = ActionJepaConfig { static_encoder: Some(config.encoder), ..ActionJepaConfig::default() };
    let message = as_static.validate_spaces(&odd).unwrap_err();
    assert!(message.ends_with("model.static_encoder.patch (16)"), "{message}");
    let mut two = odd;
    two.cameras.insert("wrist".into(), two.cameras["pixels"]);
    let message = ActionJepaConfig::default().validate_spaces(&two).unwrap_err();
    assert!(message.contains("camera pixels 40x32, camera wrist 40x32"), "{message}");
}
