//! Features alone, as one array in NumPy's format 1.0 (`numpy/lib/format.py`).

use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use prevision_core::whole_file::WholeFile;

use super::{FeatureContents, FeatureFormat, FeatureWriter, WindowFeatures};

/// Numbers begin at a multiple of so many bytes.
const ALIGNMENT: usize = 64;

pub(super) struct Npy;

impl FeatureFormat for Npy {
    fn suffix(&self) -> &'static str {
        "npy"
    }

    fn holds(&self, contents: &FeatureContents, tensor: &str) -> bool {
        tensor == contents.features().name
    }

    fn create(&self, path: &Path, contents: &FeatureContents) -> io::Result<Box<dyn FeatureWriter>> {
        let mut file = BufWriter::with_capacity(1 << 20, WholeFile::create(path)?);
        file.write_all(&header(&contents.features().shape)?)?;
        Ok(Box::new(Writer { file, left: contents.features().len() }))
    }
}

/// What stands before the numbers of an array of 32-bit floats, rows first.
fn header(shape: &[usize]) -> io::Result<Vec<u8>> {
    let axes: Vec<String> = shape.iter().map(ToString::to_string).collect();
    // One axis alone is written with a comma behind it, as Python does.
    let comma = if shape.len() == 1 { "," } else { "" };
    let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}{comma}), }}", axes.join(", "));
    // The magic word, the version, and the length of what follows in two bytes.
    let begin = 10;
    let whole = (begin + text.len() + 1).next_multiple_of(ALIGNMENT);
    let length = u16::try_from(whole - begin).map_err(io::Error::other)?;
    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend(length.to_le_bytes());
    header.extend(text.as_bytes());
    header.resize(whole - 1, b' ');
    header.push(b'\n');
    Ok(header)
}

struct Writer {
    file: BufWriter<WholeFile>,
    /// Numbers that are still to come.
    left: usize,
}

impl FeatureWriter for Writer {
    fn write(&mut self, windows: &WindowFeatures) -> io::Result<()> {
        let count = windows.features.len();
        self.left = self.left.checked_sub(count).ok_or_else(|| {
            io::Error::other(format!("{count} numbers for an array in which {} are missing", self.left))
        })?;
        windows.features.iter().try_for_each(|number| self.file.write_all(&number.to_le_bytes()))
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        if self.left > 0 {
            return Err(io::Error::other(format!("{} numbers of the array are missing", self.left)));
        }
        self.file.into_inner().map_err(io::IntoInnerError::into_error)?.keep()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::FeatureTensor;

    fn contents() -> FeatureContents {
        let tensors = vec![FeatureTensor::new("features", &[2, 1, 2]), FeatureTensor::new("pooled", &[2, 2])];
        FeatureContents { tensors, description: "{}".to_owned() }
    }

    fn windows(features: &[f32]) -> WindowFeatures {
        WindowFeatures { features: features.to_vec(), ..WindowFeatures::default() }
    }

    #[test]
    fn the_bytes_are_numpys() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f.npy");
        let mut writer = Npy.create(&path, &contents()).expect("a file");
        writer.write(&windows(&[1.0, -2.0])).expect("a window");
        writer.write(&windows(&[0.5, 3.0])).expect("a window");
        writer.finish().expect("a whole file");
        // numpy.save(file, numpy.array([[[1, -2]], [[0.5, 3]]], numpy.float32))
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 2), }";
        let mut expected = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        expected.extend(format!("{text:<117}\n").as_bytes());
        expected.extend([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f, 0, 0, 0x40, 0x40]);
        assert_eq!(std::fs::read(&path).expect("the file"), expected);
        assert!(String::from_utf8_lossy(&header(&[7]).expect("a header")).contains("'shape': (7,), }"));
    }

    #[test]
    fn too_many_or_too_few_numbers_are_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f.npy");
        let mut writer = Npy.create(&path, &contents()).expect("a file");
        writer.write(&windows(&[1.0, 2.0])).expect("a window");
        assert_eq!(writer.finish().expect_err("too few").to_string(), "2 numbers of the array are missing");
        let mut writer = Npy.create(&path, &contents()).expect("a file");
        let message = writer.write(&windows(&[0.0; 5])).expect_err("too many").to_string();
        assert_eq!(message, "5 numbers for an array in which 4 are missing");
        drop(writer);
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
    }
}
