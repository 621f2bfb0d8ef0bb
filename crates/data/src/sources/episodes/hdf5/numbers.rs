//! Numbers of any type.

use hdf5_reader::error::{ByteOrder, Error, Result};
use hdf5_reader::{Dataset, Datatype, H5Type, dtype_element_size};
use npyz::half::f16;

/// A boolean, integer or float of up to 8 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(pub(super) f64);

impl H5Type for Number {
    fn hdf5_type() -> Datatype {
        Datatype::FloatingPoint { size: 8, byte_order: ByteOrder::LittleEndian }
    }

    fn from_bytes(bytes: &[u8], kind: &Datatype) -> Result<Self> {
        number(bytes, kind).map(Self).ok_or_else(|| Error::TypeMismatch {
            expected: "a boolean, integer or float of up to 8 bytes".to_owned(),
            actual: format!("{kind:?}"),
        })
    }

    fn element_size(kind: &Datatype) -> usize {
        dtype_element_size(kind).unwrap_or(0)
    }
}

/// Whether the elements of a data set are numbers that are read.
pub(super) fn is_numeric(data_set: &Dataset) -> bool {
    let kind = data_set.dtype();
    let known = dtype_element_size(kind).is_ok_and(|size| number(&[0; 8][..size.min(8)], kind).is_some());
    known && (!matches!(kind, Datatype::FloatingPoint { .. }) || data_set.raw_datatype().is_ok_and(|raw| is_ieee(&raw)))
}

/// Whether the exponent and the fraction of a float have the bits of IEEE 754, by its datatype message.
fn is_ieee(message: &[u8]) -> bool {
    let size = message.get(4..8).map(|size| u32::from_le_bytes([size[0], size[1], size[2], size[3]]));
    let bits = message.get(13).zip(message.get(15));
    matches!((size, bits), (Some(2), Some((5, 10))) | (Some(4), Some((8, 23))) | (Some(8), Some((11, 52))))
}

/// The number in some bytes of a type; none of another type.
pub(super) fn number(bytes: &[u8], kind: &Datatype) -> Option<f64> {
    match kind {
        // h5py's booleans.
        Datatype::Enum { base, .. } => number(bytes, base),
        Datatype::FixedPoint { size, signed, byte_order } => {
            let bytes = little_endian(bytes, *size, *byte_order)?;
            let unsigned = u64::from_le_bytes(bytes);
            let unused = 64 - 8 * u32::from(*size);
            Some(if *signed { ((unsigned << unused).cast_signed() >> unused) as f64 } else { unsigned as f64 })
        }
        Datatype::FloatingPoint { size, byte_order } => {
            let bytes = u64::from_le_bytes(little_endian(bytes, *size, *byte_order)?);
            match size {
                2 => Some(f64::from(f16::from_bits(bytes as u16))),
                4 => Some(f64::from(f32::from_bits(bytes as u32))),
                8 => Some(f64::from_bits(bytes)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The bytes of a number of 1 to 8 bytes from the lowest on, with zeros behind them.
fn little_endian(bytes: &[u8], size: u8, order: ByteOrder) -> Option<[u8; 8]> {
    let mut number = [0; 8];
    let bytes = bytes.get(..usize::from(size)).filter(|bytes| !bytes.is_empty())?;
    number.get_mut(..bytes.len())?.copy_from_slice(bytes);
    if order == ByteOrder::BigEndian {
        number[..bytes.len()].reverse();
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_all_widths() {
        let integer = |size, signed, byte_order| Datatype::FixedPoint { size, signed, byte_order };
        let float = |size, byte_order| Datatype::FloatingPoint { size, byte_order };
        let (little, big) = (ByteOrder::LittleEndian, ByteOrder::BigEndian);
        assert_eq!(number(&[0xff], &integer(1, true, little)), Some(-1.0));
        assert_eq!(number(&[0xff], &integer(1, false, little)), Some(255.0));
        assert_eq!(number(&[0xff, 0xfe], &integer(2, true, big)), Some(-2.0));
        assert_eq!(number(&[1, 2, 0], &integer(3, false, little)), Some(513.0));
        assert_eq!(number(&i64::MIN.to_le_bytes(), &integer(8, true, little)), Some(i64::MIN as f64));
        assert_eq!(number(&u64::MAX.to_be_bytes(), &integer(8, false, big)), Some(u64::MAX as f64));
        assert_eq!(number(&[0x3e, 0x00], &float(2, big)), Some(1.5));
        assert_eq!(number(&0.1_f32.to_be_bytes(), &float(4, big)), Some(f64::from(0.1_f32)));
        assert_eq!(number(&0.1_f64.to_le_bytes(), &float(8, little)), Some(0.1));
        for kind in [integer(0, true, little), integer(9, true, little), float(3, little)] {
            assert_eq!(number(&[0; 16], &kind), None);
        }
        assert_eq!(number(&[0; 3], &integer(4, true, little)), None);
    }
}
