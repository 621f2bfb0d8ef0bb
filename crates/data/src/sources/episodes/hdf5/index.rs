//! Where a chunk is, by the oldest index of chunks: a B-tree whose keys are the chunks' first elements.

use hdf5_reader::Hdf5File;
use hdf5_reader::btree_v1::{BTreeV1Key, BTreeV1Node};
use hdf5_reader::chunk_index::ChunkEntry;
use hdf5_reader::error::{Error, Result};
use hdf5_reader::io::Cursor;

/// Finds the chunk that begins at an element, from the root of the tree down; the library's own search reads the whole tree.
pub(super) fn find(file: &Hdf5File, root: u64, element: &[u64]) -> Result<Option<ChunkEntry>> {
    let (mut address, mut above) = (root, None);
    loop {
        let node = read(file, address, element.len())?;
        if node.node_type != 1 || above.is_some_and(|above| node.level >= above) {
            return Err(Error::InvalidData(format!("a node of the index of chunks, at {address}, is of another tree")));
        }
        // A child has the chunks from its key on, up to the next key.
        let first =
            node.children.iter().zip(&node.keys).rposition(|(_, key)| first(key, element.len()) <= Some(element));
        let Some((&child, key)) = first.and_then(|place| node.children.get(place).zip(node.keys.get(place))) else {
            return Ok(None);
        };
        if node.level == 0 {
            return Ok(entry(key, child, element));
        }
        (address, above) = (child, Some(node.level));
    }
}

fn first(key: &BTreeV1Key, rank: usize) -> Option<&[u64]> {
    match key {
        BTreeV1Key::RawData { offsets, .. } => offsets.get(..rank),
        BTreeV1Key::Group { .. } => None,
    }
}

fn entry(key: &BTreeV1Key, address: u64, element: &[u64]) -> Option<ChunkEntry> {
    let BTreeV1Key::RawData { chunk_size, filter_mask, .. } = key else { return None };
    let offsets = first(key, element.len()).filter(|offsets| *offsets == element)?.to_vec();
    Some(ChunkEntry { address, size: u64::from(*chunk_size), filter_mask: *filter_mask, offsets })
}

fn read(file: &Hdf5File, address: u64, rank: usize) -> Result<BTreeV1Node> {
    let (offset_size, length_size) = (file.superblock().offset_size, file.superblock().length_size);
    let head = 8 + 2 * usize::from(offset_size);
    let entries = {
        let head = file.storage().read_range(address, head)?;
        usize::from(u16::from_le_bytes([head[6], head[7]]))
    };
    // The key tells size, filters, and as many places as there are axes and one more.
    let key = 8 + 8 * (rank + 1);
    let bytes = file.storage().read_range(address, head + (entries + 1) * key + entries * usize::from(offset_size))?;
    BTreeV1Node::parse(&mut Cursor::new(&bytes), offset_size, length_size, Some(rank as u32))
}
