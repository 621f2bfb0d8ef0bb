//! One version of a table, read by row.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{Array, ArrayRef, BinaryArray, LargeBinaryArray, UInt32Array};
use arrow_cast::cast;
use arrow_schema::DataType;
use futures_util::TryStreamExt as _;
use lance_core::cache::LanceCache;
use lance_core::datatypes::{Field, Schema};
use lance_core::{Error, Result};
use lance_encoding::decoder::{DecoderPlugins, FilterExpression};
use lance_file::reader::{FileReader, FileReaderOptions};
use lance_file::versions::reader_projection_from_field_ids;
use lance_io::ReadBatchParams;
use lance_io::object_store::ObjectStore;
use lance_io::scheduler::{ScanScheduler, SchedulerConfig};
use lance_table::feature_flags::ensure_can_read_manifest;
use lance_table::format::{DataFile, Fragment};
use lance_table::io::commit::{CommitHandler as _, RenameCommitHandler};
use lance_table::io::deletion::read_deletion_file;
use lance_table::io::manifest::read_manifest;
use prevision_core::seed::fnv1a;
use tokio::sync::OnceCell;

use super::runtime::wait;
use crate::DataError;

/// Rows that are decoded at a time.
const BATCH: u32 = 1024;
/// Batches that are decoded ahead.
const AHEAD: u32 = 2;
/// Bytes of what is known of files that are kept.
const CACHE: usize = 64 << 20;

/// An open table.
pub(super) struct Table {
    dir: PathBuf,
    base: object_store::path::Path,
    scheduler: Arc<ScanScheduler>,
    cache: LanceCache,
    schema: Schema,
    parts: Vec<Part>,
    rows: usize,
    identity: u64,
}

/// Some rows of the table, in files of their own: a fragment.
struct Part {
    files: Vec<(DataFile, OnceCell<Arc<FileReader>>)>,
    /// Rows of the files.
    stored: usize,
    /// The table's number of the first row.
    first: usize,
    /// Which of the files' rows are the table's; none for all of them.
    kept: Option<Vec<u32>>,
}

impl Part {
    fn rows(&self) -> usize {
        self.kept.as_ref().map_or(self.stored, Vec::len)
    }

    /// The files' numbers of rows of the table, `rows` ascending and of this part, or of all of its rows.
    fn stored_rows(&self, rows: Option<&[usize]>) -> ReadBatchParams {
        let rows: Vec<u32> = match (rows, &self.kept) {
            (None, None) => return ReadBatchParams::RangeFull,
            (None, Some(kept)) => kept.clone(),
            (Some(rows), None) => rows.iter().map(|row| (row - self.first) as u32).collect(),
            (Some(rows), Some(kept)) => rows.iter().map(|row| kept[row - self.first]).collect(),
        };
        ReadBatchParams::Indices(UInt32Array::from(rows))
    }
}

impl Table {
    /// Opens the newest version of a table.
    ///
    /// # Errors
    /// If there is none, or it uses what is not read here.
    pub(super) fn open(dir: &Path) -> std::result::Result<Arc<Self>, DataError> {
        let full = std::path::absolute(dir).map_err(|error| DataError::io(dir, error))?;
        let Some(name) = full.to_str().map(str::to_owned) else {
            return Err(DataError::format(dir, "its name is not UTF-8, which Lance needs"));
        };
        let dir = dir.to_owned();
        wait(&dir.clone(), async move { Self::open_newest(dir, &name).await.map(Arc::new) })
    }

    async fn open_newest(dir: PathBuf, name: &str) -> Result<Self> {
        let (store, base) = ObjectStore::from_uri(name).await?;
        let newest = RenameCommitHandler.resolve_latest_location(&base, &store).await?;
        let bytes = store.read_one_all(&newest.path).await?;
        if !is_plausible(&bytes) {
            return Err(Error::corrupt_file(newest.path, "the list of files is cut off or damaged".to_owned()));
        }
        let manifest = read_manifest(&store, &newest.path, Some(bytes.len() as u64)).await?;
        ensure_can_read_manifest(&manifest)?;
        manifest.schema.fields.iter().try_for_each(check_type)?;
        let (mut parts, mut rows) = (Vec::new(), 0);
        for fragment in manifest.fragments.iter() {
            let part = Self::part(fragment, rows, &store, &base).await?;
            rows += part.rows();
            parts.push(part);
        }
        let scheduler = ScanScheduler::new(store.clone(), SchedulerConfig::max_bandwidth(&store));
        let cache = LanceCache::with_capacity(CACHE);
        let identity = fnv1a(name.as_bytes()) ^ fnv1a(&bytes);
        Ok(Self { dir, base, scheduler, cache, schema: manifest.schema, parts, rows, identity })
    }

