//! The parameters of a module, one after the other, by name.
//!
//! Weight files, the optimiser's state, the target encoder and histograms all walk a module in the same order, which is that of its
//! fields, and call a parameter by the same name: its path in the module, as `PyTorch` would write it (see [`ParameterPath`]).

mod file;
mod path;
mod safetensors_file;
mod stored;
mod walk;

pub(crate) use file::transpose;
pub use file::{Entry, TensorReader, TensorWriter};
pub use path::ParameterPath;
pub use safetensors_file::SafetensorsFile;
pub use stored::StoredType;
pub use walk::{MapParameters, Named, VisitParameters, map, named_parameters, visit};
