//! One dataset at a time.

use super::*;

#[test]
fn a_partitioned_dataset_is_described_and_read() {
    let estate = Estate::new();
    estate
        .parquet("t/day=2024-01-02/n=2/b.parquet", &[("id", ints(&[3, 4])), ("name", texts(&["c", "d"]))])
        .parquet(
            "t/day=2024-01-01/n=__HIVE_DEFAULT_PARTITION__/a.parquet",
            &[("name", texts(&["a"])), ("id", ints(&[1]))],
        )
        .parquet("t/day=2024-01-02/n=2/c.parquet", &[("id", ints(&[5])), ("name", texts(&["e"]))]);
    insta::assert_snapshot!(estate.show("t", &[]), @r#"
    parquet Directory files 3 rows Some(4)
    "name" string not null
    "id" int64 not null
    "day" date
    "n" int64
    by day, n
    "#);
    insta::assert_snapshot!(estate.rows("t", 1 << 20), @r"
    chunk-00000
    +------+----+------------+---+
    | name | id | day        | n |
    +------+----+------------+---+
    | a    | 1  | 2024-01-01 |   |
    +------+----+------------+---+
    chunk-00001
    +------+----+------------+---+
    | name | id | day        | n |
    +------+----+------------+---+
    | c    | 3  | 2024-01-02 | 2 |
    | d    | 4  | 2024-01-02 | 2 |
    | e    | 5  | 2024-01-02 | 2 |
    +------+----+------------+---+
    ");
}

#[test]
fn csv_types_come_from_all_files() {
    let estate = Estate::new();
    estate
        .text("t/1.csv", "id,when,note\n1,2024-01-01,\n")
        .text("t/2.csv", "note,id,when\nx,2.5,2024-01-01T10:00:00\n");
    insta::assert_snapshot!(estate.show("t", &[]), @r#"
    csv Directory files 2 rows Some(2)
    "id" float64
    "when" timestamp(us)
    "note" string
    "#);
    insta::assert_snapshot!(estate.rows("t", 1 << 20), @r"
    chunk-00000
    +-----+---------------------+------+
    | id  | when                | note |
    +-----+---------------------+------+
    | 1.0 | 2024-01-01T00:00:00 |      |
    | 2.5 | 2024-01-01T10:00:00 | x    |
    +-----+---------------------+------+
    ");
}

#[test]
fn files_of_one_dataset_have_the_same_columns() {
    let estate = Estate::new();
    estate.parquet("t/a.parquet", &[("id", ints(&[1]))]).parquet("t/b.parquet", &[("id", texts(&["1"]))]);
    insta::assert_snapshot!(estate.show("t", &[]), @"GL0614 column `id` is `string` in `ROOT/t/b.parquet`, other than in `ROOT/t/a.parquet`");
    estate.parquet("u/a.parquet", &[("id", ints(&[1]))]).parquet("u/b.parquet", &[("x", ints(&[1]))]);
    insta::assert_snapshot!(estate.show("u", &[]), @"GL0614 the column `x` is there in `ROOT/u/b.parquet`, other than in `ROOT/u/a.parquet`");
    estate.text("v/a.csv", "a,b\n1,2\n").text("v/b.csv", "a,c\n1,2\n");
    insta::assert_snapshot!(estate.show("v", &[]), @"GL0614 `ROOT/v/b.csv`: other files have no column `c`");
}

#[test]
fn a_column_of_nulls_without_a_type_takes_the_type_it_has_elsewhere() {
    let estate = Estate::new();
    let nulls = || Arc::new(NullArray::new(1)) as ArrayRef;
    // As pandas writes a column of which all values are None; written here by hand, since no type of ours is this.
    let file = |path: &str, array: ArrayRef| {
        let nullable = true;
        let field = Field::new("id", array.data_type().clone(), nullable);
        let batch = RecordBatch::try_new(Arc::new(ArrowSchema::new(vec![field])), vec![array]).unwrap();
        let out = fs::File::create(estate.path(path)).unwrap();
        let mut writer = ::parquet::arrow::ArrowWriter::try_new(out, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    };
    file("t/a.parquet", nulls());
    file("t/b.parquet", ints(&[7]));
    file("t/c.parquet", nulls());
    insta::assert_snapshot!(estate.show("t", &[]), @r#"
    parquet Directory files 3 rows Some(3)
    "id" int64
    "#);
    insta::assert_snapshot!(estate.rows("t", 1 << 20), @r"
    chunk-00000
    +----+
    | id |
    +----+
    |    |
    | 7  |
    |    |
    +----+
    ");
    assert_eq!(nulls().data_type(), &ArrowType::Null);
}

#[test]
fn a_column_in_files_and_directories_is_refused() {
    let estate = Estate::new();
    estate.text("t/a=1/x.csv", "a\n1\n");
    insta::assert_snapshot!(estate.show("t", &[]), @"GL0615 column `a` of `ROOT/t` is in the files and in the directory names");
}

#[test]
fn nothing_to_describe() {
    let estate = Estate::new();
    estate.text("empty.csv", "").text("empty.parquet", "").text("cut.parquet", "PAR1....PAR1");
    insta::assert_snapshot!(estate.show("empty.csv", &[]), @"GL0613 `ROOT/empty.csv` is empty");
    insta::assert_snapshot!(estate.show("empty.parquet", &[]), @"GL0616 `ROOT/empty.parquet` is corrupt: 0 bytes are too few for a Parquet file");
    insta::assert_snapshot!(estate.show("cut.parquet", &[]), @"GL0616 `ROOT/cut.parquet` is corrupt: its footer of 774778414 bytes is longer than the file");
    insta::assert_snapshot!(estate.show("gone", &[]), @"GL0601 cannot open `ROOT/gone`: no such file or directory");
    estate.parquet("none.parquet", &[("a", ints(&[]))]);
    insta::assert_snapshot!(estate.show("none.parquet", &[]), @r#"
    parquet File files 1 rows Some(0)
    "a" int64 not null
    "#);
}

#[test]
fn one_bad_dataset_fails_alone_and_order_is_kept() {
    let estate = Estate::new();
    estate.text("a.csv", "x\n1\n").text("bad.csv", "x\n\0\n").text("c.csv", "y\n1\n");
    let elsewhere = Dataset {
        location: Location { connection: Some("pond".to_owned()), path: "x".to_owned() },
        ..estate.dataset("a.csv", &[])
    };
    let datasets =
        [estate.dataset("a.csv", &[]), elsewhere, estate.dataset("bad.csv", &[]), estate.dataset("c.csv", &[])];
    let found = estate.files.describe(&datasets);
    let show = |found: &Result<Observed, DriverError>| match found {
        Ok(observed) => observed.schema.columns[0].name.clone(),
        Err(error) => error.code.to_string(),
    };
    assert_eq!(found.iter().map(show).collect::<Vec<_>>(), ["x", "GL0627", "GL0620", "y"]);
}

#[test]
fn a_reader_that_cannot_answer_a_batch_is_asked_one_by_one() {
    let root = tempfile::tempdir().unwrap();
    for name in ["a.csv", "killer.csv", "z.csv"] {
        fs::write(root.path().join(name), "x\n1\n").unwrap();
    }
    let pool = ReaderPool::in_process(|request: FileRequest| {
        let FileRequest::Describe(questions) = &request else { unreachable!() };
        assert!(!questions.iter().any(|question| question.anchor.path.contains("killer")), "killed");
        answer(&request)
    });
    let files = LocalFiles::new(Arc::new(pool), [("lake".to_owned(), root.path().to_owned())].into());
    let dataset = |path: &str| Dataset {
        entity: EntityRef::new("resource", "default", path),
        location: Location { connection: Some("lake".to_owned()), path: path.to_owned() },
        declared: BTreeMap::new(),
    };
    let found = files.describe(&["a.csv", "killer.csv", "z.csv"].map(dataset));
    assert!(found[0].is_ok() && found[2].is_ok());
    let error = found[1].as_ref().unwrap_err();
    assert_eq!(error.code, code::READER_PANIC);
    assert!(error.message.contains("killer.csv"), "{error}");
}

#[test]
fn fingerprints_cover_identity_and_schema_and_not_content() {
    let estate = Estate::new();
    estate.text("a.csv", "x\n1\n").text("b.csv", "x\n1\n");
    let print = |path: &str| estate.observe(path, &[]).unwrap().fingerprint;
    let first = print("a.csv");
    assert_eq!(first.len(), 32);
    assert_ne!(first, print("b.csv"));
    estate.text("a.csv", "x\n1\n2\n\n3\n");
    assert_eq!(first, print("a.csv"));
    estate.text("a.csv", "x\n1.5\n");
    assert_ne!(first, print("a.csv"));
}

#[test]
fn facts_tell_where_files_can_be_cut() {
    let estate = Estate::new();
    estate.text("big.csv", &format!("x,y\n{}", "1,2\n".repeat(1 << 16)));
    let dataset = estate.dataset("big.csv", &[]);
    let observed = estate.observe("big.csv", &[]).unwrap();
    let facts = estate.files.facts(&dataset, &observed.layout, 64 << 10).unwrap();
    let Pieces::Records(cuts) = &facts[0].pieces else { panic!("not records") };
    assert!((3..=4).contains(&cuts.len()), "{cuts:?}");
    assert_eq!(plan_chunks(&facts, 128 << 10).len(), 2);
}

#[test]
fn places_tell_of_space_even_where_nothing_is_yet() {
    let estate = Estate::new();
    estate.text("a.csv", "x");
    let location = |path: &str| Location { connection: Some("lake".to_owned()), path: path.to_owned() };
    let places = estate.files.places(&[location("a.csv"), location("not/yet/there"), location("../out")]);
    let (there, yet) = (places[0].as_ref().unwrap(), places[1].as_ref().unwrap());
    assert!(there.exists && !yet.exists);
    assert!(yet.free_bytes > 0 && there.device == yet.device);
    assert_eq!(places[2].as_ref().unwrap_err().code, code::OUTSIDE_ROOT);
}
