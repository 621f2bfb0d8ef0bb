//! Exponential moving averages of parameters.

use super::super::parallel::each;

use super::super::Level;
use super::super::level::{Vectorised, at};
use super::chunks::CHUNK;

/// Moves every target towards its source: `target = momentum * target + (1 - momentum) * source`.
///
/// # Panics
/// If the lengths of a pair differ.
pub fn update<'a>(level: Level, momentum: f64, pairs: impl IntoIterator<Item = (&'a mut [f32], &'a [f32])>) {
    let (keep, new) = (momentum as f32, (1.0 - momentum) as f32);
    let mut chunks = Vec::new();
    for (target, source) in pairs {
        assert_eq!(target.len(), source.len(), "a moving average has the length of what it follows");
        chunks.extend(target.chunks_mut(CHUNK).zip(source.chunks(CHUNK)));
    }
    each(chunks, |(target, source)| at(level, Chunk { target, source, keep, new }));
}

/// Part of a parameter.
struct Chunk<'a> {
    target: &'a mut [f32],
    source: &'a [f32],
    keep: f32,
    new: f32,
}

impl Vectorised for Chunk<'_> {
    type Output = ();

    // Never with fused multiply-adds: the same numbers at every level.
    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        for (target, source) in self.target.iter_mut().zip(self.source) {
            *target = *target * self.keep + source * self.new;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::numbers;

    #[test]
    fn every_level_gives_the_formula_bit_for_bit() {
        let lengths = [0, 1, 77, 2 * CHUNK + 3];
        for level in Level::available() {
            let sources = lengths.map(|length| numbers(length, 1));
            let before = lengths.map(|length| numbers(length, 2));
            let mut targets = before.clone();
            let pairs = targets.iter_mut().zip(&sources);
            update(level, 0.75, pairs.map(|(target, source)| (&mut target[..], &source[..])));
            for ((target, before), source) in targets.iter().zip(&before).zip(&sources) {
                for ((target, before), source) in target.iter().zip(before).zip(source) {
                    assert_eq!(*target, before * 0.75 + source * 0.25, "{level}");
                }
            }
        }
    }
}
