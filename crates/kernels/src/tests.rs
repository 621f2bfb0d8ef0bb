//! Operations against the same as compositions of Burn's: values, and gradients of every input.

use std::cell::Cell;
use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::adaptive::{composed_adaptive, composed_gate};
use crate::attention::{Mask, Rotation, composed as composed_attention};
use crate::convolution::composed as composed_convolutions;
use crate::cpu::pixels::ColourScale;
use crate::distance::composed as composed_distances;
use crate::epps_pulley::composed as composed_epps_pulley;
use crate::gru::composed as composed_gru;
use crate::linear::{composed as composed_linear, linear_with};
use crate::norm::composed as composed_norm;
use crate::patch_embedding::composed as composed_embedding;
use crate::tubelets::{composed as composed_tubelets, tubelets};
use crate::vicreg::{composed_covariance, composed_variance};
use crate::{
    Activation, ConvolutionLayer, FeedForward, GruCell, Knots, Level, Precision, PreparedLinear, ResidualCell,
    RgbClips, Tubelets, Video, adaptive_layer_norm, attention, convolutions, covariance_square, epps_pulley,
    feed_forward, gated_residual, glu_residual, gru_rollout, layer_norm, linear, linear_residual, parallel,
    patch_embedding, residual_rollout, squared_distances, stack_steps, variance_hinge, with_level, with_precision,
};

const ACTIVATIONS: [Activation; 4] = [Activation::Identity, Activation::Relu, Activation::Gelu, Activation::Silu];

/// Numbers between -1 and 1, the same in every run of a test (each has a thread of its own): differences close to what is allowed
/// must not come and go.
fn uniform<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    thread_local! {
        static STATE: Cell<u64> = const { Cell::new(0x9e37_79b9_7f4a_7c15) };
    }
    let next = || {
        let mut state = STATE.get();
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        STATE.set(state);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
    Tensor::from_data(TensorData::new(values, shape), &Device::flex())
}

fn random<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    uniform(shape).autodiff().require_grad()
}

/// The largest difference over the largest number.
fn difference<const D: usize>(given: &Tensor<D>, expected: &Tensor<D>) -> f32 {
    assert_eq!(given.dims(), expected.dims());
    if given.dims().contains(&0) {
        return 0.0;
    }
    let top: f32 = expected.clone().without_autodiff().abs().max().into_scalar();
    let worst: f32 = (given.clone().without_autodiff() - expected.clone().without_autodiff()).abs().max().into_scalar();
    worst / top.max(1e-3)
}

/// Values of two forms, and gradients of these inputs under the same weights of the output.
macro_rules! assert_same {
    ($what:expr, $fused:expr, $composed:expr, $($input:expr),+) => {{
        let (fused, composed) = ($fused, $composed);
        assert!(difference(&fused, &composed) < 1e-5, "{}: values differ by {}", $what, difference(&fused, &composed));
        if !fused.dims().contains(&0) {
            let weights = uniform(fused.dims()).autodiff();
            let fused = (fused * weights.clone()).sum().backward();
            let composed = (composed * weights).sum().backward();
            $(
                let (given, expected) = ($input.grad(&fused).unwrap(), $input.grad(&composed).unwrap());
                let apart = difference(&given, &expected);
                assert!(apart < 1e-5, "{}: gradients of {} differ by {apart}", $what, stringify!($input));
            )+
        }
    }};
}

#[test]
fn linear_layers() {
    for [rows, inputs, outputs] in [[1, 1, 1], [7, 5, 33], [66, 40, 17], [0, 3, 2]] {
        for activation in ACTIVATIONS {
            let (weight, bias) = (random([inputs, outputs]), random([outputs]));
            // Not contiguous: the transpose of what is stored.
            let stored = random([2, inputs, rows]);
            let residual = random([2, rows, outputs]);
            let x = || stored.clone().swap_dims(1, 2);
            let what = format!("[{rows}, {inputs}, {outputs}] {activation:?}");
            let fused = linear_with(x(), weight.clone(), Some(bias.clone()), activation, Some(residual.clone()), None);
            let composed = composed_linear(x(), weight.clone(), Some(bias.clone()), activation, Some(residual.clone()));
            assert_same!(what, fused, composed, stored, weight, bias, residual);
            let fused = linear_with(x(), weight.clone(), None, activation, None, None);
            let composed = composed_linear(x(), weight.clone(), None, activation, None);
            assert_same!(what, fused, composed, stored, weight);
        }
    }
}

