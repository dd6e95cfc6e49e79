//! Every statement gives columns of the names that it gave, in their order.
//!
//! Those who read a result are in other repositories, or are no code at all; so a rewrite keeps all names. Of a statement that
//! writes into a dataset that moves, the number of columns is kept, and the names are those of the new dataset. A model that makes one
//! gives what the mapping makes of the columns that it gave.

use super::compared::Compared;
use super::unit::{Side, Unit, old_of, parts};
use super::{Complaints, counted};
use greylag_model::check::CheckResult;
use greylag_model::consumer::TableChange;
use greylag_syntax::sql::{Output, OutputKind, Reading, Statement};
use std::collections::BTreeSet;

pub(super) fn check(compared: &Compared<'_>) -> CheckResult {
    let mut complaints = Complaints::default();
    let mut seen = 0;
    for unit in &compared.units {
        let Some(old) = &unit.old else { continue };
        if old.reading.statements.len() != unit.new.reading.statements.len() {
            complaints.unclear(format!("the statements of {} are others", unit.name()));
            continue;
        }
        for (before, after) in old.reading.statements.iter().zip(&unit.new.reading.statements) {
            seen += usize::from(statement(unit, (old, before), after, &mut complaints));
        }
    }
    let holds = format!("{} with the same columns", counted(seen, "statement"));
    complaints.result("outputs", holds, "give the column the name that it had: `NEW as OLD`")
}

/// Compares what a statement gives; whether it gives anything.
fn statement(unit: &Unit, (old, before): (&Side, &Statement), after: &Statement, complaints: &mut Complaints) -> bool {
    let (was, is) = (outputs(&old.reading, before), outputs(&unit.new.reading, after));
    let (was, is) = match (was, is) {
        (Some(was), Some(is)) => (was, is),
        (None, None) => return false,
        _ => {
            complaints.wrong(format!(
                "{} gives rows now and did not before, or the other way round",
                unit.place(after.range.start)
            ));
            return true;
        }
    };
    // What is left to somebody may give what it gave.
    let as_before = || was.len() == is.len() && was.iter().zip(&is).all(|(was, is)| same(was, is));
    if let Some(change) = unit.made().filter(|_| !(unit.held && as_before())) {
        made(unit, after, (&was, &is), change, complaints);
        return true;
    }
    if was.len() != is.len() {
        let (count, before) = (is.len(), was.len());
        let place = unit.place(after.range.start);
        // A star over what is not known may be written out as what is.
        let open = was.iter().chain(&is).any(|output| is_open(output));
        let why = format!("{place} gives {count} columns, where it gave {before}");
        if open {
            complaints.unclear(why);
        } else {
            complaints.wrong(why);
        }
        return true;
    }
    let moves = before.target.and_then(|target| old.reading.relations.get(target));
    if moves.is_some_and(|target| old_of(&parts(target), &unit.changes).is_some()) {
        return true;
    }
    for (number, (before, after)) in was.iter().zip(&is).enumerate() {
        if !same(before, after) {
            let name = |output: &Output| match &output.name {
                Some(name) => format!("`{name}`"),
                None => "without a name".to_owned(),
            };
            let place = unit.place(after.range.start);
            let number = number + 1;
            complaints.wrong(format!("{place}: column {number} is {}, and was {}", name(after), name(before)));
        }
    }
    true
}

