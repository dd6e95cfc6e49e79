//! Descriptor files.

use super::{CRM, Estate, dataset, job, joined, link, location_of};
use greylag_driver::catalog::{Batch, Catalog, Operation};
use greylag_model::entity::EntityRef;
use greylag_model::id::Timestamp;
use greylag_model::provenance::{Source, Values};
use serde_json::json;

#[test]
fn a_directory_is_imported_and_imported_again() {
    let estate = Estate::new(&[
        ("owners.yaml", CRM),
        ("lake/users.yml", &dataset("users", "../data/users.parquet", "")),
        ("lake/.hidden.yaml", "backstage.io/ [broken"),
        ("compose.yaml", "services: {{ broken"),
        ("notes.txt", "backstage.io/"),
    ]);
    assert_eq!(
        estate.told(10, &["."]),
        "Added group:default/crm\nAdded resource:default/users\n2 added, 0 changed, 0 unchanged, 0 removed"
    );
    assert_eq!(estate.import(11, &["."]).passed_over, 1);
    assert_eq!(estate.told(20, &["."]), "0 added, 0 changed, 2 unchanged, 0 removed");
    let location = estate.fact("users", "location").unwrap();
    assert_eq!(location, "{\"path\":\"/estate/data/users.parquet\"} by descriptor:/estate/lake/users.yml");
}

#[test]
fn what_vanished_from_its_file_or_with_its_file_vanishes() {
    let estate = Estate::new(&[
        ("a.yaml", &joined(&[CRM, &dataset("users", "u", "  lifecycle: production\n")])),
        ("b.yaml", &dataset("orders", "o", "")),
    ]);
    estate.import(10, &["."]);
    estate.write("a.yaml", &joined(&[CRM, &dataset("users", "u", "")]));
    assert_eq!(
        estate.told(20, &["a.yaml"]),
        "Changed resource:default/users\n0 added, 1 changed, 1 unchanged, 0 removed"
    );
    assert_eq!(estate.fact("users", "spec.lifecycle"), None);
    estate.remove("b.yaml");
    assert_eq!(estate.told(30, &["a.yaml"]), "0 added, 0 changed, 2 unchanged, 0 removed", "b was not looked for");
    assert_eq!(estate.told(40, &["."]), "Removed resource:default/orders\n0 added, 0 changed, 2 unchanged, 1 removed");
    let gone = estate.told(50, &["b.yaml"]);
    assert_eq!(
        gone,
        "error[GL0310]: `b.yaml` cannot be read: it does not exist\n0 added, 0 changed, 0 unchanged, 0 removed; 1 error"
    );
}

#[test]
fn a_bad_document_loses_nothing_that_was_known() {
    let good = joined(&[CRM, &dataset("users", "u", ""), &dataset("orders", "o", "")]);
    let estate = Estate::new(&[("a.yaml", &good), ("b.yaml", &dataset("b", "b", ""))]);
    estate.import(10, &["."]);
    estate.write("a.yaml", &joined(&[CRM, "kind: Resource\n", &dataset("orders", "elsewhere", "")]));
    estate.remove("b.yaml");
    assert_eq!(
        estate.told(20, &["."]),
        "Changed resource:default/orders
a.yaml:6:1: error[GL0305]: a descriptor must have `apiVersion`
a.yaml:6:1: error[GL0305]: a descriptor must have `metadata`
a.yaml:6:1: error[GL0305]: a descriptor must have `spec`
0 added, 1 changed, 1 unchanged, 0 removed; 3 errors"
    );
    assert!(estate.fact("users", "identity").is_some(), "it may be what the bad document defines");
    assert!(estate.fact("b", "identity").is_some(), "nothing is forgotten by an import that could not see all");
}

#[test]
fn a_malformed_file_stops_only_itself() {
    let estate = Estate::new(&[
        ("a.yaml", "apiVersion: backstage.io/v1alpha1\nkind: [Group\n"),
        ("b.yaml", &joined(&[CRM, &dataset("users", "u", "")])),
    ]);
    let told = estate.told(10, &["."]);
    assert!(told.starts_with("Added group:default/crm\nAdded resource:default/users\na.yaml:"), "{told}");
    assert!(told.ends_with("2 added, 0 changed, 0 unchanged, 0 removed; 1 error"), "{told}");
}

