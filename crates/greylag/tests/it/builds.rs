//! Proofs by builds: DuckDB's own program in the real sandbox, and dbt in a repository whose owner names it.

use crate::duckdb::program;
use crate::rewrite::{read, rig, words};
use crate::rig::{Rig, Said, said};
use crate::witness::python;
use greylag_data::pool::ReaderPool;
use greylag_data::proof::DuckDbBuilds;
use greylag_data::request::handle;
use greylag_data::sampler::Scratch;
use greylag_driver::proof::{Build, BuildProver, Built, conformance};
use greylag_fleet::bubblewrap::Bubblewrap;
use greylag_model::proof::{BuildRequest, BuiltNode, Content, Effort, Outcome, ProofVerdict, Relation};
use greylag_model::table::TableName;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn name(text: &str) -> TableName {
    text.parse().unwrap()
}

/// `raw.users_v1` that changes, and `lake.ref.places` that does not.
fn relations() -> Vec<Relation> {
    let mut relations = conformance::request("", "").relations;
    let places = vec![name("lake.ref.places")];
    (relations[1].old, relations[1].new) = (places.clone(), places);
    relations
}

fn request(makes: bool) -> BuildRequest {
    let mut relations = relations();
    let mapping = match &relations[0].content {
        Content::Changed(mapping) => mapping.clone(),
        Content::Same { .. } => panic!("it changes"),
    };
    let (old, new) = if makes { ("main.users_v1", "main.users_v2") } else { ("greylag.main.m", "greylag.main.m") };
    let node = BuiltNode { subject: "m".to_owned(), old: name(old), new: name(new), makes: makes.then_some(mapping) };
    if makes {
        relations.remove(0);
    }
    BuildRequest {
        subject: "shop".to_owned(),
        dialect: "duckdb".to_owned(),
        texts: Vec::new(),
        relations,
        stays: Vec::new(),
        nodes: vec![node],
        effort: Effort::default(),
    }
}

/// What a build that runs these texts comes to, and how many builds it took.
fn built(request: &BuildRequest, old: &str, new: &str) -> (ProofVerdict, usize) {
    let folder = tempfile::tempdir().unwrap();
    let scratch = Scratch::create(folder.path(), "builds").unwrap();
    let sandbox = Bubblewrap::find(&std::env::var_os("PATH").unwrap());
    let prover = DuckDbBuilds::new(Arc::new(ReaderPool::in_process(handle)), Arc::new(sandbox), program(), scratch);
    let count = AtomicUsize::new(0);
    let build = |build: &Build<'_>| {
        count.fetch_add(1, Ordering::Relaxed);
        let mut command = Command::new(program());
        command.arg(build.folder.join(Build::file(0)));
        for (at, alias) in build.databases.iter().enumerate().skip(1) {
            let path = build.folder.join(Build::file(at));
            command.args(["-c", &format!("attach '{}' as {alias}", path.display())]);
        }
        // As a project does, it goes on where something fails.
        for text in (if build.old { old } else { new }).split(';') {
            command.args(["-c", text]);
        }
        command.output().unwrap();
        Ok(Built::Ended)
    };
    let verdict = prover.prove(request, &build, &|| false).unwrap().nodes.remove(0);
    assert_eq!(fs::read_dir(folder.path().join("builds")).unwrap().count(), 0, "databases are left behind");
    (verdict, count.into_inner())
}

fn check(old: &str, new: &str, expected: &str) {
    let (verdict, _) = built(&request(false), old, new);
    let reason = match &verdict.outcome {
        Outcome::Equal => String::new(),
        Outcome::Different(found) => format!(" {:?}", found.kind).to_lowercase(),
        Outcome::Unprovable(found) => format!(" {}", found.reason.name()),
    };
    assert_eq!(format!("{}{reason}", verdict.name()), expected, "{old} | {new}: {verdict:?}");
}

const OLD: &str = "create table m as select id, name from raw.users_v1";
const NEW: &str = "create table m as select user_id as id, full_name as name from raw.users_v2";

#[test]
fn what_builds_make_is_compared() {
    check(OLD, NEW, "equal");
    check(OLD, &NEW.replace("full_name", "lower(full_name) || '!'"), "different rows");
    check(OLD, &NEW.replace(" as id", ""), "different columns");
    check(OLD, "select 1", "different fails");
    check(OLD, "create table m as select id, name from raw.users_v1", "different fails");
    check("select 1", NEW, "unprovable failing");
    check(&format!("{OLD} where false"), &format!("{NEW} where false"), "unprovable empty");
    check(&OLD.replace("name", "random() as name"), &NEW.replace("full_name", "random()"), "unprovable random");
    let view = |text: &str| text.replace("table m", "view m");
    check(&view(OLD), &view(NEW), "equal");
    let joined = |text: &str, id: &str| format!("{text} join lake.ref.places p on p.id = {id}");
    check(
        &joined(&OLD.replace("id,", "p.id, place,"), "users_v1.id"),
        &joined(&NEW.replace("user_id as id,", "p.id, place,"), "user_id"),
        "equal",
    );
}

#[test]
fn other_types_are_tried_where_nothing_came_of_it() {
    let mut request = request(false);
    let Content::Same { guessed, .. } = &mut request.relations[1].content else { panic!() };
    *guessed = true;
    // DuckDB adds nothing to a text; the next guess is that all are numbers.
    let sum = |id: &str, from: &str| {
        format!(
            "create table m as select {id} as id, sum(p.place + 1) as s from lake.ref.places p, {from} group by all"
        )
    };
    let (verdict, builds) = built(&request, &sum("u.id", "raw.users_v1 u"), &sum("u.user_id", "raw.users_v2 u"));
    assert_eq!((verdict.name(), builds), ("equal", 4), "{verdict:?}");
}

