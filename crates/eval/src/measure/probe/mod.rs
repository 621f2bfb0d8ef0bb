//! Probes: where the agent is, read from frozen latents by small models that see nothing else.
//!
//! Both probes learn from latents of training clips and are tested on latents of held-out clips, and on latents that the
//! model predicted. Positions are the first two columns of the state, x then y, in its unit.

mod mlp;
mod ridge;

use burn::tensor::Device;
use serde::Serialize;

use crate::{EvalError, Latents};

pub use mlp::{Mlp, MlpOptions};
pub use ridge::Ridge;

/// Mean Euclidean errors of probes, in the unit of the state; the names are fixed, whatever the unit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProbeResults {
    /// The MLP probe on encoded latents.
    pub position_px: f64,
    /// The linear probe on encoded latents.
    pub linear_px: f64,
    /// Always answering the mean position of the training clips: what a blind probe does.
    pub mean_px: f64,
    /// Latents the probes learned from.
    pub training_samples: usize,
    /// Latents they were tested on.
    pub test_samples: usize,
    /// The same probes on latents predicted from the first frame.
    pub predicted: Vec<ProbeAt>,
}

/// Errors of the probes on latents predicted some steps ahead, in the unit of the state.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ProbeAt {
    /// Steps ahead.
    pub horizon: usize,
    /// The MLP probe.
    pub position_px: f64,
    /// The linear probe.
    pub linear_px: f64,
}

/// Latents with the positions they were encoded from, clip by clip.
#[derive(Clone, Debug)]
pub struct Samples {
    /// `[clips, steps, dim]`.
    pub latents: Latents,
    /// The position of every latent, in the same order.
    pub positions: Vec<[f64; 2]>,
}

impl Samples {
    /// The mean position.
    fn mean_position(&self) -> [f64; 2] {
        let count = self.positions.len().max(1) as f64;
        std::array::from_fn(|axis| self.positions.iter().map(|position| position[axis]).sum::<f64>() / count)
    }

    /// The positions of one step of every clip.
    fn positions_at(&self, step: usize) -> Vec<[f64; 2]> {
        self.positions.iter().skip(step).step_by(self.latents.steps()).copied().collect()
    }
}

/// Fits both probes and measures them.
///
/// # Shapes
/// - predicted: `[clips, k, dim]`, the latents 1 to `k` steps after the first of every test clip
///
/// # Errors
/// If the device fails.
///
/// # Panics
/// If there are no samples, or latents and positions do not fit each other.
pub fn probe(
    training: &Samples,
    test: &Samples,
    predicted: &Latents,
    horizons: &[usize],
    options: &MlpOptions,
    device: &Device,
) -> Result<ProbeResults, EvalError> {
    for samples in [training, test] {
        assert_eq!(samples.latents.rows().len(), samples.positions.len(), "every latent needs a position");
    }
    let dim = training.latents.dim();
    let linear = Ridge::fit(training.latents.values(), &training.positions);
    let mlp = Mlp::fit(training.latents.values(), &training.positions, options, device)?;
    let both = |values: &[f32], positions: &[[f64; 2]]| -> Result<(f64, f64), EvalError> {
        let from_line: Vec<[f64; 2]> = values.chunks_exact(dim).map(|row| linear.predict(row)).collect();
        Ok((mean_distance(&mlp.predict(values)?, positions), mean_distance(&from_line, positions)))
    };
    let (position_px, linear_px) = both(test.latents.values(), &test.positions)?;
    let mean = vec![training.mean_position(); test.positions.len()];
    let at = |&horizon: &usize| {
        let values: Vec<f32> =
            (0..predicted.clips()).flat_map(|clip| predicted.at(clip, horizon - 1)).copied().collect();
        let (position_px, linear_px) = both(&values, &test.positions_at(horizon))?;
        Ok(ProbeAt { horizon, position_px, linear_px })
    };
    Ok(ProbeResults {
        position_px,
        linear_px,
        mean_px: mean_distance(&mean, &test.positions),
        training_samples: training.positions.len(),
        test_samples: test.positions.len(),
        predicted: horizons.iter().map(at).collect::<Result<_, EvalError>>()?,
    })
}

/// The mean Euclidean distance of corresponding points.
fn mean_distance(a: &[[f64; 2]], b: &[[f64; 2]]) -> f64 {
    assert_eq!(a.len(), b.len(), "as many predicted positions as true ones");
    a.iter().zip(b).map(|(a, b)| (a[0] - b[0]).hypot(a[1] - b[1])).sum::<f64>() / a.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Latents that hold the position linearly, plus one dimension of no use; two steps a clip.
    fn samples(clips: usize, offset: usize) -> Samples {
        let positions: Vec<[f64; 2]> = (0..2 * clips)
            .map(|i| {
                let phase = (i + offset) as f64;
                [32.0 + 20.0 * (phase * 0.7).sin(), 32.0 + 20.0 * (phase * 1.3).cos()]
            })
            .collect();
        let values = positions
            .iter()
            .enumerate()
            .flat_map(|(i, [x, y])| [(x + y) as f32, (x - y) as f32, ((i * 7) % 5) as f32])
            .collect();
        Samples { latents: Latents::from_values(values, 2, 3), positions }
    }

    #[test]
    fn both_probes_read_linear_positions() {
        let (training, test) = (samples(300, 0), samples(50, 1000));
        // A perfect prediction of step 1, and one that is one pixel off in x.
        let step: Vec<f32> = (0..50).flat_map(|clip| test.latents.at(clip, 1)).copied().collect();
        let exact = Latents::from_values(step.clone(), 1, 3);
        let off = step.chunks_exact(3).flat_map(|row| [row[0] + 1.0, row[1] + 1.0, row[2]]).collect();
        let off = Latents::from_values(off, 1, 3);
        let options = MlpOptions { steps: 300, ..MlpOptions::default() };
        let run = |predicted| probe(&training, &test, predicted, &[1], &options, &Device::flex()).unwrap();
        let found = run(&exact);
        assert!(found.linear_px < 0.1, "{found:?}");
        assert!(found.position_px < 1.5, "{found:?}");
        assert!((15.0..25.0).contains(&found.mean_px), "{found:?}");
        assert_eq!((found.training_samples, found.test_samples), (600, 100));
        assert!(found.predicted[0].linear_px < 0.1);
        assert!((run(&off).predicted[0].linear_px - 1.0).abs() < 0.1);
        assert_eq!(found, run(&exact), "a probe is a function of its inputs");
    }

    #[test]
    fn distances_are_euclidean() {
        assert_eq!(mean_distance(&[[0.0, 0.0], [1.0, 1.0]], &[[3.0, 4.0], [1.0, 1.0]]), 2.5);
    }
}
