use super::{EntityRef, name};

fn reference(text: &str, kind: Option<&str>) -> String {
    match EntityRef::parse_in(text, kind, "finance") {
        Ok(reference) => reference.to_string(),
        Err(error) => format!("{error}"),
    }
}

#[test]
fn references_take_kind_and_namespace_from_the_field_and_its_entity() {
    assert_eq!(reference("crm", Some("group")), "group:finance/crm");
    assert_eq!(reference("User:Jane.Doe", Some("group")), "user:finance/jane.doe");
    assert_eq!(reference("hr/crm", Some("group")), "group:hr/crm");
    assert_eq!(reference("group:default/CRM", None), "group:default/crm");
    assert_eq!(reference("users_v1", None), "does not say of which kind");
    for text in ["", ":", "group:", "group:/x", "a/b/c", "a:b:c", "group:a/b/c", "/x", "x/"] {
        assert_eq!(reference(text, Some("group")), "is not of the form `[kind:][namespace/]name`", "for `{text}`");
    }
    assert!(reference("group:de fault/x", None).starts_with("has a namespace"));
    assert!(reference("group:default/x y", None).starts_with("has a name"));
    assert!(reference("gr_oup:x", None).starts_with("has a kind"));
    assert_eq!(EntityRef::parse("finance/users", "resource").map(|one| one.short()), Some("finance/users".to_owned()));
    assert_eq!(
        EntityRef::parse("component:job", "resource").map(|one| one.to_string()),
        Some("component:default/job".to_owned())
    );
}

fn check(rule: fn(&str) -> bool, legal: &[&str], illegal: &[&str]) {
    for text in legal {
        assert!(rule(text), "`{text}` should be legal");
    }
    for text in illegal {
        assert!(!rule(text), "`{text}` should be illegal");
    }
}

#[test]
fn names_follow_backstage() {
    let (longest, too_long) = ("x".repeat(63), "x".repeat(64));
    check(
        name::is_name,
        &["a", "0", "A.b-c_d", "a--b", "a._-b", &longest],
        &["", "-a", "a-", "a b", "ä", "a/b", "a:b", &too_long, "_"],
    );
    check(name::is_namespace, &["default", "a-b", "0", &longest], &["", "A", "a--b", "-a", "a_b", "a.b", &too_long]);
    check(name::is_tag, &["java", "c++", "c#", "tier:1", "a-b"], &["", "Java", "a--b", "a_b", "-a", "a b"]);
    check(
        name::is_key,
        &["a", "example.com/a_b.C", "a-b.c/x"],
        &["", "/a", "a/", "a/b/c", "Example.com/a", "a..b/c", "a b"],
    );
    check(name::is_label_value, &["", "x", "A.b"], &["a b", "-"]);
    check(name::is_kind, &["Resource", "a1"], &["", "1a", "a-b"]);
    check(name::is_api_version, &["v1", "backstage.io/v1alpha1"], &["", "/v1", "a/b/c", "a/b-c"]);
}

#[test]
fn odd_paths_get_legal_names_that_differ() {
    assert_eq!(name::legal("users_v1", "/lake/users_v1"), "users_v1");
    let odd = name::legal("Zürich – orders (old)", "/lake/a");
    assert_eq!(odd, format!("Z-rich-orders-old-{}", &odd[odd.len() - 8..]));
    assert_ne!(
        odd,
        name::legal("Zürich – orders (old)", "/lake/b"),
        "the same name at another place is another dataset"
    );
    assert_eq!(odd, name::legal("Zürich – orders (old)", "/lake/a"));
    let long = name::legal(&"long/".repeat(40), "x");
    for text in [odd.as_str(), &long, &name::legal("日本", "x"), &name::legal("", "x"), &name::legal("../..", "x")] {
        assert!(name::is_name(text), "`{text}`");
    }
    assert!(long.len() <= name::LONGEST);
}

#[test]
fn declared_columns_are_read_and_written() {
    use super::annotation::{parse_columns, write_columns};
    let check = |text: &str, expected: &str| {
        let seen = parse_columns(text).map_or_else(|error| error, |schema| write_columns(&schema));
        assert_eq!(seen, expected, "for `{text}`");
        if let Ok(schema) = parse_columns(text) {
            assert_eq!(parse_columns(&write_columns(&schema)), Ok(schema));
        }
    };
    check("id: int64 not null, at: timestamp(us, UTC)\n", "id: int64 not null\nat: timestamp(us, UTC)\n");
    check(
        "a: struct<x: int32, \"y, z\": list<string>>,b: map<string, int64>",
        "a: struct<x: int32, \"y, z\": list<string>>\nb: map<string, int64>\n",
    );
    check("\"odd, \"\"name\"\": x\": decimal(15,2)", "\"odd, \"\"name\"\": x\": decimal(15,2)\n");
    check("\"two\\nlines\": string", "\"two\\nlines\": string\n");
    check("größe: float64", "größe: float64\n");
    check("", "");
    check("id", "has an item `id` that is not `name: type`");
    check("id: ", "has an item `id:` that is not `name: type`");
    check("a: int64\na: string", "names the column `a` twice");
    check("\"a: int64", "has an item `\"a: int64` that is not `name: type`");
    assert!(parse_columns("a: nonsense").is_err_and(|error| error.starts_with("has the column `a`: ")));
}
