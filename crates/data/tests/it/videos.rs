//! Clips out of video files: windows, time stamps, labels, broken and short files.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::path::Path;

use crate::common::{bytes, frames, open_side, source};
use prevision_core::Camera;
use prevision_data::{
    ClipDataset, ClipRequest, CropConfig, DataConfig, DataError, Draw, Loader, LoaderConfig, SkipReason, Split,
    in_order, in_order_with,
};
use prevision_video::{Mp4Options, Mp4Writer, Quality};

/// A video whose frame `t` is all (number, t, x) in (red, green, blue).
fn write_video(path: &Path, number: u8, length: u8, width: usize, height: usize) {
    let options = Mp4Options { width, height, frame_rate: 10, quality: Quality::Lossless, keyframe_interval: 4 };
    let mut video = Mp4Writer::create(path, &options).unwrap();
    for t in 0..length {
        let rgb: Vec<u8> = (0..width * height).flat_map(|pixel| [number, t, (pixel % width) as u8]).collect();
        video.write(&rgb).unwrap();
    }
    video.finish().unwrap();
}

/// Twelve videos of 20 frames.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..12 {
        write_video(&folder.path().join(format!("{number:02}.mp4")), number, 20, 24, 16);
    }
    folder
}

fn config(path: &Path) -> DataConfig {
    DataConfig {
        source: source("videos", path),
        frames: 4,
        validation_fraction: 0.0,
        batch_size: 3,
        ..DataConfig::default()
    }
}

fn train(config: &DataConfig) -> std::sync::Arc<dyn ClipDataset> {
    open_side(config, Split::Train, 5).unwrap()
}

#[test]
fn frames_are_those_of_the_window() {
    let folder = folder();
    let config = DataConfig { frame_step: 3, clips_per_video: 2, ..config(folder.path()) };
    let dataset = train(&config);
    assert_eq!((dataset.videos(), dataset.clips_per_epoch()), (12, 24));
    assert_eq!(
        (dataset.spaces().frames, dataset.spaces().only_camera()),
        (4, Ok(("pixels", Camera { height: 16, width: 24 })))
    );
    let mut starts = std::collections::HashSet::new();
    let mut loader = Loader::new(dataset, &LoaderConfig::new(&config, 5), 0).unwrap();
    for clip in (0..32).flat_map(|_| loader.next_batch().unwrap().clips) {
        starts.insert(clip.source.start);
        for t in 0..4 {
            let frame = clip.source.start + 3 * t;
            assert_eq!(
                frames(&clip).frame(t)[..6],
                [clip.source.video as u8, frame as u8, 0, clip.source.video as u8, frame as u8, 1]
            );
            assert!((clip.times[t] - frame as f64 / 10.0).abs() < 1e-6);
        }
    }
    assert_eq!(starts.len(), 20 - 12 + 1, "all windows come up: {starts:?}");
}

#[test]
fn frames_per_second_goes_by_time() {
    let folder = folder();
    let config = DataConfig { frames_per_second: Some(2.5), ..config(folder.path()) };
    let dataset = train(&config);
    for batch in in_order(dataset.as_ref(), 5) {
        for clip in batch.unwrap().clips {
            let greens: Vec<_> = (0..4).map(|t| frames(&clip).frame(t)[1]).collect();
            assert_eq!(
                greens,
                [4, 8, 12, 16],
                "every 0.4 seconds of a video of 10 frames a second, from the middle of 8 windows"
            );
        }
    }
    let too_long = DataConfig { frames_per_second: Some(1.0), ..config };
    let message = Loader::new(train(&too_long), &LoaderConfig { workers: 0, ..LoaderConfig::new(&too_long, 5) }, 0)
        .unwrap()
        .next_batch()
        .err()
        .unwrap()
        .to_string();
    assert!(message.contains("too short: has 1.90 seconds, a clip needs 3.00"), "{message}");
}

