//! Receding horizon: plan, execute the beginning, plan again from where that led.

use crate::action_plan::ActionPlan;
use crate::noise::SeededNoise;
use crate::score::Score;
use crate::solver::{self, Solved, Solver};

/// Plans again and again for a set of episodes that may only shrink. Every plan starts from the rest of the one before
/// unless warm starts are off.
#[derive(Clone, Debug)]
pub struct RecedingHorizon {
    execute: usize,
    warm_start: bool,
    seed: u64,
    plans: u64,
    previous: Option<(Vec<u64>, ActionPlan)>,
}

impl RecedingHorizon {
    /// `execute` actions of every plan are meant to be executed before the next; the seed is that of the noise.
    pub fn new(execute: usize, warm_start: bool, seed: u64) -> Self {
        Self { execute, warm_start, seed, plans: 0, previous: None }
    }

    /// The next plan of these episodes, one row each.
    ///
    /// # Errors
    /// Those of the solver.
    ///
    /// # Panics
    /// If an episode was not among those of the plan before.
    pub fn plan(&mut self, solver: &dyn Solver, episodes: &[u64], score: &dyn Score) -> Solved {
        self.plan_from(solver, None, episodes, score)
    }

    /// As [`plan`](Self::plan), with plans that are proposed, one of each episode: a search starts from what is proposed, or from the rest
    /// of the plan before where that is better.
    ///
    /// # Errors
    /// Those of the solver.
    ///
    /// # Panics
    /// As [`plan`](Self::plan).
    pub fn plan_from(
        &mut self,
        solver: &dyn Solver,
        proposed: Option<ActionPlan>,
        episodes: &[u64],
        score: &dyn Score,
    ) -> Solved {
        let warm = self.previous.take().filter(|_| self.warm_start).map(|(before, plan)| {
            let row = |episode: &u64| before.iter().position(|known| known == episode);
            let rows: Option<Vec<usize>> = episodes.iter().map(row).collect();
            let rows =
                rows.unwrap_or_else(|| panic!("episodes {episodes:?} are not among {before:?} of the plan before"));
            plan.select(&rows).shift(self.execute)
        });
        let start = solver::start(warm, proposed, score);
        let mut noise = SeededNoise::new(self.seed, self.plans, episodes.to_vec());
        self.plans += 1;
        let solution = solver.solve(score, start.as_ref(), &mut noise)?;
        self.previous = Some((episodes.to_vec(), solution.plan.clone()));
        Ok(solution)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::score::{Rollout, Scores};
    use crate::solver::{Cem, CemConfig, Icem, IcemConfig, Proposed, SolverContext};
    use burn::prelude::*;
    use prevision_core::Space;
    use prevision_model::Latents;

    /// A point on a plane moves by the action; the cost is the summed distance to a goal.
    struct Plane {
        /// `[b][position, goal]`
        rows: Vec<[[f32; 2]; 2]>,
    }

    impl Score for Plane {
        fn device(&self) -> Device {
            Device::flex()
        }

        fn rollout(&self, actions: Tensor<4>) -> Rollout {
            let offset: Vec<f32> = self.rows.iter().flat_map(|[at, goal]| [at[0] - goal[0], at[1] - goal[1]]).collect();
            let offset = Tensor::<4>::from_data(TensorData::new(offset, [self.rows.len(), 1, 1, 2]), &Device::flex());
            let [b, s, h, _] = actions.dims();
            let ways = actions.cumsum(2) + offset;
            let costs = ways.clone().square().sum_dim(3).sqrt().sum_dim(2).reshape([b, s]);
            let latents = Latents::new(ways.reshape([b * s, h, 1, 2]));
            Rollout { scores: Scores { costs, violations: None }, latents }
        }
    }

    fn search() -> SolverContext {
        SolverContext {
            horizon: 8,
            space: Space::Ball { dim: 2, radius: 1.0 },
            block: 1,
            initial_std: 0.5,
            deadline: None,
        }
    }

    /// Runs the episodes until they are near their goals and returns how many steps each took.
    fn run(solver: &dyn Solver, worlds: &[(usize, [[f32; 2]; 2])], execute: usize) -> Vec<usize> {
        let mut worlds: Vec<_> = worlds.iter().map(|(episode, world)| (*episode, *world, 0_usize)).collect();
        let mut steps = vec![0; worlds.iter().map(|(episode, ..)| episode + 1).max().unwrap_or(0)];
        let mut planner = RecedingHorizon::new(execute, true, 4);
        for _ in 0..60 {
            worlds.retain(|(_, [at, goal], _)| (at[0] - goal[0]).hypot(at[1] - goal[1]) > 0.5);
            if worlds.is_empty() {
                break;
            }
            let episodes: Vec<u64> = worlds.iter().map(|(episode, ..)| *episode as u64).collect();
            let score = Plane { rows: worlds.iter().map(|(_, world, _)| *world).collect() };
            let plan = planner.plan(solver, &episodes, &score).unwrap().plan;
            for (row, (episode, [at, goal], taken)) in worlds.iter_mut().enumerate() {
                for step in 0..execute {
                    if (at[0] - goal[0]).hypot(at[1] - goal[1]) > 0.5 {
                        let action = plan.action(row, step);
                        *at = [at[0] + action[0], at[1] + action[1]];
                        *taken += 1;
                        steps[*episode] = *taken;
                    }
                }
            }
        }
        assert!(worlds.is_empty(), "never arrived: {worlds:?}");
        steps
    }

    const WORLDS: [(usize, [[f32; 2]; 2]); 3] =
        [(0, [[0.0, 0.0], [6.0, 8.0]]), (1, [[1.0, 1.0], [-5.0, 1.0]]), (2, [[-3.0, 4.0], [-3.0, -16.0]])];

    #[test]
    fn reaches_goals_far_beyond_the_horizon() {
        let cem = Cem::new(&search(), CemConfig { samples: 64, elites: 8, iterations: 4 });
        let steps = run(&cem, &WORLDS, 3);
        // The shortest ways are 10, 6 and 20 steps, less half a step for the radius.
        for (steps, shortest) in steps.iter().zip([10, 6, 20]) {
            assert!(
                *steps >= shortest - 1 && *steps <= shortest + shortest / 2,
                "{steps} steps, at least {shortest} needed"
            );
        }
    }

    /// Two actions of length 1 lead to the goal, then none.
    fn best() -> ActionPlan {
        let actions: Vec<f32> = [0.6, 0.8].repeat(2).into_iter().chain([0.0; 12]).collect();
        ActionPlan {
            horizon: 8,
            action_width: 2,
            cost: vec![0.0],
            violation: vec![0.0],
            kept: 1,
            elites: actions.clone(),
            actions,
        }
    }

    #[test]
    fn few_samples_around_a_good_proposal_find_what_many_find() {
        let score = Plane { rows: vec![[[0.0, 0.0], [1.2, 1.6]]] };
        let cost = |solver: &dyn Solver, proposed: Option<ActionPlan>| {
            RecedingHorizon::new(1, true, 4).plan_from(solver, proposed, &[0], &score).unwrap().plan.cost[0]
        };
        let narrow = SolverContext { initial_std: 0.05, ..search() };
        let few = CemConfig { samples: 8, elites: 2, iterations: 2 };
        let many = cost(&Cem::new(&search(), CemConfig { samples: 200, elites: 10, iterations: 10 }), None);
        let proposed = cost(&Cem::new(&narrow, few), Some(best()));
        let alone = cost(&Cem::new(&search(), few), None);
        // The shortest way costs 1 after the first action and nothing more.
        assert!(proposed < many + 0.1 && proposed < 1.4 && alone > 2.0 * proposed, "{proposed} {many} {alone}");
        let keys = IcemConfig { samples: 8, elites: 2, iterations: 2, keep_elites: 1, ..IcemConfig::default() };
        let icem = cost(&Icem::new(&search(), keys), Some(best()));
        assert!(icem <= 1.0 + 1e-5, "what is proposed is itself a candidate: {icem}");
    }

    #[test]
    fn what_is_left_of_a_good_plan_is_not_given_up_for_a_bad_proposal() {
        let score = Plane { rows: vec![[[0.0, 0.0], [1.2, 1.6]]] };
        let bad = ActionPlan { actions: vec![-0.7; 16], elites: vec![-0.7; 16], ..best() };
        let mut planner = RecedingHorizon::new(1, true, 4);
        let plan = planner.plan_from(&Proposed::new(&search()), Some(best()), &[0], &score).unwrap().plan;
        assert_eq!(plan.actions, best().actions);
        // One action later the rest of that plan is one action too many, and still better than away from the goal.
        let plan = planner.plan_from(&Proposed::new(&search()), Some(bad.clone()), &[0], &score).unwrap().plan;
        assert_eq!(plan.actions, best().shift(1).actions);
        let mut forgetful = RecedingHorizon::new(1, false, 4);
        forgetful.plan_from(&Proposed::new(&search()), Some(best()), &[0], &score).unwrap();
        let plan = forgetful.plan_from(&Proposed::new(&search()), Some(bad), &[0], &score).unwrap().plan;
        assert!(plan.actions.iter().all(|action| *action < 0.0), "{plan:?}");
    }

    #[test]
    fn an_episode_does_not_depend_on_the_others() {
        let keys = IcemConfig { samples: 64, elites: 8, iterations: 3, keep_elites: 2, ..IcemConfig::default() };
        let icem = Icem::new(&search(), keys);
        let together = run(&icem, &WORLDS, 2);
        for world in &WORLDS {
            assert_eq!(run(&icem, std::slice::from_ref(world), 2)[world.0], together[world.0]);
        }
    }

    #[test]
    #[should_panic(expected = "are not among")]
    fn a_new_episode_cannot_join() {
        let cem = Cem::new(&search(), CemConfig { samples: 64, elites: 8, iterations: 1 });
        let mut planner = RecedingHorizon::new(1, true, 0);
        planner.plan(&cem, &[0], &Plane { rows: vec![WORLDS[0].1] }).unwrap();
        planner.plan(&cem, &[1], &Plane { rows: vec![WORLDS[1].1] }).unwrap();
    }
}
