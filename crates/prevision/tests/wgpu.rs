//! The GPU backend does what the CPU backend does: one training step of either kind of model, on the same weights and clips.
//! Runs on any Vulkan driver, Mesa's software one included; one binary, because the backend takes long to link.

use std::path::Path;
use std::sync::Arc;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, DeviceKind, Tensor, TensorData};
use prevision::core::{Camera, ClipSource, Space, Spaces};
use prevision::model::{ClipBatch, ObservationBatch, Pixels, weights};
use prevision::objective::{Draw, Objective, built_in};
use prevision::train::optimizer::Optimizer;
use prevision::train::tasks::{ActionTask, MaskedTask};
use prevision::train::{ModelContext, OptimizerConfig, Task};
use prevision_kernels::{
    Activation, ConvolutionLayer, FeedForward, GruCell, Knots, Mask, Tubelets, adaptive_layer_norm, attention,
    convolutions, covariance_square, epps_pulley, feed_forward, gated_residual, glu_residual, gru_rollout, layer_norm,
    linear, linear_residual, patch_embedding, variance_hinge,
};

fn spaces() -> Spaces {
    Spaces {
        frames: 4,
        cameras: [("pixels".to_owned(), Camera { height: 16, width: 16 })].into(),
        action: Some(Space::Unbounded { dim: 2 }),
        state: Some(2),
        ..Spaces::default()
    }
}

/// Deterministic numbers in -1..1.
fn numbers<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|i| ((i * 7919 % 1009) as f32 / 504.5 - 1.0) * 0.9).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Deterministic clips, `[batch, time, height, width]`.
fn pixels(sizes: [usize; 4], device: &Device) -> Pixels {
    let bytes = (0..3 * sizes.iter().product::<usize>()).map(|i| (i * 7919 % 251) as u8).collect();
    Pixels::from_rgb(bytes, sizes, [0.5, 0.4, 0.3], [0.5, 0.6, 0.4], device)
}

/// Two clips of one episode and one of another.
fn clips(device: &Device) -> ClipBatch {
    let source = |video| ClipSource { path: "clips".into(), video, start: 0 };
    ClipBatch {
        observations: ObservationBatch::of_camera("pixels", pixels([3, 4, 16, 16], device)),
        actions: Some(numbers([3, 3, 2], device)),
        state: Some(numbers([3, 4, 2], device) * 8.0 + 8.0),
        sources: vec![source(0), source(0), source(1)],
        starts: vec![0.0, 7.0, 3.0],
        number: 0,
        first: 0,
    }
}

/// The total loss, and the model's weights after one step of AdamW from the weights in `start`.
fn step<T: Task>(task: &T, start: &Path, device: &Device) -> (f32, Vec<f32>) {
    let device = device.clone().autodiff();
    let mut model = task.init(&spaces(), &device);
    weights::load(&mut model, start).expect("the weights fit");
    let loss = task.terms(&model, clips(&device), &Draw { seed: 1, number: 0, first: 0 });
    let gradients = GradientsParams::from_grads(loss.total.clone().backward(), &model);
    // A large epsilon: the step is then a smooth function of the gradient, not of its sign alone.
    let optimizer = OptimizerConfig { epsilon: 1e-2, ..OptimizerConfig::default() };
    let model = Optimizer::new(&optimizer).step(1e-2, model, gradients);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("after.safetensors");
    weights::save(&model.valid(), &path).expect("the weights are written");
    let bytes = std::fs::read(&path).expect("the weights");
    let header = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
    let values =
        bytes[8 + header..].chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().expect("4 bytes"))).collect();
    (loss.total.into_scalar::<f32>(), values)
}

/// What a task is made with, of an objective as JSON.
fn context(objective: &str) -> ModelContext {
    let parts = serde_json::from_str(objective).expect("an objective");
    let objective = Objective::new(&parts, &built_in()).expect("known terms");
    ModelContext { objective: Arc::new(objective), final_momentum: None }
}

