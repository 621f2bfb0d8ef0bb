//! The numbers that products multiply, as an argument.

use prevision_kernels::Precision;
use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;

/// A precision by its name in configurations.
pub(crate) fn precision(name: &str) -> Result<Precision, serde::de::value::Error> {
    Precision::deserialize(name.into_deserializer())
}
