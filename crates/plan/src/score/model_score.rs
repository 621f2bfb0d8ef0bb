//! The score of candidates by a world model: imagine, then measure.

use burn::prelude::*;
use prevision_kernels::{on_cpu, parallel};
use prevision_model::{Latents, Past, WorldModel};

use super::chunk::{Chunk, chunks, rows_at_once};
use super::memory::{bytes_per_rollout, rows_within};
use super::tape::{OnTape, differentiate};
use super::{Gradients, Rollout, Score, Scores};
use crate::constraint::Constraint;
use crate::cost::{Cost, Imagined, Measure, Scene, Steps};

/// Whether derivatives are wanted.
#[derive(Clone, Copy)]
enum Tape {
    Off,
    On,
}

/// On the tape, which keeps intermediate values, this part of the rollouts is made at once that is made off it.
const TAPE_SHARE: usize = 4;

/// What is measured of candidates.
pub struct Criteria {
    /// Costs with their weights; they add up.
    pub costs: Vec<(f64, Box<dyn Cost>)>,
    /// Constraints; their violations add up.
    pub constraints: Vec<Box<dyn Constraint>>,
}

impl Criteria {
    /// Of which imagined steps the learned distance is read: most of what any of them says.
    fn starts(&self) -> Option<Steps> {
        let costs = self.costs.iter().map(|(_, cost)| cost.starts());
        costs.chain(self.constraints.iter().map(|constraint| constraint.starts())).flatten().max()
    }
}

/// Scores candidates by rolling out a world model. All episodes and samples are one batch, worked off in chunks, on the CPU by all
/// cores; neither changes the result.
pub struct ModelScore<'a> {
    model: &'a dyn WorldModel,
    past: Past,
    costs: Vec<(f64, Box<dyn Measure>)>,
    constraints: Vec<Box<dyn Measure>>,
    starts: Option<Steps>,
    /// Rollouts made at once by each worker, off the tape and on it.
    rows_at_once: [usize; 2],
    /// Bytes that rollouts may take at a time.
    memory: Option<usize>,
}

impl<'a> ModelScore<'a> {
    /// A score for one plan of each of the past's episodes, which the scene describes.
    ///
    /// # Errors
    /// What a cost or constraint misses.
    pub fn new(model: &'a dyn WorldModel, criteria: &Criteria, past: Past, scene: &Scene) -> Result<Self, String> {
        let costs = criteria.costs.iter().map(|(weight, cost)| Ok((*weight, cost.prepare(scene)?)));
        let constraints = criteria.constraints.iter().map(|constraint| constraint.prepare(scene));
        let rows_at_once = rows_at_once(&past.latents.tokens.device());
        Ok(Self {
            model,
            costs: costs.collect::<Result<_, String>>()?,
            constraints: constraints.collect::<Result<_, String>>()?,
            starts: criteria.starts(),
            past,
            rows_at_once: [rows_at_once, rows_at_once.div_ceil(TAPE_SHARE)],
            memory: None,
        })
    }

    /// The same with chunks so small that what is imagined for candidates takes at most about so many bytes at a time. The bound does not
    /// change the result, and the chunks do not depend on how many episodes or candidates there are.
    #[must_use]
    pub fn within_memory(self, bytes: usize) -> Self {
        Self { memory: Some(bytes), ..self }
    }

    /// The same with chunks of at most so many rollouts: for tests that the result does not depend on it.
    #[doc(hidden)]
    #[must_use]
    pub fn with_rows_at_once(self, rows: usize) -> Self {
        Self { rows_at_once: [rows; 2], ..self }
    }

    /// Rollouts of `horizon` steps made at once by each worker.
    fn rows_at_once(&self, horizon: usize, tape: Tape) -> usize {
        let most = self.rows_at_once[tape as usize];
        self.memory.map_or(most, |bound| {
            let workers = if on_cpu(&self.device()) { parallel::threads() } else { 1 };
            let each = bytes_per_rollout(self.model.spec(), horizon)[tape as usize];
            most.min(rows_within(bound, each, workers))
        })
    }