#[test]
fn two_files_that_define_one_entity() {
    let estate = Estate::new(&[
        ("a.yaml", &joined(&[CRM, &dataset("users", "a", "")])),
        ("b.yaml", &joined(&[&dataset("Users", "b", ""), &dataset("orders", "o", "")])),
    ]);
    assert_eq!(
        estate.told(10, &["."]),
        "Added group:default/crm
Added resource:default/orders
Added resource:default/users
b.yaml:4:9: error[GL0308]: `resource:default/users` is defined twice: here and at `a.yaml:9:9`
  hint: rename or remove one of them; until then, the other one counts
3 added, 0 changed, 0 unchanged, 0 removed; 1 error"
    );
    assert!(estate.fact("users", "location").unwrap().contains("/estate/a"));
    // The other file is found although this import does not read it.
    let told = estate.told(20, &["b.yaml"]);
    assert!(
        told.contains(
            "b.yaml:4:9: error[GL0308]: `resource:default/users` is defined twice: here and at `/estate/a.yaml:9:9`"
        ),
        "{told}"
    );
}

#[test]
fn a_moved_file_is_no_duplicate() {
    let text = joined(&[CRM, &dataset("users", "/lake/users", "")]);
    let estate = Estate::new(&[("a.yaml", &text)]);
    estate.import(10, &["a.yaml"]);
    estate.remove("a.yaml");
    estate.write("teams/b.yaml", &text);
    assert_eq!(estate.told(20, &["teams/b.yaml"]), "0 added, 0 changed, 2 unchanged, 0 removed");
    assert_eq!(estate.fact("users", "spec.owner").unwrap(), "\"crm\" by descriptor:/estate/teams/b.yaml");
    assert_eq!(estate.catalog.sources().unwrap().len(), 1);
}

#[test]
fn an_older_descriptor_does_not_take_back_what_a_migration_published() {
    let estate = Estate::new(&[("a.yaml", &joined(&[CRM, &dataset("users", "u", "  lifecycle: production\n")]))]);
    estate.import(10, &["."]);
    let cutover = Operation::Amend {
        source: Source::Migration("users-7k3f".to_owned()),
        entity: EntityRef::new("resource", "default", "users"),
        set: Values::from([("successor.resource:default/users_v2".to_owned(), json!(true))]),
        unset: vec![],
    };
    estate.catalog.apply(&Batch { at: Timestamp(20), operations: vec![cutover] }).unwrap();
    let kept = "kept users `spec.lifecycle` stays \"deprecated\" as migration:users-7k3f says; \
                descriptor:/estate/a.yaml says \"production\"";
    assert_eq!(estate.told(30, &["."]), format!("{kept}\n0 added, 0 changed, 2 unchanged, 0 removed; 1 fact kept"));
    estate.write("a.yaml", &joined(&[CRM, &dataset("users", "u", "  lifecycle: experimental\n")]));
    let told = estate.told(40, &["."]);
    assert_eq!(
        told, "Changed resource:default/users\n0 added, 1 changed, 1 unchanged, 0 removed",
        "an edit is a decision"
    );
}

#[test]
fn dangling_references_are_warnings_with_their_places() {
    let estate = Estate::new(&[(
        "a.yaml",
        &joined(&[&dataset("users", "u", "  dependsOn: ['resource:raw']\n"), &job("etl", "users", "none")]),
    )]);
    assert_eq!(
        estate.told(10, &["a.yaml"]),
        "Added component:default/etl
Added resource:default/users
a.yaml:9:10: warning[GL0309]: `spec.owner` names `group:default/crm`, which the catalog does not know
  hint: import its descriptor, or correct the reference
a.yaml:10:15: warning[GL0309]: `spec.dependsOn` names `resource:default/raw`, which the catalog does not know
  hint: import its descriptor, or correct the reference
a.yaml:16:65: warning[GL0309]: `greylag.dev/writes` names `resource:default/none`, which the catalog does not know
  hint: import its descriptor, or correct the reference
a.yaml:17:59: warning[GL0309]: `spec.owner` names `group:default/crm`, which the catalog does not know
  hint: import its descriptor, or correct the reference
2 added, 0 changed, 0 unchanged, 0 removed; 4 warnings"
    );
}

