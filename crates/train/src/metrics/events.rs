//! `TensorBoard` event files.

use std::fs::{self, File};
use std::io::{BufWriter, Cursor, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Histogram;
use super::messages::{Content, Event, Image, SessionLog, Summary, Value, What, write_record};
use super::picture::Picture;
use crate::TrainError;

/// The state of a session that begins.
const START: i32 = 1;
/// What `TensorBoard` calls RGB.
const RGB: i32 = 3;

/// An event file, open for appending.
pub(crate) struct EventWriter {
    path: PathBuf,
    records: BufWriter<File>,
}

impl EventWriter {
    /// Starts a new event file in `folder`. `TensorBoard` then ignores what older files there say of steps after `step`.
    pub(crate) fn create(folder: &Path, step: u64) -> Result<Self, TrainError> {
        fs::create_dir_all(folder).map_err(|source| TrainError::write(folder, source))?;
        let (path, file) = new_file(folder)?;
        let mut writer = Self { path, records: BufWriter::new(file) };
        writer.write(What::FileVersion("brain.Event:2".to_owned()), 0)?;
        writer.write(What::SessionLog(SessionLog { status: START }), step + 1)?;
        writer.flush()?;
        Ok(writer)
    }

    pub(crate) fn scalar(&mut self, tag: &str, value: f64, step: u64) -> Result<(), TrainError> {
        self.summary(tag, Content::Scalar(value as f32), step)
    }

    pub(crate) fn histogram(&mut self, tag: &str, values: &Histogram, step: u64) -> Result<(), TrainError> {
        self.summary(tag, Content::Histogram(values.clone()), step)
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
        let message = Image {
            height: picture.height as i32,
            width: picture.width as i32,
            colorspace: RGB,
            encoded: png.into_inner(),
        };
        self.summary(tag, Content::Image(message), step)
    }

    /// Hands everything to the system, so that a reader sees it.
    pub(crate) fn flush(&mut self) -> Result<(), TrainError> {
        self.records.flush().map_err(|source| TrainError::write(&self.path, source))
    }

    fn summary(&mut self, tag: &str, content: Content, step: u64) -> Result<(), TrainError> {
        let value = Value { tag: tag.to_owned(), content: Some(content) };
        self.write(What::Summary(Summary { value: vec![value] }), step)
    }

    fn write(&mut self, what: What, step: u64) -> Result<(), TrainError> {
        let event = Event { wall_time: now(), step: step as i64, what: Some(what) };
        write_record(&mut self.records, &event).map_err(|source| TrainError::write(&self.path, source))
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
