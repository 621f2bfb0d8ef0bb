//! Single frames as PNG files.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use image::ImageEncoder;
use image::codecs::png::PngEncoder;

use crate::VideoError;
use crate::temporary::TemporaryFile;

/// Writes one RGB frame as a PNG file, losslessly.
///
/// # Shapes
/// `rgb`: `[height, width, 3]`.
///
/// # Errors
/// [`VideoError::Write`] when the file cannot be written; nothing is left behind then.
pub fn write_png(path: &Path, rgb: &[u8], width: usize, height: usize) -> Result<(), VideoError> {
    assert_eq!(
        rgb.len(),
        width * height * 3,
        "a {width}x{height} RGB frame has {} bytes, got {}",
        width * height * 3,
        rgb.len()
    );
    let file = TemporaryFile::create(path)?;
    let write = |action, reason: &dyn ToString| VideoError::write(path, action, reason.to_string());
    let out = File::create(file.path()).map_err(|error| write("create the file", &error))?;
    let mut out = BufWriter::new(out);
    PngEncoder::new(&mut out)
        .write_image(rgb, width as u32, height as u32, image::ExtendedColorType::Rgb8)
        .map_err(|error| write("write the picture", &error))?;
    out.flush().map_err(|error| write("write the picture", &error))?;
    file.keep()
}

#[cfg(test)]
mod tests {
    use super::write_png;

    #[test]
    fn pixels_come_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.png");
        let rgb: Vec<u8> = (0..5 * 3 * 3).map(|value| value * 5).collect();
        write_png(&path, &rgb, 5, 3).expect("written");
        let image = image::open(&path).expect("readable").to_rgb8();
        assert_eq!((image.dimensions(), image.as_raw()), ((5, 3), &rgb));
        assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 1);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("missing").join("a.png");
        let error = write_png(&path, &[0; 3], 1, 1).expect_err("no folder");
        assert!(error.to_string().contains("missing/a.png"), "{error}");
    }
}
