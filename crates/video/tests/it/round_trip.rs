//! What the writers write, the reader gives back.

use std::path::Path;

use prevision_core::{FrameBuffer, frames::Window};
use prevision_video::{FrameSource, Mp4Options, Mp4Writer, OpenOptions, Quality, Video, VideoError, probe, write_gif};

/// Moving, coloured, noisy frames; frame 0 differs from every other one.
fn film(frames: usize, height: usize, width: usize) -> FrameBuffer {
    let mut film = FrameBuffer::new(frames, height, width);
    let mut noise = 12345_u32;
    for index in 0..frames {
        for (place, pixel) in film.frame_mut(index).chunks_exact_mut(3).enumerate() {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (x, y) = (place % width, place / width);
            let dot = x.abs_diff(index % width) < 3 && y.abs_diff(height / 2) < 3;
            pixel[0] = if dot { 255 } else { (noise >> 28) as u8 };
            pixel[1] = (x * 255 / width) as u8;
            pixel[2] = (y * 2 + index) as u8;
        }
    }
    film
}

/// Smooth frames, which a lossy codec can keep.
fn smooth_film(frames: usize, height: usize, width: usize) -> FrameBuffer {
    let mut film = FrameBuffer::new(frames, height, width);
    for index in 0..frames {
        for (place, pixel) in film.frame_mut(index).chunks_exact_mut(3).enumerate() {
            let (x, y) = ((place % width) as f64, (place / width) as f64);
            let wave = |phase: f64| (127.5 + 120.0 * (phase / 9.0).sin()).round() as u8;
            pixel[0] = wave(x + index as f64);
            pixel[1] = wave(y - index as f64);
            pixel[2] = wave(x + y);
        }
    }
    film
}

fn write(path: &Path, film: &FrameBuffer, quality: Quality, interval: usize) -> Result<(), VideoError> {
    let options =
        Mp4Options { width: film.width, height: film.height, frame_rate: 30, quality, keyframe_interval: interval };
    let mut writer = Mp4Writer::create(path, &options)?;
    for index in 0..film.frames {
        writer.write(film.frame(index))?;
    }
    writer.finish()
}

fn psnr(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let error: f64 = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    10.0 * (255.0_f64.powi(2) * a.len() as f64 / error.max(1e-9)).log10()
}

#[test]
fn lossless_is_bit_exact_in_any_order() {
    let folder = tempfile::tempdir().expect("a folder");
    for (frames, height, width, interval) in [(40, 65, 65, 8), (7, 34, 51, 250), (1, 16, 16, 1)] {
        let film = film(frames, height, width);
        let path = folder.path().join(format!("{width}x{height}.mp4"));
        write(&path, &film, Quality::Lossless, interval).expect("written");
        let mut video = Video::open(&path, &OpenOptions::default()).expect("opens");
        assert_eq!((video.len(), video.size()), (frames, (width, height)));
        let mut out = FrameBuffer::default();
        let orders: [Vec<usize>; 3] = [
            (0..frames).collect(),
            (0..frames).rev().collect(),
            (0..2 * frames).map(|step| step * 17 % frames).collect(),
        ];
        for order in orders {
            video.read(&order, &mut out).expect("reads");
            assert_eq!((out.frames, out.height, out.width), (order.len(), height, width));
            for (slot, &index) in order.iter().enumerate() {
                assert!(out.frame(slot) == film.frame(index), "frame {index} in slot {slot}");
            }
        }
        for index in (0..frames).rev() {
            video.read(&[index], &mut out).expect("reads");
            assert!(out.frame(0) == film.frame(index), "frame {index} alone");
        }
    }
}

#[test]
fn times_sizes_and_facts() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.mp4");
    write(&path, &film(31, 65, 65), Quality::Lossless, 10).expect("written");
    let mut video = Video::open(&path, &OpenOptions { threads: 2, ..OpenOptions::default() }).expect("opens");
    assert_eq!(video.size(), (65, 65));
    assert!((video.timestamps()[30] - 1.0).abs() < 1e-9);
    assert_eq!((video.index_at(0.5), video.index_at(0.4999), video.index_at(9.0)), (15, 14, 30));
    let mut out = FrameBuffer::new(9, 20, 30);
    video.read_window(&[3, 4], &Window::whole(65, 65), false, &mut out).expect("reads");
    assert_eq!((out.frames, out.height, out.width, out.data.len()), (2, 20, 30, 3600));
    let outside = Window { x: 1.0, ..Window::whole(65, 65) };
    let error = video.read_window(&[3], &outside, false, &mut out).expect_err("it reaches out");
    assert!(error.to_string().contains("expected a part of 65x65 pixels"), "{error}");
    let mut none = FrameBuffer::new(1, 0, 30);
    let error = video.read_window(&[3], &Window::whole(65, 65), false, &mut none).expect_err("no rows");
    assert!(error.to_string().contains("the output size is 30x0"), "{error}");
    let error = video.read(&[0, 31], &mut out).expect_err("there is no frame 31");
    assert!(error.to_string().contains("31 frames (0 to 30), but frame 31"), "{error}");
    let info = probe(&path).expect("probes");
    assert_eq!((info.codec.as_str(), info.pixel_format.as_str()), ("h264", "gbrp"));
    assert_eq!((info.frames, info.key_frames, info.rotation), (Some(31), 4, 0));
    assert!((info.frame_rate.expect("a rate") - 30.0).abs() < 1e-6);
    assert!((info.duration.expect("a duration") - 31.0 / 30.0).abs() < 1e-6);
}

