//! Laying what a file and the command line say over the defaults.

use toml::{Table, Value};

/// Lays `top` over `base`. Tables merge; anything else replaces. A table that names another `kind` than its base starts
/// from nothing, since the keys of one kind mean nothing to another.
pub fn merge(base: &mut Table, top: &Table) {
    if let (Some(new), Some(old)) = (top.get("kind"), base.get("kind"))
        && new != old
    {
        base.clear();
    }
    for (key, value) in top {
        match (base.get_mut(key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

/// One `a.b=c` of the command line: the keys and the value. The value is TOML where it can be read as such, otherwise a
/// string, so that `plan.solver.kind=cem` needs no quotes.
///
/// # Errors
/// A sentence when there is no `=` or no key.
pub fn assignment(text: &str) -> Result<(Vec<String>, Value), String> {
    let malformed = || format!("`--set {text}`: expected section.key=value, for example optimizer.lr=3e-4");
    let (path, value) = text.split_once('=').ok_or_else(malformed)?;
    let keys: Vec<String> = path.split('.').map(|key| key.trim().to_owned()).collect();
    if keys.iter().any(String::is_empty) {
        return Err(malformed());
    }
    let value = value.trim();
    let parsed = format!("value = {value}").parse::<Table>().ok().filter(|table| table.len() == 1);
    let value = parsed.and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::String(value.to_owned()));
    Ok((keys, value))
}

/// Lays assignments over `table`, in order, but those of a `kind` first: a changed kind clears the keys of the old one.
pub fn assign(table: &mut Table, assignments: Vec<(Vec<String>, Value)>) {
    let (kinds, others): (Vec<_>, Vec<_>) =
        assignments.into_iter().partition(|(keys, _)| keys.last().is_some_and(|key| key == "kind"));
    for (keys, value) in kinds.into_iter().chain(others) {
        let nested = keys.into_iter().rev().fold(value, |inner, key| Value::Table(Table::from_iter([(key, inner)])));
        if let Value::Table(nested) = nested {
            merge(table, &nested);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        text.parse().unwrap()
    }

    #[test]
    fn tables_merge_and_a_new_kind_starts_afresh() {
        let mut base = table("a = 1\n[solver]\nkind = \"cem\"\nelites = 3\nsamples = 5");
        merge(&mut base, &table("[solver]\nsamples = 7"));
        assert_eq!(base, table("a = 1\n[solver]\nkind = \"cem\"\nelites = 3\nsamples = 7"));
        merge(&mut base, &table("[solver]\nkind = \"random\""));
        assert_eq!(base, table("a = 1\n[solver]\nkind = \"random\""));
    }

    #[test]
    fn values_are_toml_or_else_strings() {
        let value = |text: &str| assignment(text).map(|(_, value)| value);
        assert_eq!(value("a.b=3e-4"), Ok(Value::Float(3e-4)));
        assert_eq!(value("a=[1, 2]"), Ok(Value::Array(vec![Value::Integer(1), Value::Integer(2)])));
        assert_eq!(value("a=two-rooms"), Ok(Value::String("two-rooms".into())));
        assert_eq!(value("a=x=y"), Ok(Value::String("x=y".into())));
        assert_eq!(value("a=\"1\""), Ok(Value::String("1".into())));
        assert_eq!(value("a=1\nb=2"), Ok(Value::String("1\nb=2".into())));
        assert!(value("a.b").unwrap_err().contains("expected section.key=value"));
        assert!(value("a..b=1").is_err());
    }

    #[test]
    fn a_kind_is_assigned_before_its_keys() {
        let mut base = table("[solver]\nkind = \"cem\"\nelites = 3");
        let sets = ["solver.samples=9", "solver.kind=random"].map(|text| assignment(text).unwrap());
        assign(&mut base, sets.to_vec());
        assert_eq!(base, table("[solver]\nkind = \"random\"\nsamples = 9"));
    }
}
