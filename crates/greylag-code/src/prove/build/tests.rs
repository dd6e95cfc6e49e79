#![expect(clippy::unwrap_used, reason = "tests")]

use super::super::tests::users;
use super::*;
use crate::prove::Moved;
use crate::repository::{Options, look};
use crate::tree::{MemoryTree, Tree};
use crate::verify::command::Purpose;
use greylag_driver::sandbox::{Act, Job, Scripted};
use greylag_model::proof::{BuildVerdict, Content, Difference, Reach, Relation};
use greylag_model::table::TableName;
use greylag_syntax::sql::Dialect;

const FILES: &[(&str, &str)] = &[
    (".greylag.yaml", "build: {run: [dbt, build], project: warehouse, timeout: 9s}"),
    ("warehouse/dbt_project.yml", "name: p\nprofile: shop\n"),
    (
        "warehouse/models/sources.yml",
        "sources:\n- name: raw\n  tables: [{name: users_v1}, {name: seen, columns: [{name: at}]}]\n- name: far\n  database: lake\n  \
         tables: [{name: places}]\n",
    ),
    ("warehouse/models/first.sql", "select id, name from {{ source('raw', 'users_v1') }} where id > 3\n"),
    (
        "warehouse/models/behind.sql",
        "select f.id, p.size from {{ ref('first') }} f join {{ source('far', 'places') }} p using (id)\n",
    ),
    ("warehouse/models/apart.sql", "{{ config(schema='other') }} select a from plain\n"),
    ("warehouse/seeds/s.csv", "a\n1\n"),
];

fn tree() -> MemoryTree {
    MemoryTree::new(FILES.iter().copied())
}

/// What is asked of the tree and what rules make of it.
fn asked(left: &[&str]) -> Asked {
    let (change, mapping) = users();
    let (tree, options) = (tree(), Options { dialect: Some(Dialect::DuckDb), ..Options::default() });
    let report = look(&tree, std::slice::from_ref(&change), options).unwrap();
    let after = report.after(&tree);
    let moved = [Moved { change: &change, mapping: &mapping, sample: None }];
    let left = left.iter().copied().collect();
    let project = Project { before: &tree, after: &after, root: "warehouse", left: &left };
    request(&project, &moved).unwrap().unwrap()
}

fn named(relation: &Relation) -> String {
    let words = |names: &[TableName]| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let content = match &relation.content {
        Content::Changed(_) => "changed".to_owned(),
        Content::Same { schema, .. } => {
            schema.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
        }
    };
    format!("{} -> {}: {content}", words(&relation.old), words(&relation.new))
}

#[test]
fn what_is_read_is_made_and_what_is_reached_is_compared() {
    let Asked { request, paths, profile, left_out } = asked(&[]);
    let relations: Vec<String> = request.relations.iter().map(named).collect();
    let expected = [
        "raw.users_v1 -> raw.users_v2: changed",
        "plain -> plain: a",
        "raw.seen -> raw.seen: at",
        "lake.far.places -> lake.far.places: id, size",
    ];
    let mut sorted = relations.clone();
    sorted.sort();
    let mut wanted = expected.map(str::to_owned).to_vec();
    wanted.sort();
    assert_eq!(sorted, wanted);
    let nodes: Vec<String> =
        request.nodes.iter().map(|node| format!("{} {} {}", node.subject, node.old, node.new)).collect();
    assert_eq!(
        nodes,
        [
            "model.p.behind greylag.main.behind greylag.main.behind",
            "model.p.first greylag.main.first greylag.main.first"
        ]
    );
    assert_eq!(paths, ["warehouse/models/behind.sql", "warehouse/models/first.sql"]);
    assert_eq!((profile.as_str(), request.stays.len(), left_out), ("shop", 0, 0));
    assert!(request.texts.iter().any(|text| text.contains("id > 3")), "{:?}", request.texts);
}

#[test]
fn old_tables_stay_for_what_is_left_to_people() {
    let Asked { request, .. } = asked(&["users_v1"]);
    let stays: Vec<&Content> = request.stays.iter().map(|at| &request.relations[*at].content).collect();
    assert!(matches!(stays[..], [Content::Changed(_)]), "{stays:?}");
}

/// Has both builds made, one after the other, and answers what it was told to.
struct Told(Vec<ProofVerdict>);

