//! Multi-head self-attention out of packed queries, keys and values, without copies of the batch in another order, and its gradients.
//!
//! Scores exist for a few rows at a time, so that memory grows with the length of the sequence and not with its square (the aim of
//! Dao et al. 2022, "`FlashAttention`"; the backward pass computes the scores again, as there).
#![allow(unsafe_code)]

use std::ops::Range;

use super::parallel::each;

use super::level::{Vectorised, at};
use super::math::{exp, fma};
use super::product::{Right, product_on_thread};
use super::scratch::with_scratch;
use super::shared::Shared;
use super::sums::{largest, sum_of, sum_of_pairs};
use super::{Level, Matrix, Precision};

/// Rows of scores that exist at a time in the forward and in the backward pass, where all of them see all keys.
const FORWARD_ROWS: usize = 64;
const BACKWARD_ROWS: usize = 256;
/// The same in the backward pass where a mask hides keys: scores are made of the keys that some row of a block sees.
const MASKED_ROWS: usize = 64;
/// Sequences of at most so many tokens are mixed pair by pair: laying out keys and values for products would take longer.
const FEW_TOKENS: usize = 8;

/// Which keys a query sees: always some that follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mask<'a> {
    /// All.
    Full,
    /// Token `i` sees the tokens of its block of this many tokens, and of all blocks before. 1 is causal attention.
    BlockCausal(usize),
    /// Every token sees those from a first one up to another, which it does not see, `[batch or 1, tokens, 2]`: whole numbers.
    Between(&'a [f32]),
}

impl Mask<'_> {
    fn visible(self, batch: usize, token: usize, tokens: usize) -> Range<usize> {
        match self {
            Self::Full => 0..tokens,
            Self::BlockCausal(block) => 0..((token / block + 1) * block).min(tokens),
            Self::Between(bounds) => {
                let row = if bounds.len() > 2 * tokens { batch } else { 0 };
                let [first, end] = [0, 1].map(|side| bounds[2 * (row * tokens + token) + side] as usize);
                first.min(end.min(tokens))..end.min(tokens)
            }
        }
    }
}

/// Rotary positions: channels `(2 k, 2 k + 1)` are rotated, `y = x cosine + (-x[2 k + 1], x[2 k]) sine`.
#[derive(Clone, Copy, Debug)]
pub struct Rotation<'a> {
    /// `[batch or 1, tokens, head_dim]`
    pub cosine: &'a [f32],
    /// `[batch or 1, tokens, head_dim]`
    pub sine: &'a [f32],
}

impl<'a> Rotation<'a> {
    fn of(&self, batch: usize, length: usize) -> (&'a [f32], &'a [f32]) {
        let start = if self.cosine.len() > length { batch * length } else { 0 };
        (&self.cosine[start..start + length], &self.sine[start..start + length])
    }
}

/// Sizes and options of an attention.
#[derive(Clone, Copy, Debug)]
pub struct Attention<'a> {
    /// Rows of the batch.
    pub batch: usize,
    /// Length of the sequence.
    pub tokens: usize,
    /// Number of heads.
    pub heads: usize,
    /// Channels of a head.
    pub head_dim: usize,
    /// Which keys a query sees.
    pub mask: Mask<'a>,
    /// Turns queries and keys.
    pub rotation: Option<Rotation<'a>>,
}

/// One head of one row of the batch: where its numbers are.
struct Head {
    batch: usize,
    head: usize,
}

