//! The views of a clip: which part of the picture, in which colours, and which tokens of it.

use std::ops::Range;

use prevision_core::config::check::{ensure, positive};
use prevision_core::frames::{FrameBuffer, Window, random_box};
use prevision_core::resample::resample;
use prevision_core::seed;
use rand::Rng;
use rand::seq::index;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::colour::Colours;
use crate::Pixels;

/// The views of a clip. The global view is the clip as it was loaded, of which `data.crop` makes a random part; local views are small parts of
/// it, over all frames. The default is upstream's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ViewConfig {
    /// Local views of a clip. Default 10.
    pub local: usize,
    /// Height and width of a local view, pixels; a multiple of a patch. Default 96.
    pub size: usize,
    /// Smallest and largest share of the picture in a local view. Default `[0.02, 0.4]`.
    pub area: [f64; 2],
    /// Smallest and largest width over height of the part. Default `[0.75, 1.3333]`.
    pub aspect: [f64; 2],
    /// Whether half of the local views are mirrored, left to right. Default true.
    pub flip: bool,
    /// Share of the local views in other colours. Default 0.8.
    pub colour_jitter: f64,
    /// Share of the local views without colours. Default 0.2.
    pub grayscale: f64,
    /// Share of the tokens of every view that are dropped. Default 0.95.
    pub drop: f64,
}

impl Default for ViewConfig {
    fn default() -> Self {
        Self {
            local: 10,
            size: 96,
            area: [0.02, 0.4],
            aspect: [0.75, 4.0 / 3.0],
            flip: true,
            colour_jitter: 0.8,
            grayscale: 0.2,
            drop: 0.95,
        }
    }
}

impl ViewConfig {
    /// Checks every value.
    ///
    /// # Errors
    /// A message naming the key, the value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        positive("local", self.local)?;
        positive("size", self.size)?;
        let ([low, high], [narrow, wide]) = (self.area, self.aspect);
        let allowed = "two ascending numbers in (0, 1]";
        ensure(low > 0.0 && low <= high && high <= 1.0, "area", format!("[{low}, {high}]"), allowed)?;
        let valid = narrow > 0.0 && narrow <= wide && wide.is_finite();
        ensure(valid, "aspect", format!("[{narrow}, {wide}]"), "two ascending numbers above 0")?;
        for (key, share) in [("colour_jitter", self.colour_jitter), ("grayscale", self.grayscale)] {
            ensure((0.0..=1.0).contains(&share), key, share, "in [0, 1]")?;
        }
        ensure((0.0..1.0).contains(&self.drop), "drop", self.drop, "in [0, 1)")
    }
}

/// A view of each clip of a batch.
#[derive(Clone, Debug)]
pub struct View {
    /// `[clips, channels, time, height, width]`
    pub pixels: Pixels,
    /// The tokens of each clip that are not dropped, ascending.
    pub keep: Vec<Vec<usize>>,
}

/// Draws views. What is seen of a clip depends on the seed, the number of the batch and the clip's place in it alone.
#[derive(Clone, Debug)]
pub struct ViewSampler<'a> {
    config: &'a ViewConfig,
    /// Frames of a tubelet, and the side of a patch.
    tubelet: [usize; 2],
    seed: u64,
}

impl<'a> ViewSampler<'a> {
    /// For tokens of so many frames and of patches of this side.
    pub fn new(config: &'a ViewConfig, frames: usize, patch: usize, seed: u64) -> Self {
        Self { config, tubelet: [frames, patch], seed }
    }

    /// The views of these clips of batch number `number`, the global one first.
    ///
    /// # Shapes
    /// - video: `[clips, channels, time, height, width]`
    ///
    /// # Panics
    /// If there are not as many clips in `video`.
    pub fn sample(&self, video: &Pixels, clips: &Range<usize>, number: u64) -> Vec<View> {
        let [count, _, time, height, width] = video.dims();
        assert_eq!(count, clips.len(), "clips of a batch");
        let bytes = video.to_rgb();
        let clip = 3 * time * height * width;
        let mut views = vec![View { pixels: video.clone(), keep: self.keep(clips, number, 0, [time, height, width]) }];
        let side = self.config.size;
        for view in 1..=self.config.local {
            let mut local = vec![0; count * time * side * side * 3];
            local.par_chunks_exact_mut(time * side * side * 3).zip(bytes.par_chunks_exact(clip)).enumerate().for_each(
                |(row, (local, clip))| {
                    let mut rng = self.rng(number, view, clips.start + row);
                    local.copy_from_slice(&self.local(clip, [time, height, width], &mut rng).data);
                },
            );
            let keep = self.keep(clips, number, view, [time, side, side]);
            views.push(View { pixels: video.with_rgb(local, [count, time, side, side]), keep });
        }
        views
    }

    /// A small part of a clip, in other colours.
    fn local(&self, clip: &[u8], [time, height, width]: [usize; 3], rng: &mut impl Rng) -> FrameBuffer {
        let ViewConfig { size, area, aspect, flip, colour_jitter, grayscale, .. } = *self.config;
        let (x, y, columns, rows) = random_box(rng, width, height, area, aspect);
        let [x, y, columns, rows] = [x, y, columns, rows].map(|side| side as f64);
        let window = Window { x, y, width: columns, height: rows };
        let mirror = rng.random_bool(0.5) && flip;
        let colours = Colours::draw(rng, colour_jitter, grayscale);
        let mut local = FrameBuffer::new(time, size, size);
        resample(clip.chunks_exact(3 * height * width), (width, height), &window, mirror, &mut local);
        colours.apply(&mut local.data);
        local
    }

