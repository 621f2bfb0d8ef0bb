//! The types of numbers in arrays.

use npyz::half::f16;

/// A type of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Number {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    F32,
    F64,
}

impl Number {
    /// By its name: numpy's with the order of the bytes (`<f4`), as Zarr v2 has it, or that of Zarr v3 (`float32`).
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.trim_start_matches(['<', '>', '|']) {
            "b1" | "bool" => Self::Bool,
            "i1" | "int8" => Self::I8,
            "i2" | "int16" => Self::I16,
            "i4" | "int32" => Self::I32,
            "i8" | "int64" => Self::I64,
            "u1" | "uint8" => Self::U8,
            "u2" | "uint16" => Self::U16,
            "u4" | "uint32" => Self::U32,
            "u8" | "uint64" => Self::U64,
            "f2" | "float16" => Self::F16,
            "f4" | "float32" => Self::F32,
            "f8" | "float64" => Self::F64,
            _ => return None,
        })
    }

    /// Bytes of a number.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 | Self::F16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// Gives every number of an array in memory, in the machine's order of bytes.
    pub(super) fn each(self, bytes: &[u8], mut give: impl FnMut(f64)) {
        macro_rules! each {
            ($kind:ty) => {{
                let (numbers, _) = bytes.as_chunks::<{ size_of::<$kind>() }>();
                for number in numbers {
                    give(<$kind>::from_ne_bytes(*number).into());
                }
            }};
            ($kind:ty as f64) => {{
                let (numbers, _) = bytes.as_chunks::<{ size_of::<$kind>() }>();
                for number in numbers {
                    give(<$kind>::from_ne_bytes(*number) as f64);
                }
            }};
        }
        match self {
            Self::Bool => bytes.iter().for_each(|byte| give(f64::from(u8::from(*byte != 0)))),
            Self::I8 => each!(i8),
            Self::I16 => each!(i16),
            Self::I32 => each!(i32),
            Self::I64 => each!(i64 as f64),
            Self::U8 => each!(u8),
            Self::U16 => each!(u16),
            Self::U32 => each!(u32),
            Self::U64 => each!(u64 as f64),
            Self::F16 => each!(f16),
            Self::F32 => each!(f32),
            Self::F64 => each!(f64),
        }
    }
}
