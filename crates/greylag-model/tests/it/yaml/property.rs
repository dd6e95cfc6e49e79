use greylag_model::yaml::{Features, Kind, Limits, Node, read, read_bytes};
use proptest::prelude::*;

/// Texts made of the pieces that YAML gives a meaning to.
fn yamlish() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "\n",
            "\r\n",
            "\r",
            " ",
            "  ",
            "\t",
            "- ",
            "? ",
            ": ",
            ":",
            ",",
            "[",
            "]",
            "{",
            "}",
            "&a",
            "&b ",
            "*a",
            "*b ",
            "!t ",
            "!!str ",
            "!<x>",
            "|",
            "|-\n",
            ">2+\n",
            "'",
            "\"",
            "\\",
            "\\u00",
            "\\\n",
            "#",
            " # ",
            "%YAML 1.2\n",
            "%TAG ! x\n",
            "---",
            "---\n",
            "\n--- ",
            "...",
            "\n...\n",
            "<<: ",
            "<<",
            "~",
            "null",
            "1",
            "-1.5e3",
            "0x",
            "true",
            "a",
            "key: ",
            "\nkey: ",
            "\n  - ",
            "\u{feff}",
            "\u{85}",
            "\u{2028}",
            "é",
            "🦆",
            "\0",
            "@",
            "`",
            "\n    ",
            "x y z",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(|letter| letter.to_string()),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Ranges lie in the text, on borders of characters, and children inside (or beside, if repeated by an alias) parents.
fn check_ranges(node: &Node, text: &str) {
    assert!(text.get(node.range.clone()).is_some(), "{:?} in {text:?}", node.range);
    match &node.kind {
        Kind::List(items) => items.iter().for_each(|item| check_ranges(item, text)),
        Kind::Map(entries) => entries.iter().for_each(|entry| {
            assert!(text.get(entry.range.clone()).is_some());
            check_ranges(&entry.value, text);
        }),
        _ => {}
    }
}

fn pointers(node: &Node, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match &node.kind {
        Kind::List(items) => {
            items.iter().enumerate().for_each(|(index, item)| pointers(item, &format!("{at}/{index}"), out));
        }
        Kind::Map(entries) => entries.iter().for_each(|entry| {
            let key = entry.key.replace('~', "~0").replace('/', "~1");
            pointers(&entry.value, &format!("{at}/{key}"), out);
        }),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_ends_in_a_tree_or_a_diagnostic(text in yamlish(), full: bool) {
        let features = if full { Features::Full } else { Features::Plain };
        let stream = read("f.yaml", &text, &Limits { features, ..Limits::default() });
        for document in &stream.documents {
            let source = document.places.source().text();
            check_ranges(document.root(), source);
            let mut all = Vec::new();
            pointers(document.root(), "", &mut all);
            for pointer in all {
                prop_assert!(document.places.node(&pointer).is_some(), "{pointer} in {text:?}");
                document.places.key(&pointer);
                if let Some(scalar) = document.places.node(&pointer).and_then(Node::as_str) {
                    let place = document.places.within(&pointer, 0..scalar.len());
                    prop_assert!(place.span.0 + place.span.1 <= text.len(), "{pointer} in {text:?}");
                }
            }
            prop_assert!(document.sound || !stream.diagnostics.is_empty());
        }
        for diagnostic in &stream.diagnostics {
            prop_assert!(diagnostic.place.is_some());
        }
    }

    #[test]
    fn any_bytes_end_in_a_tree_or_a_diagnostic(bytes: Vec<u8>) {
        read_bytes("f.yaml", &bytes, &Limits::default());
    }

    #[test]
    fn any_json_reads_as_itself(keys in prop::collection::btree_map("[a-z\\n\"'~/ é🦆]{0,6}", prop_oneof![
        any::<i64>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        "[ -~\\n\\t\\r\\u{0}é🦆]{0,12}".prop_map(serde_json::Value::from),
    ], 0..8)) {
        let value = serde_json::to_value(&keys).unwrap();
        let stream = read("f.json", &value.to_string(), &Limits::default());
        prop_assert_eq!(&stream.diagnostics, &[]);
        prop_assert_eq!(stream.documents[0].root().to_json(), value);
    }
}
