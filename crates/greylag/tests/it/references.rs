//! `refs` on the real binary: which dataset a name means, and what entries of YAML say.

use crate::rig::Rig;

/// A dataset of the catalog with the names by which code reaches it.
fn dataset(name: &str, table: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata:\n  name: {name}\n  annotations: \
         {{greylag.dev/table: '{table}'}}\nspec: {{type: dataset, lifecycle: production, owner: crm}}\n---\n"
    )
}

/// A rig with these datasets and these files of a repository.
fn rig(datasets: &[(&str, &str)], files: &[(&str, &str)]) -> Rig {
    let rig = Rig::new();
    let group = "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: crm}\n\
                 spec: {type: team, children: []}\n";
    let all: String = datasets.iter().map(|(name, table)| dataset(name, table)).collect();
    rig.write("catalog/all.yaml", all + group);
    for (path, text) in files {
        rig.write(&format!("repository/{path}"), text);
    }
    rig.run(["catalog", "import", "catalog"]).ended(0);
    rig
}

#[test]
fn a_dataset_is_found_by_the_name_that_code_has_for_it() {
    let datasets = [("shop-orders", "raw.orders"), ("crm-orders", "crm.orders"), ("orders", "shop.orders_v2")];
    let rig = rig(&datasets, &[("a.sql", "select id from raw.orders;\n"), ("b.sql", "select id from crm.orders;\n")]);
    let refs = |name: &str| rig.run(["refs", "repository", "-d", name, "-o", "name"]);
    let of_raw = "repository/a.sql:1:8\nrepository/a.sql:1:16\n";
    for name in ["raw.orders", "RAW.ORDERS", "lake.raw.orders", "shop-orders", "resource:default/shop-orders"] {
        let said = refs(name).ended(0);
        assert_eq!(said.stdout, of_raw, "{name}");
        assert!(!said.stderr.contains("knows no dataset"), "{name}: {}", said.stderr);
    }
    // A dataset of that very name is meant, though others end with it.
    assert_eq!(refs("orders").ended(0).stdout, "");
    assert!(refs("old.orders").ended(0).stderr.contains("the catalog knows no dataset `old.orders`"));
}

#[test]
fn a_name_of_several_datasets_is_an_error_that_names_them() {
    let datasets = [("shop-orders", "raw.orders"), ("crm-orders", "crm.orders"), ("crm.orders", "")];
    let rig = rig(&datasets, &[("a.sql", "select id from raw.orders;\n")]);
    let said = rig.run(["refs", "repository", "-d", "orders"]).ended(64);
    let words = "`orders` may mean 2 datasets: `resource:default/crm-orders`, `resource:default/shop-orders`";
    assert!(said.stderr.contains(words), "{}", said.stderr);
    assert!(said.stderr.contains("name the one that you mean: `resource:default/crm-orders`"), "{}", said.stderr);
    // One has the name, the other is called so by code.
    let said = rig.run(["refs", "repository", "-d", "crm.orders"]).ended(64);
    assert!(said.stderr.contains("may mean 2 datasets"), "{}", said.stderr);
    rig.run(["refs", "repository", "-d", "resource:default/crm.orders"]).ended(0);
}

#[test]
fn entries_of_a_model_that_makes_a_dataset_are_shown() {
    let yaml = "models:\n  - name: orders\n    description: One row of orders by order_id.\n    config:\n      \
                unique_key: order_id\n      contract: {enforced: true}\n    columns:\n      - name: order_id\n        \
                description: the key\n        data_type: int\n        tests: [unique]\n      - name: total\n    tests:\n      \
                - unique_total: {column_name: total}\n  - name: daily\n    columns:\n      - name: order_id\n        \
                tests:\n          - relationships: {to: ref('orders'), field: order_id}\n";
    let files = [
        ("dbt_project.yml", "name: shop\n"),
        ("models/orders.sql", "select 1 as order_id, 2 as total\n"),
        ("models/daily.sql", "select order_id from {{ ref('orders') }}\n"),
        ("models/models.yml", yaml),
    ];
    let rig = rig(&[("orders", "orders")], &files);
    let list = rig.json(["refs", "repository", "-d", "orders"]);
    let entries =
        list["items"].as_array().unwrap().iter().filter(|found| found["path"] == "repository/models/models.yml");
    let shown: Vec<String> = entries
        .map(|found| {
            let at = found["start"].as_u64().unwrap() as usize..found["end"].as_u64().unwrap() as usize;
            let word = |key: &str| found[key].as_str().unwrap_or("-").to_owned();
            format!("{} {} {}", word("role"), word("column"), &yaml[at])
        })
        .collect();
    // The catalog does not know its columns, so no word of a description is one.
    assert_eq!(
        shown,
        [
            "declare - orders",
            "documentation - orders",
            "declare order_id order_id",
            "declare order_id order_id",
            "declare total total",
            "test total total",
            "test - ref('orders')",
            "test order_id order_id",
        ]
    );
}