#[test]
fn prepared_layers_give_the_same_numbers() {
    for [rows, inputs, outputs] in [[1, 1, 1], [7, 5, 33], [130, 600, 40], [0, 3, 2]] {
        let (x, residual) = (uniform([rows, inputs]), uniform([rows, outputs]));
        let (weight, bias) = (uniform([inputs, outputs]), uniform([outputs]));
        let prepared = PreparedLinear::new(weight.clone(), Some(bias.clone()));
        for precision in [Precision::Float32, Precision::Bfloat16] {
            // Prepared in the first of them.
            let (found, wanted) = with_precision(precision, || {
                let found = [
                    prepared.forward(x.clone(), Activation::Gelu),
                    prepared.forward_residual(x.clone(), residual.clone(), Activation::Relu),
                ];
                let (weight, bias) = (weight.clone(), Some(bias.clone()));
                let wanted = [
                    linear(x.clone(), weight.clone(), bias.clone(), Activation::Gelu),
                    linear_residual(x.clone(), weight, bias, residual.clone(), Activation::Relu),
                ];
                (Tensor::cat(found.into(), 0), Tensor::cat(wanted.into(), 0))
            });
            assert!(difference(&found, &wanted) == 0.0, "[{rows}, {inputs}, {outputs}] {precision}");
        }
    }
}

#[test]
fn videos_in_tubelets() {
    for (video, frames, patch) in [
        ([2, 3, 4, 8, 12], 2, 4),
        ([1, 1, 1, 1, 1], 1, 1),
        ([3, 2, 3, 10, 5], 1, 5),
        ([1, 3, 2, 32, 16], 2, 16),
        ([0, 3, 2, 4, 4], 1, 2),
    ] {
        let [batch, channels, time, height, width] = video;
        let (x, turned) = (random(video), random([batch, channels, time, width, height]));
        let what = format!("{video:?} {frames} {patch}");
        assert_same!(what, tubelets(x.clone(), frames, patch), composed_tubelets(x.clone(), frames, patch), x);
        // Not contiguous.
        let x = || turned.clone().swap_dims(3, 4);
        assert_same!(what, tubelets(x(), frames, patch), composed_tubelets(x(), frames, patch), turned);
    }
}

/// Clips of bytes with these sizes, the same every time, and the same as numbers.
fn videos(sizes: [usize; 4]) -> [Video; 2] {
    let bytes: Vec<u8> = (0..3 * sizes.iter().product::<usize>()).map(|i| (i * i / 7 + i * 31) as u8).collect();
    let scale = ColourScale::normalising([0.3, 0.5, 0.4], [0.2, 0.25, 0.5]);
    let clips = RgbClips { bytes: Arc::new(bytes), stored: sizes[1], start: 0, sizes, scale };
    let numbers = clips.to_tensor(&Device::flex().autodiff());
    [Video::Bytes(clips), numbers.into()]
}

