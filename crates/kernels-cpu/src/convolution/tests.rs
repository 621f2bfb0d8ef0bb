//! Convolutions against the plain sum and finite differences, at every level and in both precisions.
#![allow(clippy::single_match_else, reason = "the first level is compared with differences, the others with the first")]

use proptest::prelude::*;

use super::super::tests::{ACTIVATIONS, check_gradient, difference, dot, numbers};
use super::super::{Activation, Level, Precision};
use super::{Convolution, Gradients, Known, Layer, Results, backward, forward};

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn convolution_is_the_same_at_every_level(
        batch in 0_usize..11, inputs in 1_usize..5, outputs in 1_usize..6, height in 1_usize..11, width in 1_usize..20,
        kernel in 1_usize..4, stride in 1_usize..3, padding in 0_usize..2, kind in 0_usize..4,
    ) {
        let convolution = Convolution {
            inputs, outputs, size: [height, width], kernel: [kernel, kernel], stride: [stride, stride], padding: [padding, padding],
            activation: ACTIVATIONS[kind],
        };
        check_convolution(batch, convolution);
    }
}

/// A convolution with its gradients, at every level and in both precisions, against the plain sum and finite differences.
fn check_convolution(batch: usize, convolution: Convolution) {
    let Convolution { inputs, outputs, size: [height, width], activation, .. } = convolution;
    let ([kernel, _], [stride, _], [padding, _]) = (convolution.kernel, convolution.stride, convolution.padding);
    let [rows, columns] = convolution.output_size();
    let x = numbers(batch * inputs * height * width, 1);
    let (weight, bias) = (numbers(outputs * inputs * kernel * kernel, 2), numbers(outputs, 3));
    let length = batch * outputs * rows * columns;
    let mut expected = vec![0.0_f32; length];
    for (place, value) in expected.iter_mut().enumerate() {
        let (column, rest) = (place % columns, place / columns);
        let (row, rest) = (rest % rows, rest / rows);
        let (out, image) = (rest % outputs, rest / outputs);
        let mut sum = f64::from(bias[out]);
        for channel in 0..inputs {
            for (i, j) in (0..kernel).flat_map(|i| (0..kernel).map(move |j| (i, j))) {
                let (Some(r), Some(c)) =
                    ((row * stride + i).checked_sub(padding), (column * stride + j).checked_sub(padding))
                else {
                    continue;
                };
                if r < height && c < width {
                    sum += f64::from(x[((image * inputs + channel) * height + r) * width + c])
                        * f64::from(weight[((out * inputs + channel) * kernel + i) * kernel + j]);
                }
            }
        }
        *value = sum as f32;
    }
    let g = numbers(length, 4);
    let mut reference: Option<[Vec<f32>; 3]> = None;
    for level in Level::available() {
        let run = |x: &[f32], weight: &[f32]| {
            let (mut inner, mut out) = (vec![f32::NAN; length], vec![f32::NAN; length]);
            let layer = Layer { sizes: convolution, weight, bias: Some(&bias) };
            let results = Results { inner: Some(&mut inner), out: Some(&mut out) };
            forward(level, Precision::Float32, &[layer], x, vec![results]);
            (inner, out)
        };
        let (inner, _) = run(&x, &weight);
        assert!(difference(&inner, &expected) < 1e-5);
        let mut gradients = [vec![f32::NAN; x.len()], vec![f32::NAN; weight.len()], vec![f32::NAN; outputs]];
        let [of_x, of_weight, of_bias] = &mut gradients;
        let out = Gradients { x: Some(of_x), weights: vec![of_weight], biases: vec![of_bias] };
        let layer = Layer { sizes: convolution, weight: &weight, bias: Some(&bias) };
        // The same for all levels: where a sum is next to ReLU's corner, their own would be on either side of it.
        let known = Known { x: &x, kept: Some(&expected) };
        backward(level, Precision::Float32, &[layer], &[known], &g, out);
        let (mut rounded_inner, mut out) = (vec![f32::NAN; length], vec![f32::NAN; length]);
        let precision = Precision::Bfloat16;
        let results = Results { inner: Some(&mut rounded_inner), out: Some(&mut out) };
        forward(level, precision, &[layer], &x, vec![results]);
        assert!(difference(&rounded_inner, &expected) < 2e-2);
        let mut rounded = gradients.each_ref().map(|exact| vec![f32::NAN; exact.len()]);
        let [of_x, of_weight, of_bias] = &mut rounded;
        let out = Gradients { x: Some(of_x), weights: vec![of_weight], biases: vec![of_bias] };
        backward(level, precision, &[layer], &[known], &g, out);
        for (rounded, exact) in rounded.iter().zip(&gradients) {
            // The terms of a gradient may cancel each other, their errors do not.
            assert!(difference(rounded, exact) < 6e-2);
        }
        match &reference {
            Some(reference) => (0..3).for_each(|index| {
                let difference = difference(&gradients[index], &reference[index]);
                assert!(difference < 1e-5, "{level:?}, gradient {index}: {difference}");
            }),
            None => {
                // ReLU has a corner: differences across it are no derivative.
                if length > 0 && activation != Activation::Relu {
                    check_gradient(&x, &gradients[0], |x| dot(&run(x, &weight).1, &g));
                    check_gradient(&weight, &gradients[1], |weight| dot(&run(&x, weight).1, &g));
                }
                reference = Some(gradients);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn convolution_by_transformed_tiles(
        batch in 1_usize..7, inputs in 16_usize..40, outputs in 16_usize..40, height in 4_usize..24, width in 4_usize..40,
        padding in 0_usize..3, kind in 0_usize..4,
    ) {
        let convolution = Convolution {
            inputs, outputs, size: [height, width], kernel: [3, 3], stride: [1, 1], padding: [padding, padding],
            activation: ACTIVATIONS[kind],
        };
        check_convolution(batch, convolution);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn convolution_of_many_images(
        batch in 8_usize..20, inputs in 1_usize..40, outputs in 16_usize..40, height in 1_usize..9, width in 1_usize..40,
        kernel in 1_usize..4, stride in 1_usize..4, padding in 0_usize..3, kind in 0_usize..4,
    ) {
        let convolution = Convolution {
            inputs, outputs, size: [height, width], kernel: [kernel, kernel], stride: [stride, stride], padding: [padding, padding],
            activation: ACTIVATIONS[kind],
        };
        check_convolution(batch, convolution);
    }
}
