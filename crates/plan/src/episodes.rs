//! Closed-loop episodes: act by planning with the model, and measure how often the goal is reached.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use burn::prelude::*;
use prevision_data::Normalise;
use prevision_model::ActionJepa;
use prevision_objective::PositionScale;
use prevision_train::config::PlanConfig;

use crate::action_plan::ActionPlan;
use crate::cost::{Cost, Goal};
use crate::error::PlanError;
use crate::film::Film;
use crate::limit::ActionLimit;
use crate::memory::Memory;
use crate::model_score::{ModelScore, Past};
use crate::observe;
use crate::receding::RecedingHorizon;
use crate::results::{PlanResults, Totals};
use crate::setup;
use crate::solver::Solver;
use crate::trial::Trial;

/// How far an evaluation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanProgress {
    /// Steps taken by the episodes still running.
    pub step: usize,
    /// Steps after which every episode ends.
    pub max_steps: usize,
    /// Episodes still running.
    pub running: usize,
    /// Episodes that have reached their goal.
    pub arrived: usize,
    /// Trials.
    pub episodes: usize,
}

/// Runs the configured number of episodes as one batch and reports how many reach their goals.
///
/// Tasks and noise depend on `seed` alone, and no episode depends on the others. With a folder for videos the first episodes
/// are filmed, one of them as a GIF too. The model must be off the tape (`model.valid()`) and on `device`.
///
/// # Errors
/// If the configuration is out of range or does not fit the model and the environment, if the environment fails, or if a film
/// cannot be written.
pub fn run_episodes(
    config: &PlanConfig,
    model: &ActionJepa,
    device: &Device,
    normalise: &Normalise,
    seed: u64,
    video_dir: Option<&Path>,
    progress: &mut dyn FnMut(&PlanProgress),
) -> Result<PlanResults, PlanError> {
    let started = Instant::now();
    config.validate().map_err(PlanError::Config)?;
    let spec = setup::environment(config)?.spec().clone();
    let action_dim = model.action_dim();
    if !action_dim.is_multiple_of(spec.action_dim) {
        return Err(PlanError::Unfit {
            key: "plan.environment",
            value: config.environment.clone(),
            expected: format!(
                "its actions have {} numbers, and the model's {action_dim} are no multiple of that",
                spec.action_dim
            ),
        });
    }
    let norm = config.action_norm.unwrap_or(spec.action_norm) as f32;
    let solver = setup::solver(config, action_dim, ActionLimit { dim: spec.action_dim, norm })?;
    let cost = setup::cost(config, model)?;
    let memory = setup::memory(config, model)?;
    let (trials, excluded) = draw(config, seed, model.history())?;
    let mut run = Run {
        model,
        device,
        normalise,
        cost: cost.as_ref(),
        size: [spec.height, spec.width],
        raw_action: spec.action_dim,
        max_steps: config.max_steps.unwrap_or(spec.max_steps),
        stop_on_arrival: config.stop_on_arrival,
        execute: config.execute,
        films: films(config, video_dir, &trials)?,
        memory,
        trials,
        planning: Duration::ZERO,
    };
    run.all(solver.as_ref(), config.warm_start, seed, progress)?;
    let totals = Totals {
        environment: config.environment.clone(),
        solver: config.solver.name().to_owned(),
        excluded,
        stop_on_arrival: config.stop_on_arrival,
        seconds: started.elapsed().as_secs_f64(),
        planning_seconds: run.planning.as_secs_f64(),
    };
    Ok(PlanResults::new(totals, run.trials.iter().map(Trial::result).collect()))
}

/// The trials, and how many episodes are not because they are solved at the start.
fn draw(config: &PlanConfig, seed: u64, history: usize) -> Result<(Vec<Trial>, usize), PlanError> {
    let mut trials = Vec::with_capacity(config.episodes);
    for episode in 0..config.episodes {
        let trial = Trial::new(setup::environment(config)?, seed, episode, history)?;
        if !trial.world.success() {
            trials.push(trial);
        }
    }
    if trials.is_empty() {
        return Err(PlanError::AllSolvedAtStart { environment: config.environment.clone(), episodes: config.episodes });
    }
    let excluded = config.episodes - trials.len();
    Ok((trials, excluded))
}