    /// Rolls out and measures some candidates of some episodes, `[chunk.rows, chunk.samples, horizon, a]`; on the tape if the actions
    /// are on it.
    fn chunk(&self, chunk: &Chunk, actions: Tensor<4>) -> Rollout {
        let mut past = self.past.rows(chunk.row, chunk.rows);
        if actions.device().is_autodiff() {
            past = past.autodiff();
        }
        let latents = self.model.imagine(&past, actions.clone());
        let distance = self.starts.zip(self.model.distance());
        let imagined = Imagined::new(chunk.row..chunk.row + chunk.rows, latents, actions, distance);
        let zeros = || Tensor::zeros([chunk.rows, chunk.samples], &imagined.actions.device());
        let costs = self.costs.iter().map(|(weight, cost)| cost.value(&imagined) * *weight);
        let costs = costs.reduce(|sum, cost| sum + cost).unwrap_or_else(zeros);
        let violations = self.constraints.iter().map(|constraint| constraint.value(&imagined).clamp_min(0.0));
        let violations = violations.reduce(|sum, violation| sum + violation);
        Rollout { scores: Scores { costs, violations }, latents: imagined.latents }
    }

    /// What a chunk of candidates is worth, and its derivatives. With constraints it is imagined twice, because the way back over a
    /// tape uses it up.
    fn chunk_gradients(&self, chunk: &Chunk, actions: Tensor<4>) -> Result<Gradients, String> {
        let found = |OnTape { values, gradient }: OnTape, what: &str| match gradient {
            Some(gradient) => Ok((values, gradient)),
            None => Err(format!("{what} have no derivatives with respect to the actions")),
        };
        let costs = differentiate(actions.clone(), |actions| self.chunk(chunk, actions).scores.costs);
        let (costs, gradient) = found(costs, "the costs of what the model imagines")?;
        let mut gradients = Gradients { scores: Scores { costs, violations: None }, costs: gradient, violations: None };
        if !self.constraints.is_empty() {
            let violations = |actions| self.chunk(chunk, actions).scores.violations.expect("there are constraints");
            let (values, gradient) = found(differentiate(actions, violations), "violations of the constraints")?;
            gradients.scores.violations = Some(values);
            gradients.violations = Some(gradient);
        }
        Ok(gradients)
    }

    /// Works all chunks off and gives what `work` makes of each, in order.
    fn all<R: Send>(
        &self,
        actions: Tensor<4>,
        tape: Tape,
        work: impl Fn(&Chunk, Tensor<4>) -> R + Sync + Send,
    ) -> Vec<R> {
        let [rows, samples, horizon, _] = actions.dims();
        let known = self.past.latents.dims();
        assert_eq!(rows, known[0], "candidates {:?} for episodes {known:?}", actions.dims());
        let part = |chunk: Chunk| {
            let part = actions.clone().narrow(0, chunk.row, chunk.rows).narrow(1, chunk.sample, chunk.samples);
            (chunk, part)
        };
        let parts = chunks(rows, samples, self.rows_at_once(horizon, tape));
        let parts: Vec<(Chunk, Tensor<4>)> = parts.into_iter().map(part).collect();
        let work = |(chunk, actions): (Chunk, Tensor<4>)| work(&chunk, actions);
        if on_cpu(&self.device()) { parallel::map(parts, work) } else { parts.into_iter().map(work).collect() }
    }
}

