//! The few calls into FFmpeg that have no safe wrapper.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use crate::log;
use crate::source::ObjectStream;
use ffmpeg_next::codec::packet::side_data;
use ffmpeg_next::ffi as sys;
use ffmpeg_next::format::Pixel;
use ffmpeg_next::format::context::{Input, Output, StreamIo};
use ffmpeg_next::packet::{Mut as _, Ref};
use ffmpeg_next::util::interrupt;
use ffmpeg_next::{Dictionary, Error, Packet, codec, frame};

/// Bytes that FFmpeg asks a stream for at a time, at least.
const STREAM_BUFFER: usize = 64 << 10;

/// The path as an FFmpeg URL: always a local file, whatever characters its name has.
fn file_url(path: &Path) -> Result<CString, Error> {
    let mut url = b"file:".to_vec();
    url.extend_from_slice(path.as_os_str().as_bytes());
    CString::new(url).map_err(|_| Error::Other { errno: ffmpeg_next::error::EINVAL })
}

/// Opens a container and reads its header, without probing the streams. `demuxer` is the container's short name where it is
/// known, which saves asking every demuxer; `interrupted` is asked during blocking reads. The bytes are those of `stream`; without
/// one `path` is a file.
pub(crate) fn open_input<F>(
    path: &Path,
    stream: Option<ObjectStream>,
    demuxer: Option<&CStr>,
    interrupted: F,
) -> Result<Input, Error>
where
    F: FnMut() -> bool + Send + 'static,
{
    let url = file_url(path)?;
    let mut options = Dictionary::new();
    // A playlist in disguise must not lead to other places; one from outside not even to files.
    options.set("protocol_whitelist", if stream.is_some() { "none" } else { "file" });
    let stream = stream.map(|stream| StreamIo::from_read_seek_with_capacity(stream, STREAM_BUFFER)).transpose()?;
    let interrupt = interrupt::new(Box::new(interrupted));
    // SAFETY: the context is fresh; `avformat_open_input` frees it when it fails and fills it when it succeeds, so it is
    // wrapped exactly once. The callback's closure lives in the guard, which the wrapper drops after closing the context
    // (on failure the guard is dropped here, after the context is gone). The dictionary is given back before it is freed.
    // Demuxers are static, and null stands for "ask them all". The stream lives in the wrapper, which frees it after the context;
    // a context that is given one does not free it itself.
    unsafe {
        let format = demuxer.map_or(ptr::null(), |name| sys::av_find_input_format(name.as_ptr()));
        let mut context = sys::avformat_alloc_context();
        if context.is_null() {
            return Err(Error::Other { errno: ffmpeg_next::error::ENOMEM });
        }
        (*context).interrupt_callback = interrupt.interrupt;
        let mut stream = stream;
        if let Some(stream) = &mut stream {
            (*context).pb = stream.as_mut_ptr();
        }
        let mut raw_options = options.disown();
        let code = sys::avformat_open_input(&raw mut context, url.as_ptr(), format, &raw mut raw_options);
        drop(Dictionary::own(raw_options));
        match (code, stream) {
            (0, Some(stream)) => Ok(Input::wrap_with_custom_io_and_interrupt(context, stream, interrupt.guard)),
            (0, None) => Ok(Input::wrap_with_interrupt(context, interrupt.guard)),
            (code, _) => Err(Error::from(code)),
        }
    }
}

/// Takes times and flags of packets from the container alone, whatever is in the packets.
pub(crate) fn leave_packets_unparsed(input: &mut Input) {
    // SAFETY: the context is open and borrowed exclusively; the field is a plain integer that is read with every packet.
    unsafe { (*input.as_mut_ptr()).flags |= sys::AVFMT_FLAG_NOPARSE as c_int }
}

