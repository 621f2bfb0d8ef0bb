//! H.264 or Motion JPEG in MP4.

use std::path::Path;

use ffmpeg_next::codec::{self, Context};
use ffmpeg_next::ffi::{AVColorSpace, SWS_ACCURATE_RND, SWS_BICUBIC, SWS_FULL_CHR_H_INP, SWS_FULL_CHR_H_INT};
use ffmpeg_next::format::context::Output;
use ffmpeg_next::format::{self, Pixel};
use ffmpeg_next::{Dictionary, Error, Packet, Rational, color, encoder, frame};

use crate::VideoError;
use crate::convert::MAX_SIDE;
use crate::ffi::{self, Picture, Scaler};
use crate::temporary::TemporaryFile;

/// One step of the quantiser scale in units of `global_quality` (FFmpeg's `FF_QP2LAMBDA`).
const QSCALE_UNIT: i32 = 118;

/// How faithful a written video is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// Every pixel comes back bit for bit (H.264 in RGB, without quantisation).
    Lossless,
    /// Lossy, with x264's constant rate factor: 0 to 51, smaller is better; 4:4:4, so that thin coloured things keep their
    /// colour.
    Crf(u8),
    /// As [`Quality::Crf`], but for quick decoding: chroma at half resolution (so sides must be even), no frames that refer to
    /// later ones.
    Compact(u8),
    /// Motion JPEG, every frame a key frame, with FFmpeg's quantiser scale: 2 to 31, smaller is better; chroma at half
    /// resolution.
    Jpeg(u8),
}

impl Quality {
    /// What the encoder is given.
    fn pixels(self) -> Pixel {
        match self {
            Self::Lossless => Pixel::RGB24,
            Self::Crf(_) => Pixel::YUV444P,
            Self::Compact(_) => Pixel::YUV420P,
            Self::Jpeg(_) => Pixel::YUVJ420P,
        }
    }

    fn encoder(self) -> &'static str {
        match self {
            Self::Lossless => "libx264rgb",
            Self::Crf(_) | Self::Compact(_) => "libx264",
            Self::Jpeg(_) => "mjpeg",
        }
    }
}

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mp4Options {
    /// Columns, pixels.
    pub width: usize,
    /// Rows, pixels.
    pub height: usize,
    /// Frames per second.
    pub frame_rate: u32,
    /// How faithful.
    pub quality: Quality,
    /// Frames from one key frame to the next; a short interval makes random access quick.
    pub keyframe_interval: usize,
}

/// Writes RGB frames to an MP4 file, which gets its name only when [`Mp4Writer::finish`] succeeds.
pub struct Mp4Writer {
    // Closed before the temporary file is removed: fields are dropped in this order.
    output: Output,
    encoder: encoder::video::Encoder,
    scaler: Option<Scaler>,
    file: TemporaryFile,
    options: Mp4Options,
    frames: i64,
}

impl Mp4Writer {
    /// Creates the file (under a temporary name) and its encoder.
    ///
    /// # Errors
    /// [`VideoError::Options`] when an option is out of range, [`VideoError::Write`] when the file cannot be created.
    pub fn create(path: &Path, options: &Mp4Options) -> Result<Self, VideoError> {
        crate::initialise();
        check(path, options)?;
        let file = TemporaryFile::create(path)?;
        let failed = |action| move |error: Error| VideoError::write(path, action, error);
        let mut output = ffi::open_output(file.path(), "mp4").map_err(failed("create the file"))?;
        let encoder = open_encoder(options, &output).map_err(failed("open the encoder"))?;
        output.add_stream_with(&encoder).map_err(failed("add a stream"))?.set_time_base(time_base(options));
        let mut muxing = Dictionary::new();
        muxing.set("movflags", "+faststart");
        output.write_header_with(muxing).map_err(failed("write the header"))?;
        let scaler = match options.quality {
            Quality::Lossless => None,
            _ => Some(to_yuv(options).map_err(failed("prepare the colour conversion"))?),
        };
        Ok(Self { output, encoder, scaler, file, options: *options, frames: 0 })
    }

