//! The streams of the parts, under their names in the mix.

use std::collections::BTreeMap;

use prevision_core::Spaces;
use prevision_core::config::check::message;

use super::key;

/// A part's spaces under the names that the mix has for its streams.
pub(super) fn renamed(part: usize, spaces: &Spaces, names: &BTreeMap<String, String>) -> Result<Spaces, String> {
    let there = |name: &String| spaces.cameras.contains_key(name) || spaces.vectors.contains_key(name);
    if let Some(name) = names.keys().find(|name| !there(name)) {
        let allowed = format!("names of streams of this data set, which has {}", spaces.streams());
        return Err(message(&format!("{}.rename", key(part)), format_args!("of `{name}`"), allowed));
    }
    let (cameras, vectors) = (with_names(&spaces.cameras, names), with_names(&spaces.vectors, names));
    if cameras.len() < spaces.cameras.len() || vectors.len() < spaces.vectors.len() {
        let allowed = format!("such that all streams have different names; this data set has {}", spaces.streams());
        return Err(message(&format!("{}.rename", key(part)), format_args!("{names:?}"), allowed));
    }
    Ok(Spaces { cameras, vectors, ..spaces.clone() })
}

/// The same streams under other names; those without another one keep theirs.
pub(super) fn with_names<T: Clone>(
    streams: &BTreeMap<String, T>,
    names: &BTreeMap<String, String>,
) -> BTreeMap<String, T> {
    streams.iter().map(|(name, stream)| (names.get(name).unwrap_or(name).clone(), stream.clone())).collect()
}

/// Checks that a part has the same streams as the first one.
pub(super) fn check_same(first: &Spaces, part: usize, other: &Spaces) -> Result<(), String> {
    let (one, two) = (key(0), key(part));
    let missing = |key: &str, spaces: &Spaces, what: &str, name: &str, other: &str| {
        format!(
            "{key} has no {what} `{name}`, which {other} has; it has {} ({key}.rename can give them other names)",
            spaces.streams()
        )
    };
    for (what, of_first, of_other) in [("camera", sizes(first), sizes(other)), ("vector", widths(first), widths(other))]
    {
        for (name, here) in &of_first {
            match of_other.get(name) {
                None => return Err(missing(&two, other, what, name, &one)),
                Some(there) if here != there => {
                    let cure = if what == "camera" { "; data.size brings all frames to one size" } else { "" };
                    return Err(format!("{two}: {what} `{name}` is {there}, in {one} it is {here}{cure}"));
                }
                Some(_) => {}
            }
        }
        if let Some(name) = of_other.keys().find(|name| !of_first.contains_key(*name)) {
            return Err(missing(&one, first, what, name, &two));
        }
    }
    if first.state == other.state {
        return Ok(());
    }
    let numbers = |spaces: &Spaces| spaces.state.map_or_else(|| "none".to_owned(), |width| format!("[{width}]"));
    Err(format!(
        "{two}: the state is {}, in {one} it is {}; it must be the same everywhere (state = \"\" for none)",
        numbers(other),
        numbers(first)
    ))
}

fn sizes(spaces: &Spaces) -> BTreeMap<&str, String> {
    let size = |camera: &prevision_core::Camera| format!("{}x{}", camera.width, camera.height);
    spaces.cameras.iter().map(|(name, camera)| (name.as_str(), size(camera))).collect()
}

fn widths(spaces: &Spaces) -> BTreeMap<&str, String> {
    spaces.vectors.iter().map(|(name, width)| (name.as_str(), format!("[{width}]"))).collect()
}
