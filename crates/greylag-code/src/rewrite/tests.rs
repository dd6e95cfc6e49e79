//! Rewriting as text: SQL in, SQL and findings out.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::{Input, wanted};
use greylag_model::consumer::{ColumnChange, Fate, TableChange};
use greylag_model::expr::TypedExpr;
use greylag_model::spec::{Judgement, Outputs, SourcePolicy, StarPolicy};
use greylag_syntax::edit::{Edit, apply};
use greylag_syntax::sql::{Dialect, Schemas, read};
use std::fmt::Write as _;

struct Known;

impl Schemas for Known {
    fn columns(&self, name: &[&str]) -> Option<Vec<String>> {
        let columns: &[&str] = match name.last().copied()? {
            "users_v1" => &["uid", "mail", "age", "flag", "note", "kept"],
            "orders" => &["order_id", "uid", "amount"],
            _ => return None,
        };
        Some(columns.iter().map(|column| (*column).to_owned()).collect())
    }
}

fn column(name: &str, fate: Fate) -> ColumnChange {
    ColumnChange { name: name.to_owned(), fate, judgement: None }
}

/// `raw.users_v1` becomes `raw.users_v2`.
fn change() -> TableChange {
    let judged = Judgement { guide: "https://w.example.com/note".to_owned(), text: "notes are shorter.".to_owned() };
    TableChange {
        dataset: "users_v1".to_owned(),
        old: vec!["raw.users_v1".parse().unwrap()],
        new: "raw.users_v2".parse().unwrap(),
        columns: vec![
            column("uid", Fate::Same("user_id".to_owned())),
            column(
                "mail",
                Fate::Replaced {
                    by: "email".to_owned(),
                    value: column_of("email"),
                    why: "upper case is not kept".to_owned(),
                },
            ),
            column("age", Fate::Computed(cast_of("years"))),
            column("flag", Fate::Lost("nobody fills it".to_owned())),
            ColumnChange { judgement: Some(judged), ..column("note", Fate::Same("note".to_owned())) },
            column("kept", Fate::Same("kept".to_owned())),
        ],
        target: ["user_id", "email", "years", "note", "kept"].map(str::to_owned).to_vec(),
        made: Vec::new(),
        outputs: Outputs::Keep,
        star: StarPolicy::Expand,
        sources: SourcePolicy::Whole,
        undoes: None,
    }
}

fn column_of(name: &str) -> TypedExpr {
    use greylag_model::expr::Node;
    use greylag_model::types::DataType;
    TypedExpr { data_type: DataType::String, nullable: true, node: Node::Column(name.to_owned()) }
}

fn cast_of(column: &str) -> TypedExpr {
    use greylag_model::expr::Node;
    use greylag_model::types::DataType;
    let input = TypedExpr { data_type: DataType::Int64, nullable: true, node: Node::Column(column.to_owned()) };
    let node = Node::Cast { input: Box::new(input), loss: None, safe: false };
    TypedExpr { data_type: DataType::Int32, nullable: true, node }
}

fn rewritten(sql: &str, dialect: Dialect) -> String {
    let changes = [change()];
    let reading = read(sql, dialect, &Known);
    let wanted = wanted(Input { text: sql, dialect, reading: &reading, changes: &changes });
    let edits: Vec<Edit> =
        wanted.demands.iter().map(|demand| Edit { at: demand.at.clone(), by: demand.by.clone() }).collect();
    let edited = apply(sql, &edits).unwrap();
    assert_eq!(apply(&edited.text, &edited.back).unwrap().text, sql, "the way back");
    let mut text = edited.text;
    for finding in &wanted.findings {
        let _ = write!(text, "\n{} `{}`: {}", finding.class.name(), &sql[finding.at.clone()], finding.why);
    }
    text
}

fn check(sql: &str, expected: &str) {
    pretty(sql, expected, Dialect::DuckDb);
}

fn pretty(sql: &str, expected: &str, dialect: Dialect) {
    assert_eq!(rewritten(sql, dialect), expected, "of {sql}");
}

mod columns {
    use super::{Dialect, Edit, Input, Known, apply, check, read, wanted};

    #[test]
    fn an_output_keeps_its_name() {
        check("select uid, kept from raw.users_v1", "select user_id as uid, kept from raw.users_v2");
        check("SELECT u.UID FROM raw.users_v1 u", "SELECT u.user_id AS UID FROM raw.users_v2 u");
        check("select uid as u from raw.users_v1", "select user_id as u from raw.users_v2");
    }

