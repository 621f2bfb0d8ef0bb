//! Writes weights as others read them.

use std::path::Path;

use burn::module::Param;
use burn::tensor::Tensor;

use super::import::part_shape;
use super::layouts::{self, Layout};
use super::pytorch_file::PytorchWriter;
use super::{ImportError, Pretrained};
use crate::parameters::{self, Entry, ParameterPath, TensorWriter, VisitParameters, transpose};

/// Writes a folder that `transformers` loads: `config.json`, what is said of preprocessing, and `model.safetensors`; or, of a LeWM, one that
/// stable-worldmodel loads: `config.json` and `weights.pt`.
///
/// # Errors
/// If the folder is there already, this layout is not written, or a file cannot be written: then nothing is left behind.
pub fn export(model: &Pretrained, folder: &Path) -> Result<(), ImportError> {
    let family = model.spec.family.as_str();
    let layout = layouts::built_in().into_iter().find(|layout| layout.name() == family);
    let described = layout.map(|layout| layout.describe(&model.spec)).unwrap_or_default();
    let (Some(layout), false) = (layout, described.is_empty()) else {
        return Err(ImportError::broken(folder, format!("models of the kind {family} are not written, only read")));
    };
    let broken = |error: std::io::Error| ImportError::broken(folder, error.to_string());
    std::fs::create_dir(folder).map_err(broken)?;
    let write = || -> std::io::Result<()> {
        for (name, value) in described {
            std::fs::write(folder.join(name), serde_json::to_string_pretty(&value)? + "\n")?;
        }
        write_tensors(model, layout, &folder.join(layout.weights()))
    };
    write().map_err(|error| {
        // What failed is told, not what became of the rest.
        let _ = std::fs::remove_dir_all(folder);
        broken(error)
    })
}

fn write_tensors(model: &Pretrained, layout: &dyn Layout, path: &Path) -> std::io::Result<()> {
    let spec = layout.exported(&model.spec);
    let mut parts = Vec::new();
    for named in parameters::named_parameters(&model.networks) {
        let place = layout.place(&spec, &named.path);
        let place =
            place.ok_or_else(|| std::io::Error::other(format!("{} has no place in this layout", named.path)))?;
        let shape = place.shape.unwrap_or_else(|| part_shape(&named.shape, place.parts.len()));
        parts.push((place.parts, shape));
    }
    let named = |(names, shape): &(Vec<String>, Vec<usize>)| -> Vec<(String, Vec<usize>)> {
        names.iter().map(|name| (name.clone(), shape.clone())).collect()
    };
    let tensors: Vec<(String, Vec<usize>)> = parts.iter().flat_map(named).collect();
    let mut file = if path.extension().is_some_and(|extension| extension == "pt") {
        Sink::Pytorch(Box::new(PytorchWriter::create(path, &tensors)?))
    } else {
        let entries = tensors.into_iter().map(|(name, shape)| Entry::floats(name, shape)).collect();
        Sink::Safetensors(TensorWriter::create(path, entries)?)
    };
    parameters::visit(&model.networks, &mut Write { file: &mut file, parts: parts.into_iter() });
    match file {
        Sink::Pytorch(file) => file.finish(),
        Sink::Safetensors(file) => file.finish(),
    }
}

/// A file that is written.
enum Sink {
    Pytorch(Box<PytorchWriter>),
    Safetensors(TensorWriter),
}

impl Sink {
    fn values(&mut self, values: &[f32]) {
        match self {
            Self::Pytorch(file) => file.values(values),
            Self::Safetensors(file) => file.values(values),
        }
    }

    fn fail(&mut self, message: String) {
        match self {
            Self::Pytorch(file) => file.fail(message),
            Self::Safetensors(file) => file.fail(message),
        }
    }
}

struct Write<'a, P> {
    file: &'a mut Sink,
    parts: P,
}

impl<P: Iterator<Item = (Vec<String>, Vec<usize>)>> VisitParameters for Write<'_, P> {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, parameter: &Param<Tensor<D>>) {
        let tensor = parameter.transform_for_save().val().without_autodiff();
        let dims = tensor.dims();
        let (Ok(values), Some((_, shape))) = (tensor.into_data().try_into_vec_as::<f32>(), self.parts.next()) else {
            self.file.fail(format!("`{}` cannot be read from its device", path.as_str()));
            return;
        };
        let values = if path.is_transposed() { transpose(&values, dims[0], dims[1]) } else { values };
        for part in values.chunks_exact(shape.iter().product::<usize>().max(1)) {
            self.file.values(part);
        }
    }
}