#[test]
fn lossy_is_close_and_keeps_colour() {
    let folder = tempfile::tempdir().expect("a folder");
    let film = smooth_film(24, 65, 65);
    let path = folder.path().join("a.mp4");
    write(&path, &film, Quality::Crf(10), 12).expect("written");
    let mut video = Video::open(&path, &OpenOptions::default()).expect("opens");
    assert_eq!(video.info().color_space.as_deref(), Some("bt709"));
    let mut out = FrameBuffer::default();
    let all: Vec<usize> = (0..24).collect();
    video.read(&all, &mut out).expect("reads");
    for index in 0..24 {
        let found = psnr(out.frame(index), film.frame(index));
        assert!(found > 40.0, "frame {index}: {found:.1} dB");
    }
    let lossless = folder.path().join("b.mp4");
    write(&lossless, &film, Quality::Lossless, 12).expect("written");
    let bytes = |path: &Path| std::fs::metadata(path).expect("exists").len();
    assert!(bytes(&path) < bytes(&lossless));
}

#[test]
fn gifs_are_exact_with_few_colours_and_close_with_many() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.gif");
    let mut few = FrameBuffer::new(12, 65, 65);
    for index in 0..12 {
        for (place, pixel) in few.frame_mut(index).chunks_exact_mut(3).enumerate() {
            let (x, y) = (place % 65, place / 65);
            // Frames 5 and 6 are the same.
            let dot = x.abs_diff((index - usize::from(index > 5)) * 5) < 3 && y > 30;
            let color = if dot { [255, 0, 0] } else { [0, 120, (x / 16) as u8] };
            pixel.copy_from_slice(&color);
        }
    }
    write_gif(&path, &few, 10).expect("written");
    let mut video = Video::open(&path, &OpenOptions::default()).expect("opens");
    assert_eq!(video.len(), 12);
    assert!((video.timestamps()[11] - 1.1).abs() < 1e-6);
    let mut out = FrameBuffer::default();
    let order: Vec<usize> = (0..12).rev().collect();
    video.read(&order, &mut out).expect("reads");
    for (slot, index) in order.into_iter().enumerate() {
        assert!(out.frame(slot) == few.frame(index), "frame {index}");
    }

    let many = smooth_film(6, 48, 64);
    write_gif(&path, &many, 25).expect("written over the first");
    let mut video = Video::open(&path, &OpenOptions::default()).expect("opens");
    video.read(&[0, 1, 2, 3, 4, 5], &mut out).expect("reads");
    let found = psnr(&out.data, &many.data);
    assert!(found > 28.0, "{found:.1} dB");
}

#[test]
fn an_unfinished_or_refused_file_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.mp4");
    let mut options =
        Mp4Options { width: 65, height: 65, frame_rate: 10, quality: Quality::Crf(20), keyframe_interval: 10 };
    let mut writer = Mp4Writer::create(&path, &options).expect("created");
    writer.write(&[9; 65 * 65 * 3]).expect("a frame");
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 0);

    options.quality = Quality::Crf(52);
    let error = Mp4Writer::create(&path, &options).err().expect("52 is too much");
    assert!(error.to_string().contains("crf is 52, expected 0 to 51"), "{error}");

    options.quality = Quality::Lossless;
    let missing = folder.path().join("missing").join("a.mp4");
    let error = Mp4Writer::create(&missing, &options).err().expect("no such folder");
    assert!(error.to_string().contains("missing/a.mp4"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 0);
}

#[test]
fn what_is_no_video_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = |path: &Path| Video::open(path, &OpenOptions::default()).err().expect("not a video").to_string();
    assert!(open(folder.path()).contains("not a regular file"));
    let path = folder.path().join("a.mp4");
    assert!(open(&path).contains("a.mp4"));
    std::fs::write(&path, b"").expect("written");
    assert!(open(&path).contains("empty"));
    std::fs::write(&path, b"#EXTM3U\nhttp://example.invalid/a.ts\n").expect("written");
    assert!(open(&path).contains("a.mp4"));
}

#[test]
fn unusual_names_and_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let folder = tempfile::tempdir().expect("a folder");
    let film = film(9, 16, 16);
    let path = folder.path().join("http: %03d ä?#.mp4");
    write(&path, &film, Quality::Lossless, 4).expect("written");
    let mut video = is_send(Video::open(&path, &OpenOptions::default()).expect("opens"));
    let film_of_thread = std::thread::spawn(move || {
        let mut out = FrameBuffer::default();
        video.read(&[8, 3], &mut out).map(|()| out)
    });
    let out = film_of_thread.join().expect("no panic").expect("reads");
    assert!(out.frame(0) == film.frame(8) && out.frame(1) == film.frame(3));
}