    #[test]
    fn a_use_is_renamed_wherever_it_stands() {
        check(
            "select count(*) from raw.users_v1 where uid > 3 group by uid order by uid",
            "select count(*) from raw.users_v2 where user_id > 3 group by user_id order by user_id",
        );
        check(
            "select sum(amount) over (partition by u.uid) from raw.users_v1 u join orders o on u.uid = o.uid",
            "select sum(amount) over (partition by u.user_id) from raw.users_v2 u join orders o on u.user_id = o.uid",
        );
    }

    #[test]
    fn words_that_only_look_so_stay() {
        check(
            "with uid as (select 1 as uid) select uid.uid, 'uid' as text from uid -- uid of users_v1",
            "with uid as (select 1 as uid) select uid.uid, 'uid' as text from uid -- uid of users_v1",
        );
        check("select uid from orders", "select uid from orders");
        check("select uid.uid from raw.users_v1 as uid", "select uid.user_id as uid from raw.users_v2 as uid");
    }

    #[test]
    fn an_expression_takes_the_columns_place() {
        check(
            "select age, u.age + 1 as next from raw.users_v1 u where u.age > 3",
            "select cast(years as integer) as age, cast(u.years as integer) + 1 as next from raw.users_v2 u where cast(u.years as integer) > 3",
        );
    }

    #[test]
    fn a_value_that_changes_is_shown_but_not_decided_by() {
        check("select mail from raw.users_v1", "select email as mail from raw.users_v2");
        check(
            "select 1 from raw.users_v1 where mail = 'x'",
            "select 1 from raw.users_v2 where mail = 'x'\njudgement `mail`: `email` replaces `mail` with other values: upper case is not kept",
        );
    }

    #[test]
    fn a_judged_column_gets_its_guide_once() {
        let noted = |sql: &str| {
            let changes = [super::change()];
            let reading = read(sql, Dialect::DuckDb, &Known);
            let wanted = wanted(Input { text: sql, dialect: Dialect::DuckDb, reading: &reading, changes: &changes });
            let edits: Vec<Edit> = wanted.notes.into_iter().map(|note| Edit { at: note.at, by: note.by }).collect();
            apply(sql, &edits).unwrap().text
        };
        let once = noted("select note, kept from raw.users_v1");
        let note = "/* judgement: notes are shorter. https://w.example.com/note */";
        assert_eq!(once, format!("select note {note}, kept from raw.users_v1"));
        assert_eq!(noted(&once), once);
    }

    #[test]
    fn what_ends_or_is_judged_is_found() {
        check(
            "select flag from raw.users_v1",
            "select flag from raw.users_v2\njudgement `flag`: `flag` ends: nobody fills it",
        );
        check(
            "select note from raw.users_v1",
            "select note from raw.users_v2\njudgement `note`: notes are shorter. https://w.example.com/note",
        );
    }
}

mod relations {
    use super::{Dialect, check, pretty};

    #[test]
    fn a_name_keeps_its_quotes_and_its_other_parts() {
        check("select 1 from \"raw\".\"users_v1\"", "select 1 from \"raw\".\"users_v2\"");
        check("select 1 from lake.raw.users_v1", "select 1 from lake.raw.users_v2");
        check("select 1 from users_v1", "select 1 from users_v2");
        pretty("select 1 from `raw.users_v1`", "select 1 from `raw.users_v2`", Dialect::BigQuery);
    }

    #[test]
    fn qualifiers_that_repeat_the_name_follow_it() {
        check(
            "select users_v1.uid, raw.users_v1.kept, users_v1.age from raw.users_v1",
            "select users_v2.user_id as uid, raw.users_v2.kept, cast(users_v2.years as integer) as age from raw.users_v2",
        );
    }

    #[test]
    fn writers_go_with_the_names_of_columns() {
        check(
            "insert into raw.users_v1 (uid, kept) select order_id, 1 from orders",
            "insert into raw.users_v2 (user_id, kept) select order_id, 1 from orders",
        );
        check(
            "insert into raw.users_v1 select 1",
            "insert into raw.users_v2 select 1\nagentic `raw.users_v1`: rows are inserted into `users_v1` by position",
        );
        check("update raw.users_v1 set uid = 1 where uid = 2", "update raw.users_v2 set user_id = 1 where user_id = 2");
    }
}

mod stars {
    use super::check;

