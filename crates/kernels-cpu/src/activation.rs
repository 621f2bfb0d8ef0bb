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

/// [`Activation::Gelu`] of a number, and its derivative there.
#[inline(always)]
fn gelu<const FUSED: bool>(x: f32) -> [f32; 2] {
    let (distribution, density) = normal::<FUSED>(x);
    [x * distribution, fma::<FUSED>(x, density, distribution)]
}

/// [`Activation::Silu`] of a number, and its derivative there.
#[inline(always)]
fn silu<const FUSED: bool>(x: f32) -> [f32; 2] {
    let s = sigmoid::<FUSED>(x);
    [x * s, s * fma::<FUSED>(x, 1.0 - s, 1.0)]
}

impl Activation {
    /// Applies the function to every number.
    #[inline(always)]
    pub(crate) fn apply<const FUSED: bool>(self, values: &mut [f32]) {
        match self {
            Self::Identity => {}
            Self::Relu => values.iter_mut().for_each(|x| *x = if *x < 0.0 { 0.0 } else { *x }),
            Self::Gelu => values.iter_mut().for_each(|x| *x = gelu::<FUSED>(*x)[0]),
            Self::Silu => values.iter_mut().for_each(|x| *x = silu::<FUSED>(*x)[0]),
        }
    }

    /// Multiplies gradients of the output with the derivative at `inputs`, the values before the function.
    #[inline(always)]
    pub(crate) fn times_derivative<const FUSED: bool>(self, inputs: &[f32], gradients: &mut [f32]) {
        let places = gradients.iter_mut().zip(inputs);
        match self {
            Self::Identity => {}
            Self::Relu => places.for_each(|(g, x)| *g = if *x <= 0.0 { 0.0 } else { *g }),
            Self::Gelu => places.for_each(|(g, x)| *g *= gelu::<FUSED>(*x)[1]),
            Self::Silu => places.for_each(|(g, x)| *g *= silu::<FUSED>(*x)[1]),
        }
    }

    /// As [`Self::times_derivative`], and writes the values of the function.
    #[inline(always)]
    pub(crate) fn values_and_times_derivative<const FUSED: bool>(
        self,
        inputs: &[f32],
        gradients: &mut [f32],
        values: &mut [f32],
    ) {
        let places = gradients.iter_mut().zip(inputs).zip(&mut *values);
        match self {
            Self::Identity | Self::Relu => {
                values.copy_from_slice(inputs);
                self.apply::<FUSED>(values);
                self.times_derivative::<FUSED>(inputs, gradients);
            }
            Self::Gelu => places.for_each(|((g, x), value)| {
                let [result, slope] = gelu::<FUSED>(*x);
                (*value, *g) = (result, *g * slope);
            }),
            Self::Silu => places.for_each(|((g, x), value)| {
                let [result, slope] = silu::<FUSED>(*x);
                (*value, *g) = (result, *g * slope);
            }),
        }
    }
}
