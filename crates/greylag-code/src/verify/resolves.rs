//! Every name of the new text means something, and what it should.
//!
//! Relations are held against each other in the order in which they are resolved, which is that of the text before: where the
//! old one names an old dataset, the new one names its successor, everywhere else the very same. So a reference that was missed,
//! a wrong table, a swapped side of a join and a common table expression whose name was changed on one side only are all seen.

use super::compared::Compared;
use super::unit::{Meant, Side, Unit, meant, old_of, parts, stays};
use super::{Complaints, counted, nodes, sources, tested};
use greylag_model::check::CheckResult;
use greylag_model::consumer::TableChange;
use greylag_syntax::sql::{ColumnUse, Confidence, Origin, RelationUse, Why};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(compared: &Compared<'_>) -> CheckResult {
    let mut complaints = Complaints::default();
    for unit in &compared.units {
        relations(unit, &unit.changes, &mut complaints);
        columns(unit, &unit.changes, &mut complaints);
        lost(unit, &mut complaints);
    }
    for pair in &compared.projects {
        sources::check(pair, compared, &mut complaints);
        nodes::check(pair, compared, &mut complaints);
        tested::check(pair, compared, &mut complaints);
    }
    let reads: usize = compared.units.iter().map(|unit| new_relations(unit, &unit.changes).count()).sum();
    let holds = format!("{} of the new datasets, all of whose columns are there", counted(reads, "use"));
    complaints.result("resolves", holds, "look at these places: a reference was missed, or changed to something else")
}

/// The relations of a text that name a new dataset.
fn new_relations<'a>(unit: &'a Unit, changes: &'a [TableChange]) -> impl Iterator<Item = usize> + 'a {
    let relations = unit.new.reading.relations.iter().enumerate();
    relations.filter(|(_, relation)| matches!(meant(&parts(relation), changes), Meant::New(_))).map(|(at, _)| at)
}

fn relations(unit: &Unit, changes: &[TableChange], complaints: &mut Complaints) {
    if unit.held {
        return held(unit, changes, complaints);
    }
    let nothing = Side { text: String::new(), reading: greylag_syntax::sql::Reading::default() };
    let (old, new) = (&unit.old.as_ref().unwrap_or(&nothing).reading, &unit.new.reading);
    if !new.unknown.is_empty() {
        let first = new.unknown.first().map_or(0, |unknown| unknown.range.start);
        complaints.unclear(format!("{} could not be read", unit.place(first)));
    }
    if old.relations.len() != new.relations.len() {
        let (before, after) = (old.relations.len(), new.relations.len());
        complaints.wrong(format!("{} names {after} relations, where it named {before}", unit.name()));
        return;
    }
    for (before, after) in old.relations.iter().zip(&new.relations) {
        relation(unit, before, after, changes, complaints);
    }
}

fn relation(
    unit: &Unit,
    before: &RelationUse,
    after: &RelationUse,
    changes: &[TableChange],
    complaints: &mut Complaints,
) {
    let (was, is) = (parts(before), parts(after));
    let name = || format!("{} names `{}`", unit.place(after.range.start), is.join("."));
    let said = old_of(&was, changes).and_then(|(number, _)| Some((number, changes.get(number)?)));
    match said {
        Some((number, change)) if meant(&is, changes) != Meant::New(number) => {
            let why = format!("{}, where `{}` must be read", name(), change.new);
            // What was found by words alone may be anything.
            if before.confidence == Confidence::Unknown { complaints.unclear(why) } else { complaints.wrong(why) }
        }
        None if was != is => complaints.wrong(format!("{}, which was `{}`", name(), was.join("."))),
        _ => {}
    }
}

/// What is left to somebody names the old datasets or the new ones, and of one dataset never both.
fn held(unit: &Unit, changes: &[TableChange], complaints: &mut Complaints) {
    let mut named: BTreeMap<usize, BTreeSet<bool>> = BTreeMap::new();
    for relation in &unit.new.reading.relations {
        match meant(&parts(relation), changes) {
            Meant::New(change) => named.entry(change).or_default().insert(true),
            Meant::Old(change) => named.entry(change).or_default().insert(false),
            Meant::Other => false,
        };
    }
    for change in named.iter().filter(|(_, both)| both.len() > 1).filter_map(|(change, _)| changes.get(*change)) {
        if !stays(change) {
            complaints.wrong(format!("{} reads both `{}` and `{}`", unit.name(), change.new, change.dataset));
        }
    }
}