    #[test]
    fn names_change_where_they_are_read_through_a_star() {
        check(
            "with src as (select * from raw.users_v1), named as (select uid, kept as k from src) select * from named",
            "with src as (select * from raw.users_v2), named as (select user_id as uid, kept as k from src) select * from named",
        );
    }

    #[test]
    fn a_star_that_others_see_has_no_rule_if_a_column_ends() {
        check(
            "select * exclude (mail, flag, note) from raw.users_v1",
            "select user_id as uid, cast(years as integer) as age, kept from raw.users_v2",
        );
        check(
            "select * from raw.users_v1",
            "select * from raw.users_v2\njudgement `*`: a star shows `flag`, which ends: nobody fills it",
        );
    }

    #[test]
    fn a_star_whose_names_nobody_sees_stays() {
        check(
            "select 1 from orders o where exists (select * from raw.users_v1 u where u.uid = o.uid)",
            "select 1 from orders o where exists (select * from raw.users_v2 u where u.user_id = o.uid)",
        );
    }
}

/// Relations that are taken as a whole.
mod wholes {
    use super::{ColumnChange, Dialect, Fate, Input, TableChange, change, column, read, wanted};
    use greylag_model::consumer::Class;
    use greylag_syntax::sql::NoSchemas;

    fn findings(sql: &str, change: TableChange) -> Vec<(Class, String)> {
        let changes = [change];
        let reading = read(sql, Dialect::Snowflake, &NoSchemas);
        let wanted = wanted(Input { text: sql, dialect: Dialect::Snowflake, reading: &reading, changes: &changes });
        wanted.findings.into_iter().map(|finding| (finding.class, finding.why)).collect()
    }

    /// The same columns, one of them under another name.
    fn renaming() -> TableChange {
        let same = |old: &str, new: &str| column(old, Fate::Same(new.to_owned()));
        let columns: Vec<ColumnChange> = [("uid", "user_id"), ("kept", "kept"), ("kind", "kind"), ("amount", "amount")]
            .map(|(old, new)| same(old, new))
            .to_vec();
        TableChange { columns, target: ["user_id", "kept", "kind", "amount"].map(str::to_owned).to_vec(), ..change() }
    }

    #[test]
    fn a_pivot_groups_by_what_it_does_not_name() {
        let pivot = "select uid from raw.users_v1 pivot (max(amount) for kind in ('a')) as p";
        let held = findings(pivot, change());
        assert!(held.iter().any(|(class, why)| *class == Class::Agentic && why.contains("does not name")), "{held:?}");
        assert_eq!(findings(pivot, renaming()), []);
        // Through a star somebody else sees the names.
        let shown = "select * from raw.users_v1 pivot (max(amount) for kind in ('a')) as p";
        assert_eq!(findings(shown, renaming()).len(), 1);
        // What is listed does not hang on other columns.
        let listed = "select * from (select kept, kind from raw.users_v1) pivot (max(kept) for kind in ('a')) as p";
        assert!(findings(listed, change()).iter().all(|(_, why)| !why.contains("does not name")));
    }

    #[test]
    fn a_name_that_becomes_a_value_stays() {
        let unpivot = "select v from (select uid, kept from raw.users_v1) unpivot (v for n in (uid, kept))";
        assert_eq!(findings(unpivot, renaming()), []);
        let unpivot = "select v from raw.users_v1 unpivot (v for n in (uid, kept))";
        let held = findings(unpivot, renaming());
        assert!(held.iter().any(|(_, why)| why.contains("becomes a value")), "{held:?}");
    }

    #[test]
    fn columns_by_their_place_need_the_same_places() {
        let by_place = "select count($2) from raw.users_v1 t";
        assert_eq!(findings(by_place, change()).len(), 1);
        let turned =
            TableChange { target: ["kept", "user_id", "kind", "amount"].map(str::to_owned).to_vec(), ..renaming() };
        assert_eq!(findings(by_place, turned).len(), 1);
    }
}

mod policies {
    use super::{Dialect, Input, Known, change, read, wanted};
    use greylag_model::spec::StarPolicy;

    #[test]
    fn a_star_is_kept_or_held_where_the_migration_says_so() {
        let asked = |star: StarPolicy| {
            let changes = [super::TableChange { star, ..change() }];
            let sql = "select * from raw.users_v1";
            let reading = read(sql, Dialect::DuckDb, &Known);
            wanted(Input { text: sql, dialect: Dialect::DuckDb, reading: &reading, changes: &changes })
        };
        let kept = asked(StarPolicy::Keep);
        assert_eq!((kept.demands.len(), kept.findings.len(), kept.shows_new), (1, 0, true));
        let held = asked(StarPolicy::Hold);
        assert!(held.findings.iter().any(|finding| finding.why.contains("leaves stars to people")));
    }
}

