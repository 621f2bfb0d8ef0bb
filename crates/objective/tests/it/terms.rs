//! Objectives from configurations, and their terms on latents of no model: weights, names, and what is refused.

use burn::prelude::*;
use burn::tensor::TensorData;
use prevision_core::config::{NoKeys, WeightedParts};
use prevision_core::{Camera, ClipSource, Space, Spaces};
use prevision_model::{ClipBatch, HeadFlags, ObservationBatch};
use prevision_objective::{
    Draw, Frames, Needs, Objective, Prediction, PredictionLoss, Seen, Term, Terms, built_in, directions, prediction,
    sigreg, spread, static_similarity, temporal_similarity, variance,
};

const CLIPS: usize = 3;
const FRAMES: usize = 5;
const DIM: usize = 4;
const DRAW: Draw = Draw { seed: 11, number: 7, first: 0 };

fn objective_of(text: &str, terms: &Terms) -> Result<Objective, String> {
    let parts: WeightedParts = toml::from_str(text).expect("TOML");
    Objective::new(&parts, terms)
}

fn objective(text: &str) -> Objective {
    objective_of(text, &built_in()).expect("an objective")
}

fn refused(text: &str) -> String {
    objective_of(text, &built_in()).err().expect("an error")
}

fn spaces() -> Spaces {
    Spaces {
        frames: 17,
        frame_step: 1,
        cameras: [("pixels".to_owned(), Camera { height: 65, width: 65 })].into(),
        action: Some(Space::Unbounded { dim: 2 }),
        state: Some(2),
        ..Spaces::default()
    }
}

fn latents(offset: f32) -> Tensor<3> {
    let count = CLIPS * FRAMES * DIM;
    let values: Vec<f32> = (0..count).map(|i| (i as f32 * 0.7 + offset).sin() + (i as f32 * 0.013).cos()).collect();
    Tensor::from_data(TensorData::new(values, [CLIPS, FRAMES, DIM]), &Device::flex())
}

fn batch() -> ClipBatch {
    let source = |video| ClipSource { path: "clips".into(), video, start: 0 };
    ClipBatch {
        observations: ObservationBatch::default(),
        actions: None,
        state: None,
        sources: [4, 4, 9].map(source).to_vec(),
        starts: vec![0.0; CLIPS],
        number: DRAW.number,
        first: 0,
    }
}

fn seen(batch: &ClipBatch) -> Seen<'_> {
    let pair = |offset| Prediction { predicted: latents(offset), target: latents(offset + 1.0) };
    Seen {
        latents: Some(latents(0.0)),
        predictions: vec![pair(2.0), pair(4.0)],
        one_step: Some(pair(6.0)),
        spread: spread(&latents(0.0), 1, 1, &batch.episodes()),
        batch,
        heads: None,
        static_width: 1,
        frame: [65, 65],
        draw: DRAW,
    }
}

fn value(tensor: &Tensor<1>) -> f64 {
    f64::from(tensor.to_data().try_into_vec_as::<f32>().expect("a float")[0])
}

#[test]
fn total_is_the_weighted_sum_of_the_named_terms_in_the_order_of_registration() {
    let objective = objective(
        "sigreg = { weight = 0.5, directions = 8 }\nstatic_similarity = 5\ntemporal_similarity = 12\n\
         variance = { weight = 16, margin = 2 }\nprediction = { weight = 2, loss = \"l1\" }",
    );
    let batch = batch();
    let terms = objective.terms(&seen(&batch));
    let over = |term: &dyn Fn(Tensor<2>) -> Tensor<1>| {
        let values: Vec<f64> = seen(&batch).spread.into_iter().map(|part| value(&term(part))).collect();
        f64::midpoint(values[0], values[1])
    };
    let pair = |offset| prediction(latents(offset), latents(offset + 1.0), PredictionLoss::L1);
    let sketch = |part: Tensor<2>| {
        let axes = directions(part.dims()[1], 8, DRAW.seed, DRAW.number, &Device::flex());
        sigreg(part, axes)
    };
    // The static part has one channel, and so no covariance: the term refuses it.
    assert_eq!(seen(&batch).spread[0].dims()[1], 1);
    let expected = [
        ("prediction", 2.0, f64::midpoint(value(&pair(2.0)), value(&pair(4.0)))),
        ("variance", 16.0, over(&|part| variance(part, 2.0))),
        ("temporal_similarity", 12.0, value(&temporal_similarity(latents(0.0)))),
        ("static_similarity", 5.0, value(&static_similarity(latents(0.0).narrow(2, 0, 1), &[4, 4, 9]))),
        ("sigreg", 0.5, over(&sketch)),
    ];
    let found: Vec<&str> = terms.terms.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(found, expected.map(|(name, ..)| name));
    for ((name, term), (_, _, expected)) in terms.terms.iter().zip(expected) {
        assert!((value(term) - expected).abs() < 1e-6, "{name}: {} against {expected}", value(term));
    }
    let sum: f64 = expected.iter().map(|(_, weight, value)| weight * value).sum();
    assert!((value(&terms.total) - sum).abs() < 1e-5 * sum, "{} against {sum}", value(&terms.total));
}

#[test]
fn prediction_is_there_with_its_defaults_unless_it_is_switched_off() {
    let default = objective("").needs();
    assert_eq!(default, Needs { rollout: Some(8), ..Needs::default() });
    assert_eq!(
        objective("prediction = { normalise_targets = true, rollout_steps = 3 }").needs(),
        Needs { rollout: Some(3), normalised_targets: true, ..Needs::default() }
    );
    let batch = batch();
    let terms = objective("").terms(&seen(&batch));
    assert_eq!(terms.terms.len(), 1);
    assert_eq!(value(&terms.total), value(&terms.terms[0].1));
    let without = objective("prediction = 0\nsigreg = 1");
    assert_eq!((without.needs().rollout, without.needs().frames), (None, Frames::All));
    assert_eq!(without.terms(&seen(&batch)).terms[0].0, "sigreg");
}

