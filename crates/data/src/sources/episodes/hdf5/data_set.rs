//! A data set with a row for each moment.

use std::sync::Arc;

use hdf5_reader::{Dataset, Datatype, H5Type, SliceInfo, SliceInfoElem};

use super::chunks::{Chunks, Shared};
use super::numbers::{Number, is_numeric, number};

/// Rows, and numbers, of a column in one piece that are read at a time.
const ROWS: usize = 4096;
const NUMBERS: usize = 1 << 16;

/// A data set that is read by its rows.
pub(super) struct DataSet {
    data: Dataset,
    chunks: Option<Chunks>,
    pub(super) rows: usize,
    /// Numbers in a row.
    pub(super) width: usize,
    /// Height, width and channels, if a row is a picture: 1 or 3 channels of 8 bits.
    pub(super) picture: Option<[usize; 3]>,
}

impl DataSet {
    /// The data set, if its rows are pictures or numbers.
    pub(super) fn new(shared: &Arc<Shared>, data: Dataset) -> Option<Self> {
        let shape = data.shape().iter().map(|&extent| usize::try_from(extent).ok()).collect::<Option<Vec<_>>>()?;
        let (&rows, row) = shape.split_first()?;
        let width = row.iter().try_fold(1_usize, |width, &extent| width.checked_mul(extent))?;
        let byte = matches!(data.dtype(), Datatype::FixedPoint { size: 1, signed: false, .. });
        let picture = match *row {
            [height, width, channels @ (1 | 3)] if byte && height * width > 0 => Some([height, width, channels]),
            _ => None,
        };
        let chunks = Chunks::new(shared, &data);
        is_numeric(&data).then_some(Self { data, chunks, rows, width, picture })
    }

    /// Hands over the numbers of `count` rows from `first` on.
    pub(super) fn numbers(&self, first: usize, count: usize, mut take: impl FnMut(f64)) -> Result<(), String> {
        let end = first + count;
        if let Some(chunks) = &self.chunks {
            let (kind, size) = (self.data.dtype(), Number::element_size(self.data.dtype()).max(1));
            for row in first..end {
                let bytes =
                    |bytes: &[u8]| bytes.chunks_exact(size).filter_map(|bytes| number(bytes, kind)).for_each(&mut take);
                if !chunks.row(row, bytes).map_err(|error| error.to_string())? {
                    self.read::<Number>(row, 1)?.into_iter().map(|Number(value)| value).for_each(&mut take);
                }
            }
            return Ok(());
        }
        let step = (NUMBERS / self.width.max(1)).clamp(1, ROWS);
        for start in (first..end).step_by(step) {
            let rows = self.read::<Number>(start, step.min(end - start))?;
            rows.into_iter().map(|Number(value)| value).for_each(&mut take);
        }
        Ok(())
    }

    /// Appends a picture, grey ones with three equal channels.
    pub(super) fn picture(&self, row: usize, to: &mut Vec<u8>) -> Result<(), String> {
        let grey = matches!(self.picture, Some([_, _, 1]));
        let mut append = |samples: &[u8]| {
            if grey {
                to.extend(samples.iter().flat_map(|&sample| [sample; 3]));
            } else {
                to.extend_from_slice(samples);
            }
        };
        let read = self.chunks.as_ref().map_or(Ok(false), |chunks| chunks.row(row, &mut append));
        if !read.map_err(|error| error.to_string())? {
            append(&self.read::<u8>(row, 1)?);
        }
        Ok(())
    }

    /// Rows of a data set in one piece, or of one whose chunks are parts of rows, or were never written.
    fn read<T: H5Type>(&self, first: usize, count: usize) -> Result<Vec<T>, String> {
        let part = |start, end| SliceInfoElem::Slice { start, end, step: 1 };
        let mut selections = vec![part(first as u64, (first + count) as u64)];
        selections.resize(self.data.ndim(), part(0, u64::MAX));
        let array = self.data.read_slice::<T>(&SliceInfo { selections }).map_err(|error| error.to_string())?;
        let values = array.into_raw_vec_and_offset().0;
        let expected = count * self.width;
        if values.len() == expected {
            Ok(values)
        } else {
            Err(format!("rows {first}..{} have {} numbers, expected {expected}", first + count, values.len()))
        }
    }
}