#[test]
fn what_makes_a_dataset_is_compared_as_its_mapping_explains() {
    let text = |old: &str| format!("create table {old} as select");
    let old = format!("{} id, place as name, id + 1 as age from lake.ref.places", text("users_v1"));
    let new = format!("{} id as user_id, place as full_name, id + 1 as age from lake.ref.places", text("users_v2"));
    assert_eq!(built(&request(true), &old, &new).0.name(), "equal");
    let wrong = new.replace("id + 1", "id + 2");
    assert_eq!(built(&request(true), &old, &wrong).0.name(), "different");
}

#[test]
fn a_build_that_is_stopped_tells_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let scratch = Scratch::create(folder.path(), "builds").unwrap();
    let sandbox = Bubblewrap::find(&std::env::var_os("PATH").unwrap());
    let prover = DuckDbBuilds::new(Arc::new(ReaderPool::in_process(handle)), Arc::new(sandbox), program(), scratch);
    let stopped = |_: &Build<'_>| Ok(Built::Stopped("it took too long".to_owned()));
    let verdict = prover.prove(&request(false), &stopped, &|| false).unwrap().nodes.remove(0);
    let Outcome::Unprovable(found) = verdict.outcome else { panic!() };
    assert_eq!((found.reason.name(), found.why.as_str()), ("limit", "it took too long"));
}

/// A project of dbt whose models hang on what only a run knows.
const PROJECT: &[(&str, &str)] = &[
    (
        ".greylag.yaml",
        "dialect: duckdb\nbuild:\n  run: [dbt, build]\n  timeout: 5m\n  limits: {memory: 2GiB, cpu: 10m, processes: 64, disk: 1GiB}\n",
    ),
    (
        "dbt_project.yml",
        "name: shop\nversion: 1.0.0\nconfig-version: 2\nprofile: shop\nflags: {send_anonymous_usage_stats: false}\n",
    ),
    // Nothing of this is read.
    ("profiles.yml", "shop: {target: prod, outputs: {prod: {type: duckdb, path: /nowhere/at/all.duckdb}}}\n"),
    (
        "models/sources.yml",
        "sources:\n- name: raw\n  schema: raw\n  tables: [{name: users_v1, columns: [{name: uid, data_tests: [unique]}]}]\n",
    ),
    (
        "models/plans.sql",
        "{% set found = run_query('select count(*) as n from ' ~ source('raw', 'users_v1')) %}\n\
         select uid, upper(name) as name, '{{ found.columns[0].values()[0] if execute else 0 }}' as n\n\
         from {{ source('raw', 'users_v1') }}\n",
    ),
    ("models/behind.sql", "select count(*) as c, max(n) as n from {{ ref('plans') }}\n"),
];

/// Runs the binary with DuckDB and dbt declared.
fn run(rig: &Rig, args: &[&str]) -> Said {
    let environment = fs::canonicalize(python().parent().unwrap().parent().unwrap()).unwrap();
    // A virtual environment has links to the Python that it was made of.
    let base = Command::new(python()).args(["-c", "import sys; print(sys.base_prefix, end='')"]).output().unwrap();
    let tools = format!("{}:{}", environment.display(), String::from_utf8(base.stdout).unwrap());
    let mut command = rig.command();
    command.args(args).env("PATH", std::env::var_os("PATH").unwrap());
    said(&command.env("GREYLAG_DUCKDB", program()).env("GREYLAG_TOOLS", tools).output().unwrap())
}

const PROVE: &[&str] = &["rewrite", "-f", "m.yaml", "repository", "--prove", "-o", "json"];

#[test]
fn the_projects_own_build_proves_what_no_text_alone_can() {
    let rig = rig(PROJECT);
    let proof = |said: &Said, path: &str| {
        let list = said.json();
        let at = words(&list, "path").iter().position(|found| found.ends_with(path)).unwrap();
        list["items"][at]["proof"].clone()
    };
    let before = run(&rig, PROVE);
    assert_eq!(proof(&before, "plans.sql")["verdict"], "unprovable", "{}", before.stdout);
    assert!(before.stderr.contains("build: unknown: `dbt build` is not trusted, and was not run"), "{}", before.stderr);
    let trusted = run(&rig, &["trust", "repository", "--yes"]).ended(0);
    assert!(trusted.stdout.contains("build, in the root") && trusted.stdout.contains("dbt"), "{}", trusted.stdout);
    let after = run(&rig, PROVE);
    let proven = proof(&after, "plans.sql");
    assert_eq!(proven["verdict"], "equal", "{}\n{}", after.stdout, after.stderr);
    assert!(proven["reach"]["engine"].as_str().unwrap().starts_with("a build in duckdb v"), "{proven}");
    let same = "build: pass: `dbt build` makes the same of 2 of 2 relations that the change reaches; ";
    assert!(after.stderr.contains(same), "{}", after.stderr);
    // A wrong edit, made by whomever.
    rig.run(["rewrite", "-f", "m.yaml", "repository", "--write"]);
    let right = read(&rig, "models/plans.sql");
    assert!(right.contains("user_id"), "{right}");
    fs::rename(rig.path("repository"), rig.path("edited")).unwrap();
    for (path, text) in PROJECT {
        rig.write(&format!("repository/{path}"), text);
    }
    rig.write("edited/models/plans.sql", right.replace("upper(name)", "lower(name)"));
    let wrong = run(&rig, &[PROVE, &["--with", "edited"]].concat());
    assert_eq!(proof(&wrong, "plans.sql")["verdict"], "different", "{}\n{}", wrong.stdout, wrong.stderr);
    assert_eq!(wrong.code, Some(1), "{}", wrong.stderr);
    assert!(Path::new(&rig.path("repository/models")).exists());
}