/// Forward and back again.
mod back {
    use super::{Dialect, Edit, Input, Known, TableChange, apply, change, read, wanted};
    use greylag_model::consumer::MadeColumn;
    use greylag_model::expr::{Node, TypedExpr};
    use greylag_model::types::DataType;
    use greylag_syntax::sql::Schemas;

    struct New;

    impl Schemas for New {
        fn columns(&self, name: &[&str]) -> Option<Vec<String>> {
            match name.last().copied()? {
                "users_v2" => Some(["user_id", "email", "years", "note", "kept"].map(str::to_owned).to_vec()),
                _ => Known.columns(name),
            }
        }
    }

    struct Short;
    impl Schemas for Short {
        fn columns(&self, name: &[&str]) -> Option<Vec<String>> {
            match name.last().copied()? {
                "users_v1" => Some(["uid", "mail", "age", "kept"].map(str::to_owned).to_vec()),
                _ => New.columns(name),
            }
        }
    }

    fn forward() -> TableChange {
        let column = |name: &str, data_type: DataType| TypedExpr {
            data_type,
            nullable: true,
            node: Node::Column(name.to_owned()),
        };
        let made = |name: &str, value: TypedExpr| MadeColumn {
            name: name.to_owned(),
            data_type: value.data_type.clone(),
            value,
            why: None,
        };
        let years = TypedExpr {
            data_type: DataType::Int64,
            nullable: true,
            node: Node::Cast { input: Box::new(column("age", DataType::Int32)), loss: None, safe: false },
        };
        TableChange {
            made: vec![
                made("user_id", column("uid", DataType::String)),
                made("email", column("mail", DataType::String)),
                made("years", years),
                made("note", column("note", DataType::String)),
                made("kept", column("kept", DataType::String)),
            ],
            ..change()
        }
    }

    fn rewritten(sql: &str, change: TableChange, schemas: &dyn Schemas) -> String {
        let changes = [change];
        let reading = read(sql, Dialect::DuckDb, schemas);
        let wanted = wanted(Input { text: sql, dialect: Dialect::DuckDb, reading: &reading, changes: &changes });
        let edits: Vec<Edit> = wanted.demands.into_iter().map(|demand| Edit { at: demand.at, by: demand.by }).collect();
        apply(sql, &edits).unwrap().text
    }

    #[test]
    fn what_was_written_is_taken_back_to_the_byte() {
        for sql in [
            "select uid, kept from raw.users_v1",
            "SELECT u.UID, u.Age FROM raw.users_v1 u WHERE u.age > 3",
            "select uid as u, age + 1 as next, max(age) from raw.users_v1 where uid > 3 group by uid, age",
            "select users_v1.uid, users_v1.age as years_old from raw.users_v1 order by users_v1.uid",
            "select mail from raw.users_v1",
            "with a as (select uid, age from raw.users_v1) select uid, age from a",
            "insert into raw.users_v1 (uid, kept) select order_id, 1 from orders",
            "update raw.users_v1 set uid = 1 where uid = 2",
            "select \"uid\" from \"raw\".\"users_v1\"",
            "select user_id from orders",
            "select kept as kept, uid as uid, age as age from raw.users_v1",
        ] {
            let moved = rewritten(sql, forward(), &Known);
            assert_eq!(rewritten(&moved, forward().reversed("users_v2"), &New), sql, "by way of {moved}");
        }
    }

    #[test]
    fn a_list_that_was_a_star_is_one_again() {
        let flagless = || {
            let mut change = forward();
            change.columns.retain(|column| !matches!(column.name.as_str(), "flag" | "note"));
            change
        };
        for sql in ["select * from raw.users_v1", "select\n    u.*,\n    1 as one\nfrom raw.users_v1 u"] {
            let moved = rewritten(sql, flagless(), &Short);
            assert!(moved.contains("user_id"), "{moved}");
            assert_eq!(rewritten(&moved, flagless().reversed("users_v2"), &Short), sql, "by way of {moved}");
        }
    }

    #[test]
    fn what_somebody_has_written_since_is_rewritten_as_any_other() {
        assert_eq!(
            rewritten("select user_id as who, years from raw.users_v2", forward().reversed("users_v2"), &New),
            "select uid as who, cast(age as bigint) as years from raw.users_v1"
        );
    }
}

