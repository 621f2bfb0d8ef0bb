//! Tiles, results and gradients before and after the products.
//!
//! # Safety
//! All that is unsafe here has the precondition that the vectors are *supported*: see
//! [`vectors`](super::super::super::vectors).
#![allow(unsafe_code)]

use super::super::super::vectors::{MOST_LANES, Vectors};
use super::super::padded::Padded;
use super::{Block, PLACES, Tiling};

/// `G` times three numbers.
pub(super) fn weight_line([a, b, c]: [f32; 3]) -> [f32; 4] {
    [a, 0.5 * (a + b + c), 0.5 * (a - b + c), c]
}

/// `G^T` times four numbers.
pub(super) fn weight_line_back([a, b, c, d]: [f32; 4]) -> [f32; 3] {
    [a + 0.5 * (b + c), 0.5 * (b - c), 0.5 * (b + c) + d]
}

/// `B^T` times four vectors.
///
/// # Safety
/// The vectors are supported.
#[inline(always)]
unsafe fn tile_line<V: Vectors>([a, b, c, d]: [V::Sums; 4]) -> [V::Sums; 4] {
    // SAFETY: the vectors are supported.
    unsafe { [V::subtract(a, c), V::add(b, c), V::subtract(c, b), V::subtract(b, d)] }
}

/// `A^T` times four vectors.
///
/// # Safety
/// The vectors are supported.
#[inline(always)]
unsafe fn result_line<V: Vectors>([a, b, c, d]: [V::Sums; 4]) -> [V::Sums; 2] {
    // SAFETY: the vectors are supported.
    unsafe { [V::add(V::add(a, b), c), V::subtract(V::subtract(b, c), d)] }
}

/// `A` times two vectors.
///
/// # Safety
/// The vectors are supported.
#[inline(always)]
unsafe fn gradient_line<V: Vectors>([a, b]: [V::Sums; 2]) -> [V::Sums; 4] {
    // SAFETY: the vectors are supported.
    unsafe { [a, V::add(a, b), V::subtract(a, b), V::subtract(V::all(0.0), b)] }
}

/// Writes `B^T d B` of the tiles of a block, `[channels, tiles]` for each place. `padded` has its images.
#[inline(always)]
pub(super) fn transform_tiles<V: Vectors>(
    image: &Padded,
    tiling: &Tiling,
    block: &Block,
    padded: &[f32],
    tiles: &mut [f32],
) {
    let (count, columns) = (tiling.count(), tiling.tiles[1]);
    for channel in 0..image.planes {
        for index in block.images.clone() {
            for row in block.rows.clone() {
                let first = (index - block.images.start) * image.len() + image.place(channel, 2 * row, 0);
                let lines = [0, 1, 2, 3].map(|line| first + line * image.phases * image.pitch);
                let (place, pitch) = (channel * count + tiling.place(block, index, row), tiling.pitch(image.planes));
                // SAFETY: the vectors are supported, and so are the shorter ones.
                unsafe {
                    if columns >= V::LANES {
                        tile_lines::<V>(padded, lines, image.pitch, columns, tiles, place, pitch);
                    } else if columns >= V::Half::LANES {
                        tile_lines::<V::Half>(padded, lines, image.pitch, columns, tiles, place, pitch);
                    } else {
                        tile_lines::<Quarter<V>>(padded, lines, image.pitch, columns, tiles, place, pitch);
                    }
                }
            }
        }
    }
}

/// Vectors of a quarter of the numbers.
pub(super) type Quarter<V> = <<V as Vectors>::Half as Vectors>::Half;

/// Where vectors of `length` numbers start; the last one ends with the numbers.
#[inline(always)]
fn starts<V: Vectors>(length: usize) -> impl Iterator<Item = usize> {
    (0..length).step_by(V::LANES).map(move |start| start.min(length - V::LANES))
}

/// [`transform_tiles`] of a row of tiles, a vector of them at a time. `lines` are the four rows of pixels, the even columns of which stand
/// `odd` before the odd ones.
///
/// # Safety
/// The vectors are supported.
#[inline(always)]
unsafe fn tile_lines<V: Vectors>(
    padded: &[f32],
    lines: [usize; 4],
    odd: usize,
    columns: usize,
    tiles: &mut [f32],
    place: usize,
    pitch: usize,
) {
    assert!(lines.iter().all(|line| line + odd + columns < padded.len()), "the pixels under tiles");
    assert!(columns >= V::LANES && place + (PLACES - 1) * pitch + columns <= tiles.len(), "room for tiles");
    for x in starts::<V>(columns) {
        // SAFETY: the vectors are supported; the tiles of a vector from `x` on are among the columns, whose pixels and
        // places are inside by the assertions.
        unsafe {
            let line = |line: usize| {
                let (even, odd) = (padded.as_ptr().add(line + x), padded.as_ptr().add(line + odd + x));
                tile_line::<V>([V::read(even), V::read(odd), V::read(even.add(1)), V::read(odd.add(1))])
            };
            let (a, b, c, d) = (line(lines[0]), line(lines[1]), line(lines[2]), line(lines[3]));
            let start = tiles.as_mut_ptr().add(place + x);
            for column in 0..4 {
                let numbers = tile_line::<V>([a[column], b[column], c[column], d[column]]);
                for (row, numbers) in numbers.into_iter().enumerate() {
                    V::write(numbers, start.add((row * 4 + column) * pitch));
                }
            }
        }
    }
}

