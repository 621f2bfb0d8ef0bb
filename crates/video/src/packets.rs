//! What a container says of the packets of one stream.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::bitstream::settings::Setting;

/// What the container says of one packet. Times are in units of the stream's time base.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub(crate) struct PacketRecord {
    pub(crate) presentation: Option<i64>,
    pub(crate) decoding: Option<i64>,
    pub(crate) duration: i64,
    pub(crate) bytes: usize,
    /// Decoding can start here: the container says so, and the bitstream agrees where it can be read.
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
    /// Settings that the stream gives once, by packet.
    settings: Vec<Setting>,
    /// Numbers by identity; `None` where two packets look alike. Made when it is first needed.
    #[serde(skip)]
    known: OnceLock<HashMap<Identity, Option<usize>>>,
}

impl PacketTable {
    pub(crate) fn new(records: Vec<PacketRecord>, settings: Vec<Setting>) -> Self {
        Self { records, settings, known: OnceLock::new() }
    }

    /// The same packets, of which those that are not among `starts` (ascending) are no place to start.
    pub(crate) fn starting_at(&self, starts: &[usize]) -> Self {
        let mut records = self.records.clone();
        for (number, record) in records.iter_mut().enumerate() {
            record.key &= starts.binary_search(&number).is_ok();
        }
        Self::new(records, self.settings.clone())
    }

    /// Whether a table that was stored can be one: its settings belong to its packets, in their order.
    pub(crate) fn is_sound(&self) -> bool {
        self.settings.is_sorted_by_key(|setting| setting.packet)
            && self.settings.iter().all(|setting| setting.packet < self.records.len())
    }

    pub(crate) fn records(&self) -> &[PacketRecord] {
        &self.records
    }

    /// Settings that the stream gives once, by packet.
    pub(crate) fn settings(&self) -> &[Setting] {
        &self.settings
    }

    /// The settings that a packet brings.
    pub(crate) fn settings_of(&self, packet: usize) -> &[Setting] {
        let from = self.settings.partition_point(|setting| setting.packet < packet);
        let to = self.settings.partition_point(|setting| setting.packet <= packet);
        &self.settings[from..to]
    }

    /// Whether another table is of the same packets; where decoding can start, and what is damaged, may have been found out for one of
    /// them alone.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let same = |(one, other): (&PacketRecord, &PacketRecord)| {
            let PacketRecord { key, corrupt, disposable, .. } = *other;
            PacketRecord { key, corrupt, disposable, ..*one } == *other
        };
        self.records.len() == other.records.len() && self.records.iter().zip(&other.records).all(same)
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
