//! Reading an object at any place, block by block.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::blocks::BLOCK;
use crate::flights::{Claim, wait_for_landing};
use crate::object::Shared;
use crate::{Late, Object, StorageError};

/// Blocks that one request asks for at most.
const MOST_AHEAD: u64 = 8;
/// Blocks that stay in memory while they can be had from the disk.
const HELD: usize = 2;

/// Reads an object at any place. Where it goes straight on, requests become larger, up to 8 MiB.
#[derive(Debug)]
pub struct ObjectReader {
    object: Object,
    position: u64,
    /// Blocks in memory, by number.
    held: VecDeque<(u64, Arc<[u8]>)>,
    /// Blocks that the last request asked for.
    ahead: u64,
    /// The block after them.
    next: u64,
}

impl ObjectReader {
    pub(crate) fn new(object: Object) -> Self {
        Self { object, position: 0, held: VecDeque::new(), ahead: 0, next: 0 }
    }

    /// Reads what follows into `out` and says how many bytes it was: at least one, if anything follows and `out` has room.
    ///
    /// # Errors
    /// If the storage fails, the object has changed, or it gets late.
    pub fn read(&mut self, out: &mut [u8], late: Late) -> Result<usize, StorageError> {
        if self.position >= self.object.version().bytes || out.is_empty() {
            return Ok(0);
        }
        let (number, from) = (self.position / BLOCK, (self.position % BLOCK) as usize);
        let block = self.block(number, late)?;
        let part = block.get(from..).unwrap_or_default();
        let count = part.len().min(out.len());
        out[..count].copy_from_slice(&part[..count]);
        self.position += count as u64;
        Ok(count)
    }

    /// Where it reads next, bytes from the object's start.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Goes to a place, bytes from the object's start; beyond the end nothing is read.
    pub fn go_to(&mut self, position: u64) {
        self.position = position;
    }

    /// A block, from memory, from the disk, or from the storage.
    fn block(&mut self, number: u64, late: Late) -> Result<Arc<[u8]>, StorageError> {
        let shared = Arc::clone(&self.object.shared);
        loop {
            if let Some((_, block)) = self.held.iter().find(|(held, _)| *held == number) {
                return Ok(Arc::clone(block));
            }
            if let Some(block) = shared.cached(number) {
                self.hold(number, block.into(), HELD);
                continue;
            }
            if late() {
                return Err(StorageError::TimedOut { address: shared.remote.address.clone() });
            }
            let ahead = if number == self.next && number > 0 { (self.ahead * 2).clamp(1, MOST_AHEAD) } else { 1 };
            let most = ahead.min(shared.blocks() - number);
            let missing = |number| shared.cache.is_none_or(|cache| !cache.has(&shared.key, number));
            let Some(claim) = Claim::new(&shared.key, number, most, missing) else {
                wait_for_landing();
                continue;
            };
            // It may have landed between the two looks.
            if shared.cache.is_some_and(|cache| cache.has(&shared.key, number)) && shared.cached(number).is_some() {
                continue;
            }
            self.fetch(&shared, number, &claim, late)?;
        }
    }

    fn fetch(&mut self, shared: &Shared, first: u64, claim: &Claim, late: Late) -> Result<(), StorageError> {
        let end = first + claim.count();
        let range = first * BLOCK..(end * BLOCK).min(shared.version.bytes);
        let bytes = shared.remote.get(range, &shared.version, late)?;
        let stored = bytes
            .chunks(BLOCK as usize)
            .zip(first..)
            .fold(true, |all, (block, number)| shared.keep(number, block) && all);
        let held = if stored { HELD } else { MOST_AHEAD as usize };
        for (block, number) in bytes.chunks(BLOCK as usize).zip(first..).take(held) {
            self.hold(number, block.into(), held);
        }
        (self.ahead, self.next) = (claim.count(), end);
        Ok(())
    }

    fn hold(&mut self, number: u64, block: Arc<[u8]>, most: usize) {
        while self.held.len() >= most {
            self.held.pop_front();
        }
        self.held.push_back((number, block));
    }
}

impl Shared {
    fn cached(&self, number: u64) -> Option<Vec<u8>> {
        let length = BLOCK.min(self.version.bytes.checked_sub(number * BLOCK)?);
        self.cache?.load(&self.key, number).filter(|block| block.len() as u64 == length)
    }

    fn keep(&self, number: u64, block: &[u8]) -> bool {
        self.cache.is_some_and(|cache| cache.store(&self.key, number, block))
    }
}