fn same_step_on_both<T: Task>(task: &T) {
    let folder = tempfile::tempdir().expect("a folder");
    let start = folder.path().join("start.safetensors");
    let cpu = Device::flex();
    cpu.seed(3);
    weights::save(&task.init(&spaces(), &cpu), &start).expect("the weights are written");
    let (cpu_loss, cpu_weights) = step(task, &start, &cpu);
    let (gpu_loss, gpu_weights) = step(task, &start, &Device::wgpu(DeviceKind::DefaultDevice));
    assert!((cpu_loss - gpu_loss).abs() <= 1e-3 * cpu_loss.abs(), "loss {cpu_loss} on the CPU, {gpu_loss} on wgpu");
    assert_eq!(cpu_weights.len(), gpu_weights.len());
    let norm = cpu_weights.iter().map(|w| w * w).sum::<f32>().sqrt();
    let gap = cpu_weights.iter().zip(&gpu_weights).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
    assert!(gap <= 1e-3 * norm, "the weights after a step differ by {gap}, their norm is {norm}");
}

fn action_task(model: &str, objective: &str) -> ActionTask {
    ActionTask::new(serde_json::from_str(model).expect("a model"), &context(objective)).expect("a task")
}

#[test]
fn action_conditioned_step_equals_the_cpu() {
    same_step_on_both(&action_task(
        r#"{"encoder":{"kind":"strided-conv","widths":[8,8],"merge":2,"hidden":16,"dim":12},
            "predictor":{"kind":"gru"},"distance":{"kind":"embedding","hidden":16,"groups":2,"size":4}}"#,
        r#"{"prediction":{"rollout_steps":3},"variance":4,"covariance":2,"temporal_similarity":1,"inverse_dynamics":1,
            "position":1,"distance":{"weight":1}}"#,
    ));
}

/// The demo's kinds: a grid of tokens, a static and a dynamic part, and a field of distances.
#[test]
fn grid_step_equals_the_cpu() {
    same_step_on_both(&action_task(
        r#"{"encoder":{"kind":"patches","patch":4,"hidden":8,"channels":4},
            "static_encoder":{"kind":"patches","patch":4,"hidden":8,"channels":3},
            "predictor":{"kind":"residual-conv","hidden":8},"distance":{"kind":"field","hidden":8}}"#,
        r#"{"prediction":{"rollout_steps":3},"variance":16,"covariance":4,"static_similarity":10,
            "distance":{"weight":0.1,"quantile":0.2,"goals":2}}"#,
    ));
}