impl Attention<'_> {
    fn check(&self, qkv: &[f32], out: &[f32], logarithms: &[f32]) {
        let rows = self.batch * self.tokens;
        assert_eq!(qkv.len(), 3 * rows * self.heads * self.head_dim, "queries, keys and values");
        assert_eq!(out.len(), rows * self.heads * self.head_dim, "mixed values");
        assert_eq!(logarithms.len(), rows * self.heads, "logarithms");
        if let Some(Rotation { cosine, sine }) = self.rotation {
            let one = self.tokens * self.head_dim;
            assert!(
                cosine.len() == sine.len() && (cosine.len() == one || cosine.len() == one * self.batch),
                "a rotation"
            );
            assert!(self.head_dim.is_multiple_of(2), "pairs of channels");
        }
        match self.mask {
            Mask::BlockCausal(block) => assert!(block > 0, "blocks of at least one token"),
            Mask::Between(bounds) => {
                let rows = [2 * self.tokens, 2 * self.tokens * self.batch];
                assert!(rows.contains(&bounds.len()), "two bounds for every token");
            }
            Mask::Full => {}
        }
    }

    fn scale(&self) -> f32 {
        1.0 / (self.head_dim as f32).sqrt()
    }

    fn width(&self) -> usize {
        self.heads * self.head_dim
    }

    fn heads(&self) -> impl Iterator<Item = Head> + use<> {
        let heads = self.heads;
        (0..self.batch * heads).map(move |index| Head { batch: index / heads, head: index % heads })
    }

    /// `[tokens, head_dim]` of the queries (part 0), keys (1) or values (2) of a head, of these tokens.
    fn part<'q>(&self, qkv: &'q [f32], Head { batch, head }: &Head, part: usize, tokens: Range<usize>) -> Matrix<'q> {
        let width = 3 * self.width();
        let start = (batch * self.tokens + tokens.start) * width + (part * self.heads + head) * self.head_dim;
        Matrix::strided(&qkv[start..], [tokens.len(), self.head_dim], [width, 1])
    }

    /// From the first key that any of these queries sees to the last; one key if they see none.
    fn seen(&self, batch: usize, queries: Range<usize>) -> Range<usize> {
        if self.mask == Mask::Full {
            return 0..self.tokens;
        }
        let visible = queries.map(|token| self.mask.visible(batch, token, self.tokens));
        let joined = visible.filter(|keys| !keys.is_empty()).reduce(|a, b| a.start.min(b.start)..a.end.max(b.end));
        joined.unwrap_or(0..1)
    }

    /// Which of the `seen` keys a query sees, counted from the first of them.
    fn visible(&self, batch: usize, token: usize, seen: &Range<usize>) -> Range<usize> {
        let visible = self.mask.visible(batch, token, self.tokens);
        let [start, end] = [visible.start, visible.end].map(|key| key.clamp(seen.start, seen.end) - seen.start);
        start..end
    }

    /// `[rows, head_dim]` of mixed values or their gradient.
    fn rows<'m>(&self, mixed: &'m [f32], head: &Head, first: usize, rows: usize) -> Matrix<'m> {
        let width = self.width();
        let start = (head.batch * self.tokens + first) * width + head.head * self.head_dim;
        Matrix::strided(&mixed[start..], [rows, self.head_dim], [width, 1])
    }

    /// Queries or keys rotated and multiplied with `scale`, rows one after the other.
    fn rotated(&self, level: Level, x: Matrix<'_>, batch: usize, scale: f32, out: &mut [f32]) {
        let rotation = self.rotation.map(|rotation| rotation.of(batch, self.tokens * self.head_dim));
        at(level, Turn { x, rotation, scale, out });
    }

    /// Mixes the values of all tokens by the softmax of `query key / sqrt(head_dim)`.
    ///
    /// - `qkv`: `[batch, tokens, 3, heads, head_dim]`
    /// - `out`: `[batch, tokens, heads, head_dim]`
    /// - `logarithms`: `[batch, heads, tokens]`, the logarithm of the softmax's denominator, for the backward pass
    ///
    /// Products of a few tokens are in float32 in both precisions.
    ///
    /// # Panics
    /// If the shapes do not fit.
    pub fn forward(&self, level: Level, precision: Precision, qkv: &[f32], out: &mut [f32], logarithms: &mut [f32]) {
        self.check(qkv, out, logarithms);
        let (tokens, dim) = (self.tokens, self.head_dim);
        if out.is_empty() {
            return;
        }
        if tokens <= FEW_TOKENS && self.rotation.is_none() {
            self.forward_few(level, qkv, out, logarithms);
            return;
        }
        let out = Shared::new(out);
        each(self.heads().zip(logarithms.chunks_mut(tokens)), |(head, logarithms)| {
            with_scratch(|rotated| {
                with_scratch(|keys_laid_out| {
                    with_scratch(|values_laid_out| {
                        let (queries, keys) = rotated.get(2 * tokens * dim).split_at_mut(tokens * dim);
                        self.rotated(level, self.part(qkv, &head, 0, 0..tokens), head.batch, self.scale(), queries);
                        self.rotated(level, self.part(qkv, &head, 1, 0..tokens), head.batch, 1.0, keys);
                        let block = |first: usize| first..(first + FORWARD_ROWS).min(tokens);
                        let mut first = 0;
                        while first < tokens {
                            // Blocks of queries that see the same keys.
                            let seen = self.seen(head.batch, block(first));
                            let key = Matrix::new(&keys[seen.start * dim..seen.end * dim], seen.len(), dim);
                            let key = Right::new(level, precision, key.transposed(), keys_laid_out);
                            let value = self.part(qkv, &head, 2, seen.clone());
                            let value = Right::new(level, precision, value, values_laid_out);
                            while first < tokens && self.seen(head.batch, block(first)) == seen {
                                let rows = block(first);
                                let query = Matrix::new(&queries[rows.start * dim..rows.end * dim], rows.len(), dim);
                                let logarithms = &mut logarithms[rows];
                                self.mix(level, &head, first, query, &seen, [&key, &value], logarithms, &out);
                                first += FORWARD_ROWS;
                            }
                        }
                    });
                });
            });
        });
    }

    /// Mixes the values that some queries see, the first of which is that of token `first`.
    fn mix(
        &self,
        level: Level,
        head: &Head,
        first: usize,
        queries: Matrix<'_>,
        seen: &Range<usize>,
        [key, value]: [&Right<'_>; 2],
        logarithms: &mut [f32],
        out: &Shared<'_>,
    ) {
        let (rows, dim, keys) = (queries.rows(), self.head_dim, seen.len());
        with_scratch(|scratch| {
            let (scores, rest) = scratch.get::<f32>(rows * (keys + dim + 1)).split_at_mut(rows * keys);
            let (mixed, totals) = rest.split_at_mut(rows * dim);
            product_on_thread(queries, key, scores);
            let visible = |row| self.visible(head.batch, first + row, seen);
            at(level, Softmax { scores: &mut *scores, keys, visible, totals: &mut *totals, logarithms });
            product_on_thread(Matrix::new(scores, rows, keys), value, mixed);
            for (row, (mixed, total)) in mixed.chunks_exact(dim).zip(&*totals).enumerate() {
                let place = (head.batch * self.tokens + first + row) * self.width() + head.head * dim;
                // SAFETY: a token's channels of this head are written here alone.
                let target = unsafe { out.slice(place, dim) };
                let scale = if *total > 0.0 { 1.0 / total } else { 0.0 };
                target.iter_mut().zip(mixed).for_each(|(target, value)| *target = value * scale);
            }
        });
    }

    /// As [`Self::forward`], of a few tokens without a rotation.
    fn forward_few(&self, level: Level, qkv: &[f32], out: &mut [f32], logarithms: &mut [f32]) {
        /// Rows of the batch in a task.
        const ROWS: usize = 16;
        let one = self.tokens * self.width();
        let logarithm = self.heads * self.tokens;
        let tasks =
            out.chunks_mut(ROWS * one).zip(qkv.chunks(3 * ROWS * one)).zip(logarithms.chunks_mut(ROWS * logarithm));
        each(tasks.enumerate(), |(task, ((out, qkv), logarithms))| {
            let rows =
                out.chunks_exact_mut(one).zip(qkv.chunks_exact(3 * one)).zip(logarithms.chunks_exact_mut(logarithm));
            for (index, ((out, qkv), logarithms)) in rows.enumerate() {
                at(level, FewTokens { sizes: *self, row: task * ROWS + index, qkv, out, logarithms });
            }
        });
    }

    /// Writes the gradient of `qkv` to `out`, of its shape, from that of the mixed values.
    ///
    /// `mixed` and `logarithms` are what [`Attention::forward`] gave.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[allow(clippy::too_many_lines, reason = "the formula in its order")]
    pub fn backward(
        &self,
        level: Level,
        precision: Precision,
        qkv: &[f32],
        mixed: &[f32],
        logarithms: &[f32],
        gradient: &[f32],
        out: &mut [f32],
    ) {
        self.check(qkv, mixed, logarithms);
        assert_eq!(gradient.len(), mixed.len(), "gradient of the mixed values");
        assert_eq!(out.len(), qkv.len(), "gradient of queries, keys and values");
        let (tokens, dim, width) = (self.tokens, self.head_dim, self.width());
        if out.is_empty() {
            return;
        }
        let out = Shared::new(out);
        each(self.heads().zip(logarithms.chunks(tokens)), |(head, logarithms)| {
            with_scratch(|operands| {
                let height = if self.mask == Mask::Full { BACKWARD_ROWS } else { MASKED_ROWS };
                let block = height.min(tokens);
                let whole = tokens * dim;
                let (queries, rest) = operands.get::<f32>(6 * whole + block * (2 * tokens + dim)).split_at_mut(whole);
                let (keys, rest) = rest.split_at_mut(whole);
                let (key_gradient, rest) = rest.split_at_mut(whole);
                let (value_gradient, rest) = rest.split_at_mut(whole);
                let (query_gradient, rest) = rest.split_at_mut(whole);
                let (part, rest) = rest.split_at_mut(whole);
                let (weights, slopes) = rest[..2 * block * tokens].split_at_mut(block * tokens);
                self.rotated(level, self.part(qkv, &head, 0, 0..tokens), head.batch, self.scale(), queries);
                self.rotated(level, self.part(qkv, &head, 1, 0..tokens), head.batch, 1.0, keys);
                key_gradient.fill(0.0);
                value_gradient.fill(0.0);
                for first in (0..tokens).step_by(height) {
                    let rows = height.min(tokens - first);
                    let seen = self.seen(head.batch, first..first + rows);
                    let (count, places) = (seen.len(), seen.start * dim..seen.end * dim);
                    let (weights, slopes) = (&mut weights[..rows * count], &mut slopes[..rows * count]);
                    let part = &mut part[..count * dim];
                    let query = Matrix::new(&queries[first * dim..(first + rows) * dim], rows, dim);
                    let mixed_gradient = self.rows(gradient, &head, first, rows);
                    let multiply = |a: Matrix<'_>, b: Matrix<'_>, out: &mut [f32]| {
                        with_scratch(|scratch| {
                            product_on_thread(a, &Right::new(level, precision, b, scratch), out);
                        });
                    };
                    let key = Matrix::new(&keys[places.clone()], count, dim);
                    let value = self.part(qkv, &head, 2, seen.clone());
                    multiply(query, key.transposed(), weights);
                    multiply(mixed_gradient, value.transposed(), slopes);
                    let visible = |row| self.visible(head.batch, first + row, &seen);
                    let mixed = self.rows(mixed, &head, first, rows);
                    let logarithms = &logarithms[first..first + rows];
                    at(
                        level,
                        Slopes {
                            weights: &mut *weights,
                            slopes: &mut *slopes,
                            keys: count,
                            visible,
                            logarithms,
                            mixed,
                            mixed_gradient,
                        },
                    );
                    let (weights, slopes) = (Matrix::new(weights, rows, count), Matrix::new(slopes, rows, count));
                    multiply(slopes, key, &mut query_gradient[first * dim..(first + rows) * dim]);
                    multiply(slopes.transposed(), query, part);
                    key_gradient[places.clone()].iter_mut().zip(&*part).for_each(|(sum, value)| *sum += value);
                    multiply(weights.transposed(), mixed_gradient, part);
                    value_gradient[places].iter_mut().zip(&*part).for_each(|(sum, value)| *sum += value);
                }
                let rotation = self.rotation.map(|rotation| rotation.of(head.batch, whole));
                let parts = [
                    (&*query_gradient, rotation, self.scale()),
                    (&*key_gradient, rotation, 1.0),
                    (&*value_gradient, None, 1.0),
                ];
                for (index, (values, rotation, scale)) in parts.into_iter().enumerate() {
                    for token in 0..tokens {
                        let place = ((head.batch * tokens + token) * 3 + index) * width + head.head * dim;
                        // SAFETY: a token's channels of this head and part are written here alone.
                        let target = unsafe { out.slice(place, dim) };
                        let range = token * dim..(token + 1) * dim;
                        let rotation = rotation.map(|(cosine, sine)| (&cosine[range.clone()], &sine[range.clone()]));
                        rotate_back(&values[range], rotation, scale, target);
                    }
                }
            });
        });
    }
}

