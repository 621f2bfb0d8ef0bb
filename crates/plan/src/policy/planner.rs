//! The policy that plans.

use std::sync::Arc;

use burn::prelude::*;
use prevision_core::Observations;
use prevision_env::{Decision, Policy, PolicyError, Search, Start, TimeStep};
use prevision_model::{Latents, ObservationBatch, Past, WorldModel, is_finite};

use super::history::{History, streams_of};
use super::{Choices, Guidance, LatentPolicy, Proposal, RecedingHorizon};
use crate::action_plan::ActionPlan;
use crate::constraint::Constraint;
use crate::cost::{Cost, Scene};
use crate::reflex::Plans;
use crate::score::{Criteria, ModelScore};
use crate::solver::Solver;

/// How plans are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlannerOptions {
    /// Actions of a plan, in those of the model, that are executed before the next plan.
    pub execute: usize,
    /// Whether a plan starts from the rest of the one before it.
    pub warm_start: bool,
    /// Bytes that what is imagined for candidates may take at a time, about; `None`: what makes it fastest.
    pub memory_bytes: Option<usize>,
}

/// Acts by planning with a world model: encodes what it sees and what the goal looks like, searches for the actions whose imagined
/// future costs least, executes the beginning of the plan, and plans again from where that led. All rows are planned for as one
/// batch, and none depends on the others. A clone shares its parts.
#[derive(Clone)]
pub struct Planner {
    model: Arc<dyn WorldModel>,
    solver: Arc<dyn Solver>,
    criteria: Arc<Criteria>,
    options: PlannerOptions,
    rows_at_once: Option<usize>,
    proposal: Option<Proposal>,
    plans: Option<Plans>,
    run: Run,
}

/// The episodes since they began.
#[derive(Clone)]
struct Run {
    tracks: Vec<Track>,
    /// What the goals look like, a row each; `None` in a world that shows none.
    goals: Option<Latents>,
    receding: RecedingHorizon,
    /// The plan that is followed, and after how many raw actions it was made.
    plan: Option<(ActionPlan, usize)>,
    /// Raw actions taken.
    taken: usize,
}

/// One episode.
#[derive(Clone)]
struct Track {
    episode: u64,
    watched: bool,
    history: History,
    /// Its row in the plan that is followed.
    row: usize,
    /// Where that plan leads, after each action.
    imagined: Vec<[f32; 2]>,
    /// How that plan was searched for, until it is told.
    search: Option<Search>,
}

/// What the goal of an episode looks like, if that is shown.
fn shown<'a>(start: &Start<'a>) -> Option<&'a Observations> {
    start.goal.and_then(|goal| goal.observations.as_ref())
}

impl Planner {
    /// A planner of these parts. The solver searches in blocks of as many raw actions as the model sees as one.
    ///
    /// # Panics
    /// If no action of a plan is to be executed.
    pub fn new(
        model: Arc<dyn WorldModel>,
        solver: Box<dyn Solver>,
        costs: Vec<(f64, Box<dyn Cost>)>,
        constraints: Vec<Box<dyn Constraint>>,
        options: PlannerOptions,
    ) -> Self {
        assert!(options.execute > 0, "0 actions of every plan are executed");
        let receding = RecedingHorizon::new(options.execute, options.warm_start, 0);
        let run = Run { tracks: Vec::new(), goals: None, receding, plan: None, taken: 0 };
        let (solver, criteria) = (solver.into(), Arc::new(Criteria { costs, constraints }));
        Self { model, solver, criteria, options, rows_at_once: None, proposal: None, plans: None, run }
    }

    /// The model that it plans with.
    pub fn model(&self) -> &Arc<dyn WorldModel> {
        &self.model
    }

    /// Plans with another model from now on, whose latents mean the same: that of its costs stays as it is.
    pub fn set_model(&mut self, model: Arc<dyn WorldModel>) {
        self.model = model;
    }

    /// The same, whose searches start from what is proposed.
    #[must_use]
    pub fn with_proposal(self, proposal: Proposal) -> Self {
        Self { proposal: Some(proposal), ..self }
    }

    /// The same, which adds its plans to these.
    #[must_use]
    pub fn with_plans(self, plans: Plans) -> Self {
        Self { plans: Some(plans), ..self }
    }

    /// The same, imagining at most so many candidates at once: for tests that plans do not depend on it.
    #[doc(hidden)]
    #[must_use]
    pub fn with_rows_at_once(self, rows: usize) -> Self {
        Self { rows_at_once: Some(rows), ..self }
    }

    /// Raw actions in one of the model's, and numbers in a raw action.
    fn block(&self) -> [usize; 2] {
        let spaces = &self.model.spec().spaces;
        let block = spaces.frame_step.max(1);
        [block, spaces.action_width() / block]
    }

