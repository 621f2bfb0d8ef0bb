//! `residual + gate * x`, row by row, with the gates of a row among other numbers of that row.

use super::parallel::each;

use super::Level;
use super::level::{Vectorised, at};
use super::math::fma;

/// Rows that one task works on.
const TASK_ROWS: usize = 64;

/// The gates of every row: one of several parts.
#[derive(Clone, Copy, Debug)]
pub struct Gates<'a> {
    /// `[rows, stride]`
    pub values: &'a [f32],
    /// Gates of a row.
    pub width: usize,
    /// Numbers of a row, a multiple of the width.
    pub stride: usize,
    /// Which part the gates are.
    pub part: usize,
}

impl Gates<'_> {
    /// Where the gates begin in a row.
    fn start(&self) -> usize {
        self.part * self.width
    }
}

/// Writes `residual + gate * x` to `out`, all `[rows, width]`.
///
/// # Panics
/// If the lengths do not fit.
pub fn forward(level: Level, x: &[f32], residual: &[f32], gates: Gates<'_>, out: &mut [f32]) {
    struct Rows<'a> {
        x: &'a [f32],
        residual: &'a [f32],
        gates: Gates<'a>,
        out: &'a mut [f32],
    }
    impl Vectorised for Rows<'_> {
        type Output = ();
        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            let Gates { values, width, stride, .. } = self.gates;
            let rows = self.x.chunks_exact(width).zip(self.residual.chunks_exact(width));
            let rows = rows.zip(values.chunks_exact(stride)).zip(self.out.chunks_exact_mut(width));
            for (((x, residual), gates), out) in rows {
                let gates = &gates[self.gates.start()..][..width];
                let (x, residual, out) = (&x[..width], &residual[..width], &mut out[..width]);
                (0..width).for_each(|i| out[i] = fma::<FUSED>(gates[i], x[i], residual[i]));
            }
        }
    }
    assert_eq!(x.len(), out.len());
    assert_eq!(x.len(), residual.len());
    if out.is_empty() {
        return;
    }
    let width = gates.width;
    each(
        out.chunks_mut(TASK_ROWS * width)
            .zip(x.chunks(TASK_ROWS * width))
            .zip(residual.chunks(TASK_ROWS * width))
            .zip(gates.values.chunks(TASK_ROWS * gates.stride)),
        |(((out, x), residual), values)| {
            at(level, Rows { x, residual, gates: Gates { values, ..gates }, out });
        },
    );
}

/// Writes the gradients of `x`, `[rows, width]`, and of what the gates are a part of, `[rows, stride]`, which is zero in all other parts.
/// That of the residual is `gradient` itself.
///
/// # Panics
/// If the lengths do not fit.
pub fn backward(
    level: Level,
    x: &[f32],
    gates: Gates<'_>,
    gradient: &[f32],
    x_gradient: &mut [f32],
    gates_gradient: &mut [f32],
) {
    struct Rows<'a> {
        x: &'a [f32],
        gates: Gates<'a>,
        gradient: &'a [f32],
        x_gradient: &'a mut [f32],
        gates_gradient: &'a mut [f32],
    }
    impl Vectorised for Rows<'_> {
        type Output = ();
        #[inline(always)]
        fn run<const FUSED: bool>(self) {
            let Gates { values, width, stride, .. } = self.gates;
            let start = self.gates.start();
            let rows = self.x.chunks_exact(width).zip(self.gradient.chunks_exact(width));
            let rows = rows.zip(values.chunks_exact(stride)).zip(self.x_gradient.chunks_exact_mut(width));
            let rows = rows.zip(self.gates_gradient.chunks_exact_mut(stride));
            for ((((x, g), gates), of_x), of_gates) in rows {
                let (x, g, of_x) = (&x[..width], &g[..width], &mut of_x[..width]);
                let gates = &gates[start..][..width];
                of_gates.fill(0.0);
                let of_gates = &mut of_gates[start..][..width];
                for i in 0..width {
                    of_x[i] = g[i] * gates[i];
                    of_gates[i] = g[i] * x[i];
                }
            }
        }
    }
    assert_eq!(x.len(), gradient.len());
    assert_eq!(x.len(), x_gradient.len());
    assert_eq!(gates.values.len(), gates_gradient.len());
    if x.is_empty() {
        return;
    }
    let width = gates.width;
    each(
        x_gradient
            .chunks_mut(TASK_ROWS * width)
            .zip(x.chunks(TASK_ROWS * width))
            .zip(gradient.chunks(TASK_ROWS * width))
            .zip(gates.values.chunks(TASK_ROWS * gates.stride))
            .zip(gates_gradient.chunks_mut(TASK_ROWS * gates.stride)),
        |((((x_gradient, x), gradient), values), gates_gradient)| {
            at(level, Rows { x, gates: Gates { values, ..gates }, gradient, x_gradient, gates_gradient });
        },
    );
}