/// The gradient of what was rotated, from that of the result.
fn rotate_back(gradient: &[f32], rotation: Option<(&[f32], &[f32])>, scale: f32, out: &mut [f32]) {
    let Some((cosine, sine)) = rotation else {
        out.iter_mut().zip(gradient).for_each(|(out, gradient)| *out = gradient * scale);
        return;
    };
    let pairs = out.chunks_exact_mut(2).zip(gradient.chunks_exact(2));
    for ((out, g), (c, s)) in pairs.zip(cosine.chunks_exact(2).zip(sine.chunks_exact(2))) {
        out[0] = (g[0] * c[0] + g[1] * s[1]) * scale;
        out[1] = (g[1] * c[1] - g[0] * s[0]) * scale;
    }
}

/// One row of the batch, of few tokens.
struct FewTokens<'a> {
    sizes: Attention<'a>,
    /// Which row.
    row: usize,
    /// `[tokens, 3, heads, head_dim]`
    qkv: &'a [f32],
    /// `[tokens, heads, head_dim]`
    out: &'a mut [f32],
    /// `[heads, tokens]`
    logarithms: &'a mut [f32],
}

impl Vectorised for FewTokens<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let Attention { tokens, head_dim: dim, mask, .. } = self.sizes;
        let (width, scale) = (self.sizes.width(), self.sizes.scale());
        for (head, logarithms) in self.logarithms.chunks_exact_mut(tokens).enumerate() {
            let part = |part: usize, token: usize| {
                let start = (3 * token + part) * width + head * dim;
                &self.qkv[start..start + dim]
            };
            for (token, logarithm) in logarithms.iter_mut().enumerate() {
                let query = part(0, token);
                let mut scores = [0.0_f32; FEW_TOKENS];
                let visible = mask.visible(self.row, token, tokens);
                let scores = &mut scores[..visible.len()];
                for (key, score) in visible.clone().zip(scores.iter_mut()) {
                    *score = scale * sum_of_pairs(query, part(1, key), |query, key| query * key);
                }
                let top = scores.iter().fold(f32::NEG_INFINITY, |top, score| if *score > top { *score } else { top });
                let mut total = 0.0;
                for score in scores.iter_mut() {
                    *score = exp::<FUSED>(*score - top);
                    total += *score;
                }
                *logarithm = top + total.ln();
                let mixed = &mut self.out[token * width + head * dim..][..dim];
                mixed.fill(0.0);
                for (key, score) in visible.zip(scores.iter()) {
                    let (weight, value) = (score / total, part(2, key));
                    for (sum, value) in mixed.iter_mut().zip(value) {
                        *sum = fma::<FUSED>(weight, *value, *sum);
                    }
                }
            }
        }
    }
}

