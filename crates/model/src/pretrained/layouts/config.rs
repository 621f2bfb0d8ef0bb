//! Keys of `config.json` and of what is said of preprocessing.

use std::path::Path;

use prevision_core::frames::resize::Kernel;
use serde_json::{Value, json};

use crate::pretrained::spec::{IMAGENET, Input, Resize, ResizeTo};
use crate::pretrained::{Checkpoint, ImportError};

/// Reads keys, with the family's defaults for those that are not there, as `transformers` does.
pub struct ConfigReader<'a> {
    path: &'a Path,
    config: &'a Value,
}

impl<'a> ConfigReader<'a> {
    /// Of the `config.json` of a checkpoint that says that it is one of these kinds, `None` if it is another or has none.
    pub fn of_kind(checkpoint: &'a Checkpoint, kinds: &[&str]) -> Option<Self> {
        let config = checkpoint.config()?;
        let kind = config.get("model_type")?.as_str()?;
        kinds.contains(&kind).then(|| Self { path: checkpoint.path(), config })
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
        let (path, key, value) = (self.path.join("config.json"), key.to_owned(), value.to_string());
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
    let reader = ConfigReader { path: checkpoint.path(), config: keys };
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
        ResizeTo::Shorter(side) => json!({ "shortest_edge": side }),
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
