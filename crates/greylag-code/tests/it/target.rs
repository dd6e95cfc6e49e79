//! What somebody says of a project's target and variables settles what is open, for whoever reads the project.

use super::maker::change;
use greylag_code::flow::flows;
use greylag_code::repository::index::{Index, Subject};
use greylag_code::repository::{Options, Report, Stated, look, look_again};
use greylag_code::tree::MemoryTree;
use greylag_code::verify::{self, verify};
use greylag_model::check::Verdict;
use greylag_model::id::Timestamp;
use greylag_syntax::sql::NoSchemas;

const SOURCES: &str = "sources: [{name: shop, tables: [{name: users_v1}]}]\n";
/// What is read hangs on the target, which nothing says.
const MODEL: &str =
    "select uid from {% if target.name == 'prod' %}{{ source('shop', 'users_v1') }}{% else %}sample{% endif %}\n";

fn files<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let own = [("dbt_project.yml", "name: shop\nprofile: main\n"), ("models/s.yml", SOURCES), ("models/m.sql", MODEL)];
    own.into_iter()
        .filter(|(path, _)| more.iter().all(|(other, _)| other != path))
        .chain(more.iter().copied())
        .collect()
}

fn looked(more: &[(&str, &str)], stated: Option<&Stated>) -> Report {
    look(&MemoryTree::new(files(more)), &[change()], Options { dialect: None, stated }).unwrap()
}

fn stated(words: &[(&str, &str)]) -> Stated {
    let mut stated = Stated::default();
    for (key, value) in words {
        stated.say_target(key, value).unwrap();
    }
    stated
}

/// What becomes of the model, and how many statements it was read as.
fn model(report: &Report) -> String {
    let file = report.files.iter().find(|file| file.path == "models/m.sql");
    let new = file.and_then(|file| file.new.as_deref()).unwrap_or("-").trim_end();
    format!("{} {new}", report.seen.statements)
}

const MOVED: &str = "select user_id as uid from {% if target.name == 'prod' %}{{ source('shop', 'users_v2') }}{% else %}sample{% endif %}";

#[test]
fn what_an_owner_says_of_the_target_settles_what_is_open() {
    assert_eq!(model(&looked(&[], None)), "2 -");
    let prod = (".greylag.yaml", "dbt: {target: {name: prod}}\n");
    assert_eq!(model(&looked(&[prod], None)), format!("1 {MOVED}"));
    assert_eq!(model(&looked(&[(".greylag.yaml", "dbt: {target: {name: dev}}\n")], None)), "0 -");
    // What is said of the one project comes before what is said of all, and who asks before both.
    let own = (".greylag.yaml", "dbt: {target: {name: dev}, projects: {.: {target: {name: prod}}}}\n");
    assert_eq!(model(&looked(&[own], None)), format!("1 {MOVED}"));
    assert_eq!(model(&looked(&[prod], Some(&stated(&[("name", "dev")])))), "0 -");
    assert_eq!(model(&looked(&[], Some(&stated(&[("name", "prod")])))), format!("1 {MOVED}"));
}