#[test]
fn patches_of_bytes() {
    for (sizes, frames, side, grid, keep, outputs) in [
        ([2, 4, 8, 12], 2, 4, [2, 3], None, 5),
        ([1, 1, 1, 1], 1, 1, [1, 1], None, 1),
        // The grid reaches beyond the frame.
        ([3, 3, 10, 7], 1, 5, [3, 2], None, 33),
        ([2, 2, 65, 3], 1, 5, [14, 2], Some((1, vec![27, 3, 28])), 16),
        ([3, 2, 32, 48], 2, 16, [2, 3], Some((3, vec![5, 0, 1, 1, 2, 4])), 40),
        // Tubelets in several parts.
        ([5, 2, 64, 96], 2, 16, [4, 6], None, 24),
        ([0, 2, 4, 4], 1, 2, [2, 2], None, 3),
    ] {
        let [bytes, numbers] = videos(sizes);
        let keep = keep.map(|(rows, ids): (usize, Vec<i64>)| {
            let shape = [rows, ids.len() / rows];
            Tensor::<2, Int>::from_data(TensorData::new(ids, shape), &Device::flex())
        });
        let patches = Tubelets { frames, side, grid, keep: keep.as_ref() };
        let (weight, bias) = (random([3 * frames * side * side, outputs]), random([outputs]));
        for activation in ACTIVATIONS {
            let what = format!("{sizes:?} {frames} {side} {keep:?} {activation:?}");
            let (weight, bias) = (weight.clone(), bias.clone());
            let given = patch_embedding(bytes.clone(), patches, weight.clone(), Some(bias.clone()), activation);
            let expected = composed_embedding(numbers.clone(), patches, weight.clone(), Some(bias.clone()), activation);
            let Video::Numbers(video) = numbers.clone() else { unreachable!("numbers") };
            let (plain, video) = (weight.clone().without_autodiff(), video.without_autodiff());
            let untracked = patch_embedding(video, patches, plain, Some(bias.clone().without_autodiff()), activation);
            assert!(difference(&untracked, &expected) < 1e-5, "{what}: numbers off the tape");
            assert_same!(what, given, expected, weight, bias);
            let given = patch_embedding(bytes.clone(), patches, weight.clone(), None, activation);
            let expected = composed_embedding(numbers.clone(), patches, weight.clone(), None, activation);
            assert_same!(what, given, expected, weight);
        }
    }
}

#[test]
fn layer_norms() {
    for [rows, width] in [[1, 2], [5, 33], [130, 48], [0, 4]] {
        let (x, scale, shift) = (random([3, rows, width]), random([width]), random([width]));
        let given = layer_norm(x.clone(), Some(scale.clone()), Some(shift.clone()), 1e-2);
        let expected = composed_norm(x.clone(), Some(scale.clone()), Some(shift.clone()), 1e-2);
        assert_same!("affine", given, expected, x, scale, shift);
        assert_same!("plain", layer_norm(x.clone(), None, None, 1e-2), composed_norm(x.clone(), None, None, 1e-2), x);
        let given = layer_norm(x.clone(), None, Some(shift.clone()), 1e-2);
        assert_same!("shift", given, composed_norm(x.clone(), None, Some(shift.clone()), 1e-2), x, shift);
    }
}

#[test]
fn adaptive_layer_norms_and_gates() {
    for [rows, width] in [[1, 1], [1, 2], [5, 33], [130, 48], [0, 4]] {
        let (x, scale, shift, residual) =
            (random([2, rows, width]), random([width]), random([width]), random([2, rows, width]));
        // Not contiguous: a part of what is stored.
        let stored = random([2, rows, 5 * width + 1]);
        let packed = || stored.clone().narrow(2, 1, 5 * width);
        let given = adaptive_layer_norm(x.clone(), scale.clone(), shift.clone(), packed(), [4, 1], 1e-2);
        let expected = composed_adaptive(x.clone(), scale.clone(), shift.clone(), packed(), [4, 1], 1e-2);
        assert_same!(format!("[{rows}, {width}]"), given, expected, x, scale, shift, stored);
        let given = gated_residual(x.clone(), residual.clone(), packed(), 2);
        let expected = composed_gate(x.clone(), residual.clone(), packed(), 2);
        assert_same!(format!("[{rows}, {width}]"), given, expected, x, residual, stored);
    }
}

#[test]
fn gated_linear_units() {
    for [rows, width] in [[1, 1], [3, 8], [700, 13], [5, 33], [0, 4]] {
        // Not contiguous: a part of what is stored.
        let (stored, residual) = (random([2, rows, 2 * width + 1]), random([2, rows, width]));
        let packed = || stored.clone().narrow(2, 1, 2 * width) * 4.0;
        let given = glu_residual(packed(), residual.clone());
        let expected = crate::glu::composed(packed(), residual.clone());
        assert_same!(format!("[{rows}, {width}]"), given, expected, stored, residual);
    }
}

