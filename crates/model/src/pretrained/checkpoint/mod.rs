//! Weights of other programs: tensors by name, and what is said of them beside.

mod pytorch;
mod tensors;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::ImportError;
use pytorch::PytorchTensors;
use tensors::SafetensorsTensors;

/// The index of weights that lie in several files, as `transformers` writes it.
const INDEX: &str = "model.safetensors.index.json";
/// Weights in one file.
const SINGLE: &str = "model.safetensors";
/// What the model is.
const CONFIG: &str = "config.json";
/// What a run of ours was trained with.
const EXPERIMENT: &str = "config.toml";
/// What is done to pictures and to videos before the model sees them, the first that is there.
const PREPROCESSORS: [&str; 2] = ["video_preprocessor_config.json", "preprocessor_config.json"];

/// Tensors that can be read one at a time.
trait Tensors {
    /// Names and shapes.
    fn shapes(&self) -> BTreeMap<String, Vec<usize>>;

    /// The numbers of a tensor that is there, as 32-bit floats.
    fn floats(&mut self, name: &str) -> Result<Vec<f32>, String>;
}

/// An opened checkpoint: a folder as `transformers` writes it (`config.json`, and `model.safetensors` in one or several files) or
/// stable-worldmodel (`config.json`, and one `.pt`), a checkpoint of a run of ours (with `config.toml`), one safetensors file, or a file that
/// `torch.save` has written. Of a pickle nothing is ever executed.
pub struct Checkpoint {
    path: PathBuf,
    files: Vec<(PathBuf, Box<dyn Tensors>)>,
    /// Of each tensor the number of its file, and its shape.
    index: BTreeMap<String, (usize, Vec<usize>)>,
    config: Option<Value>,
    preprocessor: Option<Value>,
    /// Stands before every name that is asked for.
    prefix: String,
}

impl Checkpoint {
    /// Opens a folder or a file, and reads what it tells about itself.
    ///
    /// # Errors
    /// What is missing or broken; nothing of the tensors is read yet.
    pub fn open(path: &Path) -> Result<Self, ImportError> {
        if !path.exists() {
            return Err(ImportError::broken(path, "no such file or folder"));
        }
        let folder = path.is_dir();
        let beside = if folder { path } else { path.parent().unwrap_or(Path::new("")) };
        let files = if folder { weight_files(path)? } else { vec![path.to_owned()] };
        let mut checkpoint = Self {
            path: path.to_owned(),
            files: Vec::new(),
            index: BTreeMap::new(),
            config: match json(&beside.join(CONFIG))? {
                Some(config) => Some(config),
                None => toml(&beside.join(EXPERIMENT))?,
            },
            preprocessor: None,
            prefix: String::new(),
        };
        for name in PREPROCESSORS {
            if checkpoint.preprocessor.is_none() {
                checkpoint.preprocessor = json(&beside.join(name))?;
            }
        }
        for file in files {
            let tensors = open_file(&file)?;
            let number = checkpoint.files.len();
            for (name, shape) in tensors.shapes() {
                if checkpoint.index.insert(name.clone(), (number, shape)).is_some() {
                    return Err(ImportError::broken(&file, format!("tensor `{name}` is in another file as well")));
                }
            }
            checkpoint.files.push((file, tensors));
        }
        Ok(checkpoint)
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `config.json`, or else `config.toml`, if there is one.
    pub fn config(&self) -> Option<&Value> {
        self.config.as_ref()
    }

    /// `video_preprocessor_config.json` or `preprocessor_config.json`, if there is one.
    pub fn preprocessor(&self) -> Option<&Value> {
        self.preprocessor.as_ref()
    }

    /// All names as they are in the files, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.index.keys().map(String::as_str)
    }

    /// What stands before the names that are asked for; empty at first.
    pub fn set_prefix(&mut self, prefix: impl Into<String>) {
        self.prefix = prefix.into();
    }