#[test]
fn size_crop_and_labels() {
    let folder = folder();
    let manifest = folder.path().join("list.txt");
    std::fs::write(&manifest, "# two videos\n03.mp4 30\n'07.mp4'\n").unwrap();
    let config = DataConfig { size: Some(16), ..config(&manifest) };
    let clips: Vec<_> = in_order(train(&config).as_ref(), 5).flat_map(|batch| batch.unwrap().clips).collect();
    assert_eq!(
        clips.iter().map(|clip| (frames(clip).frame(0)[0], clip.label)).collect::<Vec<_>>(),
        [(3, Some(30)), (7, None)]
    );
    assert_eq!((frames(&clips[0]).height, frames(&clips[0]).width), (16, 16));
    assert_eq!(
        [frames(&clips[0]).frame(0)[2], frames(&clips[0]).frame(0)[15 * 3 + 2]],
        [4, 19],
        "columns 4 to 19 of 24"
    );

    let crop = CropConfig::RandomResized { area: [0.3, 0.6], aspect: [0.75, 1.35], short_side: None };
    let random = DataConfig { size: Some(12), crop, ..config };
    let dataset = train(&random);
    let lefts: std::collections::HashSet<_> = (0..20)
        .map(|slot| {
            let clip = dataset
                .clip(&ClipRequest { seed: 0, epoch: 0, slot, video: 0, clip: 0, clips: 1, draw: Draw::Random })
                .unwrap();
            let left: Vec<_> = (0..4).map(|t| frames(&clip).frame(t)[2]).collect();
            assert!(left.iter().all(|&blue| blue == left[0]), "one box for the whole clip");
            left[0]
        })
        .collect();
    assert!(lefts.len() > 4, "{lefts:?}");
}

#[test]
fn broken_and_short_files_are_replaced_the_same_way_by_any_number_of_workers() {
    let folder = folder();
    std::fs::write(folder.path().join("04.mp4"), "this is no video").unwrap();
    write_video(&folder.path().join("09.mp4"), 9, 3, 24, 16);
    let config = DataConfig { max_broken_fraction: 0.2, ..config(folder.path()) };
    let run = |workers, start: u64| {
        let dataset = train(&config);
        let mut loader =
            Loader::new(dataset.clone(), &LoaderConfig { workers, ..LoaderConfig::new(&config, 5) }, start).unwrap();
        let clips: Vec<_> = (start..16)
            .flat_map(|_| loader.next_batch().unwrap().clips)
            .map(|clip| (clip.source.clone(), bytes(clip)))
            .collect();
        (clips, dataset.skipped())
    };
    let (reference, skipped) = run(0, 0);
    assert!(reference.iter().all(|(source, _)| source.video != 4 && source.video != 9));
    let text: Vec<_> = skipped.iter().map(ToString::to_string).collect();
    assert!(
        text.len() == 2
            && text[0].contains("04.mp4: broken: ")
            && text[1].ends_with("09.mp4: too short: has 3 frames, a clip needs 4"),
        "{text:?}"
    );
    for workers in [1, 2, 7] {
        let (clips, again) = run(workers, 0);
        assert!(clips == reference && again == skipped, "{workers} workers");
    }
    assert!(run(2, 9).0 == reference[27..]);
    // An evaluation leaves them out instead.
    let dataset = train(&config);
    let videos: Vec<_> =
        in_order(dataset.as_ref(), 4).flat_map(|batch| batch.unwrap().clips).map(|clip| clip.source.video).collect();
    assert_eq!(videos, [0, 1, 2, 3, 5, 6, 7, 8, 10, 11]);
    assert_eq!(dataset.skipped(), skipped);
}