#[test]
fn recurrent_rollouts() {
    for [batch, steps, dim] in [[1, 1, 1], [3, 4, 2], [35, 3, 17], [70, 2, 32], [0, 2, 3], [2, 0, 3]] {
        // Not contiguous: the transpose of what is stored.
        let stored = random([steps, batch, 3 * dim]);
        let inputs = || stored.clone().swap_dims(0, 1);
        let state = random([batch, dim]);
        let (weight, bias, scale, shift) = (random([dim, 3 * dim]), random([3 * dim]), random([dim]), random([dim]));
        let cell = GruCell {
            weight: weight.clone(),
            bias: bias.clone(),
            scale: scale.clone(),
            shift: shift.clone(),
            epsilon: 0.5,
        };
        let given = gru_rollout(inputs(), state.clone(), cell.clone());
        let what = format!("[{batch}, {steps}, {dim}]");
        let expected = composed_gru(inputs(), state.clone(), cell.clone());
        assert_same!(what, given, expected.clone(), stored, state, weight, bias, scale, shift);
        let untracked = gru_rollout(inputs().without_autodiff(), state.without_autodiff(), cell);
        assert!(difference(&untracked, &expected) < 1e-5, "{what} off the tape");
    }
}

#[test]
fn residual_rollouts() {
    for [batch, steps, dim, hidden] in [[1, 1, 1, 1], [3, 4, 2, 5], [73, 3, 17, 40], [150, 2, 64, 33]] {
        for precision in [Precision::Float32, Precision::Bfloat16] {
            with_precision(precision, || {
                let layer = |inputs, outputs, bias: bool| {
                    PreparedLinear::new(uniform([inputs, outputs]), bias.then(|| uniform([outputs])))
                };
                let (latent, middle) = (layer(dim, hidden, true), layer(hidden, hidden, false));
                let cell = ResidualCell { latent, middle, output: layer(hidden, dim, true) };
                // Not contiguous: the transpose of what is stored.
                let actions = || uniform([batch, steps, hidden]).swap_dims(0, 1);
                let (actions, state) = (actions(), uniform([batch, dim]));
                let given = residual_rollout(actions.clone(), state.clone(), &cell);
                let expected = crate::residual::composed(actions, state, &cell);
                let apart = difference(&given, &expected);
                assert!(apart < 1e-6, "[{batch}, {steps}, {dim}, {hidden}] {precision}: {apart}");
            });
        }
    }
}

#[test]
fn feed_forwards() {
    for ([rows, width, hidden], bias) in
        [([0, 3, 2], true), ([1, 1, 1], true), ([7, 5, 33], false), ([150, 17, 40], true), ([2, 3, 5000], true)]
    {
        for activation in ACTIVATIONS {
            // Not contiguous: the transpose of what is stored.
            let stored = random([width, rows]);
            let x = || stored.clone().transpose();
            let (scale, shift) = (random([width]), random([width]));
            let (first, second) = (random([width, hidden]), random([hidden, width]));
            let biases = [random([hidden]), random([width])];
            let layers = || FeedForward {
                scale: scale.clone(),
                shift: shift.clone(),
                epsilon: 0.1,
                first: (first.clone(), bias.then(|| biases[0].clone())),
                second: (second.clone(), bias.then(|| biases[1].clone())),
                activation,
            };
            let FeedForward { first: (w1, b1), second: (w2, b2), .. } = layers();
            let normed = composed_norm(x(), Some(scale.clone()), Some(shift.clone()), 0.1);
            let inner = composed_linear(normed, w1, b1, activation, None);
            let expected = composed_linear(inner, w2, b2, Activation::Identity, Some(x()));
            let what = format!("[{rows}, {width}, {hidden}] {activation:?}");
            let off_tape = |(weight, bias): (Tensor<2>, Option<Tensor<1>>)| {
                (weight.without_autodiff(), bias.map(Tensor::without_autodiff))
            };
            let FeedForward { scale: s, shift: t, epsilon, first: one, second: two, .. } = layers();
            let (s, t) = (s.without_autodiff(), t.without_autodiff());
            let untracked =
                FeedForward { scale: s, shift: t, epsilon, first: off_tape(one), second: off_tape(two), activation };
            let given = feed_forward(x().without_autodiff(), untracked.clone());
            assert!(difference(&given, &expected.clone().without_autodiff()) < 1e-5, "{what} off the tape");
            let rounded = with_precision(Precision::Bfloat16, || feed_forward(x().without_autodiff(), untracked));
            assert!(difference(&rounded, &given) < 3e-2, "{what} in bfloat16");
            assert_same!(what, feed_forward(x(), layers()), expected, stored, scale, shift, first, second);
        }
    }
}

