//! Columns of numbers.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Float32Type;
use arrow_array::{Array as _, ArrayRef};
use arrow_cast::cast;
use arrow_schema::DataType;
use prevision_core::Array2;

use super::table::Table;
use crate::DataError;

/// Whether a column holds numbers: one in each row, or a list of the same length.
pub(super) fn are_numbers(data_type: &DataType) -> bool {
    match data_type {
        DataType::Boolean => true,
        DataType::FixedSizeList(item, _) => item.data_type().is_numeric() || item.data_type() == &DataType::Boolean,
        other => other.is_numeric(),
    }
}

/// A whole column, `[rows, numbers in a row]`. What is missing is NaN.
///
/// # Errors
/// If there is no such column, it is not of numbers, or it cannot be read.
pub(super) fn read(table: &Arc<Table>, name: &str) -> Result<Array2, DataError> {
    let data_type = table.data_type(name)?;
    let bad = |message: String| DataError::format(table.dir(), format!("column `{name}` {message}"));
    if !are_numbers(&data_type) {
        return Err(bad(format!("is of the type {data_type}, expected numbers or lists of a fixed size")));
    }
    let width = match data_type {
        DataType::FixedSizeList(_, width) => usize::try_from(width).unwrap_or(0),
        _ => 1,
    };
    let mut data = Vec::with_capacity(table.rows() * width);
    for array in table.column(name)? {
        append(&array, width, &mut data).map_err(|error| bad(error.to_string()))?;
    }
    if data.len() != table.rows() * width {
        return Err(bad(format!("has {} numbers, expected {} rows of {width}", data.len(), table.rows())));
    }
    Ok(Array2::new(data, table.rows(), width))
}

fn append(array: &ArrayRef, width: usize, data: &mut Vec<f32>) -> Result<(), arrow_schema::ArrowError> {
    let (values, lists) = match array.as_fixed_size_list_opt() {
        Some(lists) => (lists.values().clone(), Some(lists)),
        None => (array.clone(), None),
    };
    let values = cast(&values, &DataType::Float32)?;
    let values = values.as_primitive::<Float32Type>();
    for place in 0..values.len() {
        let there = !values.is_null(place) && lists.is_none_or(|lists| !lists.is_null(place / width));
        data.push(if there { values.value(place) } else { f32::NAN });
    }
    Ok(())
}