struct Turn<'a> {
    x: Matrix<'a>,
    rotation: Option<(&'a [f32], &'a [f32])>,
    scale: f32,
    out: &'a mut [f32],
}

impl Vectorised for Turn<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let (dim, scale) = (self.x.columns(), self.scale);
        for (token, out) in self.out.chunks_exact_mut(dim).enumerate() {
            let start = token * self.x.strides()[0];
            let x = &self.x.data()[start..start + dim];
            let Some((cosine, sine)) = self.rotation else {
                out.iter_mut().zip(x).for_each(|(out, x)| *out = x * scale);
                continue;
            };
            let range = token * dim..(token + 1) * dim;
            let angles = cosine[range.clone()].chunks_exact(2).zip(sine[range].chunks_exact(2));
            for ((out, x), (c, s)) in out.chunks_exact_mut(2).zip(x.chunks_exact(2)).zip(angles) {
                out[0] = (x[0] * c[0] - x[1] * s[0]) * scale;
                out[1] = (x[1] * c[1] + x[0] * s[1]) * scale;
            }
        }
    }
}

/// Those that are visible; the others become 0.
fn hide(row: &mut [f32], visible: Range<usize>) -> &mut [f32] {
    row[..visible.start].fill(0.0);
    row[visible.end..].fill(0.0);
    &mut row[visible]
}

