//! What every prover must do: tell right edits from wrong ones, and say so where it cannot.
#![expect(clippy::unwrap_used, reason = "a conformance suite is test code")]

use super::Prover;
use greylag_model::expr::TypedExpr;
use greylag_model::mapping::{ColumnMapping, Mapping, OperationKind, Reverse, ReverseWay};
use greylag_model::proof::{Content, Effort, ProofRequest, ProofVerdict, Relation};
use greylag_model::schema::{Column, Schema};
use greylag_model::spec::Misfit;
use greylag_model::table::TableName;
use greylag_model::types::DataType;

/// A request about `raw.users_v1 (id, name, age)`, which becomes `raw.users_v2 (user_id, full_name, age)`, and `ref.places (id,
/// place)`, which stays.
pub fn request(old: &str, new: &str) -> ProofRequest {
    let table = |name: &str| vec![name.parse::<TableName>().unwrap_or_default()];
    let places = schema(&[("id", DataType::Int64), ("place", DataType::String)]);
    ProofRequest {
        subject: "users.sql".to_owned(),
        dialect: "duckdb".to_owned(),
        old: old.to_owned(),
        new: new.to_owned(),
        relations: vec![
            Relation {
                old: table("raw.users_v1"),
                new: table("raw.users_v2"),
                content: Content::Changed(Box::new(users())),
                sample: None,
            },
            Relation {
                old: table("ref.places"),
                new: table("ref.places"),
                content: Content::Same { schema: places, guessed: false },
                sample: None,
            },
        ],
        makes: None,
        effort: Effort::default(),
    }
}

fn schema(columns: &[(&str, DataType)]) -> Schema {
    let column = |(name, data_type): &(&str, DataType)| Column {
        name: (*name).to_owned(),
        data_type: data_type.clone(),
        nullable: true,
    };
    Schema { columns: columns.iter().map(column).collect() }
}

/// Two columns get other names, one stays.
fn users() -> Mapping {
    let types = [DataType::Int64, DataType::String, DataType::Int64];
    let of = |names: [&'static str; 3]| {
        let columns: Vec<(&str, DataType)> = names.into_iter().zip(types.clone()).collect();
        schema(&columns)
    };
    let (source, target) = (of(["id", "name", "age"]), of(["user_id", "full_name", "age"]));
    let columns = source.columns.iter().zip(&target.columns).map(|(old, new)| ColumnMapping {
        target: new.name.clone(),
        operation: if old.name == new.name { OperationKind::Keep } else { OperationKind::Rename },
        expr: TypedExpr::column(old),
        cast: None,
        misfit: Misfit::Fail,
        default: None,
        tolerance: None,
        judgement: None,
    });
    let reverse = source
        .columns
        .iter()
        .zip(&target.columns)
        .map(|(old, new)| Reverse { source: old.name.clone(), way: ReverseWay::Same(new.name.clone()) });
    let (columns, reverse) = (columns.collect(), reverse.collect());
    Mapping { columns, reverse, source, target, dropped: Vec::new() }
}

/// Runs the whole suite; panics where the prover errs.
pub fn conformance(prover: &dyn Prover) {
    assert!(prover.width() > 0);
    for (old, new) in EQUAL {
        let verdict = proven(prover, old, new);
        assert_eq!(verdict.name(), "equal", "{old}\n{new}\n{verdict:?}");
        assert!(verdict.reach.rows_in > 0 && verdict.reach.rows_out > 0 && !verdict.reach.engine.is_empty());
    }
    for (old, new) in DIFFERENT {
        let verdict = proven(prover, old, new);
        assert_eq!(verdict.name(), "different", "{old}\n{new}\n{verdict:?}");
    }
    for (old, new) in UNPROVABLE {
        let verdict = proven(prover, old, new);
        assert_eq!(verdict.name(), "unprovable", "{old}\n{new}\n{verdict:?}");
    }
    let (old, new) = EQUAL[0];
    assert_eq!(proven(prover, old, new), proven(prover, old, new), "the same request has the same verdict");
}

fn proven(prover: &dyn Prover, old: &str, new: &str) -> ProofVerdict {
    prover.prove(&request(old, new), &|| false).unwrap()
}

/// Right edits.
const EQUAL: &[(&str, &str)] = &[
    ("select id, name from raw.users_v1", "select user_id as id, full_name as name from raw.users_v2"),
    (
        "select p.place, count(u.id) as n from ref.places as p left join raw.users_v1 as u on u.id = p.id group by p.place",
        "select p.place, count(u.user_id) as n from ref.places as p left join raw.users_v2 as u on u.user_id = p.id group by p.place",
    ),
    (
        "select * from raw.users_v1 where age > 17",
        "select user_id as id, full_name as name, age from raw.users_v2 where age > 17",
    ),
    (
        "with users_v1 as (select id from raw.users_v1) select users_v1.id from users_v1 order by 1 desc",
        "with users_v1 as (select user_id as id from raw.users_v2) select users_v1.id from users_v1 order by 1 desc",
    ),
    (
        "create table work.a as select name as n from raw.users_v1; select count(*) as c from work.a where n is null",
        "create table work.a as select full_name as n from raw.users_v2; select count(*) as c from work.a where n is null",
    ),
    (
        "delete from raw.users_v1 where id = 3 or name is null",
        "delete from raw.users_v2 where user_id = 3 or full_name is null",
    ),
    ("update raw.users_v1 set name = 'x' where age > 3", "update raw.users_v2 set full_name = 'x' where age > 3"),
    (
        "insert into raw.users_v1 (id, age) select id, 1 from ref.places",
        "insert into raw.users_v2 (user_id, age) select id, 1 from ref.places",
    ),
];

/// Wrong ones: another column, a table that is gone, a side of a join, a filter, a name, an order.
const DIFFERENT: &[(&str, &str)] = &[
    ("select id, age from raw.users_v1", "select age as id, age from raw.users_v2"),
    ("select id from raw.users_v1", "select user_id as id from raw.users_v1"),
    ("select id from raw.users_v1", "select user_id from raw.users_v2"),
    ("select name from raw.users_v1", "select name from raw.users_v2"),
    (
        "select p.place, u.age from ref.places as p left join raw.users_v1 as u on u.id = p.id",
        "select p.place, u.age from ref.places as p right join raw.users_v2 as u on u.user_id = p.id",
    ),
    (
        "select p.place, u.age from ref.places as p join raw.users_v1 as u on u.id = p.id",
        "select p.place, u.age from ref.places as p join raw.users_v2 as u on u.age = p.id",
    ),
    ("select age from raw.users_v1 where id > 3", "select age from raw.users_v2 where age > 3"),
    ("select id from raw.users_v1 order by id", "select user_id as id from raw.users_v2 order by age"),
    ("select id from raw.users_v1", "select id from ref.places"),
    ("delete from raw.users_v1 where id = 3", "delete from raw.users_v2 where age = 3"),
];

/// What nobody can tell.
const UNPROVABLE: &[(&str, &str)] = &[
    ("select id, random() as r from raw.users_v1", "select user_id as id, random() as r from raw.users_v2"),
    ("select id from raw.users_v1 where 1 = 0", "select user_id as id from raw.users_v2 where 1 = 0"),
    ("select id from raw.elsewhere", "select id from raw.elsewhere"),
    ("select from where", "select from where"),
    ("select no_such_function(id) as a from raw.users_v1", "select no_such_function(user_id) as a from raw.users_v2"),
    ("copy raw.users_v1 to '/tmp/x.csv'", "copy raw.users_v2 to '/tmp/x.csv'"),
];
