use super::read;

/// Reads a file; tells each entity with what it mentions, then all that is wrong.
fn check(text: &str, expected: &str) {
    let read = read("f.yaml", text.as_bytes());
    let mut lines = Vec::new();
    for descriptor in &read.entities {
        let mentions: Vec<String> =
            descriptor.mentions.iter().map(|mention| format!("{}={}", mention.field, mention.to)).collect();
        lines.push(format!(
            "{} {}:{} {}",
            descriptor.reference,
            descriptor.place.line,
            descriptor.place.column,
            mentions.join(" ")
        ));
    }
    lines.extend(read.diagnostics.iter().map(ToString::to_string));
    lines.push(format!("complete: {}", read.complete));
    let seen = lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n");
    assert_eq!(seen, expected.trim_end(), "\n{seen}");
}

/// A dataset whose metadata and spec have these lines more.
fn dataset(metadata: &str, spec: &str) -> String {
    let indent = |text: &str| text.lines().flat_map(|line| ["  ", line, "\n"]).collect::<String>();
    format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata:\n  name: users\n{}spec:\n  type: dataset\n  owner: crm\n{}",
        indent(metadata),
        indent(spec)
    )
}

#[test]
fn every_kind_with_its_relations() {
    check(
        "
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: Daily-Job, namespace: finance}
spec:
  type: data-pipeline
  lifecycle: production
  owner: default/crm
  system: billing
  dependsOn: ['resource:users_v1', 'component:default/other']
  consumesApis: [prices]
---
apiVersion: backstage.io/v1beta1
kind: Group
metadata: {name: crm}
spec: {type: team, children: [], parent: sales, members: [jane]}
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata: {name: jane}
spec: {memberOf: [crm]}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: billing}
spec: {owner: user:jane, domain: money}
---
apiVersion: backstage.io/v1alpha1
kind: Domain
metadata: {name: money}
spec: {owner: crm}
---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: prices}
spec: {type: openapi, lifecycle: production, owner: crm, definition: {$text: ./openapi.yaml}}
---
apiVersion: greylag.dev/v1alpha1
kind: Migration
metadata: {name: other}
",
        "component:finance/daily-job 4:18 spec.owner=group:default/crm spec.system=system:finance/billing spec.dependsOn=resource:finance/users_v1 spec.dependsOn=component:default/other spec.consumesApis=api:finance/prices
group:default/crm 15:18 spec.parent=group:default/sales spec.members=user:default/jane
user:default/jane 20:18 spec.memberOf=group:default/crm
system:default/billing 25:18 spec.owner=user:default/jane spec.domain=domain:default/money
domain:default/money 30:18 spec.owner=group:default/crm
api:default/prices 35:18 spec.owner=group:default/crm
complete: true",
    );
}

#[test]
fn all_faults_of_all_documents_are_told() {
    check(
        "apiVersion: backstage.io/v1alpha1
kind: Resource
metadata:
  name: users v1
  namespace: Finance
  title: [x]
  labels: {team: a b, 'x y': z}
  annotations: {n: 1}
  tags: [OK, fine]
  links: [{title: x}]
spec:
  type: dataset
  dependsOn: [users]
  system: 'a:b:c'
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: fine}
spec: {type: team, children: []}
",
        "group:default/fine 18:18
f.yaml:4:9: error[GL0304]: `users v1` is not a legal name
  hint: `users-v1` would do; the full name can go in `metadata.title`
f.yaml:5:14: error[GL0304]: `Finance` is not a legal namespace
  hint: allowed are `a-z`, `0-9` and single `-` between them, 63 at most
f.yaml:6:10: error[GL0301]: `metadata.title` must be text, not a list
f.yaml:7:18: error[GL0304]: `a b` is not a legal value of a label
  hint: free text belongs in an annotation
f.yaml:7:23: error[GL0304]: `x y` is not a legal key of a label
  hint: a key is a name, perhaps with a DNS domain and `/` before it, e.g. `example.com/team`
f.yaml:8:20: error[GL0301]: `n` must be text, not a number
  hint: put it in quotes
f.yaml:9:10: error[GL0304]: `OK` is not a legal tag
  hint: allowed are `a-z`, `0-9`, `+`, `#`, `:` and single `-` between them, 63 at most
f.yaml:10:11: error[GL0305]: a descriptor must have `metadata.links.0.url`
f.yaml:12:3: error[GL0305]: a `Resource` must have `spec.owner`
  hint: name a group or user, e.g. `owner: group:default/data-platform`
f.yaml:13:15: error[GL0306]: the reference `users` in `spec.dependsOn` does not say of which kind
  hint: write `resource:users` or `component:users`
f.yaml:14:11: error[GL0306]: the reference `a:b:c` in `spec.system` is not of the form `[kind:][namespace/]name`
  hint: e.g. `resource:default/users_v1`
complete: false",
    );
}

#[test]
fn kinds_and_versions() {
    let of = |version: &str, kind: &str| {
        format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\nspec: {{type: a, owner: b}}\n")
    };
    check(
        &of("backstage.io/v1alpha1", "Resorce"),
        "f.yaml:2:7: error[GL0303]: `Resorce` is not a kind\n  hint: did you mean `Resource`\ncomplete: false",
    );
    check(
        &of("backstage.io/v1alpha1", "resource"),
        "f.yaml:2:7: error[GL0303]: `resource` is not a kind\n  hint: did you mean `Resource`\ncomplete: false",
    );
    check(
        &of("backstage.io/v1alpha1", "Template"),
        "f.yaml:2:7: warning[GL0303]: documents of kind `Template` are passed over\ncomplete: true",
    );
    check(
        &of("apps/v1", "Resource"),
        "f.yaml:1:13: error[GL0302]: `apps/v1` is not an API version of catalog entities\n  hint: write `backstage.io/v1alpha1`\ncomplete: false",
    );
    check("just text", "f.yaml:1:1: error[GL0301]: a descriptor must be a mapping, not text\ncomplete: false");
    check(
        "kind: Group",
        "f.yaml:1:1: error[GL0305]: a descriptor must have `apiVersion`\nf.yaml:1:1: error[GL0305]: a descriptor must have `metadata`\nf.yaml:1:1: error[GL0305]: a descriptor must have `spec`\ncomplete: false",
    );
    check("", "complete: true");
    check("---\n---\n# nothing\n", "complete: true");
}

