//! Every value is made of the columns that the mapping says.
//!
//! The outputs of a statement, and every use of a column in it, come from columns of relations, through as many blocks as there are
//! between. What they came from before is turned into the new dataset's columns by the mapping, and must be what they come from now,
//! for each kind of use as often as before. So a column that is there and is the wrong one is seen without a row of data.
//!
//! Where the mapping gives the old value by an expression, the new column is never used as it is: a cast that was forgotten is
//! seen. What else is computed is not compared. A column that `using` merges comes from all sides, and may come from one of
//! them once it is written out; then only what is used counts, and not how often. What makes a changed dataset is held against what the
//! mapping makes of the outputs that it had.

use super::compared::Compared;
use super::unit::{Meant, Side, Unit, meant, old_of, parts};
use super::{Complaints, counted};
use greylag_model::check::CheckResult;
use greylag_model::consumer::{Fate, TableChange};
use greylag_model::expr::Node;
use greylag_syntax::sql::{Base, ColumnUse, Confidence, Output, OutputKind, Reading, Role, Way, Why};
use std::collections::{BTreeMap, BTreeSet};

/// A column of a relation, by the number of the relation and the name in lower case.
type Column = (usize, String);

/// What something is made of, and how often.
#[derive(Debug, Default)]
struct Made {
    of: BTreeMap<Column, usize>,
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
        seen += match unit.made() {
            Some(change) => made_outputs(unit, old, change, &mut complaints),
            None => outputs(unit, before, &unit.changes, &mut complaints),
        };
        seen += uses(unit, before, &unit.changes, &mut complaints);
        raw(unit, &unit.changes, &mut complaints);
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
            let was = mapped(old, &old.output_bases(was, output), changes);
            let name =
                found.name.as_deref().map_or_else(|| format!("column {}", output + 1), |name| format!("`{name}`"));
            seen += 1;
            differs(
                unit,
                (found.range.start, &name),
                &was,
                &made_of(&new.output_bases(is, output)),
                merges(old),
                complaints,
            );
        }
    }
    seen
}

/// Compares what the outputs of a text that makes the new dataset are made of: each of what the mapping makes it of, among the
/// outputs that it had.
fn made_outputs(unit: &Unit, old: &Side, change: &TableChange, complaints: &mut Complaints) -> usize {
    let (before, new) = (&old.reading, &unit.new.reading);
    let mut seen = 0;
    for (was, is) in before.statements.iter().zip(&new.statements) {
        let (Some(was), Some(is)) = (was.query, is.query) else { continue };
        let (Some(old_query), Some(new_query)) = (before.queries.get(was), new.queries.get(is)) else { continue };
        let named = |name: &str| {
            let outputs = old_query.outputs.iter();
            outputs
                .enumerate()
                .find(|(_, output)| output.name.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name)))
        };
        for (number, output) in new_query.outputs.iter().enumerate().filter(|(_, output)| !output.is_open()) {
            let Some(name) = output.name.as_deref() else { continue };
            let made = change.made.iter().find(|made| made.name.eq_ignore_ascii_case(name));
            let of: Vec<&str> = made.map_or_else(|| vec![name], |made| made.value.columns());
            let Some(of) = of.into_iter().map(named).collect::<Option<Vec<(usize, &Output)>>>() else { continue };
            let mut meant = Made::default();
            for (at, _) in &of {
                let one = mapped(before, &before.output_bases(was, *at), &unit.changes);
                meant.unclear |= one.unclear;
                meant.of.extend(one.of);
            }
            let found = made_of(&new.output_bases(is, number));
            differs(unit, (output.range.start, &format!("`{name}`")), &meant, &found, merges(before), complaints);
            seen += 1;
            let computed = made.is_some_and(|made| !matches!(made.value.node, Node::Column(_)));
            let copied = |bases: &[Base]| !bases.is_empty() && bases.iter().all(|base| base.way == Way::Identity);
            if let [(at, only)] = of.as_slice()
                && computed
                && (is_as_before((&old.text, before, only), (&unit.new.text, new, output))
                    || copied(&before.output_bases(was, *at)) && copied(&new.output_bases(is, number)))
            {
                let (place, what) = (unit.place(output.range.start), only.name.as_deref().unwrap_or_default());
                complaints
                    .wrong(format!("{place}: `{name}` is `{what}` as it was, and is of another value or type now"));
            }
        }
    }
    seen
}