#[test]
fn too_many_broken_files_stop_the_loader_with_the_list() {
    let folder = folder();
    for number in [4, 9] {
        std::fs::write(folder.path().join(format!("{number:02}.mp4")), "this is no video").unwrap();
    }
    let config = config(folder.path());
    for workers in [0, 3] {
        let mut loader =
            Loader::new(train(&config), &LoaderConfig { workers, ..LoaderConfig::new(&config, 5) }, 0).unwrap();
        let error = (0..5).find_map(|_| loader.next_batch().err()).unwrap();
        let message = error.to_string();
        assert!(matches!(error, DataError::TooManyBroken { videos: 12, .. }));
        assert!(
            message.starts_with("2 of 12 videos are broken")
                && message.contains("04.mp4: broken")
                && message.contains("09.mp4: broken"),
            "{message}"
        );
    }
}

#[test]
fn one_broken_file_never_stops_a_run() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.mp4"), "this is no video").unwrap();
    write_video(&folder.path().join("b.mp4"), 1, 8, 24, 16);
    write_video(&folder.path().join("c.mp4"), 2, 8, 24, 16);
    let config = config(folder.path());
    let mut loader = Loader::new(train(&config), &LoaderConfig::new(&config, 5), 0).unwrap();
    assert!((0..5).all(|_| loader.next_batch().is_ok()));
}

#[test]
fn videos_of_another_size_are_skipped_unless_all_are_resized() {
    let folder = folder();
    write_video(&folder.path().join("05.mp4"), 5, 20, 32, 32);
    let native = train(&config(folder.path()));
    assert_eq!(in_order(native.as_ref(), 12).map(|batch| batch.unwrap().clips.len()).sum::<usize>(), 11);
    assert!(matches!(native.skipped()[0].reason, SkipReason::OtherSize { found: (32, 32), expected: (24, 16) }));
    assert!(native.skipped()[0].to_string().contains("is 32x32, the other videos are 24x16"));
    let sized = train(&DataConfig { size: Some(8), ..config(folder.path()) });
    assert_eq!(in_order(sized.as_ref(), 12).map(|batch| batch.unwrap().clips.len()).sum::<usize>(), 12);
}

#[test]
fn a_damaged_part_spoils_only_the_clips_that_need_it() {
    let shared = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/derived"));
    if !shared.exists() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "broken_cut_tail.mp4",
        "broken_empty.mp4",
        "broken_no_moov.mp4",
        "broken_random.mp4",
        "cfr_h264_bframes.mp4",
        "vfr_h264.mkv",
        "h264.ts",
    ] {
        if shared.join(name).exists() {
            std::fs::copy(shared.join(name), folder.path().join(name)).unwrap();
        }
    }
    let config = DataConfig { max_broken_fraction: 0.8, size: Some(32), ..config(folder.path()) };
    let run = |workers| {
        let mut loader =
            Loader::new(train(&config), &LoaderConfig { workers, ..LoaderConfig::new(&config, 5) }, 0).unwrap();
        (0..10)
            .flat_map(|_| loader.next_batch().unwrap().clips)
            .map(|clip| (clip.source.clone(), bytes(clip)))
            .collect::<Vec<_>>()
    };
    let reference = run(0);
    assert!(run(3) == reference);
    assert!(reference.iter().any(|(source, _)| source.path.ends_with("cfr_h264_bframes.mp4")));
}

#[test]
fn one_held_out_video_gives_several_clips() {
    let folder = folder();
    for number in 12..14 {
        write_video(&folder.path().join(format!("{number:02}.mp4")), number, 20, 24, 16);
    }
    let config = DataConfig { validation_fraction: 0.1, ..config(folder.path()) };
    let held_out = (0..100)
        .map(|seed| open_side(&config, Split::Validation, seed).unwrap())
        .find(|dataset| dataset.videos() == 1)
        .unwrap();
    let starts = |clips| -> Vec<usize> {
        let batches = in_order_with(held_out.as_ref(), clips, 8).map(Result::unwrap);
        batches.flat_map(|batch| batch.clips).map(|clip| clip.source.start).collect()
    };
    assert_eq!(starts(1), [8], "in the middle of 17 windows");
    assert_eq!(starts(4), [2, 6, 10, 14]);
}
