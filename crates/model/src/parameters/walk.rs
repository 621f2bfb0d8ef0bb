//! Walks over the parameters of a module.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Bool, Int, Tensor};

use super::ParameterPath;

/// What is done at each floating-point parameter of a module.
pub trait VisitParameters {
    /// Called for one parameter after the other, in the order of the module's fields.
    fn visit<const D: usize>(&mut self, path: &ParameterPath, parameter: &Param<Tensor<D>>);

    /// Called for parameters of whole numbers and of booleans; nothing is done by default.
    fn visit_other(&mut self, _path: &ParameterPath) {}
}

/// What becomes of each floating-point parameter of a module.
pub trait MapParameters {
    /// Called for one parameter after the other, in the order of the module's fields.
    fn map<const D: usize>(&mut self, path: &ParameterPath, parameter: Param<Tensor<D>>) -> Param<Tensor<D>>;
}

/// A floating-point parameter, without its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its path, see [`ParameterPath`].
    pub path: String,
    /// Its shape in `PyTorch` and in files.
    pub shape: Vec<usize>,
    /// Its identity, by which gradients are found.
    pub id: ParamId,
}

/// Goes through a module.
pub fn visit<M: Module>(module: &M, visitor: &mut impl VisitParameters) {
    module.visit(&mut Walk { path: ParameterPath::default(), inner: visitor });
}

/// Changes a module.
#[must_use]
pub fn map<M: Module>(module: M, mapper: &mut impl MapParameters) -> M {
    module.map(&mut Walk { path: ParameterPath::default(), inner: mapper })
}

/// All floating-point parameters of a module. None is initialised by it that was not before.
pub fn named_parameters<M: Module>(module: &M) -> Vec<Named> {
    struct Collect(Vec<Named>);
    impl VisitParameters for Collect {
        fn visit<const D: usize>(&mut self, path: &ParameterPath, parameter: &Param<Tensor<D>>) {
            let shape = path.stored_shape(&parameter.lazy_shape());
            self.0.push(Named { path: path.as_str().to_owned(), shape, id: parameter.id });
        }
    }
    let mut collect = Collect(Vec::new());
    visit(module, &mut collect);
    collect.0
}

/// Keeps the path while Burn walks.
struct Walk<'a, T> {
    path: ParameterPath,
    inner: &'a mut T,
}

impl<T: VisitParameters> ModuleVisitor for Walk<'_, T> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        self.inner.visit(&self.path, parameter);
    }

    fn visit_int<const D: usize>(&mut self, _parameter: &Param<Tensor<D, Int>>) {
        self.inner.visit_other(&self.path);
    }

    fn visit_bool<const D: usize>(&mut self, _parameter: &Param<Tensor<D, Bool>>) {
        self.inner.visit_other(&self.path);
    }
}

impl<T: MapParameters> ModuleMapper for Walk<'_, T> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.inner.map(&self.path, parameter)
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Initializer;
    use burn::nn::{BatchNormConfig, Linear, LinearConfig};
    use burn::tensor::Device;

    use super::*;

    #[derive(Module, Debug)]
    enum Either {
        One(Linear),
        Two(Linear),
    }

    #[derive(Module, Debug)]
    struct Network {
        layers: Vec<Either>,
        norm: Option<burn::nn::BatchNorm>,
        missing: Option<Linear>,
        scale: Param<Tensor<1>>,
        count: Param<Tensor<1, Int>>,
    }

    fn network() -> Network {
        let device = Device::flex();
        Network {
            layers: vec![
                Either::One(LinearConfig::new(3, 5).init(&device)),
                Either::Two(LinearConfig::new(5, 2).with_bias(false).init(&device)),
            ],
            norm: Some(BatchNormConfig::new(4).init(&device)),
            missing: None,
            scale: Initializer::Ones.init([7], &device),
            count: Param::initialized(ParamId::new(), Tensor::zeros([1], &device)),
        }
    }

    #[test]
    fn names_and_shapes_are_pytorchs() {
        let named = named_parameters(&network());
        let found: Vec<(&str, &[usize])> = named.iter().map(|it| (it.path.as_str(), it.shape.as_slice())).collect();
        assert_eq!(
            found,
            [
                ("layers.0.weight", &[5, 3][..]),
                ("layers.0.bias", &[5]),
                ("layers.1.weight", &[2, 5]),
                ("norm.weight", &[4]),
                ("norm.bias", &[4]),
                ("norm.running_mean", &[4]),
                ("norm.running_var", &[4]),
                ("scale", &[7]),
            ]
        );
    }

    #[test]
    fn a_map_goes_the_way_of_a_visit_and_tells_of_other_kinds() {
        #[derive(Default)]
        struct Paths(Vec<String>, Vec<String>);
        impl VisitParameters for Paths {
            fn visit<const D: usize>(&mut self, path: &ParameterPath, _parameter: &Param<Tensor<D>>) {
                self.0.push(path.as_str().to_owned());
            }
            fn visit_other(&mut self, path: &ParameterPath) {
                self.1.push(path.as_str().to_owned());
            }
        }
        impl MapParameters for Paths {
            fn map<const D: usize>(&mut self, path: &ParameterPath, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
                self.0.push(path.as_str().to_owned());
                parameter
            }
        }
        let (mut seen, mut changed) = (Paths::default(), Paths::default());
        visit(&network(), &mut seen);
        let _ = map(network(), &mut changed);
        assert_eq!(seen.0, changed.0);
        assert_eq!(seen.1, ["count"]);
    }
}
