//! Types of numbers that weights are stored in.

use std::fmt;
use std::str::FromStr;

use half::{bf16, f16};
use safetensors::tensor::Dtype;

/// What stands behind the name of a tensor of 8-bit numbers in that of its scales.
pub(super) const SCALE: &str = ".scale";
/// The largest amount of an 8-bit number that is written.
const LARGEST: f32 = 127.0;

/// The type of the matrices of a file of weights: everything of two axes or more that is called `weight`, which is nearly all of it.
/// Biases, norms, positions and tokens are 32-bit floats in every file. All are 32-bit floats in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoredType {
    /// 32-bit floats, bit for bit.
    #[default]
    Float32,
    /// Floats of 16 bits with the range of those of 32 and 8 bits of precision.
    Bfloat16,
    /// Floats of 16 bits with 11 bits of precision, up to 65504.
    Float16,
    /// Whole numbers from -127 to 127, times a 32-bit float for each output, which is the first axis in the file: the largest amount over 127.
    Int8,
}

impl StoredType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Float32, Self::Bfloat16, Self::Float16, Self::Int8];

    /// Its name: `f32`, `bf16`, `f16` or `int8`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Float32 => "f32",
            Self::Bfloat16 => "bf16",
            Self::Float16 => "f16",
            Self::Int8 => "int8",
        }
    }

    /// The type of a tensor of this name and shape (that in the file).
    pub(super) fn dtype(self, name: &str, shape: &[usize]) -> Dtype {
        let matrix = shape.len() > 1 && (name == "weight" || name.ends_with(".weight"));
        match self {
            _ if !matrix => Dtype::F32,
            Self::Float32 => Dtype::F32,
            Self::Bfloat16 => Dtype::BF16,
            Self::Float16 => Dtype::F16,
            Self::Int8 => Dtype::I8,
        }
    }

    /// What the numbers of a tensor of this name and shape (that in the file) are when they are read again.
    ///
    /// # Errors
    /// If the type cannot hold one of them.
    pub fn rounded(self, name: &str, shape: &[usize], values: &[f32]) -> Result<Vec<f32>, String> {
        let dtype = self.dtype(name, shape);
        let stored = encode(dtype, rows(shape), values)?;
        Ok(decode(dtype, &stored.bytes, &stored.scales))
    }
}

impl fmt::Display for StoredType {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.name())
    }
}

impl FromStr for StoredType {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|known| known.name() == name)
            .ok_or_else(|| format!("`{name}`: expected a type to store weights in: {}", known()))
    }
}

/// Outputs of a matrix.
pub(super) fn rows(shape: &[usize]) -> usize {
    shape.first().copied().unwrap_or(1)
}

/// The numbers of a tensor as they lie in a file.
pub(super) struct Stored {
    pub(super) bytes: Vec<u8>,
    /// Of 8-bit numbers one for each row; else empty.
    pub(super) scales: Vec<f32>,
}

/// The numbers of so many rows in a type that [`StoredType::dtype`] gives.
pub(super) fn encode(dtype: Dtype, rows: usize, values: &[f32]) -> Result<Stored, String> {
    if dtype == Dtype::I8 {
        return quantised(rows, values);
    }
    let bytes: Vec<u8> = match dtype {
        Dtype::BF16 => values.iter().flat_map(|value| bf16::from_f32(*value).to_le_bytes()).collect(),
        Dtype::F16 => values.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect(),
        _ => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
    };
    let scales = Vec::new();
    if dtype != Dtype::F32
        && let Some((place, value)) = decode(dtype, &bytes, &scales).iter().zip(values).enumerate().find_map(too_large)
    {
        return Err(format!("number {place} is {value}, which {dtype:?} cannot hold"));
    }
    Ok(Stored { bytes, scales })
}

fn too_large((place, (read, value)): (usize, (&f32, &f32))) -> Option<(usize, f32)> {
    (!read.is_finite()).then_some((place, *value))
}

fn quantised(rows: usize, values: &[f32]) -> Result<Stored, String> {
    if let Some((place, value)) = values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        return Err(format!("number {place} is {value}, which I8 cannot hold"));
    }
    let (mut bytes, mut scales) = (Vec::with_capacity(values.len()), Vec::with_capacity(rows));
    for row in values.chunks(values.len().checked_div(rows).unwrap_or(0).max(1)) {
        let scale = row.iter().fold(0.0_f32, |largest, value| largest.max(value.abs())) / LARGEST;
        scales.push(scale);
        let whole = |value: &f32| if scale > 0.0 { (value / scale).round().clamp(-LARGEST, LARGEST) } else { 0.0 };
        bytes.extend(row.iter().flat_map(|value| (whole(value) as i8).to_le_bytes()));
    }
    Ok(Stored { bytes, scales })
}

