//! Features that are kept in a file until all are there.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use prevision_core::whole_file;

/// Rows of a sample at most.
const SAMPLE: usize = 4096;

/// Patch features `[windows, tokens, width]` in a file without a name of its own, which goes with this.
pub(super) struct Spool {
    path: PathBuf,
    file: BufWriter<File>,
    tokens: usize,
    width: usize,
    windows: usize,
}

impl Spool {
    /// An empty one, in a file beside this one.
    pub(super) fn create(beside: &Path, tokens: usize, width: usize) -> io::Result<Self> {
        let path = whole_file::partial(beside);
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        Ok(Self { path, file: BufWriter::with_capacity(1 << 20, file), tokens, width, windows: 0 })
    }

    /// Adds windows, of which each has `layers` times class token, registers and patches; the patches of the last layer are kept.
    pub(super) fn keep(&mut self, features: &[f32], layers: usize, prefix: usize) -> io::Result<()> {
        let layer = (prefix + self.tokens) * self.width;
        for window in features.chunks_exact(layers * layer) {
            for number in &window[(layers - 1) * layer + prefix * self.width..] {
                self.file.write_all(&number.to_le_bytes())?;
            }
            self.windows += 1;
        }
        Ok(())
    }

    /// Numbers of a patch.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// The features of a window, `[tokens, width]`.
    pub(super) fn window(&mut self, window: usize) -> io::Result<Vec<f32>> {
        self.file.flush()?;
        let mut bytes = vec![0; self.tokens * self.width * 4];
        let file = self.file.get_mut();
        file.seek(SeekFrom::Start((window * bytes.len()) as u64))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)).collect())
    }

    /// Patches from all over the windows, `[n, width]`: all of them, or some thousand. The same for the same number of patches.
    pub(super) fn sample(&mut self) -> io::Result<Vec<f32>> {
        let all = self.windows * self.tokens;
        let step = all.div_ceil(SAMPLE).max(1);
        let mut rows = Vec::new();
        let mut wanted =
            (0..all.div_ceil(step)).map(|group| place(group, step)).filter(|place| *place < all).peekable();
        for window in 0..self.windows {
            let end = (window + 1) * self.tokens;
            if wanted.peek().is_none_or(|place| *place >= end) {
                continue;
            }
            let features = self.window(window)?;
            while let Some(place) = wanted.next_if(|place| *place < end) {
                rows.extend_from_slice(&features[(place % self.tokens) * self.width..][..self.width]);
            }
        }
        Ok(rows)
    }
}

/// One of the `step` places of a group, another one in each: rows of patches repeat themselves, and every n-th could be of one column.
fn place(group: usize, step: usize) -> usize {
    let scattered = (group as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    group * step + scattered as usize % step
}

impl Drop for Spool {
    fn drop(&mut self) {
        // Nobody is left to be told.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_of_the_last_layer_are_kept_until_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut spool = Spool::create(&folder.path().join("a.mp4"), 2, 1).expect("a file");
        // Two windows of two layers, each a class token and two patches.
        let features: Vec<f32> = (0..12).map(|number| number as f32).collect();
        spool.keep(&features, 2, 1).expect("features");
        assert_eq!(spool.window(1).expect("a window"), [10.0, 11.0]);
        assert_eq!(spool.window(0).expect("a window"), [4.0, 5.0]);
        assert_eq!(spool.sample().expect("a sample"), [4.0, 5.0, 10.0, 11.0]);
        drop(spool);
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
    }

    #[test]
    fn a_sample_is_from_all_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut spool = Spool::create(&folder.path().join("a.mp4"), 4000, 1).expect("a file");
        for window in 0..4 {
            let features: Vec<f32> = (0..4000).map(|token| (window * 4000 + token) as f32).collect();
            spool.keep(&features, 1, 0).expect("features");
        }
        let rows = spool.sample().expect("a sample");
        assert_eq!(rows.len(), 4000);
        assert!(rows.iter().enumerate().all(|(group, row)| (group * 4..group * 4 + 4).contains(&(*row as usize))));
        let columns: std::collections::BTreeSet<usize> = rows.iter().map(|row| *row as usize % 4).collect();
        assert_eq!(columns.len(), 4);
    }
}
