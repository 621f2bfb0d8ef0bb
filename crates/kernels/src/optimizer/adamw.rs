//! `AdamW` (Loshchilov and Hutter, 2019, algorithm 2), as `torch.optim.AdamW`, after `torch.nn.utils.clip_grad_norm_`.

use std::collections::VecDeque;

use burn::tensor::Tensor;

use super::tensors::{Memory, in_memory};
use crate::cpu::Runtime;
use crate::cpu::optimizer::adamw::{Constants, Parameter, norm, step};

/// What is added to the norm before it divides.
const NORM_EPSILON: f64 = 1e-6;

/// What is the same for all parameters of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Learning rate.
    pub learning_rate: f64,
    /// Decay rates of the first and second moment.
    pub betas: [f32; 2],
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Largest Euclidean norm of all gradients together; larger ones are scaled down to it. `None` = off.
    pub clip_norm: Option<f64>,
}

/// A parameter after a step.
pub struct Updated<const D: usize> {
    /// The parameter.
    pub parameter: Tensor<D>,
    /// First moment.
    pub first: Tensor<D>,
    /// Second moment.
    pub second: Tensor<D>,
}

/// All parameters of one step, off the tape: fill it, run it, empty it in the same order.
#[derive(Default)]
pub struct AdamWPass {
    items: VecDeque<Item<Tensor<1>>>,
}

/// A parameter and what belongs to it, all of one length.
struct Item<T> {
    parameter: T,
    gradient: T,
    first: T,
    second: T,
    weight_decay: f64,
    /// Steps made, this one included.
    steps: i32,
    shape: Vec<usize>,
}

impl AdamWPass {
    /// Adds a parameter. Without moments it has made no step. `steps` counts those before this one.
    ///
    /// # Panics
    /// If shapes differ.
    pub fn push<const D: usize>(
        &mut self,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        moments: Option<(Tensor<D>, Tensor<D>)>,
        steps: usize,
        weight_decay: f64,
    ) {
        let shape = parameter.dims();
        let (first, second) = moments.unwrap_or_else(|| (gradient.zeros_like(), gradient.zeros_like()));
        let found = [gradient.dims(), first.dims(), second.dims()];
        assert!(found == [shape; 3], "a parameter {shape:?} with gradient and moments {found:?}");
        let count = shape.iter().product::<usize>();
        self.items.push_back(Item {
            parameter: parameter.reshape([count]),
            gradient: gradient.reshape([count]),
            first: first.reshape([count]),
            second: second.reshape([count]),
            weight_decay,
            steps: i32::try_from(steps).map_or(i32::MAX, |steps| steps.saturating_add(1)),
            shape: shape.into(),
        });
    }

    /// Takes the parameter out that was added first.
    ///
    /// # Panics
    /// If none is left, or it has other axes.
    pub fn pop<const D: usize>(&mut self) -> Updated<D> {
        let item = self.items.pop_front().expect("as many parameters as were added");
        let shape = <[usize; D]>::try_from(item.shape.as_slice()).expect("the axes of the parameter added");
        Updated {
            parameter: item.parameter.reshape(shape),
            first: item.first.reshape(shape),
            second: item.second.reshape(shape),
        }
    }

    /// Makes the step and gives the norm of all gradients before clipping, `[1]`; `None` without parameters.
    ///
    /// `g = g * min(1, clip_norm / (norm + 1e-6))`, `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g^2`, then
    /// `p = (1 - lr * decay) p - lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)`.
    pub fn run(&mut self, rule: &AdamW) -> Option<Tensor<1>> {
        let device = self.items.front()?.parameter.device();
        let kernel = self
            .items
            .iter()
            .all(|item| [&item.parameter, &item.gradient, &item.first, &item.second].into_iter().all(in_memory));
        if !kernel {
            return Some(plain(&mut self.items, rule));
        }
        let mut items: Vec<Item<Memory>> = self.items.drain(..).map(|item| item.map(Memory::of)).collect();
        let norm = norm(Runtime::current().level, items.iter().map(|item| item.gradient.read()));
        update(&mut items, rule, norm);
        self.items.extend(items.into_iter().map(|item| item.map(Memory::into_tensor)));
        Some(Tensor::from_floats([norm as f32], &device))
    }
}