/// What a query gives that makes the new dataset in place of the old one: what the mapping makes of the columns that it gave, in
/// whatever order, and all else as before.
fn made(
    unit: &Unit,
    after: &Statement,
    (was, is): (&[&Output], &[&Output]),
    change: &TableChange,
    complaints: &mut Complaints,
) {
    let place = unit.place(after.range.start);
    let names = |outputs: &[&Output]| -> BTreeSet<String> {
        outputs.iter().filter_map(|output| Some(output.name.as_deref()?.to_lowercase())).collect()
    };
    let (old, new) = (names(was), names(is));
    let known = |name: &str| change.column(name).map(|column| column.name.to_lowercase());
    let given: BTreeSet<String> = old.iter().filter_map(|name| known(name)).collect();
    let whole = change.columns.iter().all(|column| given.contains(&column.name.to_lowercase()));
    let mut meant: BTreeSet<String> = old.iter().filter(|name| known(name).is_none()).cloned().collect();
    let mut may: BTreeSet<String> = BTreeSet::new();
    for one in &change.made {
        let columns = one.value.columns();
        let has = |name: &&str| given.contains(&name.to_lowercase());
        let must = if columns.is_empty() { whole } else { columns.iter().all(has) };
        if must { &mut meant } else { &mut may }.insert(one.name.to_lowercase());
    }
    let open = was.iter().chain(is).any(|output| is_open(output)) || change.made.is_empty();
    let mut say = |why: String| if open { complaints.unclear(why) } else { complaints.wrong(why) };
    for name in meant.difference(&new) {
        say(format!("{place} gives no `{name}`, which `{}` has", change.new));
    }
    for name in new.difference(&meant).filter(|name| !may.contains(*name)) {
        say(format!("{place} gives `{name}`, which `{}` has not", change.new));
    }
}

/// The columns of a statement; none if it gives no rows.
fn outputs<'a>(reading: &'a Reading, statement: &Statement) -> Option<Vec<&'a Output>> {
    reading.queries.get(statement.query?).map(|query| query.outputs.iter().collect())
}

fn is_open(output: &Output) -> bool {
    matches!(output.kind, OutputKind::Open | OutputKind::Star(_))
}

/// Whether whoever reads one by its name can read the other by it.
fn same(one: &Output, other: &Output) -> bool {
    match (&one.name, &other.name) {
        (Some(one_name), Some(other_name)) if one.quoted || other.quoted => one_name == other_name,
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        (None, None) => is_open(one) == is_open(other),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{DBT, after, check, mutated};

    const OLD: &[(&str, &str)] =
        &[("a.sql", "insert into out.t select uid, mail, count(*) from raw.users_v1 group by 1, 2")];

    #[test]
    fn names_count_and_order_are_kept() {
        check("outputs", OLD, &after(OLD), "pass: 1 statement with the same columns");
        check("outputs", DBT, &after(DBT), "pass: 1 statement with the same columns");
        let star = [("a.sql", "select * exclude (flag) from raw.users_v1")];
        check("outputs", &star, &after(&star), "pass: 1 statement with the same columns");
    }

    #[test]
    fn a_name_that_is_lost_is_found() {
        mutated("outputs", OLD, "a.sql", "user_id as uid", "user_id", "column 1 is `user_id`, and was `uid`");
        mutated("outputs", OLD, "a.sql", "email as mail", "email as \"Mail\"", "column 2 is `Mail`, and was `mail`");
        mutated("outputs", OLD, "a.sql", "count(*)", "count(*) as n", "column 3 is `n`, and was without a name");
        mutated(
            "outputs",
            DBT,
            "models/active.sql",
            "user_id as uid",
            "user_id",
            "`models/active.sql`: column 1 is `user_id`",
        );
        let star = [("a.sql", "select * exclude (flag) from raw.users_v1")];
        mutated("outputs", &star, "a.sql", ", kept", "", "gives 3 columns, where it gave 4");
    }

    #[test]
    fn a_column_more_less_or_elsewhere_is_found() {
        mutated("outputs", OLD, "a.sql", "email as mail, ", "", "gives 2 columns, where it gave 3");
        mutated("outputs", OLD, "a.sql", "count(*)", "count(*), 1", "gives 4 columns, where it gave 3");
        mutated(
            "outputs",
            OLD,
            "a.sql",
            "user_id as uid, email as mail",
            "email as mail, user_id as uid",
            "column 1 is `mail`, and was `uid`",
        );
    }

    #[test]
    fn who_writes_the_dataset_writes_its_new_names() {
        let writer = [("a.sql", "insert into raw.users_v1 (uid, kept) select order_id, 1 from raw.orders")];
        check("outputs", &writer, &after(&writer), "pass: 1 statement with the same columns");
        mutated("outputs", &writer, "a.sql", "order_id, 1", "order_id", "gives 1 columns, where it gave 2");
    }
}
