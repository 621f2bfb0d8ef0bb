//! Which packet carries which frame, and when it is shown.

use ffmpeg_next::codec::Id;
use serde::{Deserialize, Serialize};

use crate::bitstream::picture::{self, Picture};
use crate::packets::PacketRecord;

/// Largest number of frames a decoder may hold back (H.264 and HEVC: 16).
pub(crate) const MAX_REORDER: usize = 16;

/// Whether a packet of this codec always carries exactly one frame, shown or marked as hidden, with reliable key flags.
pub(crate) fn has_frame_packets(codec: Id) -> bool {
    matches!(codec, Id::H264 | Id::HEVC | Id::VP8 | Id::VP9 | Id::AV1 | Id::MJPEG | Id::PRORES | Id::FFV1 | Id::PNG)
}

/// How a frame that comes out of the decoder is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Identify {
    /// By the number of its packet.
    Packet,
    /// By its place in the decoder's output, counted from the start of the file: for streams that give nothing else.
    Count,
}

/// One frame that came out of the decoder while the file was read from its start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DecodedFrame {
    /// Number of its packet, if the decoder told it.
    pub(crate) packet: Option<usize>,
    /// Decoding time of the packet that was read last, time base units.
    pub(crate) decoding: Option<i64>,
    /// It, or a frame it is built on, is damaged.
    pub(crate) damaged: bool,
}

/// The frames of a video in the order they are shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FrameIndex {
    /// Per frame: the number that identifies it (see [`Identify`]).
    identifiers: Vec<usize>,
    /// Per identifier: its frame.
    frames: Vec<Option<usize>>,
    /// Per frame: seconds from the first one.
    times: Vec<f64>,
    /// Packets where decoding can start, ascending, and where they stand in the order of showing.
    keys: Vec<(usize, i64)>,
    /// Per frame: where it stands in the order of showing, on the scale of `keys`.
    places: Vec<i64>,
    identify: Identify,
    /// Frames the decoder must hold back to put them in order, if known.
    reorder: Option<usize>,
    /// Frames that were left out because they are damaged, as far as the file was decoded for this.
    damaged: usize,
    /// It is certain that each packet carries one frame, and not one of the two fields of a frame.
    #[serde(skip)]
    whole: bool,
    /// The container has no table of its packets: it may have been cut off in the middle of the last one.
    #[serde(skip)]
    open_end: bool,
}

impl FrameIndex {
    /// From the packets alone; `None` when they do not tell enough and the file has to be decoded once. `pictures` are what the
    /// bitstream says of each packet, `rate` the nominal frame rate, for streams without times.
    pub(crate) fn from_packets(
        records: &[PacketRecord],
        pictures: &[Option<Picture>],
        container: &str,
        codec: Id,
        seconds_per_unit: f64,
        rate: Option<f64>,
    ) -> Option<Self> {
        if !records.first()?.key {
            return None;
        }
        let trusted = ["mov,", "matroska", "flv"].iter().any(|name| container.starts_with(name));
        let whole = pictures.len() == records.len() && pictures.iter().all(Option::is_some);
        if !trusted {
            return Self::from_bitstream(records, pictures, seconds_per_unit, rate);
        }
        if !whole && !has_frame_packets(codec) {
            return None;
        }
        let index = Self::from_presentation(records, pictures, seconds_per_unit)?;
        Some(Self { whole, ..index })
    }

