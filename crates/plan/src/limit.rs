//! The largest action an environment accepts.

/// Bounds the Euclidean norm of every action vector.
///
/// A planned step may hold several raw actions one after the other (a block), each of which is bounded by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActionLimit {
    /// Numbers in one raw action.
    pub dim: usize,
    /// Largest Euclidean norm of a raw action, in the environment's units.
    pub norm: f32,
}

impl ActionLimit {
    /// Scales every raw action that is too long back to the largest norm, keeping its direction.
    ///
    /// # Panics
    /// If the numbers do not divide into raw actions.
    pub fn clip(&self, actions: &mut [f32]) {
        assert!(
            actions.len().is_multiple_of(self.dim),
            "{} numbers do not divide into actions of {}",
            actions.len(),
            self.dim
        );
        for action in actions.chunks_exact_mut(self.dim) {
            let norm = action.iter().map(|value| value * value).sum::<f32>().sqrt();
            if norm > self.norm {
                let scale = self.norm / norm;
                for value in action {
                    *value *= scale;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_actions_are_shortened_and_short_ones_kept() {
        let mut actions = [3.0, 4.0, 0.3, -0.4, 0.0, 0.0];
        ActionLimit { dim: 2, norm: 2.5 }.clip(&mut actions);
        assert_eq!(actions, [1.5, 2.0, 0.3, -0.4, 0.0, 0.0]);
    }

    #[test]
    #[should_panic(expected = "3 numbers do not divide into actions of 2")]
    fn ragged_actions_panic() {
        ActionLimit { dim: 2, norm: 1.0 }.clip(&mut [0.0; 3]);
    }
}
