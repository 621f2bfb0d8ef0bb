//! Keys of `config.json` and of what is said of preprocessing.

use std::path::Path;

use prevision_core::frames::resize::Kernel;
use serde_json::{Value, json};

use crate::pretrained::spec::{IMAGENET, Input, Resize, ResizeTo};
use crate::pretrained::{Checkpoint, ImportError};

/// The key by which stable-worldmodel says which class of Python is to be made of the keys beside it.
const TARGET: &str = "_target_";

/// Reads keys, with the family's defaults for those that are not there, as `transformers` does.
#[derive(Clone)]
pub struct ConfigReader<'a> {
    path: &'a Path,
    config: &'a Value,
    /// The keys that lead to it, `predictor.`; empty for the file itself.
    within: String,
}

impl<'a> ConfigReader<'a> {
    /// Of the `config.json` of a checkpoint that says that it is one of these kinds, `None` if it is another or has none.
    pub fn of_kind(checkpoint: &'a Checkpoint, kinds: &[&str]) -> Option<Self> {
        let config = checkpoint.config()?;
        let kind = config.get("model_type")?.as_str()?;
        kinds.contains(&kind).then(|| Self { path: checkpoint.path(), config, within: String::new() })
    }

    /// Of the `config.json` of a checkpoint whose `_target_`, a class of Python, has one of these names.
    pub fn of_target(checkpoint: &'a Checkpoint, names: &[&str]) -> Option<Self> {
        let reader = Self { path: checkpoint.path(), config: checkpoint.config()?, within: String::new() };
        names.contains(&reader.target()).then_some(reader)
    }

    /// The name of the class or function that `_target_` says, without its modules; empty without one.
    pub fn target(&self) -> &'a str {
        self.config.get(TARGET).and_then(Value::as_str).and_then(|name| name.rsplit('.').next()).unwrap_or_default()
    }

    /// The keys of a part whose `_target_` has one of these names.
    ///
    /// # Errors
    /// If there is none, or it is another.
    pub fn section(&self, key: &str, names: &[&str]) -> Result<Self, ImportError> {
        let allowed = || format!("keys of a {}", names.join(" or "));
        let config = self.get(key).ok_or_else(|| self.wrong(key, &Value::Null, &allowed()))?;
        let section = Self { path: self.path, config, within: format!("{}{key}.", self.within) };
        match config.get(TARGET) {
            Some(_) if names.contains(&section.target()) => Ok(section),
            Some(target) => {
                Err(section.wrong(TARGET, target, &format!("{}, others are not built", names.join(" or "))))
            }
            None => Err(self.wrong(key, config, &allowed())),
        }
    }

    /// A text.
    ///
    /// # Errors
    /// If the key is something else.
    pub fn text(&self, key: &str, default: &'a str) -> Result<&'a str, ImportError> {
        let Some(value) = self.get(key) else { return Ok(default) };
        value.as_str().ok_or_else(|| self.wrong(key, value, "a text"))
    }

    /// Checks that a whole number has the one value that is known here.
    ///
    /// # Errors
    /// If it has another, or is something else.
    pub fn only_count(&self, key: &str, default: usize, allowed: usize) -> Result<(), ImportError> {
        let count = self.count(key, default)?;
        if count == allowed {
            return Ok(());
        }
        Err(self.wrong(key, &count.into(), &format!("{allowed}, the width of the encoder; others are not built")))
    }

    /// Checks that a key says a class of this name, whichever way: as a `_target_`, as the `path` of a `_target_` that looks it up, or plain.
    ///
    /// # Errors
    /// If it says another, also by default.
    pub fn names_a(&self, key: &str, class: &str, default: &str) -> Result<(), ImportError> {
        let value = self.config.get(key);
        let said = match value {
            None => Some(default),
            Some(Value::Object(keys)) => keys.get("path").or_else(|| keys.get(TARGET)).and_then(Value::as_str),
            Some(value) => value.as_str(),
        };
        if said.and_then(|name| name.rsplit('.').next()) == Some(class) {
            return Ok(());
        }
        let value = value.cloned().unwrap_or_else(|| default.into());
        Err(self.wrong(key, &value, &format!("{class}, others are not built")))
    }

    /// `model_type`.
    pub fn kind(&self) -> &'a str {
        self.config.get("model_type").and_then(Value::as_str).unwrap_or_default()
    }

    /// A whole number of 1 or more.
    ///
    /// # Errors
    /// If the key is something else.
    pub fn count(&self, key: &str, default: usize) -> Result<usize, ImportError> {
        match self.get(key) {
            None => Ok(default),
            // Pairs of equal sides are sides, as in `"image_size": [224, 224]`.
            Some(Value::Array(sides)) if sides.len() == 2 && sides[0] == sides[1] => self.positive(key, &sides[0]),
            Some(value) => self.positive(key, value),
        }
    }

    fn positive(&self, key: &str, value: &Value) -> Result<usize, ImportError> {
        let number = value.as_u64().and_then(|number| usize::try_from(number).ok()).filter(|number| *number > 0);
        number.ok_or_else(|| self.wrong(key, value, "a whole number, 1 or more"))
    }

    /// A number above 0.
    ///
    /// # Errors
    /// If the key is something else.
    pub fn number(&self, key: &str, default: f64) -> Result<f64, ImportError> {
        let Some(value) = self.get(key) else { return Ok(default) };
        value.as_f64().filter(|number| *number > 0.0).ok_or_else(|| self.wrong(key, value, "a number above 0"))
    }

    /// A truth value.
    ///
    /// # Errors
    /// If the key is something else.
    pub fn flag(&self, key: &str, default: bool) -> Result<bool, ImportError> {
        let Some(value) = self.get(key) else { return Ok(default) };
        value.as_bool().ok_or_else(|| self.wrong(key, value, "true or false"))
    }

    /// Names of so many classes by `id2label`; none if it does not have them all.
    ///
    /// # Errors
    /// If the key is something else.
    pub fn labels(&self, classes: usize) -> Result<Vec<String>, ImportError> {
        let Some(value) = self.get("id2label") else { return Ok(Vec::new()) };
        let map = value.as_object().ok_or_else(|| self.wrong("id2label", value, "names by number"))?;
        let name = |class: usize| Some(map.get(&class.to_string())?.as_str()?.to_owned());
        Ok((0..classes).map(name).collect::<Option<_>>().unwrap_or_default())
    }

    /// Checks that a key has the one value that is known here, or is not there.
    ///
    /// # Errors
    /// If it has another.
    pub fn only(&self, key: &str, allowed: &Value) -> Result<(), ImportError> {
        match self.get(key) {
            Some(value) if value != allowed => Err(self.wrong(key, value, &format!("{allowed}, others are not built"))),
            _ => Ok(()),
        }
    }

    /// A key that is there and not null.
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.config.get(key).filter(|value| !value.is_null())
    }

    /// The error of a key that has a value which cannot be.
    pub fn wrong(&self, key: &str, value: &Value, allowed: &str) -> ImportError {
        let (path, key, value) = (self.path.to_owned(), format!("{}{key}", self.within), value.to_string());
        // Beside a file, or in the folder.
        let folder = if path.is_file() { path.parent().unwrap_or(Path::new("")) } else { &path };
        let path = folder.join("config.json");
        ImportError::Key { path, key, value, allowed: allowed.to_owned() }
    }
}