#[test]
fn needs_are_those_of_all_terms_of_weight() {
    let needs = objective("inverse_dynamics = 1\nposition = 1\ndistance = 0").needs();
    assert_eq!(needs.heads, HeadFlags { inverse_dynamics: true, position: true, ..HeadFlags::default() });
    assert!(needs.time && !needs.static_part && !needs.global_batch);
    let all = objective("variance = 1\nstatic_similarity = 1\ndistance = 1");
    assert!(all.needs().heads.distance && all.needs().static_part && all.needs().global_batch);
    assert_eq!(all.first_that_needs(|needs| needs.time), Some("static_similarity"));
    assert_eq!(objective("sigreg = 1").first_that_needs(|needs| needs.time), None);
}

#[test]
fn a_shorter_rollout_than_another_terms_is_a_part_of_it() {
    let batch = batch();
    let objective = objective("prediction = { rollout_steps = 2, loss = \"l1\" }");
    let seen = seen(&batch);
    let first = |pair: &Prediction| {
        let [predicted, target] = [&pair.predicted, &pair.target].map(|it| it.clone().narrow(1, 0, 2));
        value(&prediction(predicted, target, PredictionLoss::L1))
    };
    let expected = f64::midpoint(first(&seen.predictions[0]), first(&seen.predictions[1]));
    assert!((value(&objective.terms(&seen).total) - expected).abs() < 1e-6);
    // Tokens of a mask are no steps.
    let masked = Seen { latents: None, ..seen.clone() };
    let whole = |pair: &Prediction| value(&prediction(pair.predicted.clone(), pair.target.clone(), PredictionLoss::L1));
    let expected = f64::midpoint(whole(&seen.predictions[0]), whole(&seen.predictions[1]));
    assert!((value(&objective.terms(&masked).total) - expected).abs() < 1e-6);
}

#[test]
fn messages_name_the_key_the_value_and_what_is_allowed() {
    assert_eq!(refused("covariance = -2"), "objective.covariance is -2, but must be 0 or more");
    assert_eq!(refused("sigreg = { directions = 0 }"), "objective.sigreg.directions is 0, but must be 1 or more");
    assert_eq!(
        refused("distance = { quantile = 1.0 }"),
        "objective.distance.quantile is 1, but must be a number below 1"
    );
    assert_eq!(
        refused("variance = { margin = nan }"),
        "objective.variance.margin is NaN, but must be a number above 0"
    );
    assert_eq!(
        refused("prediction = { rollout_steps = 0 }"),
        "objective.prediction.rollout_steps is 0, but must be 1 or more"
    );
    // A term that is switched off is read all the same.
    assert!(refused("variance = { weight = 0, margin = -1 }").contains("objective.variance.margin is -1"));
    assert!(refused("varience = 16").contains("did you mean `variance`?"));
    assert!(refused("variance = { margins = 1 }").contains("did you mean `objective.variance.margin`?"));
    assert!(refused("covariance = { margin = 1 }").contains("unknown key `objective.covariance.margin`"));
    assert!(refused("prediction = { loss = \"l3\" }").contains("`objective.prediction.loss` = \"l3\""));
    assert!(refused("prediction = 0").contains("every weight is 0"));
}

#[test]
fn data_limit_the_terms() {
    let position = objective("position = 1");
    assert_eq!(position.validate(&spaces()), Ok(()));
    let message = position.validate(&Spaces { state: None, ..spaces() }).unwrap_err();
    assert_eq!(
        message,
        "objective.position needs a state of at least 2 numbers (x and y in pixels), but the data have 0"
    );
    for term in ["temporal_similarity", "inverse_dynamics", "distance"] {
        let message = objective(&format!("{term} = 1")).validate(&Spaces { frames: 1, ..spaces() }).unwrap_err();
        assert_eq!(message, format!("data.frames is 1, but must be 2 or more for objective.{term}"));
    }
}

/// The mean square of latents.
struct Size;

impl Term for Size {
    fn needs(&self) -> Needs {
        Needs { time: true, rollout: Some(12), ..Needs::default() }
    }

    fn value(&self, seen: &Seen<'_>) -> Tensor<1> {
        seen.latents().square().mean()
    }
}

#[test]
fn a_user_registers_a_term_by_the_same_call() {
    let terms = built_in().with("size", |_: NoKeys, ()| Ok(Box::new(Size) as Box<dyn Term>));
    let objective = objective_of("size = 3\nsigreg = 1", &terms).expect("an objective");
    assert_eq!(objective.needs().rollout, Some(12));
    let batch = batch();
    let found = objective.terms(&seen(&batch)).terms;
    assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["prediction", "sigreg", "size"]);
    assert!((value(&found[2].1) - value(&latents(0.0).square().mean())).abs() < 1e-6);
    assert!(objective_of("sise = 3", &terms).err().expect("an error").contains("did you mean `size`?"));
}

/// Beside the rollout's loss, which has weight 1.
#[test]
fn teacher_forcing_adds_the_loss_of_single_steps() {
    let batch = batch();
    let terms = objective("prediction = { loss = \"l1\", teacher_forcing = 0.5 }").terms(&seen(&batch));
    let pair = |offset| value(&prediction(latents(offset), latents(offset + 1.0), PredictionLoss::L1));
    let expected = f64::midpoint(pair(2.0), pair(4.0)) + 0.5 * pair(6.0);
    assert!((value(&terms.total) - expected).abs() < 1e-6);
}
