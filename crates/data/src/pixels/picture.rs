//! Pictures in files of their own format.

use std::io::Cursor;

use image::ImageReader;
use prevision_core::FrameBuffer;

/// Decodes a PNG or JPEG to one frame of 8-bit RGB, `[1, h, w, 3]`.
///
/// # Errors
/// If it is neither, is damaged, or is larger than half a gigabyte.
pub(crate) fn decode_picture(bytes: &[u8]) -> Result<FrameBuffer, String> {
    // The reader's own limit of memory holds.
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| error.to_string())?;
    let picture = reader.decode().map_err(|error| error.to_string())?.into_rgb8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut frame = FrameBuffer::new(1, height, width);
    frame.data = picture.into_raw();
    Ok(frame)
}
