//! Every value is made of the columns that the mapping says.
//!
//! The outputs of a statement, and what it joins, filters, groups and sorts by, come from columns of relations, through as many
//! blocks as there are between. What they came from before is turned into the new dataset's columns by the mapping, and must be what
//! they come from now. A column that is there and is the wrong one is so seen without a row of data.
//!
//! Only columns are compared, not what is computed from them. A column that `using` merges comes from all sides, and may come from
//! one of them once it is written out.

use super::compared::Compared;
use super::unit::{Unit, old_of, parts};
use super::{Complaints, counted};
use greylag_model::check::CheckResult;
use greylag_model::consumer::{Fate, TableChange};
use greylag_syntax::sql::{Base, ColumnUse, Confidence, OutputKind, Reading, Role, Why};
use std::collections::{BTreeMap, BTreeSet};

/// A column of a relation, by the number of the relation and the name in lower case.
type Column = (usize, String);

/// What something is made of: all that it may be, and whether it may be less.
#[derive(Debug, Default)]
struct Made {
    of: BTreeSet<Column>,
    merged: bool,
    unclear: bool,
}

pub(super) fn check(compared: &Compared<'_>) -> CheckResult {
    let mut complaints = Complaints::default();
    let mut seen = 0;
    for unit in compared.units.iter().filter(|unit| !unit.held) {
        let Some(old) = &unit.old else { continue };
        let (before, after) = (&old.reading, &unit.new.reading);
        // What is wrong with these is said by other checks.
        if before.relations.len() != after.relations.len() || before.statements.len() != after.statements.len() {
            complaints.unclear(format!("{} is built otherwise than before", unit.name()));
            continue;
        }
        seen += outputs(unit, before, compared.changes, &mut complaints);
        seen += uses(unit, before, compared.changes, &mut complaints);
    }
    let holds = format!("{} made of what the mapping says", counted(seen, "value"));
    complaints.result("lineage", holds, "hold the patch against the mapping: a column was taken for another")
}

/// Compares what outputs are made of; answers how many.
fn outputs(unit: &Unit, old: &Reading, changes: &[TableChange], complaints: &mut Complaints) -> usize {
    let new = &unit.new.reading;
    let mut seen = 0;
    for (before, after) in old.statements.iter().zip(&new.statements) {
        let (Some(was), Some(is)) = (before.query, after.query) else { continue };
        let columns =
            |reading: &Reading, query: usize| reading.queries.get(query).map_or(0, |query| query.outputs.len());
        if columns(old, was) != columns(new, is) {
            continue;
        }
        for output in 0..columns(new, is) {
            let Some(found) = new.queries.get(is).and_then(|query| query.outputs.get(output)) else { continue };
            if matches!(found.kind, OutputKind::Open | OutputKind::Star(_)) {
                continue;
            }
            let mapped = mapped(old, &old.output_bases(was, output), merges(old), changes);
            let name =
                found.name.as_deref().map_or_else(|| format!("column {}", output + 1), |name| format!("`{name}`"));
            seen += 1;
            differs(unit, found.range.start, &name, &mapped, &made(&new.output_bases(is, output)), complaints);
        }
    }
    seen
}

/// Compares what is joined, filtered, grouped and sorted by; answers how many.
fn uses(unit: &Unit, old: &Reading, changes: &[TableChange], complaints: &mut Complaints) -> usize {
    let new = &unit.new.reading;
    let mut before: BTreeMap<(usize, &str), Made> = BTreeMap::new();
    for (at, column) in deciding(old) {
        let mapped = mapped(old, &old.bases(at), merges(old), changes);
        let entry = before.entry((column.statement, word(column.role))).or_default();
        entry.of.extend(mapped.of);
        entry.merged |= mapped.merged;
        entry.unclear |= mapped.unclear;
    }
    let mut after: BTreeMap<(usize, &str), (Made, usize)> = BTreeMap::new();
    for (at, column) in deciding(new) {
        let (entry, _) =
            after.entry((column.statement, word(column.role))).or_insert((Made::default(), column.range.start));
        let found = made(&new.bases(at));
        entry.of.extend(found.of);
        entry.unclear |= found.unclear;
    }
    let nothing = (Made::default(), 0);
    let keys: BTreeSet<(usize, &str)> = before.keys().chain(after.keys()).copied().collect();
    for key in &keys {
        let (is, at) = after.get(key).unwrap_or(&nothing);
        let empty = Made::default();
        let at = if *at == 0 { new.statements.get(key.0).map_or(0, |statement| statement.range.start) } else { *at };
        differs(unit, at, &format!("what it {} by", key.1), before.get(key).unwrap_or(&empty), is, complaints);
    }
    keys.len()
}

