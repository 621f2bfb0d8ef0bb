//! A recording of another format, written as a table of moments.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, FixedSizeListArray, Float32Array, Int32Array};
use arrow_schema::{DataType, Field, Schema};
use prevision_core::Array2;

use super::new_table::NewTable;
use super::{EPISODE, STEP, place};
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};
use crate::pixels::encode_jpeg;
use crate::sources::episodes::names::{check_names, own_columns, short};

/// Moments that are written at a time.
const MOMENTS: usize = 256;

/// Writes moments with their pictures.
pub(in crate::sources::episodes) struct LanceSink {
    table: NewTable,
}

impl LanceSink {
    pub(in crate::sources::episodes) fn new(at: &Path, recorded: &Recorded) -> Result<Self, DataError> {
        check_names(at, recorded)?;
        let cameras = recorded.cameras.iter();
        let cameras = cameras.map(|camera| Field::new(lance_name(&camera.name), DataType::Binary, true));
        let dir = place::new_table(at);
        let schema = schema(&dir, recorded, cameras)?;
        Ok(Self { table: NewTable::create(dir, schema)? })
    }
}

impl EpisodeSink for LanceSink {
    fn write(&mut self, recorded: &Recorded, episode: usize) -> Result<(), DataError> {
        let mut pictures = Vec::with_capacity(recorded.cameras.len());
        for camera in &recorded.cameras {
            let mut of_camera = Vec::new();
            recorded.each_frame(camera, episode, |_, samples| {
                let picture = encode_jpeg(samples, (camera.width, camera.height));
                of_camera.push(picture.map_err(|message| DataError::format(self.table.dir(), message))?);
                Ok(())
            })?;
            pictures.push(of_camera);
        }
        write_moments(&mut self.table, recorded, episode, |first, count| {
            let of_camera = pictures.iter().map(|pictures| {
                let pictures = pictures[first..first + count].iter().map(Vec::as_slice);
                Arc::new(BinaryArray::from_iter_values(pictures)) as ArrayRef
            });
            of_camera.collect()
        })
    }

    fn finish(self: Box<Self>, _: &Recorded) -> Result<(), DataError> {
        self.table.finish()
    }
}

/// Writes the moments of an episode. `cameras` gives the columns of the cameras for so many moments from the first one on.
pub(super) fn write_moments(
    table: &mut NewTable,
    recorded: &Recorded,
    episode: usize,
    cameras: impl Fn(usize, usize) -> Vec<ArrayRef>,
) -> Result<(), DataError> {
    let (begin, end) = (recorded.offsets[episode], recorded.offsets[episode + 1]);
    for row in (begin..end).step_by(MOMENTS) {
        let (first, count) = (row - begin, MOMENTS.min(end - row));
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(vec![episode as i32; count])),
            Arc::new((first..first + count).map(|moment| moment as i32).collect::<Int32Array>()),
        ];
        columns.extend(cameras(first, count));
        for (_, rows) in written(recorded) {
            let values = Arc::new(Float32Array::from(rows.slice(row, count).data));
            let list = FixedSizeListArray::try_new(item(), rows.columns as i32, values, None);
            columns.push(Arc::new(list.map_err(|error| DataError::format(table.dir(), error.to_string()))?));
        }
        table.append(columns)?;
    }
    Ok(())
}

/// The columns of a table of moments, between the numbers and `cameras` those of the recording.
///
/// # Errors
/// If two would be called the same.
pub(super) fn schema(
    dir: &Path,
    recorded: &Recorded,
    cameras: impl Iterator<Item = Field>,
) -> Result<Schema, DataError> {
    let mut fields = vec![Field::new(EPISODE, DataType::Int32, true), Field::new(STEP, DataType::Int32, true)];
    fields.extend(cameras);
    for (column, rows) in written(recorded) {
        let width = i32::try_from(rows.columns).unwrap_or(i32::MAX);
        fields.push(Field::new(lance_name(column), DataType::FixedSizeList(item(), width), true));
    }
    let mut names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(DataError::format(dir, format!("two streams would be called `{}`", pair[0]))),
        None => Ok(Schema::new(fields)),
    }
}

/// The columns that are written: the numbers of episodes and moments are made anew.
fn written<'a>(recorded: &'a Recorded) -> impl Iterator<Item = (&'a str, &'a Array2)> {
    own_columns(recorded).filter(|(name, _)| *name != EPISODE && *name != STEP)
}

/// A stream's name in a table. A dot becomes `_`, as stable-worldmodel has it: Lance has dots for fields of fields.
pub(super) fn lance_name(name: &str) -> String {
    short(name).replace('.', "_")
}

/// An entry of a list.
fn item() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Float32, true))
}