impl Score for ModelScore<'_> {
    fn device(&self) -> Device {
        self.past.latents.tokens.device()
    }

    fn rollout(&self, actions: Tensor<4>) -> Rollout {
        let [rows, samples, ..] = actions.dims();
        let parts = self.all(actions, Tape::Off, |chunk, actions| {
            let rollout = self.chunk(chunk, actions);
            (flat(rollout.scores, chunk), rollout.latents)
        });
        let (scores, latents): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        Rollout { scores: join(scores, [rows, samples]), latents: Latents::join(latents) }
    }

    fn score(&self, actions: Tensor<4>) -> Scores {
        let [rows, samples, ..] = actions.dims();
        let parts = self.all(actions, Tape::Off, |chunk, actions| flat(self.chunk(chunk, actions).scores, chunk));
        join(parts, [rows, samples])
    }

    fn gradients(&self, actions: Tensor<4>) -> Result<Gradients, String> {
        let shape @ [rows, samples, horizon, width] = actions.dims();
        let parts = self.all(actions, Tape::On, |chunk, actions| {
            let Gradients { scores, costs, violations } = self.chunk_gradients(chunk, actions)?;
            let sequences = |values: Tensor<4>| values.reshape([chunk.rows * chunk.samples, horizon * width]);
            Ok((flat(scores, chunk), sequences(costs), violations.map(sequences)))
        });
        let parts: Vec<(Flat, Tensor<2>, Option<Tensor<2>>)> = parts.into_iter().collect::<Result<_, String>>()?;
        let mut scores = Vec::new();
        let (mut costs, mut violations) = (Vec::new(), Vec::new());
        for (of_chunk, cost, violation) in parts {
            scores.push(of_chunk);
            costs.push(cost);
            violations.extend(violation);
        }
        let all = |parts: Vec<Tensor<2>>| Tensor::cat(parts, 0).reshape(shape);
        let violations = (!violations.is_empty()).then(|| all(violations));
        Ok(Gradients { scores: join(scores, [rows, samples]), costs: all(costs), violations })
    }
}

/// Costs and violations of a chunk, `[candidates]`.
type Flat = (Tensor<1>, Option<Tensor<1>>);

fn flat(scores: Scores, chunk: &Chunk) -> Flat {
    let flat = |values: Tensor<2>| values.reshape([chunk.rows * chunk.samples]);
    (flat(scores.costs), scores.violations.map(flat))
}

