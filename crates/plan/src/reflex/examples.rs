//! What a reflex learns from: pairs of a present and a goal, and the actions between them.

use burn::prelude::*;
use prevision_model::ModelSpec;
use rand::Rng;

use super::PlanRecord;
use super::inputs::Inputs;
use crate::cost::Scene;

/// Which part of a plan an example is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Number of the plan.
    pub(super) plan: usize,
    /// After how many of its actions the example begins; 0 is the present.
    from: usize,
    /// After how many it ends, at what was imagined there; `None`: the plan's own goal, and all its actions.
    to: Option<usize>,
}

impl Part {
    /// A whole plan.
    pub(super) fn whole(plan: usize) -> Self {
        Self { plan, from: 0, to: None }
    }

    /// A whole plan, or as often a part of one in hindsight: from one of its latents to a later one (Andrychowicz et al. 2017,
    /// <https://arxiv.org/abs/1707.01495>).
    pub(super) fn draw(plans: &[usize], horizon: usize, rng: &mut impl Rng) -> Self {
        let plan = plans[rng.random_range(0..plans.len())];
        if rng.random_bool(0.5) {
            return Self::whole(plan);
        }
        let from = rng.random_range(0..horizon);
        Self { plan, from, to: Some(rng.random_range(from + 1..=horizon)) }
    }
}

/// Examples on a device.
pub(super) struct Batch {
    /// Present, goal and obstacles.
    pub(super) scene: Scene,
    /// Actions, `[n, horizon * a]`.
    pub(super) actions: Tensor<2>,
    /// 1 for the numbers that are to be learned, else 0, `[n, horizon * a]`.
    pub(super) mask: Tensor<2>,
}

/// Puts parts of plans on a device.
pub(super) fn batch(
    records: &[PlanRecord],
    parts: &[Part],
    spec: &ModelSpec,
    inputs: &Inputs,
    device: &Device,
) -> Batch {
    let width = spec.spaces.action_width();
    let (still, moving) = (inputs.still(), inputs.moving());
    let (mut present, mut goal) = (Vec::new(), Vec::new());
    let (mut actions, mut mask, mut obstacles) = (Vec::new(), Vec::new(), Vec::new());
    for part in parts {
        let record = &records[part.plan];
        let fixed = &record.present[..still];
        let latent = |step: usize| match step {
            0 => &record.present[still..],
            _ => &record.imagined[(step - 1) * moving..][..moving],
        };
        for (values, moves) in
            [(&mut present, latent(part.from)), (&mut goal, part.to.map_or(record.goal.as_slice(), latent))]
        {
            values.extend_from_slice(fixed);
            values.extend_from_slice(moves);
        }
        let end = part.to.map_or(record.actions.len(), |step| step * width);
        let between = &record.actions[part.from * width..end];
        let rest = record.actions.len() - between.len();
        actions.extend_from_slice(between);
        mask.extend(std::iter::repeat_n(1.0_f32, between.len()));
        actions.extend(std::iter::repeat_n(0.0, rest));
        mask.extend(std::iter::repeat_n(0.0, rest));
        obstacles.extend(record.obstacles.iter().flatten().copied());
    }
    let count = parts.len();
    let latents = |values: Vec<f32>| -> Tensor<3> {
        Tensor::from_data(TensorData::new(values, [count, spec.tokens, spec.token_width]), device)
    };
    let rows = |values: Vec<f32>| -> Tensor<2> {
        let columns = values.len() / count;
        Tensor::from_data(TensorData::new(values, [count, columns]), device)
    };
    let (present, goal) = (latents(present), Some(latents(goal)));
    let obstacles = (!obstacles.is_empty()).then(|| rows(obstacles));
    let scene = Scene { present, goal, obstacles, last_action: None };
    Batch { scene, actions: rows(actions), mask: rows(mask) }
}

#[cfg(test)]
mod tests {
    use prevision_model::WorldModel;

    use super::*;
    use crate::toy_model::Drift;

    #[test]
    fn a_part_is_what_lies_between_two_latents() {
        let model = Drift::new(1);
        let record = PlanRecord {
            present: vec![0.0],
            goal: vec![9.0],
            actions: vec![1.0, 2.0, 3.0],
            imagined: vec![1.0, 3.0, 6.0],
            ..PlanRecord::default()
        };
        let parts = [Part::whole(0), Part { plan: 0, from: 1, to: Some(3) }, Part { plan: 0, from: 0, to: Some(1) }];
        let inputs = Inputs::of_model(&model).unwrap();
        let batch = batch(&[record], &parts, model.spec(), &inputs, &Device::flex());
        let host = |values: Tensor<2>| values.into_data().try_into_vec_as::<f32>().unwrap();
        assert_eq!(host(batch.scene.present.flatten(1, 2)), [0.0, 1.0, 0.0]);
        assert_eq!(host(batch.scene.goal.unwrap().flatten(1, 2)), [9.0, 6.0, 1.0]);
        assert_eq!(host(batch.actions), [1.0, 2.0, 3.0, 2.0, 3.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(host(batch.mask), [1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0]);
    }
}