/// Where the samples of all streams lie, as far as the header tells: bytes from the file's start, ascending and joined.
pub(crate) fn sample_ranges(input: &Input) -> Vec<Range<u64>> {
    let mut ranges = Vec::new();
    for stream in 0..input.nb_streams() as usize {
        // SAFETY: `stream` is below `nb_streams`, and the streams of an open context are valid; FFmpeg gives null for an entry
        // that it does not have, and nothing changes the entries while the context is borrowed.
        unsafe {
            let stream = *(*input.as_ptr()).streams.add(stream);
            for number in 0..sys::avformat_index_get_entries_count(stream) {
                let Some(entry) = sys::avformat_index_get_entry(stream, number).as_ref() else {
                    continue;
                };
                if let (Ok(start), Ok(length)) = (u64::try_from(entry.pos), u64::try_from(entry.size())) {
                    ranges.push(start..start.saturating_add(length));
                }
            }
        }
    }
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.dedup_by(|next, range| {
        let joined = next.start <= range.end;
        if joined {
            range.end = range.end.max(next.end);
        }
        joined
    });
    ranges
}

/// Looks into the packets for what the header does not say (`avformat_find_stream_info`).
pub(crate) fn probe_streams(input: &mut Input) -> Result<(), Error> {
    // SAFETY: the context is open, and borrowed exclusively.
    match unsafe { sys::avformat_find_stream_info(input.as_mut_ptr(), ptr::null_mut()) } {
        code if code >= 0 => Ok(()),
        code => Err(Error::from(code)),
    }
}

/// Tells the demuxer to deliver packets of this stream only.
pub(crate) fn keep_stream(input: &mut Input, stream: usize) {
    let count = input.nb_streams() as usize;
    assert!(stream < count, "stream {stream} of {count}");
    for index in 0..count {
        // SAFETY: `index` is below `nb_streams`, and the streams of an open context are valid.
        unsafe {
            let entry = *(*input.as_mut_ptr()).streams.add(index);
            (*entry).discard =
                if index == stream { sys::AVDiscard::AVDISCARD_DEFAULT } else { sys::AVDiscard::AVDISCARD_ALL };
        }
    }
}

/// Width and height of a stream as its container tells them, in pixels; 0 when unknown.
pub(crate) fn stream_size(input: &Input, stream: usize) -> (i32, i32) {
    assert!(stream < input.nb_streams() as usize, "stream {stream}");
    // SAFETY: `stream` is below `nb_streams`; streams and their parameters live as long as the context.
    unsafe {
        let entry = *(*input.as_ptr()).streams.add(stream);
        ((*(*entry).codecpar).width, (*(*entry).codecpar).height)
    }
}

/// The codec's configuration record, as the container has it.
pub(crate) fn extradata(input: &Input, stream: usize) -> &[u8] {
    assert!(stream < input.nb_streams() as usize, "stream {stream}");
    // SAFETY: `stream` is below `nb_streams`; streams and their parameters live as long as the context, which is borrowed,
    // and nothing changes them while it is.
    unsafe {
        let parameters = (**(*input.as_ptr()).streams.add(stream)).codecpar;
        let (data, size) = ((*parameters).extradata, (*parameters).extradata_size);
        if data.is_null() { &[] } else { std::slice::from_raw_parts(data, usize::try_from(size).unwrap_or(0)) }
    }
}

/// Seconds that a container with a single stream says it lasts.
pub(crate) fn lone_stream_duration(input: &Input) -> Option<f64> {
    // SAFETY: the context is open; the field is a plain integer.
    let duration = unsafe { (*input.as_ptr()).duration };
    let known = input.nb_streams() == 1 && duration > 0;
    known.then(|| duration as f64 / f64::from(sys::AV_TIME_BASE))
}

/// Whether no picture of a codec is built on another one.
pub(crate) fn is_intra_only(codec: codec::Id) -> bool {
    // SAFETY: the function takes any number and gives null or a static entry.
    let descriptor = unsafe { sys::avcodec_descriptor_get(codec.into()).as_ref() };
    descriptor.is_some_and(|descriptor| descriptor.props & sys::AV_CODEC_PROP_INTRA_ONLY as c_int != 0)
}

