//! Neighbourhoods and shortest paths on grids: each grid of a batch is worked off by one thread, within its first cache.

use super::parallel::each;

/// Places in a neighbourhood, the middle one included.
pub const NEIGHBOURS: usize = 9;

/// Numbers that one task writes, at least: less is not worth a thread.
const NUMBERS_PER_TASK: usize = 1 << 14;

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

/// Writes the 3x3 neighbourhood of every token of grids of rows and columns, `[batch, places, channels]`, to `out`,
/// `[batch, places, 9 * channels]`; `outside` stands for numbers of tokens beyond the edge.
///
/// # Panics
/// If the lengths do not fit.
pub fn neighbourhoods(tokens: &[f32], grid: [usize; 2], channels: usize, outside: f32, out: &mut [f32]) {
    let places = grid[0] * grid[1];
    let width = NEIGHBOURS * channels;
    assert_eq!(NEIGHBOURS * tokens.len(), out.len(), "the length of neighbourhoods");
    if out.is_empty() {
        return;
    }
    let task = grids_per_task(places * width);
    let inputs = tokens.chunks(task * places * channels);
    each(out.chunks_mut(task * places * width).zip(inputs), |(out, tokens)| {
        out.fill(outside);
        for (out, tokens) in out.chunks_exact_mut(places * width).zip(tokens.chunks_exact(places * channels)) {
            for (place, around) in out.chunks_exact_mut(width).enumerate() {
                for Run { at, from, count } in runs(grid, place) {
                    around[at * channels..][..count * channels]
                        .copy_from_slice(&tokens[from * channels..][..count * channels]);
                }
            }
        }
    });
}

/// Writes the gradient of the tokens to `out`, `[batch, places, channels]`, from that of their neighbourhoods.
///
/// # Panics
/// If the lengths do not fit.
pub fn neighbourhoods_gradient(gradient: &[f32], grid: [usize; 2], channels: usize, out: &mut [f32]) {
    let places = grid[0] * grid[1];
    let width = NEIGHBOURS * channels;
    assert_eq!(NEIGHBOURS * out.len(), gradient.len(), "the length of neighbourhoods");
    if out.is_empty() {
        return;
    }
    let task = grids_per_task(places * width);
    let inputs = gradient.chunks(task * places * width);
    each(out.chunks_mut(task * places * channels).zip(inputs), |(out, gradient)| {
        out.fill(0.0);
        for (out, gradient) in out.chunks_exact_mut(places * channels).zip(gradient.chunks_exact(places * width)) {
            for (place, around) in gradient.chunks_exact(width).enumerate() {
                for Run { at, from, count } in runs(grid, place) {
                    let sums = &mut out[from * channels..][..count * channels];
                    for (sum, value) in sums.iter_mut().zip(&around[at * channels..]) {
                        *sum += value;
                    }
                }
            }
        }
    });
}

/// Shortens `field`, `[batch, places]`, `rounds` times by its neighbours' numbers plus the `ways` to them, `[batch, places, 9]`, and
/// writes which neighbour every place took in every round to `choices`, `[batch, rounds, places]`.
///
/// # Panics
/// If the lengths do not fit.
pub fn shortest_paths(
    ways: &[f32],
    grid: [usize; 2],
    rounds: usize,
    outside: f32,
    field: &mut [f32],
    choices: &mut [u8],
) {
    let places = grid[0] * grid[1];
    assert_eq!(NEIGHBOURS * field.len(), ways.len(), "the length of ways");
    assert_eq!(rounds * field.len(), choices.len(), "the length of choices");
    if choices.is_empty() {
        return;
    }
    let grids = field.chunks_mut(places).zip(choices.chunks_mut(rounds * places));
    each(grids.zip(ways.chunks(places * NEIGHBOURS)), |((field, choices), ways)| {
        let mut before = vec![0.0; places];
        for choices in choices.chunks_exact_mut(places) {
            before.copy_from_slice(field);
            relax(&before, ways, grid, outside, field, choices);
        }
    });
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

/// Turns `field` from the gradient of the last field into that of the first, `[batch, places]`, and writes that of the ways to `ways`,
/// `[batch, places, 9]`.
///
/// # Panics
/// If the lengths do not fit.
pub fn shortest_paths_gradient(choices: &[u8], grid: [usize; 2], rounds: usize, field: &mut [f32], ways: &mut [f32]) {
    let places = grid[0] * grid[1];
    assert_eq!(NEIGHBOURS * field.len(), ways.len(), "the length of ways");
    assert_eq!(rounds * field.len(), choices.len(), "the length of choices");
    ways.fill(0.0);
    if choices.is_empty() {
        return;
    }
    let grids = field.chunks_mut(places).zip(ways.chunks_mut(places * NEIGHBOURS));
    each(grids.zip(choices.chunks(rounds * places)), |((field, ways), choices)| {
        let mut after = vec![0.0; places];
        for choices in choices.chunks_exact(places).rev() {
            after.copy_from_slice(field);
            field.fill(0.0);
            for (place, (&gradient, &choice)) in after.iter().zip(choices).enumerate() {
                ways[place * NEIGHBOURS + usize::from(choice)] += gradient;
                if let Some(neighbour) = neighbour(grid, place, choice) {
                    field[neighbour] += gradient;
                }
            }
        }
    });
}

/// The place of a neighbour; `None` beyond the edge.
fn neighbour([rows, columns]: [usize; 2], place: usize, choice: u8) -> Option<usize> {
    let row = (place / columns + usize::from(choice / 3)).checked_sub(1)?;
    let column = (place % columns + usize::from(choice % 3)).checked_sub(1)?;
    (row < rows && column < columns).then_some(row * columns + column)
}