/// The films of the first trials, by the trial's index.
fn films(config: &PlanConfig, folder: Option<&Path>, trials: &[Trial]) -> Result<BTreeMap<usize, Film>, PlanError> {
    let Some(folder) = folder.filter(|_| config.videos > 0) else { return Ok(BTreeMap::new()) };
    fs::create_dir_all(folder).map_err(|source| PlanError::Folder { path: folder.to_owned(), source })?;
    let film = |(index, trial): (usize, &Trial)| {
        Ok((index, Film::create(folder, trial.episode, index == 0, trial.world.as_ref())?))
    };
    trials.iter().take(config.videos).enumerate().map(film).collect()
}

/// An evaluation while it runs.
struct Run<'a> {
    model: &'a ActionJepa,
    device: &'a Device,
    normalise: &'a Normalise,
    cost: &'a dyn Cost,
    size: [usize; 2],
    /// Numbers in one action of the environment; the model's may be several of them.
    raw_action: usize,
    max_steps: usize,
    stop_on_arrival: bool,
    execute: usize,
    trials: Vec<Trial>,
    films: BTreeMap<usize, Film>,
    memory: Option<Memory>,
    planning: Duration,
}

impl Run<'_> {
    fn all(
        &mut self,
        solver: &dyn Solver,
        warm_start: bool,
        seed: u64,
        progress: &mut dyn FnMut(&PlanProgress),
    ) -> Result<(), PlanError> {
        let goals: Vec<Vec<u8>> = self.trials.iter().map(|trial| trial.world.goal_observation()).collect();
        let goals = goals.iter().map(|goal| [goal.as_slice()]);
        let goals = Goal::encode(self.model, observe::video(goals, self.size, self.normalise, self.device));
        let mut planner = RecedingHorizon::new(solver, self.execute, warm_start, seed);
        loop {
            let live: Vec<usize> = (0..self.trials.len())
                .filter(|index| !self.trials[*index].finished(self.max_steps, self.stop_on_arrival))
                .collect();
            progress(&self.progress(&live));
            if live.is_empty() {
                break;
            }
            let began = Instant::now();
            let episodes: Vec<usize> = live.iter().map(|index| self.trials[*index].episode).collect();
            let (past, goal) = self.before(&live, goals.select(&live));
            let score = ModelScore::new(self.model, self.cost, past, goal);
            let plan = planner.plan(&episodes, &score);
            self.expect(&live, plan, &score);
            self.planning += began.elapsed();
            let imagined = self.imagined(&live, plan, &score);
            for (row, index) in live.iter().enumerate() {
                self.act(*index, plan, row, imagined.get(index).map_or(&[], Vec::as_slice))?;
            }
        }
        for film in std::mem::take(&mut self.films).into_values() {
            film.finish()?;
        }
        Ok(())
    }

    /// What is known before a plan: the past, and the goals as what was met so far makes them.
    fn before(&mut self, live: &[usize], mut goal: Goal) -> (Past, Goal) {
        let mut past = self.past(live);
        let [rows, history, dim] = past.latents.dims();
        let present = past.latents.clone().narrow(1, history - 1, 1).reshape([rows, dim]);
        if let Some(memory) = &mut self.memory {
            memory.observe(live, present.clone());
            past.present = Some(memory.field_from(live, present));
            goal.embedding = Some(memory.field(live, goal.latent.clone()));
        } else {
            past.present = self.model.heads.distance.as_ref().map(|head| head.goals(present));
        }
        (past, goal)
    }

    /// Remembers where the plans are to bring the agents before the next one.
    fn expect(&mut self, live: &[usize], plan: &ActionPlan, score: &ModelScore) {
        let Some(memory) = &mut self.memory else { return };
        let shape = [live.len(), 1, plan.horizon, plan.action_dim];
        let actions = Tensor::from_data(TensorData::new(plan.mean.clone(), shape), self.device);
        let dim = self.model.latent_dim();
        let latents = score.imagine(actions.narrow(2, 0, self.execute)).narrow(2, self.execute - 1, 1);
        memory.expect(live, latents.reshape([live.len(), dim]));
    }

    fn progress(&self, live: &[usize]) -> PlanProgress {
        PlanProgress {
            step: live.first().map_or(self.max_steps, |index| self.trials[*index].result().steps),
            max_steps: self.max_steps,
            running: live.len(),
            arrived: self.trials.iter().filter(|trial| trial.arrived()).count(),
            episodes: self.trials.len(),
        }
    }

    /// Encodes what the running episodes have seen last. They have all taken as many steps, so their histories are equally long.
    fn past(&self, live: &[usize]) -> Past {
        let trials = || live.iter().map(|index| &self.trials[*index]);
        let frames = trials().map(|trial| trial.observations.iter().map(Vec::as_slice));
        let latents = self.model.encode(observe::video(frames, self.size, self.normalise, self.device));
        let steps = self.trials[live[0]].actions.len();
        let actions = (steps > 0).then(|| {
            let values: Vec<f32> = trials().flat_map(|trial| trial.actions.iter().flatten().copied()).collect();
            Tensor::from_data(TensorData::new(values, [live.len(), steps, self.model.action_dim()]), self.device)
        });
        Past { latents, actions, present: None }
    }

    /// Positions that the model imagines for the plans of the filmed episodes; none without a position head.
    fn imagined(&self, live: &[usize], plan: &ActionPlan, score: &ModelScore) -> BTreeMap<usize, Vec<[f32; 2]>> {
        let Some(head) =
            self.model.heads.position.as_ref().filter(|_| live.iter().any(|index| self.films.contains_key(index)))
        else {
            return BTreeMap::new();
        };
        let shape = [live.len(), 1, plan.horizon, plan.action_dim];
        let actions = Tensor::from_data(TensorData::new(plan.mean.clone(), shape), self.device);
        let latents = score.imagine(actions);
        let count = live.len() * plan.horizon;
        let positions = head.forward(latents.reshape([count, self.model.latent_dim()]));
        let positions = PositionScale::new(self.size[1], self.size[0]).to_pixels(positions);
        let values = positions.into_data().try_into_vec_as::<f32>().expect("positions are floats");
        let rows =
            values.chunks_exact(2 * plan.horizon).map(|row| row.chunks_exact(2).map(|xy| [xy[0], xy[1]]).collect());
        live.iter().copied().zip(rows).collect()
    }

    /// Executes the beginning of a plan in one episode.
    fn act(&mut self, index: usize, plan: &ActionPlan, row: usize, imagined: &[[f32; 2]]) -> Result<(), PlanError> {
        let trial = &mut self.trials[index];
        trial.plans += 1;
        for step in 0..self.execute {
            let action = plan.action(row, step);
            for raw in action.chunks_exact(self.raw_action) {
                if trial.finished(self.max_steps, self.stop_on_arrival) {
                    break;
                }
                if let Some(film) = self.films.get_mut(&index) {
                    film.add(trial.world.as_ref(), &trial.trail, &imagined[step.min(imagined.len())..])?;
                }
                trial.step(raw);
            }
            if trial.finished(self.max_steps, self.stop_on_arrival) {
                break;
            }
            trial.remember(action);
        }
        if trial.finished(self.max_steps, self.stop_on_arrival) {
            // The last frame shows where the episode ended.
            if let Some(film) = self.films.get_mut(&index) {
                film.add(trial.world.as_ref(), &trial.trail, &[])?;
            }
        }
        Ok(())
    }
}
