//! Pointwise non-linearities and their derivatives.

use super::math::{fma, normal, sigmoid};

/// A pointwise non-linearity, as part of another kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x`.
    Identity,
    /// `max(x, 0)`; NaN propagates.
    Relu,
    /// Gaussian error linear unit, `x Phi(x)` (Hendrycks and Gimpel 2016).
    Gelu,
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
            Self::Silu => places.for_each(|((out, g), x)| {
                let s = sigmoid::<FUSED>(*x);
                *out = *g * (s * fma::<FUSED>(*x, 1.0 - s, 1.0));
            }),
        }
    }
}
