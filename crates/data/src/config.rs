//! The `data` section of an experiment.

use prevision_core::Normalise;
use prevision_core::config::check::{ensure, message, positive};
use prevision_core::config::{Part, check};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which clips are read, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// Where the frames come from: `kind`, and the keys of that kind. Default kind `videos`.
    #[schemars(skip)]
    pub source: Part,
    /// Frames in a clip. Default 16.
    pub frames: usize,
    /// Distance between two frames of a clip, in frames of the video. Default 1.
    pub frame_step: usize,
    /// Frames per second of a clip, taken by time stamp instead of by `frame_step`: for videos of differing or variable rate.
    /// Unset: `frame_step` decides.
    pub frames_per_second: Option<f64>,
    /// Clips taken from a video in an epoch; they follow each other. Default 1.
    pub clips_per_video: usize,
    /// Share of the videos or episodes kept for validation. Default 0.1; with 0 there is no validation set.
    pub validation_fraction: f64,
    /// Height and width of a clip in pixels. Unset: frames stay as they are stored and must all have one size.
    pub size: Option<usize>,
    /// What happens to a picture that is not square. Default `centre`.
    pub crop: CropConfig,
    /// Mirror half of the training clips, left to right. Not with actions. Default false.
    pub flip: bool,
    /// What pixels become on the device.
    pub normalise: Normalise,
    /// Clips in a batch, over all processes. Default 32.
    pub batch_size: usize,
    /// Threads that decode; 0 decodes in the training thread. The batches do not depend on it. Default 1.
    pub workers: usize,
    /// Threads of each decoder. Default 1: more workers are faster than more threads for one.
    pub decoder_threads: usize,
    /// Longest time for opening a video and for reading a clip, in seconds; a video that takes longer is skipped. Default 60.
    pub read_timeout: f64,
    /// Memory for clips that are decoded ahead, in MiB: at most 256 of them, or two batches. Default 512.
    pub prefetch_mb: usize,
    /// Share of the videos that may be broken before the run stops. Default 0.1; a single one never stops it unless this is 0. Videos
    /// that are too short for a clip do not count.
    pub max_broken_fraction: f64,
}

/// What happens to a picture on its way to `size` x `size` pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CropConfig {
    /// The middle.
    Centre {
        /// The short side is scaled to this many pixels before the middle is cut out. Unset: `size`, the largest square.
        #[serde(default)]
        short_side: Option<usize>,
    },
    /// The whole picture, out of proportion if it is not square.
    Stretch {},
    /// While training a random box, the same for all frames of a clip, as V-JEPA does; otherwise as `centre`.
    RandomResized {
        /// The box's share of the picture's area, from and to. Default 0.3 to 1.
        #[serde(default = "area")]
        area: [f64; 2],
        /// Width over height of the box, from and to. Default 0.75 to 1.35.
        #[serde(default = "aspect")]
        aspect: [f64; 2],
        /// As that of `centre`, for clips that are not trained on.
        #[serde(default)]
        short_side: Option<usize>,
    },
}

impl Default for CropConfig {
    fn default() -> Self {
        Self::Centre { short_side: None }
    }
}

impl CropConfig {
    /// What the short side is scaled to before the middle is cut out, if it is not to be the size of the clip.
    pub fn short_side(&self) -> Option<usize> {
        match self {
            Self::Centre { short_side } | Self::RandomResized { short_side, .. } => *short_side,
            Self::Stretch {} => None,
        }
    }
}

fn area() -> [f64; 2] {
    [0.3, 1.0]
}
fn aspect() -> [f64; 2] {
    [0.75, 1.35]
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            source: Part::new("videos"),
            frames: 16,
            frame_step: 1,
            frames_per_second: None,
            clips_per_video: 1,
            validation_fraction: 0.1,
            size: None,
            crop: CropConfig::default(),
            flip: false,
            normalise: Normalise::default(),
            batch_size: 32,
            workers: 1,
            decoder_threads: 1,
            read_timeout: 60.0,
            prefetch_mb: 512,
            max_broken_fraction: 0.1,
        }
    }
}

/// Largest side of a clip, and largest number of its frames.
const LARGEST: f64 = 65_536.0;

impl DataConfig {
    /// Checks every value but those of the source, and that they fit together; touches no file. The source checks its own:
    /// [`Source::validate`](crate::Source::validate).
    ///
    /// # Errors
    /// The full key, its value and what is allowed, as one sentence.
    pub fn validate(&self) -> Result<(), String> {
        check("data.frames", self.frames as f64).within(1.0, LARGEST)?.done()?;
        check("data.frame_step", self.frame_step as f64).within(1.0, LARGEST)?.done()?;
        self.check_rate()?;
        positive("data.clips_per_video", self.clips_per_video)?;
        ensure(
            (0.0..1.0).contains(&self.validation_fraction),
            "data.validation_fraction",
            self.validation_fraction,
            "0 or more and below 1",
        )?;
        self.check_pixels()?;
        positive("data.batch_size", self.batch_size)?;
        check("data.workers", self.workers as f64).within(0.0, 1024.0)?.done()?;
        check("data.decoder_threads", self.decoder_threads as f64).within(1.0, 64.0)?.done()?;
        check("data.read_timeout", self.read_timeout).above(0.0)?.at_most(86_400.0, "a day")?.done()?;
        positive("data.prefetch_mb", self.prefetch_mb)?;
        check("data.max_broken_fraction", self.max_broken_fraction).within(0.0, 1.0)?.done()
    }

