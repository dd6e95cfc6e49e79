//! `catalog scan-code` on the real binary.

use crate::rig::Rig;
use std::fs;

/// A dataset of the catalog with a table and columns.
fn dataset(name: &str, table: &str, columns: &str) -> String {
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata:\n  name: {name}\n  annotations:\n    \
         greylag.dev/table: {table}\n    greylag.dev/columns: '{columns}'\n    greylag.dev/location: /lake/{name}.csv\n\
         spec: {{type: dataset, lifecycle: production, owner: crm}}\n---\n"
    )
}

fn rig(files: &[(&str, &str)]) -> Rig {
    let rig = Rig::new();
    let group = "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: crm}\n\
                 spec: {type: team, children: []}\n";
    let all = [
        dataset("orders", "raw.orders", "id: int64, total: int64, region: string"),
        dataset("users", "raw.users", "id: int64, name: string"),
        dataset("daily", "mart.daily", "region: string, total: int64"),
    ];
    rig.write("catalog/all.yaml", all.concat() + group);
    for (path, text) in files {
        rig.write(&format!("shop/{path}"), text);
    }
    rig.run(["catalog", "import", "catalog"]).ended(0);
    rig
}

const FILES: [(&str, &str); 7] = [
    ("jobs/daily.sql", "insert into mart.daily\nselect region, sum(total) as total from raw.orders group by region;\n"),
    ("jobs/aside.sql", "select 1 from nobody.knows;\n"),
    ("CODEOWNERS", "/jobs/ @acme/crm\n"),
    ("dbt/dbt_project.yml", "name: dbt\n"),
    ("dbt/models/sources.yml", "sources: [{name: raw, tables: [{name: users}]}]\n"),
    ("dbt/models/named.sql", "select id, upper(name) as name from {{ source('raw', 'users') }}\n"),
    ("dbt/models/last.sql", "{% for m in ['named'] %}select * from {{ ref(m) }}{% endfor %}\n"),
];

#[test]
fn lineage_goes_through_jobs_and_models() {
    let rig = rig(&FILES);
    let list = rig.json(["catalog", "scan-code", "shop"]);
    assert_eq!(list["items"][0]["consumers"], 3);
    assert_eq!(list["items"][0]["passedOver"], 1);
    let lineage = |name: &str| rig.run(["lineage", name]).ended(0).stdout;
    assert_eq!(
        lineage("orders"),
        "resource:default/orders\n└─ component:default/shop.jobs.daily\n   └─ resource:default/daily\n"
    );
    assert_eq!(
        lineage("users"),
        "resource:default/users\n└─ component:default/shop.dbt.named\n   └─ component:default/shop.dbt.last\n"
    );
    let shown = rig.run(["catalog", "show", "component:shop.jobs.daily", "-o", "json"]).ended(0).stdout;
    for words in ["group:default/crm", "jobs/daily.sql", "aggregation", "code:/"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    // A second time nothing is new.
    let list = rig.json(["catalog", "scan-code", "shop"]);
    assert_eq!((&list["items"][0]["added"], &list["items"][0]["changed"]), (&0.into(), &0.into()));
    // What is gone is gone.
    fs::remove_file(rig.path("shop/jobs/daily.sql")).unwrap();
    let list = rig.json(["catalog", "scan-code", "shop"]);
    assert_eq!(list["items"][0]["removed"], 1);
    assert_eq!(lineage("orders"), "resource:default/orders\n(nothing further is known)\n");
}

#[test]
fn a_second_look_for_references_reads_what_changed() {
    let rig = rig(&FILES);
    let refs = || rig.run(["refs", "shop", "-d", "raw.orders", "-o", "name"]).ended(0);
    let first = refs();
    let scans = || fs::read_dir(rig.path("home/scans")).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    assert_eq!(scans().len(), 1);
    assert_eq!((refs().stdout, refs().stderr), (first.stdout.clone(), first.stderr.clone()));
    rig.write("shop/jobs/more.sql", "select id from raw.orders;\n");
    let more = refs().stdout;
    assert_eq!(more, format!("{}shop/jobs/more.sql:1:8\nshop/jobs/more.sql:1:16\n", first.stdout));
    // What is damaged is not believed.
    fs::write(&scans()[0], "greylag scan 1 rubbish\n").unwrap();
    assert_eq!(refs().stdout, more);
    // Old ones go with the rest of what nobody needs.
    let list = rig.json(["gc", "--older-than", "1d"]);
    assert!(list["items"].as_array().unwrap().iter().all(|item| item["kind"] != "scan"), "{list}");
    let file = fs::File::options().append(true).open(&scans()[0]).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    let list = rig.json(["gc", "--older-than", "1d"]);
    assert_eq!(list["items"][0]["kind"], "scan", "{list}");
    assert!(scans().is_empty());
}