    /// The name in the files of a name that is asked for.
    pub fn full_name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The shape of a tensor, `None` if there is none of this name.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.index.get(&self.full_name(name)).map(|(_, shape)| shape.as_slice())
    }

    /// The numbers of a tensor as 32-bit floats.
    ///
    /// # Errors
    /// If there is none of this name, its numbers are of another kind or not finite, or it cannot be read.
    pub fn floats(&mut self, name: &str) -> Result<Vec<f32>, ImportError> {
        let name = self.full_name(name);
        let Some((file, _)) = self.index.get(&name) else {
            return Err(ImportError::Missing { path: self.path.clone(), name });
        };
        let (path, tensors) = &mut self.files[*file];
        let fail = |message| ImportError::Tensor { path: path.clone(), name: name.clone(), message };
        let values = tensors.floats(&name).map_err(fail)?;
        match values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            Some((place, value)) => Err(fail(format!("number {place} is {value}, expected finite numbers"))),
            None => Ok(values),
        }
    }
}

fn open_file(path: &Path) -> Result<Box<dyn Tensors>, ImportError> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension {
        "safetensors" => Ok(Box::new(SafetensorsTensors::open(path)?)),
        "pt" | "pth" | "bin" | "ckpt" => Ok(Box::new(PytorchTensors::open(path)?)),
        _ => {
            let message = format!("a file .{extension}, expected .safetensors, .pt, .pth, .bin or .ckpt, or a folder");
            Err(ImportError::broken(path, message))
        }
    }
}

/// The files of a folder that hold tensors.
fn weight_files(folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let single = folder.join(SINGLE);
    if single.is_file() {
        return Ok(vec![single]);
    }
    let index = folder.join(INDEX);
    if let Some(value) = json(&index)? {
        let map = value.get("weight_map").and_then(Value::as_object);
        let map = map.ok_or_else(|| ImportError::broken(&index, "no `weight_map`"))?;
        let mut names: Vec<&str> = map.values().filter_map(Value::as_str).collect();
        names.sort_unstable();
        names.dedup();
        // Names in an index lead nowhere else.
        if let Some(name) = names.iter().find(|name| Path::new(name).components().count() != 1) {
            return Err(ImportError::broken(
                &index,
                format!("`{name}` in its weight_map, expected names of files beside it"),
            ));
        }
        return Ok(names.into_iter().map(|name| folder.join(name)).collect());
    }
    let file = folder.join("pytorch_model.bin");
    if file.is_file() {
        return Ok(vec![file]);
    }
    // Those of stable-worldmodel have other names too, such as weights_epoch_10.pt.
    let pickles = pickles(folder).map_err(|error| ImportError::broken(folder, error.to_string()))?;
    match pickles.as_slice() {
        [] => Err(ImportError::broken(
            folder,
            format!("a folder without weights, expected {SINGLE}, {INDEX} or one .pt in it"),
        )),
        [one] => Ok(vec![one.clone()]),
        several => {
            let names: Vec<_> = several.iter().filter_map(|path| path.file_name()?.to_str()).collect();
            Err(ImportError::broken(folder, format!("several .pt: {}; give the path of one", names.join(", "))))
        }
    }
}

/// Files of a folder that end in `.pt`, sorted.
fn pickles(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pt") && path.is_file());
    paths.sort();
    Ok(paths)
}

/// A JSON file, `None` if there is none.
fn json(path: &Path) -> Result<Option<Value>, ImportError> {
    parsed(path, |text| serde_json::from_str(text).map_err(|error| error.to_string()))
}

/// A TOML file, `None` if there is none.
fn toml(path: &Path) -> Result<Option<Value>, ImportError> {
    parsed(path, |text| toml::from_str(text).map_err(|error| error.to_string()))
}

fn parsed(path: &Path, parse: impl Fn(&str) -> Result<Value, String>) -> Result<Option<Value>, ImportError> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text).map(Some).map_err(|message| ImportError::broken(path, message)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ImportError::broken(path, error.to_string())),
    }
}