    fn check_rate(&self) -> Result<(), String> {
        let Some(rate) = self.frames_per_second else { return Ok(()) };
        check("data.frames_per_second", rate).above(0.0)?.done()?;
        let allowed = format!("1 where data.frames_per_second is given ({rate})");
        ensure(self.frame_step == 1, "data.frame_step", self.frame_step, allowed)
    }

    fn check_pixels(&self) -> Result<(), String> {
        if let Some(size) = self.size {
            check("data.size", size as f64).within(1.0, LARGEST)?.done()?;
        } else if self.crop != CropConfig::default() {
            return Err(message("data.size", "not set", "the height and width to crop to where data.crop is given"));
        }
        if let (Some(short), Some(size)) = (self.crop.short_side(), self.size) {
            check("data.crop.short_side", short as f64).within(size as f64, LARGEST)?.done()?;
        }
        if let CropConfig::RandomResized { area, aspect, .. } = &self.crop {
            let valid = area[0] > 0.0 && area[0] <= area[1] && area[1] <= 1.0;
            let text = format!("{area:?}");
            ensure(valid, "data.crop.area", text, "two shares above 0 and up to 1, the smaller first")?;
            let valid = aspect[0] > 0.0 && aspect[0] <= aspect[1] && aspect[1].is_finite();
            ensure(valid, "data.crop.aspect", format!("{aspect:?}"), "two positive ratios, the smaller first")?;
        }
        let Normalise { mean, std } = self.normalise;
        let positive = std.iter().all(|&std| std > 0.0 && std.is_finite());
        ensure(positive, "data.normalise.std", format!("{std:?}"), "positive numbers")?;
        let finite = mean.iter().all(|mean| mean.is_finite());
        ensure(finite, "data.normalise.mean", format!("{mean:?}"), "finite numbers")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prevision_core::config::schema;

    fn with(change: impl FnOnce(&mut DataConfig)) -> Result<(), String> {
        let mut config = DataConfig::default();
        change(&mut config);
        config.validate()
    }

    #[test]
    fn defaults_fill_what_a_file_leaves_out() {
        let config: DataConfig = toml::from_str("frames = 8\n[source]\nkind = \"episodes\"\npath = \"walks\"").unwrap();
        assert_eq!(config.source, Part::new("episodes").with("path", "walks"));
        assert_eq!((config.frames, config.batch_size, config.validation_fraction), (8, 32, 0.1));
        assert_eq!(config.validate(), Ok(()));
        let again: DataConfig = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
        assert_eq!(again, config);
    }

    #[test]
    fn unknown_keys_are_refused_everywhere() {
        for text in [
            "frame = 8",
            "[crop]\nkind = \"random-resized\"\nscale = [0.1, 1.0]",
            "[crop]\nkind = \"stretch\"\nshort_side = 3",
            "[normalise]\nmeans = [0.0, 0.0, 0.0]",
        ] {
            assert!(toml::from_str::<DataConfig>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_schema_knows_every_key_but_those_of_the_source() {
        let schema = schema::of::<DataConfig>();
        let check = |text: &str| schema::check_keys("data", &text.parse().unwrap(), &schema);
        assert_eq!(
            check("frames = 3\nsize = 8\n[crop]\nkind = \"centre\"\nshort_side = 9\n[normalise]\nstd = 1"),
            Ok(())
        );
        let message = check("frame_steps = 3").unwrap_err();
        assert!(message.contains("unknown key `data.frame_steps`; did you mean `data.frame_step`?"), "{message}");
        let message = check("[crop]\nkind = \"stretch\"\narea = [0.1, 0.5]").unwrap_err();
        assert!(message.contains("`area` is a key of kind = \"random-resized\""), "{message}");
        let described = &schema.as_value()["properties"]["frames"]["description"];
        assert_eq!(described, "Frames in a clip. Default 16.");
    }

    #[test]
    fn messages_name_key_value_and_what_is_allowed() {
        assert_eq!(with(|_| ()), Ok(()), "a path is not asked for: the data may be handed over");
        assert_eq!(with(|c| c.frames = 0).unwrap_err(), "data.frames is 0, but must be between 1 and 65536");
        assert_eq!(with(|c| c.batch_size = 0).unwrap_err(), "data.batch_size is 0, but must be 1 or more");
        assert_eq!(
            with(|c| c.validation_fraction = 1.0).unwrap_err(),
            "data.validation_fraction is 1, but must be 0 or more and below 1"
        );
        assert_eq!(
            with(|c| (c.frame_step, c.frames_per_second) = (2, Some(4.0))).unwrap_err(),
            "data.frame_step is 2, but must be 1 where data.frames_per_second is given (4)"
        );
        assert_eq!(
            with(|c| c.crop = CropConfig::Stretch {}).unwrap_err(),
            "data.size is not set, but must be the height and width to crop to where data.crop is given"
        );
        assert_eq!(
            with(|c| (c.size, c.crop) = (Some(8), CropConfig::Centre { short_side: Some(7) })).unwrap_err(),
            "data.crop.short_side is 7, but must be between 8 and 65536"
        );
        assert_eq!(
            with(|c| c.normalise.std[1] = 0.0).unwrap_err(),
            "data.normalise.std is [0.5, 0.0, 0.5], but must be positive numbers"
        );
        assert_eq!(
            with(|c| c.read_timeout = 1e9).unwrap_err(),
            "data.read_timeout is 1000000000, but must be 86400 (a day) or less"
        );
    }
}
