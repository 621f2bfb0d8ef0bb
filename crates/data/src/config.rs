//! The `data` section of an experiment.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What clips are drawn from and how. Every field has a default but the source's path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// Where the frames come from.
    pub source: SourceConfig,
    /// Frames in a clip. Default 16.
    pub frames: usize,
    /// Distance between two frames of a clip, in frames of the video. Default 1.
    pub frame_step: usize,
    /// Frames per second of a clip, taken by time stamp, instead of `frame_step`; for videos of differing or variable rate.
    pub frames_per_second: Option<f64>,
    /// Clips drawn from a video in an epoch; they follow each other. Default 1.
    pub clips_per_video: usize,
    /// Share of the videos or episodes kept for validation. Default 0.1; with 0 there is no validation set.
    pub validation_fraction: f64,
    /// Height and width of a clip in pixels. Without it frames stay as they are stored and must all have one size.
    pub size: Option<usize>,
    /// What happens to a picture that is not square. Default centre.
    pub crop: CropConfig,
    /// Mirror half of the training clips, left to right. Not with actions. Default false.
    pub flip: bool,
    /// What pixels become on the device.
    pub normalise: Normalise,
    /// Clips in a batch. Default 32.
    pub batch_size: usize,
    /// Threads that decode; 0 decodes in the training thread. The batches do not depend on it. Default 1.
    pub workers: usize,
    /// Threads of each decoder. Default 1: more workers are faster than more threads for one.
    pub decoder_threads: usize,
    /// Longest time for opening a video and for reading a clip, in seconds; a video that takes longer is skipped. Default 60.
    pub read_timeout: f64,
    /// Memory for clips that were decoded ahead, in MiB: at most 256 of them, or two batches. Default 512.
    pub prefetch_mb: usize,
    /// Share of the videos that may be broken or too short before the run stops. Default 0.1; a single one never stops it
    /// unless this is 0.
    pub max_broken_fraction: f64,
}

/// Where frames come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SourceConfig {
    /// Video files.
    Videos {
        /// A folder, searched with its sub-folders in sorted order; or a manifest: a text file with a path and, optionally, an
        /// integer label on each line. Also by address (`s3://bucket/prefix`), with the cargo feature `object-store`.
        path: PathBuf,
    },
    /// Recorded episodes in the layout of [`EpisodeReader`](crate::EpisodeReader).
    Episodes {
        /// The folder.
        path: PathBuf,
        /// Image column.
        #[serde(default = "pixels")]
        image: String,
        /// Action column; empty for none.
        #[serde(default = "action")]
        action: String,
        /// State column; empty for none.
        #[serde(default = "state")]
        state: String,
    },
    /// Handwritten digits that drift and bounce off the walls, made on the fly (Srivastava et al. 2015,
    /// <https://arxiv.org/abs/1502.04681>).
    MovingMnist {
        /// MNIST's images, an idx3 file, gzipped or not; or a folder with one `*images-idx3-ubyte*` in it.
        path: PathBuf,
        /// Digits in a film. Default 2.
        #[serde(default = "two")]
        digits: usize,
        /// Number of films. Default 10,000.
        #[serde(default = "ten_thousand")]
        videos: usize,
        /// Frames of a film. Default 20.
        #[serde(default = "twenty")]
        length: usize,
        /// Height and width of the films. Default 64.
        #[serde(default = "sixty_four")]
        canvas: usize,
    },
}

fn pixels() -> String {
    "pixels".into()
}
fn action() -> String {
    "action".into()
}
fn state() -> String {
    "state".into()
}
fn two() -> usize {
    2
}
fn twenty() -> usize {
    20
}
fn sixty_four() -> usize {
    64
}
fn ten_thousand() -> usize {
    10_000
}

/// What happens to a picture on its way to `size` x `size` pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CropConfig {
    /// The middle.
    Centre {
        /// The short side is scaled to this many pixels before the middle is cut out. Default `size`: the largest square.
        #[serde(default)]
        short_side: Option<usize>,
    },
    /// The whole picture, out of proportion if it is not square.
    Stretch,
    /// While training a random box, the same for all frames of a clip, as V-JEPA does; otherwise as `centre`.
    RandomResized {
        /// The box's share of the picture's area, from and to. Default 0.3 to 1.
        #[serde(default = "area")]
        area: [f64; 2],
        /// Width over height of the box, from and to. Default 0.75 to 1.35.
        #[serde(default = "aspect")]
        aspect: [f64; 2],
    },
}

impl Default for CropConfig {
    fn default() -> Self {
        Self::Centre { short_side: None }
    }
}

fn area() -> [f64; 2] {
    [0.3, 1.0]
}
fn aspect() -> [f64; 2] {
    [0.75, 1.35]
}

