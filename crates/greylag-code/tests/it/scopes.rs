//! A repository cut into scopes: which files travel together, and that each change request is right when it is merged alone.

use crate::forge::Embedded;
use greylag_code::forge::Hosts;
use greylag_code::git::CommitTree;
use greylag_code::proposal::{self, Proposal};
use greylag_code::repository::{FileReport, Options, Report};
use greylag_code::scope::{self, Looked};
use greylag_code::tree::{MemoryTree, Tree};
use greylag_code::verify;
use greylag_driver::forge::Policy;
use greylag_model::check::Verdict;
use greylag_model::consumer::{ColumnChange, Fate, TableChange};
use greylag_model::plan::ScopeObserved;
use greylag_model::spec::{Metadata, Outputs, ScopeBy, ScopesSpec, SourcePolicy, StarPolicy};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const REPOSITORY: &str = "team/models";
const OPTIONS: Options<'static> = Options { dialect: Some(greylag_syntax::sql::Dialect::DuckDb), stated: None };

/// `shop.NAME_v1 (id, kept)` becomes `shop.NAME_VERSION (key, kept)`.
fn change(name: &str, version: &str) -> TableChange {
    let fate =
        |old: &str, new: &str| ColumnChange { name: old.to_owned(), fate: Fate::Same(new.to_owned()), judgement: None };
    TableChange {
        dataset: name.to_owned(),
        old: vec![format!("shop.{name}_v1").parse().unwrap()],
        new: format!("shop.{name}_{version}").parse().unwrap(),
        columns: vec![fate("id", "key"), fate("kept", "kept")],
        target: ["key", "kept"].map(str::to_owned).to_vec(),
        made: Vec::new(),
        outputs: Outputs::Keep,
        star: StarPolicy::Expand,
        sources: SourcePolicy::Whole,
        undoes: None,
    }
}

fn changes() -> Vec<TableChange> {
    vec![change("orders", "v2"), change("users", "v2")]
}

fn by(by: ScopeBy, paths: &[&str]) -> ScopesSpec {
    ScopesSpec { by, paths: paths.iter().map(|path| (*path).to_owned()).collect() }
}

/// A repository on the forge, cut.
struct Cut {
    world: Embedded,
    policy: ScopesSpec,
    changes: Vec<TableChange>,
    scopes: Vec<ScopeObserved>,
}

impl Cut {
    fn new(files: &[(&str, &str)], policy: ScopesSpec) -> Self {
        Self::of(files, policy, changes())
    }

    fn of(files: &[(&str, &str)], policy: ScopesSpec, changes: Vec<TableChange>) -> Self {
        let world = Embedded::new(Policy::default(), files);
        let scopes = scope::observe(&world.forge, REPOSITORY, &changes, &policy, OPTIONS).unwrap();
        Self { world, policy, changes, scopes }
    }

    fn base(&self) -> CommitTree {
        Hosts::repository(&self.world.forge, REPOSITORY).unwrap().branch_tree("main").unwrap().unwrap()
    }

    /// Scopes with their files and edits, datasets and owner, as text.
    fn text(&self) -> String {
        let mut text = String::new();
        for scope in &self.scopes {
            let files: Vec<String> = scope.files.iter().map(|file| format!("{}:{}", file.path, file.edits)).collect();
            let owner = scope.owner.as_ref().map_or_else(|| "nobody".to_owned(), ToString::to_string);
            let part = scope.part.as_deref().unwrap_or("-");
            writeln!(text, "{part} ({owner}) {} of {}", files.join(" "), scope.datasets.join(" ")).unwrap();
            for note in &scope.notes {
                writeln!(text, "  {note}").unwrap();
            }
        }
        text
    }

    fn look(&self, tree: &dyn Tree, scope: &ScopeObserved) -> Looked {
        scope::look(tree, scope, &self.changes, &self.policy, OPTIONS).unwrap()
    }

