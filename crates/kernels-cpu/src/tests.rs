//! Values and gradients of the kernels against plain loops in float64 and finite differences, at every level.

#![allow(clippy::single_match_else, reason = "the first level is compared with differences, the others with the first")]

use proptest::prelude::*;

use super::attention::{Attention, Mask, Rotation};
use super::convolution::{self, Convolution, Known, Layer, Results};
use super::epps_pulley::Knots;
use super::feed_forward::FeedForward;
use super::gru::{Gru, Kept, Rolled};
use super::linear::{Linear, activation_backward, input_gradient, sum_rows, weight_gradient};
use super::norm::{Affine, Gradients, Modulation};
use super::parallel::Threads;
use super::{Activation, Level, Matrix, Precision, epps_pulley, gate, gru, norm, vicreg};

pub(super) const ACTIVATIONS: [Activation; 4] =
    [Activation::Identity, Activation::Relu, Activation::Gelu, Activation::Silu];

/// Numbers between -1 and 1.
pub(super) fn numbers(length: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// The largest difference over the largest number.
pub(super) fn difference(given: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(given.len(), expected.len());
    let top = expected.iter().fold(1e-3_f32, |top, value| top.max(value.abs()));
    given.iter().zip(expected).fold(0.0_f32, |worst, (given, expected)| {
        if given.is_nan() { f32::INFINITY } else { worst.max((given - expected).abs() / top) }
    })
}

/// Checks `gradient` of `loss` at `x` along a few directions. `loss` is in float32: steps are wide.
pub(super) fn check_gradient(x: &[f32], gradient: &[f32], loss: impl Fn(&[f32]) -> f64) {
    const STEP: f32 = 1.0 / 64.0;
    for seed in 0..2 {
        let direction = numbers(x.len(), 1000 + seed);
        let at = |step: f32| loss(&x.iter().zip(&direction).map(|(x, d)| x + step * d).collect::<Vec<_>>());
        // Richardson: the error of the central difference falls with the fourth power of the step.
        let slope = |step: f32| (at(step) - at(-step)) / f64::from(2.0 * step);
        let numeric = (4.0 * slope(STEP / 2.0) - slope(STEP)) / 3.0;
        let exact: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(*g) * f64::from(*d)).sum();
        let scale = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt().max(1e-2);
        assert!((numeric - exact).abs() < 5e-3 * scale, "{numeric} is not {exact} (norm {scale})");
    }
}

pub(super) fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

/// The maps after a norm, one after the other.
fn affine_map<'a>(kind: usize, scale: &'a [f32], shift: &'a [f32], packed: &'a [f32]) -> Affine<'a> {
    match kind {
        0 => Affine::Identity,
        1 => Affine::Shared { scale, shift: None },
        2 => Affine::Shared { scale, shift: Some(shift) },
        _ => {
            let own = Modulation { values: packed, parts: 3, scale: 2, shift: 0 };
            Affine::Adaptive { scale, shift, own }
        }
    }
}