    /// From the times of a container that is known to tell them well.
    fn from_presentation(
        records: &[PacketRecord],
        pictures: &[Option<Picture>],
        seconds_per_unit: f64,
    ) -> Option<Self> {
        let first = records.first()?.presentation?;
        let mut shown = Vec::with_capacity(records.len());
        for (number, record) in records.iter().enumerate() {
            let time = record.presentation?;
            // What precedes the first key frame in time depends on frames that are not in the file.
            if record.shown && !record.corrupt && time >= first {
                shown.push((time, number));
            }
        }
        shown.sort_unstable();
        if shown.len() > 1 && shown.first()?.0 == shown.last()?.0 {
            return None;
        }
        match ranks(records, pictures) {
            Some(ranks) => {
                shown.sort_by_key(|&(time, number)| (time, ranks[number]));
                // Times that are not in the order of the pictures are not those at which they are shown: of films that were joined,
                // or where the container has only the times of decoding.
                if !shown.is_sorted_by_key(|&(_, number)| ranks[number]) {
                    return None;
                }
            }
            // Of pictures with equal times nothing tells the order.
            None if shown.windows(2).any(|pair| pair[0].0 == pair[1].0) => return None,
            None => {}
        }
        let start = shown.first()?.0;
        let places: Vec<Option<i64>> = records.iter().map(|record| record.presentation).collect();
        Some(Self::new(
            shown.iter().map(|&(_, number)| number).collect(),
            shown.iter().map(|&(time, _)| (time - start) as f64 * seconds_per_unit).collect(),
            keys(records, &places),
            shown.iter().map(|&(time, _)| time).collect(),
            Identify::Packet,
            Some(reorder_depth(&places)),
            0,
        ))
    }

    /// From the heads of the pictures, if the container's times do not say otherwise.
    fn from_bitstream(
        records: &[PacketRecord],
        pictures: &[Option<Picture>],
        seconds_per_unit: f64,
        rate: Option<f64>,
    ) -> Option<Self> {
        if records.iter().any(|record| record.corrupt) {
            return None;
        }
        let mut shown = Vec::with_capacity(records.len());
        for (number, (record, picture)) in records.iter().zip(pictures).enumerate() {
            let picture = (*picture)?;
            if record.shown {
                shown.push((number, picture));
            }
        }
        let order = picture::order(&shown)?;
        let times: Vec<Option<i64>> = order.iter().map(|&number| records[number].presentation).collect();
        if times.iter().all(Option::is_some) && !times.is_sorted() {
            return None;
        }
        let mut decoding: Vec<Option<i64>> = shown.iter().map(|&(number, _)| records[number].decoding).collect();
        decoding.sort_unstable();
        let ordered: Vec<DecodedFrame> = order
            .iter()
            .zip(decoding)
            .map(|(&number, decoding)| DecodedFrame { packet: Some(number), decoding, damaged: false })
            .collect();
        let times = decoded_times(&ordered, records, seconds_per_unit, rate);
        let start = *times.first()?;
        let mut places = vec![None; records.len()];
        for (place, &number) in order.iter().enumerate() {
            places[number] = Some(place as i64);
        }
        let index = Self::new(
            order,
            times.into_iter().map(|time| time - start).collect(),
            keys(records, &places),
            (0..shown.len() as i64).collect(),
            Identify::Packet,
            Some(reorder_depth(&places)),
            0,
        );
        Some(Self { whole: true, open_end: true, ..index })
    }

    /// From a pass over the whole file with the decoder. `rate` is the nominal frame rate, for streams without times.
    pub(crate) fn from_decoding(
        decoded: &[DecodedFrame],
        records: &[PacketRecord],
        seconds_per_unit: f64,
        rate: Option<f64>,
    ) -> Self {
        let identify = identification(decoded, records.len());
        let all_times = decoded_times(decoded, records, seconds_per_unit, rate);
        let mut good: Vec<(usize, usize, f64)> = Vec::with_capacity(decoded.len());
        for (count, (frame, &time)) in decoded.iter().zip(&all_times).enumerate() {
            let identifier = match identify {
                Identify::Packet => frame.packet.unwrap_or(count),
                Identify::Count => count,
            };
            if !frame.damaged {
                good.push((identifier, count, time));
            }
        }
        let keys = match identify {
            Identify::Count => vec![(0, 0)],
            Identify::Packet => {
                let mut places = vec![None; records.len()];
                for (count, frame) in decoded.iter().enumerate() {
                    if let Some(number) = frame.packet {
                        places[number] = Some(count as i64);
                    }
                }
                self::keys(records, &places)
            }
        };
        let start = good.first().map_or(0.0, |frame| frame.2);
        let damaged = decoded.len() - good.len();
        Self::new(
            good.iter().map(|frame| frame.0).collect(),
            good.iter().map(|frame| frame.2 - start).collect(),
            keys,
            good.iter().map(|frame| frame.1 as i64).collect(),
            identify,
            None,
            damaged,
        )
    }

