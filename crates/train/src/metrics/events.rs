//! `TensorBoard` event files.
//!
//! The records and messages are those of `tensorboard-rs`; its own file writer is not used, since it panics when the disk is
//! full, and its pictures, since they must be square.

use std::fs::{self, File};
use std::io::{BufWriter, Cursor, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use protobuf::{Message, RepeatedField};
use tensorboard_proto::event::{Event, SessionLog, SessionLog_SessionStatus};
use tensorboard_proto::summary::{Summary, Summary_Image, Summary_Value};
use tensorboard_rs::record_writer::RecordWriter;
use tensorboard_rs::summary::{histogram_raw, scalar};

use super::Histogram;
use super::picture::Picture;
use crate::TrainError;

/// An event file, open for appending.
pub(crate) struct EventWriter {
    path: PathBuf,
    records: RecordWriter<BufWriter<File>>,
}

impl EventWriter {
    /// Starts a new event file in `folder`. `TensorBoard` then ignores what older files there say of steps after `step`.
    pub(crate) fn create(folder: &Path, step: u64) -> Result<Self, TrainError> {
        fs::create_dir_all(folder).map_err(|source| TrainError::write(folder, source))?;
        let (path, file) = new_file(folder)?;
        let mut writer = Self { path, records: RecordWriter::new(BufWriter::new(file)) };
        let mut version = Event::new();
        version.set_file_version("brain.Event:2".to_owned());
        writer.write(version, 0)?;
        let mut start = SessionLog::new();
        start.set_status(SessionLog_SessionStatus::START);
        let mut session = Event::new();
        session.set_session_log(start);
        writer.write(session, step + 1)?;
        writer.flush()?;
        Ok(writer)
    }

    pub(crate) fn scalar(&mut self, tag: &str, value: f64, step: u64) -> Result<(), TrainError> {
        self.summary(scalar(tag, value as f32), step)
    }

    pub(crate) fn histogram(&mut self, tag: &str, values: &Histogram, step: u64) -> Result<(), TrainError> {
        let Histogram { min, max, count, sum, sum_of_squares, limits, counts } = values;
        self.summary(histogram_raw(tag, *min, *max, *count, *sum, *sum_of_squares, limits, counts), step)
    }

    pub(crate) fn picture(&mut self, tag: &str, picture: &Picture, step: u64) -> Result<(), TrainError> {
        let mut png = Cursor::new(Vec::new());
        let (width, height) = (picture.width as u32, picture.height as u32);
        image::write_buffer_with_format(
            &mut png,
            &picture.pixels,
            width,
            height,
            image::ColorType::Rgb8,
            image::ImageFormat::Png,
        )
        .map_err(|error| TrainError::format(&self.path, error))?;
        let mut message = Summary_Image::new();
        message.set_width(picture.width as i32);
        message.set_height(picture.height as i32);
        message.set_colorspace(3);
        message.set_encoded_image_string(png.into_inner());
        let mut value = Summary_Value::new();
        value.set_tag(tag.to_owned());
        value.set_image(message);
        let mut summary = Summary::new();
        summary.set_value(RepeatedField::from_vec(vec![value]));
        self.summary(summary, step)
    }

    /// Hands everything to the system, so that a reader sees it.
    pub(crate) fn flush(&mut self) -> Result<(), TrainError> {
        self.records.flush().map_err(|source| TrainError::write(&self.path, source))
    }

    fn summary(&mut self, summary: Summary, step: u64) -> Result<(), TrainError> {
        let mut event = Event::new();
        event.set_summary(summary);
        self.write(event, step)
    }

    fn write(&mut self, mut event: Event, step: u64) -> Result<(), TrainError> {
        event.set_step(step as i64);
        event.set_wall_time(now());
        let bytes = event.write_to_bytes().map_err(|error| TrainError::format(&self.path, error))?;
        self.records.write(&bytes).map_err(|source| TrainError::write(&self.path, source))
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// A file of a name that is not taken; the names sort by time.
fn new_file(folder: &Path) -> Result<(PathBuf, File), TrainError> {
    let seconds = now() as u64;
    let mut part = 0;
    loop {
        let path = folder.join(format!("events.out.tfevents.{seconds:010}.{part}"));
        match File::create_new(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => part += 1,
            Err(source) => return Err(TrainError::write(&path, source)),
        }
    }
}