    /// Holds each scope's change against what verifiers say of it by itself, and all of them in both orders against what the whole
    /// repository would become.
    fn each_is_right_alone(&self) {
        let base = self.base();
        let about = Metadata { name: "m".to_owned(), ..Metadata::default() };
        for scope in &self.scopes {
            let Looked { report, elsewhere } = self.look(&base, scope);
            let after = flat(&report.after(&base));
            let (changes, part) = (&self.changes, scope.part.as_deref());
            let left = scope::left(&report, &elsewhere);
            let options =
                verify::Options { dialect: OPTIONS.dialect, report: Some(&left), ..verify::Options::default() };
            let verdicts = verify::verify(&base, &after, changes, options).unwrap();
            let proposal = Proposal { about: &about, changes, until: None, report, part, elsewhere };
            let own = proposal.checks(&base, REPOSITORY, OPTIONS).unwrap();
            for check in verdicts.iter().filter(|check| check.name != "idempotent").chain(&own) {
                assert_ne!(check.verdict, Verdict::Fail, "{}: {check:?}", scope.name());
            }
        }
        let whole = proposal::look(&base, REPOSITORY, &self.changes, OPTIONS).unwrap();
        let whole = texts(&flat(&whole.after(&base)));
        for scopes in [self.scopes.clone(), self.scopes.iter().rev().cloned().collect()] {
            let mut tree = flat(&base);
            for scope in &scopes {
                let looked = self.look(&tree, scope);
                tree = flat(&looked.report.after(&tree));
                assert!(self.look(&tree, scope).report.files.iter().all(|file| file.new.is_none()), "{}", scope.name());
            }
            assert_eq!(texts(&tree), whole);
        }
    }
}

fn texts(tree: &dyn Tree) -> BTreeMap<String, String> {
    let text = |path: &String| String::from_utf8_lossy(&tree.read(path).unwrap().unwrap()).into_owned();
    tree.paths().unwrap().into_iter().map(|path| (path.clone(), text(&path))).collect()
}

/// A tree in memory of the same files.
fn flat(tree: &dyn Tree) -> MemoryTree {
    MemoryTree::of(texts(tree).into_iter().map(|(path, text)| (path, text.into_bytes())))
}

fn changed(report: &Report) -> Vec<&str> {
    let changed = |file: &&FileReport| file.new.is_some();
    report.files.iter().filter(changed).map(|file| file.path.as_str()).collect()
}

const OWNERS: (&str, &str) = (".github/CODEOWNERS", "/jobs/crm/ @org/crm\n/jobs/shop/ @org/shop\n");
const USERS: &str = "select id from shop.users_v1;\n";
const ORDERS: &str = "select id from shop.orders_v1;\n";
const JOBS: [(&str, &str); 5] = [
    OWNERS,
    ("jobs/crm/a.sql", USERS),
    ("jobs/shop/b.sql", ORDERS),
    ("jobs/shop/c.sql", "select o.id from shop.orders_v1 o join shop.users_v1 u on u.id = o.id;\n"),
    ("jobs/free.sql", USERS),
];

#[test]
fn files_of_one_owner_travel_together() {
    let cut = Cut::new(&JOBS, by(ScopeBy::Owner, &[]));
    assert_eq!(
        cut.text(),
        "group:crm (group:default/crm) jobs/crm/a.sql:2 of users\n\
         group:shop (group:default/shop) jobs/shop/b.sql:2 jobs/shop/c.sql:5 of orders users\n\
         unowned (nobody) jobs/free.sql:2 of users\n"
    );
    cut.each_is_right_alone();
}

#[test]
fn files_of_one_folder_travel_together_by_the_longest() {
    let cut = Cut::new(&JOBS, by(ScopeBy::Path, &["jobs", "jobs/shop", "jobs/sho"]));
    assert_eq!(
        cut.text(),
        "jobs/ (group:default/crm) jobs/crm/a.sql:2 jobs/free.sql:2 of users\n\
         jobs/shop/ (group:default/shop) jobs/shop/b.sql:2 jobs/shop/c.sql:5 of orders users\n"
    );
    cut.each_is_right_alone();
    let cut = Cut::new(&JOBS, by(ScopeBy::Path, &["jobs/crm/"]));
    let parts: Vec<_> = cut.scopes.iter().map(|scope| scope.part.as_deref().unwrap()).collect();
    assert_eq!(parts, ["jobs/crm/", "rest"]);
}

#[test]
fn a_whole_repository_is_most_of_its_owners() {
    let cut = Cut::new(&JOBS, ScopesSpec::default());
    assert_eq!(
        cut.text(),
        "- (group:default/shop) jobs/crm/a.sql:2 jobs/free.sql:2 jobs/shop/b.sql:2 jobs/shop/c.sql:5 of orders users\n"
    );
    // Nothing is left to cut where nothing is concerned.
    let cut = Cut::new(&[("a.sql", "select 1;\n")], by(ScopeBy::Owner, &[]));
    assert_eq!(cut.text(), "- (nobody)  of \n");
}

