//! What a search starts from.

use std::cmp::Ordering;

use super::evaluate;
use super::feasibility::compare;
use crate::action_plan::ActionPlan;
use crate::score::Score;

/// The rest of the plan before, what is proposed, or of both for every episode the better one, by the feasibility rule. What is proposed
/// is then also the first of the kept sequences.
///
/// # Panics
/// If the two differ in rows, steps or components.
pub(crate) fn start(warm: Option<ActionPlan>, proposed: Option<ActionPlan>, score: &dyn Score) -> Option<ActionPlan> {
    match (warm, proposed) {
        (Some(warm), Some(proposed)) => Some(better(&warm, &proposed, score)),
        (warm, proposed) => warm.or(proposed),
    }
}

fn better(warm: &ActionPlan, proposed: &ActionPlan, score: &dyn Score) -> ActionPlan {
    let shape = |plan: &ActionPlan| [plan.rows(), plan.horizon, plan.action_width];
    assert_eq!(shape(warm), shape(proposed), "a proposal [b, horizon, a] beside another plan");
    let rows = 0..proposed.rows();
    let pairs: Vec<f32> = rows.clone().flat_map(|row| [proposed.plan(row), warm.plan(row)].concat()).collect();
    let [count, horizon, width] = shape(proposed);
    let values = evaluate::score(score, &pairs, [count, 2, horizon, width]);
    let mut start = ActionPlan { kept: warm.kept + 1, ..proposed.clone() };
    start.elites.clear();
    let (sequence, kept) = (proposed.sequence(), warm.kept * proposed.sequence());
    for row in rows {
        let [proposal, rest] = [2 * row, 2 * row + 1].map(|candidate| values.at(candidate));
        if compare(rest, proposal) == Ordering::Less {
            start.actions[row * sequence..][..sequence].copy_from_slice(warm.plan(row));
        }
        start.elites.extend_from_slice(proposed.plan(row));
        start.elites.extend_from_slice(&warm.elites[row * kept..][..kept]);
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solver::toy::Quadratic;

    fn plan(actions: &[f32], kept: usize, elites: &[f32]) -> ActionPlan {
        ActionPlan {
            horizon: 1,
            action_width: 1,
            actions: actions.to_vec(),
            cost: vec![0.0; actions.len()],
            violation: vec![0.0; actions.len()],
            kept,
            elites: elites.to_vec(),
        }
    }

    #[test]
    fn every_episode_has_the_better_one_and_keeps_both() {
        let (warm, proposed) = (plan(&[0.9, 5.0], 1, &[7.0, 8.0]), plan(&[0.0, 1.5], 1, &[0.0, 1.5]));
        let score = Quadratic::new(&[[1.0], [1.0]]);
        let start = start(Some(warm), Some(proposed), &score).unwrap();
        assert_eq!((start.actions, start.kept), (vec![0.9, 1.5], 2));
        assert_eq!(start.elites, [0.0, 7.0, 1.5, 8.0]);
        // 0.9 violates the bound, 0 does not.
        let (warm, proposed) = (plan(&[0.9], 0, &[]), plan(&[0.0], 1, &[0.0]));
        let score = Quadratic::new(&[[1.0]]).bounded(0.5);
        assert_eq!(super::start(Some(warm), Some(proposed), &score).unwrap().actions, [0.0]);
    }

    #[test]
    fn one_of_them_alone_is_taken_as_it_is() {
        let score = Quadratic::new(&[[1.0]]);
        let one = plan(&[3.0], 0, &[]);
        assert_eq!(start(Some(one.clone()), None, &score), Some(one.clone()));
        assert_eq!(start(None, Some(one.clone()), &score), Some(one));
        assert_eq!(start(None, None, &score), None);
    }
}
