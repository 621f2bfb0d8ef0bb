//! Opening a container and choosing its video stream.

use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::media;

use crate::source::Source;
use crate::{VideoError, ffi};

/// Opens a container and chooses its video stream.
pub(crate) fn open_stream(source: &mut Source, clock: &Clock) -> Result<(Input, usize), VideoError> {
    let opened = try_open(source, clock);
    // Whatever FFmpeg made of it: this is the reason.
    source.failure().map_or(opened, Err)
}

fn try_open(source: &mut Source, clock: &Clock) -> Result<(Input, usize), VideoError> {
    let container = source.start(clock).and_then(signature);
    let stream = source.stream(clock);
    let path = source.path();
    let failed = |error| VideoError::open(path, error);
    let mut input = ffi::open_input(path, stream, container, clock.alarm()).map_err(failed)?;
    if !header_suffices(&input) {
        ffi::probe_streams(&mut input).map_err(failed)?;
    }
    let stream =
        choose_stream(&input).ok_or_else(|| VideoError::NoVideo { path: path.to_owned(), found: inventory(&input) })?;
    ffi::keep_stream(&mut input, stream);
    Ok((input, stream))
}

/// The container, where the first bytes leave no doubt.
fn signature(start: [u8; 8]) -> Option<&'static CStr> {
    match start {
        // ISO/IEC 14496-12: a file type box comes first.
        [_, _, _, _, b'f', b't', b'y', b'p'] => Some(c"mov"),
        // RFC 8794: the EBML header's identifier.
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Some(c"matroska"),
        _ => None,
    }
}

fn is_picture(stream: &ffmpeg_next::Stream) -> bool {
    stream.parameters().medium() == media::Type::Video && !stream.disposition().contains(Disposition::ATTACHED_PIC)
}

/// Whether the header alone tells all that is needed, so that no packet has to be looked into: one video stream of a
/// well-specified codec, in a container that stores the sizes and both times of each packet.
fn header_suffices(input: &Input) -> bool {
    let container = input.format().name().to_owned();
    let mut videos = input.streams().filter(|stream| stream.parameters().medium() == media::Type::Video);
    let (Some(video), None) = (videos.next(), videos.next()) else {
        return false;
    };
    let (width, height) = ffi::stream_size(input, video.index());
    (container.starts_with("mov,") || container.starts_with("matroska"))
        && crate::index::has_frame_packets(video.parameters().id())
        && width > 0
        && height > 0
}

/// FFmpeg's choice of the best video stream, or the largest when that choice is a cover picture.
fn choose_stream(input: &Input) -> Option<usize> {
    let best = input.streams().best(media::Type::Video);
    if let Some(best) = best.filter(is_picture) {
        return Some(best.index());
    }
    input.streams().filter(is_picture).map(|stream| stream.index()).max_by_key(|&index| {
        let (width, height) = ffi::stream_size(input, index);
        (i64::from(width) * i64::from(height), std::cmp::Reverse(index))
    })
}

/// "1 audio stream and 1 attached picture"
fn inventory(input: &Input) -> String {
    let (mut audio, mut pictures, mut other) = (0, 0, 0);
    for stream in input.streams() {
        match stream.parameters().medium() {
            media::Type::Audio => audio += 1,
            media::Type::Video => pictures += 1,
            _ => other += 1,
        }
    }
    let parts: Vec<String> = [(audio, "audio stream"), (pictures, "attached picture"), (other, "other stream")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}{}", if count == 1 { "" } else { "s" }))
        .collect();
    if parts.is_empty() { "no stream at all".to_owned() } else { parts.join(" and ") }
}

/// Ends reads that take too long.
pub(crate) struct Clock {
    origin: Instant,
    limit: Duration,
    /// Milliseconds from the origin.
    deadline: Arc<AtomicU64>,
}

impl Clock {
    /// A clock that has been started.
    pub(crate) fn new(limit: Duration) -> Self {
        let clock = Self { origin: Instant::now(), limit, deadline: Arc::default() };
        clock.start();
        clock
    }

    /// A new read begins.
    pub(crate) fn start(&self) {
        let deadline = self.origin.elapsed().saturating_add(self.limit);
        self.deadline.store(u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The longest time of a read.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Whether the read has taken too long.
    pub(crate) fn is_late(&self) -> bool {
        is_late(self.origin, &self.deadline)
    }

    /// The same, as a function for FFmpeg to call.
    pub(crate) fn alarm(&self) -> impl Fn() -> bool + Send + 'static {
        let (origin, deadline) = (self.origin, Arc::clone(&self.deadline));
        move || is_late(origin, &deadline)
    }
}

fn is_late(origin: Instant, deadline: &AtomicU64) -> bool {
    origin.elapsed().as_millis() > u128::from(deadline.load(Ordering::Relaxed))
}
