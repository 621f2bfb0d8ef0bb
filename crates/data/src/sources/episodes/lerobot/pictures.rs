//! Frames that are pictures inside the files of columns.

use std::path::Path;

use prevision_core::FrameBuffer;

use crate::DataError;
use crate::pixels::decode_picture;
use crate::tables::ParquetTable;

/// Pictures of a column in some rows of a file, in any order, `[rows.len(), h, w, 3]`.
///
/// # Errors
/// If they cannot be read, or differ in size.
pub(super) fn pictures(path: &Path, column: &str, rows: &[usize]) -> Result<FrameBuffer, DataError> {
    let mut sorted = rows.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut frames = FrameBuffer::default();
    let mut sorted_rows = sorted.iter();
    ParquetTable::open(path)?.pictures(column, &sorted, |bytes| {
        let picture = decode_picture(bytes)?;
        let (height, width) = (picture.height, picture.width);
        if frames.frames == 0 {
            frames.reshape(rows.len(), height, width);
        } else if (frames.height, frames.width) != (height, width) {
            return Err(format!("is {width}x{height}, others are {}x{}", frames.width, frames.height));
        }
        let row = sorted_rows.next();
        for place in (0..rows.len()).filter(|&place| Some(&rows[place]) == row) {
            frames.frame_mut(place).copy_from_slice(&picture.data);
        }
        Ok(())
    })?;
    Ok(frames)
}
