//! FFmpeg's parser: the head of a picture, read without decoding the picture.
#![allow(unsafe_code, reason = "the parsers have no safe wrapper")]

use std::ptr;

use ffmpeg_next::codec::{Context, Id, Parameters};
use ffmpeg_next::ffi as sys;
use ffmpeg_next::packet::Ref as _;
use ffmpeg_next::{Error, Packet};

/// Reads the heads of the pictures of one H.264 or HEVC stream, in file order.
pub(crate) struct PictureParser {
    parser: *mut sys::AVCodecParserContext,
    codec: Context,
}

/// What the head of a picture says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Picture order count: where it is shown among the pictures since the order was reset.
    pub(crate) order_count: i64,
    /// It is one of the two fields of a frame.
    pub(crate) field: bool,
}

impl PictureParser {
    /// A parser for a stream; `None` for codecs whose parser does not tell the order.
    pub(crate) fn new(codec: Id, parameters: Parameters) -> Option<Self> {
        if !matches!(codec, Id::H264 | Id::HEVC) {
            return None;
        }
        let codec_context = Context::from_parameters(parameters).ok()?;
        // SAFETY: the parser is fresh, owned by this value alone and closed by `Drop`.
        let parser = unsafe { sys::av_parser_init(sys::AVCodecID::from(codec) as i32) };
        if parser.is_null() {
            return None;
        }
        // SAFETY: the parser was just made; the field is a plain integer.
        unsafe { (*parser).flags |= sys::PARSER_FLAG_COMPLETE_FRAMES };
        Some(Self { parser, codec: codec_context })
    }

    /// The head of the picture in a packet that holds all of it.
    pub(crate) fn read(&mut self, packet: &Packet) -> Result<Head, Error> {
        let (mut out, mut out_size) = (ptr::null_mut(), 0);
        // SAFETY: parser and codec context live as long as this value; the packet's data are followed by FFmpeg's padding, as those
        // of every packet that a demuxer gives. Complete frames are not copied: `out` points into the packet and is not used.
        let (count, structure) = unsafe {
            (*self.parser).output_picture_number = i32::MIN;
            (*self.parser).picture_structure = sys::AVPictureStructure::AV_PICTURE_STRUCTURE_UNKNOWN;
            let raw = packet.as_ptr();
            sys::av_parser_parse2(
                self.parser,
                self.codec.as_mut_ptr(),
                &raw mut out,
                &raw mut out_size,
                (*raw).data,
                (*raw).size,
                (*raw).pts,
                (*raw).dts,
                (*raw).pos,
            );
            ((*self.parser).output_picture_number, (*self.parser).picture_structure)
        };
        if count == i32::MIN {
            return Err(Error::InvalidData);
        }
        let field = matches!(
            structure,
            sys::AVPictureStructure::AV_PICTURE_STRUCTURE_TOP_FIELD
                | sys::AVPictureStructure::AV_PICTURE_STRUCTURE_BOTTOM_FIELD
        );
        Ok(Head { order_count: i64::from(count), field })
    }
}

impl Drop for PictureParser {
    fn drop(&mut self) {
        // SAFETY: the parser came from `av_parser_init` and is closed once.
        unsafe { sys::av_parser_close(self.parser) }
    }
}
