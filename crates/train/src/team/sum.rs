//! What processes have in common: gradients, losses, and when to stop.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

use super::{Team, TeamError};
use crate::TrainError;

/// The mean of values over the team.
pub(crate) fn average(team: &dyn Team, values: &mut [f32]) -> Result<(), TeamError> {
    if team.size() > 1 {
        team.sum(values)?;
        let size = team.size() as f32;
        for value in values {
            *value /= size;
        }
    }
    Ok(())
}

/// The mean of the gradients over the team, parameter by parameter.
pub(crate) fn average_gradients<M: Module>(
    team: &dyn Team,
    model: &M,
    gradients: GradientsParams,
) -> Result<GradientsParams, TrainError> {
    if team.size() == 1 {
        return Ok(gradients);
    }
    let mut flat = Flatten { gradients: &gradients, values: Ok(Vec::new()) };
    model.visit(&mut flat);
    let mut values = flat.values?;
    average(team, &mut values)?;
    let mut restore = Restore { gradients, values: &values };
    model.visit(&mut restore);
    Ok(restore.gradients)
}

/// What decides whether to go on, the same for all of the team: whether one of them is to stop, and the time of the first.
pub(crate) fn agree(team: &dyn Team, stop: &mut bool, seconds: &mut f64) -> Result<(), TeamError> {
    if team.size() > 1 {
        let mut values = [f32::from(u8::from(*stop)), if team.rank() == 0 { *seconds as f32 } else { 0.0 }];
        team.sum(&mut values)?;
        (*stop, *seconds) = (values[0] > 0.0, f64::from(values[1]));
    }
    Ok(())
}

/// All gradients one after the other, in the order of the module's parameters.
struct Flatten<'a> {
    gradients: &'a GradientsParams,
    values: Result<Vec<f32>, TrainError>,
}

impl ModuleVisitor for Flatten<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let (Some(gradient), Ok(values)) = (self.gradients.get::<D>(param.id), &mut self.values) else { return };
        match gradient.try_into_vec_as::<f32>() {
            Ok(more) => values.extend(more),
            Err(error) => self.values = Err(TrainError::Device(error.to_string())),
        }
    }
}

/// Puts values back where [`Flatten`] took them from.
struct Restore<'a> {
    gradients: GradientsParams,
    values: &'a [f32],
}

impl ModuleVisitor for Restore<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(before) = self.gradients.remove::<D>(param.id) else { return };
        let shape = before.dims();
        let (own, rest) = self.values.split_at(shape.iter().product());
        self.values = rest;
        let gradient = Tensor::<D>::from_data(TensorData::new(own.to_vec(), shape), &before.device());
        self.gradients.register(param.id, gradient);
    }
}
