//! Operations on grids of tokens, row by row: 3x3 neighbourhoods, and shortest paths from place to neighbouring place.

mod cpu;
mod plain;
mod tape;

use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;

use crate::route::{Route, route};

/// Places in a neighbourhood, the middle one included.
pub const NEIGHBOURS: usize = 9;

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
    match route(&[tokens.device()], &[tokens.dtype()]) {
        Route::Cpu => {
            let tokens = tokens.try_into_primitive::<Flex>().expect("on the CPU backend");
            Tensor::from_primitive::<Flex>(cpu::neighbourhoods(&tokens, grid, outside))
        }
        Route::Tape => {
            let tokens = tokens.try_into_primitive::<Autodiff<Flex>>().expect("on the CPU backend's tape");
            Tensor::from_primitive::<Autodiff<Flex>>(tape::neighbourhoods(tokens, grid, outside))
        }
        Route::Plain => plain::neighbourhoods(tokens, grid, outside),
    }
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
    match route(&[field.device(), ways.device()], &[field.dtype(), ways.dtype()]) {
        Route::Cpu => {
            let field = field.try_into_primitive::<Flex>().expect("on the CPU backend");
            let ways = ways.try_into_primitive::<Flex>().expect("on the CPU backend");
            Tensor::from_primitive::<Flex>(cpu::shortest_paths(&field, &ways, grid, rounds, outside).0)
        }
        Route::Tape => {
            let field = field.autodiff().try_into_primitive::<Autodiff<Flex>>().expect("on the CPU backend's tape");
            let ways = ways.autodiff().try_into_primitive::<Autodiff<Flex>>().expect("on the CPU backend's tape");
            Tensor::from_primitive::<Autodiff<Flex>>(tape::shortest_paths(field, ways, grid, rounds, outside))
        }
        Route::Plain => plain::shortest_paths(field, ways, grid, rounds, outside),
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
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| {
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
