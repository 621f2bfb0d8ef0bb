//! One file per verb: its arguments, and what it prints.

pub(crate) mod bench;
pub(crate) mod data;
pub(crate) mod demo;
pub(crate) mod eval;
pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod train;
