//! From the arrays of an answer to the moments of rows.

use std::collections::BTreeMap;

use prevision_core::{Array2, FrameBuffer, Observations, Spaces};

use super::array::{Array, Dtype};
use super::error::Fault;
use super::hello::Hello;
use super::message::Message;
use crate::{Goal, TimeStep};

/// What is wrong with an answer.
pub(super) type Unfit = (Fault, String);

/// A moment, and where the agent is.
pub(super) type Moment = (TimeStep, Option<[f32; 2]>);

/// The moments of `rows` rows.
pub(super) fn moments(hello: &Hello, answer: Message, rows: usize) -> Result<Vec<Moment>, Unfit> {
    let mut arrays = Arrays { arrays: answer.arrays, rows };
    let mut seen = arrays.observations(&hello.spaces)?;
    let state = hello.spaces.state.map(|width| arrays.floats("state", &[width])).transpose()?;
    let mut info = Vec::new();
    for (name, width) in &hello.info {
        info.push((name.clone(), arrays.floats(&format!("info.{name}"), &[*width])?));
    }
    let reward = arrays.optional_floats("reward", &[])?;
    if hello.rewards && reward.is_none() {
        return Err((Fault::Unfit, "array reward is missing".to_owned()));
    }
    let distance = arrays.optional_floats("distance", &[])?;
    let position = arrays.optional_floats("position", &[2])?;
    let mut flag = |name: &str| arrays.flags(name);
    let (success, terminated, truncated) = (flag("success")?, flag("terminated")?, flag("truncated")?);
    arrays.nothing_more()?;
    let number = |values: &Option<Vec<Vec<f32>>>, row: usize| values.as_ref().map(|values| f64::from(values[row][0]));
    let moment = |row: usize| {
        let step = TimeStep {
            observations: std::mem::take(&mut seen[row]),
            state: state.as_ref().map(|state| state[row].clone()),
            info: info.iter().map(|(name, values)| (name.clone(), values[row].clone())).collect(),
            reward: number(&reward, row).unwrap_or(0.0),
            terminated: terminated[row],
            truncated: truncated[row],
            success: success[row],
            distance: number(&distance, row),
        };
        (step, position.as_ref().map(|position| [position[row][0], position[row][1]]))
    };
    Ok((0..rows).map(moment).collect())
}

/// The goal of one row.
pub(super) fn goal(hello: &Hello, answer: Message) -> Result<Goal, Unfit> {
    let mut arrays = Arrays { arrays: answer.arrays, rows: 1 };
    let spaces = &hello.spaces;
    let names = spaces
        .cameras
        .keys()
        .map(|name| format!("camera.{name}"))
        .chain(spaces.vectors.keys().map(|name| format!("vector.{name}")));
    let shown = names.into_iter().any(|name| arrays.arrays.contains_key(&name));
    let observations = if shown { arrays.observations(spaces)?.pop() } else { None };
    let state = match spaces.state {
        Some(width) => arrays.optional_floats("state", &[width])?,
        None => None,
    };
    let route = arrays.optional_floats("route", &[])?;
    arrays.nothing_more()?;
    Ok(Goal {
        observations,
        state: state.map(|mut rows| rows.remove(0)),
        route: route.map(|rows| f64::from(rows[0][0])),
    })
}

/// The frame of one row for people, of any size.
pub(super) fn frame(answer: Message) -> Result<FrameBuffer, Unfit> {
    let mut arrays = Arrays { arrays: answer.arrays, rows: 1 };
    let frame = arrays.arrays.remove("frame").ok_or_else(|| (Fault::Unfit, "array frame is missing".to_owned()))?;
    arrays.nothing_more()?;
    match *frame.listed.shape {
        [1, height, width, 3] if frame.listed.dtype == Dtype::Uint8 && height > 0 && width > 0 => {
            Ok(FrameBuffer { data: frame.data, frames: 1, height, width })
        }
        _ => Err((
            Fault::Unfit,
            format!("array frame is {}, but must be uint8 [1, height, width, 3]", frame.listed.kind()),
        )),
    }
}

/// The arrays of an answer that have not been taken yet.
struct Arrays {
    arrays: BTreeMap<String, Array>,
    rows: usize,
}

impl Arrays {
    /// Takes an array of this kind: a row of `shape` for each row.
    fn optional(&mut self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<Option<Array>, Unfit> {
        let Some(array) = self.arrays.remove(name) else { return Ok(None) };
        let mut expected = array.listed.clone();
        (expected.dtype, expected.shape) = (dtype, [&[self.rows], shape].concat());
        if array.listed == expected {
            return Ok(Some(array));
        }
        Err((Fault::Unfit, format!("array {name} is {}, but must be {}", array.listed.kind(), expected.kind())))
    }

    fn needed(&mut self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<Array, Unfit> {
        self.optional(name, dtype, shape)?.ok_or_else(|| (Fault::Unfit, format!("array {name} is missing")))
    }

    fn split(&self, name: &str, array: &Array) -> Result<Vec<Vec<f32>>, Unfit> {
        let rows: Vec<Vec<f32>> = (0..self.rows).map(|row| array.row_floats(row, self.rows)).collect();
        match rows.iter().flatten().find(|value| !value.is_finite()) {
            Some(value) => Err((Fault::NotFinite, format!("array {name} has a number that is {value}"))),
            None => Ok(rows),
        }
    }

    fn floats(&mut self, name: &str, shape: &[usize]) -> Result<Vec<Vec<f32>>, Unfit> {
        let array = self.needed(name, Dtype::Float32, shape)?;
        self.split(name, &array)
    }

    fn optional_floats(&mut self, name: &str, shape: &[usize]) -> Result<Option<Vec<Vec<f32>>>, Unfit> {
        self.optional(name, Dtype::Float32, shape)?.map(|array| self.split(name, &array)).transpose()
    }

    /// A flag for each row; false where it was left out.
    fn flags(&mut self, name: &str) -> Result<Vec<bool>, Unfit> {
        let Some(array) = self.optional(name, Dtype::Bool, &[])? else { return Ok(vec![false; self.rows]) };
        match array.data.iter().find(|byte| **byte > 1) {
            Some(byte) => Err((Fault::Unfit, format!("array {name} has the byte {byte}, but must have 0 and 1"))),
            None => Ok(array.data.iter().map(|byte| *byte == 1).collect()),
        }
    }

    /// One moment of every stream, for each row.
    fn observations(&mut self, spaces: &Spaces) -> Result<Vec<Observations>, Unfit> {
        let mut seen = vec![Observations::default(); self.rows];
        for (name, camera) in &spaces.cameras {
            let (height, width) = (camera.height, camera.width);
            let array = self.needed(&format!("camera.{name}"), Dtype::Uint8, &[height, width, 3])?;
            for (row, seen) in seen.iter_mut().enumerate() {
                let data = array.row_bytes(row, self.rows);
                seen.cameras.insert(name.clone(), FrameBuffer { data, frames: 1, height, width });
            }
        }
        for (name, width) in &spaces.vectors {
            let rows = self.floats(&format!("vector.{name}"), &[*width])?;
            for (seen, row) in seen.iter_mut().zip(rows) {
                seen.vectors.insert(name.clone(), Array2::new(row, 1, *width));
            }
        }
        Ok(seen)
    }

    fn nothing_more(&self) -> Result<(), Unfit> {
        match self.arrays.values().next() {
            None => Ok(()),
            Some(array) => {
                let listed = &array.listed;
                Err((Fault::Unfit, format!("array {} ({}) is none that belongs here", listed.name, listed.kind())))
            }
        }
    }
}
