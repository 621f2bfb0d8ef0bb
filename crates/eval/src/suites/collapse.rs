//! `collapse`: how many dimensions the latents of the context encoder use.

use burn::tensor::{Int, Tensor};
use serde_json::Value;

use super::json;
use crate::format::{number, number_at};
use crate::measure::{collapse, read};
use crate::{EvalError, Evaluation, Needs, Seen, Shown, Suite, Tile};

/// Latents that are measured, at most, where each token is one.
const TOKENS: usize = 16_384;
/// Numbers that are kept, at most, where the tokens of a moment are one latent: a quarter of a gigabyte.
const NUMBERS: usize = 1 << 26;

/// Keeps latents.
#[derive(Default)]
pub(super) struct CollapseSuite {
    /// `[moments, tokens, width]`
    values: Vec<f32>,
    grid: Grid,
}

/// How the numbers of a latent lie.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Grid {
    /// Tokens of a moment; 1 where each token is a latent of its own.
    tokens: usize,
    /// Numbers of a token.
    width: usize,
    /// How many tokens, the first ones, are static.
    fixed: usize,
}

impl Suite for CollapseSuite {
    fn needs(&self, _: &Evaluation<'_>) -> Option<Needs> {
        Some(Needs { context: true, ..Needs::default() })
    }

    fn measure(&mut self, seen: &Seen<'_>) -> Result<(), EvalError> {
        let most = seen.evaluation.config.clips.max(1);
        let [clips, moments, tokens, width] = seen.context.dims();
        let context = seen.context.clone();
        let kept = if seen.separate_tokens() {
            self.grid = Grid { tokens: 1, width, fixed: 0 };
            let all = context.reshape([clips, moments * tokens, width]);
            evenly(all, TOKENS / most)
        } else {
            self.grid = Grid { tokens, width, fixed: seen.evaluation.model.static_tokens() };
            evenly(context.reshape([clips, moments, tokens * width]), NUMBERS / (most * tokens * width))
        };
        self.values.extend(read(kept)?);
        Ok(())
    }

    fn finish(&mut self, _: &Evaluation<'_>) -> Result<Value, EvalError> {
        let (values, width) = self.grid.latents(std::mem::take(&mut self.values));
        json(&collapse(&values, width))
    }

    fn show(&self, _: &str, results: &Value) -> Shown {
        let mut shown = Shown::default();
        let at = |key| number_at(results, &[key]);
        let (rank, rankme, least, mean) = (at("effective_rank"), at("rankme"), at("std_min"), at("std_mean"));
        if let (Some(rank), Some(rankme), Some(least), Some(mean)) = (rank, rankme, least, mean) {
            shown.lines.push(format!(
                "collapse                effective rank {rank:.1}, RankMe {rankme:.1}, std min {least:.3} mean {mean:.3}"
            ));
        }
        shown.tiles.extend(
            rank.map(|rank| Tile::new("Effective rank", number(rank), "participation ratio of the covariance")),
        );
        shown.tiles.extend(rankme.map(|rank| Tile::new("RankMe", number(rank), "entropy of the singular values")));
        if let (Some(least), Some(mean)) = (least, mean) {
            let remark = format!("mean of the dimensions, least {}", number(least));
            shown.tiles.push(Tile::new("Standard deviation", number(mean), remark));
        }
        shown
    }
}

/// So many rows of every clip, at least one, evenly spaced and shifted by half a stride.
///
/// # Shapes
/// - rows: `[b, n, width]`
/// - output: `[b, min(most, n), width]`
fn evenly(rows: Tensor<3>, most: usize) -> Tensor<3> {
    let count = rows.dims()[1];
    let keep = most.clamp(1, count);
    if keep == count {
        return rows;
    }
    let places: Vec<i64> = (0..keep).map(|i| ((2 * i + 1) * count / (2 * keep)) as i64).collect();
    let places = Tensor::<1, Int>::from_ints(places.as_slice(), &rows.device());
    rows.select(1, places)
}

impl Grid {
    /// Latents to measure, row by row, and their length. A moment of one token is one latent and stays as it is. Of a moment of several,
    /// every token is one, as its deviation from the mean of its place; where half of them are static, the static token of a place stands
    /// before the other.
    fn latents(self, mut values: Vec<f32>) -> (Vec<f32>, usize) {
        let Self { tokens, width, fixed } = self;
        if tokens == 1 {
            return (values, width);
        }
        let dim = tokens * width;
        let mut mean = vec![0.0_f64; dim];
        for row in values.chunks_exact(dim) {
            mean.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        let count = (values.len() / dim) as f64;
        for row in values.chunks_exact_mut(dim) {
            row.iter_mut().zip(&mean).for_each(|(value, sum)| *value -= (sum / count) as f32);
        }
        if 2 * fixed != tokens {
            return (values, width);
        }
        let beside = values.chunks_exact(dim).flat_map(|row| {
            let (fixed, moving) = row.split_at(fixed * width);
            fixed
                .chunks_exact(width)
                .zip(moving.chunks_exact(width))
                .flat_map(|(fixed, moving)| [fixed, moving].concat())
        });
        (beside.collect(), 2 * width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use serde_json::json;

    #[test]
    fn static_tokens_stand_beside_the_others_of_their_place_and_places_lose_their_mean() {
        // Two places: a static token of one number each, then the others; two moments.
        let values = [[1.0, 2.0, 3.0, 6.0], [3.0, 6.0, 9.0, 6.0]].concat();
        let of = |tokens, width, fixed| Grid { tokens, width, fixed }.latents(values.clone());
        assert_eq!(of(4, 1, 2), (vec![-1.0, -3.0, -2.0, 0.0, 1.0, 3.0, 2.0, 0.0], 2));
        assert_eq!(of(4, 1, 0), (vec![-1.0, -2.0, -3.0, 0.0, 1.0, 2.0, 3.0, 0.0], 1));
        assert_eq!(of(4, 1, 1), of(4, 1, 0), "one static token belongs to no place");
        assert_eq!(of(1, 4, 0), (values.clone(), 4));
    }

    #[test]
    fn rows_are_taken_from_the_middle_of_equal_parts() {
        let rows = Tensor::<1>::from_floats([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &Device::flex()).reshape([1, 6, 1]);
        let taken = |most: usize| read(evenly(rows.clone(), most)).unwrap();
        assert_eq!(taken(2), [1.0, 4.0]);
        assert_eq!(taken(0), [3.0]);
        assert_eq!(taken(9).len(), 6);
    }

    #[test]
    fn people_see_all_numbers() {
        let results = json!({"effective_rank": 41.7, "rankme": 188.2, "std_min": 0.31, "std_mean": 0.97});
        let shown = CollapseSuite::default().show("collapse", &results);
        assert_eq!(
            shown.lines,
            ["collapse                effective rank 41.7, RankMe 188.2, std min 0.310 mean 0.970"]
        );
        assert_eq!(shown.tiles.len(), 3);
        assert_eq!(shown.tiles[2], Tile::new("Standard deviation", "0.97", "mean of the dimensions, least 0.31"));
    }
}
