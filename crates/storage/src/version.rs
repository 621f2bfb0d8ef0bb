//! Which content an object has.

/// Which content an object has: two objects of the same address and version hold the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Bytes of the object.
    pub bytes: u64,
    /// The server's entity tag; where it gives none, the time of the last change.
    pub tag: String,
}
