//! How episodes are run, whoever acts.

use prevision_env::{Decision, Environment, Policy, PolicyError, Random, Start, TimeStep};
use prevision_plan::{PlanError, PlanProgress, Rules, Watch, run_episodes};

use super::corridor::Corridor;
use super::{Notes, run};

/// Goes one cell up, or down if that is where the goal is.
#[derive(Default)]
pub(crate) struct Expert {
    goals: Vec<f32>,
}

impl Policy for Expert {
    fn name(&self) -> String {
        "expert".to_owned()
    }

    fn begin(&mut self, episodes: &[Start<'_>]) -> Result<(), PolicyError> {
        self.goals = episodes.iter().map(|start| start.goal.unwrap().state.as_ref().unwrap()[0]).collect();
        Ok(())
    }

    fn act(&mut self, rows: &[usize], seen: &[&TimeStep]) -> Result<Vec<Decision>, PolicyError> {
        let choose = |(row, step): (&usize, &&TimeStep)| {
            let at = step.state.as_ref().unwrap()[0];
            Decision::of(if at < self.goals[*row] { vec![0.0, 0.0, 1.0] } else { vec![1.0, 0.0, 0.0] })
        };
        Ok(rows.iter().zip(seen).map(choose).collect())
    }
}

#[test]
fn fewer_worlds_than_episodes_run_in_batches_with_the_same_results() {
    let results =
        |rows| run(&mut Corridor::rows(rows, Corridor::new), &mut Expert::default(), &Rules::new(60, 3)).unwrap();
    let whole = results(60);
    assert!(whole.excluded_solved_at_start > 0, "this seed has episodes that are solved at the start");
    assert_eq!((whole.policy.as_str(), whole.solver.as_str(), whole.plans), ("expert", "expert", 0));
    for trial in &whole.per_episode {
        assert_eq!(trial.first_success_step, trial.start_distance.map(|cells| cells as usize));
    }
    for rows in [1, 7, 90] {
        let batches = results(rows);
        assert_eq!(batches.per_episode, whole.per_episode, "{rows} rows");
        assert_eq!(batches.excluded_solved_at_start, whole.excluded_solved_at_start);
    }
}

#[test]
fn any_policy_acts_and_episodes_end_by_the_rules() {
    let rules = Rules { max_steps: Some(3), ..Rules::new(8, 1) };
    let mut random = Random::new(Corridor::new().spec().spaces.action.clone().unwrap());
    let results = run(&mut Corridor::rows(8, Corridor::new), &mut random, &rules).unwrap();
    assert!(
        results
            .per_episode
            .iter()
            .all(|trial| trial.steps <= 3
                && (trial.steps == 3) != (trial.first_success_step.is_some_and(|step| step < 3)))
    );
    assert_eq!(results.solver, "random");
    assert!(results.success_rate_at_end.is_some());
    let stopped = Rules { stop_on_arrival: true, ..rules };
    let results = run(&mut Corridor::rows(8, Corridor::new), &mut random, &stopped).unwrap();
    assert_eq!((results.success_rate_at_end, results.interval_at_end), (None, None));
}

#[test]
fn watched_episodes_are_shown_from_the_first_moment_to_the_last() {
    let rules = Rules { watched: 3, ..Rules::new(10, 3) };
    let mut notes = (Notes::default(), Notes::default());
    let results =
        run_episodes(&mut Corridor::rows(2, Corridor::new), &mut Expert::default(), &rules, &mut notes).unwrap();
    let (notes, same) = notes;
    assert_eq!(notes.progress, same.progress);
    let shown: Vec<usize> = results.per_episode[..3].iter().map(|trial| trial.episode).collect();
    let mut ended = notes.ended.clone();
    ended.sort_unstable();
    assert_eq!(ended, shown);
    let steps: usize = results.per_episode[..3].iter().map(|trial| trial.steps).sum();
    assert_eq!((notes.actions.len(), notes.trails.len()), (steps, steps + 3));
    assert!(notes.trails.iter().all(|points| *points == 0), "this world is not drawn");
    // The share of the work that is done grows.
    let shares: Vec<f64> = notes.progress.iter().map(PlanProgress::share).collect();
    assert!(shares.is_sorted() && shares[0] < 0.5 && shares[shares.len() - 1] > 0.8, "{shares:?}");
    assert_eq!(notes.progress.last().unwrap().arrived, results.successes);
}

#[test]
fn what_cannot_be_run_is_said() {
    let refused = |rows: usize, rules: Rules| {
        run(&mut Corridor::rows(rows, Corridor::new), &mut Expert::default(), &rules).unwrap_err().to_string()
    };
    assert_eq!(refused(1, Rules::new(0, 0)), "episodes is 0, but must be 1 or more");
    assert_eq!(refused(1, Rules { max_steps: Some(0), ..Rules::new(1, 0) }), "max_steps is 0, but must be 1 or more");
    assert_eq!(refused(0, Rules::new(1, 0)), "there is no world to act in");
    let solved = (0..1000).find(|seed| {
        matches!(
            run(&mut Corridor::rows(1, Corridor::new), &mut Expert::default(), &Rules::new(1, *seed)),
            Err(PlanError::AllSolvedAtStart { .. })
        )
    });
    let message = refused(1, Rules::new(1, solved.unwrap()));
    assert_eq!(message, "all 1 episodes of corridor are solved at the start, so there is nothing to measure");
}

#[test]
fn whoever_watches_may_stop_it() {
    struct Tired;
    impl Watch for Tired {
        fn moment(
            &mut self,
            _: &dyn prevision_env::Worlds,
            _: &prevision_plan::Moment<'_>,
        ) -> Result<(), prevision_plan::WatchError> {
            Err("tired".into())
        }
    }
    let rules = Rules { watched: 1, ..Rules::new(3, 3) };
    let run = |rules| run_episodes(&mut Corridor::rows(1, Corridor::new), &mut Expert::default(), &rules, &mut Tired);
    assert_eq!(run(rules).unwrap_err().to_string(), "tired");
    assert!(run(Rules::new(3, 3)).is_ok(), "nobody is shown what is not watched");
}
