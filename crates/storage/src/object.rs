//! One object in storage.

use std::path::Path;
use std::sync::Arc;

use crate::blocks::{BLOCK, BlockCache};
use crate::client::Remote;
use crate::{Late, ObjectReader, StorageError, Version};

/// An object in storage, as it is when it is opened: if it is replaced while it is read, that is an error. Clones are the
/// same object.
#[derive(Clone, Debug)]
pub struct Object {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) remote: Remote,
    pub(crate) version: Version,
    /// Names its content among all others.
    pub(crate) key: String,
    pub(crate) cache: Option<&'static BlockCache>,
}

impl Object {
    /// Opens an object: one request for its size and version.
    ///
    /// # Errors
    /// If there is no such object, or the storage cannot be asked.
    pub fn open(address: &Path, late: Late) -> Result<Self, StorageError> {
        let remote = Remote::new(address)?;
        let version = remote.head(late)?;
        Self::of(remote, version)
    }

    /// Opens an object whose version is known: without a request. If it has another version by now, that is found out when
    /// bytes are needed that are not in the cache.
    ///
    /// # Errors
    /// If the address or the settings are wrong.
    pub fn at_version(address: &Path, version: &Version) -> Result<Self, StorageError> {
        Self::of(Remote::new(address)?, version.clone())
    }

    fn of(remote: Remote, version: Version) -> Result<Self, StorageError> {
        let key = format!("{} {} {} {}", remote.address.display(), remote.server, version.bytes, version.tag);
        Ok(Self { shared: Arc::new(Shared { remote, version, key, cache: BlockCache::of_user()? }) })
    }

    /// Which content it has.
    pub fn version(&self) -> &Version {
        &self.shared.version
    }

    /// Reads it from its start on.
    pub fn reader(&self) -> ObjectReader {
        ObjectReader::new(self.clone())
    }
}

impl Shared {
    /// Number of its blocks.
    pub(crate) fn blocks(&self) -> u64 {
        self.version.bytes.div_ceil(BLOCK)
    }
}
