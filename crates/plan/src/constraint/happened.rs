//! What really happened, for constraints to judge.

use std::cell::OnceCell;

use prevision_core::Observations;
use prevision_env::TimeStep;
use prevision_model::{Latents, ObservationBatch, WorldModel};

use crate::policy::streams_of;
use crate::readout::{POSITION, Readout};

/// One step of the world, in several episodes.
pub struct Happened<'a> {
    model: &'a dyn WorldModel,
    /// What was seen before and after it.
    seen: Vec<[&'a TimeStep; 2]>,
    /// Where the agent was before and after it, by the world itself.
    positions: Vec<Option<[[f32; 2]; 2]>>,
    latents: OnceCell<Latents>,
}

impl<'a> Happened<'a> {
    /// A step of some episodes: what was seen before and after it, and where the agent was by the world itself, if that says so.
    ///
    /// # Panics
    /// If there are not as many positions as episodes, or no episodes.
    pub fn new(model: &'a dyn WorldModel, seen: Vec<[&'a TimeStep; 2]>, positions: Vec<Option<[[f32; 2]; 2]>>) -> Self {
        let counts = [seen.len(), positions.len()];
        assert!(counts[0] == counts[1] && counts[0] > 0, "{counts:?} moments and positions of episodes");
        Self { model, seen, positions, latents: OnceCell::new() }
    }

    /// Number of episodes.
    pub fn episodes(&self) -> usize {
        self.seen.len()
    }

    /// The latents of what was seen before and after the step, `[episodes, 2, tokens, d]`.
    ///
    /// # Errors
    /// If the world does not show what the model sees.
    pub fn latents(&self) -> Result<&Latents, String> {
        if let Some(latents) = self.latents.get() {
            return Ok(latents);
        }
        let spec = self.model.spec();
        let rows = self.seen.iter().map(|[before, after]| {
            let mut row = streams_of(&spec.spaces, &before.observations)?;
            row.append(&streams_of(&spec.spaces, &after.observations)?);
            Ok(row)
        });
        let rows: Vec<Observations> = rows.collect::<Result<_, String>>()?;
        let rows: Vec<&Observations> = rows.iter().collect();
        let batch = ObservationBatch::upload(&rows, &spec.normalise, &self.model.device());
        Ok(self.latents.get_or_init(|| self.model.encode(&batch)))
    }

    /// The values of a readout before and after the step, for each episode: the world's own position where that is what is read, else
    /// what the model reads from the latents of what was seen.
    ///
    /// # Errors
    /// As [`latents`](Self::latents).
    pub(super) fn readout(&self, readout: &Readout) -> Result<Vec<[Vec<f64>; 2]>, String> {
        let positions: Option<Vec<[[f32; 2]; 2]>> = self.positions.iter().copied().collect();
        if let (Some(positions), POSITION) = (positions, readout.name()) {
            let known = |[before, after]: [[f32; 2]; 2]| [before, after].map(|at| at.map(f64::from).to_vec());
            return Ok(positions.into_iter().map(known).collect());
        }
        let values =
            readout.of(self.latents()?).into_data().try_into_vec_as::<f32>().map_err(|error| error.to_string())?;
        let moments: Vec<Vec<f64>> =
            values.chunks_exact(readout.width()).map(|row| row.iter().copied().map(f64::from).collect()).collect();
        Ok(moments.chunks_exact(2).map(|pair| [pair[0].clone(), pair[1].clone()]).collect())
    }
}