    fn new(
        identifiers: Vec<usize>,
        times: Vec<f64>,
        keys: Vec<(usize, i64)>,
        places: Vec<i64>,
        identify: Identify,
        reorder: Option<usize>,
        damaged: usize,
    ) -> Self {
        let mut frames = vec![None; identifiers.iter().max().map_or(0, |largest| largest + 1)];
        for (frame, &identifier) in identifiers.iter().enumerate() {
            frames[identifier] = Some(frame);
        }
        Self { identifiers, frames, times, keys, places, identify, reorder, damaged, whole: false, open_end: false }
    }

    /// Whether an index that was stored can be one of so many packets.
    pub(crate) fn is_sound(&self, packets: usize) -> bool {
        let count = self.len();
        let numbered = |(frame, &identifier): (usize, &usize)| self.frame_of(identifier) == Some(frame);
        let known = |identifier: &usize| self.identify == Identify::Count || *identifier < packets;
        count > 0
            && [self.times.len(), self.places.len()] == [count; 2]
            && self.times.is_sorted()
            && self.times.iter().all(|time| time.is_finite())
            && self.identifiers.iter().enumerate().all(numbered)
            && self.identifiers.iter().all(known)
            && self.frames.iter().flatten().all(|&frame| frame < count)
            && self.keys.is_sorted_by(|one, next| one.0 < next.0)
            && self.keys.iter().all(|key| key.0 < packets.max(1))
    }

    pub(crate) fn len(&self) -> usize {
        self.identifiers.len()
    }

    pub(crate) fn times(&self) -> &[f64] {
        &self.times
    }

    /// The same frames, shown at other times.
    pub(crate) fn with_times(&self, times: &[f64]) -> Self {
        assert_eq!(times.len(), self.times.len(), "a time for each frame");
        Self { times: times.to_vec(), ..self.clone() }
    }

    pub(crate) fn identify(&self) -> Identify {
        self.identify
    }

    /// Frames that were left out because they are damaged.
    pub(crate) fn damaged(&self) -> usize {
        self.damaged
    }

    /// Whether each packet is known to carry one frame, and not one of the two fields of a frame.
    pub(crate) fn has_whole_frames(&self) -> bool {
        self.whole
    }

    /// The last packet where decoding can start, if the file may have been cut off after it.
    pub(crate) fn open_end(&self) -> Option<usize> {
        self.keys.last().map(|&(packet, _)| packet).filter(|_| self.open_end)
    }

    pub(crate) fn reorder(&self) -> Option<usize> {
        self.reorder
    }

    /// The packet that carries a frame, if frames are known by their packets.
    pub(crate) fn packet_of(&self, frame: usize) -> Option<usize> {
        (self.identify == Identify::Packet).then(|| self.identifiers[frame])
    }

    /// Whether each of so many packets carries one whole frame that is shown, so that leaving one out leaves out just that.
    pub(crate) fn is_one_to_one(&self, packets: usize) -> bool {
        self.identify == Identify::Packet && self.identifiers.len() == packets
    }

    /// The frame a decoder output is, if it is one that is shown.
    pub(crate) fn frame_of(&self, identifier: usize) -> Option<usize> {
        self.frames.get(identifier).copied().flatten()
    }

    /// The packet at which to start decoding for a frame: the last key frame that comes no later in the file and is shown no
    /// later (so that frames an open group of pictures shares with the group before it get that one too).
    pub(crate) fn access_point(&self, frame: usize) -> usize {
        if self.identify == Identify::Count {
            return 0;
        }
        let (packet, place) = (self.identifiers[frame], self.places[frame]);
        let before = self.keys.partition_point(|key| key.0 <= packet);
        self.keys[..before].iter().rev().find(|key| key.1 <= place).map_or(0, |key| key.0)
    }

    /// The frame shown at a time (seconds from the first frame): the last one that begins no later.
    pub(crate) fn at(&self, seconds: f64) -> usize {
        // Times are multiples of the time base, asked for in decimals: a microsecond does not count.
        self.times.partition_point(|&time| time <= seconds + 1e-6).saturating_sub(1)
    }
}