#[test]
fn who_rewrites_does_not_believe_the_target_of_a_profile_and_lineage_does() {
    let profile = ("profiles.yml", "main: {target: dev, outputs: {dev: {type: duckdb, schema: s}}}\n");
    assert_eq!(model(&looked(&[profile], None)), "2 -");
    let reads = |more: &[(&str, &str)]| {
        let found = flows(&MemoryTree::new(files(more)), &NoSchemas, Options::default()).unwrap();
        let model = found.consumers.iter().find(|consumer| consumer.path == "models/m.sql").unwrap();
        let names = model.reads.iter().filter_map(|read| Some(read.relation.table.as_ref()?.to_string()));
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(reads(&[]), "sample shop.users_v1");
    assert_eq!(reads(&[profile]), "sample");
    let said = (".greylag.yaml", "dbt: {target: {name: prod}}\n");
    assert_eq!(reads(&[profile, said]), "shop.users_v1");
}

#[test]
fn the_kind_of_database_chooses_among_macros() {
    let model_text = "select {{ adapter.dispatch('key')() }} from {{ source('shop', 'users_v1') }}\n";
    let macros = "{% macro default__key() %}a{% endmacro %}{% macro redshift__key() %}uid{% endmacro %}";
    let text = [("models/m.sql", model_text), ("macros/key.sql", macros)];
    let edited = |more: &[(&str, &str)], stated: Option<&Stated>| {
        let report = looked(&[&text, more].concat(), stated);
        report.files.iter().any(|file| file.path == "macros/key.sql" && file.new.is_some())
    };
    assert!(!edited(&[], None));
    assert!(edited(&[], Some(&stated(&[("type", "redshift")]))));
    assert!(edited(&[(".greylag.yaml", "dbt: {target: {type: redshift}}\n")], None));
    // Of a profile that lies elsewhere only this is believed.
    assert!(edited(&[("ci/profiles.yml", "main: {outputs: {default: {type: redshift}}}\n")], None));
}

#[test]
fn variables_come_before_those_of_the_project() {
    let text = "select uid from {% if var('full') %}{{ source('shop', 'users_v1') }}{% else %}sample{% endif %}\n";
    let files = |said| [("models/m.sql", text), (".greylag.yaml", said)];
    let moved = text.replace("uid from", "user_id as uid from").replace("users_v1", "users_v2");
    assert_eq!(model(&looked(&files("dbt: {}\n"), None)), "2 -");
    assert_eq!(model(&looked(&files("dbt: {vars: {full: true}}\n"), None)), format!("1 {}", moved.trim_end()));
    let mut given = Stated::default();
    given.say_var("full", false.into()).unwrap();
    assert_eq!(model(&looked(&files("dbt: {vars: {full: true}}\n"), Some(&given))), "0 -");
}

#[test]
fn checks_and_proofs_read_as_rules_do() {
    let said = (".greylag.yaml", "dbt: {target: {name: prod}}\n");
    let old = MemoryTree::new(files(&[said]));
    let report = look(&old, &[change()], Options::default()).unwrap();
    for file in &report.files {
        assert!(file.new.is_some(), "{}", file.path);
    }
    let new = report.after(&old);
    let checks =
        verify(&old, &new, &[change()], verify::Options { report: Some(&report), ..Default::default() }).unwrap();
    for check in checks {
        assert_eq!(check.verdict, Verdict::Pass, "{}: {}", check.name, check.detail);
    }
    // Without the word the checks look at the other way, too, and find that it cannot be told.
    let (old, new) = (MemoryTree::new(files(&[])), MemoryTree::new(files(&[("models/m.sql", MOVED)])));
    let dev = stated(&[("name", "dev")]);
    let lineage = |stated| {
        let options = verify::Options { stated, ..Default::default() };
        verify(&old, &new, &[change()], options).unwrap().into_iter().find(|check| check.name == "lineage").unwrap()
    };
    assert_ne!(format!("{:?}", lineage(None)), format!("{:?}", lineage(Some(&dev))));
}

#[test]
fn who_asks_too_much_of_the_target_is_told_what_to_say() {
    let ask =
        |at: usize| format!("{{% if target.k{at} == 'x' or target.database == 'y{at}' %}}, {at} as c{at}{{% endif %}}");
    let text =
        format!("select uid{} from {{{{ source('shop', 'users_v1') }}}}\n", (0..12).map(ask).collect::<String>());
    let told = |more: &[(&str, &str)], stated: Option<&Stated>| {
        let report = looked(&[&[("models/m.sql", text.as_str())], more].concat(), stated);
        let lines = report.told.into_iter().map(|told| {
            let file = told.place.map(|place| place.file).unwrap_or_default();
            format!("{} {file}: {} | {}", told.code, told.message, told.hints.join(" "))
        });
        lines.collect::<Vec<_>>()
    };
    let [cut] = told(&[], None).try_into().unwrap();
    let begin = "GL1018 dbt_project.yml: 1 of 1 templates of a dbt project can go in more ways than are looked at; most ask for `target.database` (1), ";
    assert!(cut.starts_with(begin), "{cut}");
    // What was found before says it, too.
    let (kept, changes) = (tempfile::tempdir().unwrap(), [change()]);
    let subject = Subject { repository: "r", reader: "1", changes: &changes, options: Options::default() };
    for is_empty in [true, false] {
        let mut index = Index::open(kept.path(), &subject, Timestamp(4_000_000_000_000));
        assert_eq!(index.is_empty(), is_empty);
        let tree = MemoryTree::new(files(&[("models/m.sql", text.as_str())]));
        let report = look_again(&tree, &changes, Options::default(), &mut index).unwrap();
        index.save().unwrap();
        assert_eq!(report.told.len(), 1);
    }
    assert!(cut.contains("`.greylag.yaml`") && cut.contains("`dbt: {target: {database: …, "), "{cut}");
    let several = told(&[("other/x/dbt_project.yml", "")], None);
    assert!(several[0].contains("`dbt: {target: {database: …, "), "{several:?}");
    let words: Vec<(String, String)> = (0..12).map(|at| (format!("k{at}"), "n".to_owned())).collect();
    let words: Vec<(&str, &str)> = words.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let known = stated(&[words.as_slice(), &[("database", "n")]].concat());
    assert_eq!(told(&[], Some(&known)), Vec::<String>::new());
    assert_eq!(
        told(&[(".greylag.yaml", "dbt: {projects: {b: {}}}")], Some(&known)),
        ["GL1017 .greylag.yaml: there is no project of dbt in `b` | "]
    );
}

#[test]
fn what_was_looked_at_in_threes_is_left_to_somebody() {
    let model_of = |count: usize, stated: Option<&Stated>| {
        let switch = |at: usize| format!("{{% if target.k{at} == 'x' %}}, {at} as c{at}{{% endif %}}");
        let switches: String = (0..count).map(switch).collect();
        let text = format!("select uid{switches} from {{{{ source('shop', 'users_v1') }}}}\n");
        let report = looked(&[("models/m.sql", text.as_str())], stated);
        let file = report.files.into_iter().find(|file| file.path == "models/m.sql").unwrap();
        (file.new.is_some(), format!("{:?} {:?}", file.class, file.findings))
    };
    let (is_new, _) = model_of(3, None);
    assert!(is_new);
    let (is_new, why) = model_of(9, None);
    assert!(!is_new && why.contains("Agentic") && why.contains("were looked at in threes"), "{why}");
    let words: Vec<String> = (0..9).map(|at| format!("k{at}")).collect();
    let words: Vec<(&str, &str)> = words.iter().map(|key| (key.as_str(), "n")).collect();
    assert!(model_of(9, Some(&stated(&words))).0);
}

/// A default of the environment, or a text that a run may say otherwise, decides nothing; where it is printed it is what stands there.
#[test]
fn what_the_environment_may_say_is_asked_both_ways() {
    let of = |model: &str, more: &[(&str, &str)]| {
        let model = format!("select uid from {model}\n");
        let files: Vec<(&str, &str)> =
            [("models/m.sql", model.as_str())].into_iter().chain(more.iter().copied()).collect();
        let report = looked(&files, None);
        let file = report.files.iter().find(|file| file.path == "models/m.sql");
        let moved = file.and_then(|file| file.new.as_deref()).is_some_and(|new| new.contains("users_v2"));
        (report.seen.statements, moved)
    };
    let either = |question: &str| {
        format!("{{% if {question} %}}{{{{ source('shop', 'users_v1') }}}}{{% else %}}sample{{% endif %}}")
    };
    for question in [
        "env_var('STAGE', 'dev') == 'prod'",
        "env_var('STAGE', 'dev') != 'dev'",
        "env_var('STAGE', 'dev') in ['prod', 'live']",
        "env_var('SCHEMA', '')",
        "var('stage', 'dev') == 'prod'",
    ] {
        assert_eq!(of(&either(question), &[]), (2, false), "{question}");
    }
    let named = "{% set stage = env_var('STAGE', 'dev') %}";
    assert_eq!(of(&format!("{named}{}", either("stage == 'prod'")), &[]), (2, false));
    // It is one thing or another, and never two.
    let three = format!("{named}{}", either("stage == 'prod' and stage == 'live'"));
    assert_eq!(of(&three, &[]), (0, false));
    let configured = ("dbt_project.yml", "name: shop\nprofile: main\nvars: {stage: dev}\n");
    assert_eq!(of(&either("var('stage') == 'prod'"), &[configured]), (2, false));
    let said = (".greylag.yaml", "dbt: {vars: {stage: prod}}\n");
    assert_eq!(of(&either("var('stage') == 'prod'"), &[configured, said]), (1, true));
    // What is printed is there to be moved.
    assert_eq!(of("{{ source('shop', env_var('TABLE', 'users_v1')) }}", &[]), (1, true));
}