#[test]
fn penalties_of_collapse() {
    for [rows, columns] in [[2, 2], [2, 33], [7, 5], [300, 40]] {
        let stored = random([columns, rows]);
        // Columns that have something in common, away from zero.
        let samples = || {
            let samples = stored.clone().transpose();
            samples.clone() * 0.9 + samples.narrow(1, 0, 1) + 0.3
        };
        let what = format!("[{rows}, {columns}]");
        let expected = composed_covariance(samples());
        assert_same!(what, covariance_square(samples()), expected, stored);
        let expected = composed_variance(samples(), 3.0, 1e-4);
        assert_same!(what, variance_hinge(samples(), 3.0, 1e-4), expected, stored);
        for knots in [Knots::Ten, Knots::ThirtyThree] {
            let expected = composed_epps_pulley(samples() * 3.0, knots);
            assert_same!(what, epps_pulley(samples() * 3.0, knots), expected, stored);
        }
    }
    let one = random([1, 1]);
    let expected = composed_epps_pulley(one.clone(), Knots::Ten);
    assert_same!("one number", epps_pulley(one.clone(), Knots::Ten), expected, one);
    let none: f32 = epps_pulley(random([0, 3]), Knots::Ten).into_scalar();
    assert!(none.is_nan());
}

#[test]
fn attentions() {
    let (batch, heads, head_dim) = (2, 3, 8);
    for tokens in [1, 6, 41, 300] {
        let stored = random([tokens, batch, 3 * heads * head_dim]);
        let qkv = || stored.clone().swap_dims(0, 1);
        let table = || uniform([batch, tokens, head_dim]);
        let rotation = Rotation { cosine: table(), sine: table() };
        let bounds = |rows: usize| {
            let bounds = (0..rows * tokens).flat_map(|i| {
                let first = i * 3 % tokens;
                [first as f32, (first + 1 + i * 7 % (tokens - first)) as f32]
            });
            Tensor::<3>::from_data(TensorData::new(bounds.collect::<Vec<f32>>(), [rows, tokens, 2]), &Device::flex())
        };
        let between = [1, batch].map(|rows| Mask::Between(bounds(rows)));
        for mask in [Mask::Full, Mask::BlockCausal(1), Mask::BlockCausal(4)].iter().chain(&between) {
            for rotation in [None, Some(&rotation)] {
                let given = attention(qkv(), heads, mask, rotation);
                let expected = composed_attention(qkv(), heads, mask, rotation);
                assert_same!(format!("{tokens} {mask:?}"), given, expected, stored);
            }
        }
    }
}