/// Per packet: where its picture stands in the order of showing that the bitstream tells, if it tells it of all that are shown.
fn ranks(records: &[PacketRecord], pictures: &[Option<Picture>]) -> Option<Vec<usize>> {
    if pictures.len() != records.len() {
        return None;
    }
    let shown = records.iter().zip(pictures).enumerate().filter(|(_, (record, _))| record.shown);
    let shown = shown.map(|(number, (_, picture))| Some((number, (*picture)?)));
    let shown: Vec<(usize, Picture)> = shown.collect::<Option<_>>()?;
    let mut ranks = vec![usize::MAX; records.len()];
    for (rank, number) in picture::order(&shown)?.into_iter().enumerate() {
        ranks[number] = rank;
    }
    Some(ranks)
}

/// The packets where decoding can start, ascending, with their places in the order of showing.
fn keys(records: &[PacketRecord], places: &[Option<i64>]) -> Vec<(usize, i64)> {
    records
        .iter()
        .zip(places)
        .enumerate()
        .filter(|(_, (record, _))| record.key && !record.corrupt)
        .filter_map(|(number, (_, &place))| Some((number, place?)))
        .collect()
}

/// The largest number of packets that come before another one in the file but after it in the order of showing.
fn reorder_depth(places: &[Option<i64>]) -> usize {
    let window = 4 * MAX_REORDER;
    places
        .iter()
        .enumerate()
        .map(|(number, place)| {
            let before = &places[number.saturating_sub(window)..number];
            place.map_or(0, |place| before.iter().flatten().filter(|&&earlier| earlier > place).count())
        })
        .max()
        .unwrap_or(0)
        .min(MAX_REORDER)
}

/// Frames can be told apart by their packets when each has its own.
fn identification(decoded: &[DecodedFrame], packets: usize) -> Identify {
    let mut seen = vec![false; packets];
    for frame in decoded {
        match frame.packet {
            Some(number) if number < packets && !seen[number] => seen[number] = true,
            _ => return Identify::Count,
        }
    }
    Identify::Packet
}

/// Seconds for every decoded frame, never falling: presentation times where they are usable, else decoding times, else the
/// nominal rate. A time that falls back (a stream that was spliced) goes on one frame after the frame before it.
fn decoded_times(
    decoded: &[DecodedFrame],
    records: &[PacketRecord],
    seconds_per_unit: f64,
    rate: Option<f64>,
) -> Vec<f64> {
    let step = 1.0 / rate.filter(|rate| *rate > 0.0).unwrap_or(25.0);
    let presentation: Vec<Option<i64>> = decoded.iter().map(|frame| records.get(frame.packet?)?.presentation).collect();
    let decoding: Vec<Option<i64>> = decoded.iter().map(|frame| frame.decoding).collect();
    let Some(chosen) = [presentation, decoding].into_iter().find(|times| usable(times)) else {
        return (0..decoded.len()).map(|count| count as f64 * step).collect();
    };
    let (mut offset, mut last) = (0.0, f64::NEG_INFINITY);
    chosen
        .into_iter()
        .map(|time| {
            let mut seconds = match time {
                Some(time) => time as f64 * seconds_per_unit + offset,
                None => last + step,
            };
            if seconds < last {
                offset += last + step - seconds;
                seconds = last + step;
            }
            last = seconds;
            seconds
        })
        .collect()
}

/// Times are usable when all are there and (but for a splice here or there) they do not fall. Some may be equal: films of more frames
/// a second than the time base can tell apart, or a frame that was stored twice.
fn usable(times: &[Option<i64>]) -> bool {
    let falls = times.windows(2).filter(|pair| pair[1] < pair[0]).count();
    let rise = times.len() == 1 || times.first() < times.last();
    rise && times.iter().all(Option::is_some) && falls <= times.len() / 50
}

#[cfg(test)]
mod tests {
    use super::{FrameIndex, has_frame_packets, reorder_depth};
    use crate::bitstream::picture::{Picture, Place};
    use crate::packets::PacketRecord;
    use ffmpeg_next::codec::Id;

