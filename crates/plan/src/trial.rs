//! One episode while it runs.

use std::collections::VecDeque;

use prevision_data::seed;
use prevision_env::Environment;
use rand::RngCore;

use crate::error::PlanError;
use crate::results::EpisodeResult;

/// An episode in its environment, with what a model and a film need to know of its past.
pub(crate) struct Trial {
    pub(crate) episode: usize,
    pub(crate) world: Box<dyn Environment>,
    /// The last observations, RGB, the present one last; at most the model's history.
    pub(crate) observations: VecDeque<Vec<u8>>,
    /// The planned actions between them.
    pub(crate) actions: VecDeque<Vec<f32>>,
    /// Every position so far, (x, y) in pixels.
    pub(crate) trail: Vec<[f32; 2]>,
    pub(crate) plans: usize,
    steps: usize,
    first_success_step: Option<usize>,
    start_distance: f64,
    history: usize,
}

/// The seed of an episode's task, a function of the run's seed and the episode's number alone.
pub(crate) fn task_seed(seed: u64, episode: usize) -> u64 {
    seed::rng(seed, "plan-task", 0, episode as u64).next_u64()
}

impl Trial {
    /// Resets the world to the episode's task.
    pub(crate) fn new(
        mut world: Box<dyn Environment>,
        seed: u64,
        episode: usize,
        history: usize,
    ) -> Result<Self, PlanError> {
        let name = world.spec().name;
        world
            .reset(task_seed(seed, episode))
            .map_err(|source| PlanError::Environment { name: name.to_owned(), source: Box::new(source) })?;
        Ok(Self {
            episode,
            observations: VecDeque::from([world.observe()]),
            actions: VecDeque::new(),
            trail: vec![position(world.as_ref())],
            plans: 0,
            steps: 0,
            first_success_step: None,
            start_distance: world.distance(),
            history,
            world,
        })
    }

    /// Whether the goal has been reached at any step.
    pub(crate) fn arrived(&self) -> bool {
        self.first_success_step.is_some()
    }

    /// Whether there is nothing left to do.
    pub(crate) fn finished(&self, max_steps: usize, stop_on_arrival: bool) -> bool {
        self.steps >= max_steps || (stop_on_arrival && self.arrived())
    }

    /// Takes one raw action.
    pub(crate) fn step(&mut self, action: &[f32]) {
        self.world.step(action);
        self.steps += 1;
        self.trail.push(position(self.world.as_ref()));
        if self.world.success() {
            self.first_success_step.get_or_insert(self.steps);
        }
    }

    /// Remembers where a planned action, which may be several raw ones, has led.
    pub(crate) fn remember(&mut self, action: &[f32]) {
        self.actions.push_back(action.to_vec());
        self.observations.push_back(self.world.observe());
        if self.observations.len() > self.history {
            self.observations.pop_front();
            self.actions.pop_front();
        }
    }

    pub(crate) fn result(&self) -> EpisodeResult {
        EpisodeResult {
            episode: self.episode,
            success: self.arrived(),
            first_success_step: self.first_success_step,
            success_at_end: self.world.success(),
            steps: self.steps,
            plans: self.plans,
            start_distance: self.start_distance,
            final_distance: self.world.distance(),
        }
    }
}

/// Where the agent is: the first two numbers of the state, (x, y) in pixels.
fn position(world: &dyn Environment) -> [f32; 2] {
    let state = world.state();
    [state[0], state[1]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use prevision_env::{EnvOptions, make};

    fn trial(history: usize) -> Trial {
        Trial::new(make("two-rooms", &EnvOptions::default()).unwrap(), 5, 3, history).unwrap()
    }

    #[test]
    fn tasks_depend_on_the_seed_and_the_episode() {
        let start = |seed, episode| {
            let trial = Trial::new(make("two-rooms", &EnvOptions::default()).unwrap(), seed, episode, 1).unwrap();
            (trial.world.state(), trial.world.goal_state())
        };
        assert_eq!(start(5, 3), start(5, 3));
        assert_ne!(start(5, 3), start(5, 4));
        assert_ne!(start(5, 3), start(6, 3));
    }

    #[test]
    fn keeps_no_more_than_the_history() {
        for (history, observations) in [(1, 1), (3, 3), (9, 5)] {
            let mut trial = trial(history);
            for step in 0..4 {
                let action = [step as f32 * 0.1, 0.0];
                trial.step(&action);
                trial.remember(&action);
            }
            assert_eq!((trial.observations.len(), trial.actions.len()), (observations, observations - 1));
            assert_eq!(trial.observations.back(), Some(&trial.world.observe()));
            assert_eq!(trial.trail.len(), 5);
        }
    }

    #[test]
    fn the_first_arrival_is_recorded_and_leaving_is_seen() {
        let mut trial = trial(1);
        assert!(trial.start_distance > 4.5 && !trial.arrived());
        // An expert: along the wall to the row of the door, through it, then straight to the goal.
        let mut steps = 0;
        let door = door_row(&mut trial);
        while !trial.arrived() && steps < 400 {
            let (at, goal) = (trial.world.state(), trial.world.goal_state());
            let same_side = (at[0] < door[0]) == (goal[0] < door[0]) && (at[0] - door[0]).abs() > 2.0;
            let target = if same_side {
                [goal[0], goal[1]]
            } else if (at[1] - door[1]).abs() > 1.0 {
                [at[0], door[1]]
            } else {
                [goal[0], door[1]]
            };
            let way = [target[0] - at[0], target[1] - at[1]];
            let length = way[0].hypot(way[1]).max(1e-3);
            trial.step(&[way[0] / length, way[1] / length]);
            steps += 1;
        }
        let first = trial.result().first_success_step;
        assert_eq!(first, Some(steps));
        assert!(trial.finished(1000, true) && !trial.finished(1000, false) && trial.finished(steps, false));
        let (at, goal) = (trial.world.state(), trial.world.goal_state());
        let away = [(at[0] - goal[0]).signum(), (at[1] - goal[1]).signum()];
        for _ in 0..6 {
            trial.step(&away);
        }
        let result = trial.result();
        assert!(result.success && result.first_success_step == first);
        assert_eq!(result.success_at_end, result.final_distance < 4.5);
    }

    /// Column of the wall and row of the door, read from the observation.
    fn door_row(trial: &mut Trial) -> [f32; 2] {
        let pixels = trial.world.observe();
        let wall = |x: usize, y: usize| pixels[(y * 65 + x) * 3 + 1] > 128;
        let x = (10..55).find(|x| (0..65).filter(|y| wall(*x, *y)).count() > 30).unwrap() + 1;
        let rows: Vec<usize> = (6..59).filter(|y| !wall(x, *y)).collect();
        [x as f32, rows.iter().sum::<usize>() as f32 / rows.len() as f32]
    }
}