    async fn part(
        fragment: &Fragment,
        first: usize,
        store: &ObjectStore,
        base: &object_store::path::Path,
    ) -> Result<Part> {
        let not_read = |what: &str| Error::not_supported(format!("fragment {} {what}, which is not read", fragment.id));
        if !fragment.overlays.is_empty() {
            return Err(not_read("has overlays"));
        }
        if fragment.files.iter().any(|file| file.base_id.is_some()) {
            return Err(not_read("has files outside of the table"));
        }
        let stored = fragment.physical_rows.filter(|rows| u32::try_from(*rows).is_ok());
        let stored = stored.ok_or_else(|| not_read("does not say how many rows it has"))?;
        let mut kept = None;
        if let Some(file) = &fragment.deletion_file {
            let deleted = read_deletion_file(fragment.id, file, base, store).await?;
            kept = Some((0..stored as u32).filter(|row| !deleted.contains(*row)).collect());
        }
        let files = fragment.files.iter().map(|file| (file.clone(), OnceCell::new())).collect();
        Ok(Part { files, stored, first, kept })
    }

    /// The folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A number that another version, and a table at another place, do not have.
    pub(super) fn identity(&self) -> u64 {
        self.identity
    }

    /// The number of rows.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether there is a column of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.schema.field(name).is_some()
    }

    /// The names of columns of some types, sorted.
    pub(super) fn names(&self, of: impl Fn(&DataType) -> bool) -> Vec<String> {
        let fields = self.schema.fields.iter().filter(|field| of(&field.data_type()));
        let mut names: Vec<String> = fields.map(|field| field.name.clone()).collect();
        names.sort();
        names
    }

    /// The type of a column.
    ///
    /// # Errors
    /// If there is no such column.
    pub(super) fn data_type(&self, name: &str) -> std::result::Result<DataType, DataError> {
        let field = self.schema.fields.iter().find(|field| field.name == name);
        field.map(|field| field.data_type()).ok_or_else(|| {
            let known = self.names(|_| true).join(", ");
            DataError::format(&self.dir, format!("has no column `{name}`; it has {known}"))
        })
    }

    /// A whole column, in pieces.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(super) fn column(self: &Arc<Self>, name: &str) -> std::result::Result<Vec<ArrayRef>, DataError> {
        self.read(name, None)
    }

    /// A whole column of texts; empty where one is missing.
    ///
    /// # Errors
    /// If there is no such column, it does not hold texts, or it cannot be read.
    pub(super) fn texts(self: &Arc<Self>, name: &str) -> std::result::Result<Vec<String>, DataError> {
        let bad = |error: String| DataError::format(&self.dir, format!("column `{name}`: {error}"));
        let mut texts = Vec::with_capacity(self.rows);
        for array in self.column(name)? {
            let array = cast(&array, &DataType::Utf8).map_err(|error| bad(error.to_string()))?;
            let array = array.as_string_opt::<i32>().ok_or_else(|| bad("holds no texts".to_owned()))?;
            texts.extend(array.iter().map(|text| text.unwrap_or_default().to_owned()));
        }
        Ok(texts)
    }

    /// Tells the bytes in some rows of a column, ascending and each once.
    ///
    /// # Errors
    /// If there is no such column or row, it does not hold bytes, some are missing, or `each` refuses them.
    pub(super) fn bytes(
        self: &Arc<Self>,
        name: &str,
        rows: &[usize],
        mut each: impl FnMut(&[u8]) -> std::result::Result<(), String>,
    ) -> std::result::Result<(), DataError> {
        if let Some(row) = rows.iter().find(|row| **row >= self.rows) {
            return Err(DataError::format(&self.dir, format!("has no row {row}, it has {}", self.rows)));
        }
        let mut at = rows.iter();
        for array in self.read(name, Some(rows))? {
            for place in 0..array.len() {
                let (row, any) = (at.next().copied().unwrap_or(self.rows), array.as_any());
                let bytes = if let Some(small) = any.downcast_ref::<BinaryArray>() {
                    Ok(small.value(place))
                } else if let Some(large) = any.downcast_ref::<LargeBinaryArray>() {
                    Ok(large.value(place))
                } else {
                    Err(format!("is of the type {}, expected bytes", array.data_type()))
                };
                let there = if array.is_null(place) { Err("is missing".to_owned()) } else { bytes };
                let message = |message| DataError::format(&self.dir, format!("column `{name}`, row {row}: {message}"));
                there.and_then(&mut each).map_err(message)?;
            }
        }
        match at.next() {
            Some(row) => Err(DataError::format(&self.dir, format!("column `{name}` has no row {row}"))),
            None => Ok(()),
        }
    }

    /// A column, or some of its rows in ascending order, in pieces.
    fn read(self: &Arc<Self>, name: &str, rows: Option<&[usize]>) -> std::result::Result<Vec<ArrayRef>, DataError> {
        self.data_type(name)?;
        let (table, name) = (self.clone(), name.to_owned());
        let rows = rows.map(<[usize]>::to_vec);
        wait(&self.dir, async move {
            let mut arrays = Vec::new();
            for part in &table.parts {
                let of_part = |rows: &'_ Vec<usize>| {
                    let begin = rows.partition_point(|row| *row < part.first);
                    rows[begin..rows.partition_point(|row| *row < part.first + part.rows())].to_vec()
                };
                let rows = rows.as_ref().map(of_part);
                if part.rows() > 0 && rows.as_ref().is_none_or(|rows| !rows.is_empty()) {
                    table.read_part(part, &name, rows.as_deref(), &mut arrays).await?;
                }
            }
            Ok(arrays)
        })
    }

    async fn read_part(
        &self,
        part: &Part,
        name: &str,
        rows: Option<&[usize]>,
        arrays: &mut Vec<ArrayRef>,
    ) -> Result<()> {
        let schema = self.schema.project(&[name])?;
        let id = schema.fields.first().map(|field| field.id);
        let file = part.files.iter().find(|(file, _)| file.fields.iter().any(|field| Some(*field) == id));
        let (file, reader) = file.ok_or_else(|| {
            Error::not_supported(format!("column `{name}` has no file for the rows from {} on", part.first))
        })?;
        let reader = reader.get_or_try_init(|| self.open_file(file, part.stored)).await?;
        let columns = file.fields.iter().zip(file.column_indices.iter());
        let columns: BTreeMap<u32, u32> =
            columns.filter_map(|(id, column)| Some((u32::try_from(*id).ok()?, u32::try_from(*column).ok()?))).collect();
        let projection = reader_projection_from_field_ids(reader.version(), &schema, &columns)?;
        let params = part.stored_rows(rows);
        let expected = rows.map_or(part.rows(), <[usize]>::len);
        let mut batches =
            reader.read_stream_projected(params, BATCH, AHEAD, projection, FilterExpression::no_filter()).await?;
        let mut found = 0;
        while let Some(batch) = batches.try_next().await? {
            found += batch.num_rows();
            arrays.push(batch.column(0).clone());
        }
        if found == expected {
            return Ok(());
        }
        let path = self.base.clone().join("data").join(file.path.as_str());
        Err(Error::corrupt_file(path, format!("{found} rows of `{name}` were found, expected {expected}")))
    }

    async fn open_file(&self, file: &DataFile, rows: usize) -> Result<Arc<FileReader>> {
        let path = self.base.clone().join("data").join(file.path.as_str());
        let scheduler = self.scheduler.open_file(&path, &file.file_size_bytes).await?;
        let (plugins, options) = (Arc::<DecoderPlugins>::default(), FileReaderOptions::default());
        let reader = FileReader::try_open(scheduler, None, plugins, &self.cache, options).await?;
        if reader.num_rows() == rows as u64 {
            return Ok(Arc::new(reader));
        }
        let message = format!("has {} rows, the table says {rows}", reader.num_rows());
        Err(Error::corrupt_file(path, message))
    }
}

/// Refuses a column, or a field in it, of a type that is not known: asking for it is an end of the thread.
fn check_type(field: &Field) -> Result<()> {
    let logical = field.logical_type.to_string();
    let has_item = ["list", "large_list", "map", "fixed_size_list:struct"].iter().any(|kind| logical.starts_with(kind));
    if has_item && field.children.is_empty() {
        return Err(Error::schema(format!("the type {logical} of `{}` has no item", field.name)));
    }
    if !has_item && logical != "struct" {
        DataType::try_from(&field.logical_type)?;
    }
    field.children.iter().try_for_each(check_type)
}

/// Whether a column holds bytes: pictures.
pub(super) fn is_bytes(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Binary | DataType::LargeBinary)
}

/// Whether the end of a version's file leads to a place in it: the reader takes that for granted.
fn is_plausible(bytes: &[u8]) -> bool {
    let Some(at) = bytes.len().checked_sub(16) else { return false };
    let place: [u8; 8] = bytes[at..at + 8].try_into().unwrap_or_default();
    let place = usize::try_from(i64::from_le_bytes(place)).unwrap_or(usize::MAX);
    place.checked_add(4).is_some_and(|behind| behind <= at)
}
