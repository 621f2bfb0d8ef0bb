//! Decoded frames that are kept for the next clips.

use std::sync::{Arc, Mutex, PoisonError};

use crate::DataError;

/// Bytes of frames that are kept, for all threads together; the block that was used last is kept whatever its size.
const KEPT: usize = 128 << 20;
/// Blocks that are kept.
const BLOCKS: usize = 1024;

/// Blocks of frames, those that were used last first. Each is decoded by one thread, while others that want it wait.
#[derive(Default)]
pub(super) struct Cache {
    blocks: Mutex<Vec<Block>>,
}

struct Block {
    /// Camera, and number of the block.
    key: (usize, usize),
    size: usize,
    frames: Arc<Mutex<Option<Arc<Vec<u8>>>>>,
}

impl Cache {
    /// The block of this key and size in bytes, made if it is not there.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(super) fn get(
        &self,
        key: (usize, usize),
        size: usize,
        make: impl FnOnce() -> Result<Vec<u8>, DataError>,
    ) -> Result<Arc<Vec<u8>>, DataError> {
        let place = {
            let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
            let block = match blocks.iter().position(|block| block.key == key) {
                Some(found) => blocks.remove(found),
                None => Block { key, size, frames: Arc::default() },
            };
            let place = block.frames.clone();
            blocks.insert(0, block);
            let mut kept = 0_usize;
            let fits = |block: &Block| {
                kept = kept.saturating_add(block.size);
                kept <= KEPT
            };
            let fitting = blocks.iter().take(BLOCKS).map(fits).take_while(|fits| *fits).count();
            blocks.truncate(fitting.max(1));
            place
        };
        let mut frames = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frames) = &*frames {
            return Ok(frames.clone());
        }
        let made = Arc::new(make()?);
        *frames = Some(made.clone());
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_made_once_while_they_are_kept() {
        let cache = Cache::default();
        let made = std::cell::RefCell::new(Vec::new());
        let get = |key, size| {
            let make = || {
                made.borrow_mut().push(key);
                Ok(vec![key as u8])
            };
            assert_eq!(*cache.get((0, key), size, make).unwrap(), [key as u8]);
        };
        for key in [1, 2, 1, 3, 1, 2] {
            get(key, KEPT / 2);
        }
        assert_eq!(*made.borrow(), [1, 2, 3, 2], "the block that was not used for longest goes");
        get(4, KEPT * 2);
        get(4, KEPT * 2);
        get(1, 1);
        assert_eq!(*made.borrow(), [1, 2, 3, 2, 4, 1]);
        assert!(cache.get((1, 1), 1, || Err(DataError::Stopped)).is_err());
        assert!(cache.get((1, 1), 1, || Ok(vec![])).is_ok(), "what failed is tried again");
    }
}