/// Columns of new datasets are in their schemas.
fn columns(unit: &Unit, changes: &[TableChange], complaints: &mut Complaints) {
    let reading = &unit.new.reading;
    for at in new_relations(unit, changes) {
        let Some(relation) = reading.relations.get(at) else { continue };
        let Meant::New(number) = meant(&parts(relation), changes) else { continue };
        let Some(change) = changes.get(number).filter(|change| !change.target.is_empty()) else { continue };
        let uses = reading.columns.iter().filter(|column| column.from.as_slice() == [Origin::Relation(at)]);
        for column in uses.filter(|column| !matches!(column.why, Why::Pseudo | Why::WholeRow)) {
            let name = &column.name.text;
            if !change.target.iter().any(|target| target.eq_ignore_ascii_case(name)) {
                let place = unit.place(column.name.range.start);
                complaints.wrong(format!("{place}: `{}` has no column `{name}`", change.new));
            }
        }
    }
}

/// Whether a use of a column means nothing that is known.
fn is_lost(column: &ColumnUse) -> bool {
    matches!(column.why, Why::NotInSchema | Why::NoSource | Why::NoSuchQualifier)
}

/// Names that meant something before, and mean nothing now.
fn lost(unit: &Unit, complaints: &mut Complaints) {
    let said = |side: &Side, column: &ColumnUse| side.text.get(column.range.clone()).unwrap_or_default().to_lowercase();
    let mut before: BTreeMap<String, usize> = BTreeMap::new();
    for (old, column) in unit.old.iter().flat_map(|old| old.reading.columns.iter().map(move |column| (old, column))) {
        if is_lost(column) {
            *before.entry(said(old, column)).or_default() += 1;
        }
    }
    for column in unit.new.reading.columns.iter().filter(|column| is_lost(column)) {
        let words = said(&unit.new, column);
        match before.get_mut(&words).filter(|left| **left > 0) {
            Some(left) => *left -= 1,
            None => {
                let (place, why) = (unit.place(column.range.start), column.why);
                complaints.wrong(format!("{place}: `{words}` means nothing: {why}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{DBT, after, check, mutated};

    const JOIN: &[(&str, &str)] = &[(
        "a.sql",
        "with big as (select * from raw.orders) select u.uid, b.amount from raw.users_v1 u left join big b on b.uid = u.uid",
    )];

    #[test]
    fn what_means_something_passes() {
        check("resolves", JOIN, &after(JOIN), "pass: 1 use of the new datasets, all of whose columns are there");
        check("resolves", DBT, &after(DBT), "pass: 1 use of the new datasets, all of whose columns are there");
    }

    #[test]
    fn a_reference_that_was_missed_is_found() {
        mutated(
            "resolves",
            JOIN,
            "a.sql",
            "users_v2",
            "users_v1",
            "`a.sql:1:79` names `raw.users_v1`, where `raw.users_v2` must be read",
        );
        // As nothing was done at all.
        check("resolves", JOIN, JOIN, "fail: `a.sql:1:68` names `raw.users_v1`, where `raw.users_v2` must be read");
        check(
            "resolves",
            DBT,
            DBT,
            "fail: `models/active.sql` names `raw.users_v1`, where `raw.users_v2` must be read; the source `source.shop.raw.users_v1` is still `raw.users_v1`",
        );
    }

    #[test]
    fn a_wrong_table_or_side_is_found() {
        mutated("resolves", JOIN, "a.sql", "users_v2", "users_v3", "names `raw.users_v3`");
        mutated("resolves", JOIN, "a.sql", "raw.orders", "raw.order", "names `raw.order`, which was `raw.orders`");
        mutated("resolves", JOIN, "a.sql", "left join big b", "left join b", "names 3 relations, where it named 2");
        let swapped = [("a.sql", "select 1 from raw.users_v1 u left join raw.orders o on true")];
        mutated(
            "resolves",
            &swapped,
            "a.sql",
            "raw.users_v2 u left join raw.orders o",
            "raw.orders o left join raw.users_v2 u",
            "where `raw.users_v2` must be read",
        );
    }

    #[test]
    fn a_column_that_is_not_there_is_found() {
        mutated("resolves", JOIN, "a.sql", "u.user_id as uid", "u.uid", "`raw.users_v2` has no column `uid`");
        let alone = [("a.sql", "select uid from raw.users_v1")];
        mutated(
            "resolves",
            &alone,
            "a.sql",
            "user_id as uid",
            "uid",
            "`uid` means nothing: no relation in scope can have it",
        );
        mutated(
            "resolves",
            &alone,
            "a.sql",
            "user_id as",
            "x.user_id as",
            "`x.user_id` means nothing: the name before it",
        );
        mutated(
            "resolves",
            DBT,
            "models/active.sql",
            "where user_id",
            "where uid",
            "`models/active.sql`: `uid` means nothing",
        );
    }

    #[test]
    fn a_source_that_declares_the_old_is_found() {
        mutated(
            "resolves",
            DBT,
            "models/sources.yml",
            "name: user_id",
            "name: uid",
            "declares `uid`, where `user_id` is meant",
        );
        let by_name: Vec<(&str, String)> = DBT
            .iter()
            .map(|(path, text)| {
                (
                    *path,
                    text.replace("- name: users_v1", "- name: users\n        identifier: users_v1")
                        .replace("'users_v1'", "'users'"),
                )
            })
            .collect();
        let by_name: Vec<(&str, &str)> = by_name.iter().map(|(path, text)| (*path, text.as_str())).collect();
        mutated(
            "resolves",
            &by_name,
            "models/sources.yml",
            "users_v2",
            "users_v1",
            "the source `source.shop.raw.users` is still `raw.users_v1`",
        );
    }

    #[test]
    fn a_source_or_test_that_means_another_is_found() {
        let said = "the source `source.shop.raw.ordered` is `raw.ordered`, and was `raw.orders`";
        mutated("resolves", DBT, "models/sources.yml", "- name: orders", "- name: ordered", said);
        mutated(
            "resolves",
            DBT,
            "models/sources.yml",
            "name: user_id",
            "name: email",
            "declares `email`, where `user_id` is meant",
        );
        let unread = "sources:\n  - name: raw\n    schema: raw\n    tables: [{name: u, identifier: users_v1}]\n";
        let unread = [DBT[0], ("models/s.yml", unread)];
        mutated(
            "resolves",
            &unread,
            "models/s.yml",
            "users_v2",
            "users_v3",
            "is `raw.users_v3`, where `raw.users_v2` must be read",
        );
        let test = "models:\n  - name: other\n    columns:\n      - name: uid\n        tests:\n          - relationships:\n              to: source('raw', 'users_v1')\n              field: uid\n";
        let tested = [DBT[0], DBT[1], DBT[2], DBT[3], ("models/tests.yml", test)];
        mutated(
            "resolves",
            &tested,
            "models/tests.yml",
            "field: user_id",
            "field: email",
            "says `field: email`, where `user_id` is meant",
        );
        mutated(
            "resolves",
            &tested,
            "models/tests.yml",
            "field: user_id",
            "field: uid",
            "says `field: uid`, where `user_id` is meant",
        );
    }

    #[test]
    fn what_is_left_to_somebody_may_read_the_old_but_not_both() {
        let held = [("a.sql", "select flag from raw.users_v1 union all select flag from raw.users_v1")];
        check("resolves", &held, &held, "pass: 0 uses of the new datasets, all of whose columns are there");
        let half = [("a.sql", "select flag from raw.users_v1 union all select null as flag from raw.users_v2")];
        check("resolves", &held, &half, "fail: `a.sql` reads both `raw.users_v2` and `users_v1`");
        let wrong = [("a.sql", "select flag from raw.users_v2 union all select flag from raw.users_v2")];
        check(
            "resolves",
            &held,
            &wrong,
            "fail: `a.sql:1:8`: `flag` means nothing: no relation in scope can have it; `a.sql:1:48`: `flag` means nothing: no relation in scope can have it",
        );
    }

    #[test]
    fn what_cannot_be_read_is_not_passed() {
        let open = [("a.sql", "select uid from raw.users_v1; frobnicate ) raw.orders")];
        check("resolves", &open, &after(&open), "unknown: `a.sql:1:42` could not be read");
    }
}
