//! One picture in a file.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use crate::DataError;

/// The longest side that a picture may have, pixels. A damaged header could claim 65,535 and more.
const LONGEST: u32 = 16384;

/// A picture of which the header was read, JPEG or PNG by its content.
pub(super) struct Picture {
    path: PathBuf,
    bytes: Vec<u8>,
    size: (usize, usize),
}

impl Picture {
    /// # Errors
    /// If the file cannot be read, or its header makes no sense.
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let bytes = std::fs::read(path).map_err(|error| DataError::io(path, error))?;
        let (width, height) = decoder(&bytes).map_err(|message| DataError::format(path, message))?.dimensions();
        Ok(Self { path: path.to_owned(), bytes, size: (width as usize, height as usize) })
    }

    /// Width and height, pixels.
    pub(super) fn size(&self) -> (usize, usize) {
        self.size
    }

    /// Its samples, `[h, w, 3]`; grey becomes three equal channels, transparency is left out.
    ///
    /// # Errors
    /// If it has another size (width, height), or is damaged.
    pub(super) fn decode(self, size: (usize, usize)) -> Result<Vec<u8>, DataError> {
        let Self { path, bytes, size: own } = self;
        if own != size {
            let message = format!("is {}x{}, the camera's other pictures are {}x{}", own.0, own.1, size.0, size.1);
            return Err(DataError::format(path, message));
        }
        let picture = decoder(&bytes)
            .and_then(|decoder| DynamicImage::from_decoder(decoder).map_err(|error| error.to_string()))
            .map_err(|message| DataError::format(path, message))?;
        Ok(picture.into_rgb8().into_raw())
    }
}

fn decoder(bytes: &[u8]) -> Result<impl ImageDecoder + '_, String> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| error.to_string())?;
    match reader.format() {
        // The decoder makes what is missing grey.
        Some(ImageFormat::Jpeg) if !ends(bytes) => return Err("the JPEG picture is cut off".to_owned()),
        Some(ImageFormat::Jpeg | ImageFormat::Png) => {}
        _ => return Err("is no JPEG or PNG picture".to_owned()),
    }
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(LONGEST), Some(LONGEST));
    reader.limits(limits);
    reader.into_decoder().map_err(|error| error.to_string())
}

/// Whether a JPEG picture's last scan is followed by the marker of its end. Within a scan the marker cannot occur.
fn ends(bytes: &[u8]) -> bool {
    let last = |marker: u8| bytes.windows(2).rposition(|pair| pair == [0xff, marker]);
    last(0xd9) > last(0xda)
}
