//! Exponential moving averages of parameters: `target = momentum * target + (1 - momentum) * source`.

use std::collections::VecDeque;

use burn::tensor::Tensor;

use super::tensors::{Memory, in_memory};
use crate::cpu::Runtime;
use crate::cpu::optimizer::ema::update;

/// All parameters of a moving average, off the tape: fill it, run it, empty it in the same order.
#[derive(Default)]
pub struct EmaPass {
    items: VecDeque<Item<Tensor<1>>>,
}

struct Item<T> {
    target: T,
    source: T,
    shape: Vec<usize>,
}

impl EmaPass {
    /// Adds a parameter and what it follows.
    ///
    /// # Panics
    /// If their shapes differ.
    pub fn push<const D: usize>(&mut self, target: Tensor<D>, source: Tensor<D>) {
        let shape = target.dims();
        assert_eq!(shape, source.dims(), "a moving average has the shape of what it follows");
        let count = shape.iter().product::<usize>();
        let (target, source) = (target.reshape([count]), source.reshape([count]));
        self.items.push_back(Item { target, source, shape: shape.into() });
    }

    /// Takes the parameter out that was added first.
    ///
    /// # Panics
    /// If none is left, or it has other axes.
    pub fn pop<const D: usize>(&mut self) -> Tensor<D> {
        let item = self.items.pop_front().expect("as many parameters as were added");
        item.target.reshape(<[usize; D]>::try_from(item.shape.as_slice()).expect("the axes of the parameter added"))
    }

    /// Moves every target towards its source.
    pub fn run(&mut self, momentum: f64) {
        if !self.items.iter().all(|item| in_memory(&item.target) && in_memory(&item.source)) {
            for item in &mut self.items {
                item.target = plain(item.target.clone(), item.source.clone(), momentum);
            }
            return;
        }
        let mut items: Vec<Item<Memory>> = self.items.drain(..).map(|item| item.map(Memory::of)).collect();
        let pairs = items.iter_mut().map(|item| (item.target.write(), item.source.read()));
        update(Runtime::current().level, momentum, pairs);
        self.items.extend(items.into_iter().map(|item| item.map(Memory::into_tensor)));
    }
}

impl<T> Item<T> {
    fn map<U>(self, change: impl Fn(T) -> U) -> Item<U> {
        Item { target: change(self.target), source: change(self.source), shape: self.shape }
    }
}

fn plain(target: Tensor<1>, source: Tensor<1>, momentum: f64) -> Tensor<1> {
    target * momentum + source * (1.0 - momentum)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn sines(count: usize, frequency: f32) -> Tensor<1> {
        let values: Vec<f32> = (0..count).map(|i| (i as f32 * frequency).sin()).collect();
        Tensor::from_floats(values.as_slice(), &Device::flex())
    }

    #[test]
    fn equals_the_plain_form_bit_for_bit() {
        let lengths = [0, 1, 77, 40_003];
        let mut pass = EmaPass::default();
        for length in lengths {
            pass.push(sines(length, 0.3), sines(length, 1.7));
        }
        pass.run(0.99925);
        for length in lengths {
            let expected = plain(sines(length, 0.3), sines(length, 1.7), 0.99925);
            assert_eq!(pass.pop::<1>().into_data(), expected.into_data());
        }
    }

    #[test]
    fn shapes_come_back_and_other_handles_keep_their_values() {
        let (target, source) = (sines(12, 0.3).reshape([3, 4]), sines(12, 1.7).reshape([4, 3]).transpose());
        let before = target.clone().into_data();
        let mut pass = EmaPass::default();
        pass.push(target.clone(), source.clone());
        pass.run(0.0);
        assert_eq!(pass.pop::<2>().into_data(), source.into_data());
        assert_eq!(target.into_data(), before);
    }
}
