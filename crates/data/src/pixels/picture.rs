//! Pictures in files of their own format.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, ImageReader, Limits};
use prevision_core::FrameBuffer;

/// The longest side that a picture may have, pixels. A damaged header could claim 65,535 and more.
const LONGEST: u32 = 16384;
/// Quality of the pictures that are written, of 100. The encoder keeps the full resolution of the colours.
const QUALITY: u8 = 95;

/// Width and height of a PNG or JPEG, pixels. Only its header is read.
///
/// # Errors
/// If it is neither, or its header makes no sense.
pub(crate) fn picture_size(bytes: &[u8]) -> Result<(usize, usize), String> {
    let (width, height) = decoder(bytes)?.dimensions();
    Ok((width as usize, height as usize))
}

/// Decodes a PNG or JPEG to one frame of 8-bit RGB, `[1, h, w, 3]`; grey becomes three equal channels, transparency is left out.
///
/// # Errors
/// If it is neither, is damaged, or has a side of more than 16384 pixels.
pub(crate) fn decode_picture(bytes: &[u8]) -> Result<FrameBuffer, String> {
    let picture = DynamicImage::from_decoder(decoder(bytes)?).map_err(|error| error.to_string())?.into_rgb8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    Ok(FrameBuffer { frames: 1, height, width, data: picture.into_raw() })
}

/// Encodes the samples `[h, w, 3]` of a picture of this width and height as a JPEG of quality 95.
///
/// # Errors
/// If it is larger than a JPEG can be.
pub(crate) fn encode_jpeg(samples: &[u8], (width, height): (usize, usize)) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode(samples, width as u32, height as u32, ExtendedColorType::Rgb8)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_is_no_picture() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png] {
            let mut bytes = Cursor::new(vec![]);
            DynamicImage::new_luma8(24, 16).write_to(&mut bytes, format).unwrap();
            let bytes = bytes.into_inner();
            assert_eq!(picture_size(&bytes), Ok((24, 16)));
            let frame = decode_picture(&bytes).unwrap();
            assert_eq!((frame.frames, frame.width, frame.height, frame.data), (1, 24, 16, vec![0; 24 * 16 * 3]));
            for place in [0, 1, bytes.len() / 2, bytes.len() - 20] {
                assert!(decode_picture(&bytes[..place]).is_err(), "{format:?}, cut off at {place} of {}", bytes.len());
            }
        }
        assert_eq!(decode_picture(b"GIF89a").unwrap_err(), "is no JPEG or PNG picture");
    }
}