fn linear(level: Level, x: &[f32], weight: &[f32], bias: &[f32], activation: Activation, rows: usize) -> [Vec<f32>; 2] {
    let (outputs, inputs) = (bias.len(), weight.len().checked_div(bias.len()).unwrap_or(0));
    let layer = Linear {
        x: Matrix::new(x, rows, inputs),
        weight: Matrix::new(weight, inputs, outputs),
        bias: Some(bias),
        activation,
    };
    let (mut inner, mut out) = (vec![f32::NAN; rows * outputs], vec![f32::NAN; rows * outputs]);
    layer.forward(level, Precision::Float32, None, None, Some(&mut inner), &mut out);
    [out, inner]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn linear_is_the_same_at_every_level(rows in 0_usize..70, inputs in 1_usize..70, outputs in 1_usize..70, kind in 0_usize..4) {
        let (x, weight, bias) = (numbers(rows * inputs, 1), numbers(inputs * outputs, 2), numbers(outputs, 3));
        let mut expected = vec![0.0_f64; rows * outputs];
        for (place, sum) in expected.iter_mut().enumerate() {
            let (row, column) = (place / outputs, place % outputs);
            *sum = f64::from(bias[column])
                + (0..inputs).map(|i| f64::from(x[row * inputs + i]) * f64::from(weight[i * outputs + column])).sum::<f64>();
        }
        let expected: Vec<f32> = expected.into_iter().map(|value| value as f32).collect();
        let reference = linear(Level::PORTABLE, &x, &weight, &bias, ACTIVATIONS[kind], rows);
        for level in Level::available() {
            let [out, inner] = linear(level, &x, &weight, &bias, ACTIVATIONS[kind], rows);
            prop_assert!(difference(&inner, &expected) < 1e-5);
            prop_assert!(difference(&out, &reference[0]) < 1e-5);
        }
    }

    #[test]
    fn attention_is_the_same_at_every_level(
        batch in 0_usize..3, tokens in 1_usize..80, heads in 1_usize..4, pairs in 1_usize..12, mask in 0_usize..4, rotations in 0_usize..3,
    ) {
        let dim = 2 * pairs;
        let bounds: Vec<f32> = (0..batch * tokens).flat_map(|i| bounds(i, tokens)).collect();
        let qkv: Vec<f32> = numbers(batch * tokens * 3 * heads * dim, 1).iter().map(|x| 2.0 * x).collect();
        let tables = numbers(2 * batch.max(1) * tokens * dim, 2);
        let one = if rotations == 2 { batch * tokens * dim } else { tokens * dim };
        let rotation = (rotations > 0).then(|| Rotation { cosine: &tables[..one], sine: &tables[tables.len() - one..] });
        let mask = [Mask::Full, Mask::BlockCausal(1), Mask::BlockCausal(5), Mask::Between(&bounds)][mask];
        let attention = Attention { batch, tokens, heads, head_dim: dim, mask, rotation };
        let expected = plain_attention(&attention, &qkv);
        let weights = numbers(expected.len(), 3);
        let mut reference: Option<Vec<f32>> = None;
        for level in Level::available() {
            let run = |qkv: &[f32]| {
                let (mut out, mut logarithms) = (vec![f32::NAN; expected.len()], vec![f32::NAN; batch * heads * tokens]);
                attention.forward(level, Precision::Float32, qkv, &mut out, &mut logarithms);
                (out, logarithms)
            };
            let (out, logarithms) = run(&qkv);
            prop_assert!(difference(&out, &expected) < 1e-5, "{level:?}: {}", difference(&out, &expected));
            let mut gradient = vec![f32::NAN; qkv.len()];
            attention.backward(level, Precision::Float32, &qkv, &out, &logarithms, &weights, &mut gradient);
            match &reference {
                Some(reference) => prop_assert!(difference(&gradient, reference) < 1e-5),
                None => {
                    if !qkv.is_empty() {
                        check_gradient(&qkv, &gradient, |qkv| dot(&run(qkv).0, &weights));
                    }
                    reference = Some(gradient);
                }
            }
        }
    }

    #[test]
    fn layer_norm_is_the_same_at_every_level(rows in 0_usize..150, width in 1_usize..70, affine in 0_usize..4) {
        let (x, g) = (numbers(rows * width, 1), numbers(rows * width, 2));
        let (scale, shift) = (numbers(width, 3), numbers(width, 4));
        let packed = numbers(rows * 3 * width, 5);
        let expected: Vec<f32> = x
            .chunks_exact(width)
            .zip(packed.chunks_exact(3 * width))
            .flat_map(|(row, packed)| {
                let mean = row.iter().map(|x| f64::from(*x)).sum::<f64>() / width as f64;
                let variance = row.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / width as f64;
                let (scale, shift) = (&scale, &shift);
                row.iter().enumerate().map(move |(i, x)| {
                    let normal = (f64::from(*x) - mean) / (variance + 0.01).sqrt();
                    let scaled = if affine > 0 { normal * f64::from(scale[i]) } else { normal };
                    let shifted = if affine > 1 { scaled + f64::from(shift[i]) } else { scaled };
                    let [own_scale, own_shift] = [packed[2 * width + i], packed[i]].map(f64::from);
                    (if affine > 2 { shifted * (1.0 + own_scale) + own_shift } else { shifted }) as f32
                })
            })
            .collect();
        let mut reference: Option<[Vec<f32>; 4]> = None;
        for level in Level::available() {
            let run = |x: &[f32], packed: &[f32]| {
                let (mut statistics, mut out) = (vec![[f32::NAN; 2]; rows], vec![f32::NAN; rows * width]);
                let map = affine_map(affine, &scale, &shift, packed);
                norm::forward(level, x, width, 0.01, map, &mut statistics, &mut out);
                (out, statistics)
            };
            let (out, statistics) = run(&x, &packed);
            prop_assert!(difference(&out, &expected) < 1e-5);
            let mut gradients = [rows * width, width, width, packed.len()].map(|length| vec![f32::NAN; length]);
            let [of_x, of_scale, of_shift, own] = &mut gradients;
            let out = Gradients { x: of_x, residual: None, scale: Some(of_scale), shift: Some(of_shift), own: Some(own) };
            norm::backward(level, &x, width, affine_map(affine, &scale, &shift, &packed), &statistics, &g, out);
            match &reference {
                Some(reference) => (0..[1, 3, 3, 4][affine])
                    .for_each(|index| assert!(difference(&gradients[index], &reference[index]) < 1e-5)),
                None => {
                    if rows > 0 && width > 1 {
                        check_gradient(&x, &gradients[0], |x| dot(&run(x, &packed).0, &g));
                    }
                    if rows > 0 && affine == 3 {
                        check_gradient(&packed, &gradients[3], |packed| dot(&run(&x, packed).0, &g));
                    }
                    reference = Some(gradients);
                }
            }
        }
    }

    #[test]
    fn gates_are_the_same_at_every_level(rows in 0_usize..150, width in 1_usize..40, part in 0_usize..3) {
        let [x, residual, g] = [1, 2, 3].map(|seed| numbers(rows * width, seed));
        let packed = numbers(rows * 3 * width, 4);
        let expected: Vec<f32> =
            (0..rows * width).map(|i| residual[i] + packed[(i / width * 3 + part) * width + i % width] * x[i]).collect();
        for level in Level::available() {
            let run = |x: &[f32], packed: &[f32]| {
                let mut out = vec![f32::NAN; rows * width];
                let gates = gate::Gates { values: packed, width, stride: 3 * width, part };
                gate::forward(level, x, &residual, gates, &mut out);
                out
            };
            prop_assert!(difference(&run(&x, &packed), &expected) < 1e-5);
            let (mut of_x, mut of_packed) = (vec![f32::NAN; x.len()], vec![f32::NAN; packed.len()]);
            let gates = gate::Gates { values: &packed, width, stride: 3 * width, part };
            gate::backward(level, &x, gates, &g, &mut of_x, &mut of_packed);
            if rows > 0 {
                check_gradient(&x, &of_x, |x| dot(&run(x, &packed), &g));
                check_gradient(&packed, &of_packed, |packed| dot(&run(&x, packed), &g));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn recurrent_rollouts_are_the_same_at_every_level(batch in 0_usize..70, steps in 0_usize..4, dim in 1_usize..24) {
        let (weight, bias) = (numbers(3 * dim * dim, 1), numbers(3 * dim, 2));
        let (scale, shift) = (numbers(dim, 3), numbers(dim, 4));
        let (inputs, state) = (numbers(batch * steps * 3 * dim, 5), numbers(batch * dim, 6));
        let length = batch * steps * dim;
        let g = numbers(length, 7);
        let mut reference: Option<[Vec<f32>; 7]> = None;
        for level in Level::available() {
            let run = |inputs: &[f32], state: &[f32], weight: &[f32]| {
                let cell = Gru { weight, bias: &bias, scale: &scale, shift: &shift, epsilon: 0.1 };
                let (mut gates, mut statistics) = (vec![f32::NAN; 4 * length], vec![f32::NAN; 2 * batch * steps]);
                let mut out = vec![f32::NAN; length];
                let kept = Kept { gates: &mut gates, statistics: &mut statistics };
                cell.forward(level, Precision::Float32, steps, inputs, state, Some(kept), &mut out);
                (out, gates, statistics)
            };
            let (out, gates, statistics) = run(&inputs, &state, &weight);
            let expected = plain_gru(&weight, &bias, [&scale, &shift], steps, &inputs, &state);
            prop_assert!(difference(&out, &expected) < 2e-5, "{level:?}: {}", difference(&out, &expected));
            let cell = Gru { weight: &weight, bias: &bias, scale: &scale, shift: &shift, epsilon: 0.1 };
            let mut gradients =
                [3 * length, batch * dim, weight.len(), 3 * dim, dim, dim].map(|length| vec![f32::NAN; length]);
            {
                let rolled = Rolled { state: &state, states: &out, gates: &gates, statistics: &statistics };
                let [inputs, state, weight, bias, scale, shift] = &mut gradients;
                let out = gru::Gradients { inputs, state, weight, bias, scale, shift };
                cell.backward(level, Precision::Float32, steps, rolled, &g, out);
            }
            match &reference {
                Some(reference) => {
                    for (given, expected) in gradients.iter().chain([&out]).zip(reference) {
                        prop_assert!(difference(given, expected) < 2e-5, "{level:?}: {}", difference(given, expected));
                    }
                }
                None => {
                    if length > 0 && dim > 1 {
                        check_gradient(&inputs, &gradients[0], |inputs| dot(&run(inputs, &state, &weight).0, &g));
                        check_gradient(&state, &gradients[1], |state| dot(&run(&inputs, state, &weight).0, &g));
                        check_gradient(&weight, &gradients[2], |weight| dot(&run(&inputs, &state, weight).0, &g));
                    }
                    let [a, b, c, d, e, f] = gradients;
                    reference = Some([a, b, c, d, e, f, out]);
                }
            }
        }
    }

    #[test]
    fn penalties_of_collapse_are_the_same_at_every_level(rows in 2_usize..300, columns in 2_usize..40) {
        let shared = numbers(rows, 1);
        let x: Vec<f32> = numbers(rows * columns, 2).iter().enumerate().map(|(i, x)| 2.0 * x + shared[i / columns]).collect();
        let column = |index: usize| x.iter().skip(index).step_by(columns).map(|x| f64::from(*x)).collect::<Vec<_>>();
        let covariance_of = |a: &[f64], b: &[f64]| {
            let mean = |x: &[f64]| x.iter().sum::<f64>() / rows as f64;
            let (mean_a, mean_b) = (mean(a), mean(b));
            a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum::<f64>() / (rows - 1) as f64
        };
        let all: Vec<Vec<f64>> = (0..columns).map(column).collect();
        let margin = 1.3;
        let variance = all.iter().map(|a| (margin - (covariance_of(a, a) + 1e-4).sqrt()).max(0.0)).sum::<f64>() / columns as f64;
        let pairs = (0..columns).flat_map(|i| (0..columns).filter(move |j| *j != i).map(move |j| (i, j)));
        let covariance = pairs.map(|(i, j)| covariance_of(&all[i], &all[j]).powi(2)).sum::<f64>() / (columns * (columns - 1)) as f64;
        let statistic = |samples: &[f64], knots: Knots| knots.points().enumerate().map(|(point, t)| {
            let mean = |f: fn(f64) -> f64| samples.iter().map(|x| f(x * t)).sum::<f64>() / rows as f64;
            knots.weight(point) * ((mean(f64::cos) - knots.gaussian(point)).powi(2) + mean(f64::sin).powi(2))
        }).sum::<f64>();
        for level in Level::available() {
            let run_variance = |x: &[f32]| {
                let (mut means, mut factors) = (vec![f32::NAN; columns], vec![f32::NAN; columns]);
                let value = vicreg::variance(level, x, margin as f32, 1e-4, &mut means, &mut factors);
                (value, means, factors)
            };
            let (value, means, factors) = run_variance(&x);
            prop_assert!((f64::from(value) - variance).abs() < 1e-5);
            let mut gradient = vec![f32::NAN; x.len()];
            vicreg::variance_gradient(level, &x, &means, &factors, 1.5, &mut gradient);
            // Where no column is near the margin, which is a corner.
            if all.iter().all(|a| (covariance_of(a, a).sqrt() - margin).abs() > 0.1) {
                check_gradient(&x, &gradient, |x| 1.5 * f64::from(run_variance(x).0));
            }

            let run_covariance = |x: &[f32]| {
                let (mut centred, mut matrix) = (vec![f32::NAN; x.len()], vec![f32::NAN; columns * columns]);
                let value = vicreg::covariance(level, x, columns, &mut centred, &mut matrix);
                (value, centred, matrix)
            };
            let (value, centred, matrix) = run_covariance(&x);
            prop_assert!(difference(&[value], &[covariance as f32]) < 1e-5);
            vicreg::covariance_gradient(level, &centred, &matrix, columns, 1.5, &mut gradient);
            check_gradient(&x, &gradient, |x| 1.5 * f64::from(run_covariance(x).0));

            for knots in [Knots::Ten, Knots::ThirtyThree] {
                let run_normality = |x: &[f32]| {
                    let mut means = vec![f32::NAN; 2 * knots.count() * columns];
                    (epps_pulley::forward(level, knots, x, columns, &mut means), means)
                };
                let (value, means) = run_normality(&x);
                let normality = all.iter().map(|samples| statistic(samples, knots)).sum::<f64>() / columns as f64;
                prop_assert!(difference(&[value], &[normality as f32]) < 1e-5);
                epps_pulley::backward(level, knots, &x, columns, &means, 100.0, &mut gradient);
                check_gradient(&x, &gradient, |x| 100.0 * f64::from(run_normality(x).0));
            }
        }
    }
}

/// In float64, number by number.
fn plain_gru(
    weight: &[f32],
    bias: &[f32],
    [scale, shift]: [&[f32]; 2],
    steps: usize,
    inputs: &[f32],
    state: &[f32],
) -> Vec<f32> {
    let dim = scale.len();
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let mut out = Vec::new();
    for (row, state) in state.chunks_exact(dim).enumerate() {
        let mut state: Vec<f64> = state.iter().map(|x| f64::from(*x)).collect();
        for step in 0..steps {
            let input = |i: usize| f64::from(inputs[(row * steps + step) * 3 * dim + i]);
            let product = |i: usize| {
                let terms = state.iter().enumerate().map(|(k, x)| x * f64::from(weight[k * 3 * dim + i]));
                terms.sum::<f64>() + f64::from(bias[i])
            };
            let next: Vec<f64> = (0..dim)
                .map(|i| {
                    let reset = sigmoid(input(i) + product(i));
                    let update = sigmoid(input(dim + i) + product(dim + i));
                    let new = (input(2 * dim + i) + reset * product(2 * dim + i)).tanh();
                    (1.0 - update) * new + update * state[i]
                })
                .collect();
            let mean = next.iter().sum::<f64>() / dim as f64;
            let variance = next.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / dim as f64;
            state = next
                .iter()
                .enumerate()
                .map(|(i, x)| (x - mean) / (variance + 0.1).sqrt() * f64::from(scale[i]) + f64::from(shift[i]))
                .collect();
            out.extend(state.iter().map(|x| *x as f32));
        }
    }
    out
}

/// Some keys that follow each other, at least one.
fn bounds(token: usize, tokens: usize) -> [f32; 2] {
    let first = token * 3 % tokens;
    [first as f32, (first + 1 + token * 7 % (tokens - first)) as f32]
}

/// In float64, score by score.
fn plain_attention(attention: &Attention<'_>, qkv: &[f32]) -> Vec<f32> {
    let Attention { batch, tokens, heads, head_dim: dim, mask, rotation } = *attention;
    let get = |b: usize, token: usize, part: usize, head: usize| -> Vec<f64> {
        let start = (((b * tokens + token) * 3 + part) * heads + head) * dim;
        let x: Vec<f64> = qkv[start..start + dim].iter().map(|x| f64::from(*x)).collect();
        let Some(Rotation { cosine, sine }) = rotation.filter(|_| part < 2) else { return x };
        let start = if cosine.len() > tokens * dim { b * tokens + token } else { token } * dim;
        (0..dim)
            .map(|i| {
                let partner = if i % 2 == 0 { -x[i + 1] } else { x[i - 1] };
                x[i] * f64::from(cosine[start + i]) + partner * f64::from(sine[start + i])
            })
            .collect()
    };
    let mut out = vec![0.0_f32; batch * tokens * heads * dim];
    for (b, head) in (0..batch).flat_map(|b| (0..heads).map(move |head| (b, head))) {
        let parts: Vec<[Vec<f64>; 3]> = (0..tokens).map(|t| [0, 1, 2].map(|part| get(b, t, part, head))).collect();
        for token in 0..tokens {
            let sees = |key: usize| match mask {
                Mask::Full => true,
                Mask::BlockCausal(block) => key / block <= token / block,
                Mask::Between(bounds) => {
                    let bounds = &bounds[2 * (b * tokens + token)..][..2];
                    bounds[0] as usize <= key && key < bounds[1] as usize
                }
            };
            let weights: Vec<f64> = (0..tokens)
                .map(|key| {
                    let score: f64 = parts[token][0].iter().zip(&parts[key][1]).map(|(q, k)| q * k).sum();
                    if sees(key) { (score / (dim as f64).sqrt()).exp() } else { 0.0 }
                })
                .collect();
            let total: f64 = weights.iter().sum();
            for i in 0..dim {
                let mixed: f64 = weights.iter().zip(&parts).map(|(weight, part)| weight * part[2][i]).sum();
                out[((b * tokens + token) * heads + head) * dim + i] =
                    if total > 0.0 { mixed / total } else { 0.0 } as f32;
            }
        }
    }
    out
}

#[test]
fn gradients_of_a_linear_layer() {
    let (rows, inputs, outputs) = (37, 21, 33);
    let (x, weight, bias) = (numbers(rows * inputs, 1), numbers(inputs * outputs, 2), numbers(outputs, 3));
    let g = numbers(rows * outputs, 4);
    for level in Level::available() {
        for activation in [Activation::Identity, Activation::Gelu, Activation::Silu] {
            let [_, inner] = linear(level, &x, &weight, &bias, activation, rows);
            let mut before = vec![f32::NAN; g.len()];
            activation_backward(level, activation, &inner, &g, &mut before);
            let gradient = Matrix::new(&before, rows, outputs);
            let mut of_x = vec![f32::NAN; x.len()];
            input_gradient(level, Precision::Float32, gradient, Matrix::new(&weight, inputs, outputs), &mut of_x);
            check_gradient(&x, &of_x, |x| dot(&linear(level, x, &weight, &bias, activation, rows)[0], &g));
            let mut of_weight = vec![f32::NAN; weight.len()];
            weight_gradient(level, Precision::Float32, Matrix::new(&x, rows, inputs), gradient, &mut of_weight);
            check_gradient(&weight, &of_weight, |weight| {
                dot(&linear(level, &x, weight, &bias, activation, rows)[0], &g)
            });
            let mut of_bias = vec![f32::NAN; outputs];
            sum_rows(level, &before, &mut of_bias);
            check_gradient(&bias, &of_bias, |bias| dot(&linear(level, &x, &weight, bias, activation, rows)[0], &g));
        }
    }
}

#[test]
fn feed_forward_is_the_same_at_every_level() {
    let (rows, width, hidden) = (150, 21, 90);
    let (x, weights) = (numbers(rows * width, 1), numbers(2 * width * hidden, 2));
    let (scale, shift, bias) = (numbers(width, 3), numbers(width, 4), numbers(hidden, 5));
    let (first, second) = weights.split_at(width * hidden);
    let results = Level::available().into_iter().map(|level| {
        let layers = FeedForward {
            scale: &scale,
            shift: &shift,
            epsilon: 1e-5,
            first: (Matrix::new(first, width, hidden), Some(&bias)),
            second: (Matrix::new(second, hidden, width), Some(&shift)),
            activation: Activation::Gelu,
        };
        [Precision::Float32, Precision::Bfloat16].map(|precision| {
            let mut out = vec![f32::NAN; x.len()];
            layers.forward(level, precision, &x, None, &mut out);
            out
        })
    });
    let results: Vec<[Vec<f32>; 2]> = results.collect();
    for [exact, rounded] in &results {
        assert!(difference(exact, &results[0][0]) < 1e-5);
        assert!(difference(rounded, &results[0][0]) < 3e-2);
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    let (rows, inputs, outputs) = (300, 200, 130);
    let (x, weight, bias) = (numbers(rows * inputs, 1), numbers(inputs * outputs, 2), numbers(outputs, 3));
    let attention = Attention { batch: 2, tokens: 70, heads: 2, head_dim: 16, mask: Mask::Full, rotation: None };
    let qkv = numbers(2 * 70 * 3 * 32, 4);
    for level in Level::available() {
        let run = |threads: usize| {
            Threads::new(threads).install(|| {
                let [out, inner] = linear(level, &x, &weight, &bias, Activation::Gelu, rows);
                let mut of_weight = vec![0.0; weight.len()];
                weight_gradient(
                    level,
                    Precision::Float32,
                    Matrix::new(&x, rows, inputs),
                    Matrix::new(&out, rows, outputs),
                    &mut of_weight,
                );
                let mut of_bias = vec![0.0; outputs];
                sum_rows(level, &out, &mut of_bias);
                let (mut mixed, mut logarithms) = (vec![0.0; qkv.len() / 3], vec![0.0; 2 * 70 * 2]);
                attention.forward(level, Precision::Float32, &qkv, &mut mixed, &mut logarithms);
                let cell =
                    Gru { weight: &qkv[..48], bias: &qkv[..12], scale: &qkv[..4], shift: &qkv[..4], epsilon: 0.1 };
                let mut states = vec![0.0; 70 * 3 * 4];
                cell.forward(level, Precision::Float32, 3, &qkv[..3 * states.len()], &qkv[..280], None, &mut states);
                let mut matrix = vec![0.0; outputs * outputs];
                let mut centred = vec![0.0; out.len()];
                let covariance = vicreg::covariance(level, &out, outputs, &mut centred, &mut matrix);
                let mut means = vec![0.0; 10 * outputs];
                let normality = epps_pulley::forward(level, Knots::Ten, &out, outputs, &mut means);
                let penalties = vec![covariance, normality];
                // 18 images of 16 channels, through transformed tiles and, with stride 2, directly.
                let images = &out[..18 * 16 * 81];
                let (weights, weight_size) = (&qkv[..2 * 16 * 16 * 9], 16 * 16 * 9);
                let layer = |stride: usize| Layer {
                    sizes: Convolution {
                        inputs: 16,
                        outputs: 16,
                        size: [9, 9],
                        kernel: [3, 3],
                        stride: [stride, stride],
                        padding: [1, 1],
                        activation: Activation::Relu,
                    },
                    weight: &weights[(stride - 1) * weight_size..][..weight_size],
                    bias: None,
                };
                let layers = [layer(1), layer(2)];
                let (mut between, mut result) = (vec![0.0; images.len()], vec![0.0; 18 * 16 * 25]);
                let results = [&mut between, &mut result].map(|out| Results { inner: None, out: Some(out) });
                convolution::forward(level, Precision::Float32, &layers, images, results.into());
                let mut of_x = vec![0.0; images.len()];
                let (mut of_weights, mut of_biases) = (vec![0.0; weights.len()], vec![0.0; 32]);
                let gradients = convolution::Gradients {
                    x: Some(&mut of_x),
                    weights: of_weights.chunks_mut(weight_size).collect(),
                    biases: of_biases.chunks_mut(16).collect(),
                };
                let known = [Known { x: images, kept: Some(&between) }, Known { x: &between, kept: Some(&result) }];
                convolution::backward(level, Precision::Float32, &layers, &known, &result, gradients);
                let convolved = [between, result.clone(), of_x, of_weights, of_biases];
                // As deep as it takes for tasks to share the depth.
                let (mut deep, numbers) = (vec![0.0; 15 * 15], Matrix::new(&out, 2600, 15));
                weight_gradient(level, Precision::Float32, numbers, numbers, &mut deep);
                [out.clone(), inner, of_weight, of_bias, mixed, states, penalties, convolved.concat(), deep]
                    .concat()
                    .into_iter()
                    .map(f32::to_bits)
                    .collect::<Vec<_>>()
            })
        };
        let one = run(1);
        for threads in [2, 3, 8] {
            assert!(run(threads) == one, "{level:?} with {threads} threads");
        }
    }
}
