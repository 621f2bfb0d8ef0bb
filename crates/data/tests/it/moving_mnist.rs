//! Facts about the synthetic videos.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::common::{bytes, frames, open_side, source};
use flate2::{Compression, write::GzEncoder};
use prevision_core::{Camera, Clip};
use prevision_data::{ClipRequest, CropConfig, DataConfig, Draw, Formats, Split, built_in};

/// A gzipped idx3 file of one digit, a block of 28 x 28 pixels of value 200.
fn block(folder: &Path) -> PathBuf {
    let path = folder.join("block-images-idx3-ubyte.gz");
    let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28];
    bytes.extend([200; 28 * 28]);
    let mut file = GzEncoder::new(std::fs::File::create(&path).unwrap(), Compression::fast());
    file.write_all(&bytes).unwrap();
    file.finish().unwrap();
    path
}

fn config(path: &Path, digits: i64) -> DataConfig {
    let source = source("moving-mnist", path).with("digits", digits).with("videos", 50).with("length", 40);
    DataConfig { source, frames: 40, validation_fraction: 0.0, ..DataConfig::default() }
}

fn clip(config: &DataConfig, seed: u64, video: usize) -> Clip {
    let dataset = open_side(config, Split::Train, seed).unwrap();
    dataset.clip(&ClipRequest { seed: 9, epoch: 0, slot: 0, video, clip: 0, clips: 1, draw: Draw::Random }).unwrap()
}

/// Left and top edge of the block in each frame.
fn corners(clip: &Clip) -> Vec<(i64, i64)> {
    (0..frames(clip).frames)
        .map(|frame| {
            let pixels = frames(clip).frame(frame);
            let lit: Vec<usize> = (0..64 * 64).filter(|pixel| pixels[pixel * 3] == 200).collect();
            assert_eq!(lit.len(), 28 * 28, "the whole block is on the canvas");
            ((lit.iter().map(|pixel| pixel % 64).min().unwrap()) as i64, (lit[0] / 64) as i64)
        })
        .collect()
}

#[test]
fn a_digit_moves_straight_and_bounces() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&block(folder.path()), 1);
    let mut bounced = 0;
    for video in 0..20 {
        let clip = clip(&config, 3, video);
        assert_eq!((frames(&clip).frames, frames(&clip).height, frames(&clip).width), (40, 64, 64));
        assert!(frames(&clip).data.chunks_exact(3).all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]), "gray");
        let corners = corners(&clip);
        assert!(corners.iter().all(|(x, y)| (0..=36).contains(x) && (0..=36).contains(y)));
        let steps: Vec<_> = corners.windows(2).map(|pair| (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1)).collect();
        // A tenth of the 36 free pixels, in pixels of the grid.
        assert!(steps.iter().all(|(x, y)| x.abs() <= 4 && y.abs() <= 4), "{steps:?}");
        let path: f64 = steps.iter().map(|&(x, y)| ((x * x + y * y) as f64).sqrt()).sum();
        assert!((2.2..=3.9).contains(&(path / 39.0)), "{} pixels a frame", path / 39.0);
        bounced += usize::from(corners.iter().any(|&(x, y)| x == 0 || y == 0 || x == 36 || y == 36));
    }
    assert!(bounced >= 15, "in 40 frames a digit crosses the canvas four times: {bounced} of 20 met a wall");
}

#[test]
fn videos_depend_on_seed_and_index_alone() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&block(folder.path()), 2);
    let video = |seed, video| bytes(clip(&config, seed, video));
    assert_eq!(video(3, 7), video(3, 7));
    assert_ne!(video(3, 7), video(3, 8));
    assert_ne!(video(3, 7), video(4, 7));
    // A window of a video is those frames of the video.
    let short = DataConfig { frames: 5, frame_step: 3, ..config.clone() };
    let dataset = open_side(&short, Split::Train, 3).unwrap();
    for slot in 0..10 {
        let clip = dataset
            .clip(&ClipRequest { seed: 1, epoch: 2, slot, video: 7, clip: 0, clips: 1, draw: Draw::Random })
            .unwrap();
        let whole = video(3, 7);
        for frame in 0..5 {
            let place = (clip.source.start + 3 * frame) * 64 * 64 * 3;
            assert_eq!(frames(&clip).frame(frame), &whole[place..place + 64 * 64 * 3]);
        }
        assert_eq!(clip.times[1] - clip.times[0], 3.0);
    }
}