    fn unfit(&self, message: String) -> PolicyError {
        PolicyError::Unfit { policy: self.name(), message }
    }

    /// Encodes rows of equally many moments, `[rows, t, tokens, d]`.
    fn encode(&self, rows: &[&Observations]) -> Latents {
        let batch = ObservationBatch::upload(rows, &self.model.spec().normalise, &self.model.device());
        self.model.encode(&batch)
    }

    /// Encodes the goals of episodes.
    fn encode_goals(&self, episodes: &[Start<'_>]) -> Result<Option<Latents>, PolicyError> {
        if episodes.iter().all(|start| shown(start).is_none()) {
            return Ok(None);
        }
        let spaces = &self.model.spec().spaces;
        let goals = episodes.iter().map(|start| match shown(start) {
            Some(goal) => streams_of(spaces, goal).map_err(|message| self.unfit(message)),
            None => Err(self.unfit(format!("episode {} shows no goal, others do", start.episode))),
        });
        let goals: Vec<Observations> = goals.collect::<Result<_, _>>()?;
        let goals = self.encode(&goals.iter().collect::<Vec<_>>());
        self.check_finite(&goals, "the encoded goals hold")?;
        Ok(Some(goals))
    }

    /// Refuses latents with values that are not finite: no cost of them means anything.
    fn check_finite(&self, latents: &Latents, what: &str) -> Result<(), PolicyError> {
        let failed = |message: String| PolicyError::Failed { policy: self.name(), source: message.into() };
        if is_finite(&latents.tokens).map_err(failed)? {
            return Ok(());
        }
        Err(failed(format!("{what} values that are not finite: the model's weights are no use")))
    }

    /// Latents of what the rows have seen last. All have taken as many steps, so their histories are equally long.
    fn past(&self, rows: &[usize]) -> Past {
        let histories = || rows.iter().map(|row| &self.run.tracks[*row].history);
        let latents = self.encode(&histories().map(History::observations).collect::<Vec<_>>());
        let steps = latents.dims()[1] - 1;
        let actions = (steps > 0).then(|| {
            let values: Vec<f32> =
                histories().flat_map(|history| history.actions().iter().flatten().copied()).collect();
            let width = self.model.spec().spaces.action_width();
            Tensor::from_data(TensorData::new(values, [rows.len(), steps, width]), &self.model.device())
        });
        Past { latents, actions }
    }

    /// The last raw action that each of the rows has taken, `[rows, a]`; `None` at the first moment of their episodes.
    fn last_action(&self, rows: &[usize]) -> Option<Tensor<2>> {
        let [_, width] = self.block();
        let mut values = Vec::with_capacity(rows.len() * width);
        for row in rows {
            let action = self.run.tracks[*row].history.last_action()?;
            values.extend_from_slice(&action[action.len() - width..]);
        }
        Some(Tensor::from_data(TensorData::new(values, [rows.len(), width]), &self.model.device()))
    }

    /// Makes new plans and gives the latents they lead to before the next ones.
    fn plan(&mut self, rows: &[usize], past: Past, guidance: Guidance) -> Result<Latents, PolicyError> {
        let squeeze = |latents: &Latents| {
            let [rows, _, tokens, width] = latents.dims();
            latents.tokens.clone().reshape([rows, tokens, width])
        };
        let Guidance { obstacles, goals, .. } = guidance;
        let goal = goals.or_else(|| self.goals(rows)).map(|goals| squeeze(&goals));
        let last_action = self.last_action(rows);
        let scene = Scene { present: squeeze(&past.latents.last()), goal, obstacles, last_action };
        let model = Arc::clone(&self.model);
        let proposed = self.proposal.as_ref().map(|proposal| proposal.plan(model.as_ref(), &scene)).transpose();
        let proposed = proposed.map_err(|message| self.unfit(message))?;
        let score = ModelScore::new(model.as_ref(), &self.criteria, past, &scene);
        let mut score = score.map_err(|message| self.unfit(message))?;
        if let Some(bytes) = self.options.memory_bytes {
            score = score.within_memory(bytes);
        }
        if let Some(rows) = self.rows_at_once {
            score = score.with_rows_at_once(rows);
        }
        let episodes: Vec<u64> = rows.iter().map(|row| self.run.tracks[*row].episode).collect();
        let solution = self.run.receding.plan_from(self.solver.as_ref(), proposed, &episodes, &score);
        let mut solution = solution.map_err(|message| self.unfit(message))?;
        self.check_finite(&solution.imagined, "the imagined latents hold")?;
        if let Some(plans) = &self.plans {
            plans.add(model.spec(), &episodes, &scene, &solution.plan, &solution.imagined);
        }
        let (execute, horizon) = (self.options.execute, solution.plan.horizon);
        assert!(execute <= horizon, "{execute} actions of a plan of {horizon} cannot be executed");
        let mut searches = std::mem::take(&mut solution.searches).into_iter();
        for (place, row) in rows.iter().enumerate() {
            let track = &mut self.run.tracks[*row];
            track.row = place;
            track.imagined.clear();
            track.search = searches.next();
            if let Some(search) = track.search.as_mut().filter(|_| !track.watched) {
                search.iterations.clear();
            }
        }
        self.read_positions(rows, &solution.imagined);
        self.run.plan = Some((solution.plan, self.run.taken));
        Ok(solution.imagined.moments(execute - 1, 1))
    }

    /// Reads where the plans of watched rows lead, if the model tells.
    fn read_positions(&mut self, rows: &[usize], imagined: &Latents) {
        let watched: Vec<usize> = (0..rows.len()).filter(|place| self.run.tracks[rows[*place]].watched).collect();
        if watched.is_empty() {
            return;
        }
        let Some(positions) = self.model.readout("position", &imagined.select(&watched)) else { return };
        let [_, horizon, width] = positions.dims();
        let values = positions.into_data().try_into_vec_as::<f32>().expect("positions are floats");
        for (place, row) in watched.iter().zip(values.chunks_exact(horizon * width)) {
            let points = row.chunks_exact(width).filter_map(|point| Some([*point.first()?, *point.get(1)?]));
            self.run.tracks[rows[*place]].imagined = points.collect();
        }
    }
}

impl Policy for Planner {
    fn name(&self) -> String {
        match &self.proposal {
            Some(proposal) => format!("planner/{}", proposal.name()),
            None => format!("planner/{}", self.solver.name()),
        }
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        let spaces = &self.model.spec().spaces;
        if spaces.action.is_none() {
            return Err(self.unfit("the model takes no actions".to_owned()));
        }
        let seed = episodes.first().map_or(0, |start| start.seed);
        if let Some(other) = episodes.iter().find(|start| start.seed != seed) {
            return Err(self.unfit(format!("episodes of one run have seeds {seed} and {}", other.seed)));
        }
        for start in episodes {
            streams_of(spaces, &start.first.observations).map_err(|message| self.unfit(message))?;
        }
        let track = |start: &Start<'_>| Track {
            episode: start.episode,
            watched: start.watched,
            history: History::default(),
            row: 0,
            imagined: Vec::new(),
            search: None,
        };
        self.run = Run {
            tracks: episodes.iter().map(track).collect(),
            goals: self.encode_goals(episodes)?,
            receding: RecedingHorizon::new(self.options.execute, self.options.warm_start, seed),
            plan: None,
            taken: 0,
        };
        Ok(())
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let past = self.observe(rows, seen)?;
        Ok(self.choose(rows, past, Guidance::default())?.decisions)
    }
}