#[test]
fn single_convolutions() {
    for ([batch, inputs, outputs], [height, width], stride, padding) in [
        ([2, 3, 5], [9, 14], 2, 1),
        ([1, 1, 1], [3, 3], 1, 0),
        ([9, 4, 33], [8, 8], 1, 1),
        ([5, 17, 20], [13, 15], 1, 1),
        ([0, 2, 2], [5, 5], 1, 1),
    ] {
        for activation in ACTIVATIONS {
            let x = random([batch, inputs, height, width]);
            let (weight, bias) = (random([outputs, inputs, 3, 3]), random([outputs]));
            let (stride, padding) = ([stride, stride], [padding, padding]);
            let layer =
                ConvolutionLayer { weight: weight.clone(), bias: Some(bias.clone()), stride, padding, activation };
            let given = convolutions(x.clone(), std::slice::from_ref(&layer));
            let expected = composed_convolutions(x.clone(), &[layer]);
            assert_same!(format!("{batch} {activation:?}"), given, expected, x, weight, bias);
        }
    }
}

/// Layers of all methods, with and without bias, of every activation, for no image, one, and more than one task takes.
#[test]
fn convolutions_that_follow_each_other() {
    for (batch, kinds) in [(0, [1, 0]), (1, [0, 1]), (5, [2, 1]), (37, [1, 2]), (18, [3, 0])] {
        let x = random([batch, 3, 18, 21]);
        let weights = [random([16, 3, 3, 3]), random([17, 16, 3, 3]), random([5, 17, 2, 3]), random([2, 5, 1, 1])];
        let biases = [random([16]), random([5]), random([2])];
        let layer = |index: usize, bias: Option<usize>, stride: usize| ConvolutionLayer {
            weight: weights[index].clone(),
            bias: bias.map(|bias| biases[bias].clone()),
            stride: [stride, 1],
            padding: [1, 1],
            activation: ACTIVATIONS[kinds[index % 2]],
        };
        let layers = [layer(0, Some(0), 1), layer(1, None, 1), layer(2, Some(1), 2), layer(3, Some(2), 1)];
        let (given, expected) = (convolutions(x.clone(), &layers), composed_convolutions(x.clone(), &layers));
        let on_tape = given.clone().without_autodiff();
        assert_same!(batch, given, expected, x, weights[0], weights[1], weights[2], weights[3], biases[0], biases[1]);
        let off_tape = layers.map(|layer| ConvolutionLayer {
            weight: layer.weight.without_autodiff(),
            bias: layer.bias.map(Tensor::without_autodiff),
            ..layer
        });
        let without_tape = convolutions(x.clone().without_autodiff(), &off_tape);
        assert!(difference(&without_tape, &on_tape) == 0.0, "off the tape");
    }
}

/// As PyTorch's: training that has gone wrong must not look as if it had not.
#[test]
fn rectifiers_keep_what_is_no_number() {
    let missing = |x: Tensor<4>| x.is_nan().any().into_scalar::<bool>();
    for width in [3, 40] {
        let x: Tensor<4> = uniform([1, 16, 4, width]) * f32::NAN;
        for stride in [1, 2] {
            let layer = ConvolutionLayer {
                weight: uniform([16, 16, 3, 3]),
                bias: None,
                stride: [stride, stride],
                padding: [1, 1],
                activation: Activation::Relu,
            };
            assert!(missing(convolutions(x.clone(), &[layer])), "width {width}, stride {stride}");
        }
        assert!(missing(linear(x, uniform([width, 5]), None, Activation::Relu)));
    }
}

/// More layers than one kernel takes.
#[test]
fn many_convolutions() {
    let (x, weight) = (random([2, 2, 5, 6]), random([2, 2, 3, 3]));
    let layer = ConvolutionLayer {
        weight: weight.clone(),
        bias: None,
        stride: [1, 1],
        padding: [1, 1],
        activation: Activation::Silu,
    };
    let layers = vec![layer; 11];
    let (given, expected) = (convolutions(x.clone(), &layers), composed_convolutions(x.clone(), &layers));
    assert_same!("eleven layers", given, expected, x, weight);
    assert_eq!(convolutions(x.clone(), &[]).dims(), x.dims());
}