/// Puts side data beside a packet, in place of what it has of this kind.
pub(crate) fn set_side_data(packet: &mut Packet, kind: side_data::Type, content: &[u8]) -> Result<(), Error> {
    // SAFETY: the packet is valid and borrowed exclusively; FFmpeg allocates as many bytes as are copied, followed by its padding, and
    // they belong to the packet. What it had of the kind is freed by the packet.
    unsafe {
        let data = sys::av_packet_new_side_data(packet.as_mut_ptr(), kind.into(), content.len());
        if data.is_null() {
            return Err(Error::Other { errno: ffmpeg_next::error::ENOMEM });
        }
        ptr::copy_nonoverlapping(content.as_ptr(), data, content.len());
    }
    Ok(())
}

/// Seeks to the key frame at or before `timestamp` (in the stream's time base).
pub(crate) fn seek(input: &mut Input, stream: usize, timestamp: i64) -> Result<(), Error> {
    // SAFETY: the context is open and borrowed exclusively; FFmpeg checks the stream index itself.
    match unsafe { sys::av_seek_frame(input.as_mut_ptr(), stream as c_int, timestamp, sys::AVSEEK_FLAG_BACKWARD) } {
        code if code >= 0 => Ok(()),
        code => Err(Error::from(code)),
    }
}

/// Whether the container wants the packet decoded but not shown (edit lists).
pub(crate) fn is_cut_away(packet: &Packet) -> bool {
    // SAFETY: a `Packet` owns a valid `AVPacket`.
    unsafe { (*packet.as_ptr()).flags & sys::AV_PKT_FLAG_DISCARD != 0 }
}

/// From here on FFmpeg's log goes to whoever listens to a decoder, and nowhere else.
pub(crate) fn listen() {
    /// `Arguments` is C's `va_list`, whatever that is on this machine.
    unsafe extern "C" fn message<Arguments>(object: *mut c_void, level: c_int, _: *const c_char, _: Arguments) {
        if object.is_null() || level > sys::AV_LOG_ERROR {
            return;
        }
        // SAFETY: objects that log begin with a pointer to their class (libavutil/log.h), and those of the class of codec contexts are
        // codec contexts; their `opaque` is copied to those that FFmpeg makes for other threads.
        unsafe {
            if *object.cast::<*const sys::AVClass>() == sys::avcodec_get_class() {
                log::complain((*object.cast::<sys::AVCodecContext>()).opaque as usize);
            }
        }
    }
    // SAFETY: the function can be called by any thread at any time.
    unsafe { sys::av_log_set_callback(Some(message)) }
}

/// Counts the errors that the decoder logs once it is open.
pub(crate) fn hear_complaints(context: &mut codec::Context, complaints: &log::Complaints) {
    // SAFETY: the context is allocated and not open yet; the field is for whoever made it, and is not followed.
    unsafe { (*context.as_mut_ptr()).opaque = complaints.address() as *mut c_void }
}

/// How many frames the decoder must hold back to put them in display order, when the index knows it.
pub(crate) fn set_reorder_depth(context: &mut codec::Context, frames: usize) {
    // SAFETY: the context is allocated and not open yet; the field is a plain integer that decoders read when they open.
    unsafe { (*context.as_mut_ptr()).has_b_frames = frames as c_int }
}

/// The pixel aspect of a frame, the container's before the codec's; (0, 1) when unknown.
pub(crate) fn pixel_aspect(input: &mut Input, stream: usize, frame: &mut frame::Video) -> (i32, i32) {
    assert!(stream < input.nb_streams() as usize, "stream {stream}");
    // SAFETY: all three pointers are valid for the call, which only reads them.
    unsafe {
        let entry = *(*input.as_ptr()).streams.add(stream);
        let aspect = sys::av_guess_sample_aspect_ratio(input.as_mut_ptr(), entry, frame.as_mut_ptr());
        (aspect.num, aspect.den)
    }
}

