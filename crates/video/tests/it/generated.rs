//! Films of many codecs and containers, made here: always exactly the frame that was asked for, by index and by time.

use std::path::Path;
use std::sync::Arc;

use crate::films::{Recipe, bar_code, make, make_all, shuffled};
use prevision_core::{FrameBuffer, frames::Window};
use prevision_video::{FrameSource, OpenOptions, Video, VideoIndex};

/// The stored picture of an upright one, as (pixels, width, height).
fn stored(recipe: &Recipe, upright: &[u8], (width, height): (usize, usize)) -> (Vec<u8>, usize, usize) {
    let (columns, rows) = (recipe.size.0 as usize, recipe.size.1 as usize);
    let expected = if recipe.turns % 2 == 1 { (rows, columns) } else { (columns, rows) };
    assert_eq!((width, height), expected, "{}: upright size", recipe.file);
    let mut out = vec![0; upright.len()];
    for y in 0..rows {
        for x in 0..columns {
            let (column, line) = match recipe.turns {
                0 => (x, y),
                1 => (rows - 1 - y, x),
                2 => (columns - 1 - x, rows - 1 - y),
                _ => (y, columns - 1 - x),
            };
            out[(y * columns + x) * 3..][..3].copy_from_slice(&upright[(line * width + column) * 3..][..3]);
        }
    }
    (out, columns, rows)
}

fn code(recipe: &Recipe, frame: &[u8], size: (usize, usize)) -> Option<usize> {
    let (pixels, width, height) = stored(recipe, frame, size);
    bar_code(&pixels, width, height)
}

fn check(recipe: &Recipe, path: &Path) {
    let name = recipe.file;
    let options = OpenOptions::default();
    let mut video = Video::open(path, &options).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(video.len(), recipe.frames, "{name}: frames");
    assert_eq!((video.info().problem.as_deref(), video.info().warnings), (None, 0), "{name}");
    for (index, &found) in video.timestamps().iter().enumerate() {
        let wanted = recipe.time(index);
        // Containers that count milliseconds round.
        let near = !recipe.timed || (found - wanted).abs() < 1.1e-3;
        assert!(near, "{name}: frame {index} at {found} s instead of {wanted} s");
    }
    if recipe.aspect.0 != recipe.aspect.1 {
        let across = recipe.size.0 as usize * recipe.aspect.0 as usize / recipe.aspect.1 as usize;
        assert_eq!(video.info().display_width, across, "{name}: width on a screen");
    }
    let size = video.size();
    let (mut in_order, mut out) = (FrameBuffer::default(), FrameBuffer::default());
    video
        .read(&(0..recipe.frames).collect::<Vec<_>>(), &mut in_order)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    for index in 0..recipe.frames {
        assert_eq!(code(recipe, in_order.frame(index), size), Some(index), "{name}: bar code of frame {index}");
    }
    // One by one at random; then several with gaps; then with an index that was stored.
    for index in shuffled(recipe.frames) {
        video.read(&[index], &mut out).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(out.frame(0) == in_order.frame(index), "{name}: frame {index} alone");
    }
    let text = serde_json::to_string(&**video.index()).expect("JSON");
    let index: VideoIndex = serde_json::from_str(&text).expect("an index");
    let mut again = Video::open_indexed(path, &options, Arc::new(index)).expect("opens");
    for start in shuffled(recipe.frames - 13) {
        let clip: Vec<usize> = (start..start + 13).step_by(4).collect();
        for video in [&mut video, &mut again] {
            video.read(&clip, &mut out).unwrap_or_else(|error| panic!("{name}: {error}"));
            for (slot, &index) in clip.iter().enumerate() {
                assert!(out.frame(slot) == in_order.frame(index), "{name}: frame {index} of {clip:?}");
            }
        }
    }
    // By time: at the beginning of a frame, and just before the next one.
    for index in shuffled(recipe.frames - 1) {
        let (begin, end) = (video.timestamps()[index], video.timestamps()[index + 1]);
        for time in [begin, begin + 0.9 * (end - begin)] {
            let found = video.index_at(time);
            video.read(&[found], &mut out).expect("reads");
            assert_eq!(code(recipe, out.frame(0), size), Some(index), "{name}: at {time} s");
        }
    }
    // A window that is not scaled is what is in it.
    let (width, height) = (size.0 / 2, size.1 / 2);
    let window = Window { x: 3.0, y: 5.0, width: width as f64, height: height as f64 };
    let mut part = FrameBuffer::new(0, height, width);
    video.read_window(&[recipe.frames / 2], &window, false, &mut part).expect("reads");
    let whole = in_order.frame(recipe.frames / 2);
    let mut difference = 0;
    for (y, row) in part.frame(0).chunks_exact(width * 3).enumerate() {
        let wanted = &whole[((y + 5) * size.0 + 3) * 3..][..width * 3];
        difference += row.iter().zip(wanted).map(|(&a, &b)| usize::from(a.abs_diff(b))).sum::<usize>();
    }
    let mean = difference as f64 / part.data.len() as f64;
    assert!(mean < 2.0, "{name}: a window differs by {mean:.2} of 255 from the whole frame");
}

#[test]
fn every_film_gives_exactly_its_frames() {
    let folder = tempfile::tempdir().expect("a folder");
    let (made, missing) = make_all(folder.path());
    // Encoders that are part of FFmpeg itself are always there.
    assert!(made.len() >= 12, "only {} films could be made; encoders are missing for {missing:?}", made.len());
    for (recipe, path) in &made {
        check(recipe, path);
    }
}

/// The bar codes and times of the frames of a file that can be read, and how many warnings there were.
fn readable(path: &Path) -> (Vec<(usize, f64)>, usize) {
    let mut video = Video::open(path, &OpenOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    let (width, height) = video.size();
    let (mut frames, mut out) = (vec![], FrameBuffer::default());
    for index in 0..video.len() {
        if video.read(&[index], &mut out).is_ok() {
            let code = bar_code(out.frame(0), width, height).expect("a clear bar code");
            frames.push((code, video.timestamps()[index]));
        }
    }
    (frames, video.info().warnings)
}

/// Whatever is left of a stream, the frames that can be read are the right ones, and it is said that something is missing.
#[test]
fn streams_that_are_cut_off_give_what_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, key_frames) in [("x264.ts", 16), ("mpeg2.ts", 12)] {
        let Some((recipe, path)) = make(folder.path(), name) else { continue };
        let data = std::fs::read(&path).expect("readable");
        let cut = folder.path().join(format!("cut-{name}"));
        for (from, to) in [(0, 1000), (0, 700), (0, 515), (40, 1000), (200, 1000), (450, 1000), (130, 900), (256, 871)]
        {
            let part = &data[data.len() * from / 1000..data.len() * to / 1000];
            std::fs::write(&cut, part).expect("written");
            let (frames, warnings) = readable(&cut);
            let place = format!("{name} from {from} to {to} of 1000: {frames:?}");
            assert!(frames.len() >= key_frames - 1, "{place}");
            // A stream that ends at the end of a picture looks whole, and FFmpeg reads MPEG-2 from the first sequence header on.
            assert!(from == 0 || name != "x264.ts" || warnings > 0, "{warnings} warnings, {place}");
            assert!(part.len() < data.len() || warnings == 0, "{warnings} warnings, {place}");
            for pair in frames.windows(2) {
                let wanted = recipe.time(pair[1].0) - recipe.time(pair[0].0);
                assert!(pair[1].0 > pair[0].0 && (pair[1].1 - pair[0].1 - wanted).abs() < 1e-3, "{place}");
            }
        }
    }
}
