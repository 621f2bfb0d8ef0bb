//! Configuration files: kinds, defaults, unknown keys, values out of range.

use prevision_model::{ActionJepaConfig, FrameEncoderConfig, InputShape, ModelConfig};

fn parse(text: &str) -> Result<ModelConfig, serde_json::Error> {
    serde_json::from_str(text)
}

#[test]
fn kinds_are_kebab_case_and_everything_else_has_a_default() {
    assert_eq!(parse(r#"{"kind":"action-conditioned"}"#).unwrap(), ModelConfig::default());
    let ModelConfig::Masked(masked) = parse(r#"{"kind":"masked","encoder":{"positions":"sin-cos"}}"#).unwrap() else {
        panic!("kind")
    };
    assert_eq!(masked.masks.len(), 2);
    assert_eq!(masked.momentum, 0.99925);
    let impala =
        parse(r#"{"kind":"action-conditioned","encoder":{"kind":"impala"},"target":{"kind":"momentum"}}"#).unwrap();
    assert_eq!(impala.target_momentum(), Some(0.99925));
    let round_trip = serde_json::to_string(&impala).unwrap();
    assert_eq!(parse(&round_trip).unwrap(), impala);
}

#[test]
fn unknown_keys_are_errors() {
    for text in [
        r#"{"kind":"action-conditioned","encodr":{}}"#,
        r#"{"kind":"action-conditioned","encoder":{"kind":"strided-conv","with":[1]}}"#,
        r#"{"kind":"action-conditioned","predictor":{"kind":"gru","depth":2}}"#,
        r#"{"kind":"masked","predictor":{"dim":3}}"#,
    ] {
        assert!(parse(text).is_err(), "accepted {text}");
    }
}

#[test]
fn values_out_of_range_are_named() {
    for (text, message) in [
        (
            r#"{"kind":"action-conditioned","encoder":{"kind":"strided-conv","patch":0}}"#,
            "encoder.patch = 0: must be at least 1",
        ),
        (
            r#"{"kind":"action-conditioned","predictor":{"kind":"transformer","width":30,"heads":4}}"#,
            "predictor.width = 30: must be a positive multiple of heads (4)",
        ),
        (
            r#"{"kind":"action-conditioned","target":{"kind":"momentum","momentum":1.5}}"#,
            "target.momentum = 1.5: must be in [0, 1]",
        ),
        (r#"{"kind":"masked","masks":[]}"#, "masks = []: must be a list of at least one mask"),
        (
            r#"{"kind":"masked","masks":[{"spatial":[0.5,0.2]}]}"#,
            "masks[0].spatial = [0.5, 0.2]: must be two ascending numbers in (0, 1]",
        ),
        (
            r#"{"kind":"masked","predictor":{"width":48,"heads":12}}"#,
            "predictor.width = 48: must be such that width / heads (4) is even and at least 6 for rotary positions",
        ),
        (
            r#"{"kind":"action-conditioned","encoder":{"kind":"vit","width":10,"heads":3}}"#,
            "encoder.width = 10: must be a positive multiple of heads (3)",
        ),
        (
            r#"{"kind":"action-conditioned","predictor":{"kind":"residual-conv"}}"#,
            "predictor.kind = residual-conv: must have a grid of tokens to work on; set encoder.kind to patches",
        ),
        (
            r#"{"kind":"action-conditioned","predictor":{"kind":"residual-mlp"},"encoder":{"kind":"patches"},
                "distance":{"kind":"field"},"static_encoder":{"kind":"patches","patch":4}}"#,
            "distance.kind = field: must have static_encoder.kind = patches with the patch of the encoder",
        ),
    ] {
        assert_eq!(parse(text).unwrap().validate(), Err(message.to_owned()));
    }
    assert_eq!(ModelConfig::default().validate(), Ok(()));
    assert_eq!(parse(r#"{"kind":"masked"}"#).unwrap().validate(), Ok(()));
}

#[test]
fn inputs_that_do_not_fit_are_named() {
    let input = InputShape { channels: 3, frames: 3, height: 32, width: 40, action_dim: 0, state_dim: 0 };
    let message = parse(r#"{"kind":"masked"}"#).unwrap().validate_input(&input).unwrap_err();
    assert_eq!(message, "frames of a clip = 3: must be a positive multiple of model.encoder.tubelet (2)");
    let message = ModelConfig::default().validate_input(&input).unwrap_err();
    assert!(message.starts_with("action_dim of the data = 0"), "{message}");
    let vit: FrameEncoderConfig = serde_json::from_str(r#"{"kind":"vit","patch":16}"#).unwrap();
    let config = ModelConfig::ActionConditioned(ActionJepaConfig { encoder: vit, ..ActionJepaConfig::default() });
    let message = config.validate_input(&InputShape { action_dim: 2, ..input }).unwrap_err();
    assert_eq!(message, "frame width = 40: must be a positive multiple of model.encoder.patch (16)");
}
