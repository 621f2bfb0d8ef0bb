//! Pointwise non-linearities and their derivatives.

use super::math::{fma, normal, sigmoid, tanh};

/// A pointwise non-linearity, as part of another kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x`.
    Identity,
    /// `max(x, 0)`, and what is no number stays none.
    Relu,
    /// Gaussian error linear unit, `x Phi(x)` (Hendrycks and Gimpel 2016).
    Gelu,
    /// Its approximation with the hyperbolic tangent.
    GeluTanh,
    /// `x sigmoid(x)`.
    Silu,
}

impl Activation {
    /// Applies the function to every number.
    #[inline(always)]
    pub(crate) fn apply<const FUSED: bool>(self, values: &mut [f32]) {
        match self {
            Self::Identity => {}
            Self::Relu => values.iter_mut().for_each(|x| *x = if *x < 0.0 { 0.0 } else { *x }),
            Self::Gelu => values.iter_mut().for_each(|x| *x *= normal::<FUSED>(*x).0),
            Self::GeluTanh => values.iter_mut().for_each(|x| *x *= gelu_gate::<FUSED>(*x).0),
            Self::Silu => values.iter_mut().for_each(|x| *x *= sigmoid::<FUSED>(*x)),
        }
    }

    /// Writes gradients of the output times the derivative at `inputs`, the values before the function.
    #[inline(always)]
    pub(crate) fn derivative<const FUSED: bool>(self, gradients: &[f32], inputs: &[f32], out: &mut [f32]) {
        let places = out.iter_mut().zip(gradients).zip(inputs);
        match self {
            Self::Identity => out.copy_from_slice(gradients),
            Self::Relu => places.for_each(|((out, g), x)| *out = if *x <= 0.0 { 0.0 } else { *g }),
            Self::Gelu => places.for_each(|((out, g), x)| {
                let (distribution, density) = normal::<FUSED>(*x);
                *out = *g * fma::<FUSED>(*x, density, distribution);
            }),
            Self::GeluTanh => places.for_each(|((out, g), x)| {
                let (gate, slope) = gelu_gate::<FUSED>(*x);
                *out = *g * fma::<FUSED>(*x, slope, gate);
            }),
            Self::Silu => places.for_each(|((out, g), x)| {
                let s = sigmoid::<FUSED>(*x);
                *out = *g * (s * fma::<FUSED>(*x, 1.0 - s, 1.0));
            }),
        }
    }
}

/// `(1 + tanh(c (x + 0.044715 x^3))) / 2` with `c = sqrt(2 / pi)`, and its derivative.
#[inline(always)]
fn gelu_gate<const FUSED: bool>(x: f32) -> (f32, f32) {
    const C: f32 = 0.797_884_56;
    const CUBE: f32 = 0.044_715;
    let square = x * x;
    let t = tanh::<FUSED>(C * x * fma::<FUSED>(CUBE, square, 1.0));
    let slope = 0.5 * C * fma::<FUSED>(3.0 * CUBE, square, 1.0) * (1.0 - t * t);
    (0.5 + 0.5 * t, slope)
}