/// The rows of a frame's plane, and the bytes from one row to the next; `None` if the plane is missing, or its rows lie from
/// bottom to top. `row_bytes` and `rows` are the size that the frame's format gives the plane.
pub(crate) fn plane(frame: &frame::Video, plane: usize, row_bytes: usize, rows: usize) -> Option<(&[u8], usize)> {
    assert!(plane < 4 && row_bytes > 0 && rows > 0, "plane {plane} of {row_bytes}x{rows} bytes");
    // SAFETY: a decoded frame's plane holds `linesize` bytes for each of its rows but the last, which may end with its pixels;
    // the slice ends there, and borrows the frame.
    unsafe {
        let raw = frame.as_ptr();
        let (data, stride) = ((*raw).data[plane], (*raw).linesize[plane]);
        let stride = usize::try_from(stride).ok().filter(|&stride| stride >= row_bytes)?;
        if data.is_null() {
            return None;
        }
        Some((std::slice::from_raw_parts(data, stride * (rows - 1) + row_bytes), stride))
    }
}

/// Bytes of a frame's samples in one row of a plane; of a palette, those of its first colours.
pub(crate) fn row_bytes(frame: &frame::Video, plane: usize) -> usize {
    // SAFETY: the function takes any format, width and plane.
    let bytes = unsafe { sys::av_image_get_linesize(frame.format().into(), frame.width() as c_int, plane as c_int) };
    usize::try_from(bytes).unwrap_or(0)
}

/// Opens a file for a muxer.
pub(crate) fn open_output(path: &Path, muxer: &str) -> Result<Output, Error> {
    let url = file_url(path)?;
    let muxer = CString::new(muxer).map_err(|_| Error::MuxerNotFound)?;
    // SAFETY: the context is freed here if the file cannot be opened, and otherwise wrapped exactly once, with its `pb` open
    // as the wrapper's destructor expects.
    unsafe {
        let mut context = ptr::null_mut();
        let code = sys::avformat_alloc_output_context2(&raw mut context, ptr::null(), muxer.as_ptr(), url.as_ptr());
        if code < 0 {
            return Err(Error::from(code));
        }
        let code = sys::avio_open(&raw mut (*context).pb, url.as_ptr(), sys::AVIO_FLAG_WRITE);
        if code < 0 {
            sys::avformat_free_context(context);
            return Err(Error::from(code));
        }
        Ok(Output::wrap(context))
    }
}

/// Writes what is still buffered and tells whether anything written so far was lost.
pub(crate) fn flush_output(output: &mut Output) -> Result<(), Error> {
    // SAFETY: `pb` is open from `open_output` until the wrapper is dropped.
    let code = unsafe {
        let io = (*output.as_mut_ptr()).pb;
        sys::avio_flush(io);
        (*io).error
    };
    if code < 0 { Err(Error::from(code)) } else { Ok(()) }
}

/// One side of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Columns and rows, pixels.
    pub(crate) size: (u32, u32),
    /// Layout of the samples.
    pub(crate) format: Pixel,
    /// Luma from 0 to 255 (and not from 16 to 235).
    pub(crate) full_range: bool,
    /// Colour matrix, by FFmpeg's `AVColorSpace` number; 2 is unspecified.
    pub(crate) matrix: i32,
}

/// Whether the samples of a format are red, green and blue, or XYZ, which swscale makes those of first.
pub(crate) fn is_rgb(format: Pixel) -> bool {
    // SAFETY: the description is static; it is null where there is none.
    let flags = unsafe { sys::av_pix_fmt_desc_get(format.into()).as_ref() }.map_or(0, |description| description.flags);
    flags & u64::from(sys::AV_PIX_FMT_FLAG_RGB as u32) != 0 || matches!(format, Pixel::XYZ12LE | Pixel::XYZ12BE)
}

/// A swscale context for one pair of picture kinds.
pub(crate) struct Scaler {
    context: *mut sys::SwsContext,
    from: Picture,
    to: Picture,
}

