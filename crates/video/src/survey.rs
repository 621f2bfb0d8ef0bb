//! Finding out which frames a file has.

use crate::VideoError;
use crate::decode::{Decoder, Output};
use crate::demux::Demuxer;
use crate::index::{DecodedFrame, FrameIndex, Identify};

/// The frame that came out of the decoder, if it is one that is shown.
pub(crate) fn identify(index: &FrameIndex, output: &Output) -> Option<usize> {
    match index.identify() {
        Identify::Packet => index.frame_of(output.packet?),
        Identify::Count => index.frame_of(output.count),
    }
}

/// Completes the index, and brings the decoder to the first frame that is shown and intact.
pub(crate) fn index_frames(
    demuxer: &mut Demuxer,
    decoder: &mut Decoder,
    known: Option<FrameIndex>,
    time_base: f64,
) -> Result<(FrameIndex, usize), VideoError> {
    if let Some(index) = known {
        let first = first_good_frame(demuxer, decoder, &index)?;
        if !decoder.frame().is_interlaced() {
            return Ok((index, first));
        }
        // Two packets may hold the two fields of one frame.
        decoder.restart(0);
    }
    let index = index_by_decoding(demuxer, decoder, time_base)?;
    let first = first_good_frame(demuxer, decoder, &index)?;
    Ok((index, first))
}

/// Decodes the whole file to learn its frames.
fn index_by_decoding(demuxer: &mut Demuxer, decoder: &mut Decoder, time_base: f64) -> Result<FrameIndex, VideoError> {
    let mut decoded = Vec::with_capacity(demuxer.records().len());
    while let Some(output) = decoder.advance(demuxer)? {
        let decoding = decoder.frame().packet().dts;
        decoded.push(DecodedFrame {
            packet: output.packet.filter(|_| !demuxer.is_packed()),
            decoding: (decoding != i64::MIN).then_some(decoding),
            damaged: output.damaged,
        });
    }
    decoder.restart(0);
    Ok(FrameIndex::from_decoding(&decoded, demuxer.records(), demuxer.codec(), time_base, demuxer.nominal_rate()))
}

/// Decodes from the start of the file to the first frame that is shown and intact.
fn first_good_frame(demuxer: &mut Demuxer, decoder: &mut Decoder, index: &FrameIndex) -> Result<usize, VideoError> {
    while let Some(output) = decoder.advance(demuxer)? {
        if let Some(frame) = identify(index, &output).filter(|_| !output.damaged) {
            return Ok(frame);
        }
    }
    let packets = demuxer.records().len();
    Err(VideoError::NoFrames {
        path: demuxer.path().to_owned(),
        reason: match demuxer.problem() {
            Some(problem) => problem.to_owned(),
            None if packets == 0 => "its video stream holds no packets".to_owned(),
            None => format!("the video stream has {packets} packets, and the decoder made no intact frame of them"),
        },
    })
}
