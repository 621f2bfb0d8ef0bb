//! Tensors in a file that `torch.load` reads: a ZIP archive with a pickle of names and shapes, and the numbers of each tensor beside it
//! (`torch/serialization.py`, `_save`).

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// What stands before the names in the archive.
const ROOT: &str = "weights";

/// Writes a file of tensors that were told before, one after the other.
pub(super) struct PytorchWriter {
    archive: ZipWriter<BufWriter<File>>,
    /// Name and number of numbers of what is still to come.
    left: std::vec::IntoIter<(String, usize)>,
    written: usize,
    result: io::Result<()>,
}

impl PytorchWriter {
    /// Begins a file of 32-bit floats of these names and shapes.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn create(path: &Path, tensors: &[(String, Vec<usize>)]) -> io::Result<Self> {
        let mut archive = ZipWriter::new(BufWriter::with_capacity(1 << 20, File::create_new(path)?));
        for (name, bytes) in
            [("data.pkl", pickle(tensors)?), ("byteorder", b"little".to_vec()), ("version", b"3\n".to_vec())]
        {
            archive.start_file(format!("{ROOT}/{name}"), stored())?;
            archive.write_all(&bytes)?;
        }
        let left: Vec<_> = tensors.iter().map(|(name, shape)| (name.clone(), shape.iter().product())).collect();
        Ok(Self { archive, left: left.into_iter(), written: 0, result: Ok(()) })
    }

    /// Writes the next tensor. An error is kept for [`finish`](Self::finish).
    pub(super) fn values(&mut self, values: &[f32]) {
        if self.result.is_ok() {
            self.result = self.put(values);
        }
    }

    /// Fails the file, for what cannot be written.
    pub(super) fn fail(&mut self, message: String) {
        if self.result.is_ok() {
            self.result = Err(io::Error::other(message));
        }
    }

    fn put(&mut self, values: &[f32]) -> io::Result<()> {
        let next = self.left.next();
        if next.as_ref().is_none_or(|(_, count)| *count != values.len()) {
            let name = next.map_or("no tensor".to_owned(), |(name, count)| format!("the {count} of `{name}`"));
            return Err(io::Error::other(format!("{} numbers for {name}", values.len())));
        }
        self.archive.start_file(format!("{ROOT}/data/{}", self.written), stored())?;
        self.written += 1;
        self.archive.write_all(&values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// If something could not be written, or a tensor is missing.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.result?;
        if let Some((name, _)) = self.left.next() {
            return Err(io::Error::other(format!("no tensor `{name}`, which was told of")));
        }
        let mut file = self.archive.finish()?;
        file.flush()?;
        file.get_ref().sync_all()
    }
}

fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored)
}

/// An `OrderedDict` of tensors, in the instructions of protocol 2.
fn pickle(tensors: &[(String, Vec<usize>)]) -> io::Result<Vec<u8>> {
    const ORDERED: &[u8] = b"ccollections\nOrderedDict\n)R";
    let mut out = vec![0x80, 2];
    out.extend(ORDERED);
    out.push(b'(');
    for (number, (name, shape)) in tensors.iter().enumerate() {
        text(&mut out, name)?;
        out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut out, "storage")?;
        out.extend(b"ctorch\nFloatStorage\n");
        text(&mut out, &number.to_string())?;
        text(&mut out, "cpu")?;
        whole(&mut out, shape.iter().product())?;
        // The storage, from its first number on.
        out.extend(b"tQK\0");
        let strides: Vec<usize> = (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect();
        for numbers in [shape, &strides] {
            out.push(b'(');
            numbers.iter().try_for_each(|number| whole(&mut out, *number))?;
            out.push(b't');
        }
        // No gradient, no hooks.
        out.push(0x89);
        out.extend(ORDERED);
        out.extend(b"tR");
    }
    out.extend(b"u.");
    Ok(out)
}

fn text(out: &mut Vec<u8>, text: &str) -> io::Result<()> {
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    out.push(b'X');
    out.extend(length.to_le_bytes());
    out.extend(text.as_bytes());
    Ok(())
}

fn whole(out: &mut Vec<u8>, number: usize) -> io::Result<()> {
    let number = i32::try_from(number).map_err(io::Error::other)?;
    out.push(b'J');
    out.extend(number.to_le_bytes());
    Ok(())
}
