//! Small films of many codecs and containers, made by whatever encoders the FFmpeg in use has. Each frame carries its number as a
//! bar code, as those of the shared data do.

use std::path::{Path, PathBuf};

use ffmpeg_next::codec::{Context, Flags};
use ffmpeg_next::format::{self, Pixel};
use ffmpeg_next::{Dictionary, Error, Packet, Rational, codec, encoder, frame};

/// Frames in a second, where they are evenly spaced.
const RATE: i32 = 25;

/// How a film is made.
#[derive(Clone, Copy)]
pub(crate) struct Recipe {
    /// Its name; the extension chooses the container.
    pub(crate) file: &'static str,
    pub(crate) encoder: &'static str,
    pub(crate) pixels: Pixel,
    /// Stored columns and rows.
    pub(crate) size: (u32, u32),
    pub(crate) frames: usize,
    /// Frames are shown at irregular times.
    pub(crate) variable: bool,
    /// The container keeps the times of the frames.
    pub(crate) timed: bool,
    /// Every packet is flagged as a key frame, whatever it is.
    pub(crate) all_keys: bool,
    /// Quarters of a turn clockwise by which the stored picture is to be shown.
    pub(crate) turns: u8,
    /// Width over height of a stored pixel.
    pub(crate) aspect: (i32, i32),
    pub(crate) settings: &'static [(&'static str, &'static str)],
}

const PLAIN: Recipe = Recipe {
    file: "",
    encoder: "",
    pixels: Pixel::YUV420P,
    size: (128, 96),
    frames: 48,
    variable: false,
    timed: true,
    all_keys: false,
    turns: 0,
    aspect: (1, 1),
    settings: &[],
};

const X264: Recipe = Recipe {
    encoder: "libx264",
    settings: &[("preset", "veryfast"), ("bf", "3"), ("b-pyramid", "normal"), ("g", "16"), ("sc_threshold", "0")],
    ..PLAIN
};
const X264_OPEN: &[(&str, &str)] = &[
    ("preset", "veryfast"),
    ("bf", "2"),
    ("g", "12"),
    ("sc_threshold", "0"),
    ("x264-params", "open-gop=1:keyint=12:min-keyint=12"),
];
/// Parameter sets that differ from those of [`X264`].
const X264_OTHER: &[(&str, &str)] = &[
    ("preset", "veryfast"),
    ("bf", "0"),
    ("g", "8"),
    ("sc_threshold", "0"),
    ("x264-params", "cabac=0:8x8dct=0:ref=1:weightp=0"),
];
const X265: &[(&str, &str)] = &[
    ("preset", "ultrafast"),
    ("x265-params", "log-level=none:pools=none:frame-threads=1:bframes=3:keyint=16:scenecut=0"),
];
const B_FRAMES: &[(&str, &str)] = &[("bf", "2"), ("g", "12"), ("b", "800k"), ("sc_threshold", "1000000000")];
const PLAIN_P: &[(&str, &str)] = &[("g", "12"), ("b", "800k")];

