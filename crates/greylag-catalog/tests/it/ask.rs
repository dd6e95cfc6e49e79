//! Questions.

use super::{CRM, Estate, dataset, job, joined};
use greylag_catalog::ask;
use greylag_model::lineage::Direction;

fn estate() -> Estate {
    let estate = Estate::new(&[(
        "a.yaml",
        &joined(&[
            CRM,
            &dataset("raw_users", "r", ""),
            &dataset("users", "u", "  dependencyOf: ['component:mailer']\n"),
            &job("clean", "raw_users", "users"),
            &job("mailer", "", ""),
        ]),
    )]);
    estate.import(10, &["."]);
    estate
}

#[test]
fn names_are_resolved() {
    let estate = estate();
    let resolve = |text: &str| match ask::resolve(&estate.catalog, text) {
        Ok(entity) => entity.to_string(),
        Err(error) => format!("{}: {error}; {}", error.code, error.hints.join("; ")),
    };
    assert_eq!(resolve("users"), "resource:default/users");
    assert_eq!(resolve("default/Users"), "resource:default/users");
    assert_eq!(resolve("clean"), "component:default/clean");
    assert_eq!(resolve("component:clean"), "component:default/clean");
    assert_eq!(resolve("crm"), "group:default/crm");
    assert_eq!(
        resolve("usersss"),
        "GL0316: the catalog knows no entity `usersss`; did you mean `resource:default/users`, `resource:default/raw_users`"
    );
    assert_eq!(
        resolve("component:users"),
        "GL0316: the catalog knows no entity `component:users`; did you mean `resource:default/users`, `resource:default/raw_users`"
    );
    assert_eq!(
        resolve("q"),
        "GL0316: the catalog knows no entity `q`; import its descriptor, or scan the directory that holds it"
    );
}

#[test]
fn an_entity_is_shown_with_all_that_is_known() {
    let estate = estate();
    let users = ask::resolve(&estate.catalog, "users").unwrap();
    let shown = ask::show(&estate.catalog, &users).unwrap();
    let ties: Vec<String> = shown.relations.iter().map(|tie| format!("{} {}", tie.kind, tie.target)).collect();
    assert_eq!(
        ties,
        ["dependencyOf component:default/mailer", "ownedBy group:default/crm", "writtenBy component:default/clean"]
    );
    assert_eq!((shown.impact.direct.len(), shown.impact.indirect), (1, 0));
    assert!(shown.facts.iter().all(|fact| fact.source.to_string().starts_with("descriptor:")));
    assert_eq!(ask::history(&estate.catalog, &users).unwrap().len(), 1);
    let nobody = greylag_model::entity::EntityRef::new("resource", "default", "nobody");
    assert_eq!(ask::show(&estate.catalog, &nobody).unwrap_err().code.to_string(), "GL0316");
    assert_eq!(ask::history(&estate.catalog, &nobody).unwrap_err().code.to_string(), "GL0316");
}

#[test]
fn lineage_goes_up_and_down() {
    let estate = estate();
    let walk = |name: &str, direction: Direction, depth: usize| {
        let entity = ask::resolve(&estate.catalog, name).unwrap();
        let lineage = ask::lineage(&estate.catalog, &entity, direction, depth).unwrap();
        let edges: Vec<String> =
            lineage.edges.iter().map(|hop| format!("{}>{}", hop.from.short(), hop.to.short())).collect();
        edges.join(" ")
    };
    assert_eq!(walk("raw_users", Direction::Down, 9), "raw_users>clean clean>users users>mailer");
    assert_eq!(walk("raw_users", Direction::Down, 1), "raw_users>clean");
    assert_eq!(walk("mailer", Direction::Up, 9), "users>mailer clean>users raw_users>clean");
    assert_eq!(walk("crm", Direction::Up, 9), "");
}
