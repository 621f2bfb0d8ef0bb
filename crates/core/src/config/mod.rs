//! Configuration: one tree of TOML tables, laid together from defaults, a file and the command line.
//!
//! 1. [`overlay`] merges the three; a table that names another `kind` starts afresh;
//! 2. [`schema::check_keys`] compares every key of the tree with the JSON Schema of all that is registered: a key that nothing reads
//!    is an error that names the nearest one;
//! 3. [`deserialise`] makes the types of a section out of it, with messages that name key, value and what is allowed;
//! 4. [`Registry`] makes parts out of the tables that name them. Built-in parts are registered by the same calls as a user's own.

pub mod check;
mod composed;
mod deserialise;
mod locate;
pub mod overlay;
mod part;
mod registry;
pub mod schema;

pub use check::{check, within};
pub use deserialise::deserialise;
pub use locate::nearest;
pub use part::{Part, WeightedParts};
pub use registry::{NoKeys, Options, Registry};