/// All recipes.
pub(crate) const RECIPES: &[Recipe] = &[
    Recipe { file: "x264.mp4", ..X264 },
    Recipe { file: "x264.mkv", ..X264 },
    Recipe { file: "x264.ts", ..X264 },
    Recipe { file: "x264.flv", ..X264 },
    Recipe { file: "x264.avi", ..X264 },
    Recipe { file: "raw.h264", timed: false, ..X264 },
    Recipe { file: "open_gop.mp4", settings: X264_OPEN, ..X264 },
    Recipe { file: "open_gop.ts", settings: X264_OPEN, ..X264 },
    Recipe { file: "one_key.mp4", settings: &[("preset", "veryfast"), ("g", "1000")], ..X264 },
    Recipe {
        file: "interlaced.ts",
        settings: &[("preset", "veryfast"), ("flags", "+ildct"), ("x264-params", "interlaced=1"), ("g", "12")],
        ..X264
    },
    Recipe { file: "variable.mp4", variable: true, ..X264 },
    Recipe { file: "variable.mkv", variable: true, ..X264 },
    Recipe { file: "turned_once.mp4", turns: 1, ..X264 },
    Recipe { file: "turned_twice.mov", turns: 2, ..X264 },
    Recipe { file: "turned_thrice.mp4", turns: 3, ..X264 },
    Recipe { file: "wide_pixels.mp4", aspect: (2, 1), ..X264 },
    Recipe { file: "odd.mp4", size: (119, 89), pixels: Pixel::YUV444P, ..X264 },
    Recipe { file: "x265.mp4", encoder: "libx265", settings: X265, ..PLAIN },
    Recipe { file: "mpeg4.avi", encoder: "mpeg4", settings: PLAIN_P, ..PLAIN },
    Recipe { file: "mpeg4_b.avi", encoder: "mpeg4", settings: B_FRAMES, ..PLAIN },
    Recipe { file: "mpeg4_b.mp4", encoder: "mpeg4", settings: B_FRAMES, ..PLAIN },
    Recipe { file: "mpeg2.ts", encoder: "mpeg2video", settings: B_FRAMES, ..PLAIN },
    Recipe {
        file: "mpeg2_interlaced.ts",
        encoder: "mpeg2video",
        settings: &[("bf", "2"), ("g", "12"), ("b", "900k"), ("flags", "+ildct+ilme")],
        ..PLAIN
    },
    Recipe { file: "mpeg2.mpg", encoder: "mpeg2video", settings: B_FRAMES, ..PLAIN },
    Recipe { file: "mpeg1.mpg", encoder: "mpeg1video", settings: B_FRAMES, ..PLAIN },
    Recipe { file: "vp8.webm", encoder: "libvpx", settings: VPX, ..PLAIN },
    Recipe { file: "vp9.webm", encoder: "libvpx-vp9", settings: VPX, ..PLAIN },
    Recipe { file: "vp9_odd.webm", encoder: "libvpx-vp9", settings: VPX, size: (119, 89), ..PLAIN },
    Recipe { file: "vp9_variable.webm", encoder: "libvpx-vp9", settings: VPX, variable: true, ..PLAIN },
    Recipe {
        file: "av1.mkv",
        encoder: "libaom-av1",
        frames: 24,
        settings: &[("cpu-used", "8"), ("usage", "realtime"), ("g", "12"), ("lag-in-frames", "0")],
        ..PLAIN
    },
    Recipe { file: "ffv1.mkv", encoder: "ffv1", ..PLAIN },
    Recipe { file: "gray.mkv", encoder: "ffv1", pixels: Pixel::GRAY8, ..PLAIN },
    Recipe { file: "gif.gif", encoder: "gif", pixels: Pixel::GRAY8, ..PLAIN },
    Recipe { file: "h263.3gp", encoder: "h263", settings: PLAIN_P, ..PLAIN },
    Recipe { file: "flv1.flv", encoder: "flv", settings: PLAIN_P, ..PLAIN },
    Recipe { file: "wmv2.avi", encoder: "wmv2", settings: PLAIN_P, ..PLAIN },
    Recipe { file: "prores.mov", encoder: "prores_ks", pixels: Pixel::YUV422P10LE, frames: 24, ..PLAIN },
    Recipe { file: "mjpeg.avi", encoder: "mjpeg", pixels: Pixel::YUVJ420P, ..PLAIN },
    Recipe { file: "png.mov", encoder: "png", pixels: Pixel::RGB24, ..PLAIN },
    Recipe { file: "huffyuv.avi", encoder: "huffyuv", pixels: Pixel::YUV422P, ..PLAIN },
    Recipe { file: "theora.ogv", encoder: "libtheora", settings: PLAIN_P, ..PLAIN },
    Recipe { file: "keys.mkv", all_keys: true, ..X264 },
    Recipe { file: "keys.mp4", all_keys: true, ..X264 },
    Recipe { file: "keys_x265.mp4", encoder: "libx265", all_keys: true, settings: X265, ..PLAIN },
    Recipe { file: "keys_mpeg4.avi", encoder: "mpeg4", all_keys: true, settings: PLAIN_P, ..PLAIN },
    Recipe { file: "keys_mpeg2.mkv", encoder: "mpeg2video", all_keys: true, settings: PLAIN_P, ..PLAIN },
    Recipe { file: "keys_flv1.flv", encoder: "flv", all_keys: true, settings: PLAIN_P, ..PLAIN },
    Recipe { file: "keys_wmv2.avi", encoder: "wmv2", all_keys: true, settings: PLAIN_P, ..PLAIN },
    Recipe {
        file: "keys_vp9.webm",
        encoder: "libvpx-vp9",
        all_keys: true,
        settings: &[("g", "12"), ("b", "800k")],
        ..PLAIN
    },
    Recipe { file: "keys_ffv1.mkv", encoder: "ffv1", all_keys: true, settings: &[("g", "12")], ..PLAIN },
    Recipe {
        file: "keys_cinepak.avi",
        encoder: "cinepak",
        pixels: Pixel::RGB24,
        all_keys: true,
        settings: PLAIN_P,
        ..PLAIN
    },
    Recipe {
        file: "keys_qtrle.mov",
        encoder: "qtrle",
        pixels: Pixel::RGB24,
        all_keys: true,
        settings: PLAIN_P,
        ..PLAIN
    },
    Recipe { file: "other.h264", settings: X264_OTHER, timed: false, ..X264 },
];

