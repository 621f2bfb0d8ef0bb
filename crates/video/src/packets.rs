//! What a container says of the packets of one stream.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// What the container says of one packet. Times are in units of the stream's time base.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub(crate) struct PacketRecord {
    pub(crate) presentation: Option<i64>,
    pub(crate) decoding: Option<i64>,
    pub(crate) duration: i64,
    pub(crate) bytes: usize,
    /// Decoding can start here.
    pub(crate) key: bool,
    /// Its frame is for the eye: neither cut away by an edit list nor a hidden reference.
    pub(crate) shown: bool,
    /// The container knows that data are missing.
    pub(crate) corrupt: bool,
    /// No other packet's frame is built on it.
    pub(crate) disposable: bool,
}

/// What a packet is recognised by after a seek.
pub(crate) type Identity = (Option<i64>, Option<i64>, usize);

impl PacketRecord {
    fn identity(&self) -> Identity {
        (self.presentation, self.decoding, self.bytes)
    }
}

/// The packets of the chosen stream, in file order.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct PacketTable {
    records: Vec<PacketRecord>,
    /// Numbers by identity; `None` where two packets look alike. Made when it is first needed.
    #[serde(skip)]
    known: OnceLock<HashMap<Identity, Option<usize>>>,
}

impl PacketTable {
    pub(crate) fn new(records: Vec<PacketRecord>) -> Self {
        Self { records, known: OnceLock::new() }
    }

    pub(crate) fn records(&self) -> &[PacketRecord] {
        &self.records
    }

    /// Bytes of all packets together.
    pub(crate) fn bytes(&self) -> usize {
        self.records.iter().fold(0, |sum, record| sum.saturating_add(record.bytes))
    }

    /// The packet that looks like this, if there is exactly one.
    pub(crate) fn find(&self, identity: &Identity) -> Option<usize> {
        let known = self.known.get_or_init(|| {
            let mut known = HashMap::with_capacity(self.records.len());
            for (number, record) in self.records.iter().enumerate() {
                match known.entry(record.identity()) {
                    Entry::Vacant(entry) => {
                        entry.insert(Some(number));
                    }
                    Entry::Occupied(mut entry) => {
                        entry.insert(None);
                    }
                }
            }
            known
        });
        known.get(identity).copied().flatten()
    }
}
