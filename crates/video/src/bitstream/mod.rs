//! What packets say of themselves, read without decoding them.

pub(crate) mod access;
pub(crate) mod disposable;
pub(crate) mod hidden;
mod obu;
mod parser;
pub(crate) mod picture;
pub(crate) mod settings;
pub(crate) mod units;
