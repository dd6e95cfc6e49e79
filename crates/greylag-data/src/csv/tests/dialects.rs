//! Dialects are found, and impossible ones refused.

use super::*;

fn found(text: &[u8], name: &str) -> String {
    let dialect = detect(text, true, name, &Declared::default()).unwrap();
    let escape = dialect.escape.map_or(String::new(), |escape| format!(" escape {escape:?}"));
    let header = if dialect.header { "header" } else { "no header" };
    let mark = if dialect.byte_order_mark { " with mark" } else { "" };
    let CsvDialect { delimiter, quote, encoding, line_ending, .. } = dialect;
    format!("{delimiter:?} quote {quote:?}{escape} {header} {encoding}{mark} {line_ending:?}")
}

#[test]
fn delimiters() {
    assert_eq!(found(b"a,b\n1,2\n", "t.csv"), r#"',' quote '"' header utf-8 Lf"#);
    assert_eq!(found(b"a;b\r\n1,5;2\r\n", "t.csv"), r#"';' quote '"' header utf-8 Crlf"#);
    assert_eq!(found(b"a\tb\n1,1\t2,2\n", "t.csv"), r#"'\t' quote '"' header utf-8 Lf"#);
    assert_eq!(found(b"a,b\tc,d\n1,2\t3,4\n", "t.tsv"), r#"',' quote '"' header utf-8 Lf"#);
    assert_eq!(found(b"a,b\tc\n1,2\t3\n", "t.tsv"), r#"'\t' quote '"' header utf-8 Lf"#);
    assert_eq!(found(b"a|\"b,c\"\nx|\"y,z\"\n", "t.csv"), r#"'|' quote '"' header utf-8 Lf"#);
    // One column of free text: any delimiter that does not occur.
    assert_eq!(found(b"name\nSmith, John\n", "t.csv"), r#"';' quote '"' header utf-8 Lf"#);
    // Ragged: the delimiter that cuts the header is kept, so that the error names the line.
    assert_eq!(found(b"a,b,c\n1,2,3\n1,2\n", "t.csv"), r#"',' quote '"' header utf-8 Lf"#);
    assert_eq!(found(b"", "t.csv"), r#"',' quote '"' header utf-8 Lf"#);
}

#[test]
fn quotes_and_escapes() {
    assert_eq!(found(b"a,b\n'x,y',2\n", "t.csv"), r"',' quote '\'' header utf-8 Lf");
    assert_eq!(found(b"a,b\n'tis,O'Brien\n", "t.csv"), r#"',' quote '"' header utf-8 Lf"#);
    assert_eq!(found(b"a,b\n\"say \\\"hi\\\", you\",2\n", "t.csv"), r#"',' quote '"' escape '\\' header utf-8 Lf"#);
}

#[test]
fn headers() {
    assert_eq!(found(b"1,x\n2,y\n", "t.csv"), r#"',' quote '"' no header utf-8 Lf"#);
    assert_eq!(found(b",x\n2,y\n", "t.csv"), r#"',' quote '"' header utf-8 Lf"#);
    assert_eq!(found(b"x,2024-01-01\n", "t.csv"), r#"',' quote '"' no header utf-8 Lf"#);
}

#[test]
fn headers_that_look_like_data() {
    let header = |text: &str, columns: &str| {
        let facts = [("greylag.dev/columns".to_owned(), columns.to_owned())];
        let declared = if columns.is_empty() { Ok(Declared::default()) } else { Declared::parse(&facts.into()) };
        detect(text.as_bytes(), true, "t.csv", &declared.unwrap()).unwrap().header
    };
    // The declared columns are those of the first record, be they called what they may.
    assert!(header("id,true,1\n1,2,3\n", "id: int64, true: int64, 1: int64"));
    assert!(header("1,2024-01-01\n5,7\n", "\"1\": int64, \"2024-01-01\": int64"));
    assert!(header("id,1\n5,7\n", "\"1\": int64"), "some columns are declared");
    assert!(header("1,2\n5,7\n", "\"1\": int64, \"2\": int64, year: int64"), "a partition column is declared too");
    assert!(header("true\n", "\"true\": string"), "nothing but a header");
    assert!(!header("1,x\n5,y\n", "id: int64, name: string"));
    // Nothing is declared: what stands below tells.
    assert!(header("true,id\n1,2\n3,4\n", ""));
    assert!(header("id,2024-01-01\n1,5\n", ""));
    assert!(header("name,false\nx,2020-01-01\ny,2021-01-01\n", ""));
    // It could be data, and a row must not be lost.
    assert!(!header("name,2019,2020\nx,5,6\n", ""));
    assert!(!header("n/a,5\n3,4\n", ""));
    assert!(!header("1,x\n", ""));
    assert!(!header("name,1\nx,abc\n", ""));
}

/// What MySQL's `SELECT … INTO OUTFILE … FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"'` writes, and what it reads.
/// DuckDB 2.0 (`strict_mode = false`, `allow_quoted_nulls = false`) gives the same, null for null, and Python's `csv`
/// (`escapechar='\\'`, `doublequote=False`) the same texts.
#[test]
fn a_null_text_with_the_escape_in_it() {
    let mysql = CsvDialect { escape: Some('\\'), null: "\\N".to_owned(), ..CsvDialect::default() };
    let rows =
        "a,b\n\\N,1\n\"\\\\N\",2\n\"\\N\",3\nC:\\\\d,4\na\\,b,5\n\"q\\\"q\",6\n\\\\N,7\n\"x\\\ny\",8\nx\\\nz,9\n";
    assert_eq!(
        show(rows.as_bytes(), &mysql),
        "∅ \"1\"\n\"\\\\N\" \"2\"\n\"N\" \"3\"\n\"C:\\\\d\" \"4\"\n\"a,b\" \"5\"\n\"q\\\"q\" \"6\"\n\
         \"\\\\N\" \"7\"\n\"x\\ny\" \"8\"\n\"x\\nz\" \"9\""
    );
    // Lines are counted through escaped line breaks.
    assert_eq!(show(b"a,b\nx\\\r\ny,1\nz\n", &mysql), "GL0618 `t.csv`, line 4: 1 fields where there should be 2");
    // A control character or the letter? Nobody can tell.
    for text in ["a\\nb,1\n", "a\\0b,1\n", "\"a\\0b\",1\n", "\\NN,1\n"] {
        assert!(show(format!("a,b\n{text}").as_bytes(), &mysql).contains("an escape stands before"), "{text}");
    }
    // Without such a null the escape is one inside quotes only, as in RFC 4180's relatives.
    let quoted = CsvDialect { null: String::new(), ..mysql };
    assert_eq!(show(b"a,b\nC:\\\\d,\"x\\\"\"\n", &quoted), r#""C:\\\\d" "x\"""#);
}

#[test]
fn an_escape_at_the_edge_of_a_block() {
    let mysql = CsvDialect { escape: Some('\\'), null: "\\N".to_owned(), ..CsvDialect::default() };
    for padding in (1 << 20) - 8..(1 << 20) + 2 {
        for end in ["\\\r\nz", "\\\\", "\\,", "\\\r"] {
            let field = format!("{}{end}", "x".repeat(padding));
            let rows = read_text(format!("a,b\n{field},\\N\n").as_bytes(), &mysql).unwrap();
            let expected = format!("{}{}", "x".repeat(padding), &end[1..]);
            assert_eq!(rows, [vec![Some(expected), None]], "{padding} {end:?}");
        }
    }
    assert_eq!(show(b"a,b\n1,x\\", &mysql), "\"1\" \"x\\\\\"");
}

fn utf16(text: &str, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn byte_order_marks_win() {
    let little = utf16("\u{feff}a;ä\r\n1;🦢\r\n", u16::to_le_bytes);
    assert_eq!(found(&little, "t.csv"), r#"';' quote '"' header utf-16le with mark Crlf"#);
    assert_eq!(show(&little, &CsvDialect { delimiter: ';', ..CsvDialect::default() }), r#""1" "🦢""#);
    let big = utf16("\u{feff}a,b\n", u16::to_be_bytes);
    assert_eq!(found(&big, "t.csv"), r#"',' quote '"' header utf-16be with mark Lf"#);
    assert_eq!(found(b"\xef\xbb\xbfa,b\n", "t.csv"), r#"',' quote '"' header utf-8 with mark Lf"#);
    let file = CsvFile::open(on_disk(b"\xef\xbb\xbfa,b\n"), "t", &CsvDialect::default()).unwrap();
    assert_eq!(file.names, ["a", "b"]);
}

#[test]
fn declared_encodings() {
    let latin = CsvDialect { encoding: "latin-1".to_owned(), ..CsvDialect::default() };
    assert_eq!(show(b"a,b\nZ\xfcrich,\x80\n", &latin), r#""Zürich" "€""#);
    let little = CsvDialect { encoding: "utf-16le".to_owned(), ..CsvDialect::default() };
    assert_eq!(show(&utf16("a,b\n1,ß\n", u16::to_le_bytes), &little), r#""1" "ß""#);
    // Undeclared it is taken for UTF-8, and its zero bytes are told of.
    let error = read_text(&utf16("a,b\n1,ß\n", u16::to_le_bytes), &CsvDialect::default()).unwrap_err();
    assert_eq!(error.code, code::CSV_NUL);
}

#[test]
fn what_is_declared_is_taken() {
    let facts = [
        ("greylag.dev/csv-delimiter", "tab"),
        ("greylag.dev/csv-quote", "'"),
        ("greylag.dev/csv-escape", "none"),
        ("greylag.dev/csv-header", "false"),
        ("greylag.dev/csv-null", "\\N"),
        ("greylag.dev/csv-encoding", "latin-1"),
        ("backstage.io/whatever", "x"),
    ];
    let facts = facts.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let declared = Declared::parse(&facts).unwrap();
    let dialect = detect(b"a,b\n\"1\",2\n", true, "t.csv", &declared).unwrap();
    let expected = CsvDialect {
        delimiter: '\t',
        quote: '\'',
        escape: None,
        header: false,
        null: "\\N".to_owned(),
        encoding: "latin-1".to_owned(),
        byte_order_mark: false,
        line_ending: LineEnding::Lf,
    };
    assert_eq!(dialect, expected);
    for (key, value) in [
        ("greylag.dev/csv-delimiter", "||"),
        ("greylag.dev/csv-delimiter", "é"),
        ("greylag.dev/csv-header", "yes"),
        ("greylag.dev/csv-encoding", "ebcdic"),
        ("greylag.dev/format", "orc"),
        ("greylag.dev/columns", "id int64"),
    ] {
        let error = Declared::parse(&[(key.to_owned(), value.to_owned())].into()).unwrap_err();
        assert_eq!(error.message, format!("the annotation `{key}` is `{value}`"));
        assert!(!error.hints.is_empty());
    }
}

#[test]
fn impossible_dialects_are_refused() {
    let base = CsvDialect::default;
    let wrong = [
        CsvDialect { delimiter: '"', ..base() },
        CsvDialect { delimiter: '\n', ..base() },
        CsvDialect { quote: 'é', ..base() },
        CsvDialect { escape: Some(','), ..base() },
        CsvDialect { null: "a,b".to_owned(), ..base() },
        CsvDialect { null: "\\".to_owned(), escape: Some('\\'), ..base() },
        CsvDialect { encoding: "utf-7".to_owned(), ..base() },
        CsvDialect { encoding: "latin-1".to_owned(), byte_order_mark: true, ..base() },
    ];
    for dialect in wrong {
        assert_eq!(crate::csv::dialect::validate(&dialect).unwrap_err().code, code::CSV_DIALECT, "{dialect:?}");
    }
}
