//! Action sequences for slower models.

use prevision_core::{Space, seed};
use rand::Rng;

/// Sequences of actions, each of the length of a stride: one action is kept up, in every second sequence another from some moment on. They
/// lead as far as a stride can, in all directions and around corners.
#[derive(Clone, Debug)]
pub struct Strides {
    space: Space,
    /// Raw actions in one action of the model.
    block: usize,
    /// Actions of the model in a sequence.
    stride: usize,
}

impl Strides {
    /// Sequences of `stride` actions of a model, each of `block` raw actions of `space`.
    pub fn new(space: Space, block: usize, stride: usize) -> Self {
        Self { space, block, stride }
    }

    /// Actions of the model in one sequence.
    pub fn steps(&self) -> usize {
        self.stride
    }

    /// Numbers in one sequence.
    pub fn length(&self) -> usize {
        self.stride * self.block * self.space.width()
    }

    /// Draws sequences for a place, the same for the same seed, episode and place.
    ///
    /// # Shapes
    /// - output: `[samples * stride * a]`
    pub fn draw(&self, samples: usize, seed: u64, episode: u64, place: u64) -> Vec<f32> {
        let mut rng = seed::rng(seed, "strides", place, episode);
        let mut values = Vec::with_capacity(samples * self.length());
        for sample in 0..samples {
            let raw = self.stride * self.block;
            let turn = if sample % 2 == 0 { raw } else { rng.random_range(1..raw.max(2)) };
            let [first, then] = [self.space.sample(&mut rng), self.space.sample(&mut rng)];
            for moment in 0..raw {
                values.extend(if moment < turn { &first } else { &then });
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_kept_up_and_lie_in_the_space() {
        let strides = Strides::new(Space::Ball { dim: 2, radius: 3.0 }, 2, 4);
        let drawn = strides.draw(40, 1, 2, 3);
        assert_eq!((strides.length(), drawn.len()), (16, 640));
        for (sample, sequence) in drawn.chunks_exact(16).enumerate() {
            let actions: Vec<&[f32]> = sequence.chunks_exact(2).collect();
            let turns = actions.windows(2).filter(|pair| pair[0] != pair[1]).count();
            assert_eq!(turns, sample % 2, "{sequence:?}");
            assert!(actions.iter().all(|action| action[0].hypot(action[1]) <= 3.0));
        }
        assert_eq!(strides.draw(40, 1, 2, 3), drawn);
        assert_ne!(strides.draw(40, 1, 2, 4), drawn);
        let choices = Strides::new(Space::Discrete { count: 3 }, 1, 2).draw(10, 0, 0, 0);
        assert!(choices.chunks_exact(3).all(|choice| choice.iter().sum::<f32>() == 1.0));
    }
}