/// Whether an item's expression is what it was. What comes through a star has none of its own.
fn is_as_before(
    (old_text, before, was): (&str, &Reading, &Output),
    (new_text, after, is): (&str, &Reading, &Output),
) -> bool {
    let through_star = |reading: &Reading, output: &Output| reading.stars.iter().any(|star| star.item == output.range);
    let expression = |text: &str, output: &Output| {
        let end = output.alias.as_ref().map_or(output.range.end, |alias| alias.start);
        let words = text.get(output.range.start..end).unwrap_or_default().trim_end().to_lowercase();
        let without = output.alias.as_ref().and_then(|_| words.strip_suffix("as")).map(str::trim_end);
        without.map(str::to_owned).unwrap_or(words)
    };
    !through_star(before, was) && !through_star(after, is) && expression(old_text, was) == expression(new_text, is)
}

/// Compares what columns are used for; answers how many kinds of use there are.
fn uses(unit: &Unit, old: &Reading, changes: &[TableChange], complaints: &mut Complaints) -> usize {
    let new = &unit.new.reading;
    let mut before: BTreeMap<(usize, &str), Made> = BTreeMap::new();
    for (at, column) in reading_uses(old) {
        before.entry((column.statement, word(column.role))).or_default().add(mapped(old, &old.bases(at), changes));
    }
    let mut after: BTreeMap<(usize, &str), (Made, usize)> = BTreeMap::new();
    for (at, column) in reading_uses(new) {
        let key = (column.statement, word(column.role));
        after.entry(key).or_insert((Made::default(), column.range.start)).0.add(made_of(&new.bases(at)));
    }
    let stars = |reading: &Reading, number: usize| reading.stars.iter().filter(|star| star.statement == number).count();
    let keys: BTreeSet<(usize, &str)> = before.keys().chain(after.keys()).copied().collect();
    for key in &keys {
        // A star that is written out makes uses of what came along unwritten, and so do columns that become several; outputs tell of these.
        if key.1 == "selects" && (stars(old, key.0) != stars(new, key.0) || unit.makes.is_some()) {
            continue;
        }
        let empty = Made::default();
        let (is, at) = after.get(key).map_or((&empty, None), |(is, at)| (is, Some(*at)));
        let at = at.or_else(|| new.statements.get(key.0).map(|statement| statement.range.start)).unwrap_or_default();
        let what = format!("what it {}", key.1);
        differs(unit, (at, &what), before.get(key).unwrap_or(&empty), is, merges(old), complaints);
    }
    keys.len()
}

/// New columns that are used as they are, where the old value is an expression of them.
fn raw(unit: &Unit, changes: &[TableChange], complaints: &mut Complaints) {
    let reading = &unit.new.reading;
    for (at, column) in reading_uses(reading).filter(|(_, column)| word(column.role) != "writes") {
        for base in reading.bases(at).iter().filter(|base| base.way == Way::Identity) {
            let Some(relation) = reading.relations.get(base.relation) else { continue };
            let Meant::New(change) = meant(&parts(relation), changes) else { continue };
            let Some(node) = changes.get(change).and_then(|change| computed(change, &base.column)) else { continue };
            let fits = if matches!(node, Node::Cast { .. }) { column.place.cast } else { column.place.computed };
            if !fits {
                let place = unit.place(column.range.start);
                complaints.wrong(format!("{place}: `{}` is used as it is, and is of another type now", base.column));
            }
        }
    }
}

/// The expression by which a new column gives an old value, if it is that of one old column and nothing else.
fn computed<'a>(change: &'a TableChange, new: &str) -> Option<&'a Node> {
    let mut found = None;
    for column in &change.columns {
        match &column.fate {
            Fate::Same(name) | Fate::Replaced { by: name, .. } if name.eq_ignore_ascii_case(new) => return None,
            Fate::Computed(expr) if expr.columns().iter().any(|name| name.eq_ignore_ascii_case(new)) => {
                if found.is_some() || expr.columns().len() > 1 || matches!(expr.node, Node::Column(_)) {
                    return None;
                }
                found = Some(&expr.node);
            }
            _ => {}
        }
    }
    found
}

/// Uses that are compared, by their number.
fn reading_uses(reading: &Reading) -> impl Iterator<Item = (usize, &ColumnUse)> {
    reading.columns.iter().enumerate().filter(|(_, column)| !word(column.role).is_empty() && !column.from.is_empty())
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Select => "selects",
        Role::Join | Role::Using => "joins by",
        Role::Filter | Role::Having | Role::Qualify => "filters by",
        Role::Group => "groups by",
        Role::Window => "windows by",
        Role::Order => "sorts by",
        Role::MergeKey => "merges by",
        Role::InsertTarget | Role::UpdateTarget => "writes",
        Role::Assign => "assigns",
        Role::From => "unfolds",
        Role::Limit | Role::Star | Role::Define | Role::Unknown => "",
    }
}

