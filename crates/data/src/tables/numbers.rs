//! A column of a table.

/// The numbers of one column, row after row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Numbers {
    /// Numbers in a row.
    pub(crate) width: usize,
    pub(crate) values: Vec<f64>,
}

impl Numbers {
    /// Joins rows that begin at these places of `values`.
    ///
    /// # Errors
    /// If they are not equally long.
    pub(crate) fn from_rows(values: Vec<f64>, starts: &[usize]) -> Result<Self, String> {
        let end = |row: usize| starts.get(row + 1).copied().unwrap_or(values.len());
        let width = if starts.is_empty() { 0 } else { end(0) - starts[0] };
        for (row, &start) in starts.iter().enumerate() {
            let found = end(row) - start;
            if found != width {
                return Err(format!("has {found} numbers in row {row}, {width} in the first"));
            }
        }
        Ok(Self { width, values })
    }

    /// Each value as a whole number from 0 up.
    ///
    /// # Errors
    /// If one is none.
    pub(crate) fn counts(&self) -> Result<Vec<usize>, String> {
        // Up to there floats tell whole numbers apart.
        let range = 0.0..=9_007_199_254_740_992.0;
        match self.values.iter().find(|&value| !range.contains(value) || value.fract() != 0.0) {
            Some(value) => Err(format!("holds {value}, expected whole numbers from 0 to 2^53")),
            None => Ok(self.values.iter().map(|&value| value as usize).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Numbers;

    #[test]
    fn rows_have_one_width() {
        let numbers = Numbers::from_rows(vec![1.0, 2.0, 3.0, 4.0], &[0, 2]).unwrap();
        assert_eq!(numbers.width, 2);
        assert_eq!(numbers.counts().unwrap(), [1, 2, 3, 4]);
        let message = Numbers::from_rows(vec![1.0, 2.0, 3.0], &[0, 2]).unwrap_err();
        assert_eq!(message, "has 1 numbers in row 1, 2 in the first");
        assert_eq!(Numbers::from_rows(vec![], &[]).unwrap(), Numbers::default());
        for wrong in [-1.0, 0.5, f64::NAN, 1e300] {
            assert!(Numbers { width: 1, values: vec![wrong] }.counts().unwrap_err().contains("whole numbers"));
        }
    }
}