fn join(parts: Vec<Flat>, shape: [usize; 2]) -> Scores {
    let (costs, violations): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let violations: Option<Vec<Tensor<1>>> = violations.into_iter().collect();
    let all = |parts: Vec<Tensor<1>>| Tensor::cat(parts, 0).reshape(shape);
    Scores { costs: all(costs), violations: violations.map(all) }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Distribution;
    use prevision_model::Latents;

    use super::*;
    use crate::cost::{ActionNorm, LatentConfig, LatentDistance};
    use crate::toy_model::Drift;

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_into_vec_as::<f32>().unwrap()
    }

    fn latent(steps: Steps) -> (f64, Box<dyn Cost>) {
        (1.0, Box::new(LatentDistance::new(LatentConfig { steps, ..LatentConfig::default() })))
    }

    fn past(latents: Tensor<3>) -> Past {
        Past { latents: Latents::new(latents.unsqueeze_dim(2)), actions: None }
    }

    fn scene(past: &Past, goal: Tensor<2>) -> Scene {
        let present = past.latents.last().tokens.squeeze_dim(1);
        Scene { present, goal: Some(goal.unsqueeze_dim(1)), obstacles: None, last_action: None }
    }

    #[test]
    fn imagines_measures_and_adds_up() {
        let device = Device::flex();
        let past = past(Tensor::from_floats([[[1.0, 0.0]]], &device));
        let scene = scene(&past, Tensor::from_floats([[3.0, 0.0]], &device));
        let mut criteria = Criteria { costs: vec![latent(Steps::Summed)], constraints: Vec::new() };
        let actions = Tensor::<4>::from_floats([[[[1.0, 0.0], [1.0, 0.0]], [[0.0, 2.0], [2.0, 0.0]]]], &device);
        let model = Drift::new(2);
        let scores = |criteria: &Criteria| {
            let score = ModelScore::new(&model, criteria, past.clone(), &scene).unwrap();
            score.score(actions.clone())
        };
        // First candidate: (2, 0), (3, 0); second: (1, 2), (3, 2).
        assert_eq!(values(scores(&criteria).costs), [0.5, 6.0]);
        criteria.costs.push((0.5, Box::new(ActionNorm)));
        let both = scores(&criteria);
        assert_eq!(values(both.costs), [1.5, 10.0]);
        assert!(both.violations.is_none());
    }

    #[test]
    fn past_actions_count_and_violations_add_up() {
        struct Bound(f32);
        impl Constraint for Bound {
            fn prepare(&self, _: &Scene) -> Result<Box<dyn Measure>, String> {
                Ok(Box::new(Self(self.0)))
            }
        }
        impl Measure for Bound {
            fn value(&self, imagined: &Imagined) -> Tensor<2> {
                let [rows, samples, ..] = imagined.actions.dims();
                imagined.latents.last().tokens.max_dim(3).reshape([rows, samples]) - self.0
            }
        }
        let device = Device::flex();
        let latents = Tensor::<3>::from_floats([[[9.0, 9.0], [1.0, 0.0]]], &device);
        let past = Past { actions: Some(Tensor::from_floats([[[10.0, 0.0]]], &device)), ..past(latents) };
        let scene = scene(&past, Tensor::from_floats([[0.0, 0.0]], &device));
        let constraints: Vec<Box<dyn Constraint>> = vec![Box::new(Bound(2.0)), Box::new(Bound(2.5))];
        let criteria = Criteria { costs: vec![latent(Steps::Last)], constraints };
        let model = Drift::new(2);
        let score = ModelScore::new(&model, &criteria, past, &scene).unwrap();
        let actions = Tensor::<4>::from_floats([[[[1.0, 1.0]], [[0.0, 0.0]]]], &device);
        let rollout = score.rollout(actions);
        assert_eq!(values(rollout.latents.tokens), [3.0, 1.0, 2.0, 0.0]);
        assert_eq!(values(rollout.scores.costs), [5.0, 2.0]);
        assert_eq!(values(rollout.scores.violations.unwrap()), [1.5, 0.0]);
    }

    #[test]
    fn chunks_do_not_change_the_result() {
        let device = Device::flex();
        let random = |shape: [usize; 4]| Tensor::<4>::random(shape, Distribution::Normal(0.0, 1.0), &device);
        let past = past(random([5, 1, 1, 2]).reshape([5, 1, 2]));
        let scene = scene(&past, random([5, 1, 1, 2]).reshape([5, 2]));
        let criteria = Criteria { costs: vec![latent(Steps::Summed)], constraints: Vec::new() };
        let (model, actions) = (Drift::new(2), random([5, 7, 4, 2]));
        let rollout = |rows: usize| {
            let score = ModelScore::new(&model, &criteria, past.clone(), &scene).unwrap().with_rows_at_once(rows);
            let rollout = score.rollout(actions.clone());
            assert_eq!(values(score.score(actions.clone()).costs), values(rollout.scores.costs.clone()));
            (values(rollout.scores.costs), values(rollout.latents.tokens))
        };
        let whole = rollout(256);
        for rows in [1, 3, 7, 14, 20] {
            assert_eq!(rollout(rows), whole, "chunks of {rows}");
        }
    }

    #[test]
    fn a_cost_without_a_goal_says_so() {
        let device = Device::flex();
        let past = past(Tensor::from_floats([[[1.0, 0.0]]], &device));
        let scene = Scene { goal: None, ..scene(&past, Tensor::zeros([1, 2], &device)) };
        let criteria = Criteria { costs: vec![latent(Steps::Last)], constraints: Vec::new() };
        let error = ModelScore::new(&Drift::new(2), &criteria, past, &scene).err().unwrap();
        assert_eq!(error, "the world shows no goal");
    }
}