/// Uses that decide about rows.
fn deciding(reading: &Reading) -> impl Iterator<Item = (usize, &ColumnUse)> {
    reading.columns.iter().enumerate().filter(|(_, column)| !word(column.role).is_empty() && !column.from.is_empty())
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Join | Role::Using => "joins",
        Role::Filter | Role::Having | Role::Qualify => "filters",
        Role::Group => "groups",
        Role::Window => "windows",
        Role::Order => "sorts",
        Role::MergeKey => "merges",
        _ => "",
    }
}

fn merges(reading: &Reading) -> bool {
    reading.columns.iter().any(|column| column.why == Why::Merged || column.role == Role::Using)
}

/// What bases are.
fn made(bases: &[Base]) -> Made {
    let of = bases.iter().map(|base| (base.relation, base.column.to_lowercase())).collect();
    Made { of, merged: false, unclear: bases.iter().any(|base| base.confidence == Confidence::Unknown) }
}

/// What bases become by the mapping.
fn mapped(reading: &Reading, bases: &[Base], merged: bool, changes: &[TableChange]) -> Made {
    let mut made = Made { merged, ..made(bases) };
    made.of.clear();
    for base in bases {
        let relation = reading.relations.get(base.relation);
        let change =
            relation.and_then(|relation| old_of(&parts(relation), changes)).and_then(|(at, _)| changes.get(at));
        let fate = change.and_then(|change| change.column(&base.column)).map(|column| &column.fate);
        match fate {
            Some(Fate::Same(new) | Fate::Replaced { by: new, .. }) => {
                made.of.insert((base.relation, new.to_lowercase()));
            }
            Some(Fate::Computed(expr)) => {
                made.of.extend(expr.columns().into_iter().map(|new| (base.relation, new.to_lowercase())));
            }
            Some(Fate::Lost(_)) => made.unclear = true,
            None => {
                made.of.insert((base.relation, base.column.to_lowercase()));
            }
        }
    }
    made
}

fn differs(unit: &Unit, at: usize, what: &str, was: &Made, is: &Made, complaints: &mut Complaints) {
    let fits =
        if was.merged { is.of.is_subset(&was.of) && is.of.is_empty() == was.of.is_empty() } else { is.of == was.of };
    if fits {
        return;
    }
    let place = unit.place(at);
    let named = |of: &BTreeSet<Column>, without: &BTreeSet<Column>| {
        let names: Vec<String> = of.difference(without).map(|(_, name)| format!("`{name}`")).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    };
    let why =
        format!("{place}: {what} is of {}, where it should be of {}", named(&is.of, &was.of), named(&was.of, &is.of));
    if was.unclear || is.unclear { complaints.unclear(why) } else { complaints.wrong(why) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{DBT, after, check, mutated};

    const OLD: &[(&str, &str)] = &[(
        "a.sql",
        "with named as (select u.uid as id, u.age, o.amount from raw.users_v1 u join raw.orders o on o.owner = u.uid) \
         select id, sum(amount) as total, max(age) as age from named where age > 1 group by id order by id",
    )];

    #[test]
    fn what_is_made_of_the_right_columns_passes() {
        check("lineage", OLD, &after(OLD), "pass: 7 values made of what the mapping says");
        check("lineage", DBT, &after(DBT), "pass: 3 values made of what the mapping says");
        let using = [("a.sql", "select uid, amount from raw.users_v1 u join raw.orders o using (uid) where uid > 1")];
        check("lineage", &using, &after(&using), "pass: 4 values made of what the mapping says");
    }

    #[test]
    fn a_wrong_column_is_found() {
        mutated(
            "lineage",
            OLD,
            "a.sql",
            "u.user_id as id",
            "u.email as id",
            "`id` is of `email`, where it should be of `user_id`",
        );
        mutated(
            "lineage",
            OLD,
            "a.sql",
            "= u.user_id",
            "= u.email",
            "what it joins by is of `email`, where it should be of `user_id`",
        );
        mutated(
            "lineage",
            OLD,
            "a.sql",
            "where age",
            "where id",
            "what it filters by is of `user_id`, where it should be of `years`",
        );
        mutated(
            "lineage",
            OLD,
            "a.sql",
            " where age > 1",
            "",
            "what it filters by is of nothing, where it should be of `years`",
        );
        mutated("lineage", DBT, "models/active.sql", "email as mail", "kept as mail", "`mail` is of `kept`");
    }

    #[test]
    fn a_column_of_another_relation_is_found() {
        // Nothing is known of the columns of `orders`, so the old name means one of them.
        let old = [("a.sql", "select uid, amount from raw.users_v1 join raw.orders on true")];
        mutated(
            "lineage",
            &old,
            "a.sql",
            "user_id as uid",
            "uid",
            "`uid` is of `uid`, where it should be of `user_id`",
        );
    }
}
