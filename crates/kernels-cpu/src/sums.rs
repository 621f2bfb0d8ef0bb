//! Sums and maxima in a fixed order that is also the order of vectors.

/// Sums that are kept side by side, so that the order of addition is the same at every level.
const LANES: usize = 16;

/// The sum of `f(i)` over `0..length`, in lanes.
#[inline(always)]
pub(crate) fn sum(length: usize, mut f: impl FnMut(usize) -> f32) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let whole = length - length % LANES;
    for start in (0..whole).step_by(LANES) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum += f(start + lane);
        }
    }
    for index in whole..length {
        sums[index - whole] += f(index);
    }
    add_lanes(sums)
}

/// The sum of lanes: halves are added to each other.
#[inline(always)]
fn add_lanes(mut sums: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
        width /= 2;
    }
    sums[0]
}

/// The sum of a function of numbers, in lanes: as [`sum`], and faster.
#[inline(always)]
pub(crate) fn sum_of(values: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += f(*value);
        }
    }
    for (sum, value) in sums.iter_mut().zip(rest) {
        *sum += f(*value);
    }
    add_lanes(sums)
}

/// The sum of many numbers, in four times as many lanes: no addition waits for the one before.
#[inline(always)]
pub(crate) fn sum_of_many(values: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 4 * LANES];
    let (blocks, rest) = values.as_chunks::<{ 4 * LANES }>();
    for block in blocks {
        for (sum, value) in sums.iter_mut().zip(block) {
            *sum += value;
        }
    }
    sum_of(&sums, |sum| sum) + sum_of(rest, |value| value)
}

/// The sum of a function of pairs of numbers, in lanes, as far as there are both.
#[inline(always)]
pub(crate) fn sum_of_pairs(left: &[f32], right: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let length = left.len().min(right.len());
    let mut sums = [0.0_f32; LANES];
    let ((left, left_rest), (right, right_rest)) =
        (left[..length].as_chunks::<LANES>(), right[..length].as_chunks::<LANES>());
    for (left, right) in left.iter().zip(right) {
        for (sum, (left, right)) in sums.iter_mut().zip(left.iter().zip(right)) {
            *sum += f(*left, *right);
        }
    }
    for (sum, (left, right)) in sums.iter_mut().zip(left_rest.iter().zip(right_rest)) {
        *sum += f(*left, *right);
    }
    add_lanes(sums)
}

/// The largest number; minus infinity of none.
#[inline(always)]
pub(crate) fn largest(values: &[f32]) -> f32 {
    let mut tops = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = values.as_chunks::<LANES>();
    for chunk in chunks {
        for (top, value) in tops.iter_mut().zip(chunk) {
            *top = if *value > *top { *value } else { *top };
        }
    }
    for (top, value) in tops.iter_mut().zip(rest) {
        *top = if *value > *top { *value } else { *top };
    }
    tops.into_iter().fold(f32::NEG_INFINITY, f32::max)
}
