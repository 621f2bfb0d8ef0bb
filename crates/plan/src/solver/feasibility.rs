//! Which of two candidates is better when there are constraints.

use std::cmp::Ordering;

/// The order of two candidates, each a cost and by how much it violates constraints: the better one is less.
pub fn compare(one: (f32, f32), other: (f32, f32)) -> Ordering {
    match (one.1 > 0.0, other.1 > 0.0) {
        (false, false) => one.0.total_cmp(&other.0),
        (true, true) => one.1.total_cmp(&other.1),
        (violates, complies) => violates.cmp(&complies),
    }
}

/// Numbers that order candidates by the feasibility rule of Deb (2000, "An efficient constraint handling method for genetic
/// algorithms"): what violates no constraint comes first, by cost; then the others, by violation. Equal ones keep their order.
///
/// # Shapes
/// - costs, violations, output: `[samples]`
pub fn ranks(costs: &[f32], violations: &[f32]) -> Vec<f32> {
    let at = |index: &usize| (costs[*index], violations[*index]);
    let mut order: Vec<usize> = (0..costs.len()).collect();
    order.sort_by(|a, b| compare(at(a), at(b)));
    let mut ranks = vec![0.0; costs.len()];
    for (rank, index) in order.into_iter().enumerate() {
        ranks[index] = rank as f32;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feasible_by_cost_then_infeasible_by_violation() {
        let costs = [1.0, 5.0, 0.0, 4.0, 2.0, f32::INFINITY];
        let violations = [3.0, 0.0, 1.0, -2.0, f32::INFINITY, 0.0];
        // 3 (cost 4), 1 (cost 5), 5 (infinite cost), 2 (violation 1), 0 (violation 3), 4 (infinite violation).
        assert_eq!(ranks(&costs, &violations), [4.0, 1.0, 3.0, 0.0, 5.0, 2.0]);
        assert_eq!(ranks(&[1.0, 1.0, 1.0], &[0.0, 2.0, 0.0]), [0.0, 2.0, 1.0]);
    }
}