const VPX: &[(&str, &str)] =
    &[("b", "400k"), ("g", "16"), ("auto-alt-ref", "1"), ("lag-in-frames", "12"), ("cpu-used", "4")];

/// Makes all films that can be made, in a folder; the second list names what the FFmpeg in use has no encoder for.
pub(crate) fn make_all(folder: &Path) -> (Vec<(Recipe, PathBuf)>, Vec<&'static str>) {
    // x264 and others talk to the error stream otherwise.
    ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Quiet);
    let (mut made, mut missing) = (Vec::new(), Vec::new());
    for recipe in RECIPES {
        if encoder::find_by_name(recipe.encoder).is_none() {
            missing.push(recipe.file);
            continue;
        }
        let path = folder.join(recipe.file);
        recipe.make(&path).unwrap_or_else(|error| panic!("{} by {}: {error}", recipe.file, recipe.encoder));
        made.push((*recipe, path));
    }
    (made, missing)
}

/// Makes one film in a folder; `None` if the FFmpeg in use has no encoder for it.
pub(crate) fn make(folder: &Path, file: &str) -> Option<(Recipe, PathBuf)> {
    ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Quiet);
    let recipe = RECIPES.iter().find(|recipe| recipe.file == file).expect("a recipe of this name");
    encoder::find_by_name(recipe.encoder)?;
    let path = folder.join(file);
    recipe.make(&path).unwrap_or_else(|error| panic!("{file} by {}: {error}", recipe.encoder));
    Some((*recipe, path))
}

impl Recipe {
    /// When frame `index` is shown, in 1/25 s.
    pub(crate) fn tick(&self, index: usize) -> i64 {
        const STEPS: [i64; 5] = [1, 3, 1, 2, 7];
        if self.variable {
            let round = STEPS.iter().sum::<i64>() * (index / STEPS.len()) as i64;
            round + STEPS[..index % STEPS.len()].iter().sum::<i64>()
        } else {
            index as i64
        }
    }

    /// The same in seconds.
    pub(crate) fn time(&self, index: usize) -> f64 {
        self.tick(index) as f64 / f64::from(RATE)
    }

    fn make(&self, path: &Path) -> Result<(), Error> {
        let mut output = format::output(path)?;
        let codec = encoder::find_by_name(self.encoder).ok_or(Error::EncoderNotFound)?;
        let mut encoder = Context::new_with_codec(codec).encoder().video()?;
        let time_base = Rational::new(1, RATE);
        encoder.set_width(self.size.0);
        encoder.set_height(self.size.1);
        encoder.set_format(self.pixels);
        encoder.set_time_base(time_base);
        if !self.variable {
            encoder.set_frame_rate(Some(Rational::new(RATE, 1)));
        }
        encoder.set_aspect_ratio(self.aspect);
        if output.format().flags().contains(format::Flags::GLOBAL_HEADER) {
            encoder.set_flags(Flags::GLOBAL_HEADER);
        }
        let mut settings = Dictionary::new();
        settings.set("threads", "1");
        for (key, value) in self.settings {
            settings.set(key, value);
        }
        let mut encoder = encoder.open_with(settings)?;
        output.add_stream_with(&encoder)?.set_time_base(time_base);
        output.write_header()?;
        for index in 0..self.frames {
            let mut picture = frame::Video::new(self.pixels, self.size.0, self.size.1);
            draw(&mut picture, index);
            picture.set_pts(Some(self.tick(index)));
            encoder.send_frame(&picture)?;
            drain(&mut encoder, &mut output, self.all_keys)?;
        }
        encoder.send_eof()?;
        drain(&mut encoder, &mut output, self.all_keys)?;
        output.write_trailer()?;
        drop(output);
        if self.turns > 0 { turn(path, self.turns) } else { Ok(()) }
    }
}

