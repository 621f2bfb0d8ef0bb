//! Multi-block masks (V-JEPA 2, `src/masks/multiseq_multiblock3d.py`).

use std::ops::Range;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::MaskConfig;

/// Redraws before the sampler gives a clip its visible token by force; reached only by masks that hide nearly everything.
const MAX_DRAWS: usize = 1000;

/// One mask for a batch: the ids to encode and the ids to predict, ascending, one list per clip, all lists of a kind equally long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskPair {
    /// Visible tokens of each clip.
    pub context: Vec<Vec<usize>>,
    /// Tokens of each clip to predict.
    pub target: Vec<Vec<usize>>,
}

/// Draws masks for batches. What is hidden of a clip depends on the seed, the number of the batch and the clip's place in it alone.
///
/// Blocks of one batch share their size; all masks of one batch share the draws that choose it, as upstream, where they share a counter.
#[derive(Clone, Debug)]
pub struct MaskSampler {
    masks: Vec<MaskConfig>,
    grid: [usize; 3],
    seed: u64,
}

impl MaskSampler {
    /// A sampler for a token grid `[time, height, width]`.
    ///
    /// # Panics
    /// If the grid has fewer than two tokens.
    pub fn new(masks: &[MaskConfig], grid: [usize; 3], seed: u64) -> Self {
        assert!(grid.iter().product::<usize>() >= 2, "token grid {grid:?} has nothing to hide");
        Self { masks: masks.to_vec(), grid, seed }
    }

    /// One mask per configuration for these clips of batch number `number`: all of them, or those that one process has.
    pub fn sample(&self, clips: Range<usize>, number: u64) -> Vec<MaskPair> {
        self.masks
            .iter()
            .enumerate()
            .map(|(index, mask)| {
                let block = self.block_size(mask, number);
                let clips: Vec<Vec<bool>> = clips
                    .clone()
                    .map(|clip| self.hidden(mask, block, &mut self.rng(number, 1 + index as u64, clip as u64)))
                    .collect();
                cut_to_shortest(&clips)
            })
            .collect()
    }

    /// A generator for one purpose: (seed, batch, stream, clip) and nothing else.
    fn rng(&self, number: u64, stream: u64, clip: u64) -> ChaCha8Rng {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seed.to_le_bytes());
        seed[8..16].copy_from_slice(&number.to_le_bytes());
        seed[16..24].copy_from_slice(&stream.to_le_bytes());
        seed[24..].copy_from_slice(&clip.to_le_bytes());
        ChaCha8Rng::from_seed(seed)
    }

    /// `[time, height, width]` of the blocks of one batch.
    fn block_size(&self, mask: &MaskConfig, number: u64) -> [usize; 3] {
        let [time, height, width] = self.grid;
        let mut rng = self.rng(number, 0, 0);
        let mut uniform = |[low, high]: [f64; 2]| low + (high - low) * rng.random::<f64>();
        let temporal = uniform(mask.temporal);
        let spatial = uniform(mask.spatial);
        let aspect = uniform(mask.aspect);
        let t = ((time as f64 * temporal) as usize).max(1);
        let keep = ((height * width) as f64 * spatial).floor();
        let h = (keep * aspect).sqrt().round_ties_even() as usize;
        let w = (keep / aspect).sqrt().round_ties_even() as usize;
        [t, h.clamp(1, height), w.clamp(1, width)]
    }

    /// For every token of one clip, whether it is hidden. At least one token stays visible and at least one is hidden.
    fn hidden(&self, mask: &MaskConfig, block: [usize; 3], rng: &mut ChaCha8Rng) -> Vec<bool> {
        let [time, height, width] = self.grid;
        let visible_time = ((time as f64 * mask.max_temporal_keep) as usize).max(1);
        let frame = height * width;
        for _ in 0..MAX_DRAWS {
            let mut hidden = vec![false; time * frame];
            for _ in 0..mask.blocks {
                let top = rng.random_range(0..=height - block[1]);
                let left = rng.random_range(0..=width - block[2]);
                let start = rng.random_range(0..=time - block[0]);
                for t in start..start + block[0] {
                    for row in top..top + block[1] {
                        let first = t * frame + row * width + left;
                        hidden[first..first + block[2]].fill(true);
                    }
                }
            }
            hidden[visible_time * frame..].fill(true);
            if hidden.contains(&false) {
                return hidden;
            }
        }
        let mut hidden = vec![true; time * frame];
        hidden[rng.random_range(0..visible_time * frame)] = false;
        hidden
    }
}

/// Splits each clip into ascending visible and hidden ids and cuts all lists of a kind to the shortest, keeping the first entries.
fn cut_to_shortest(clips: &[Vec<bool>]) -> MaskPair {
    let ids = |wanted: bool| {
        let mut lists: Vec<Vec<usize>> =
            clips.iter().map(|hidden| (0..hidden.len()).filter(|&id| hidden[id] == wanted).collect()).collect();
        let shortest = lists.iter().map(Vec::len).min().unwrap_or(0);
        for list in &mut lists {
            list.truncate(shortest);
        }
        lists
    };
    MaskPair { context: ids(false), target: ids(true) }
}
