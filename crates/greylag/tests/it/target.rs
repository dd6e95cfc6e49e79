//! What is known of a dbt project's target, said by its owner or on the command line.

use crate::rewrite::rig;
use crate::rig::Rig;

const MODEL: &str =
    "select uid from {% if target.database == 'lake' %}{{ source('raw', 'users_v1') }}{% else %}sample{% endif %}\n";

/// A dbt project in a folder of a repository.
fn project(more: &[(&str, &str)]) -> Rig {
    let own = [
        ("shop/dbt_project.yml", "name: shop\nprofile: shop\n"),
        ("shop/models/s.yml", "sources: [{name: raw, tables: [{name: users_v1}]}]\n"),
        ("shop/models/m.sql", MODEL),
    ];
    rig(&own.into_iter().chain(more.iter().copied()).collect::<Vec<_>>())
}

/// The reason why the model is held, or `moves`.
fn fate(rig: &Rig, more: &[&str]) -> String {
    let arguments = ["rewrite", "-f", "m.yaml", "repository", "-o", "json"].iter().chain(more);
    let said = rig.run(arguments.copied().collect::<Vec<_>>());
    let list: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    let model = list["items"].as_array().unwrap().iter().find(|item| item["path"] == "repository/shop/models/m.sql");
    model.map_or_else(|| "-".to_owned(), |model| format!("{}", model["class"]))
}

#[test]
fn the_command_line_comes_before_the_owner_and_the_owner_before_what_is_open() {
    let rig = project(&[]);
    let refs = |more: &[&str]| {
        let all = ["refs", "repository", "-d", "users_v1", "-o", "name"].iter().chain(more);
        rig.run(all.copied().collect::<Vec<_>>()).ended(0).stdout
    };
    let place = "repository/shop/models/m.sql:1:8\n";
    assert!(refs(&[]).contains(place));
    assert!(refs(&["--target", "database=lake"]).contains(place));
    assert!(!refs(&["--target", "database=elsewhere"]).contains(place));
    rig.write("repository/.greylag.yaml", "dbt: {target: {database: elsewhere}}\n");
    assert!(!refs(&[]).contains(place));
    assert!(refs(&["--target", "database=lake", "--target", "name=prod"]).contains(place));
    assert_eq!(fate(&rig, &[]), "-");
    assert_eq!(fate(&rig, &["--target", "database=lake"]), "\"mechanical\"");
    rig.write("repository/.greylag.yaml", "dbt: {projects: {shop: {target: {database: lake}}}}\n");
    let wide = ["rewrite", "-f", "m.yaml", "repository", "--verify", "--write"];
    rig.run(wide).ended(0);
    let moved = MODEL.replace("uid from", "user_id as uid from").replace("users_v1", "users_v2");
    assert_eq!(crate::rewrite::read(&rig, "shop/models/m.sql"), moved);
}

#[test]
fn variables_are_given_as_dbt_is_given_them() {
    let text = "select uid from {% if var('days') > 3 %}raw.users_v1{% else %}sample{% endif %}\n";
    let rig = project(&[("shop/models/v.sql", text)]);
    let refs =
        |value: &str| rig.run(["refs", "repository", "-d", "users_v1", "-o", "name", "--vars", value]).ended(0).stdout;
    assert!(refs("days=7").contains("repository/shop/models/v.sql:1:"));
    assert!(!refs("days=1").contains("repository/shop/models/v.sql:1:"));
}

#[test]
fn what_is_no_word_is_refused() {
    let rig = project(&[]);
    for (option, value, why) in [
        ("--target", "lake", "give a key and a value: `schema=shop`"),
        ("--target", "database={{ x }}", "`database` of a target is a plain word: a template is not rendered here"),
        ("--vars", "days", "give a name and a value: `days=7`"),
    ] {
        let said = rig.run(["refs", "repository", "-d", "users_v1", option, value]).ended(64);
        assert!(said.stderr.contains(why), "{}", said.stderr);
    }
}

#[test]
fn an_owner_is_told_what_is_not_understood_and_what_to_say() {
    let asks =
        (0..12).map(|at| format!("{{% if target.k{at} == 'x' or target.database == 'y{at}' %}}, {at}{{% endif %}}"));
    let text = format!("select uid{} from {{{{ source('raw', 'users_v1') }}}}\n", asks.collect::<String>());
    let rig = project(&[("shop/models/w.sql", &text), (".greylag.yaml", "dbt:\n  targets: {}\n")]);
    for command in [["refs", "-d", "users_v1"], ["rewrite", "-f", "m.yaml"]] {
        let said = rig.run(command.iter().copied().chain(["repository"]).collect::<Vec<_>>());
        for line in [
            "warning[GL1018]: 1 of 2 templates of a dbt project can go in more ways than are looked at; most ask for `target.database` (1), ",
            "--> repository/shop/dbt_project.yml:1:1",
            "hint: say in `.greylag.yaml` what is the same in every run that matters: `dbt: {target: {database: …, ",
            "warning[GL1017]: `dbt` has no `targets`: it has `target`, `vars` and `projects`",
            "--> repository/.greylag.yaml:2:3",
        ] {
            assert!(said.stderr.contains(line), "{line}\n{}", said.stderr);
        }
    }
}
