//! Costs, solvers, receding horizon and closed-loop episodes.
