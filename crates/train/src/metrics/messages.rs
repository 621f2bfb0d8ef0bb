//! The messages of `TensorBoard` files, as far as they are written (`tensorflow/core/util/event.proto`, `framework/summary.proto`), and
//! the records that they are put into (`tensorflow/core/lib/io/record_writer.cc`).

use std::io::{Result, Write};

use prost::{Message, Oneof};

use super::Histogram;

/// What happened at a step.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub(super) wall_time: f64,
    #[prost(int64, tag = "2")]
    pub(super) step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    pub(super) what: Option<What>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum What {
    /// The first event of a file has this alone.
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

/// The state of a session: 1 for one that begins.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SessionLog {
    #[prost(int32, tag = "1")]
    pub(super) status: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub(super) value: Vec<Value>,
}

/// Something with a name.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Value {
    #[prost(string, tag = "1")]
    pub(super) tag: String,
    #[prost(oneof = "Content", tags = "2, 4, 5")]
    pub(super) content: Option<Content>,
}

#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Content {
    #[prost(float, tag = "2")]
    Scalar(f32),
    #[prost(message, tag = "4")]
    Image(Image),
    #[prost(message, tag = "5")]
    Histogram(Histogram),
}

/// A picture, pixels.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Image {
    #[prost(int32, tag = "1")]
    pub(super) height: i32,
    #[prost(int32, tag = "2")]
    pub(super) width: i32,
    /// 3 for RGB.
    #[prost(int32, tag = "3")]
    pub(super) colorspace: i32,
    /// PNG.
    #[prost(bytes = "vec", tag = "4")]
    pub(super) encoded: Vec<u8>,
}

/// Writes a message as a record: its length, the checksum of that, the message, and its checksum.
pub(super) fn write_record(to: &mut impl Write, message: &impl Message) -> Result<()> {
    let message = message.encode_to_vec();
    let length = (message.len() as u64).to_le_bytes();
    to.write_all(&length)?;
    to.write_all(&masked_checksum(&length))?;
    to.write_all(&message)?;
    to.write_all(&masked_checksum(&message))
}

/// CRC-32C, rotated and moved so that the checksum of bytes that contain a checksum is no bad one.
fn masked_checksum(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records that `tensorboard` itself writes of the same events (`tests/tensorboard/make_records.py`).
    #[test]
    fn records_are_those_of_tensorboard() {
        let value = |tag: &str, content| Value { tag: tag.to_owned(), content: Some(content) };
        let histogram = Histogram {
            min: -1.0,
            max: 2.0,
            count: 3.0,
            sum: 1.5,
            sum_of_squares: 5.25,
            limits: vec![0.0, 2.0],
            counts: vec![1.0, 2.0],
        };
        let image = Image { height: 2, width: 3, colorspace: 3, encoded: b"\x89PNG".to_vec() };
        let summary = Summary {
            value: vec![
                value("loss", Content::Scalar(0.5)),
                value("weights", Content::Histogram(histogram)),
                value("clip", Content::Image(image)),
            ],
        };
        let whats = [
            What::FileVersion("brain.Event:2".to_owned()),
            What::SessionLog(SessionLog { status: 1 }),
            What::Summary(summary),
        ];
        let mut written = Vec::new();
        for (step, what) in (6..).zip(whats) {
            write_record(&mut written, &Event { wall_time: 1.5, step, what: Some(what) }).unwrap();
        }
        let wanted = include_bytes!("../../tests/tensorboard/records.bin");
        assert!(written == wanted, "{written:02x?}");
    }
}
