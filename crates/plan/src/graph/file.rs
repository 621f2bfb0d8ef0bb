//! The file of a graph.

use std::collections::BTreeMap;
use std::path::Path;

use prevision_core::whole_file;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

use super::{GraphOptions, LatentGraph};

/// Writes a graph as safetensors: `places` `[places, width]`, `visits` `[places]`, `ways` `[transitions, 2]` and `actions`
/// `[transitions]`, and `scale`: the length of a step, the spacing, and the most places.
///
/// # Errors
/// The system's answer, if the file cannot be written.
pub fn write(graph: &LatentGraph, path: &Path) -> std::io::Result<()> {
    let ways =
        (0..graph.len()).flat_map(|from| graph.ways(from).iter().map(move |(to, actions)| (from, *to, *actions)));
    let (mut ends, mut actions) = (Vec::new(), Vec::new());
    for (from, to, taken) in ways {
        ends.extend([from as u32, to as u32].map(u32::to_le_bytes).concat());
        actions.extend(taken.to_le_bytes());
    }
    let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let places = bytes(&graph.places);
    let scale = bytes(&[graph.step, graph.options.spacing]);
    let visits: Vec<u8> = graph.visits.iter().flat_map(|count| count.to_le_bytes()).collect();
    let most = (graph.options.most as u64).to_le_bytes();
    let count = actions.len() / 4;
    let view = |dtype, shape: Vec<usize>, data| TensorView::new(dtype, shape, data).map_err(std::io::Error::other);
    let tensors = [
        ("actions", view(Dtype::F32, vec![count], &actions)?),
        ("most", view(Dtype::U64, vec![1], &most)?),
        ("places", view(Dtype::F32, vec![graph.len(), graph.width], &places)?),
        ("scale", view(Dtype::F32, vec![2], &scale)?),
        ("visits", view(Dtype::U32, vec![graph.len()], &visits)?),
        ("ways", view(Dtype::U32, vec![count, 2], &ends)?),
    ];
    whole_file::write(path, serialize(tensors, None).map_err(std::io::Error::other)?)
}

/// Reads a graph.
///
/// # Errors
/// What is wrong with the file, without its name.
pub fn read(path: &Path) -> Result<LatentGraph, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| format!("it is no memory: {error}"))?;
    let part = |name: &str, dtype: Dtype, rank: usize| {
        let tensor = file.tensor(name).map_err(|_| format!("it is no memory: {name} is missing"))?;
        if tensor.dtype() != dtype || tensor.shape().len() != rank {
            return Err(format!(
                "{name} is {:?} {:?}, expected {dtype:?} of rank {rank}",
                tensor.dtype(),
                tensor.shape()
            ));
        }
        Ok(tensor)
    };
    let floats = |tensor: &TensorView<'_>| -> Vec<f32> {
        tensor.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    };
    let counts = |tensor: &TensorView<'_>| -> Vec<u32> {
        tensor.data().as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect()
    };
    let places = part("places", Dtype::F32, 2)?;
    let [count, width] = [places.shape()[0], places.shape()[1]];
    let places = floats(&places);
    let visits = counts(&part("visits", Dtype::U32, 1)?);
    let scale = floats(&part("scale", Dtype::F32, 1)?);
    let most = part("most", Dtype::U64, 1)?;
    let most = most.data().first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes) as usize);
    let (ends, actions) = (counts(&part("ways", Dtype::U32, 2)?), floats(&part("actions", Dtype::F32, 1)?));
    let sound = visits.len() == count
        && scale.len() == 2
        && scale.iter().all(|value| value.is_finite() && *value > 0.0)
        && width > 0
        && most > 0
        && ends.len() == 2 * actions.len()
        && ends.iter().all(|place| (*place as usize) < count)
        && places.iter().all(|value| value.is_finite())
        && actions.iter().all(|value| value.is_finite() && *value >= 0.0);
    if !sound {
        return Err("its parts do not fit together".to_owned());
    }
    let mut ways = vec![BTreeMap::new(); count];
    for (pair, taken) in ends.chunks_exact(2).zip(actions) {
        ways[pair[0] as usize].insert(pair[1] as usize, taken);
    }
    let GraphOptions { spacing, most } = GraphOptions { spacing: scale[1], most };
    Ok(LatentGraph::of_parts([width, most], [scale[0], spacing], places, visits, ways))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memory.safetensors");
        let mut graph = LatentGraph::new(2, 0.5, GraphOptions { spacing: 1.5, most: 9 });
        graph.add(&[0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0], 2.0);
        write(&graph, &path).unwrap();
        assert_eq!(read(&path).unwrap(), graph);
        let empty = LatentGraph::new(3, 0.5, GraphOptions { spacing: 1.5, most: 9 });
        write(&empty, &path).unwrap();
        assert_eq!(read(&path).unwrap(), empty);
    }

    #[test]
    fn a_broken_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("memory.safetensors");
        std::fs::write(&path, b"nothing of the kind").unwrap();
        assert!(read(&path).unwrap_err().starts_with("it is no memory"));
        let mut graph = LatentGraph::new(1, 1.0, GraphOptions { spacing: 0.5, most: 9 });
        graph.add(&[0.0, 1.0], 1.0);
        graph.ways[0].insert(7, 1.0);
        write(&graph, &path).unwrap();
        assert_eq!(read(&path).unwrap_err(), "its parts do not fit together");
    }
}