fn drain(
    encoder: &mut encoder::video::Encoder,
    output: &mut format::context::Output,
    all_keys: bool,
) -> Result<(), Error> {
    let target = output.stream(0).map_or(Rational::new(1, RATE), |stream| stream.time_base());
    let mut packet = Packet::empty();
    while encoder.receive_packet(&mut packet).is_ok() {
        packet.set_stream(0);
        // Without it MP4's edit list ends before the last frame.
        packet.set_duration(1);
        if all_keys {
            packet.set_flags(packet.flags() | codec::packet::Flags::KEY);
        }
        packet.rescale_ts(Rational::new(1, RATE), target);
        packet.write_interleaved(output)?;
    }
    Ok(())
}

/// The bar code on top, a moving slope below it.
fn draw(picture: &mut frame::Video, index: usize) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let cell = (width / 8, height / 6);
    let light = |x: usize, y: usize| {
        let bit = (y / cell.1) * 8 + x / cell.0;
        if y < 2 * cell.1 && x < 8 * cell.0 {
            if index >> (15 - bit) & 1 == 1 { 235 } else { 16 }
        } else {
            16 + ((x + y + 3 * index) % 200) as u8
        }
    };
    let format = picture.format();
    for plane in 0..picture.planes() {
        let stride = picture.stride(plane);
        let (columns, rows) = (picture.plane_width(plane) as usize, picture.plane_height(plane) as usize);
        let below = rows.div_ceil(2);
        for (y, row) in picture.data_mut(plane).chunks_mut(stride).take(rows).enumerate() {
            for x in 0..columns {
                let value = match plane {
                    0 => light(x, y),
                    _ if y < below => 128,
                    _ => (118 + (index + x) % 20) as u8,
                };
                match format {
                    Pixel::YUV422P10LE => row[2 * x..2 * x + 2].copy_from_slice(&(u16::from(value) * 4).to_le_bytes()),
                    Pixel::RGB24 => row[3 * x..3 * x + 3].fill(value),
                    _ => row[x] = value,
                }
            }
        }
    }
}

/// Writes the display matrix of so many quarters of a turn clockwise into an MP4 file (ISO/IEC 14496-12, 8.3.2).
fn turn(path: &Path, turns: u8) -> Result<(), Error> {
    let failed = |_| Error::Other { errno: ffmpeg_next::error::EIO };
    let mut data = std::fs::read(path).map_err(failed)?;
    let at = data.windows(4).position(|tag| tag == b"tkhd").ok_or(Error::InvalidData)? + 44;
    let one = 1_i32 << 16;
    let (a, b, c, d) = match turns {
        1 => (0, one, -one, 0),
        2 => (-one, 0, 0, -one),
        _ => (0, -one, one, 0),
    };
    let matrix: Vec<u8> =
        [a, b, 0, c, d, 0, 0, 0, 1 << 30].iter().flat_map(|value: &i32| value.to_be_bytes()).collect();
    data[at..at + 36].copy_from_slice(&matrix);
    std::fs::write(path, data).map_err(failed)
}

/// The number in the top rows of a frame: two rows of eight cells, most significant bit first; `None` when a cell is gray.
pub(crate) fn bar_code(frame: &[u8], width: usize, height: usize) -> Option<usize> {
    let cell = (width / 8, height / 6);
    let mut number = 0;
    for bit in 0..16 {
        let (x, y) = (bit % 8 * cell.0 + cell.0 / 2, bit / 8 * cell.1 + cell.1 / 2);
        let pixel = &frame[(y * width + x) * 3..][..3];
        let light = pixel.iter().map(|&value| usize::from(value)).sum::<usize>() / 3;
        if (96..160).contains(&light) {
            return None;
        }
        number = number * 2 + usize::from(light >= 128);
    }
    Some(number)
}

/// The numbers below `count`, mixed up.
pub(crate) fn shuffled(count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut state = 7_u64;
    for last in (1..count).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        order.swap(last, (state >> 33) as usize % (last + 1));
    }
    order
}