impl<T> Item<T> {
    fn map<U>(self, change: impl Fn(T) -> U) -> Item<U> {
        Item {
            parameter: change(self.parameter),
            gradient: change(self.gradient),
            first: change(self.first),
            second: change(self.second),
            weight_decay: self.weight_decay,
            steps: self.steps,
            shape: self.shape,
        }
    }
}

/// The numbers of the rule for one parameter, as they enter the formula.
fn constants(rule: &AdamW, weight_decay: f64, steps: i32, scale: f32) -> Constants {
    Constants {
        scale,
        betas: rule.betas,
        new: rule.betas.map(|beta| 1.0 - beta),
        corrections: rule.betas.map(|beta| 1.0 - beta.powi(steps)),
        epsilon: rule.epsilon,
        keep: (1.0 - rule.learning_rate * weight_decay) as f32,
        learning_rate: rule.learning_rate as f32,
    }
}

fn update(items: &mut [Item<Memory>], rule: &AdamW, norm: f64) {
    // A norm that is not a number makes every parameter one, as it would without clipping.
    let scale = rule.clip_norm.map_or(1.0, |largest| {
        let scale = largest / (norm + NORM_EPSILON);
        if scale > 1.0 { 1.0 } else { scale as f32 }
    });
    let parameters = items.iter_mut().map(|item| Parameter {
        constants: constants(rule, item.weight_decay, item.steps, scale),
        values: item.parameter.write(),
        gradient: item.gradient.read(),
        first: item.first.write(),
        second: item.second.write(),
    });
    step(Runtime::current().level, parameters);
}

