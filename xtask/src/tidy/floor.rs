//! Floors: a crate imports only what its row allows. The table is the one of `ARCHITECTURE.md`, which is read here, so
//! that the page cannot lie. It holds for what ships: integration tests and examples may use real parts of any floor.

use super::{Finding, sources};
use crate::workspace::{Workspace, output};
use serde_json::Value;
use std::collections::BTreeMap;

/// Crate → crates that it may import.
type Floors = BTreeMap<String, Vec<String>>;

pub(super) fn check(workspace: &Workspace, files: &[String]) -> Result<Vec<Finding>, String> {
    let floors = floors(&workspace.read("ARCHITECTURE.md")?)?;
    let metadata = output(&mut workspace.cargo(&["metadata", "--format-version", "1", "--no-deps", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let mut findings = manifests(&floors, &metadata);
    for path in sources(files) {
        findings.extend(source(&floors, path, &workspace.read(path)?));
    }
    Ok(findings)
}

/// Reads the rows `| 3 | greylag-store, greylag-catalog | model, driver |`.
fn floors(page: &str) -> Result<Floors, String> {
    let mut floors = Floors::new();
    let mut below: Vec<String> = Vec::new();
    for line in page.lines() {
        let cells: Vec<String> = line.trim_matches('|').split('|').map(|cell| cell.replace(['`', '*'], "")).collect();
        let [floor, crates, allowed] = cells.as_slice() else { continue };
        if floor.trim().parse::<u8>().is_err() {
            continue;
        }
        let names = |cell: &str| -> Vec<String> {
            let words = cell.split(',').map(|word| word.split_whitespace().next().unwrap_or_default());
            words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        let allowed = match allowed.trim() {
            "all" => below.clone(),
            "nothing of ours" => Vec::new(),
            some => names(some).into_iter().map(|name| format!("greylag-{name}")).collect(),
        };
        for name in names(crates) {
            floors.insert(name.clone(), allowed.clone());
            below.push(name);
        }
    }
    if floors.is_empty() { Err("`ARCHITECTURE.md` has no table of floors".to_owned()) } else { Ok(floors) }
}

/// What manifests name, development dependencies left out.
fn manifests(floors: &Floors, metadata: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        if name == "xtask" {
            continue;
        }
        let place = format!("crates/{name}/Cargo.toml");
        let Some(allowed) = floors.get(name) else {
            findings.push(Finding { place, words: format!("`{name}` has no floor in `ARCHITECTURE.md`") });
            continue;
        };
        let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
        for dependency in dependencies.iter().filter(|dependency| dependency["kind"] != "dev") {
            let other = dependency["name"].as_str().unwrap_or_default();
            if floors.contains_key(other) && !allowed.iter().any(|name| name == other) {
                let words = format!("`{name}` may not import `{other}`: see the floors in `ARCHITECTURE.md`");
                findings.push(Finding { place: place.clone(), words });
            }
        }
    }
    findings
}

/// Names of crates in a source, comments left out.
fn source(floors: &Floors, path: &str, text: &str) -> Vec<Finding> {
    let mut parts = path.split('/');
    let (Some("crates"), Some(own), Some("src")) = (parts.next(), parts.next(), parts.next()) else {
        return Vec::new();
    };
    let Some(allowed) = floors.get(own) else { return Vec::new() };
    let mut findings = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for other in floors.keys().filter(|other| *other != own && !allowed.contains(other)) {
            if code.contains(&format!("{}::", other.replace('-', "_"))) {
                let words = format!("`{own}` may not import `{other}`: see the floors in `ARCHITECTURE.md`");
                findings.push(Finding { place: format!("{path}:{}", number + 1), words });
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::{floors, manifests, source};
    use serde_json::json;

    const PAGE: &str = "
| Floor | Crate | May import |
|---|---|---|
| 0 | `greylag-model` | nothing of ours |
| 1 | `greylag-driver` | model |
| 3 | `greylag-store`, `greylag-data` | model, driver |
| 5 | `greylag` (the binary) | all |
";

    #[test]
    fn the_table_is_read() {
        let floors = floors(PAGE).unwrap();
        assert_eq!(floors["greylag-model"], Vec::<String>::new());
        assert_eq!(floors["greylag-data"], ["greylag-model", "greylag-driver"]);
        assert_eq!(floors["greylag"], ["greylag-model", "greylag-driver", "greylag-store", "greylag-data"]);
        assert!(super::floors("no table").is_err());
    }

    #[test]
    fn arrows_that_go_up_or_sideways_are_found() {
        let floors = floors(PAGE).unwrap();
        let package =
            |name: &str, other: &str| json!({"packages": [{"name": name, "dependencies": [{"name": other}]}]});
        assert_eq!(manifests(&floors, &package("greylag-data", "greylag-store")).len(), 1);
        assert_eq!(manifests(&floors, &package("greylag-data", "serde")).len(), 0);
        assert_eq!(manifests(&floors, &package("greylag", "greylag-data")).len(), 0);
        assert_eq!(manifests(&floors, &package("greylag-new", "serde")).len(), 1);
        let found = source(&floors, "crates/greylag-data/src/a.rs", "use x;\nuse greylag_store::Store;\n");
        assert_eq!(found[0].place, "crates/greylag-data/src/a.rs:2");
        let path = "crates/greylag-data/src/a.rs";
        assert!(source(&floors, path, "use greylag_model::a; // greylag_store::a\n").is_empty());
        let dev =
            json!({"packages": [{"name": "greylag-data", "dependencies": [{"name": "greylag-store", "kind": "dev"}]}]});
        assert!(manifests(&floors, &dev).is_empty());
        assert!(source(&floors, "crates/greylag-data/tests/it/a.rs", "use greylag_store::Store;\n").is_empty());
    }
}
