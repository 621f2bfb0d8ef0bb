//! Operations on grids of tokens, row by row: 3x3 neighbourhoods, and shortest paths from place to neighbouring place.

mod plain;

use burn::tensor::Tensor;

use crate::array::Array;
pub use crate::cpu::grid::NEIGHBOURS;
use crate::cpu::{Runtime, grid as cpu};
use crate::operation::{Operation, apply, runs_on};

/// The neighbourhood of every token, row by row; `outside` stands for numbers of tokens beyond the edge.
///
/// # Shapes
/// - tokens: `[batch, rows * columns, channels]`
/// - output: `[batch, rows * columns, 9 * channels]`
///
/// # Panics
/// If there are not `rows * columns` tokens.
pub fn neighbourhoods(tokens: Tensor<3>, grid: [usize; 2], outside: f32) -> Tensor<3> {
    let [_, places, _] = tokens.dims();
    assert_eq!(places, grid[0] * grid[1], "tokens {:?} on a grid {grid:?}", tokens.dims());
    if !runs_on(&tokens) {
        return plain::neighbourhoods(tokens, grid, outside);
    }
    apply(vec![tokens.into_dispatch()], Neighbourhoods { grid, outside })
}

/// Shortest paths by relaxation: `rounds` times over, every place takes the least of its neighbours' numbers plus the way to each,
/// `field[p] = min_k (field[neighbour k of p] + ways[p, k])`. Beyond the edge the field is `outside`.
///
/// Among equal ways the first counts, and the gradient is its alone.
///
/// # Shapes
/// - field: `[batch, rows * columns]`, the numbers before the first round
/// - ways: `[batch, rows * columns, 9]`, neighbours row by row
/// - output: `[batch, rows * columns]`
///
/// # Panics
/// If the shapes do not fit.
pub fn shortest_paths(field: Tensor<2>, ways: Tensor<3>, grid: [usize; 2], rounds: usize, outside: f32) -> Tensor<2> {
    let [batch, places] = field.dims();
    assert!(
        ways.dims() == [batch, places, NEIGHBOURS] && places == grid[0] * grid[1],
        "field {:?} and ways {:?} on a grid {grid:?}",
        field.dims(),
        ways.dims()
    );
    if !runs_on(&field) {
        return plain::shortest_paths(field, ways, grid, rounds, outside);
    }
    apply(vec![field.into_dispatch(), ways.into_dispatch()], ShortestPaths { grid, rounds, outside })
}

/// Input: tokens.
#[derive(Debug)]
struct Neighbourhoods {
    grid: [usize; 2],
    outside: f32,
}

impl Operation for Neighbourhoods {
    fn forward(&self, _: Runtime, inputs: &[Array], _: bool) -> (Array, Vec<Array>) {
        let tokens = &inputs[0];
        let [batch, places, channels] = tokens.shape().dims();
        let out = Array::filled([batch, places, NEIGHBOURS * channels], |out| {
            cpu::neighbourhoods(tokens.values(), self.grid, channels, self.outside, out);
        });
        (out, Vec::new())
    }

    fn needs(&self, _: usize) -> bool {
        false
    }

    fn backward(
        &self,
        _: Runtime,
        _: &[Option<Array>],
        _: &[Array],
        gradient: Array,
        _: &[bool],
    ) -> Vec<Option<Array>> {
        let [batch, places, width] = gradient.shape().dims();
        let channels = width / NEIGHBOURS;
        vec![Some(Array::filled([batch, places, channels], |out| {
            cpu::neighbourhoods_gradient(gradient.values(), self.grid, channels, out);
        }))]
    }
}

/// Inputs: field, ways. Keeps the neighbours that were taken.
#[derive(Debug)]
struct ShortestPaths {
    grid: [usize; 2],
    rounds: usize,
    outside: f32,
}

impl Operation for ShortestPaths {
    fn forward(&self, _: Runtime, inputs: &[Array], _: bool) -> (Array, Vec<Array>) {
        let (field, ways) = (&inputs[0], &inputs[1]);
        let mut choices = vec![0; self.rounds * field.values().len()];
        let out = Array::filled(field.shape(), |out| {
            out.copy_from_slice(field.values());
            cpu::shortest_paths(ways.values(), self.grid, self.rounds, self.outside, out, &mut choices);
        });
        (out, vec![Array::of_bytes(choices)])
    }

    fn needs(&self, _: usize) -> bool {
        false
    }

    fn backward(
        &self,
        _: Runtime,
        _: &[Option<Array>],
        kept: &[Array],
        gradient: Array,
        _: &[bool],
    ) -> Vec<Option<Array>> {
        let [batch, places] = gradient.shape().dims();
        let (of_ways, of_field) = Array::filled_with([batch, places, NEIGHBOURS], |of_ways| {
            Array::filled([batch, places], |of_field| {
                of_field.copy_from_slice(gradient.values());
                cpu::shortest_paths_gradient(kept[0].bytes(), self.grid, self.rounds, of_field, of_ways);
            })
        });
        vec![Some(of_field), Some(of_ways)]
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution};
    use proptest::prelude::*;

