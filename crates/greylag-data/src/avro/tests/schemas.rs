//! What schemas mean.

use crate::avro::schema::Avro;

fn of(json: &str) -> String {
    let text = format!(r#"{{"type":"record","name":"n.r","fields":[{{"name":"a","type":{json}}}]}}"#);
    match Avro::parse(text.as_bytes()).and_then(|fields| Ok((fields[0].1.is_nullable(), fields[0].1.data_type()?))) {
        Ok((nullable, data_type)) => format!("{data_type}{}", if nullable { "" } else { "!" }),
        Err(words) => words,
    }
}

#[test]
fn types() {
    let cases = [
        (r#""int""#, "int32!"),
        (r#"["null","long"]"#, "int64"),
        (r#"["string","null"]"#, "string"),
        (r#""null""#, "string"),
        (r#"{"type":"int","logicalType":"date"}"#, "date!"),
        (r#"{"type":"long","logicalType":"date"}"#, "int64!"),
        (r#"{"type":"int","logicalType":"time-millis"}"#, "time(ms)!"),
        (r#"{"type":"long","logicalType":"time-micros"}"#, "time(us)!"),
        (r#"{"type":"long","logicalType":"timestamp-millis"}"#, "timestamp(ms, UTC)!"),
        (r#"{"type":"long","logicalType":"timestamp-nanos"}"#, "timestamp(ns, UTC)!"),
        (r#"{"type":"long","logicalType":"local-timestamp-micros"}"#, "timestamp(us)!"),
        (r#"{"type":"string","logicalType":"uuid"}"#, "string!"),
        (r#"{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}"#, "decimal(9,2)!"),
        (r#"{"type":"fixed","name":"f","size":5,"logicalType":"decimal","precision":9}"#, "decimal(9,0)!"),
        (r#"{"type":"bytes","logicalType":"decimal","precision":2,"scale":9}"#, "binary!"),
        (
            r#"{"type":"bytes","logicalType":"decimal","precision":39}"#,
            "a decimal of 39 digits has no equal: at most 38",
        ),
        (r#"{"type":"fixed","name":"f","size":12,"logicalType":"duration"}"#, "binary!"),
        (r#"{"type":"enum","name":"e","symbols":["A","B"]}"#, "string!"),
        (r#"{"type":"array","items":["null",{"type":"map","values":"float"}]}"#, "list<map<string, float32>>!"),
        (r#"{"type":"record","name":"x","fields":[{"name":"b","type":"double"}]}"#, "struct<b: float64>!"),
        (r#"{"type":{"type":"int"}}"#, "int32!"),
        (r#"["int","string"]"#, "a union of other than null and one type has no equal"),
        (r#"["null","int","string"]"#, "a union of other than null and one type has no equal"),
        (r#"["null","r"]"#, "the record `r` holds itself, which has no equal"),
        (r#""wrong""#, "its schema names the type `wrong`, which it does not define"),
        (r#"{"type":"record","name":"x","fields":[]}"#, "a record without fields has no equal"),
        ("7", "its schema has a type that is neither a name, an object nor a union"),
    ];
    for (json, expected) in cases {
        assert_eq!(of(json), expected, "{json}");
    }
}

#[test]
fn names_are_found_in_their_namespace() {
    let text = r#"{"type":"record","name":"r","namespace":"a.b","fields":[
        {"name":"x","type":{"type":"enum","name":"e","symbols":["A"]}},
        {"name":"y","type":"e"},
        {"name":"z","type":["null","a.b.e"]},
        {"name":"w","type":{"type":"record","name":"other.s","fields":[{"name":"f","type":{"type":"fixed","name":"t","size":4}}]}},
        {"name":"v","type":"other.t"}]}"#;
    let fields = Avro::parse(text.as_bytes()).unwrap();
    let types: Vec<String> =
        fields.iter().map(|(name, avro)| format!("{name} {}", avro.data_type().unwrap())).collect();
    assert_eq!(types, ["x string", "y string", "z string", "w struct<f: binary>", "v binary"]);
}

#[test]
fn bombs() {
    // Each record holds the one before twice.
    let mut fields =
        vec![r#"{"name":"f0","type":{"type":"record","name":"r0","fields":[{"name":"x","type":"int"}]}}"#.to_owned()];
    for level in 1..40 {
        let below = level - 1;
        fields.push(format!(
            r#"{{"name":"f{level}","type":{{"type":"record","name":"r{level}","fields":[{{"name":"x","type":"r{below}"}},{{"name":"y","type":"r{below}"}}]}}}}"#
        ));
    }
    let text = format!(r#"{{"type":"record","name":"r","fields":[{}]}}"#, fields.join(","));
    assert_eq!(Avro::parse(text.as_bytes()), Err("its schema claims more than 20000 types".to_owned()));
    let deep = format!("{}\"int\"{}", r#"{"type":"array","items":"#.repeat(100), "}".repeat(100));
    assert!(of(&deep).contains("deeper") || of(&deep).contains("recursion"), "{}", of(&deep));
}
