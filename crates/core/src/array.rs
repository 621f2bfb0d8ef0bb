//! A matrix of numbers that travel with frames: actions, states.

use serde::{Deserialize, Serialize};

/// Row-major matrix of `f32`, one row per frame or per step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Array2 {
    /// `rows * columns` values, row after row.
    pub data: Vec<f32>,
    /// Number of rows: frames or steps.
    pub rows: usize,
    /// Number of values in a row.
    pub columns: usize,
}

impl Array2 {
    /// A matrix of these values.
    ///
    /// # Panics
    /// If there are not exactly `rows * columns` values.
    pub fn new(data: Vec<f32>, rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns, "Array2: {} values cannot be a [{rows}, {columns}] matrix", data.len());
        Self { data, rows, columns }
    }

    /// A matrix of zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { data: vec![0.0; rows * columns], rows, columns }
    }

    /// One row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, index: usize) -> &[f32] {
        assert!(index < self.rows, "Array2: row {index} of a [{}, {}] matrix", self.rows, self.columns);
        &self.data[index * self.columns..(index + 1) * self.columns]
    }

    /// A copy of `count` rows from `start` on.
    ///
    /// # Panics
    /// If the rows reach past the end.
    #[must_use]
    pub fn slice(&self, start: usize, count: usize) -> Self {
        assert!(
            start + count <= self.rows,
            "Array2: rows {start}..{} of a [{}, {}] matrix",
            start + count,
            self.rows,
            self.columns
        );
        Self::new(self.data[start * self.columns..(start + count) * self.columns].to_vec(), count, self.columns)
    }

    /// Appends a row.
    ///
    /// # Panics
    /// If the row has not the matrix's width. An empty matrix takes the width of its first row.
    pub fn push(&mut self, row: &[f32]) {
        if self.rows == 0 {
            self.columns = row.len();
        }
        assert_eq!(
            row.len(),
            self.columns,
            "Array2: a row of {} for a [{}, {}] matrix",
            row.len(),
            self.rows,
            self.columns
        );
        self.data.extend_from_slice(row);
        self.rows += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_slices() {
        let mut array = Array2::default();
        for k in 0..3_u8 {
            array.push(&[f32::from(k), 10.0 + f32::from(k)]);
        }
        assert_eq!((array.rows, array.columns), (3, 2));
        assert_eq!(array.row(1), [1.0, 11.0]);
        assert_eq!(array.slice(1, 2), Array2::new(vec![1.0, 11.0, 2.0, 12.0], 2, 2));
    }

    #[test]
    #[should_panic(expected = "5 values cannot be a [2, 3] matrix")]
    fn wrong_count_panics() {
        let _ = Array2::new(vec![0.0; 5], 2, 3);
    }
}
