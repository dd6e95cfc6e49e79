//! What is declared wins, or is refused.

use super::*;

#[test]
fn declared_partition_types_win() {
    let estate = Estate::new();
    estate.text("t/zip=01234/a.csv", "x\n1\n").text("t/zip=99999/a.csv", "x\n2\n");
    insta::assert_snapshot!(estate.show("t", &[("greylag.dev/columns", "zip: string")]), @r#"
    csv Directory files 2 rows Some(2)
    "x" int64
    "zip" string
    by zip
    "#);
    insta::assert_snapshot!(estate.show("t", &[("greylag.dev/columns", "zip: date")]), @"GL0609 the directory `zip=01234` does not fit the type of partition column `zip`");
}

#[test]
fn declared_columns_name_files_without_a_header_and_spare_the_scan() {
    let estate = Estate::new();
    estate.text("t.csv", "007,2024-01-01\n");
    insta::assert_snapshot!(estate.show("t.csv", &[]), @r#"
    csv File files 1 rows Some(1)
    "column1" string
    "column2" date
    "#);
    insta::assert_snapshot!(estate.show("t.csv", &[("greylag.dev/columns", "agent: string, \"since; --\": date")]), @r#"
    csv File files 1 rows None
    "agent" string
    "since; --" date
    "#);
    insta::assert_snapshot!(estate.show("t.csv", &[("greylag.dev/columns", "agent: string")]), @"GL0626 `ROOT/t.csv` has 2 columns and no header; 1 are declared");
}

#[test]
fn contradictions_of_what_is_declared_are_refused() {
    let estate = Estate::new();
    estate.parquet("t.parquet", &[("id", ints(&[1]))]);
    let show = |columns| estate.show("t.parquet", &[("greylag.dev/columns", columns)]);
    insta::assert_snapshot!(show("id: int64"), @r#"
    parquet File files 1 rows Some(1)
    "id" int64 not null
    "#);
    insta::assert_snapshot!(show("id: int32"), @"GL0626 the column `id` of `ROOT/t.parquet` is declared as `int32` and is `int64`");
    insta::assert_snapshot!(show("no: int32"), @"GL0626 the column `no` of `ROOT/t.parquet` is declared as `int32` and is not there");
}
