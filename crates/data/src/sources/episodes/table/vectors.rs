//! Which columns of a table make which vector.

use std::collections::BTreeMap;

/// A column of numbers of a recording, and the columns of the table that it is made of, by number, in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Vector {
    pub(super) name: String,
    pub(super) parts: Vec<usize>,
}

/// The vectors of a table whose columns have these names; `None` for those that hold no values.
///
/// `given` names some vectors and their columns. Of the other columns those make one vector that share the part before `_N`, `.N` or
/// `[N]`, where `N` is a whole number or a single letter; that part is its name. All others are vectors of their own. Sorted.
///
/// # Errors
/// If a given column is missing, or two vectors have one name.
pub(super) fn vectors(names: &[Option<&str>], given: &BTreeMap<String, Vec<String>>) -> Result<Vec<Vector>, String> {
    let mut made: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (name, columns) in given {
        if columns.is_empty() {
            return Err(format!("columns.{name} is [], expected names of the table's columns"));
        }
        let place = |column: &String| {
            let found = names.iter().position(|name| name.is_some_and(|name| name == column));
            found.ok_or_else(|| format!("columns.{name}: the table has no column `{column}` of values"))
        };
        made.insert(name, columns.iter().map(place).collect::<Result<_, _>>()?);
    }
    let used: Vec<usize> = made.values().flatten().copied().collect();
    let rest = || {
        let free = names.iter().enumerate().filter(|(place, _)| !used.contains(place));
        free.filter_map(|(place, name)| name.map(|name| (place, name)))
    };
    // Whole names apart from stems, which may be the same.
    let mut shared: BTreeMap<(&str, bool), Vec<usize>> = BTreeMap::new();
    for (place, name) in rest() {
        shared.entry(stem(name).map_or((name, false), |stem| (stem, true))).or_default().push(place);
    }
    for ((stem, _), parts) in shared {
        let name = match *parts {
            [place] => names[place].unwrap_or(stem),
            _ => stem,
        };
        if made.insert(name, parts).is_some() {
            return Err(format!("two columns would be called `{name}`"));
        }
    }
    Ok(made.into_iter().map(|(name, parts)| Vector { name: name.to_owned(), parts }).collect())
}

/// The part of a name before a number or a letter.
fn stem(name: &str) -> Option<&str> {
    let (before, last) = match name.strip_suffix(']') {
        Some(open) => open.rsplit_once('[')?,
        None => name.rsplit_once(['.', '_'])?,
    };
    let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    let is_letter = last.len() == 1 && last.bytes().all(|byte| byte.is_ascii_alphabetic());
    (!before.is_empty() && (is_number || is_letter)).then_some(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(names: &[&str], given: &[(&str, &[&str])]) -> Result<Vec<(String, Vec<usize>)>, String> {
        let names: Vec<Option<&str>> = names.iter().map(|name| (*name != "video").then_some(*name)).collect();
        let owned = |columns: &[&str]| columns.iter().map(|&column| column.to_owned()).collect();
        let given = given.iter().map(|(name, columns)| ((*name).to_owned(), owned(columns))).collect();
        Ok(vectors(&names, &given)?.into_iter().map(|vector| (vector.name, vector.parts)).collect())
    }

    #[test]
    fn names_with_a_common_stem_are_one_vector() {
        let names =
            ["video", "action_x", "state.1", "action_y", "state.0", "gripper", "q[0]", "q[10]", "arm_left", "w_0"];
        let vectors = [("action", vec![1, 3]), ("arm_left", vec![8]), ("gripper", vec![5]), ("q", vec![6, 7])];
        let vectors = vectors.into_iter().chain([("state", vec![2, 4]), ("w_0", vec![9])]);
        let expected: Vec<_> = vectors.map(|(name, parts)| (name.to_owned(), parts)).collect();
        assert_eq!(told(&names, &[]).unwrap(), expected);
        let lerobot = told(&["observation.state.0", "observation.state.1", "observation.force"], &[]).unwrap();
        assert_eq!(lerobot, [("observation.force".to_owned(), vec![2]), ("observation.state".to_owned(), vec![0, 1])]);
    }

    #[test]
    fn given_ones_come_first() {
        let names = ["video", "dx", "dy", "action_0", "action_1", "action_2"];
        let made = told(&names, &[("action", &["dy", "dx", "action_2"])]);
        assert_eq!(made.unwrap_err(), "two columns would be called `action`");
        let made = told(&names, &[("move", &["dy", "dx", "action_0"])]).unwrap();
        assert_eq!(made, [("action".to_owned(), vec![4, 5]), ("move".to_owned(), vec![2, 1, 3])]);
        let message = told(&names, &[("move", &["dz"])]).unwrap_err();
        assert_eq!(message, "columns.move: the table has no column `dz` of values");
        assert!(told(&names, &[("move", &[])]).unwrap_err().contains("columns.move is []"));
        assert_eq!(told(&["a", "a_0", "a_1"], &[]).unwrap_err(), "two columns would be called `a`");
    }
}
