use greylag_model::spec::{Document, parse};
use proptest::prelude::*;

/// A migration file with some of its pieces replaced, doubled or cut out.
fn damaged() -> impl Strategy<Value = String> {
    let text = include_str!("../../../../../examples/orders.yaml");
    let pieces: Vec<&str> = text.split_inclusive(|letter: char| !letter.is_alphanumeric()).collect();
    let count = pieces.len();
    let edit = (
        0..count,
        prop_oneof![
            Just(String::new()),
            prop::sample::select(pieces.clone()).prop_map(str::to_owned),
            prop::sample::select(vec![
                "null", "~", "1", "-1", "[", "{}", "[]", "'", "\"", ": ", "- ", "\n", "\t", "&a", "*a", "é", "case",
                "(", "cast(", "''"
            ])
            .prop_map(str::to_owned),
            any::<String>(),
        ],
    );
    prop::collection::vec(edit, 1..6).prop_map(move |edits| {
        let mut pieces: Vec<String> = pieces.iter().map(|piece| (*piece).to_owned()).collect();
        for (index, with) in edits {
            pieces[index] = with;
        }
        pieces.concat()
    })
}

/// Found by the property below, once in a hundred thousand.
#[test]
fn an_anchor_of_wide_letters_before_an_unclosed_quote_has_a_place() {
    let text = "apiVersion: greylag.dev/v1alpha1\nkind: Migration\nmetadata: {name: a}\nspec:\n  datasets: [{from: a, to: b}]\n  \
                mapping:\n    reverse:\n      - {name: full_name, expr: &Aﷰ𝀀!𞄰!𑃐აA0ੇএ®🃁಼first_name || ' ' || last_name\"}\n";
    let parsed = parse("m.yaml", text);
    assert!(!parsed.is_sound());
    for diagnostic in &parsed.diagnostics {
        let (start, length) = diagnostic.place.as_ref().unwrap().span;
        assert!(text.get(start..start + length).is_some(), "{diagnostic}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_damage_ends_in_a_document_or_a_diagnostic(text in damaged()) {
        let parsed = parse("m.yaml", &text);
        prop_assert!(!parsed.documents.is_empty() || !parsed.is_sound());
        for diagnostic in &parsed.diagnostics {
            let place = diagnostic.place.as_ref().unwrap();
            prop_assert!(text.get(place.span.0..place.span.0 + place.span.1).is_some(), "{diagnostic} in {text:?}");
            prop_assert!(diagnostic.code.0 != greylag_model::code::spec::UNREADABLE.0, "{diagnostic} in {text:?}");
        }
        // Whatever was taken over fits the published schema.
        for document in &parsed.documents {
            if let Document::Migration(migration, _) = document {
                let value = serde_json::to_value(migration).unwrap();
                let again = parse("again.json", &value.to_string());
                prop_assert_eq!(again.documents.len(), 1);
            }
        }
    }
}