// SAFETY: the context is owned by this value alone and is not tied to the thread that made it.
unsafe impl Send for Scaler {}

impl Scaler {
    /// Prepares a conversion; `flags` are swscale's.
    pub(crate) fn new(from: Picture, to: Picture, flags: c_int) -> Result<Self, Error> {
        // SAFETY: the context is fresh and is freed by `Drop`, also when a step below fails. The coefficient tables are
        // static.
        unsafe {
            let scaler = Self { context: sys::sws_alloc_context(), from, to };
            if scaler.context.is_null() {
                return Err(Error::Other { errno: ffmpeg_next::error::ENOMEM });
            }
            let source: sys::AVPixelFormat = from.format.into();
            let target: sys::AVPixelFormat = to.format.into();
            // 4:2:0 chroma lies between two rows; swscale counts the position in 1/256 of a chroma sample.
            let chroma_row = if from.format == Pixel::YUV420P { 128 } else { -513 };
            for (name, value) in [
                (c"srcw", i64::from(from.size.0)),
                (c"srch", i64::from(from.size.1)),
                (c"src_format", source as i64),
                (c"src_range", i64::from(from.full_range)),
                (c"src_v_chr_pos", chroma_row),
                (c"dstw", i64::from(to.size.0)),
                (c"dsth", i64::from(to.size.1)),
                (c"dst_format", target as i64),
                (c"dst_range", i64::from(to.full_range)),
                (c"sws_flags", i64::from(flags)),
            ] {
                let code = sys::av_opt_set_int(scaler.context.cast(), name.as_ptr(), value, 0);
                if code < 0 {
                    return Err(Error::from(code));
                }
            }
            let code = sys::sws_init_context(scaler.context, ptr::null_mut(), ptr::null_mut());
            if code < 0 {
                return Err(Error::from(code));
            }
            // The result says whether swscale has a use for the tables; between RGB formats of 8 bits it has none.
            sys::sws_setColorspaceDetails(
                scaler.context,
                sys::sws_getCoefficients(from.matrix),
                c_int::from(from.full_range),
                sys::sws_getCoefficients(to.matrix),
                c_int::from(to.full_range),
                0,
                1 << 16,
                1 << 16,
            );
            Ok(scaler)
        }
    }

    /// Whether this conversion is from pictures of kind `from` to pictures of kind `to`.
    pub(crate) fn fits(&self, from: &Picture, to: &Picture) -> bool {
        self.from == *from && self.to == *to
    }

    /// Converts a whole frame.
    pub(crate) fn run(&mut self, source: &frame::Video, target: &mut frame::Video) -> Result<(), Error> {
        assert_eq!(
            (source.width(), source.height(), source.format()),
            (self.from.size.0, self.from.size.1, self.from.format),
            "the source is not what the scaler was made for"
        );
        assert_eq!(
            (target.width(), target.height(), target.format()),
            (self.to.size.0, self.to.size.1, self.to.format),
            "the target is not what the scaler was made for"
        );
        // SAFETY: both frames own planes of the size and format the context was made for, as just checked; swscale reads
        // the source's rows 0 to height - 1 and writes all of the target's.
        let rows = unsafe {
            let (from, to) = (source.as_ptr(), target.as_mut_ptr());
            if (*from).data[0].is_null() || (*to).data[0].is_null() {
                return Err(Error::InvalidData);
            }
            sys::sws_scale(
                self.context,
                (*from).data.as_ptr().cast(),
                (*from).linesize.as_ptr(),
                0,
                self.from.size.1 as c_int,
                (*to).data.as_ptr(),
                (*to).linesize.as_ptr(),
            )
        };
        if rows == self.to.size.1 as c_int { Ok(()) } else { Err(Error::InvalidData) }
    }
}

impl Drop for Scaler {
    fn drop(&mut self) {
        // SAFETY: the context came from `sws_alloc_context` and is freed once; null is allowed.
        unsafe { sys::sws_freeContext(self.context) }
    }
}
