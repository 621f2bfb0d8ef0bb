//! Writes weights as others read them.

use std::path::Path;

use burn::module::Param;
use burn::tensor::Tensor;

use super::import::part_shape;
use super::layouts::{self, Layout};
use super::{ImportError, Pretrained};
use crate::parameters::{self, Entry, ParameterPath, TensorWriter, VisitParameters, transpose};

/// Writes a folder that `transformers` loads: `config.json`, what is said of preprocessing, and `model.safetensors`.
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
        write_tensors(model, layout, &folder.join("model.safetensors"))
    };
    write().map_err(|error| {
        // What failed is told, not what became of the rest.
        let _ = std::fs::remove_dir_all(folder);
        broken(error)
    })
}

fn write_tensors(model: &Pretrained, layout: &dyn Layout, path: &Path) -> std::io::Result<()> {
    let mut parts = Vec::new();
    for named in parameters::named_parameters(&model.networks) {
        let place = layout.place(&model.spec, &named.path);
        let place =
            place.ok_or_else(|| std::io::Error::other(format!("{} has no place in this layout", named.path)))?;
        let shape = place.shape.unwrap_or_else(|| part_shape(&named.shape, place.parts.len()));
        parts.push((place.parts, shape));
    }
    let entry = |(names, shape): &(Vec<String>, Vec<usize>)| -> Vec<Entry> {
        names.iter().map(|name| Entry::floats(name.clone(), shape.clone())).collect()
    };
    let mut file = TensorWriter::create(path, parts.iter().flat_map(entry).collect())?;
    parameters::visit(&model.networks, &mut Write { file: &mut file, parts: parts.into_iter() });
    file.finish()
}

struct Write<'a, P> {
    file: &'a mut TensorWriter,
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