#[test]
fn lines_of_owners_that_cannot_be_read_are_told() {
    let owners = ("CODEOWNERS", "jobs/ @org/crm\n[open\n!jobs/x.sql @org/x\n");
    let cut = Cut::new(&[owners, ("jobs/a.sql", USERS)], by(ScopeBy::Owner, &[]));
    let expected = "group:crm (group:default/crm) jobs/a.sql:2 of users\n  \
                    2 lines of `CODEOWNERS` cannot be read, and say nothing\n";
    assert_eq!(cut.text(), expected);
}

const PROJECT: (&str, &str) = ("dbt_project.yml", "name: shop\nversion: '1.0'\n");
const PROJECT_OWNERS: (&str, &str) =
    ("CODEOWNERS", "* @org/platform\n/models/crm/ @org/crm\n/models/shop/ @org/shop\n");

fn source(name: &str) -> String {
    format!(
        "sources:\n  - name: {name}\n    schema: shop\n    tables:\n      - name: {name}_v1\n        columns:\n          - name: id\n"
    )
}

fn reader(name: &str) -> String {
    format!("select id from {{{{ source('{name}', '{name}_v1') }}}}\n")
}

/// Two sources of a project that nothing joins are two change requests; what reads through a macro goes with it.
#[test]
fn a_project_is_cut_where_nothing_holds_it_together() {
    let (users, orders) = (source("users"), source("orders"));
    let (one, other) = (reader("users"), reader("orders"));
    let key = "{% macro id_of(x) %}{{ x }}.id{% endmacro %}\n";
    let through = "select {{ id_of('u') }} from {{ source('users', 'users_v1') }} u\n";
    let files = [
        PROJECT,
        PROJECT_OWNERS,
        ("models/crm/users.yml", users.as_str()),
        ("models/crm/one.sql", one.as_str()),
        ("models/shop/orders.yml", orders.as_str()),
        ("models/shop/other.sql", other.as_str()),
        ("models/shop/last.sql", "select id from {{ ref('other') }}\n"),
    ];
    let cut = Cut::new(&files, by(ScopeBy::Owner, &[]));
    assert_eq!(
        cut.text(),
        "group:crm (group:default/crm) models/crm/one.sql:2 models/crm/users.yml:2 of users\n\
         group:shop (group:default/shop) models/shop/orders.yml:2 models/shop/other.sql:2 of orders\n"
    );
    cut.each_is_right_alone();
    let with_macro: Vec<(&str, &str)> =
        files.into_iter().chain([("macros/id_of.sql", key), ("models/shop/through.sql", through)]).collect();
    let cut = Cut::new(&with_macro, by(ScopeBy::Owner, &[]));
    let crm = &cut.scopes[0];
    assert_eq!(crm.part.as_deref(), Some("group:crm"));
    let paths: Vec<&str> = crm.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        ["macros/id_of.sql", "models/crm/one.sql", "models/crm/users.yml", "models/shop/through.sql"],
        "{}",
        cut.text()
    );
    assert_eq!(
        crm.notes,
        ["`macros/id_of.sql` (of `group:platform`), `models/shop/through.sql` (of `group:shop`) travel with \
          `models/crm/one.sql`: their edits only work together"]
    );
    cut.each_is_right_alone();
}

/// One file declares all sources, so all of their readers go with it, wherever they are.
#[test]
fn what_one_file_declares_travels_together() {
    let both = format!("{}{}", source("users"), source("orders").trim_start_matches("sources:\n"));
    let (one, other) = (reader("users"), reader("orders"));
    let files = [
        PROJECT,
        PROJECT_OWNERS,
        ("models/sources.yml", both.as_str()),
        ("models/crm/one.sql", one.as_str()),
        ("models/crm/two.sql", one.as_str()),
        ("models/shop/other.sql", other.as_str()),
        ("jobs/a.sql", "select 1\n"),
    ];
    let cut = Cut::new(&files, by(ScopeBy::Owner, &[]));
    assert_eq!(
        cut.text(),
        "group:crm (group:default/crm) models/crm/one.sql:2 models/crm/two.sql:2 models/shop/other.sql:2 models/sources.yml:4 of orders users\n  \
         `models/shop/other.sql` (of `group:shop`), `models/sources.yml` (of `group:platform`) travel with `models/crm/one.sql`: \
         their edits only work together\n"
    );
    cut.each_is_right_alone();
}

