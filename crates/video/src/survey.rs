//! Finding out which frames a file has.

use std::collections::HashMap;

use ffmpeg_next::frame;

use crate::decode::{Decoder, Output};
use crate::demux::Demuxer;
use crate::index::{DecodedFrame, FrameIndex, Identify};
use crate::{VideoError, ffi};

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
    if let Some(index) = known
        && ends_intact(demuxer, decoder, &index)?
    {
        let first = first_good_frame(demuxer, decoder, &index)?;
        if index.has_whole_frames() || !decoder.frame().is_interlaced() {
            return Ok((index, first));
        }
        // Two packets may hold the two fields of one frame.
        decoder.restart(0);
    }
    if demuxer.is_unverified() {
        verify_starts(demuxer, decoder)?;
    }
    let index = index_by_decoding(demuxer, decoder, time_base)?;
    let first = first_good_frame(demuxer, decoder, &index)?;
    Ok((index, first))
}

/// Whether the last group of pictures is whole, as far as the container leaves that open.
fn ends_intact(demuxer: &mut Demuxer, decoder: &mut Decoder, index: &FrameIndex) -> Result<bool, VideoError> {
    let Some(key) = index.open_end() else {
        return Ok(true);
    };
    decoder.leave_pictures_rough(true);
    decoder.restart(key);
    let mut intact = true;
    while let Some(output) = decoder.advance(demuxer)? {
        intact &= !output.damaged;
    }
    decoder.leave_pictures_rough(false);
    decoder.restart(0);
    Ok(intact)
}

/// Finds the packets where decoding can start among those that the container says so of, by decoding from each of them: its picture
/// and the next one must be what they are when decoding starts at the beginning of the file.
fn verify_starts(demuxer: &mut Demuxer, decoder: &mut Decoder) -> Result<(), VideoError> {
    let mut sums = HashMap::with_capacity(demuxer.records().len());
    while let Some(output) = decoder.advance(demuxer)? {
        if let Some(packet) = output.packet {
            sums.insert(packet, checksum(decoder.frame()));
        }
    }
    let flagged: Vec<usize> = (0..demuxer.records().len()).filter(|&number| demuxer.records()[number].key).collect();
    let mut starts = Vec::with_capacity(flagged.len());
    for &number in &flagged {
        decoder.reopen(demuxer, number)?;
        let mut same = true;
        for next in [number, number + 1] {
            if same && next < demuxer.records().len() {
                let output = decoder.advance(demuxer)?;
                let packet = output.and_then(|output| output.packet);
                same = packet == Some(next) && sums.get(&next) == Some(&checksum(decoder.frame()));
            }
        }
        if same || number == 0 {
            starts.push(number);
        }
    }
    demuxer.start_only_at(&starts);
    decoder.reopen(demuxer, 0)
}

/// A checksum of a frame's samples, whatever lies between its rows.
fn checksum(frame: &frame::Video) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    for plane in 0..frame.planes() {
        let stride = frame.stride(plane);
        let row = ffi::row_bytes(frame, plane).min(stride);
        for row in frame.data(plane).chunks(stride.max(1)).map(|bytes| &bytes[..row.min(bytes.len())]) {
            sum.update(row);
        }
    }
    sum.finalize()
}

/// Decodes the whole file to learn its frames.
fn index_by_decoding(demuxer: &mut Demuxer, decoder: &mut Decoder, time_base: f64) -> Result<FrameIndex, VideoError> {
    let mut decoded = Vec::with_capacity(demuxer.records().len());
    decoder.leave_pictures_rough(true);
    while let Some(output) = decoder.advance(demuxer)? {
        let decoding = decoder.frame().packet().dts;
        decoded.push(DecodedFrame {
            packet: output.packet.filter(|_| !demuxer.is_packed()),
            decoding: (decoding != i64::MIN).then_some(decoding),
            damaged: output.damaged,
        });
    }
    decoder.leave_pictures_rough(false);
    decoder.restart(0);
    Ok(FrameIndex::from_decoding(&decoded, demuxer.records(), time_base, demuxer.nominal_rate()))
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

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use super::index_by_decoding;
    use crate::decode::Decoder;
    use crate::demux::{Demuxer, KEEP_BYTES};
    use crate::index::FrameIndex;
    use crate::stream::Clock;

    /// The index by packets alone and by decoding; `None` where packets do not tell enough.
    fn both(path: &Path) -> Option<(FrameIndex, FrameIndex)> {
        let mut demuxer = Demuxer::open(path, Clock::new(Duration::from_mins(1)), KEEP_BYTES).ok()?;
        let (time_base, container) = (f64::from(demuxer.time_base()), demuxer.container());
        let (pictures, rate) = (demuxer.take_pictures(), demuxer.nominal_rate());
        let by_packets =
            FrameIndex::from_packets(demuxer.records(), &pictures, &container, demuxer.codec(), time_base, rate)?;
        let mut decoder = Decoder::open(&mut demuxer, 1, None).ok()?;
        let by_decoding = index_by_decoding(&mut demuxer, &mut decoder, time_base).ok()?;
        Some((by_packets, by_decoding))
    }

    #[test]
    fn packets_tell_what_the_decoder_tells() {
        let data = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
        let files = |folder: &str| -> Vec<PathBuf> {
            let entries = std::fs::read_dir(data.join(folder)).into_iter().flatten();
            let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
            files.sort();
            files
        };
        for path in files("derived").into_iter().chain(files("real")) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let long = path.metadata().is_ok_and(|metadata| metadata.len() > 500_000);
            if name.starts_with("broken_")
                || long && path.extension().is_some_and(|kind| kind == "mp4" || kind == "mkv")
            {
                continue;
            }
            let Some((by_packets, by_decoding)) = both(&path) else {
                continue;
            };
            assert_eq!(by_packets.len(), by_decoding.len(), "{name}: frames");
            for frame in 0..by_packets.len() {
                if let Some(packet) = by_decoding.packet_of(frame) {
                    assert_eq!(by_packets.packet_of(frame), Some(packet), "{name}: packet of frame {frame}");
                }
                let (found, wanted) = (by_packets.times()[frame], by_decoding.times()[frame]);
                assert!((found - wanted).abs() < 2e-3, "{name}: frame {frame} at {found} s and {wanted} s");
            }
        }
    }
}
