//! What regularisers against collapse compare.

use burn::prelude::*;

use crate::terms::static_similarity::episode_means;

/// The parts of latents of moments that must not collapse: with a static part, that part, which must differ between episodes, and
/// how far the dynamic part is from its mean over the episode, which must differ within one; else the latents. Tokens of a grid
/// are samples of their own, compared with those of the same place.
///
/// # Shapes
/// - latents: `[batch, time, dim]`; the first `static_width` of `dim` are the static part
/// - places: tokens of the grid that each part is made of; 1 for a vector
/// - episodes: the episode of every clip, `batch` of them
/// - output: `[samples, channels]` each
///
/// # Panics
/// If a part is not made of so many tokens, or there is not one episode for every clip.
pub fn spread(latents: &Tensor<3>, static_width: usize, places: usize, episodes: &[usize]) -> Vec<Tensor<2>> {
    let tokens = |part: Tensor<3>| {
        let part: Tensor<2> = part.flatten(0, 1);
        let [samples, dim] = part.dims();
        if places == 1 {
            return part;
        }
        let part = part.clone() - part.mean_dim(0);
        part.reshape([samples * places, dim / places])
    };
    if static_width == 0 {
        return vec![tokens(latents.clone())];
    }
    let dynamic = latents.clone().narrow(2, static_width, latents.dims()[2] - static_width);
    let deviation = dynamic.clone() - episode_means(dynamic, episodes);
    vec![tokens(latents.clone().narrow(2, 0, static_width).narrow(1, 0, 1)), tokens(deviation)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(part: &Tensor<2>) -> Vec<f32> {
        part.to_data().try_into_vec_as().expect("floats")
    }

    #[test]
    fn latents_without_a_static_part_are_compared_as_they_are() {
        let latents = Tensor::<3>::from_floats([[[1.0, 2.0], [3.0, 4.0]]], &Device::flex());
        let parts = spread(&latents, 0, 1, &[0]);
        assert_eq!((parts.len(), parts[0].dims(), values(&parts[0])), (1, [2, 2], vec![1.0, 2.0, 3.0, 4.0]));
    }

    #[test]
    fn tokens_are_compared_with_those_of_their_place() {
        // Two places of one number: place 0 is 1 and 3 (mean 2), place 1 is 2 and 8 (mean 5).
        let latents = Tensor::<3>::from_floats([[[1.0, 2.0], [3.0, 8.0]]], &Device::flex());
        let parts = spread(&latents, 0, 2, &[0]);
        assert_eq!((parts[0].dims(), values(&parts[0])), ([4, 1], vec![-1.0, -3.0, 1.0, 3.0]));
    }

    #[test]
    fn a_static_part_is_that_of_first_moments_and_the_rest_its_deviation_in_the_episode() {
        let latents = Tensor::<3>::from_floats([[[9.0, 1.0], [9.0, 3.0]], [[7.0, 5.0], [7.0, 5.0]]], &Device::flex());
        let parts = spread(&latents, 1, 1, &[4, 6]);
        assert_eq!((values(&parts[0]), values(&parts[1])), (vec![9.0, 7.0], vec![-1.0, 1.0, 0.0, 0.0]));
    }
}
