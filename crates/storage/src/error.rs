//! What can go wrong with an address.

use std::path::PathBuf;

/// Why something cannot be read by its address. Every message names the address or the setting.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The program has no object storage in it.
    #[error("cannot read {}: this program was built without object storage; build it with the cargo feature object-store (cargo build --release --features prevision/object-store)", address.display())]
    NotBuilt {
        /// The address.
        address: PathBuf,
    },
    /// It is no address.
    #[error("{} is not an address: {reason}", address.display())]
    Address {
        /// What was given.
        address: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An environment variable, or what several of them say together, cannot be used.
    #[error("cannot set up the storage: {reason}")]
    Settings {
        /// The variable, its value and what was expected.
        reason: String,
    },
    /// Nothing is there.
    #[error("there is no object {}", address.display())]
    NotFound {
        /// The address.
        address: PathBuf,
    },
    /// The server refuses access.
    #[error("no access to {}: {reason}", address.display())]
    Denied {
        /// The address.
        address: PathBuf,
        /// What the server said.
        reason: String,
    },
    /// The object is another one than when it was opened.
    #[error("{} changed while it was being read", address.display())]
    Changed {
        /// The address.
        address: PathBuf,
    },
    /// The network or the server failed, also when it was asked again.
    #[error("cannot read {}: {reason}", address.display())]
    Network {
        /// The address.
        address: PathBuf,
        /// What happened.
        reason: String,
    },
    /// It took longer than it may.
    #[error("reading {} took too long", address.display())]
    TimedOut {
        /// The address.
        address: PathBuf,
    },
}