#[test]
fn who_makes_datasets_of_one_another_travels_together() {
    let files = [
        OWNERS,
        ("jobs/crm/a.sql", "insert into shop.orders_v1 (id) select id from shop.users_v1;\n"),
        ("jobs/shop/b.sql", "insert into shop.users_v1 (id) select id from shop.orders_v1;\n"),
        ("jobs/shop/c.sql", ORDERS),
    ];
    let cut = Cut::new(&files, by(ScopeBy::Owner, &[]));
    assert_eq!(cut.scopes.len(), 2, "{}", cut.text());
    let (crm, shop) = (&cut.scopes[0], &cut.scopes[1]);
    assert_eq!((crm.files.len(), crm.flows.len(), shop.files.len()), (2, 2, 1));
    assert_eq!(
        crm.notes,
        [
            "`jobs/shop/b.sql` (of `group:shop`) travels with `jobs/crm/a.sql`: they make datasets of one another in a circle"
        ]
    );
    cut.each_is_right_alone();
    // To add to what is read as well is no circle.
    let appends = [
        OWNERS,
        ("jobs/crm/a.sql", "insert into shop.users_v1 (id) select id from shop.users_v1;\n"),
        ("jobs/shop/b.sql", "insert into shop.users_v1 (id) select id from shop.users_v1;\n"),
    ];
    let cut = Cut::new(&appends, by(ScopeBy::Owner, &[]));
    assert!(cut.scopes.iter().all(|scope| scope.notes.is_empty() && scope.files.len() == 1), "{}", cut.text());
}

/// What is there only when the step runs goes where its owner says, and what the plan does not wait for stays.
#[test]
fn files_are_found_anew() {
    let cut = Cut::new(&JOBS, by(ScopeBy::Owner, &[]));
    let mut now = texts(&cut.base());
    now.insert("jobs/crm/new.sql".to_owned(), USERS.to_owned());
    now.insert("jobs/shop/new.sql".to_owned(), USERS.to_owned());
    now.insert("jobs/crm/early.sql".to_owned(), ORDERS.to_owned());
    now.remove("jobs/free.sql");
    let now = MemoryTree::of(now.into_iter().map(|(path, text)| (path, text.into_bytes())));
    let of = |at: usize| changed(&cut.look(&now, &cut.scopes[at]).report).join(" ");
    assert_eq!(of(0), "jobs/crm/a.sql jobs/crm/new.sql");
    assert_eq!(of(1), "jobs/shop/b.sql jobs/shop/c.sql jobs/shop/new.sql");
    assert_eq!(of(2), "");
}

/// Where a part by itself would render otherwise, which no edit shows, the project stays whole.
#[test]
fn a_project_whose_parts_do_not_stand_alone_is_one_piece() {
    let files = [
        PROJECT,
        ("CODEOWNERS", "crm* @org/crm\nshop* @org/shop\n"),
        ("macros/crm.sql", "{% macro users() %}shop.users_v1{% endmacro %}"),
        ("macros/shop.sql", "{% macro order() %}shop.order_v1{% endmacro %}"),
        ("models/crm/one.sql", "select id from {{ users() }}\n"),
        ("models/shop/other.sql", "select id from {{ order() }}\n"),
    ];
    let changes = vec![change("order", "v10"), change("users", "v10")];
    let parts = |files: &[(&str, &str)]| {
        let cut = Cut::of(files, by(ScopeBy::Owner, &[]), changes.clone());
        cut.each_is_right_alone();
        cut.text()
    };
    assert_eq!(
        parts(&files),
        "group:crm (group:default/crm) macros/crm.sql:1 models/crm/one.sql:1 of users\n\
         group:shop (group:default/shop) macros/shop.sql:1 models/shop/other.sql:1 of order\n"
    );
    // Both names get longer by one letter, so only together they stay as long as each other.
    let compared = "select {% if users() | length == order() | length %}1{% else %}2{% endif %} as same\n";
    let files: Vec<(&str, &str)> = files.into_iter().chain([("models/shop/compared.sql", compared)]).collect();
    let text = parts(&files);
    assert!(
        text.lines().count() == 2 && text.contains("parts of their project do not render by themselves as they must"),
        "{text}"
    );
}