#[test]
fn cyclic_lineage_is_named() {
    let estate = Estate::new(&[(
        "a.yaml",
        &joined(&[
            CRM,
            &dataset("a", "a", ""),
            &dataset("b", "b", ""),
            &job("there", "a", "b"),
            &job("back", "b", "a"),
        ]),
    )]);
    let told = estate.told(10, &["a.yaml"]);
    assert!(
        told.contains("a.yaml:36:9: warning[GL0315]: lineage runs in a circle: `component:default/back` → `resource:default/a` → `component:default/there` → `resource:default/b` → `component:default/back`"),
        "{told}"
    );
}

#[test]
fn locations_lead_to_files_below_the_root() {
    let estate = Estate::new(&[
        ("all.yaml", &location_of("teams/*/*.yaml")),
        ("teams/a/x.yaml", CRM),
        ("teams/b/y.yaml", &dataset("users", "u", "")),
        ("teams/b/z.txt", "no"),
    ]);
    assert_eq!(
        estate.told(10, &["all.yaml"]),
        "Added group:default/crm\nAdded location:default/all\nAdded resource:default/users\n3 added, 0 changed, 0 unchanged, 0 removed"
    );
    assert_eq!(
        estate.fact("users", "location").unwrap(),
        "{\"path\":\"/estate/teams/b/u\"} by descriptor:/estate/teams/b/y.yaml"
    );
    estate.write("all.yaml", &location_of("./teams/a/../a/?.yaml"));
    assert_eq!(
        estate.told(20, &["all.yaml"]),
        "Changed location:default/all\nRemoved resource:default/users\n0 added, 1 changed, 1 unchanged, 1 removed"
    );
}

fn refused(target: &str, what: &str) {
    let estate = Estate::new(&[("root/all.yaml", &location_of(target)), ("outside.yaml", CRM)]);
    link(&estate.path().join("outside.yaml"), &estate.path().join("root/link.yaml"));
    link(&estate.path(), &estate.path().join("root/up"));
    let told = estate.told(10, &["root/all.yaml"]);
    assert!(told.contains(&format!("root/all.yaml:4:18: error[GL0312]: {what}")), "{target}: {told}");
    assert!(!told.contains("group:default/crm"), "{target}: {told}");
}

#[test]
fn locations_lead_nowhere_else() {
    refused("../outside.yaml", "`root/../outside.yaml` leads out of `/estate/root`");
    refused("link.yaml", "`root/link.yaml` leads out of `/estate/root`");
    refused("up/outside.yaml", "`root/up/outside.yaml` leads out of `/estate/root`");
    refused("../*.yaml", "the target `../*.yaml` matches no file");
    refused("up/*.yaml", "the target `up/*.yaml` matches no file");
    refused("/etc/passwd", "the target `/etc/passwd` is an absolute path");
    refused("https://example.com/a.yaml", "the target `https://example.com/a.yaml` is an address");
    refused("none/*.yaml", "the target `none/*.yaml` matches no file");
    refused("all.yaml", "the target `root/all.yaml` is a `Location` that leads back here");
}

#[test]
fn locations_in_a_circle_end() {
    let back = location_of("a.yaml").replace("name: all", "name: b");
    let estate = Estate::new(&[("a.yaml", &location_of("b.yaml")), ("b.yaml", &back)]);
    assert_eq!(
        estate.told(10, &["a.yaml"]),
        "Added location:default/all
Added location:default/b
b.yaml:4:18: error[GL0312]: the target `a.yaml` is a `Location` that leads back here
2 added, 0 changed, 0 unchanged, 0 removed; 1 error"
    );
}

#[test]
fn files_that_are_too_large_or_no_files() {
    let estate = Estate::new(&[("large.yaml", &"# backstage.io/\n".repeat(70_000)), ("fine.yaml", CRM)]);
    std::fs::create_dir(estate.path().join("folder.yaml")).unwrap();
    let told = estate.told(10, &["."]);
    assert_eq!(
        told,
        "Added group:default/crm
error[GL0311]: `large.yaml` has more than 1048576 bytes
  hint: cut it into several files; a directory can be imported whole
1 added, 0 changed, 0 unchanged, 0 removed; 1 error"
    );
    let empty = Estate::new(&[("empty/readme.md", "")]);
    assert!(empty.told(10, &["empty"]).starts_with("warning[GL0313]: `empty` holds no descriptors"));
}