/// What is done to pictures: the preprocessor's own keys, and these where it has none.
pub(super) fn input(
    checkpoint: &Checkpoint,
    frames: usize,
    default: Resize,
    crop: usize,
) -> Result<Input, ImportError> {
    let mut input = Input { frames, resize: default, crop, mean: IMAGENET.0, std: IMAGENET.1 };
    let Some(keys) = checkpoint.preprocessor() else { return Ok(input) };
    let reader = ConfigReader { path: checkpoint.path(), config: keys, within: String::new() };
    let channels = |key: &str, default: [f32; 3]| -> Result<[f32; 3], ImportError> {
        let Some(value) = reader.get(key) else { return Ok(default) };
        let numbers: Option<Vec<f32>> =
            value.as_array().and_then(|list| list.iter().map(|it| it.as_f64().map(|it| it as f32)).collect());
        let three = numbers.and_then(|numbers| <[f32; 3]>::try_from(numbers).ok());
        three.ok_or_else(|| reader.wrong(key, value, "three numbers"))
    };
    input.mean = channels("image_mean", input.mean)?;
    input.std = channels("image_std", input.std)?;
    let side = |value: &Value, key: &str| value.get(key).and_then(Value::as_u64).map(|side| side as usize);
    if let Some(size) = reader.get("size") {
        let exact = side(size, "height").zip(side(size, "width")).map(|(rows, columns)| [rows, columns]);
        let plain = size.as_u64().map(|side| ResizeTo::Exactly([side as usize; 2]));
        let to = side(size, "shortest_edge").map(ResizeTo::Shorter).or(exact.map(ResizeTo::Exactly)).or(plain);
        input.resize.to = to.ok_or_else(|| reader.wrong("size", size, "shortest_edge, or height and width"))?;
    }
    let cropped = reader.flag("do_center_crop", reader.get("crop_size").is_some())?;
    if let (true, Some(size)) = (cropped, reader.get("crop_size")) {
        let square = side(size, "height").filter(|rows| side(size, "width") == Some(*rows));
        let square = square.or(size.as_u64().map(|side| side as usize));
        input.crop = square.ok_or_else(|| reader.wrong("crop_size", size, "a square: height and width alike"))?;
    } else if let ResizeTo::Exactly([rows, columns]) = input.resize.to {
        if rows != columns {
            return Err(reader.wrong("size", &keys["size"], "a square, if nothing is cut out"));
        }
        input.crop = rows;
    }
    if let Some(value) = reader.get("resample") {
        input.resize.kernel = match value.as_u64() {
            Some(2) => Kernel::Bilinear,
            Some(3) => Kernel::Bicubic,
            _ => return Err(reader.wrong("resample", value, "2 (bilinear) or 3 (bicubic)")),
        };
    }
    Ok(input)
}

/// `preprocessor_config.json` of an image model.
pub(super) fn image_processor(input: &Input) -> Value {
    let size = match input.resize.to {
        ResizeTo::Shorter(side) | ResizeTo::Whole(side) => json!({ "shortest_edge": side }),
        ResizeTo::Exactly([rows, columns]) => json!({ "height": rows, "width": columns }),
    };
    json!({
        "image_processor_type": "BitImageProcessor",
        "do_resize": true,
        "size": size,
        "resample": if input.resize.kernel == Kernel::Bilinear { 2 } else { 3 },
        "do_center_crop": true,
        "crop_size": { "height": input.crop, "width": input.crop },
        "do_rescale": true,
        "rescale_factor": 1.0 / 255.0,
        "do_normalize": true,
        "image_mean": input.mean,
        "image_std": input.std,
    })
}
