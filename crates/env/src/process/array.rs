//! Arrays as they stand in a message.

use serde::{Deserialize, Serialize};

/// The kinds of numbers that a message can hold, under numpy's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Dtype {
    /// One byte: 0 or 1.
    Bool,
    /// One byte.
    Uint8,
    /// Four bytes, IEEE 754.
    Float32,
    /// Eight bytes, with a sign.
    Int64,
    /// Eight bytes, without a sign.
    Uint64,
}

impl Dtype {
    /// Bytes of one number.
    pub(super) fn bytes(self) -> usize {
        match self {
            Self::Bool | Self::Uint8 => 1,
            Self::Float32 => 4,
            Self::Int64 | Self::Uint64 => 8,
        }
    }

    /// Its name in a message.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Uint8 => "uint8",
            Self::Float32 => "float32",
            Self::Int64 => "int64",
            Self::Uint64 => "uint64",
        }
    }
}

/// What a header says of an array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) dtype: Dtype,
    pub(super) shape: Vec<usize>,
}

impl Listed {
    /// Bytes of the array; `None` if they cannot be counted.
    pub(super) fn bytes(&self) -> Option<usize> {
        self.shape.iter().try_fold(self.dtype.bytes(), |bytes, size| bytes.checked_mul(*size))
    }

    /// In words: `float32 [4, 2]`.
    pub(super) fn kind(&self) -> String {
        format!("{} {:?}", self.dtype.name(), self.shape)
    }
}

/// An array: its kind, and its numbers in C order, little-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Array {
    pub(super) listed: Listed,
    pub(super) data: Vec<u8>,
}

impl Array {
    /// Of numbers of 32 bits.
    pub(super) fn floats(name: &str, shape: Vec<usize>, values: &[f32]) -> Self {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { listed: Listed { name: name.to_owned(), dtype: Dtype::Float32, shape }, data }
    }

    /// Of whole numbers without a sign, one a row.
    pub(super) fn seeds(name: &str, values: &[u64]) -> Self {
        let data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { listed: Listed { name: name.to_owned(), dtype: Dtype::Uint64, shape: vec![values.len()] }, data }
    }

    /// Of choices, one a row.
    pub(super) fn choices(name: &str, values: &[usize]) -> Self {
        let data = values.iter().flat_map(|value| (*value as i64).to_le_bytes()).collect();
        Self { listed: Listed { name: name.to_owned(), dtype: Dtype::Int64, shape: vec![values.len()] }, data }
    }

    /// The bytes of one of `rows` rows.
    fn row(&self, row: usize, rows: usize) -> &[u8] {
        let bytes = self.data.len() / rows;
        &self.data[row * bytes..][..bytes]
    }

    /// The bytes of a row of an array of bytes or flags.
    pub(super) fn row_bytes(&self, row: usize, rows: usize) -> Vec<u8> {
        self.row(row, rows).to_vec()
    }

    /// The numbers of a row of an array of 32-bit numbers.
    pub(super) fn row_floats(&self, row: usize, rows: usize) -> Vec<f32> {
        let number = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        self.row(row, rows).chunks_exact(4).map(number).collect()
    }
}
