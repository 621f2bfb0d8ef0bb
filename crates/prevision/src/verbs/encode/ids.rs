//! Ids of tokens on the command line.

use std::path::Path;
use std::str::FromStr;

use super::given::npy;

/// Ids of tokens, the same for every window; not empty, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ids(pub(super) Vec<usize>);

impl FromStr for Ids {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ids = if Path::new(text).extension().is_some_and(|extension| extension == "npy") {
            from_file(Path::new(text))?
        } else {
            from_list(text)?
        };
        if ids.is_empty() {
            return Err("no ids".to_owned());
        }
        let mut sorted = ids.clone();
        sorted.sort_unstable();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("id {} is there twice", pair[0])),
            None => Ok(Self(ids)),
        }
    }
}

/// `0-3,7` is 0, 1, 2, 3 and 7.
fn from_list(text: &str) -> Result<Vec<usize>, String> {
    let number = |text: &str| {
        text.trim().parse::<usize>().map_err(|_| format!("`{text}`: expected ids such as 0-511,600, or a file .npy"))
    };
    let mut ids = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            Some((first, last)) => {
                let (first, last) = (number(first)?, number(last)?);
                if first > last {
                    return Err(format!("`{part}`: {first} is after {last}"));
                }
                ids.extend(first..=last);
            }
            None => ids.push(number(part)?),
        }
    }
    Ok(ids)
}

fn from_file(path: &Path) -> Result<Vec<usize>, String> {
    let (shape, values) = npy(path)?;
    if shape.iter().filter(|length| **length != 1).count() > 1 {
        return Err(format!("{}: shape {shape:?}, expected a list of ids, the same for all windows", path.display()));
    }
    let id = |value: f32| {
        let fits = value >= 0.0 && value.fract() == 0.0;
        fits.then_some(value as usize).ok_or_else(|| format!("{}: id {value}, expected 0 or more", path.display()))
    };
    values.into_iter().map(id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_ranges() {
        assert_eq!("0-3,7".parse(), Ok(Ids(vec![0, 1, 2, 3, 7])));
        assert_eq!("5".parse(), Ok(Ids(vec![5])));
        for (text, expected) in [("", "``"), ("3-1", "3 is after 1"), ("1,x", "`x`"), ("1-3,2", "id 2 is there twice")]
        {
            let message = text.parse::<Ids>().unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }
}
