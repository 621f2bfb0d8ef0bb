//! Integration tests, in one binary.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod evaluate;
mod golden;
mod models;
mod own_suite;
mod report;
mod walks;
