//! What a plan begins from.

use burn::prelude::*;

/// Share of the agent from which on it stands in a place.
const HERE: f32 = 0.05;

/// What is the same for all candidates of a plan, for a batch of episodes.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The present latents, `[b, tokens, d]`.
    pub present: Tensor<3>,
    /// The latents of what the goals look like, `[b, tokens, d]`; `None` in a world that shows no goal.
    pub goal: Option<Tensor<3>>,
    /// Steps that passing each place of the model's learned distance takes beside what was learned, `[b, places]`.
    pub obstacles: Option<Tensor<2>>,
    /// The last raw actions that were executed before the plan, `[b, a]`; `None` when an episode begins.
    pub last_action: Option<Tensor<2>>,
}

impl Scene {
    /// The latents of what the goals look like, `[b, tokens, d]`.
    ///
    /// # Errors
    /// If the world shows no goal.
    pub fn goal(&self) -> Result<Tensor<3>, String> {
        self.goal.clone().ok_or_else(|| "the world shows no goal".to_owned())
    }

    /// The obstacles for ways from where the agent is: where it stands is no obstacle on its way out. Else an agent that has stood
    /// somewhere for long would find every imagined way out of there too long to be true.
    ///
    /// # Shapes
    /// - presence: `[b, places]`, the share of the agent in each place
    /// - output: `[b, places]`
    pub fn obstacles_from(&self, presence: Tensor<2>) -> Option<Tensor<2>> {
        self.obstacles.clone().map(|obstacles| obstacles.mask_fill(presence.greater_elem(HERE), 0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_agent_stands_is_no_obstacle_on_its_way_out() {
        let device = Device::flex();
        let scene = Scene {
            present: Tensor::zeros([1, 1, 1], &device),
            goal: None,
            obstacles: Some(Tensor::from_floats([[30.0, 20.0, 10.0, 0.0]], &device)),
            last_action: None,
        };
        let presence = Tensor::<2>::from_floats([[0.9, 0.05, 0.0501, 0.0]], &device);
        let left = scene.obstacles_from(presence).unwrap().into_data().try_into_vec_as::<f32>().unwrap();
        assert_eq!(left, [0.0, 20.0, 0.0, 0.0]);
        assert_eq!(scene.goal().unwrap_err(), "the world shows no goal");
    }
}