impl BuildProver for Told {
    fn prove(
        &self,
        request: &BuildRequest,
        build: &dyn Fn(&Build<'_>) -> Result<Built, DriverError>,
        _: &dyn Fn() -> bool,
    ) -> Result<BuildVerdict, DriverError> {
        assert_eq!(request.nodes.len(), self.0.len());
        let (folder, databases) = (tempfile::tempdir().unwrap(), ["greylag".to_owned(), "lake".to_owned()]);
        for old in [true, false] {
            let built = build(&Build { old, folder: folder.path(), databases: &databases })?;
            assert_eq!(built, Built::Ended);
        }
        Ok(BuildVerdict { nodes: self.0.clone(), rows_in: 7, sampled: 2 })
    }
}

fn verdict(outcome: Outcome) -> ProofVerdict {
    ProofVerdict { outcome, reach: Reach::default() }
}

/// What comes of verdicts and of builds that end with a code.
fn proof(verdicts: Vec<ProofVerdict>, code: i32) -> BuildProof {
    let sandbox = Scripted::new(move |job: &Job| {
        assert_eq!((job.argv.join(" ").as_str(), job.network, job.time_millis), ("dbt build", false, 9_000));
        assert!(job.directory.ends_with("warehouse"), "{:?}", job.directory);
        let at = job.folders.iter().find(|folder| folder.at == Path::new("/greylag")).unwrap();
        let profiles = fs::read_to_string(at.path.join("profiles.yml")).unwrap();
        let expected = r#"{"shop":{"outputs":{"greylag":{"attach":[{"alias":"lake","path":"/greylag/database-1.duckdb"}],"path":"/greylag/greylag.duckdb","schema":"main","settings":{"TimeZone":"UTC"},"threads":1,"type":"duckdb"}},"target":"greylag"}}"#;
        assert_eq!((profiles.as_str(), at.writable), (expected, true));
        assert_eq!(job.environment["DBT_PROFILES_DIR"], "/greylag");
        let text = fs::read_to_string(job.folders[0].path.join("warehouse/models/first.sql")).unwrap();
        vec![Act::Write(text.into_bytes()), Act::Exit(code)]
    });
    let (before, scratch) = (tree(), tempfile::tempdir().unwrap());
    let mut after = crate::tree::Overlay::new(&before);
    after.put("warehouse/models/first.sql", "new".to_owned());
    let command = Command::of(&before, Purpose::Build).unwrap().unwrap();
    let runner = Runner { sandbox: &sandbox, scratch: scratch.path(), tools: &[], cancelled: &|| false };
    let trees = (&before as &dyn Tree, &after as &dyn Tree);
    let proof = prove(&command, trees, &asked(&[]), &Told(verdicts), runner).unwrap();
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "copies are removed");
    proof
}

#[test]
fn a_build_gets_its_project_and_its_profile() {
    let proof = proof(vec![verdict(Outcome::Equal), verdict(Outcome::Equal)], 0);
    let detail = "`dbt build` makes the same of 2 of 2 relations that the change reaches; 7 rows, 2 of them real";
    assert_eq!((proof.check.verdict, proof.check.detail.as_str()), (Verdict::Pass, detail));
    assert_eq!(proof.said, ["new"]);
}

#[test]
fn what_is_not_compared_is_no_pass() {
    let (before, (change, mapping)) = (tree(), users());
    let mut after = crate::tree::Overlay::new(&before);
    after.remove("warehouse/models/behind.sql");
    let moved = [Moved { change: &change, mapping: &mapping, sample: None }];
    let left = std::collections::BTreeSet::new();
    let project = Project { before: &before, after: &after, root: "warehouse", left: &left };
    let asked = request(&project, &moved).unwrap().unwrap();
    assert_eq!((asked.left_out, asked.request.nodes.len()), (1, 1));
    let mut counted = Counted { left_out: 1, ..Counted::default() };
    counted.take("model.p.first", &verdict(Outcome::Equal));
    let check = counted.check(&Command::of(&before, Purpose::Build).unwrap().unwrap(), false);
    assert_eq!(check.verdict, Verdict::Unknown, "{}", check.detail);
    assert!(check.detail.contains(", 1 gone or too many to be compared; "), "{}", check.detail);
}

#[test]
fn what_differs_fails_and_what_is_unprovable_is_unknown() {
    let different = Outcome::Different(Difference { why: "other rows".to_owned(), ..Difference::default() });
    let failed = proof(vec![verdict(different), verdict(Outcome::Equal)], 0).check;
    assert_eq!(failed.verdict, Verdict::Fail);
    assert!(failed.detail.ends_with("; `model.p.behind`: other rows"), "{}", failed.detail);
    let empty = ProofVerdict::unprovable(Reason::Empty, "no row");
    let unknown = proof(vec![verdict(Outcome::Equal), empty], 1);
    assert_eq!(unknown.check.verdict, Verdict::Unknown);
    assert!(unknown.check.detail.contains(", 1 unprovable (empty); "), "{}", unknown.check.detail);
    assert_eq!(unknown.check.hint.as_deref(), Some("look at the end of what the build said"));
    assert_eq!(unknown.said, ["select id, name from {{ source('raw', 'users_v1') }} where id > 3"]);
}

#[test]
fn a_build_makes_only_unprovable_texts_better() {
    let path = "warehouse/models/first.sql";
    let equal = verdict(Outcome::Equal);
    let check = CheckResult { name: NAME.to_owned(), verdict: Verdict::Pass, detail: String::new(), hint: None };
    let built =
        |verdict| BuildProof { check: check.clone(), nodes: vec![(path.to_owned(), verdict)], said: Vec::new() };
    let open = ProofVerdict::unprovable(Reason::Open, "only a run knows");
    let different = verdict(Outcome::Different(Difference::default()));
    let ask = || Question { path: path.to_owned(), scope: String::new(), ask: Err(Box::new(open.clone())) };
    let name = |proof: &BuildProof, questions: &[Question], verdict: &ProofVerdict| {
        proof.better(&questions[0], questions, verdict.clone()).name()
    };
    assert_eq!(name(&built(equal.clone()), &[ask()], &open), "equal");
    assert_eq!(name(&built(different.clone()), &[ask()], &open), "different");
    assert_eq!(name(&built(open.clone()), &[ask()], &open), "unprovable");
    // A verdict of an engine that ran the text stays.
    assert_eq!(name(&built(equal.clone()), &[ask()], &different), "different");
    assert_eq!(name(&built(different), &[ask()], &equal), "equal");
    // A build goes one of several ways, and nobody knows which.
    assert_eq!(name(&built(equal), &[ask(), ask()], &open), "unprovable");
}