    /// The tokens of a view that are not dropped: equally many of each clip, wherever they are.
    fn keep(
        &self,
        clips: &Range<usize>,
        number: u64,
        view: usize,
        [time, height, width]: [usize; 3],
    ) -> Vec<Vec<usize>> {
        let [frames, patch] = self.tubelet;
        let tokens = (time / frames) * (height / patch) * (width / patch);
        let kept = (tokens as f64 * (1.0 - self.config.drop)).round().max(1.0) as usize;
        let draw = |clip: usize| {
            let mut rng =
                seed::rng(self.seed, "tokens of a view", number, (clip * (self.config.local + 1) + view) as u64);
            let mut ids = index::sample(&mut rng, tokens, kept.min(tokens)).into_vec();
            ids.sort_unstable();
            ids
        };
        clips.clone().map(draw).collect()
    }

    fn rng(&self, number: u64, view: usize, clip: usize) -> impl Rng + use<> {
        seed::rng(self.seed, "views", number, (clip * (self.config.local + 1) + view) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    /// Clips of 2 frames of 8 x 8, whose red is the column times ten, green the row times ten, and blue the clip.
    fn clips(count: usize) -> Pixels {
        let pixel = |i: usize| [(i % 8 * 10) as u8, (i / 8 % 8 * 10) as u8, (i / 128) as u8];
        let bytes = (0..count * 128).flat_map(pixel).collect();
        Pixels::from_rgb(bytes, [count, 2, 8, 8], [0.0; 3], [1.0; 3], &Device::flex())
    }

    fn config() -> ViewConfig {
        let plain = ViewConfig { colour_jitter: 0.0, grayscale: 0.0, flip: false, ..ViewConfig::default() };
        ViewConfig { local: 2, size: 4, area: [0.25, 0.25], aspect: [1.0, 1.0], drop: 0.5, ..plain }
    }

    #[test]
    fn local_views_are_parts_over_all_frames() {
        let config = config();
        let views = ViewSampler::new(&config, 1, 2, 7).sample(&clips(3), &(0..3), 5);
        let shapes: Vec<_> = views.iter().map(|view| view.pixels.dims()).collect();
        assert_eq!(shapes, [[3, 3, 2, 8, 8], [3, 3, 2, 4, 4], [3, 3, 2, 4, 4]]);
        assert_eq!(views[0].pixels.to_rgb(), clips(3).to_rgb());
        for view in &views[1..] {
            let bytes = view.pixels.to_rgb();
            for (row, clip) in bytes.chunks_exact(2 * 16 * 3).enumerate() {
                let (first, second) = clip.split_at(16 * 3);
                assert_eq!(first, second, "the same part of every frame");
                // A quarter of the area at its own size: whole steps of ten from pixel to pixel.
                assert_eq!(first[3] - first[0], 10);
                assert_eq!(first[4 * 3 + 1] - first[1], 10);
                assert_eq!(usize::from(first[2]), row);
            }
        }
        assert_ne!(views[1].pixels.to_rgb(), views[2].pixels.to_rgb());
    }

    #[test]
    fn tokens_are_dropped_at_random() {
        let config = config();
        let views = ViewSampler::new(&config, 1, 2, 7).sample(&clips(3), &(0..3), 5);
        for (view, tokens) in views.iter().zip([32, 8, 8]) {
            for ids in &view.keep {
                assert_eq!(ids.len(), tokens / 2);
                assert!(ids.windows(2).all(|pair| pair[0] < pair[1]) && ids[ids.len() - 1] < tokens, "{ids:?}");
            }
            assert_ne!(view.keep[0], view.keep[1]);
        }
        let none = ViewConfig { drop: 0.999, ..config };
        let views = ViewSampler::new(&none, 2, 2, 7).sample(&clips(1), &(0..1), 5);
        assert!(views.iter().all(|view| view.keep[0].len() == 1), "one token is always kept");
    }

    #[test]
    fn a_part_of_a_batch_has_the_views_of_the_whole() {
        let config = ViewConfig { colour_jitter: 1.0, ..config() };
        let sampler = ViewSampler::new(&config, 1, 2, 3);
        let whole = sampler.sample(&clips(4), &(0..4), 9);
        let part = sampler.sample(&clips(4).clips(1, 2), &(1..3), 9);
        for (whole, part) in whole.iter().zip(&part) {
            assert_eq!(whole.keep[1..3], part.keep);
            assert_eq!(whole.pixels.clone().clips(1, 2).to_rgb(), part.pixels.to_rgb());
        }
        assert_ne!(whole[1].pixels.to_rgb(), sampler.sample(&clips(4), &(0..4), 10)[1].pixels.to_rgb());
    }

    #[test]
    fn wrong_values_are_named() {
        for (config, expected) in [
            (ViewConfig { local: 0, ..config() }, "local is 0"),
            (
                ViewConfig { area: [0.5, 0.4], ..config() },
                "area is [0.5, 0.4], but must be two ascending numbers in (0, 1]",
            ),
            (ViewConfig { aspect: [0.0, 1.0], ..config() }, "aspect is [0, 1]"),
            (ViewConfig { grayscale: 1.5, ..config() }, "grayscale is 1.5, but must be in [0, 1]"),
            (ViewConfig { drop: 1.0, ..config() }, "drop is 1, but must be in [0, 1)"),
        ] {
            let message = config.validate().expect_err("a wrong value");
            assert!(message.contains(expected), "{message}");
        }
    }
}