/// The same with Burn's operations, tensor by tensor.
fn plain(items: &mut VecDeque<Item<Tensor<1>>>, rule: &AdamW) -> Tensor<1> {
    let squares = items.iter().map(|item| item.gradient.clone().square().sum()).reduce(|a, b| a + b);
    let norm = squares.expect("at least one parameter").sqrt();
    let scale = rule.clip_norm.map(|largest| (norm.clone() + NORM_EPSILON).recip().mul_scalar(largest).clamp_max(1.0));
    for _ in 0..items.len() {
        let Some(item) = items.pop_front() else { break };
        let c = constants(rule, item.weight_decay, item.steps, 1.0);
        let gradient = match &scale {
            Some(scale) => item.gradient * scale.clone(),
            None => item.gradient,
        };
        let first = item.first * c.betas[0] + gradient.clone() * c.new[0];
        let second = item.second * c.betas[1] + gradient.clone().square() * c.new[1];
        let root = (second.clone() / c.corrections[1]).sqrt() + c.epsilon;
        let step = (first.clone() / c.corrections[0]) / root;
        let parameter = item.parameter * c.keep - step * c.learning_rate;
        items.push_back(Item { parameter, gradient, first, second, ..item });
    }
    norm
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution};
    use proptest::prelude::*;

    use super::*;

    const RULE: AdamW = AdamW { learning_rate: 0.01, betas: [0.9, 0.999], epsilon: 1e-8, clip_norm: Some(2.0) };

    /// Parameters of these lengths after some steps with the kernel, or with Burn's operations.
    fn trained(lengths: &[usize], rule: &AdamW, steps: usize, kernel: bool) -> (Vec<Vec<f32>>, Vec<f32>) {
        let device = Device::flex();
        let draw = |length: usize, step: usize| {
            let values: Vec<f32> = (0..length).map(|i| ((i * 7 + step * 13 + length) as f32 * 0.37).sin()).collect();
            Tensor::<1>::from_floats(values.as_slice(), &device)
        };
        let mut parameters: Vec<Tensor<1>> = lengths.iter().map(|&length| draw(length, 0)).collect();
        let mut moments: Vec<Option<(Tensor<1>, Tensor<1>)>> = vec![None; lengths.len()];
        let mut norms = Vec::new();
        for step in 0..steps {
            let mut pass = AdamWPass::default();
            for (index, parameter) in parameters.drain(..).enumerate() {
                let gradient = draw(lengths[index], step + 1);
                pass.push(parameter, gradient, moments[index].take(), step, 0.1 * index as f64);
            }
            let norm = if kernel { pass.run(rule).expect("parameters") } else { plain(&mut pass.items, rule) };
            norms.push(norm.into_scalar::<f32>());
            for moments in &mut moments {
                let Updated { parameter, first, second } = pass.pop::<1>();
                parameters.push(parameter);
                *moments = Some((first, second));
            }
        }
        let moments = moments.into_iter().flatten().flat_map(|(first, second)| [first, second]);
        let values = |tensor: Tensor<1>| tensor.into_data().try_into_vec_as::<f32>().expect("floats");
        (parameters.into_iter().chain(moments).map(values).collect(), norms)
    }

    fn assert_close(found: &[Vec<f32>], expected: &[Vec<f32>]) {
        for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!((found - expected).abs() <= 1e-5 * expected.abs() + 1e-7, "{found} is not {expected}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn equals_the_plain_form(lengths in prop::collection::vec(0_usize..300, 1..6), clip in prop::option::of(0.1_f64..20.0)) {
            let rule = AdamW { clip_norm: clip, ..RULE };
            let (found, norms) = trained(&lengths, &rule, 4, true);
            let (expected, plain_norms) = trained(&lengths, &rule, 4, false);
            assert_close(&found, &expected);
            assert_close(&[norms], &[plain_norms]);
        }
    }

    #[test]
    fn several_chunks_and_any_number_of_threads() {
        let lengths = [50_003, 1, 1 << 14, 77];
        let on = |threads: usize| crate::parallel::Threads::new(threads).install(|| trained(&lengths, &RULE, 3, true));
        let one = on(1);
        assert_eq!(one, on(3), "bit for bit");
        assert_close(&one.0, &trained(&lengths, &RULE, 3, false).0);
    }

    #[test]
    fn the_memory_stays_where_it_is() {
        let device = Device::flex();
        let random = || Tensor::<2>::random([40, 50], Distribution::Default, &device);
        let address = |tensor: Tensor<2>| {
            let memory = Memory::of(tensor.reshape([2000]));
            (memory.read().as_ptr() as usize, memory.into_tensor().reshape([40, 50]))
        };
        let ((a, parameter), (b, first), (c, second)) = (address(random()), address(random()), address(random()));
        let mut pass = AdamWPass::default();
        pass.push(parameter, random(), Some((first, second)), 3, 0.0);
        pass.run(&RULE);
        let updated = pass.pop::<2>();
        assert_eq!([address(updated.parameter).0, address(updated.first).0, address(updated.second).0], [a, b, c]);
    }

    #[test]
    fn other_handles_keep_their_values_and_order_in_memory_does_not_matter() {
        let device = Device::flex();
        let parameter = Tensor::<2>::from_floats([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], &device);
        let gradient = Tensor::<2>::from_floats([[1.0, -1.0], [1.0, -1.0], [1.0, -1.0]], &device).transpose();
        let mut pass = AdamWPass::default();
        pass.push(parameter.clone(), gradient, None, 0, 0.0);
        let rule = AdamW { clip_norm: None, ..RULE };
        let norm: f32 = pass.run(&rule).expect("one parameter").into_scalar();
        assert!((norm - 6.0_f32.sqrt()).abs() < 1e-6);
        // The first step is the learning rate against the sign of the gradient.
        let values = |tensor: Tensor<2>| tensor.into_data().try_into_vec_as::<f32>().expect("floats");
        for (value, expected) in values(pass.pop::<2>().parameter).into_iter().zip([0.99, 1.99, 2.99, 4.01, 5.01, 6.01])
        {
            assert!((value - expected).abs() < 1e-5, "{value} is not {expected}");
        }
        assert_eq!(values(parameter), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    }

    #[test]
    fn a_norm_that_is_not_a_number_shows() {
        let device = Device::flex();
        let mut pass = AdamWPass::default();
        pass.push(Tensor::<1>::ones([2], &device), Tensor::<1>::from_floats([f32::NAN, 0.0], &device), None, 0, 0.0);
        assert!(pass.run(&RULE).expect("one parameter").into_scalar::<f32>().is_nan());
        assert!(AdamWPass::default().run(&RULE).is_none());
    }
}