#[test]
fn the_number_of_digits_and_the_size_are_configurable() {
    let folder = tempfile::tempdir().unwrap();
    let path = block(folder.path());
    let lit = |digits| {
        let clip = clip(&config(&path, digits), 0, 0);
        frames(&clip).frame(0).chunks_exact(3).filter(|pixel| pixel == &[200; 3]).count()
    };
    assert_eq!(lit(1), 28 * 28);
    assert!(lit(6) > 28 * 28 && lit(6) < 6 * 28 * 28, "six overlap on this canvas");
    let half = DataConfig { size: Some(32), crop: CropConfig::Stretch {}, ..config(&path, 1) };
    let dataset = open_side(&half, Split::Train, 0).unwrap();
    assert_eq!(dataset.spaces().only_camera(), Ok(("pixels", Camera { height: 32, width: 32 })));
    let clip = clip(&half, 0, 0);
    let mean = |values: &[u8]| values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64;
    assert!((mean(frames(&clip).frame(0)) - 200.0 * 784.0 / 4096.0).abs() < 1.0);
}

#[test]
fn wrong_digit_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let open = |path: &Path| open_side(&config(path, 2), Split::Train, 0).err().unwrap().to_string();
    assert!(open(folder.path()).contains("no file *images-idx3-ubyte*"));
    let text = folder.path().join("text");
    std::fs::write(&text, "digits").unwrap();
    assert!(open(&text).contains("is not an idx3 file"));
    std::fs::write(&text, [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28, 1, 2]).unwrap();
    assert!(open(&text).contains("holds 2 bytes of pixels, its header says 2 images of 28x28"));
    assert!(open(&folder.path().join("missing")).contains("missing"));
}

#[test]
fn a_digit_is_the_class_of_its_video() {
    let folder = tempfile::tempdir().unwrap();
    // Image i is all of value 100 + i, and of class 9 - i.
    let images = folder.path().join("some-images-idx3-ubyte");
    let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 28, 0, 0, 0, 28];
    (0..3).for_each(|image| bytes.extend([100 + image; 28 * 28]));
    std::fs::write(&images, bytes).unwrap();
    let labels = folder.path().join("some-labels-idx1-ubyte");
    std::fs::write(&labels, [0, 0, 8, 1, 0, 0, 0, 3, 9, 8, 7]).unwrap();
    let with = |labels: &Path, digits: i64| {
        let config = config(folder.path(), digits);
        DataConfig { source: config.source.with("labels", labels.display().to_string()), ..config }
    };
    let mut seen = std::collections::BTreeSet::new();
    for video in 0..20 {
        let clip = clip(&with(folder.path(), 1), 3, video);
        let value = frames(&clip).data.iter().copied().max().unwrap();
        assert_eq!(clip.label, Some(109 - i64::from(value)));
        seen.extend(clip.label);
    }
    assert_eq!(seen.len(), 3);
    assert_eq!(clip(&config(folder.path(), 1), 3, 0).label, None);

    let refused = |config: &DataConfig| open_side(config, Split::Train, 0).err().unwrap().to_string();
    let message = with(folder.path(), 2).source(&built_in(), &Formats::built_in()).err().unwrap();
    assert_eq!(message, "data.source.digits is 2, but must be 1 where labels are given: a video has one class");
    assert!(refused(&with(&images, 1)).contains("is not an idx1 file"));
    std::fs::write(&labels, [0, 0, 8, 1, 0, 0, 0, 2, 9, 8]).unwrap();
    assert!(refused(&with(&labels, 1)).contains("holds 2 labels, its header says 2, of 3 images in"));
}

#[test]
fn real_digits() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/labelled/mnist10k"));
    if !path.exists() {
        return;
    }
    let clip = clip(&config(path, 2), 0, 0);
    let data = bytes(clip);
    let mean = data.iter().map(|&value| f64::from(value)).sum::<f64>() / data.len() as f64;
    // MNIST's mean is 33 of 255 over 28 x 28; two of them on 64 x 64 give about 12.
    assert!((5.0..20.0).contains(&mean), "{mean}");
}