/// What pixels become on the device: `(pixel / 255 - mean) / std` for red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Normalise {
    /// Subtracted. Default 0.5. `ImageNet`: 0.485, 0.456, 0.406.
    pub mean: [f32; 3],
    /// Divided by. Default 0.5. `ImageNet`: 0.229, 0.224, 0.225.
    pub std: [f32; 3],
}

impl Default for Normalise {
    fn default() -> Self {
        Self { mean: [0.5; 3], std: [0.5; 3] }
    }
}

/// Which part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// The videos to learn from.
    Train,
    /// The videos kept aside.
    Validation,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            source: SourceConfig::Videos { path: PathBuf::new() },
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

impl SourceConfig {
    /// The file or folder it reads.
    pub fn path(&self) -> &PathBuf {
        match self {
            Self::Videos { path } | Self::Episodes { path, .. } | Self::MovingMnist { path, .. } => path,
        }
    }
}

impl DataConfig {
    /// Checks every value and that they fit together; touches no file.
    ///
    /// # Errors
    /// The key, its value and what is allowed, as one sentence.
    pub fn validate(&self) -> Result<(), String> {
        self.check_numbers()?;
        self.check_source()?;
        let square = self.size.is_some();
        if self.crop != CropConfig::default() && !square {
            return Err("data.crop needs data.size, the height and width to crop to".into());
        }
        if let (CropConfig::Centre { short_side: Some(short) }, Some(size)) = (&self.crop, self.size)
            && !(size..=65_536).contains(short)
        {
            return Err(format!("data.crop.short_side is {short}, allowed are data.size, {size}, to 65536"));
        }
        if let CropConfig::RandomResized { area, aspect } = &self.crop {
            if !(area[0] > 0.0 && area[0] <= area[1] && area[1] <= 1.0) {
                return Err(format!(
                    "data.crop.area is {area:?}, allowed are two shares above 0 and up to 1, the smaller first"
                ));
            }
            if !(aspect[0] > 0.0 && aspect[0] <= aspect[1] && aspect[1].is_finite()) {
                return Err(format!(
                    "data.crop.aspect is {aspect:?}, allowed are two positive ratios, the smaller first"
                ));
            }
        }
        if self.normalise.std.iter().any(|&std| !(std > 0.0 && std.is_finite())) {
            return Err(format!("data.normalise.std is {:?}, allowed are positive numbers", self.normalise.std));
        }
        if self.normalise.mean.iter().any(|mean| !mean.is_finite()) {
            return Err(format!("data.normalise.mean is {:?}, allowed are finite numbers", self.normalise.mean));
        }
        Ok(())
    }

    fn check_numbers(&self) -> Result<(), String> {
        let counts = [
            ("frames", self.frames),
            ("frame_step", self.frame_step),
            ("clips_per_video", self.clips_per_video),
            ("batch_size", self.batch_size),
            ("prefetch_mb", self.prefetch_mb),
            ("size", self.size.unwrap_or(1)),
        ];
        if let Some((key, value)) = counts.into_iter().find(|&(_, value)| value == 0) {
            return Err(format!("data.{key} is {value}, allowed are 1 and more"));
        }
        if let Some((key, value)) =
            [("frames", self.frames), ("frame_step", self.frame_step), ("size", self.size.unwrap_or(1))]
                .into_iter()
                .find(|&(_, value)| value > 65_536)
        {
            return Err(format!("data.{key} is {value}, allowed are 1 to 65536"));
        }
        if self.workers > 1024 {
            return Err(format!("data.workers is {}, allowed are 0 to 1024", self.workers));
        }
        if !(1..=64).contains(&self.decoder_threads) {
            return Err(format!("data.decoder_threads is {}, allowed are 1 to 64", self.decoder_threads));
        }
        if !(self.read_timeout > 0.0 && self.read_timeout <= 86_400.0) {
            return Err(format!(
                "data.read_timeout is {}, allowed are above 0 and up to 86400 (a day)",
                self.read_timeout
            ));
        }
        if !(0.0..1.0).contains(&self.validation_fraction) {
            return Err(format!(
                "data.validation_fraction is {}, allowed are 0 and up to, but not, 1",
                self.validation_fraction
            ));
        }
        if !(0.0..=1.0).contains(&self.max_broken_fraction) {
            return Err(format!("data.max_broken_fraction is {}, allowed are 0 to 1", self.max_broken_fraction));
        }
        Ok(())
    }