fn merges(reading: &Reading) -> bool {
    reading.columns.iter().any(|column| column.why == Why::Merged || column.role == Role::Using)
}

impl Made {
    fn add(&mut self, other: Self) {
        for (column, count) in other.of {
            *self.of.entry(column).or_default() += count;
        }
        self.unclear |= other.unclear;
    }

    fn insert(&mut self, relation: usize, column: &str) {
        self.of.insert((relation, column.to_lowercase()), 1);
    }
}

/// What bases are: each column once.
fn made_of(bases: &[Base]) -> Made {
    let of = bases.iter().map(|base| ((base.relation, base.column.to_lowercase()), 1)).collect();
    Made { of, unclear: bases.iter().any(|base| base.confidence == Confidence::Unknown) }
}

/// What bases become by the mapping.
fn mapped(reading: &Reading, bases: &[Base], changes: &[TableChange]) -> Made {
    let mut mapped = Made { of: BTreeMap::new(), ..made_of(bases) };
    for base in bases {
        let relation = reading.relations.get(base.relation);
        let change =
            relation.and_then(|relation| old_of(&parts(relation), changes)).and_then(|(at, _)| changes.get(at));
        match change.and_then(|change| change.column(&base.column)).map(|column| &column.fate) {
            Some(Fate::Same(new) | Fate::Replaced { by: new, .. }) => mapped.insert(base.relation, new),
            Some(Fate::Computed(expr)) => {
                expr.columns().into_iter().for_each(|new| mapped.insert(base.relation, new));
            }
            Some(Fate::Lost(_)) => mapped.unclear = true,
            None => mapped.insert(base.relation, &base.column),
        }
    }
    mapped
}

/// Complains of something that is made of other columns than it should be.
fn differs(unit: &Unit, (at, what): (usize, &str), was: &Made, is: &Made, merged: bool, complaints: &mut Complaints) {
    let fits = if merged {
        is.of.keys().all(|column| was.of.contains_key(column)) && is.of.is_empty() == was.of.is_empty()
    } else {
        is.of == was.of
    };
    if fits {
        return;
    }
    let named = |of: &Made, without: &Made| {
        let more = of.of.iter().filter(|(column, count)| without.of.get(*column) != Some(count));
        let names: Vec<String> = more
            .map(
                |((_, name), count)| {
                    if *count == 1 { format!("`{name}`") } else { format!("`{name}` ({count} times)") }
                },
            )
            .collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    };
    let place = unit.place(at);
    let why = format!("{place}: {what} is of {}, where it should be of {}", named(is, was), named(was, is));
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
        check("lineage", OLD, &after(OLD), "pass: 8 values made of what the mapping says");
        check("lineage", DBT, &after(DBT), "pass: 4 values made of what the mapping says");
        let using = [("a.sql", "select uid, amount from raw.users_v1 u join raw.orders o using (uid) where uid > 1")];
        check("lineage", &using, &after(&using), "pass: 5 values made of what the mapping says");
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
    fn one_use_of_several_is_found() {
        let old = [("a.sql", "select mail from raw.users_v1 where uid > 1 and uid < 9")];
        mutated(
            "lineage",
            &old,
            "a.sql",
            "user_id < 9",
            "kept < 9",
            "what it filters by is of `kept`, `user_id`, where it should be of `user_id` (2 times)",
        );
        let within = [("a.sql", "select 1 from raw.orders where id in (select uid from raw.users_v1)")];
        mutated("lineage", &within, "a.sql", "select user_id", "select email", "what it selects is of `email`");
    }

    #[test]
    fn a_cast_that_was_forgotten_is_found() {
        let old = [("a.sql", "select age from raw.users_v1 where age > 1")];
        let cast = "cast(years as integer)";
        mutated("lineage", &old, "a.sql", &format!("{cast} > 1"), "years > 1", "`years` is used as it is");
        mutated("lineage", &old, "a.sql", &format!("{cast} as age"), "years as age", "`years` is used as it is");
        let inner = [("a.sql", "with s as (select * from raw.users_v1) select age from s")];
        mutated("lineage", &inner, "a.sql", cast, "years", "`years` is used as it is");
    }

    #[test]
    fn a_column_that_is_written_is_found() {
        let old = [("a.sql", "update raw.users_v1 set mail = null where uid = 3")];
        mutated("lineage", &old, "a.sql", "set email", "set kept", "what it writes is of `kept`");
        let insert = [("a.sql", "insert into raw.users_v1 (uid, kept) select id, 1 from raw.orders")];
        mutated("lineage", &insert, "a.sql", "(user_id", "(email", "what it writes is of `email`");
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
