//! Fused operations with hand-written backward passes.
//!
//! Every public function takes and returns [`Tensor`](burn::tensor::Tensor)s. On Burn's CPU backend `flex`, in float32, it runs a
//! kernel of [`cpu`]; on every other backend it is a composition of Burn's operations, which is also what the tests compare with.
//!
//! - [`cpu`]: the kernels, on plain slices; they know nothing of Burn
//! - [`grid`]: neighbourhoods and shortest paths on grids of tokens
//! - [`optimizer`]: updates of all parameters in one pass

pub mod cpu;
pub mod grid;
pub mod optimizer;
mod route;