/// The numbers that these bytes are.
pub(super) fn decode(dtype: Dtype, bytes: &[u8], scales: &[f32]) -> Vec<f32> {
    match dtype {
        Dtype::BF16 => numbers(bytes, |bytes| bf16::from_le_bytes(bytes).to_f32()),
        Dtype::F16 => numbers(bytes, |bytes| f16::from_le_bytes(bytes).to_f32()),
        Dtype::I8 => {
            let row = bytes.len().checked_div(scales.len()).unwrap_or(0).max(1);
            let scaled = |(row, scale): (&[u8], &f32)| {
                row.iter().map(|byte| f32::from(i8::from_le_bytes([*byte])) * scale).collect::<Vec<f32>>()
            };
            bytes.chunks(row).zip(scales).flat_map(scaled).collect()
        }
        _ => numbers(bytes, f32::from_le_bytes),
    }
}

/// Numbers of `N` bytes each.
fn numbers<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(stored: StoredType, values: &[f32]) -> Vec<f32> {
        stored.rounded("a.weight", &[2, values.len() / 2], values).unwrap()
    }

    #[test]
    fn types_keep_what_they_hold() {
        let values = [1.0, -2.54, 0.1, 0.0, 0.003, -0.001];
        assert_eq!(rounded(StoredType::Float32, &values), values);
        assert_eq!(
            rounded(StoredType::Bfloat16, &[1.0, 1.003_906_3, -0.1, 3.0e38]),
            [1.0, 1.0, -0.100_097_656, 3.004_055_3e38]
        );
        assert_eq!(
            rounded(StoredType::Float16, &[1.0, 1.000_5, -0.1, 65504.0]),
            [1.0, 1.000_976_6, -0.099_975_586, 65504.0]
        );
        // Steps of 0.02 in the first row, of 0.003 / 127 in the second.
        let found = rounded(StoredType::Int8, &values);
        let expected = [1.0, -2.54, 0.1, 0.0, 0.003, -42.0 * 0.003 / 127.0];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
        assert_eq!(rounded(StoredType::Int8, &[0.0, 0.0, 0.0, 5.0]), [0.0, 0.0, 0.0, 5.0]);
    }

    #[test]
    fn bytes_are_these() {
        let stored = |dtype, values: &[f32]| encode(dtype, 2, values).unwrap();
        assert_eq!(stored(Dtype::BF16, &[1.0, -2.0]).bytes, [0x80, 0x3f, 0x00, 0xc0]);
        assert_eq!(stored(Dtype::F16, &[1.0, -2.0]).bytes, [0x00, 0x3c, 0x00, 0xc0]);
        let quantised = stored(Dtype::I8, &[127.0, -1.0, -0.5, 0.25]);
        assert_eq!(
            (quantised.bytes.as_slice(), quantised.scales),
            ([127, 255, 129, 64].as_slice(), vec![1.0, 0.5 / 127.0])
        );
    }

    #[test]
    fn vectors_and_what_is_no_weight_stay_as_they_are() {
        let values = [0.1, 0.2];
        for (name, shape) in
            [("a.weight", vec![2]), ("a.bias", vec![2]), ("positions", vec![1, 2]), ("a.table", vec![1, 2])]
        {
            assert_eq!(StoredType::Int8.rounded(name, &shape, &values).unwrap(), values, "{name}");
        }
    }

    #[test]
    fn what_a_type_cannot_hold_is_said() {
        let refused = |stored: StoredType, value| stored.rounded("weight", &[1, 2], &[1.0, value]).unwrap_err();
        assert_eq!(refused(StoredType::Float16, 70000.0), "number 1 is 70000, which F16 cannot hold");
        assert_eq!(refused(StoredType::Int8, f32::NAN), "number 1 is NaN, which I8 cannot hold");
        assert_eq!("bf16".parse(), Ok(StoredType::Bfloat16));
        let message = "int4".parse::<StoredType>().unwrap_err();
        assert_eq!(message, "`int4`: expected a type to store weights in: f32, bf16, f16, int8");
    }
}
