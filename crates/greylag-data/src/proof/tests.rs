use super::answer;
use greylag_driver::error::DriverError;
use greylag_driver::proof::{Prover, conformance};
use greylag_model::dataset::{Compression, Format, Layout, Shape};
use greylag_model::proof::{Content, Outcome, ProofRequest, ProofVerdict, Reason, Sample, Unprovable};
use greylag_model::schema::{Column, Schema};
use greylag_model::types::DataType;

/// In this process: readers are tried by the binary's tests.
struct Here;

impl Prover for Here {
    fn width(&self) -> usize {
        1
    }

    fn prove(&self, request: &ProofRequest, _: &dyn Fn() -> bool) -> Result<ProofVerdict, DriverError> {
        answer(request)
    }
}

#[test]
fn it_does_what_every_prover_must() {
    conformance::conformance(&Here);
}

/// The verdict about a text of a dialect over `raw.users_v1` and what it became.
fn check(dialect: &str, old: &str, new: &str) -> ProofVerdict {
    let request = ProofRequest { dialect: dialect.to_owned(), ..conformance::request(old, new) };
    let Ok(verdict) = answer(&request) else { panic!("{old}") };
    verdict
}

#[test]
fn updates_and_merges_are_run_where_strings_stand_between_double_quotes() {
    let update = [
        "update raw.users_v1 set age = null where age = 0 and name <> \"it's\"",
        "update raw.users_v2 set age = null where age = 0 and full_name <> \"it's\"",
        "update raw.users_v2 set age = null where user_id = 0 and full_name <> \"it's\"",
    ];
    let merge = [
        "merge into raw.users_v1 as t using ref.places as s on `t`.id = s.id when matched then update set name = s.place \
         when not matched then insert (id, name) values (s.id, s.place)",
        "merge into raw.users_v2 as t using ref.places as s on `t`.user_id = s.id when matched then update set \
         full_name = s.place when not matched then insert (user_id, full_name) values (s.id, s.place)",
        "merge into raw.users_v2 as t using ref.places as s on t.age = s.id when matched then update set \
         full_name = s.place when not matched then insert (user_id, full_name) values (s.id, s.place)",
    ];
    for dialect in ["bigquery", "spark"] {
        for [old, right, wrong] in [update, merge] {
            let (right, wrong) = (check(dialect, old, right), check(dialect, old, wrong));
            assert_eq!((right.name(), wrong.name()), ("equal", "different"), "{dialect}: {old}: {right:?}");
        }
    }
}

#[test]
fn where_whole_numbers_of_eight_bits_are_no_type_they_have_sixteen() {
    let verdict = |dialect: &str, old: &str, new: &str| {
        let mut request = ProofRequest { dialect: dialect.to_owned(), ..conformance::request(old, new) };
        let column = Column { name: "k".to_owned(), data_type: DataType::Int8, nullable: true };
        request.relations[1].content = Content::Same { schema: Schema { columns: vec![column] }, guessed: false };
        let Ok(verdict) = answer(&request) else { panic!("{old}") };
        verdict.name()
    };
    let text = |value: &str| format!("select {value} as q from ref.places");
    let to = |dialect: &str, value: &str| verdict(dialect, &text("k"), &text(value));
    let found = [
        to("postgres", "cast(k as smallint)"),
        to("postgres", "cast(k as bigint)"),
        to("duckdb", "cast(k as smallint)"),
    ];
    assert_eq!(found, ["equal", "different", "different"]);
    assert_eq!(verdict("postgres", &text("k / 4.0"), &text("cast(k as smallint) / 4.0")), "equal");
}

#[test]
fn a_new_text_with_a_cast_that_no_engine_has_is_another() {
    let cast = |column: &str| format!("select cast([{column}] as integer) as id from raw.users_v");
    let verdict = check("duckdb", "select id from raw.users_v1", &format!("{}2", cast("user_id")));
    assert_eq!(verdict.name(), "different", "{verdict:?}");
    // If it was there before, there is nothing to compare with.
    let verdict = check("duckdb", &format!("{}1", cast("id")), "select user_id as id from raw.users_v2");
    assert_eq!(verdict.name(), "unprovable", "{verdict:?}");
}

#[test]
fn a_subquery_that_is_not_run_is_told_in_words() {
    let old = "select u.name, (select count(*) from ref.places p where p.id < u.id) as n from raw.users_v1 u";
    let new = "select u.full_name as name, (select count(*) from ref.places p where p.id < u.user_id) as n \
               from raw.users_v2 u";
    let verdict = check("duckdb", old, new);
    let Outcome::Unprovable(Unprovable { reason: Reason::Unsupported, why }) = &verdict.outcome else {
        panic!("{verdict:?}");
    };
    let expected = "a subquery that gives one value hangs on rows outside of it by more than equal columns, which the \
                    engine does not run";
    assert_eq!(why, expected);
}

#[test]
fn what_cannot_be_read_is_told_and_made_rows_stand_for_it() {
    let mut request = conformance::request("select id from raw.users_v1", "select user_id as id from raw.users_v2");
    let layout = Layout {
        format: Format::Parquet { compression: Compression::default() },
        shape: Shape::Directory,
        partition_by: Vec::new(),
    };
    let root = Some("/nowhere/at/all".to_owned());
    request.relations[0].sample = Some(Sample { root, path: "users".to_owned(), layout, rows: 9 });
    let Ok(verdict) = answer(&request) else { panic!("{request:?}") };
    let reach = &verdict.reach;
    assert_eq!((verdict.name(), reach.sampled, reach.unread.join(" ")), ("equal", 0, "raw.users_v1".to_owned()));
}