    fn check_source(&self) -> Result<(), String> {
        if self.source.path().as_os_str().is_empty() {
            return Err("data.source.path is empty, expected a file or folder".into());
        }
        if let Some(rate) = self.frames_per_second {
            if !(rate > 0.0 && rate.is_finite()) {
                return Err(format!("data.frames_per_second is {rate}, allowed are positive numbers"));
            }
            if self.frame_step != 1 {
                return Err(format!(
                    "data.frame_step is {} and data.frames_per_second is {rate}: only one of them can be given",
                    self.frame_step
                ));
            }
            if !matches!(self.source, SourceConfig::Videos { .. }) {
                return Err(format!(
                    "data.frames_per_second is {rate}, but only a source of kind \"videos\" has a clock; use data.frame_step"
                ));
            }
        }
        match &self.source {
            SourceConfig::Videos { .. } => {}
            SourceConfig::Episodes { image, action, .. } => {
                if image.is_empty() {
                    return Err("data.source.image is empty, expected the name of the image column".into());
                }
                if self.flip && !action.is_empty() {
                    return Err("data.flip is true, but a mirrored clip no longer fits its actions; set it to false, or data.source.action to \"\"".into());
                }
            }
            SourceConfig::MovingMnist { digits, videos, length, canvas, .. } => {
                for (key, value) in [("digits", *digits), ("videos", *videos)] {
                    if value == 0 {
                        return Err(format!("data.source.{key} is 0, allowed are 1 and more"));
                    }
                }
                if *canvas < 28 || *canvas > 65_536 {
                    return Err(format!("data.source.canvas is {canvas}, allowed are 28 (a digit) to 65536"));
                }
                let span = self.frames * self.frame_step;
                if *length < span {
                    return Err(format!(
                        "data.source.length is {length}, allowed are {span} (data.frames x data.frame_step) and more"
                    ));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut DataConfig)) -> Result<(), String> {
        let mut config = DataConfig { source: SourceConfig::Videos { path: "clips".into() }, ..DataConfig::default() };
        change(&mut config);
        config.validate()
    }

    #[test]
    fn defaults_fill_what_a_file_leaves_out() {
        let config: DataConfig = toml::from_str("frames = 8\n[source]\nkind = \"episodes\"\npath = \"walks\"").unwrap();
        assert_eq!(
            config.source,
            SourceConfig::Episodes { path: "walks".into(), image: pixels(), action: action(), state: state() }
        );
        assert_eq!((config.frames, config.batch_size, config.validation_fraction), (8, 32, 0.1));
        assert_eq!(config.validate(), Ok(()));
        let again: DataConfig = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
        assert_eq!(again, config);
    }

    #[test]
    fn unknown_keys_are_refused_everywhere() {
        for text in [
            "frame = 8",
            "[source]\nkind = \"videos\"\npath = \"a\"\nrecursive = true",
            "[crop]\nkind = \"random-resized\"\nscale = [0.1, 1.0]",
            "[normalise]\nmeans = [0.0, 0.0, 0.0]",
        ] {
            assert!(toml::from_str::<DataConfig>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn messages_name_key_value_and_what_is_allowed() {
        assert_eq!(with(|_| ()), Ok(()));
        assert_eq!(with(|c| c.frames = 0).unwrap_err(), "data.frames is 0, allowed are 1 and more");
        assert_eq!(
            with(|c| c.validation_fraction = 1.0).unwrap_err(),
            "data.validation_fraction is 1, allowed are 0 and up to, but not, 1"
        );
        assert_eq!(
            with(|c| (c.frame_step, c.frames_per_second) = (2, Some(4.0))).unwrap_err(),
            "data.frame_step is 2 and data.frames_per_second is 4: only one of them can be given"
        );
        assert_eq!(
            with(|c| c.crop = CropConfig::Stretch).unwrap_err(),
            "data.crop needs data.size, the height and width to crop to"
        );
        assert_eq!(
            with(|c| c.normalise.std[1] = 0.0).unwrap_err(),
            "data.normalise.std is [0.5, 0.0, 0.5], allowed are positive numbers"
        );
        assert_eq!(
            with(|c| c.source = SourceConfig::Videos { path: "".into() }).unwrap_err(),
            "data.source.path is empty, expected a file or folder"
        );
        let episodes = SourceConfig::Episodes { path: "e".into(), image: pixels(), action: action(), state: state() };
        assert!(with(|c| (c.source, c.flip) = (episodes.clone(), true)).unwrap_err().starts_with("data.flip is true"));
        assert!(
            with(|c| (c.source, c.frames_per_second) = (episodes, Some(4.0)))
                .unwrap_err()
                .starts_with("data.frames_per_second is 4")
        );
        let digits = SourceConfig::MovingMnist { path: "m".into(), digits: 2, videos: 10, length: 20, canvas: 64 };
        assert_eq!(
            with(|c| (c.source, c.frames, c.frame_step) = (digits, 11, 2)).unwrap_err(),
            "data.source.length is 20, allowed are 22 (data.frames x data.frame_step) and more"
        );
    }
}