    /// Appends one frame.
    ///
    /// # Shapes
    /// `rgb`: `[height, width, 3]`.
    ///
    /// # Errors
    /// [`VideoError::Write`] when the encoder or the disk refuses it.
    pub fn write(&mut self, rgb: &[u8]) -> Result<(), VideoError> {
        let Mp4Options { width, height, .. } = self.options;
        assert_eq!(
            rgb.len(),
            width * height * 3,
            "a {width}x{height} RGB frame has {} bytes, got {}",
            width * height * 3,
            rgb.len()
        );
        let mut picture = frame::Video::new(Pixel::RGB24, width as u32, height as u32);
        let stride = picture.stride(0);
        for (to, from) in picture.data_mut(0).chunks_mut(stride).zip(rgb.chunks_exact(width * 3)) {
            to[..width * 3].copy_from_slice(from);
        }
        if let Some(scaler) = &mut self.scaler {
            let mut converted = frame::Video::new(self.options.quality.pixels(), width as u32, height as u32);
            scaler
                .run(&picture, &mut converted)
                .map_err(|error| VideoError::write(self.file.target(), "convert a frame", error))?;
            picture = converted;
        }
        picture.set_pts(Some(self.frames));
        self.frames += 1;
        self.encoder
            .send_frame(&picture)
            .map_err(|error| VideoError::write(self.file.target(), "encode a frame", error))?;
        self.write_packets()
    }

    /// Writes what is left, checks that everything reached the disk, and gives the file its name.
    ///
    /// # Errors
    /// [`VideoError::Write`] when something could not be written; no file is left behind then.
    pub fn finish(mut self) -> Result<(), VideoError> {
        self.encoder.send_eof().map_err(|error| VideoError::write(self.file.target(), "end the stream", error))?;
        self.write_packets()?;
        self.output
            .write_trailer()
            .and_then(|()| ffi::flush_output(&mut self.output))
            .map_err(|error| VideoError::write(self.file.target(), "write the index", error))?;
        let Self { output, file, .. } = self;
        drop(output);
        file.keep()
    }

    /// Moves encoded packets into the file.
    fn write_packets(&mut self) -> Result<(), VideoError> {
        let target = self.output.stream(0).map_or(time_base(&self.options), |stream| stream.time_base());
        let mut packet = Packet::empty();
        while self.encoder.receive_packet(&mut packet).is_ok() {
            packet.set_stream(0);
            packet.set_duration(1);
            packet.rescale_ts(time_base(&self.options), target);
            packet
                .write_interleaved(&mut self.output)
                .map_err(|error| VideoError::write(self.file.target(), "write a frame", error))?;
        }
        Ok(())
    }
}

fn time_base(options: &Mp4Options) -> Rational {
    Rational::new(1, options.frame_rate as i32)
}

fn check(path: &Path, options: &Mp4Options) -> Result<(), VideoError> {
    let refuse = |key, value: usize, expected| VideoError::Options {
        path: path.to_owned(),
        key,
        value: value.to_string(),
        expected,
    };
    for (key, side) in [("width", options.width), ("height", options.height)] {
        if !(1..=MAX_SIDE).contains(&side) {
            return Err(refuse(key, side, "1 to 16384 pixels"));
        }
    }
    if !(1..=1000).contains(&options.frame_rate) {
        return Err(refuse("frame_rate", options.frame_rate as usize, "1 to 1000 frames per second"));
    }
    if !(1..=10_000).contains(&options.keyframe_interval) {
        return Err(refuse("keyframe_interval", options.keyframe_interval, "1 to 10000 frames"));
    }
    match options.quality {
        Quality::Crf(crf) | Quality::Compact(crf) if crf > 51 => Err(refuse("crf", usize::from(crf), "0 to 51")),
        Quality::Jpeg(scale) if !(2..=31).contains(&scale) => {
            Err(refuse("quantiser scale", usize::from(scale), "2 to 31"))
        }
        Quality::Compact(_) if options.width % 2 == 1 || options.height % 2 == 1 => {
            Err(refuse("side", options.width.max(options.height), "even numbers of pixels"))
        }
        _ => Ok(()),
    }
}