    fn records(times: &[(i64, bool)]) -> Vec<PacketRecord> {
        times
            .iter()
            .enumerate()
            .map(|(number, &(time, key))| PacketRecord {
                presentation: Some(time),
                decoding: Some(number as i64),
                duration: 1,
                bytes: 1,
                key,
                shown: true,
                corrupt: false,
                disposable: false,
            })
            .collect()
    }

    #[test]
    fn open_groups_reach_back() {
        // I0 P3 B1 B2 | I6 B4 B5 P7 : frames 4 and 5 precede the second key frame in time.
        let times = [(0, true), (3, false), (1, false), (2, false), (6, true), (4, false), (5, false), (7, false)];
        let records = records(&times);
        let index = FrameIndex::from_packets(&records, &[], "mov,mp4", Id::H264, 0.5, None).expect("usable times");
        assert_eq!(index.len(), 8);
        assert_eq!(index.times()[3], 1.5);
        let points: Vec<usize> = (0..8).map(|frame| index.access_point(frame)).collect();
        assert_eq!(points, [0, 0, 0, 0, 0, 0, 4, 4]);
        assert_eq!((index.frame_of(1), index.frame_of(4), index.frame_of(8)), (Some(3), Some(6), None));
        assert_eq!((index.at(-1.0), index.at(1.49), index.at(1.5), index.at(99.0)), (0, 2, 3, 7));
        let places: Vec<Option<i64>> = records.iter().map(|record| record.presentation).collect();
        assert_eq!(reorder_depth(&places), 1);
    }

    #[test]
    fn doubtful_containers_are_decoded() {
        let good = records(&[(0, true), (1, false)]);
        let index = |records: &[PacketRecord], container: &str, codec| {
            FrameIndex::from_packets(records, &[], container, codec, 1.0, None).is_some()
        };
        assert!(index(&good, "mov,mp4", Id::H264));
        assert!(!index(&good, "mpegts", Id::H264));
        assert!(!index(&good, "mov,mp4", Id::MPEG4));
        assert!(!index(&records(&[(0, true), (0, false)]), "mov,mp4", Id::H264), "no times");
        let double = records(&[(0, true), (1, false), (1, false)]);
        assert!(FrameIndex::from_packets(&double, &[None; 3], "mov,mp4", Id::H264, 1.0, None).is_none(), "no order");
        assert!(!index(&records(&[(0, false), (1, true)]), "mov,mp4", Id::H264));
        assert!(!has_frame_packets(Id::GIF));
    }

    #[test]
    fn times_against_the_order_of_pictures_are_not_believed() {
        let index = |times: &[(i64, bool)], counts: &[i64]| {
            let pictures: Vec<Option<Picture>> =
                counts.iter().map(|&count| Some(Picture { reset: count == 0, place: Place::Count(count) })).collect();
            FrameIndex::from_packets(&records(times), &pictures, "mov,mp4", Id::H264, 1.0, None)
        };
        // I0 P3 B1 B2 with the times of showing, with those of decoding, and where a second film begins at 1 again.
        assert!(index(&[(0, true), (3, false), (1, false), (2, false)], &[0, 3, 1, 2]).is_some());
        assert!(index(&[(0, true), (1, false), (2, false), (3, false)], &[0, 3, 1, 2]).is_none());
        assert!(index(&[(0, true), (3, false), (1, true), (4, false)], &[0, 1, 0, 1]).is_none());
    }

    #[test]
    fn equal_times_are_kept() {
        // I0 P3 B1 B2, where B1 and B2 have the same time.
        let records = records(&[(0, true), (9, false), (3, false), (3, false)]);
        let pictures: Vec<Option<Picture>> =
            [0, 3, 2, 1].map(|count| Some(Picture { reset: count == 0, place: Place::Count(count) })).to_vec();
        let index =
            FrameIndex::from_packets(&records, &pictures, "matroska,webm", Id::H264, 0.5, None).expect("usable times");
        assert_eq!(index.times(), [0.0, 1.5, 1.5, 4.5]);
        assert_eq!((1..3).map(|frame| index.packet_of(frame)).collect::<Vec<_>>(), [Some(3), Some(2)]);
        assert_eq!((index.at(1.4), index.at(1.5), index.at(4.4)), (0, 2, 2));
    }
}
