//! Where clips come from: what every source offers, the built-in ones, and which one a configuration names.

mod episodes;
mod mixed;
mod moving_mnist;
mod one_camera;
mod physics_films;
mod planned;
mod prepared;
mod source;
mod video_files;
mod video_list;
mod videos;

use std::sync::Arc;

use prevision_core::config::Registry;

use crate::{ClipDataset, DataConfig, DataError, Split};
use episodes::{EpisodesOptions, EpisodesSource};
use mixed::{MixedOptions, MixedSource, PartOptions};
use moving_mnist::MovingMnistOptions;
use videos::VideosOptions;

pub(crate) use episodes::offsets;
pub use episodes::{
    Episode, EpisodeFormat, EpisodeFrames, EpisodeOptions, EpisodeReader, EpisodeSource, EpisodeWriter,
    EpisodesInMemory, Formats,
};
pub use one_camera::PIXELS;
pub use physics_films::{PhysicsFilmsOptions, write_quadruplets};
pub use prepared::{Encoding, PrepareOptions, PreparePlan, PrepareProgress, PreparedSummary, ShortenedFile, prepare};
pub use source::Source;
pub use video_list::open_recording;

/// The sources that are registered, each made out of its keys and the known formats of recorded episodes.
pub type Sources = Registry<Formats, Box<dyn Source>>;

/// The built-in sources.
pub fn built_in() -> Sources {
    Registry::new("data source")
        .with("videos", |options: VideosOptions, _: &Formats| Ok(Box::new(options) as Box<dyn Source>))
        .with("episodes", |options: EpisodesOptions, formats: &Formats| {
            Ok(Box::new(EpisodesSource::new(options, formats)?) as Box<dyn Source>)
        })
        .with("moving-mnist", |options: MovingMnistOptions, _: &Formats| Ok(Box::new(options) as Box<dyn Source>))
        .with("physics-films", |options: PhysicsFilmsOptions, _: &Formats| Ok(Box::new(options) as Box<dyn Source>))
        .with_composed("mixed", |options: MixedOptions, parts: Vec<(PartOptions, Box<dyn Source>)>, _: &Formats| {
            Ok(Box::new(MixedSource::new(options, parts)?) as Box<dyn Source>)
        })
}

impl DataConfig {
    /// Makes the source that `[data.source]` names.
    ///
    /// # Errors
    /// The full key at fault, if there is no such source, or a key of it is unknown or has a value that is not allowed.
    pub fn source(&self, sources: &Sources, formats: &Formats) -> Result<Box<dyn Source>, String> {
        sources.make("data.source", &self.source.kind, &self.source.keys, formats)
    }
}

/// Opens one side of a data set, see [`Source::open`].
///
/// # Errors
/// If the configuration is wrong, something of the source is missing or empty, or this side of the split has no video.
pub fn open(
    config: &DataConfig,
    source: &dyn Source,
    split: Split,
    seed: u64,
) -> Result<Arc<dyn ClipDataset>, DataError> {
    config.validate().and_then(|()| source.validate(config)).map_err(DataError::Config)?;
    source.open(config, split, seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prevision_core::config::Part;

    fn checked(source: Part, change: impl FnOnce(&mut DataConfig)) -> Result<(), String> {
        let mut config = DataConfig { source, ..DataConfig::default() };
        change(&mut config);
        config.validate()?;
        config.source(&built_in(), &Formats::built_in())?.validate(&config)
    }

    fn refused(source: Part, change: impl FnOnce(&mut DataConfig)) -> String {
        checked(source, change).unwrap_err()
    }

    #[test]
    fn sources_are_made_by_name_with_their_keys() {
        let with_path = |kind: &str| Part::new(kind).with("path", "somewhere");
        for kind in ["videos", "episodes", "moving-mnist"] {
            assert_eq!(checked(with_path(kind), |c| c.frames = 4), Ok(()), "{kind}");
            assert_eq!(
                refused(Part::new(kind), |c| c.frames = 4),
                "data.source.path is empty, but must be a file or folder",
                "{kind}"
            );
        }
        assert!(refused(Part::new("clips"), |_| ()).starts_with("data.source: there is no data source `clips`"));
        let message = refused(with_path("videos").with("recursive", true), |_| ());
        assert!(message.starts_with("unknown key `data.source.recursive`"), "{message}");
        let known = built_in().resolve("data.source", "episodes", &with_path("episodes").keys).unwrap();
        let names: Vec<&str> = known.keys().map(String::as_str).collect();
        assert_eq!(names, ["action", "cameras", "path", "state", "vectors"]);
        assert!(built_in().resolve("data.source", "videos", &Part::new("videos").keys).is_ok(), "without a path");
    }

    #[test]
    fn messages_name_key_value_and_what_is_allowed() {
        let episodes = || Part::new("episodes").with("path", "walks");
        let digits = || Part::new("moving-mnist").with("path", "digits");
        assert_eq!(
            refused(episodes(), |c| c.flip = true),
            "data.flip is true, but must be false where there are actions, which would not fit mirrored frames (data.source.action)"
        );
        assert_eq!(checked(episodes().with("action", ""), |c| c.flip = true), Ok(()));
        for source in [episodes(), digits()] {
            assert_eq!(
                refused(source, |c| c.frames_per_second = Some(4.0)),
                "data.frames_per_second is 4, but must be unset: this source counts in steps and has no clock; use data.frame_step"
            );
        }
        assert_eq!(
            refused(digits(), |c| (c.frames, c.frame_step) = (11, 2)),
            "data.source.length is 20, but must be 22 (data.frames x data.frame_step) or more"
        );
        assert_eq!(
            refused(digits().with("canvas", 27), |_| ()),
            "data.source.canvas is 27, but must be between 28 and 65536"
        );
        assert_eq!(
            refused(episodes().with("cameras", vec!["front", "front"]), |_| ()),
            "data.source.cameras is [\"front\", \"front\"], but must be different names"
        );
        assert_eq!(
            refused(episodes().with("cameras", Vec::<String>::new()), |_| ()),
            "data.source.cameras is [], but must be at least one camera where vectors names no stream either"
        );
        let message = refused(episodes().with("format", "vidoe"), |_| ());
        let expected = "data.source.format is \"vidoe\", but must be one of video, lerobot";
        assert!(message.starts_with(expected), "{message}");
    }
}