/// One thread, so that the bytes depend on the frames alone.
fn open_encoder(options: &Mp4Options, output: &Output) -> Result<encoder::video::Encoder, Error> {
    let codec = encoder::find_by_name(options.quality.encoder()).ok_or(Error::EncoderNotFound)?;
    let mut encoder = Context::new_with_codec(codec).encoder().video()?;
    encoder.set_width(options.width as u32);
    encoder.set_height(options.height as u32);
    encoder.set_format(options.quality.pixels());
    encoder.set_time_base(time_base(options));
    encoder.set_frame_rate(Some(Rational::new(options.frame_rate as i32, 1)));
    encoder.set_gop(options.keyframe_interval as u32);
    let mut flags = codec::Flags::empty();
    if output.format().flags().contains(format::Flags::GLOBAL_HEADER) {
        flags |= codec::Flags::GLOBAL_HEADER;
    }
    if let Quality::Jpeg(scale) = options.quality {
        flags |= codec::Flags::QSCALE;
        encoder.set_global_quality(i32::from(scale) * QSCALE_UNIT);
    } else {
        flags |= codec::Flags::CLOSED_GOP;
    }
    encoder.set_flags(flags);
    let mut settings = Dictionary::new();
    settings.set("threads", "1");
    if !matches!(options.quality, Quality::Jpeg(_)) {
        settings.set("keyint_min", &options.keyframe_interval.to_string());
        settings.set("sc_threshold", "0");
    }
    match options.quality {
        Quality::Lossless => {
            settings.set("preset", "veryfast");
            settings.set("qp", "0");
            settings.set("bf", "0");
            encoder.set_colorspace(color::Space::RGB);
            encoder.set_color_range(color::Range::JPEG);
            encoder.set_color_transfer_characteristic(color::TransferCharacteristic::IEC61966_2_1);
        }
        Quality::Crf(crf) => {
            settings.set("preset", "fast");
            settings.set("crf", &crf.to_string());
            encoder.set_colorspace(color::Space::BT709);
            encoder.set_color_range(color::Range::MPEG);
            encoder.set_color_transfer_characteristic(color::TransferCharacteristic::BT709);
        }
        Quality::Compact(crf) => {
            settings.set("preset", "veryfast");
            settings.set("tune", "fastdecode");
            settings.set("bf", "0");
            settings.set("crf", &crf.to_string());
            encoder.set_colorspace(color::Space::BT709);
            encoder.set_color_range(color::Range::MPEG);
            encoder.set_color_transfer_characteristic(color::TransferCharacteristic::BT709);
        }
        Quality::Jpeg(_) => {
            encoder.set_colorspace(color::Space::BT470BG);
            encoder.set_color_range(color::Range::JPEG);
        }
    }
    encoder.set_color_primaries(color::Primaries::BT709);
    encoder.open_with(settings)
}

/// RGB to BT.709 in limited range, or to what JPEG has: BT.601 in full range.
fn to_yuv(options: &Mp4Options) -> Result<Scaler, Error> {
    let size = (options.width as u32, options.height as u32);
    let from = Picture { size, format: Pixel::RGB24, full_range: true, matrix: AVColorSpace::AVCOL_SPC_RGB as i32 };
    let jpeg = matches!(options.quality, Quality::Jpeg(_));
    let matrix = if jpeg { AVColorSpace::AVCOL_SPC_BT470BG } else { AVColorSpace::AVCOL_SPC_BT709 };
    let to = Picture { size, format: options.quality.pixels(), full_range: jpeg, matrix: matrix as i32 };
    Scaler::new(from, to, SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INP | SWS_FULL_CHR_H_INT)
}
