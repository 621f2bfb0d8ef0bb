//! Frames that are pictures inside the rows of a table.

use prevision_core::FrameBuffer;

use crate::DataError;

/// Pictures of some rows, in any order, `[rows.len(), h, w, 3]`. `read` gets the rows ascending and each once, and tells the picture of
/// one after the other.
///
/// # Errors
/// If they cannot be read, or differ in size.
pub(super) fn pictures(
    rows: &[usize],
    read: impl FnOnce(&[usize], &mut dyn FnMut(FrameBuffer) -> Result<(), String>) -> Result<(), DataError>,
) -> Result<FrameBuffer, DataError> {
    let mut sorted = rows.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut frames = FrameBuffer::default();
    let mut sorted_rows = sorted.iter();
    read(&sorted, &mut |picture| {
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
