//! A recording of another format, written as a replay buffer in Zarr v2.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use prevision_core::whole_file;
use serde_json::{Value, json};
use zarrs::array::{Array, ArrayBytes, CodecOptions};
use zarrs::filesystem::FilesystemStore;

use super::{DATA, ENDS};
use crate::DataError;
use crate::convert::{EpisodeSink, Recorded};
use crate::sources::episodes::names::{check_names, own_columns, short};

/// Bytes of a chunk, about. A clip takes a few frames out of one.
const CHUNK: usize = 1 << 20;

/// Writes pictures as they come, a chunk of them in memory for each camera; the columns and the ends of the episodes at the end.
pub(in crate::sources::episodes) struct ZarrSink {
    root: PathBuf,
    store: Arc<FilesystemStore>,
    /// In the order of the recording's cameras.
    cameras: Vec<Stream>,
}

impl ZarrSink {
    pub(in crate::sources::episodes) fn new(root: &Path, recorded: &Recorded) -> Result<Self, DataError> {
        check_names(root, recorded)?;
        for group in ["", DATA, "meta"] {
            let folder = root.join(group);
            std::fs::create_dir_all(&folder).map_err(|error| DataError::io(&folder, error))?;
            json_file(&folder.join(".zgroup"), &json!({"zarr_format": 2}))?;
        }
        let store = FilesystemStore::new(root).map_err(|error| DataError::format(root, error.to_string()))?;
        let store = Arc::new(store);
        let rows = recorded.offsets.last().copied().unwrap_or(0);
        let cameras = recorded.cameras.iter().map(|camera| {
            let place = format!("{DATA}/{}", short(&camera.name));
            Stream::new(root, &store, &place, "|u1", &[rows, camera.height, camera.width, 3])
        });
        Ok(Self { cameras: cameras.collect::<Result<_, _>>()?, root: root.to_owned(), store })
    }

    fn array(&self, place: &str, dtype: &str, shape: &[usize], bytes: &[u8]) -> Result<(), DataError> {
        let mut stream = Stream::new(&self.root, &self.store, place, dtype, shape)?;
        stream.write(bytes)?;
        stream.finish()
    }
}

impl EpisodeSink for ZarrSink {
    fn write(&mut self, recorded: &Recorded, episode: usize) -> Result<(), DataError> {
        for (camera, stream) in recorded.cameras.iter().zip(&mut self.cameras) {
            recorded.each_frame(camera, episode, |_, samples| stream.write(samples))?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>, recorded: &Recorded) -> Result<(), DataError> {
        for camera in std::mem::take(&mut self.cameras) {
            camera.finish()?;
        }
        for (name, rows) in own_columns(recorded) {
            let bytes: Vec<u8> = rows.data.iter().flat_map(|value| value.to_ne_bytes()).collect();
            self.array(&format!("{DATA}/{name}"), "<f4", &[rows.rows, rows.columns], &bytes)?;
        }
        let ends: Vec<u8> = recorded.offsets.iter().skip(1).flat_map(|&end| (end as i64).to_ne_bytes()).collect();
        self.array(ENDS, "<i8", &[ends.len() / 8], &ends)
    }
}

/// An array that is written from its start to its end.
struct Stream {
    dir: PathBuf,
    array: Array<FilesystemStore>,
    described: Value,
    /// Bytes of a chunk.
    size: usize,
    /// Axes.
    axes: usize,
    /// What is not written yet, in the machine's order of bytes.
    waiting: Vec<u8>,
    /// Chunks that are written.
    chunks: u64,
}

impl Stream {
    /// An array of this shape, cut along its first axis only.
    fn new(
        root: &Path,
        store: &Arc<FilesystemStore>,
        place: &str,
        dtype: &str,
        shape: &[usize],
    ) -> Result<Self, DataError> {
        let dir = root.join(place);
        let width = dtype.as_bytes().last().map_or(1, |digit| usize::from(digit - b'0'));
        let row = shape[1..].iter().product::<usize>() * width;
        if row == 0 || shape[0] == 0 {
            return Err(DataError::format(dir, format!("there is nothing to write: the shape is {shape:?}")));
        }
        let mut chunk = shape.to_vec();
        chunk[0] = (CHUNK / row).clamp(1, shape[0]);
        let fill = if dtype == "<f4" { json!(0.0) } else { json!(0) };
        // What diffusion policy has for files: Zstandard behind a shuffle of the bits.
        let compressor = json!({"id": "blosc", "cname": "zstd", "clevel": 5, "shuffle": 2, "blocksize": 0});
        let described = json!({
            "zarr_format": 2, "shape": shape, "chunks": chunk, "dtype": dtype, "compressor": compressor,
            "fill_value": fill, "order": "C", "filters": null,
        });
        let bad = |message: String| DataError::format(&dir, message);
        let metadata = serde_json::from_value(described.clone()).map_err(|error| bad(error.to_string()))?;
        let array = Array::new_with_metadata(store.clone(), &format!("/{place}"), metadata)
            .map_err(|error| bad(error.to_string()))?;
        let (size, axes) = (row * chunk[0], shape.len());
        Ok(Self { dir, array, described, size, axes, waiting: Vec::new(), chunks: 0 })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(self.size - self.waiting.len()));
            self.waiting.extend_from_slice(now);
            rest = later;
            if self.waiting.len() == self.size {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DataError> {
        let mut indices = vec![0; self.axes];
        indices[0] = self.chunks;
        let options = CodecOptions::default().with_concurrent_target(1).with_store_empty_chunks(true);
        let stored = self.array.store_chunk_opt(&indices, ArrayBytes::new_flen(self.waiting.as_slice()), &options);
        stored.map_err(|error| DataError::format(&self.dir, error.to_string()))?;
        self.waiting.clear();
        self.chunks += 1;
        Ok(())
    }

    /// Fills up the last chunk, and says what the array is.
    fn finish(mut self) -> Result<(), DataError> {
        if !self.waiting.is_empty() {
            self.waiting.resize(self.size, 0);
            self.flush()?;
        }
        json_file(&self.dir.join(".zarray"), &self.described)
    }
}

fn json_file(path: &Path, value: &Value) -> Result<(), DataError> {
    let text = serde_json::to_vec_pretty(value).map_err(|error| DataError::format(path, error.to_string()))?;
    whole_file::write(path, text).map_err(|error| DataError::io(path, error))
}