/// Turns scores into the numerators of a softmax, and writes the denominators and their logarithms.
struct Softmax<'a, V> {
    scores: &'a mut [f32],
    /// Scores of a row.
    keys: usize,
    visible: V,
    totals: &'a mut [f32],
    logarithms: &'a mut [f32],
}

impl<V: Fn(usize) -> Range<usize>> Vectorised for Softmax<'_, V> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        for (row, scores) in self.scores.chunks_exact_mut(self.keys).enumerate() {
            let scores = hide(scores, (self.visible)(row));
            let top = largest(scores);
            for score in scores.iter_mut() {
                *score = exp::<FUSED>(*score - top);
            }
            let total = sum_of(scores, |score| score);
            self.totals[row] = total;
            self.logarithms[row] = if scores.is_empty() { f32::INFINITY } else { top + total.ln() };
        }
    }
}

/// Turns scores into the softmax `p`, and gradients of it into those of the scores, `p (g - mean)`.
struct Slopes<'a, V> {
    weights: &'a mut [f32],
    slopes: &'a mut [f32],
    /// Scores of a row.
    keys: usize,
    visible: V,
    logarithms: &'a [f32],
    mixed: Matrix<'a>,
    mixed_gradient: Matrix<'a>,
}

impl<V: Fn(usize) -> Range<usize>> Vectorised for Slopes<'_, V> {
    type Output = ();

    #[inline(always)]
    fn run<const FUSED: bool>(self) {
        let rows = self.weights.chunks_exact_mut(self.keys).zip(self.slopes.chunks_exact_mut(self.keys));
        for (row, (weights, slopes)) in rows.enumerate() {
            let of = |matrix: &Matrix<'_>| {
                let start = row * matrix.strides()[0];
                start..start + matrix.columns()
            };
            let (mixed, gradient) =
                (&self.mixed.data()[of(&self.mixed)], &self.mixed_gradient.data()[of(&self.mixed_gradient)]);
            let mean = sum_of_pairs(mixed, gradient, |mixed, gradient| mixed * gradient);
            let visible = (self.visible)(row);
            let (weights, slopes) = (hide(weights, visible.clone()), hide(slopes, visible));
            let logarithm = self.logarithms[row];
            for (weight, slope) in weights.iter_mut().zip(slopes) {
                *weight = exp::<FUSED>(*weight - logarithm);
                *slope = *weight * (*slope - mean);
            }
        }
    }
}
