//! A planner whose model learns from what it sees.

use std::sync::Arc;

use burn::prelude::*;
use prevision_env::{Decision, Policy, PolicyError, PredictionErrors, Start, TimeStep};
use prevision_kernels::{on_cpu, parallel};
use prevision_model::{Adaptable, Latents, Past, Transition, WorldModel};

use super::{Choices, Guidance, LatentPolicy, Planner};

/// Plans with a model that is adapted to the world it acts in (`AdaJEPA`, arXiv 2606.32026): before each new plan the predictor takes one
/// gradient step on what it imagined of the actions since the last plan and what was then seen.
///
/// Every episode has a planner and a predictor of its own and begins with the trained weights, so that none depends on the others.
pub struct Adapting {
    /// What the planner of every episode is a clone of, with the trained model.
    planner: Planner,
    rate: f64,
    rows: Vec<Row>,
}

/// One episode.
struct Row {
    planner: Planner,
    /// What was known when the last plan was made.
    past: Option<Past>,
    /// The actions since then, `[k * a]`.
    taken: Vec<f32>,
    /// How wrong the models were about what these led to, until it is told.
    errors: Option<PredictionErrors>,
}

impl Adapting {
    /// A planner whose model takes steps of this rate, see [`Adaptable::adapted`].
    ///
    /// # Errors
    /// If the model cannot be adapted.
    pub fn new(planner: Planner, rate: f64) -> Result<Self, String> {
        let _ = adaptable(planner.model().as_ref())?;
        Ok(Self { planner, rate, rows: Vec::new() })
    }

    /// What `work` makes of these rows, each with its item, on all cores if the model runs there.
    fn each<T: Send, R: Send>(
        &mut self,
        rows: &[usize],
        items: Vec<T>,
        work: impl Fn(&mut Row, T) -> Result<R, PolicyError> + Send + Sync,
    ) -> Result<Vec<R>, PolicyError> {
        let cpu = on_cpu(&self.planner.model().device());
        let mut all: Vec<Option<&mut Row>> = self.rows.iter_mut().map(Some).collect();
        let tasks = rows.iter().zip(items).map(|(row, item)| (all[*row].take().expect("every row once"), item));
        let work = |(row, item): (&mut Row, T)| work(row, item);
        if cpu { parallel::map(tasks.collect(), work).into_iter().collect() } else { tasks.map(work).collect() }
    }
}

fn adaptable(model: &dyn WorldModel) -> Result<&dyn Adaptable, String> {
    model.adaptable().ok_or_else(|| "this model cannot be adapted".to_owned())
}

impl Row {
    fn new(planner: Planner) -> Self {
        Self { planner, past: None, taken: Vec::new(), errors: None }
    }

    /// Takes in what is seen, and learns from it before a new plan.
    fn observe(&mut self, seen: &TimeStep, trained: &dyn WorldModel, rate: f64) -> Result<Option<Past>, PolicyError> {
        let Some(past) = self.planner.observe(&[0], &[seen])? else { return Ok(None) };
        if let Some(before) = self.past.replace(past.clone()) {
            let transition = self.transition(before, &past.latents);
            self.learn(&transition, trained, rate)
                .map_err(|message| PolicyError::Unfit { policy: self.planner.name(), message })?;
        }
        Ok(Some(past))
    }

    /// What the actions since the last plan led to.
    fn transition(&mut self, past: Past, now: &Latents) -> Transition {
        let model = self.planner.model();
        let width = model.spec().spaces.action_width();
        let steps = self.taken.len() / width;
        let actions = TensorData::new(std::mem::take(&mut self.taken), [1, steps, width]);
        let [_, moments, ..] = now.dims();
        let seen = moments.min(steps);
        let actions = Tensor::from_data(actions, &model.device());
        Transition { past, actions, seen: now.moments(moments - seen, seen) }
    }

    /// Says how wrong the models were, and adapts this one.
    fn learn(&mut self, transition: &Transition, trained: &dyn WorldModel, rate: f64) -> Result<(), String> {
        let adapted = adaptable(self.planner.model().as_ref())?;
        let error = |model: &dyn Adaptable| f64::from(model.errors(transition).mean().into_scalar::<f32>());
        let errors = PredictionErrors { trained: error(adaptable(trained)?), adapted: error(adapted) };
        let next = adapted.adapted(transition, rate);
        self.errors = Some(errors);
        self.planner.set_model(next);
        Ok(())
    }

    fn choose(&mut self, past: Option<Past>, guidance: Guidance) -> Result<Choices, PolicyError> {
        let mut choices = self.planner.choose(&[0], past, guidance)?;
        for decision in &mut choices.decisions {
            self.taken.extend_from_slice(&decision.action);
            decision.prediction_errors = self.errors.take();
        }
        Ok(choices)
    }
}

impl Policy for Adapting {
    fn name(&self) -> String {
        format!("adapting/{}", self.planner.name())
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        let row = |start: &Start<'_>| {
            let mut planner = self.planner.clone();
            planner.begin(std::slice::from_ref(start))?;
            Ok(Row::new(planner))
        };
        self.rows = episodes.iter().map(row).collect::<Result<_, PolicyError>>()?;
        Ok(())
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let past = self.observe(rows, seen)?;
        Ok(self.choose(rows, past, Guidance::default())?.decisions)
    }
}

impl LatentPolicy for Adapting {
    fn observe(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Option<Past>, PolicyError> {
        let (trained, rate) = (Arc::clone(self.planner.model()), self.rate);
        let pasts = self.each(rows, seen.to_vec(), |row, seen| row.observe(seen, trained.as_ref(), rate))?;
        // All episodes have taken as many steps: either all plan now or none does.
        let pasts: Option<Vec<Past>> = pasts.into_iter().collect();
        Ok(pasts.filter(|pasts| !pasts.is_empty()).map(Past::join))
    }

    fn goals(&self, rows: &[usize]) -> Option<Latents> {
        let goals: Option<Vec<Latents>> = rows.iter().map(|row| self.rows[*row].planner.goals(&[0])).collect();
        goals.filter(|goals| !goals.is_empty()).map(Latents::join)
    }

    fn choose(&mut self, rows: &[usize], past: Option<Past>, guidance: Guidance) -> Result<Choices, PolicyError> {
        let Guidance { obstacles, goals, .. } = guidance;
        let told = |place: usize| {
            let obstacles = obstacles.clone().map(|obstacles| obstacles.narrow(0, place, 1));
            let goals = goals.as_ref().map(|goals| goals.rows(place, 1));
            (past.as_ref().map(|past| past.rows(place, 1)), Guidance { obstacles, goals, led: Vec::new() })
        };
        let told = (0..rows.len()).map(told).collect();
        let chosen = self.each(rows, told, |row, (past, guidance)| row.choose(past, guidance))?;
        let (decisions, expected): (Vec<_>, Vec<_>) =
            chosen.into_iter().map(|choices| (choices.decisions, choices.expected)).unzip();
        let expected: Option<Vec<Latents>> = expected.into_iter().collect();
        let expected = expected.filter(|expected| !expected.is_empty()).map(Latents::join);
        Ok(Choices { decisions: decisions.concat(), expected })
    }
}
