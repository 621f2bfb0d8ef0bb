//! What was met, as a graph: latents as places, and between them the transitions that were seen.
//!
//! A learned predictor sees a short way ahead, and a distance of latents is right nearby; both are wrong far away, where a wall may stand
//! between two pictures that look alike. A graph of what was really met joins short ways that are right into long ones (semi-parametric
//! topological memory, Savinov et al. 2018, arXiv 1803.00653; search on the replay buffer, Eysenbach et al. 2019, arXiv 1906.05253).
//!
//! - [`LatentGraph`]: places, transitions, a bound on its size
//! - [`Lookup`]: where in the graph latents are
//! - [`Routes`]: the least steps from every place to a goal
//! - [`read`](file::read), [`write`](file::write): a file that outlives the run

pub mod file;
mod latent_graph;
mod lookup;
mod nearest;
mod routes;

pub use latent_graph::{GraphOptions, LatentGraph};
pub use lookup::Lookup;
pub use routes::Routes;
