//! Probabilities: the nearest ones to any numbers.

/// Replaces numbers by the nearest ones, in the Euclidean sense, that are not negative and add up to 1 (Duchi et al. 2008, figure 1).
pub(super) fn project(values: &mut [f32]) {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let (mut sum, mut shift) = (0.0, 0.0);
    for (index, value) in sorted.iter().enumerate() {
        sum += value;
        let candidate = (sum - 1.0) / (index + 1) as f32;
        if *value > candidate {
            shift = candidate;
        }
    }
    for value in values {
        *value = (*value - shift).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projected<const N: usize>(mut values: [f32; N]) -> [f32; N] {
        project(&mut values);
        values
    }

    #[test]
    fn the_nearest_probabilities_by_hand() {
        assert_eq!(projected([0.25, 0.75]), [0.25, 0.75]);
        assert_eq!(projected([0.0, 0.0]), [0.5, 0.5]);
        assert_eq!(projected([2.0, 0.0, 0.0]), [1.0, 0.0, 0.0]);
        // 1.0 and 0.5 share 1 after a shift by 0.25; -1 falls out.
        assert_eq!(projected([1.0, 0.5, -1.0]), [0.75, 0.25, 0.0]);
        assert_eq!(projected([-7.0]), [1.0]);
    }
}
