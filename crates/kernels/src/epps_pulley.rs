//! The statistic of Epps and Pulley.

use burn::tensor::Tensor;

use crate::array::Array;
use crate::cpu::Runtime;
pub use crate::cpu::epps_pulley::Knots;
use crate::cpu::epps_pulley::{backward, forward};
use crate::operation::{Operation, apply, runs_on};

/// The mean over the columns of `integral of exp(-t^2/2) |phi(t) - exp(-t^2/2)|^2 dt`, where `phi` is the empirical characteristic
/// function of a column: near 0 for a sample of the standard normal.
///
/// The integral is the trapezoid rule at the knots; the integrand is even, so that the positive ones are enough.
///
/// # Shapes
/// - samples: `[samples, columns]`
/// - output: `[1]`; NaN without samples
pub fn epps_pulley(samples: Tensor<2>, knots: Knots) -> Tensor<1> {
    if !runs_on(&samples) {
        return composed(samples, knots);
    }
    apply(vec![samples.into_dispatch()], EppsPulley { knots })
}

/// The same as operations of Burn.
pub(crate) fn composed(samples: Tensor<2>, knots: Knots) -> Tensor<1> {
    let terms = knots.points().enumerate().map(|(point, t)| {
        let angle = samples.clone() * t;
        let real = angle.clone().cos().mean_dim(0) - knots.gaussian(point);
        let imaginary = angle.sin().mean_dim(0);
        (real.square() + imaginary.square()) * knots.weight(point)
    });
    terms.reduce(|a, b| a + b).expect("the knots has points").mean()
}

#[derive(Debug)]
struct EppsPulley {
    knots: Knots,
}

impl Operation for EppsPulley {
    fn forward(&self, runtime: Runtime, inputs: &[Array], _: bool) -> (Array, Vec<Array>) {
        let samples = &inputs[0];
        let columns = samples.width();
        let (means, out) = Array::filled_with([2 * self.knots.count(), columns], |means| {
            Array::filled([1], |out| out[0] = forward(runtime.level, self.knots, samples.values(), columns, means))
        });
        (out, vec![means])
    }

    fn needs(&self, _: usize) -> bool {
        true
    }

    fn backward(
        &self,
        runtime: Runtime,
        inputs: &[Option<Array>],
        kept: &[Array],
        gradient: Array,
        _: &[bool],
    ) -> Vec<Option<Array>> {
        let [Some(samples)] = inputs else { unreachable!("it is needed") };
        vec![Some(Array::filled(samples.shape(), |out| {
            let gradient = gradient.values()[0];
            backward(runtime.level, self.knots, samples.values(), samples.width(), kept[0].values(), gradient, out);
        }))]
    }
}