impl LatentPolicy for Planner {
    fn observe(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Option<Past>, PolicyError> {
        let [block, _] = self.block();
        let taken = self.run.taken;
        if !taken.is_multiple_of(block) || rows.is_empty() {
            return Ok(None);
        }
        let length = self.model.spec().history;
        for (row, step) in rows.iter().zip(seen) {
            let streams = streams_of(&self.model.spec().spaces, &step.observations);
            let streams = streams.map_err(|message| self.unfit(message))?;
            let track = &mut self.run.tracks[*row];
            let action = self.run.plan.as_ref().map(|(plan, made)| plan.action(track.row, (taken - made) / block - 1));
            track.history.push(action, &streams, length);
        }
        Ok((taken / block).is_multiple_of(self.options.execute).then(|| self.past(rows)))
    }

    fn goals(&self, rows: &[usize]) -> Option<Latents> {
        self.run.goals.as_ref().map(|goals| goals.select(rows))
    }

    fn choose(&mut self, rows: &[usize], past: Option<Past>, guidance: Guidance) -> Result<Choices, PolicyError> {
        let planned = past.is_some();
        let expected = past.map(|past| self.plan(rows, past, guidance)).transpose()?;
        let Some((plan, made)) = &self.run.plan else {
            return Ok(Choices { decisions: Vec::new(), expected: None }); // no rows, no plans
        };
        let [block, width] = self.block();
        let (step, raw) = ((self.run.taken - made) / block, (self.run.taken - made) % block);
        let tracks = &mut self.run.tracks;
        let decision = |row: &usize| {
            let track = &mut tracks[*row];
            let action = plan.action(track.row, step)[raw * width..][..width].to_vec();
            let imagined = track.imagined.get(step..).unwrap_or_default().to_vec();
            Decision { action, planned, imagined, search: track.search.take(), ..Decision::default() }
        };
        let decisions = rows.iter().map(decision).collect();
        self.run.taken += 1;
        Ok(Choices { decisions, expected })
    }
}
