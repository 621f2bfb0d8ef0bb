//! Gradients reach every trained parameter, and only those.

use burn::module::{Module, Param};
use burn::tensor::{Device, Gradients, Tensor};
use prevision_model::parameters::{self, ParameterPath, VisitParameters};
use prevision_model::{
    Distance, HeadFlags, MaskConfig, MaskSampler, MaskedJepaConfig, MaskedPredictorConfig, PositionKind, VideoVitConfig,
};

use super::{GRU, IMPALA, MOMENTUM, SHARED, STRIDED, TRANSFORMER, VIT, config, random, small};

/// Paths of parameters without a gradient, or with one that is zero everywhere.
fn without_gradient<M: Module>(module: &M, gradients: &Gradients) -> Vec<String> {
    struct Collect<'a>(&'a Gradients, Vec<String>);
    impl VisitParameters for Collect<'_> {
        fn visit<const D: usize>(&mut self, path: &ParameterPath, parameter: &Param<Tensor<D>>) {
            let largest =
                parameter.val().grad(self.0).map_or(0.0, |gradient| gradient.abs().max().into_scalar::<f32>());
            if largest == 0.0 {
                self.1.push(path.as_str().to_owned());
            }
        }
    }
    let mut collect = Collect(gradients, Vec::new());
    parameters::visit(module, &mut collect);
    collect.1
}

#[test]
fn action_conditioned_models() {
    let device = Device::flex().autodiff();
    // Of few units of a rectifier all may be off by chance.
    device.seed(1);
    let heads = HeadFlags { inverse_dynamics: true, distance: true, position: true, levels: false };
    for (encoder, predictor) in [(STRIDED, GRU), (IMPALA, GRU), (VIT, TRANSFORMER), (STRIDED, TRANSFORMER)] {
        let model = config(encoder, predictor, MOMENTUM).init(&small(), &heads, &device);
        let latents = model.encode(random([6, 3, 4, 16, 16], &device));
        assert_eq!(latents.dims(), [6, 4, 8]);
        let predicted = model.rollout(latents.narrow(1, 0, 1), random([6, 3, 2], &device));
        // Latents of many kinds, so that every unit of a head is active for some and not for others.
        let (now, next) = (random([64, 8], &device), random([64, 8], &device));
        let action = model.heads.inverse_dynamics.as_ref().unwrap().forward(now.clone(), next.clone());
        let head = model.heads.distance.as_ref().unwrap();
        let starts = head.starts(now.clone().unsqueeze_dim(1)).unsqueeze_dim(1);
        let steps = head.between(starts, head.goals(next.unsqueeze_dim(1), None));
        let position = model.heads.position.as_ref().unwrap().forward(now);
        assert_eq!((action.dims(), steps.dims(), position.dims()), ([64, 2], [64, 1], [64, 2]));
        let target = random([6, 3, 8], &device);
        let loss = (predicted - target).powf_scalar(2.0).sum()
            + (action + 1.0).powf_scalar(2.0).sum()
            + steps.sum()
            + position.sum();
        let gradients = loss.backward();
        assert_eq!(without_gradient(&model.encoder, &gradients), Vec::<String>::new(), "{encoder}");
        assert_eq!(without_gradient(&model.predictor, &gradients), Vec::<String>::new(), "{predictor}");
        assert_eq!(without_gradient(&model.heads, &gradients), Vec::<String>::new(), "heads");
        let target = model.target.as_ref().unwrap();
        let untouched = without_gradient(target, &gradients).len();
        assert_eq!(untouched, burn::module::list_param_ids(target).len());
    }
}

#[test]
fn shared_target_is_the_encoder_itself() {
    let device = Device::flex().autodiff();
    let model = config(STRIDED, GRU, SHARED).init(&small(), &HeadFlags::default(), &device);
    let video = random([2, 3, 4, 16, 16], &device);
    assert!(model.target.is_none());
    assert!(model.encode_target(video).is_tracked());
}

#[test]
fn masked_model() {
    let device = Device::flex().autodiff();
    for positions in [PositionKind::Rope, PositionKind::RopeTiled, PositionKind::SinCos] {
        let encoder = VideoVitConfig { dim: 24, depth: 2, heads: 2, patch: 4, positions, ..VideoVitConfig::default() };
        let predictor =
            MaskedPredictorConfig { width: 16, depth: 1, heads: 2, mask_tokens: 2, ..MaskedPredictorConfig::default() };
        let masks = vec![MaskConfig { blocks: 2, spatial: [0.3, 0.3], ..MaskConfig::default() }];
        let config = MaskedJepaConfig { encoder, predictor, masks, ..MaskedJepaConfig::default() };
        let model = config.init(&small(), &device);
        let mask = &MaskSampler::new(&config.masks, config.grid(&small()), 1).sample(0..2, 0)[0];
        let video = random([2, 3, 4, 16, 16], &device);
        let predicted = model.predict(model.encode_context(video.clone(), mask), mask);
        assert_eq!(predicted.dims(), [2, mask.target[0].len(), 24]);
        let targets = model.targets(video);
        assert_eq!(targets.dims(), [2, 32, 24]);
        assert!(!targets.is_tracked());
        let gradients = (predicted - 1.0).powf_scalar(2.0).sum().backward();
        assert_eq!(without_gradient(&model.encoder, &gradients), Vec::<String>::new(), "{positions:?}");
        assert_eq!(without_gradient(&model.predictor, &gradients), Vec::<String>::new(), "{positions:?}");
    }
}
