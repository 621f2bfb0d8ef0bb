//! Videos by address: `s3://bucket/key` and `https://host/path` where a file's path could stand.
//!
//! An [`Object`] is opened once and then read at any place by an [`ObjectReader`]. What is read are ranges: blocks of
//! 1 MiB, several at a time where reading goes straight on. Blocks are kept in a folder of the user's ([`cache_folder`]),
//! bounded in size, shared by threads and processes, and tied to the [`Version`] of the object that they are from.
//!
//! Addresses need the cargo feature `object-store`. Without the feature the interface is the same and every address is
//! [`StorageError::NotBuilt`].

mod address;
mod error;
mod folder;
pub mod path_text;
mod version;

#[cfg(feature = "object-store")]
mod blocks;
#[cfg(feature = "object-store")]
mod client;
#[cfg(feature = "object-store")]
mod flights;
#[cfg(feature = "object-store")]
mod listing;
#[cfg(feature = "object-store")]
mod object;
#[cfg(feature = "object-store")]
mod reader;
#[cfg(feature = "object-store")]
mod runtime;

#[cfg(not(feature = "object-store"))]
mod absent;

#[cfg(not(feature = "object-store"))]
pub use absent::{Object, ObjectReader, list, read};
pub use address::{can_be_listed, is_address};
#[cfg(feature = "object-store")]
pub use blocks::BlockCache;
pub use error::StorageError;
pub use folder::cache_folder;
#[cfg(feature = "object-store")]
pub use listing::{list, read};
#[cfg(feature = "object-store")]
pub use object::Object;
#[cfg(feature = "object-store")]
pub use reader::ObjectReader;
pub use version::Version;

/// Asked while something is waited for: whether that has taken too long.
pub type Late<'a> = &'a dyn Fn() -> bool;

/// Late once this much time has passed from now on.
pub fn after(patience: std::time::Duration) -> impl Fn() -> bool {
    let begin = std::time::Instant::now();
    move || begin.elapsed() > patience
}
