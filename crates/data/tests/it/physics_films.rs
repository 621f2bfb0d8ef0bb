//! Facts about the possible films.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use crate::common::{frames, open_side};
use prevision_core::Clip;
use prevision_core::config::Part;
use prevision_data::{ClipRequest, DataConfig, Draw, Split};

fn config() -> DataConfig {
    let source = Part::new("physics-films").with("videos", 200);
    DataConfig { source, frames: 12, frame_step: 2, validation_fraction: 0.25, ..DataConfig::default() }
}

fn clip(config: &DataConfig, split: Split, seed: u64, video: usize) -> Clip {
    let dataset = open_side(config, split, seed).unwrap();
    dataset.clip(&ClipRequest { seed: 9, epoch: 0, slot: 0, video, clip: 0, clips: 1, draw: Draw::Random }).unwrap()
}

#[test]
fn films_are_a_function_of_the_seed_and_their_number() {
    let config = config();
    let film = |split, seed, video| frames(&clip(&config, split, seed, video)).clone();
    let first = film(Split::Train, 3, 0);
    assert_eq!([first.frames, first.height, first.width], [12, 64, 64]);
    assert_eq!(first, film(Split::Train, 3, 0));
    for other in [film(Split::Train, 4, 0), film(Split::Train, 3, 1), film(Split::Validation, 3, 0)] {
        assert_ne!(first, other);
    }
    assert!(first.data.chunks_exact(3).all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]), "gray");
}

#[test]
fn half_of_the_films_have_an_object_and_half_a_lamp() {
    let config = DataConfig { validation_fraction: 0.0, ..config() };
    let dataset = open_side(&config, Split::Train, 1).unwrap();
    let (mut objects, mut lamps) = (0, 0);
    for video in 0..200 {
        let request = ClipRequest { seed: 9, epoch: 0, slot: 0, video, clip: 0, clips: 1, draw: Draw::Random };
        let clip = dataset.clip(&request).unwrap();
        let frames = frames(&clip);
        let changes = |rows: std::ops::Range<usize>| {
            let bytes = rows.start * 64 * 3..rows.end * 64 * 3;
            (1..12)
                .filter(|&index| frames.frame(index)[bytes.clone()] != frames.frame(index - 1)[bytes.clone()])
                .count()
        };
        // The lamp lights up once. The object moves on both sides of the occluder, or not at all.
        let (lamp, object) = (changes(1..9), changes(20..64));
        assert!(lamp <= 1 && (object == 0 || object >= 6), "{video}: {lamp} {object}");
        (objects, lamps) = (objects + usize::from(object > 0), lamps + lamp);
    }
    assert!((80..120).contains(&objects) && (80..120).contains(&lamps), "{objects} {lamps}");
}

#[test]
fn keys_that_make_no_sense_are_named() {
    let refused = |key: &str, value: f64| {
        let source = Part::new("physics-films").with(key, value);
        let config = DataConfig { source, ..config() };
        config.source(&prevision_data::built_in(), &prevision_data::Formats::built_in()).err().unwrap()
    };
    assert_eq!(refused("lamps", 1.5), "data.source.lamps is 1.5, but must be between 0 and 1");
    let short = DataConfig { source: Part::new("physics-films").with("length", 23), ..config() };
    let source = short.source(&prevision_data::built_in(), &prevision_data::Formats::built_in()).unwrap();
    let message = source.validate(&short).unwrap_err();
    assert_eq!(message, "data.source.length is 23, but must be 24 (data.frames x data.frame_step) or more");
}
