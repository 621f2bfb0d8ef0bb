//! `residual + x * sigmoid(gate)`, row by row, of rows that hold `x` and then its gate.

use super::parallel::each;

use super::Level;
use super::level::{Vectorised, at};
use super::math::{fma, sigmoid};

/// Rows that one task works on.
const TASK_ROWS: usize = 512;
/// Numbers that are worked on together.
const LANES: usize = 8;

/// Writes `residual + x * sigmoid(gate)`, `[rows, width]`, of `packed`, `[rows, 2 width]`.
///
/// # Panics
/// If the lengths do not fit.
pub fn forward(level: Level, packed: &[f32], residual: &[f32], width: usize, out: &mut [f32]) {
    struct Rows<'a>(&'a [f32], &'a [f32], usize, &'a mut [f32]);
    impl Vectorised for Rows<'_> {
        type Output = ();
        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            let Self(packed, residual, width, out) = self;
            let rows = packed.chunks_exact(2 * width).zip(residual.chunks_exact(width));
            for ((packed, residual), out) in rows.zip(out.chunks_exact_mut(width)) {
                let (x, gate) = packed.split_at(width);
                let ((x, x_rest), (gate, gate_rest)) = (x.as_chunks::<LANES>(), gate.as_chunks::<LANES>());
                let (residual, residual_rest) = residual.as_chunks::<LANES>();
                let (out, out_rest) = out.as_chunks_mut::<LANES>();
                for (((out, residual), x), gate) in out.iter_mut().zip(residual).zip(x).zip(gate) {
                    *out = std::array::from_fn(|i| fma::<FUSED>(x[i], sigmoid::<FUSED>(gate[i]), residual[i]));
                }
                for (((out, residual), x), gate) in out_rest.iter_mut().zip(residual_rest).zip(x_rest).zip(gate_rest) {
                    *out = fma::<FUSED>(*x, sigmoid::<FUSED>(*gate), *residual);
                }
            }
        }
    }
    assert_eq!((packed.len(), residual.len()), (2 * out.len(), out.len()));
    if out.is_empty() {
        return;
    }
    each(
        out.chunks_mut(TASK_ROWS * width)
            .zip(packed.chunks(2 * TASK_ROWS * width))
            .zip(residual.chunks(TASK_ROWS * width)),
        |((out, packed), residual)| at(level, Rows(packed, residual, width, out)),
    );
}

/// Writes the gradient of `packed`, `[rows, 2 width]`, from that of the result, `[rows, width]`, which is that of the residual too.
///
/// # Panics
/// If the lengths do not fit.
pub fn backward(level: Level, packed: &[f32], gradient: &[f32], width: usize, out: &mut [f32]) {
    struct Rows<'a>(&'a [f32], &'a [f32], usize, &'a mut [f32]);
    impl Vectorised for Rows<'_> {
        type Output = ();
        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            let Self(packed, gradient, width, out) = self;
            let rows = packed.chunks_exact(2 * width).zip(gradient.chunks_exact(width));
            for ((packed, gradient), out) in rows.zip(out.chunks_exact_mut(2 * width)) {
                let ((x, gate), (of_x, of_gate)) = (packed.split_at(width), out.split_at_mut(width));
                let ((x, x_rest), (gate, gate_rest)) = (x.as_chunks::<LANES>(), gate.as_chunks::<LANES>());
                let (gradient, gradient_rest) = gradient.as_chunks::<LANES>();
                let (of_x, of_x_rest) = of_x.as_chunks_mut::<LANES>();
                let (of_gate, of_gate_rest) = of_gate.as_chunks_mut::<LANES>();
                let places = x.iter().zip(gate).zip(gradient).zip(of_x).zip(of_gate);
                for ((((x, gate), g), of_x), of_gate) in places {
                    let open: [f32; LANES] = std::array::from_fn(|i| sigmoid::<FUSED>(gate[i]));
                    *of_x = std::array::from_fn(|i| g[i] * open[i]);
                    *of_gate = std::array::from_fn(|i| g[i] * x[i] * (open[i] * (1.0 - open[i])));
                }
                let places = x_rest.iter().zip(gate_rest).zip(gradient_rest).zip(of_x_rest).zip(of_gate_rest);
                for ((((x, gate), g), of_x), of_gate) in places {
                    let open = sigmoid::<FUSED>(*gate);
                    *of_x = g * open;
                    *of_gate = g * x * (open * (1.0 - open));
                }
            }
        }
    }
    assert_eq!((packed.len(), out.len()), (2 * gradient.len(), 2 * gradient.len()));
    if out.is_empty() {
        return;
    }
    each(
        out.chunks_mut(2 * TASK_ROWS * width)
            .zip(packed.chunks(2 * TASK_ROWS * width))
            .zip(gradient.chunks(TASK_ROWS * width)),
        |((out, packed), gradient)| at(level, Rows(packed, gradient, width, out)),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the formula in float64, and its derivative, at every level.
    #[test]
    fn values_and_gradients() {
        for (rows, width) in [(1, 1), (700, 8), (3, 13)] {
            let number = |i: usize| ((i * 7919 % 1009) as f32 / 504.5 - 1.0) * 5.0;
            let packed: Vec<f32> = (0..2 * rows * width).map(number).collect();
            let other: Vec<f32> = (0..rows * width).map(|i| number(i + 500)).collect();
            for level in Level::available() {
                let (mut out, mut gradient) = (vec![f32::NAN; rows * width], vec![f32::NAN; 2 * rows * width]);
                forward(level, &packed, &other, width, &mut out);
                backward(level, &packed, &other, width, &mut gradient);
                for (row, (x, gate)) in packed.chunks_exact(2 * width).map(|row| row.split_at(width)).enumerate() {
                    for i in 0..width {
                        let [x, gate, other] = [x[i], gate[i], other[row * width + i]].map(f64::from);
                        let open = 1.0 / (1.0 + f64::exp(-gate));
                        let place = row * 2 * width + i;
                        for (found, wanted) in [
                            (out[row * width + i], other + x * open),
                            (gradient[place], other * open),
                            (gradient[place + width], other * x * open * (1.0 - open)),
                        ] {
                            assert!(
                                (f64::from(found) - wanted).abs() < 1e-5,
                                "{level:?} {rows} {width} {i}: {found} {wanted}"
                            );
                        }
                    }
                }
            }
        }
    }
}