#[test]
fn squared_distances_on_the_tape_and_off_it() {
    for (episodes, samples, steps, width) in [(1, 5, 3, 7), (3, 40, 1, 64), (2, 0, 2, 3)] {
        let (values, goals) = (random([episodes, samples, steps * width]), random([episodes, width]));
        let expected = composed_distances(values.clone(), goals.clone());
        let given = squared_distances(values.clone(), goals.clone());
        assert_eq!(given.dims(), [episodes, samples]);
        assert_same!(samples, given, expected.clone(), values, goals);
        let off_tape = squared_distances(values.without_autodiff(), goals.without_autodiff());
        assert!(difference(&off_tape, &expected) < 1e-6);
    }
}

#[test]
fn steps_of_groups_are_one_rollout() {
    let group = |rows: usize| (0..3).map(|_| uniform([rows, 5])).collect::<Vec<Tensor<2>>>();
    let groups: Vec<_> = [4, 1, 7].map(group).into();
    let given = stack_steps(groups.clone());
    assert_eq!(given.dims(), [12, 3, 5]);
    assert!(difference(&given, &crate::stack::composed(groups)) == 0.0);
}

#[test]
fn bfloat16_is_for_the_work_inside() {
    let (x, weight) = (random([20, 64]), random([64, 20]));
    let product = || linear(x.clone(), weight.clone(), None, Activation::Identity);
    let exact = product();
    let rounded = with_precision(Precision::Bfloat16, product);
    let apart = difference(&rounded, &exact);
    assert!(apart > 1e-5 && apart < 2e-2, "{apart}");
    assert!(difference(&product(), &exact) == 0.0);
}

/// Level and precision follow the work to other threads, and the operation to its backward pass.
#[test]
fn an_operation_keeps_what_it_was_created_with() {
    let (x, weight) = (random([40, 64]), random([64, 32]));
    let product = |()| linear(x.clone(), weight.clone(), None, Activation::Identity);
    let both = |out: Tensor<2>| {
        let gradients = out.clone().sum().backward();
        (out.without_autodiff(), x.grad(&gradients).unwrap())
    };
    let threads = parallel::Threads::new(3);
    for level in Level::available() {
        let [exact, rounded] = [Precision::Float32, Precision::Bfloat16].map(|precision| {
            let scope = |work: &dyn Fn() -> Vec<Tensor<2>>| with_level(level, || with_precision(precision, work));
            let expected = scope(&|| Vec::from(<[Tensor<2>; 2]>::from(both(product(())))));
            let created = threads.install(|| scope(&|| parallel::map(vec![(); 12], product)));
            for (value, gradient) in created.into_iter().map(both) {
                let apart = [difference(&value, &expected[0]), difference(&gradient, &expected[1])];
                assert_eq!(apart, [0.0; 2], "{level} {precision}");
            }
            expected
        });
        let apart = [difference(&rounded[0], &exact[0]), difference(&rounded[1], &exact[1])];
        assert!(apart.iter().all(|apart| *apart > 1e-5 && *apart < 2e-2), "{level}: {apart:?}");
    }
}

#[test]
fn layers_prepared_at_one_level_work_at_every_other() {
    let (x, weight) = (uniform([7, 40]), uniform([40, 33]));
    for prepared_at in Level::available() {
        let prepared = with_level(prepared_at, || PreparedLinear::new(weight.clone(), None));
        for level in Level::available() {
            let (given, expected) = with_level(level, || {
                let given = prepared.forward(x.clone(), Activation::Identity);
                (given, linear(x.clone(), weight.clone(), None, Activation::Identity))
            });
            assert_eq!(given.into_data(), expected.into_data(), "{prepared_at} {level}");
        }
    }
}

#[test]
fn names_of_precisions() {
    use serde::Deserialize as _;
    use serde::de::IntoDeserializer as _;
    let read = |name: &str| {
        let name: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
        Precision::deserialize(name)
    };
    for precision in [Precision::Float32, Precision::Bfloat16] {
        assert_eq!(read(&precision.to_string()), Ok(precision));
    }
    assert_eq!(read("f32"), Ok(Precision::Float32));
    let message = read("half").unwrap_err().to_string();
    assert!(message.contains("`float32`") && message.contains("`bf16`"), "{message}");
}