#[test]
fn annotations_of_greylag() {
    let one = |line: &str| dataset(&format!("annotations:\n  {line}"), "");
    let fine =
        |line: &str| check(&one(line), "resource:default/users 4:9 spec.owner=group:default/crm\ncomplete: true");
    fine("greylag.dev/location: lake/users.parquet");
    fine("{greylag.dev/connection: lake, greylag.dev/path: users}");
    fine(
        "{greylag.dev/format: csv, greylag.dev/csv-delimiter: ';', greylag.dev/csv-header: 'false', greylag.dev/csv-null: ''}",
    );
    fine("{greylag.dev/csv-delimiter: '\\t'}");
    check(
        &one("greylag.dev/reads: a, component:b c"),
        "resource:default/users 4:9 greylag.dev/reads=resource:default/a greylag.dev/reads=component:default/b greylag.dev/reads=resource:default/c spec.owner=group:default/crm\ncomplete: true",
    );
    let bad = |line: &str, expected: &str| check(&one(line), &format!("{expected}\ncomplete: false"));
    bad(
        "{greylag.dev/location: a, greylag.dev/connection: b}",
        "f.yaml:6:55: error[GL0307]: `greylag.dev/connection` contradicts `greylag.dev/location`\n  hint: remove one of the two",
    );
    bad(
        "greylag.dev/connection: b",
        "f.yaml:6:29: error[GL0307]: `greylag.dev/connection` needs `greylag.dev/path` beside it\n  hint: say which path below the connection's root holds the dataset",
    );
    bad(
        "greylag.dev/path: b",
        "f.yaml:6:23: error[GL0307]: `greylag.dev/path` needs `greylag.dev/connection` beside it\n  hint: a path without a connection goes in `greylag.dev/location`",
    );
    bad(
        "greylag.dev/location: ''",
        "f.yaml:6:27: error[GL0307]: `greylag.dev/location` is empty\n  hint: write the path of a file or directory",
    );
    bad(
        "greylag.dev/format: orc",
        "f.yaml:6:25: error[GL0307]: `greylag.dev/format` must be `parquet`, `csv`, `json` or `avro`",
    );
    bad(
        "greylag.dev/csv-quote: ''",
        "f.yaml:6:28: error[GL0307]: `greylag.dev/csv-quote` must be one ASCII character, or `tab`",
    );
    bad(
        "greylag.dev/csv-header: 'yes'",
        "f.yaml:6:29: error[GL0307]: `greylag.dev/csv-header` must be `true` or `false`",
    );
    bad(
        "greylag.dev/columns: nonsense",
        "f.yaml:6:26: error[GL0307]: `greylag.dev/columns` has an item `nonsense` that is not `name: type`",
    );
    check(
        &one("greylag.dev/locaton: a"),
        "resource:default/users 4:9 spec.owner=group:default/crm\nf.yaml:6:5: warning[GL0307]: Greylag knows no annotation `greylag.dev/locaton`\n  hint: did you mean `greylag.dev/location`\ncomplete: true",
    );
}

#[test]
fn anchors_are_followed_and_bombs_refused() {
    check(
        "
apiVersion: backstage.io/v1alpha1
kind: Resource
metadata: {name: a}
spec: &shared {type: dataset, owner: crm}
",
        "resource:default/a 4:18 spec.owner=group:default/crm\ncomplete: true",
    );
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let last = format!("*a{}", level - 1);
        bomb = format!("{bomb}a{level}: &a{level} [{}]\n", [last.as_str(); 10].join(", "));
    }
    let read = read("bomb.yaml", format!("{}---\n{bomb}", dataset("", "")).as_bytes());
    assert_eq!(read.entities.len(), 1, "what stands before the bomb is read: {:?}", read.diagnostics);
    assert!(!read.complete);
    assert!(read.diagnostics[0].to_string().contains("GL0105"), "{}", read.diagnostics[0]);
}

#[test]
fn a_malformed_document_does_not_hide_the_others() {
    let read = read(
        "f.yaml",
        format!("a: [1, 2\n---\n{}---\nb: 'x\n---\n{}", dataset("", ""), dataset("title: t", "")).as_bytes(),
    );
    assert_eq!(read.entities.len(), 2);
    assert_eq!(read.diagnostics.len(), 2);
    assert!(!read.complete);
}

#[test]
fn locations_have_targets() {
    let text = "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: all}\nspec:\n  target: a.yaml\n  targets: [teams/*.yaml, 1]\n";
    let read = read("f.yaml", text.as_bytes());
    assert_eq!(
        read.diagnostics[0].to_string(),
        "f.yaml:6:27: error[GL0301]: a target must be text, not a number\n  hint: put it in quotes"
    );
    let url = "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: all}\nspec: {type: url, target: 'https://x'}\n";
    check(
        url,
        "f.yaml:4:14: error[GL0312]: targets of type `url` are not followed\n  hint: only files are: leave `type` out or write `file`\ncomplete: false",
    );
}