#[test]
fn masked_step_equals_the_cpu() {
    let model = r#"{"encoder":{"dim":24,"depth":2,"heads":2,"patch":4},"predictor":{"width":24,"depth":1,"heads":2}}"#;
    let context = context(r#"{"prediction":{"loss":"l1","normalise_targets":true}}"#);
    let task = MaskedTask::new(serde_json::from_str(model).expect("a model"), &context).expect("a task");
    same_step_on_both(&task);
}

/// An operation on leaves that are given flat, with a flat result.
type Operation = fn(&[Tensor<1>]) -> Tensor<1>;

/// Values and the gradients of every leaf, with the gradient of the result given.
fn values_and_gradients(lengths: &[usize], operation: Operation, device: &Device) -> Vec<Vec<f32>> {
    let device = device.clone().autodiff();
    let leaves: Vec<Tensor<1>> = lengths.iter().map(|&length| numbers([length], &device).require_grad()).collect();
    let result = operation(&leaves);
    let weights = numbers(result.dims(), &device);
    let gradients = (result.clone() * weights).sum().backward();
    let read = |tensor: Tensor<1>| tensor.into_data().try_into_vec_as::<f32>().expect("floats");
    let gradients = leaves.iter().map(|leaf| read(leaf.grad(&gradients).expect("every leaf has a gradient").inner()));
    std::iter::once(read(result.inner())).chain(gradients).collect()
}

/// Elsewhere than on the CPU a kernel is a composition of Burn's operations: it must be the same function.
#[test]
fn kernels_equal_their_forms_on_the_gpu() {
    let cases: [(&str, &[usize], Operation); 12] = [
        ("linear", &[35, 21, 3], |x| {
            let residual = x[0].clone().reshape([5, 7]).narrow(1, 0, 3) * 0.5;
            let y = linear(
                x[0].clone().reshape([5, 7]),
                x[1].clone().reshape([7, 3]),
                Some(x[2].clone()),
                Activation::Gelu,
            );
            (y + linear_residual(
                x[0].clone().reshape([5, 7]),
                x[1].clone().reshape([7, 3]),
                None,
                residual,
                Activation::Identity,
            ))
            .reshape([15])
        }),
        ("layer_norm", &[60, 12, 12], |x| {
            layer_norm(x[0].clone().reshape([5, 12]), Some(x[1].clone()), Some(x[2].clone()), 1e-5).reshape([60])
        }),
        ("adaptive_layer_norm", &[60, 12, 12, 180], |x| {
            let (rows, packed) = (x[0].clone().reshape([5, 12]), x[3].clone().reshape([5, 36]));
            let normed = adaptive_layer_norm(rows.clone(), x[1].clone(), x[2].clone(), packed.clone(), [0, 1], 1e-5);
            gated_residual(normed, rows, packed, 2).reshape([60])
        }),
        ("attention", &[2 * 5 * 24], |x| {
            attention(x[0].clone().reshape([2, 5, 24]), 2, &Mask::Full, None).reshape([2 * 5 * 8])
        }),
        ("convolutions", &[2 * 3 * 6 * 7, 4 * 3 * 9, 4, 2 * 4 * 3], |x| {
            let layer = |weight, bias, activation| ConvolutionLayer {
                weight,
                bias,
                stride: [2, 1],
                padding: [1, 1],
                activation,
            };
            let layers = [
                layer(x[1].clone().reshape([4, 3, 3, 3]), Some(x[2].clone()), Activation::Silu),
                layer(x[3].clone().reshape([2, 4, 1, 3]), None, Activation::Identity),
            ];
            convolutions(x[0].clone().reshape([2, 3, 6, 7]), &layers).reshape([2 * 2 * 3 * 7])
        }),
        ("gru_rollout", &[2 * 3 * 15, 10, 75, 15, 5, 5], |x| {
            let cell = GruCell {
                weight: x[2].clone().reshape([5, 15]) * 0.3,
                bias: x[3].clone(),
                scale: x[4].clone(),
                shift: x[5].clone(),
                epsilon: 1e-5,
            };
            gru_rollout(x[0].clone().reshape([2, 3, 15]), x[1].clone().reshape([2, 5]), cell).reshape([30])
        }),
        ("patch_embedding", &[24 * 4, 4], |x| {
            let keep = Tensor::from_data([[5, 0, 3]], &x[0].device());
            let patches = Tubelets { frames: 2, side: 2, grid: [2, 3], keep: Some(&keep) };
            let (video, weight) = (pixels([2, 2, 3, 6], &x[0].device()), x[0].clone().reshape([24, 4]));
            patch_embedding(video, patches, weight, Some(x[1].clone()), Activation::Silu).reshape([24])
        }),
        ("feed_forward", &[2 * 3 * 5, 5, 5, 35, 7, 35, 5], |x| {
            let layers = FeedForward {
                scale: x[1].clone(),
                shift: x[2].clone(),
                epsilon: 1e-5,
                first: (x[3].clone().reshape([5, 7]), Some(x[4].clone())),
                second: (x[5].clone().reshape([7, 5]), Some(x[6].clone())),
                activation: Activation::Gelu,
            };
            feed_forward(x[0].clone().reshape([2, 3, 5]), layers).reshape([30])
        }),
        ("glu_residual", &[60, 30], |x| {
            glu_residual(x[0].clone().reshape([5, 12]), x[1].clone().reshape([5, 6])).reshape([30])
        }),
        ("variance_hinge", &[40], |x| variance_hinge(x[0].clone().reshape([8, 5]), 1.0, 1e-4)),
        ("covariance_square", &[40], |x| covariance_square(x[0].clone().reshape([8, 5]))),
        ("epps_pulley", &[40], |x| epps_pulley(x[0].clone().reshape([8, 5]), Knots::Ten)),
    ];
    let norm = |values: &[f32]| values.iter().map(|value| value * value).sum::<f32>().sqrt();
    let mut apart = Vec::new();
    for (name, lengths, operation) in cases {
        let cpu = values_and_gradients(lengths, operation, &Device::flex());
        let gpu = values_and_gradients(lengths, operation, &Device::wgpu(DeviceKind::DefaultDevice));
        for (index, (cpu, gpu)) in cpu.iter().zip(&gpu).enumerate() {
            assert_eq!(cpu.len(), gpu.len(), "{name}");
            let gap: Vec<f32> = cpu.iter().zip(gpu).map(|(a, b)| a - b).collect();
            let gap = norm(&gap) / norm(cpu).max(1e-3);
            if gap > 1e-5 {
                apart.push(format!("{name}: {gap:e} in {}", ["the value", "a gradient"][index.min(1)]));
            }
        }
    }
    assert!(apart.is_empty(), "{apart:#?}");
}
