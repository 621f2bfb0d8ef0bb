//! The kernels: each grid of a batch is worked off by one thread, within its first cache.

use burn::backend::Flex;
use burn::backend::tensor::FloatTensor;
use burn::tensor::TensorData;
use rayon::prelude::*;

use super::NEIGHBOURS;

type Memory = FloatTensor<Flex>;

/// Numbers that one task writes, at least: less is not worth a thread.
const NUMBERS_PER_TASK: usize = 1 << 14;

/// The tensor with its numbers in order.
fn in_order(tensor: &Memory) -> Memory {
    if tensor.is_contiguous() { tensor.clone() } else { tensor.to_contiguous() }
}

fn slice(tensor: &Memory) -> &[f32] {
    tensor.as_slice().expect("float32, in order")
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Memory {
    Memory::from_data(TensorData::new(values, shape))
}

fn shape<const D: usize>(tensor: &Memory) -> [usize; D] {
    tensor.layout().shape().dims()
}

/// Grids in one task.
fn grids_per_task(numbers: usize) -> usize {
    NUMBERS_PER_TASK.div_ceil(numbers.max(1))
}

/// One row of the neighbourhood of a place: where it begins in the neighbourhood, which places of the grid it shows, both in places.
struct Run {
    at: usize,
    from: usize,
    count: usize,
}

/// The rows of the neighbourhood of a place that are inside of the grid.
fn runs([rows, columns]: [usize; 2], place: usize) -> impl Iterator<Item = Run> {
    let (row, column) = (place / columns, place % columns);
    let first = column.saturating_sub(1);
    let last = (column + 1).min(columns - 1);
    (0..3_usize).filter(move |dy| (1..=rows).contains(&(row + dy))).map(move |dy| Run {
        at: dy * 3 + first + 1 - column,
        from: (row + dy - 1) * columns + first,
        count: last + 1 - first,
    })
}

/// See [`super::neighbourhoods`].
pub(super) fn neighbourhoods(tokens: &Memory, grid: [usize; 2], outside: f32) -> Memory {
    let tokens = in_order(tokens);
    let [batch, places, channels] = shape(&tokens);
    let width = NEIGHBOURS * channels;
    let mut output = vec![outside; batch * places * width];
    if !output.is_empty() {
        let task = grids_per_task(places * width);
        let inputs = slice(&tokens).par_chunks(task * places * channels);
        output.par_chunks_mut(task * places * width).zip(inputs).for_each(|(output, tokens)| {
            for (output, tokens) in output.chunks_exact_mut(places * width).zip(tokens.chunks_exact(places * channels))
            {
                for (place, around) in output.chunks_exact_mut(width).enumerate() {
                    for Run { at, from, count } in runs(grid, place) {
                        around[at * channels..][..count * channels]
                            .copy_from_slice(&tokens[from * channels..][..count * channels]);
                    }
                }
            }
        });
    }
    tensor(output, [batch, places, width])
}

/// The gradient of the tokens from that of their neighbourhoods.
pub(super) fn neighbourhoods_gradient(gradient: &Memory, grid: [usize; 2]) -> Memory {
    let gradient = in_order(gradient);
    let [batch, places, width] = shape(&gradient);
    let channels = width / NEIGHBOURS;
    let mut output = vec![0.0; batch * places * channels];
    if !output.is_empty() {
        let task = grids_per_task(places * width);
        let inputs = slice(&gradient).par_chunks(task * places * width);
        output.par_chunks_mut(task * places * channels).zip(inputs).for_each(|(output, gradient)| {
            for (output, gradient) in
                output.chunks_exact_mut(places * channels).zip(gradient.chunks_exact(places * width))
            {
                for (place, around) in gradient.chunks_exact(width).enumerate() {
                    for Run { at, from, count } in runs(grid, place) {
                        let sums = &mut output[from * channels..][..count * channels];
                        for (sum, value) in sums.iter_mut().zip(&around[at * channels..]) {
                            *sum += value;
                        }
                    }
                }
            }
        });
    }
    tensor(output, [batch, places, channels])
}

/// Which neighbour every place took in every round: `[batch, rounds, places]`.
pub(super) type Choices = Vec<u8>;

/// See [`super::shortest_paths`]. Also gives the neighbours that were taken.
pub(super) fn shortest_paths(
    field: &Memory,
    ways: &Memory,
    grid: [usize; 2],
    rounds: usize,
    outside: f32,
) -> (Memory, Choices) {
    let (field, ways) = (in_order(field), in_order(ways));
    let [batch, places] = shape(&field);
    let mut output = slice(&field).to_vec();
    let mut choices = vec![0_u8; batch * rounds * places];
    if batch * places * rounds > 0 {
        let grids = output.par_chunks_mut(places).zip(choices.par_chunks_mut(rounds * places));
        grids.zip(slice(&ways).par_chunks(places * NEIGHBOURS)).with_min_len(grids_per_task(rounds * places)).for_each(
            |((field, choices), ways)| {
                let mut before = vec![0.0; places];
                for choices in choices.chunks_exact_mut(places) {
                    before.copy_from_slice(field);
                    relax(&before, ways, grid, outside, field, choices);
                }
            },
        );
    }
    (tensor(output, [batch, places]), choices)
}

/// One round on one grid.
fn relax(before: &[f32], ways: &[f32], grid: [usize; 2], outside: f32, after: &mut [f32], choices: &mut [u8]) {
    let (ways, _) = ways.as_chunks::<NEIGHBOURS>();
    for (place, ((after, choice), ways)) in after.iter_mut().zip(choices).zip(ways).enumerate() {
        let mut around = [outside; NEIGHBOURS];
        for Run { at, from, count } in runs(grid, place) {
            around[at..][..count].copy_from_slice(&before[from..][..count]);
        }
        let mut least = around[0] + ways[0];
        let mut chosen = 0;
        for k in 1..NEIGHBOURS {
            let length = around[k] + ways[k];
            if length < least {
                (least, chosen) = (length, k as u8);
            }
        }
        (*after, *choice) = (least, chosen);
    }
}

/// The gradients of the first field and of the ways from that of the last field.
pub(super) fn shortest_paths_gradient(
    gradient: &Memory,
    choices: &[u8],
    grid: [usize; 2],
    rounds: usize,
) -> (Memory, Memory) {
    let gradient = in_order(gradient);
    let [batch, places] = shape(&gradient);
    let mut of_field = slice(&gradient).to_vec();
    let mut of_ways = vec![0.0; batch * places * NEIGHBOURS];
    if batch * places * rounds > 0 {
        let grids = of_field.par_chunks_mut(places).zip(of_ways.par_chunks_mut(places * NEIGHBOURS));
        grids.zip(choices.par_chunks(rounds * places)).with_min_len(grids_per_task(rounds * places)).for_each(
            |((of_field, of_ways), choices)| {
                let mut after = vec![0.0; places];
                for choices in choices.chunks_exact(places).rev() {
                    after.copy_from_slice(of_field);
                    of_field.fill(0.0);
                    for (place, (&gradient, &choice)) in after.iter().zip(choices).enumerate() {
                        of_ways[place * NEIGHBOURS + usize::from(choice)] += gradient;
                        if let Some(neighbour) = neighbour(grid, place, choice) {
                            of_field[neighbour] += gradient;
                        }
                    }
                }
            },
        );
    }
    (tensor(of_field, [batch, places]), tensor(of_ways, [batch, places, NEIGHBOURS]))
}

/// The place of a neighbour; `None` beyond the edge.
fn neighbour([rows, columns]: [usize; 2], place: usize, choice: u8) -> Option<usize> {
    let row = (place / columns + usize::from(choice / 3)).checked_sub(1)?;
    let column = (place % columns + usize::from(choice % 3)).checked_sub(1)?;
    (row < rows && column < columns).then_some(row * columns + column)
}
