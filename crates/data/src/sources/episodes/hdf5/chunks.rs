//! Data sets in chunks of whole rows: each row is found and decoded by itself.
//!
//! The library reads any part of a data set, but copies a picture a pixel at a time, and reads all of an old index to find one chunk.

use std::sync::Arc;

use hdf5_reader::cache::{ChunkCache, ChunkKey};
use hdf5_reader::chunk_index::{
    ChunkEntry, collect_implicit_chunk_entries, collect_v2_chunk_entries_storage, single_chunk_entry,
};
use hdf5_reader::error::{Error, Result};
use hdf5_reader::extensible_array::collect_extensible_array_chunk_entries_storage;
use hdf5_reader::filters::apply_pipeline_with_limit;
use hdf5_reader::fixed_array::collect_fixed_array_chunk_entries_storage;
use hdf5_reader::io::Cursor;
use hdf5_reader::messages::HdfMessage;
use hdf5_reader::messages::filter_pipeline::FilterDescription;
use hdf5_reader::messages::layout::{ChunkIndexing, DataLayout};
use hdf5_reader::{Dataset, FilterRegistry, Hdf5File, dtype_element_size};

use super::filters::MAX_CHUNK;
use super::index;

/// What the data sets of a file share.
pub(super) struct Shared {
    pub(super) file: Hdf5File,
    pub(super) filters: FilterRegistry,
    /// The chunks of several rows that were used last.
    pub(super) cache: ChunkCache,
}

/// How a data set lies in its file.
pub(super) struct Chunks {
    shared: Arc<Shared>,
    /// The data set, by the address of its header.
    data_set: u64,
    shape: Vec<u64>,
    most: Option<Vec<u64>>,
    /// Extents of a chunk.
    chunk: Vec<u32>,
    /// Rows of a chunk.
    rows: u64,
    bytes_of_row: usize,
    element: usize,
    index: u64,
    indexing: Option<ChunkIndexing>,
    filters: Vec<FilterDescription>,
}

impl Chunks {
    /// Nothing if the data set has no chunks, or such that cut its rows.
    pub(super) fn new(shared: &Arc<Shared>, data: &Dataset) -> Option<Self> {
        let header = shared.file.get_or_parse_header(data.address()).ok()?;
        let (mut layout, mut filters) = (None, vec![]);
        for message in &header.messages {
            match message {
                HdfMessage::DataLayout(message) => layout = Some(message.layout.clone()),
                HdfMessage::FilterPipeline(message) => filters.clone_from(&message.filters),
                _ => {}
            }
        }
        let Some(DataLayout::Chunked { address, dims: mut chunk, chunk_indexing, .. }) = layout else { return None };
        // Behind the axes the size of an element may follow.
        chunk.truncate(data.ndim());
        let (&rows, row) = chunk.split_first()?;
        let whole = row.iter().map(|&extent| u64::from(extent)).eq(data.shape().iter().skip(1).copied());
        let element = dtype_element_size(data.dtype()).ok()?;
        let bytes_of_row = row.iter().try_fold(element, |bytes, &extent| bytes.checked_mul(extent as usize))?;
        let bytes = bytes_of_row.checked_mul(rows as usize)?;
        let stored = !Cursor::is_undefined_offset(address, shared.file.superblock().offset_size);
        (whole && stored && (1..=MAX_CHUNK).contains(&bytes)).then(|| Self {
            shared: Arc::clone(shared),
            data_set: data.address(),
            shape: data.shape().to_vec(),
            most: data.max_dims().map(<[u64]>::to_vec),
            rows: u64::from(rows),
            bytes_of_row,
            element,
            index: address,
            indexing: chunk_indexing,
            filters,
            chunk,
        })
    }

    /// Hands over the bytes of a row. False if its chunk was never written.
    pub(super) fn row(&self, row: usize, take: impl FnOnce(&[u8])) -> Result<bool> {
        let number = row as u64 / self.rows;
        if self.rows == 1 {
            let Some(entry) = self.find(number)? else { return Ok(false) };
            self.decode(&entry, take)?;
            return Ok(true);
        }
        let chunk_offsets = [number].into_iter().collect();
        let key = ChunkKey { dataset_addr: self.data_set, chunk_offsets };
        let chunk = self.shared.cache.get_or_insert_with(key, || {
            // No bytes stand for a chunk that was never written.
            let mut bytes = Vec::new();
            if let Some(entry) = self.find(number)? {
                self.decode(&entry, |decoded| bytes.extend_from_slice(decoded))?;
            }
            Ok(bytes)
        })?;
        let within = (row as u64 % self.rows) as usize * self.bytes_of_row;
        let Some(bytes) = chunk.get(within..within + self.bytes_of_row) else { return Ok(false) };
        take(bytes);
        Ok(true)
    }

    fn find(&self, number: u64) -> Result<Option<ChunkEntry>> {
        let (storage, rank) = (self.shared.file.storage(), self.shape.len());
        let (offset_size, length_size) =
            (self.shared.file.superblock().offset_size, self.shared.file.superblock().length_size);
        let mut place = vec![0; rank];
        place[0] = number;
        let bounds = Some((&place[..], &place[..]));
        let (index, shape, chunk) = (self.index, &self.shape[..], &self.chunk[..]);
        let mut element = place.clone();
        element[0] = number * self.rows;
        let entries = match &self.indexing {
            None => return index::find(&self.shared.file, index, &element),
            Some(ChunkIndexing::SingleChunk { filtered_size, filters }) => {
                vec![single_chunk_entry(index, *filtered_size, *filters, rank)]
            }
            Some(ChunkIndexing::Implicit) => {
                collect_implicit_chunk_entries(index, shape, chunk, self.element, bounds, storage.len())?
            }
            Some(ChunkIndexing::FixedArray { .. }) => collect_fixed_array_chunk_entries_storage(
                storage,
                index,
                offset_size,
                length_size,
                shape,
                chunk,
                bounds,
            )?,
            Some(ChunkIndexing::ExtensibleArray { .. }) => collect_extensible_array_chunk_entries_storage(
                storage,
                index,
                offset_size,
                length_size,
                shape,
                self.most.as_deref(),
                chunk,
                bounds,
            )?,
            Some(ChunkIndexing::BTreeV2) => {
                collect_v2_chunk_entries_storage(storage, index, offset_size, length_size, rank as u32, chunk, bounds)?
            }
        };
        Ok(entries.into_iter().find(|entry| entry.offsets == element))
    }

    /// Hands over the bytes of a chunk.
    fn decode(&self, entry: &ChunkEntry, take: impl FnOnce(&[u8])) -> Result<()> {
        let expected = self.bytes_of_row * self.rows as usize;
        let stored = if entry.size == 0 { expected } else { entry.size as usize };
        let stored = self.shared.file.storage().read_range(entry.address, stored)?;
        let decoded;
        let bytes = if self.filters.is_empty() {
            &stored[..]
        } else {
            let (filters, registry) = (&self.filters, Some(&self.shared.filters));
            let limit = Some(expected + 1);
            decoded = apply_pipeline_with_limit(&stored, filters, entry.filter_mask, self.element, registry, limit)?;
            &decoded[..]
        };
        if bytes.len() != expected {
            let message = format!("a chunk at {} has {} bytes, expected {expected}", entry.address, bytes.len());
            return Err(Error::InvalidData(message));
        }
        take(bytes);
        Ok(())
    }
}