mod joins {
    use super::check;

    #[test]
    fn using_becomes_on() {
        check(
            "select uid, amount from raw.users_v1 u join orders o using (uid)",
            "select u.user_id as uid, amount from raw.users_v2 u join orders o on u.user_id = o.uid",
        );
        check(
            "select uid from orders o left join raw.users_v1 u using (uid) where uid > 1",
            "select o.uid from orders o left join raw.users_v2 u on o.uid = u.user_id where o.uid > 1",
        );
        check(
            "select 1 from orders o full join raw.users_v1 u using (uid)",
            "select 1 from orders o full join raw.users_v2 u using (uid)\nagentic `(uid)`: `uid` is joined by `using` in a full join",
        );
    }
}

mod taken {
    use super::{Dialect, check, pretty};

    #[test]
    fn an_alias_that_sorting_would_take_is_found() {
        check(
            "select kept as user_id from raw.users_v1 order by uid",
            "select kept as user_id from raw.users_v2 order by user_id\nagentic `uid`: `uid` becomes `user_id`, which is the name of something else there",
        );
        check(
            "select uid as user_id from raw.users_v1 order by uid, user_id",
            "select user_id as user_id from raw.users_v2 order by user_id, user_id",
        );
        check(
            "select u.kept as user_id from raw.users_v1 u order by u.uid",
            "select u.kept as user_id from raw.users_v2 u order by u.user_id",
        );
    }

    #[test]
    fn an_alias_counts_where_the_dialect_looks_at_it() {
        let sql = "select kept as user_id from raw.users_v1 where uid > 1";
        let moved = "select kept as user_id from raw.users_v2 where user_id > 1";
        check(sql, moved);
        let found = "\nagentic `uid`: `uid` becomes `user_id`, which is the name of something else there";
        pretty(sql, &format!("{moved}{found}"), Dialect::ClickHouse);
    }

    #[test]
    fn a_column_of_another_relation_is_found_where_nothing_tells_them_apart() {
        let found = "\nagentic `uid`: `uid` becomes `user_id`, which is the name of something else there";
        check(
            "with o as (select 1 as user_id) select kept from raw.users_v1 join o on o.user_id = uid",
            &format!(
                "with o as (select 1 as user_id) select kept from raw.users_v2 join o on o.user_id = user_id{found}"
            ),
        );
        check(
            "with o as (select 1 as user_id, 2 as n) select kept from raw.users_v1 join o on o.n = uid",
            &format!(
                "with o as (select 1 as user_id, 2 as n) select kept from raw.users_v2 join o on o.n = user_id{found}"
            ),
        );
        check(
            "with o as (select 1 as user_id) select kept from raw.users_v1 u join o on o.user_id = u.uid",
            "with o as (select 1 as user_id) select kept from raw.users_v2 u join o on o.user_id = u.user_id",
        );
    }

    #[test]
    fn a_name_that_the_new_column_would_cover_is_found() {
        let covered = "\nagentic `user_id`: `user_id` is something else there, and would be what `uid` becomes";
        check(
            "with o as (select 1 as user_id) select 1 from o where exists (select 1 from raw.users_v1 u where user_id = u.uid)",
            &format!(
                "with o as (select 1 as user_id) select 1 from o where exists (select 1 from raw.users_v2 u where user_id = u.user_id){covered}"
            ),
        );
        check(
            "select kept as user_id, user_id || 'x' as named from raw.users_v1 u",
            &format!("select kept as user_id, user_id || 'x' as named from raw.users_v2 u{covered}"),
        );
        check(
            "select uid as user_id, user_id + 1 as next from raw.users_v1 group by user_id",
            "select user_id as user_id, user_id + 1 as next from raw.users_v2 group by user_id",
        );
    }

    #[test]
    fn a_natural_join_is_left() {
        let found = "agentic `raw.users_v1`: a natural join takes columns by their names, and these change";
        check(
            "select kept from raw.users_v1 natural left join orders",
            &format!("select kept from raw.users_v2 natural left join orders\n{found}"),
        );
        check("select kept from raw.users_v1 -- natural", "select kept from raw.users_v2 -- natural");
    }

    #[test]
    fn a_whole_row_is_left() {
        let found = "agentic `u`: it takes a whole row of `users_v1`, whose columns change";
        check("select to_json(u) from raw.users_v1 u", &format!("select to_json(u) from raw.users_v2 u\n{found}"));
    }
}