/// Writes `A^T m A` of a row of tiles, a vector of them at a time: two rows of pixels, or the first one if there is no second.
///
/// # Safety
/// The vectors are supported.
#[inline(always)]
pub(super) unsafe fn result_lines<V: Vectors>(
    sums: &[f32],
    pitch: usize,
    place: usize,
    columns: usize,
    width: usize,
    out: &mut [f32],
) {
    assert!(columns >= V::LANES && place + (PLACES - 1) * pitch + columns <= sums.len(), "the places of tiles");
    let (first, second) = out.split_at_mut(width);
    for x in starts::<V>(columns) {
        // SAFETY: the vectors are supported; the tiles of a vector from `x` on are among the columns, whose places are
        // inside by the assertion.
        unsafe {
            let column = |column: usize| {
                let number = |row: usize| V::read(sums.as_ptr().add(place + x + (row * 4 + column) * pitch));
                result_line::<V>([number(0), number(1), number(2), number(3)])
            };
            let ([a, e], [b, f], [c, g], [d, h]) = (column(0), column(1), column(2), column(3));
            write_pairs::<V>(result_line::<V>([a, b, c, d]), &mut first[2 * x..]);
            if !second.is_empty() {
                write_pairs::<V>(result_line::<V>([e, f, g, h]), &mut second[2 * x..]);
            }
        }
    }
}

/// Writes the numbers of even and odd columns in turns, as many as there is room for.
///
/// # Safety
/// The vectors are supported.
#[inline(always)]
unsafe fn write_pairs<V: Vectors>([even, odd]: [V::Sums; 2], out: &mut [f32]) {
    // SAFETY: the vectors are supported; vectors that are longer than the rest of a row go through memory that has room for them.
    unsafe {
        if out.len() >= 2 * V::LANES {
            V::write_interleaved(even, odd, out.as_mut_ptr());
        } else {
            let mut buffer = [0.0; 2 * MOST_LANES];
            V::write_interleaved(even, odd, buffer.as_mut_ptr());
            out.copy_from_slice(&buffer[..out.len()]);
        }
    }
}

/// Writes `A y A^T` of a row of tiles, for `COLUMNS` channels of the result each: places are `pitch` of these apart.
///
/// # Safety
/// The vectors are supported, and two of them are `COLUMNS` numbers.
#[inline(always)]
pub(super) unsafe fn gradient_lines<V: Vectors, const COLUMNS: usize>(
    gradient: &[f32],
    tiling: &Tiling,
    row: usize,
    tiles: &mut [f32],
    pitch: usize,
) {
    let [height, width] = tiling.size;
    let (gradient, _) = gradient.as_chunks::<COLUMNS>();
    let (tiles, _) = tiles.as_chunks_mut::<COLUMNS>();
    let line = |y: usize| if y < height { &gradient[y * width..][..width] } else { &[] };
    let (first, second) = (line(2 * row), line(2 * row + 1));
    for x in 0..tiling.tiles[1] {
        let tiles = &mut tiles[x..][..=(PLACES - 1) * pitch];
        for half in [0, V::LANES] {
            // SAFETY: the vectors are supported; each pixel and each tile is `COLUMNS` numbers, which are two vectors.
            unsafe {
                let pixel = |line: &[[f32; COLUMNS]], x: usize| {
                    line.get(x).map_or(V::all(0.0), |numbers| V::read(numbers.as_ptr().add(half)))
                };
                let even = gradient_line::<V>([pixel(first, 2 * x), pixel(second, 2 * x)]);
                let odd = gradient_line::<V>([pixel(first, 2 * x + 1), pixel(second, 2 * x + 1)]);
                for line in 0..4 {
                    let numbers = gradient_line::<V>([even[line], odd[line]]);
                    for (column, numbers) in numbers.into_iter().enumerate() {
                        V::write(numbers, tiles[(line * 4 + column) * pitch].as_mut_ptr().add(half));
                    }
                }
            }
        }
    }
}