    use super::*;

    fn random<const D: usize>(shape: [usize; D], seed: u64) -> Tensor<D> {
        let device = Device::flex();
        device.seed(seed);
        Tensor::random(shape, Distribution::Normal(0.0, 1.0), &device)
    }

    fn assert_close<const D: usize>(found: Tensor<D>, expected: Tensor<D>) {
        assert_eq!(found.dims(), expected.dims());
        let [found, expected] = [found, expected].map(|it| it.into_data().try_into_vec_as::<f32>().expect("floats"));
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{found} is not {expected}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn neighbourhoods_and_their_gradient_are_those_of_the_plain_form(
            batch in 0_usize..4, rows in 1_usize..6, columns in 1_usize..6, channels in 1_usize..5, swapped: bool,
        ) {
            let places = rows * columns;
            let tokens = || {
                let tokens = if swapped { random([batch, channels, places], 1).swap_dims(1, 2) } else { random([batch, places, channels], 1) };
                tokens.autodiff().require_grad()
            };
            let weight = || random([batch, places, NEIGHBOURS * channels], 2).autodiff();
            let (a, b) = (tokens(), tokens());
            let found = neighbourhoods(a.clone(), [rows, columns], 7.0);
            let expected = plain::neighbourhoods(b.clone(), [rows, columns], 7.0);
            assert_close(neighbourhoods(a.clone().without_autodiff(), [rows, columns], 7.0), expected.clone().without_autodiff());
            assert_close(found.clone().without_autodiff(), expected.clone().without_autodiff());
            let gradients = [(found, a), (expected, b)]
                .map(|(output, input)| input.grad(&(output * weight()).sum().backward()).expect("a gradient"));
            let [found, expected] = gradients;
            assert_close(found, expected);
        }

        #[test]
        fn shortest_paths_and_their_gradients_are_those_of_the_plain_form(
            batch in 1_usize..4, rows in 1_usize..6, columns in 1_usize..6, rounds in 0_usize..8,
        ) {
            let places = rows * columns;
            let inputs = || {
                let field = random([batch, places], 3).square().autodiff().require_grad();
                (field, random([batch, places, NEIGHBOURS], 4).square().autodiff().require_grad())
            };
            let weight = || random([batch, places], 5).autodiff();
            let both = [true, false].map(|kernel| {
                let (field, ways) = inputs();
                let run = if kernel { shortest_paths } else { plain::shortest_paths };
                let output = run(field.clone(), ways.clone(), [rows, columns], rounds, 1e4);
                let gradients = (output.clone() * weight()).sum().backward();
                // With no round there is no way, and the plain form has no gradient of one.
                let way = ways.grad(&gradients).unwrap_or_else(|| Tensor::zeros([batch, places, NEIGHBOURS], &Device::flex()));
                (output.without_autodiff(), field.grad(&gradients).expect("a gradient"), way)
            });
            let [(found, of_field, of_ways), (expected, plain_field, plain_ways)] = both;
            assert_close(found, expected);
            assert_close(of_field, plain_field);
            assert_close(of_ways, plain_ways);
        }
    }

    #[test]
    fn a_neighbourhood_is_three_by_three_and_stops_at_the_edge() {
        let tokens = Tensor::<1>::from_floats([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &Device::flex()).reshape([1, 6, 1]);
        let values = neighbourhoods(tokens, [2, 3], -1.0).into_data().try_into_vec_as::<f32>().expect("floats");
        assert_eq!(values[..9], [-1.0, -1.0, -1.0, -1.0, 0.0, 1.0, -1.0, 3.0, 4.0]);
        assert_eq!(values[4 * 9..5 * 9], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, -1.0, -1.0, -1.0]);
    }

    #[test]
    fn results_do_not_depend_on_the_number_of_threads() {
        let on = |threads: usize| {
            crate::parallel::Threads::new(threads).install(|| {
                let tokens = random([70, 20, 3], 6).autodiff().require_grad();
                let around = neighbourhoods(tokens.clone(), [4, 5], 0.0);
                let ways = around.clone().narrow(2, 0, NEIGHBOURS).square();
                let field = shortest_paths(around.narrow(2, 0, 1).reshape([70, 20]), ways, [4, 5], 6, 1e4);
                let gradient = tokens.grad(&field.clone().sum().backward()).expect("a gradient");
                (field.without_autodiff().into_data(), gradient.into_data())
            })
        };
        assert_eq!(on(1), on(3));
    }
}
