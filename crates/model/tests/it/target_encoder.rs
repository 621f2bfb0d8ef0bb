//! The momentum target: its own identities, off the tape, moved by exactly its share of the gap.

use std::collections::BTreeSet;

use burn::module::{Module, list_param_ids};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::Device;
use prevision_model::target_encoder::{blend, target_copy};
use prevision_model::{FrameEncoder, HeadFlags};

use super::{GRU, MOMENTUM, STRIDED, config, difference, random, small};

/// Identities as text, for sets.
fn ids<M: Module>(module: &M) -> BTreeSet<String> {
    list_param_ids(module).iter().map(ToString::to_string).collect()
}

fn gamma(encoder: &FrameEncoder) -> burn::tensor::Tensor<1> {
    encoder.norm().expect("a norm").gamma.val().without_autodiff()
}

#[test]
fn identities_are_disjoint_and_values_equal() {
    let device = Device::flex().autodiff();
    let model = config(STRIDED, GRU, MOMENTUM).init(&small(), &HeadFlags::default(), &device);
    let target = model.target.as_ref().unwrap();
    assert!(ids(&model.encoder).is_disjoint(&ids(target)));
    assert_eq!(ids(&model.encoder).len(), ids(target).len());
    let video = random([2, 3, 4, 16, 16], &device);
    let encoded = model.encode(video.clone()).without_autodiff();
    assert_eq!(difference(encoded, model.encode_target(video).without_autodiff()), 0.0);
}

#[test]
fn its_output_is_off_the_tape() {
    let device = Device::flex().autodiff();
    let model = config(STRIDED, GRU, MOMENTUM).init(&small(), &HeadFlags::default(), &device);
    let video = random([2, 3, 4, 16, 16], &device);
    assert!(model.encode(video.clone()).is_tracked());
    assert!(!model.encode_target(video.clone()).is_tracked());
    let moved = model.update_target(0.5);
    assert!(!moved.encode_target(video).is_tracked(), "still off the tape after an update");
}

#[test]
fn one_step_moves_the_context_by_the_optimiser_and_the_target_by_its_share() {
    let device = Device::flex().autodiff();
    let mut model = config(STRIDED, GRU, MOMENTUM).init(&small(), &HeadFlags::default(), &device);
    let start = gamma(&model.encoder);
    let identities = ids(model.target.as_ref().unwrap());
    let loss = model.encode(random([2, 3, 4, 16, 16], &device)).powf_scalar(2.0).sum();
    let gradients = GradientsParams::from_grads(loss.backward(), &model);
    let mut optimizer = SgdConfig::new().init();
    model = optimizer.step(0.1, model, gradients);
    let stepped = gamma(&model.encoder);
    assert!(difference(stepped.clone(), start.clone()) > 1e-3, "the context moved");
    assert_eq!(
        difference(gamma(model.target.as_ref().unwrap()), start.clone()),
        0.0,
        "the optimiser left the target alone"
    );
    model = model.update_target(0.9);
    let expected = start * 0.9 + stepped * (1.0 - 0.9);
    assert!(difference(gamma(model.target.as_ref().unwrap()), expected) < 1e-6);
    assert_eq!(ids(model.target.as_ref().unwrap()), identities, "identities stay");
}

#[test]
fn momentum_zero_copies_and_one_keeps() {
    let device = Device::flex();
    let first = config(STRIDED, GRU, MOMENTUM).init(&small(), &HeadFlags::default(), &device).encoder;
    let second = config(STRIDED, GRU, MOMENTUM).init(&small(), &HeadFlags::default(), &device).encoder;
    let video = random([1, 3, 2, 16, 16], &device);
    let (one, two) = (first.forward(video.clone()), second.forward(video.clone()));
    assert!(difference(one.clone(), two.clone()) > 1e-3);
    assert_eq!(difference(blend(target_copy(&second), &first, 0.0).forward(video.clone()), one), 0.0);
    assert_eq!(difference(blend(target_copy(&second), &first, 1.0).forward(video), two), 0.0);
}
