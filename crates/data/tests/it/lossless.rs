//! The same episodes in every format that keeps them without loss: the same seed gives the same batches.

#![allow(clippy::unwrap_used, reason = "a test that fails says why")]

use std::collections::BTreeMap;
use std::path::Path;

use crate::common::{open_side, source};
use prevision_core::{Array2, Camera, Clip, FrameBuffer, Observations, Spaces};
use prevision_data::convert::convert;
use prevision_data::{
    DataConfig, Episode, EpisodeOptions, EpisodeWriter, Formats, Loader, LoaderConfig, Split, open_recording,
};

/// The formats, and what each calls the camera `pixels` and the column `state`.
const LOSSLESS: [(&str, &str, &str); 5] = [
    ("video", "pixels", "state"),
    ("lerobot", "observation.images.pixels", "observation.state"),
    ("hdf5", "pixels", "state"),
    ("zarr", "pixels", "state"),
    ("table", "pixels", "state"),
];

fn record(folder: &Path) {
    let camera = Camera { height: 16, width: 24 };
    let spaces = Spaces { cameras: BTreeMap::from([("pixels".into(), camera)]), ..Spaces::default() };
    let mut writer = EpisodeWriter::create(folder, &spaces, &EpisodeOptions::default()).unwrap();
    for number in 0..7 {
        let length = 8 + number * 3 % 5;
        let mut frames = FrameBuffer::new(length, 16, 24);
        let (mut action, mut state) = (Array2::default(), Array2::default());
        for moment in 0..length {
            frames.frame_mut(moment).iter_mut().enumerate().for_each(|(place, sample)| {
                *sample = (place * (3 + moment) + moment * 17 + number * 40) as u8;
            });
            let last = moment + 1 == length;
            action.push(&if last { [f32::NAN; 2] } else { [moment as f32 / 3.0, -f32::MIN_POSITIVE] });
            state.push(&[(number * 100 + moment) as f32 + 0.1, 1.0 / (moment + 1) as f32, 0.0]);
        }
        let columns = BTreeMap::from([("action".into(), action), ("state".into(), state)]);
        writer.write(&Episode { observations: Observations::of_camera("pixels", frames), columns }).unwrap();
    }
    writer.finish().unwrap();
}

/// The first batches of a recording, over an epoch and a half.
fn batches(path: &Path, (format, camera, state): (&str, &str, &str), size: Option<usize>) -> Vec<Clip> {
    let source = source("episodes", path).with("format", format).with("cameras", vec![camera]).with("state", state);
    let (frames, frame_step, batch_size) = (3, 2, 2);
    let config = DataConfig { source, frames, frame_step, batch_size, size, ..DataConfig::default() };
    let dataset = open_side(&config, Split::Train, 11).unwrap();
    let loader = LoaderConfig { workers: 2, ..LoaderConfig::new(&config, 11) };
    let mut loader = Loader::new(dataset, &loader, 0).unwrap();
    (0..5).flat_map(|_| loader.next_batch().unwrap().clips).collect()
}

#[test]
fn every_lossless_format_gives_the_same_batches() {
    let folder = tempfile::tempdir().unwrap();
    let recorded = folder.path().join("recorded");
    record(&recorded);
    let (_, source) = open_recording(&recorded, None, &Formats::built_in(), 1).unwrap();
    let bits = |rows: &Option<Array2>| -> Vec<u32> {
        rows.as_ref().unwrap().data.iter().map(|value| value.to_bits()).collect()
    };
    for size in [None, Some(12)] {
        let reference = batches(&recorded, LOSSLESS[0], size);
        assert_eq!(reference.len(), 10);
        for named in LOSSLESS {
            let (format, camera, _) = named;
            let place = folder.path().join(format);
            if size.is_none() {
                convert(source.as_ref(), format, &Formats::built_in(), &place, |_, _| true).unwrap();
            }
            for (clip, expected) in batches(&place, named, size).iter().zip(&reference) {
                let (found, wanted) = (&clip.source, &expected.source);
                assert_eq!((found.video, found.start), (wanted.video, wanted.start), "{format}");
                let same = clip.observations.cameras[camera] == expected.observations.cameras["pixels"];
                assert!(same, "{format}: frames of episode {} from {}", found.video, found.start);
                assert_eq!(bits(&clip.actions), bits(&expected.actions), "{format}");
                assert_eq!(bits(&clip.state), bits(&expected.state), "{format}");
                // Where frames are in no video there is no clock, and times are steps.
                let steps: Vec<f64> = (0..3).map(|frame| (found.start + 2 * frame) as f64).collect();
                assert!(clip.times == expected.times || clip.times == steps, "{format}: {:?}", clip.times);
            }
        }
    }
}
