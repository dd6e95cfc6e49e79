//! What a scan finds.

use super::*;

fn scan(estate: &Estate, path: &str) -> String {
    let root = Location { connection: Some("lake".to_owned()), path: path.to_owned() };
    let mut out = String::new();
    for found in estate.files.scan(&root).unwrap() {
        let schema = match &found.schema {
            Ok(schema) => schema.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>().join(","),
            Err(error) => error.code.to_string(),
        };
        let _ = writeln!(out, "{} {} [{schema}] by {:?}", found.location.path, found.format, found.partition_by);
    }
    out
}

#[test]
fn files_and_directories_become_datasets() {
    let estate = Estate::new();
    estate
        .text("a.csv", "x\n1\n")
        .parquet("b.parquet", &[("y", ints(&[1]))])
        .text("README.md", "# no data")
        .text(".hidden/c.csv", "x\n1\n")
        .text("flat/1.csv", "x\n1\n")
        .text("flat/2.csv", "x\n2\n")
        .text("flat/_SUCCESS", "")
        .text("hive/k=1/1.csv", "x\n1\n")
        .text("hive/k=2/1.csv", "x\n1\n")
        .text("odd/1.csv", "x\n1\n")
        .text("odd/2.csv", "z\n1\n")
        .text("both/1.csv", "x\n1\n")
        .parquet("both/2.parquet", &[("y", ints(&[1]))])
        .text("deep/er/1.csv", "x\n1\n")
        .text("deep/2.csv", "x\n1\n")
        .text("table/_delta_log/0.json", "{}")
        .text("bad/1.parquet", "PAR1 but not really");
    insta::assert_snapshot!(scan(&estate, ""), @r#"
    a.csv csv [x] by []
    b.parquet parquet [y] by []
    bad parquet [GL0616] by []
    both/1.csv csv [x] by []
    both/2.parquet parquet [y] by []
    deep/2.csv csv [x] by []
    deep/er csv [x] by []
    flat csv [x] by []
    hive csv [x,k] by ["k"]
    odd/1.csv csv [x] by []
    odd/2.csv csv [z] by []
    table parquet [GL0611] by []
    "#);
    insta::assert_snapshot!(scan(&estate, "hive"), @r#"hive csv [x,k] by ["k"]"#);
    insta::assert_snapshot!(scan(&estate, "deep/er"), @r"deep/er/1.csv csv [x] by []");
}

#[test]
fn names_that_are_no_text_are_told_of() {
    use std::os::unix::ffi::OsStrExt;
    let estate = Estate::new();
    estate.text("a.csv", "x\n1\n").text("sub/b.csv", "x\n1\n");
    for name in [&b"odd\xff.csv"[..], b"odd\xff.txt", b".odd\xff.csv", b"sub/odd\xff.csv"] {
        std::fs::write(estate.root.path().join(std::ffi::OsStr::from_bytes(name)), "x\n1\n").unwrap();
    }
    insta::assert_snapshot!(scan(&estate, ""), @"
    a.csv csv [x] by []
    odd�.csv csv [GL0610] by []
    sub parquet [GL0610] by []
    sub/odd�.csv csv [GL0610] by []
    ");
}
