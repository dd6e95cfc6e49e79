//! Code that moves along with its datasets, in one run, and goes back with it.
//!
//! An estate of its own: its repositories are hosted on the embedded forge, its migrations say that code moves along, and a run
//! converts the data, rewrites the code, proves it, opens the change requests and merges them. What the forge then has is
//! compared with the truth; then all of it is taken back, and compared with what it was.

use super::{Demo, path, say};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Datasets and repositories.
const SIZE: [&str; 2] = ["60", "24"];

/// What came of it.
pub(super) struct Along {
    repositories: usize,
    merged: usize,
    reverted: usize,
    /// Texts: proven equal, and all that were asked about.
    proven: (u64, u64),
    comparison: Value,
    /// Repositories whose files are not what they were before.
    not_back: Vec<String>,
}

impl Demo {
    /// Moves data and code of an estate, and takes both back.
    pub(super) fn along(&self) -> Result<Along, String> {
        let begun = Instant::now();
        let (seed, out, [datasets, repositories]) = (self.options.seed.to_string(), path(&self.estate)?, SIZE);
        let generate = ["lab", "generate", "--seed", &seed, "--datasets", datasets, "--repositories", repositories];
        self.json(&[&generate[..], &["--out", &out]].concat(), &[0])?;
        self.import()?;
        let names = self.host()?;
        let migrations = path(&self.with_consumers()?)?;
        self.carry_on(&["apply", "-f", &migrations, "--yes", "--quiet"])?;
        let changes = self.changes()?;
        let trees = self.fetch(&names, "moved")?;
        let comparison = self.json(&["lab", "compare", &out, "--code", &path(&trees)?], &[0, 1])?;
        for run in self.json(&["runs"], &[0])?["items"].as_array().into_iter().flatten() {
            let id = run["id"].as_str().unwrap_or_default();
            self.carry_on(&["undo", id, "--yes", "--quiet"])?;
        }
        let reverted = self.changes()?.iter().filter(|change| !change["reverts"].is_null()).count();
        let back = self.fetch(&names, "back")?;
        let differs = |name: &&String| files(&self.estate.join("repositories").join(name)) != files(&back.join(name));
        say(&format!("code moved along with its datasets and back, in {:.1} s", begun.elapsed().as_secs_f64()));
        Ok(Along {
            repositories: names.len(),
            merged: changes.iter().filter(|change| change["state"] == "merged").count(),
            reverted,
            proven: proven(&changes),
            comparison,
            not_back: names.iter().filter(differs).cloned().collect(),
        })
    }

    /// Takes all repositories of the estate into the forge; answers their names.
    fn host(&self) -> Result<Vec<String>, String> {
        let folder = self.estate.join("repositories");
        let unreadable = |error: std::io::Error| format!("`{}`: {error}", folder.display());
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            names.push(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        let paths = names.iter().map(|name| path(&folder.join(name))).collect::<Result<Vec<_>, _>>()?;
        let mut args = vec!["changes", "host", "--policy", "automatic"];
        args.extend(paths.iter().map(String::as_str));
        self.json(&args, &[0])?;
        Ok(names)
    }

    /// The estate's migrations, each with code that moves along.
    fn with_consumers(&self) -> Result<PathBuf, String> {
        let folder = self.estate.join("migrations");
        let unreadable = |error: std::io::Error| format!("`{}`: {error}", folder.display());
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            let text = fs::read_to_string(&file).map_err(unreadable)?;
            // A file may begin with the connection that its datasets lie on.
            let (before, migration) = text.split_at(text.find("kind: Migration").unwrap_or_default());
            let migration = migration.replacen("\nspec:\n", "\nspec:\n  consumers: {merge: policy}\n", 1);
            fs::write(&file, format!("{before}{migration}")).map_err(unreadable)?;
        }
        Ok(folder)
    }

    fn changes(&self) -> Result<Vec<Value>, String> {
        Ok(self.json(&["changes", "list"], &[0])?["items"].as_array().cloned().unwrap_or_default())
    }

    /// The files that the forge's repositories have now, each in a directory.
    fn fetch(&self, names: &[String], to: &str) -> Result<PathBuf, String> {
        let trees = self.home.with_file_name(to);
        for name in names {
            let from = self.home.join("forge/repositories").join(format!("{name}.git"));
            let tree = trees.join(name);
            let mut clone = Command::new("git");
            clone.args(["clone", "--quiet"]).arg(&from).arg(&tree);
            let status = clone.status().map_err(|error| format!("`git` cannot be started: {error}"))?;
            if !status.success() {
                return Err(format!("`{}` cannot be cloned", from.display()));
            }
            fs::remove_dir_all(tree.join(".git")).map_err(|error| format!("`{}`: {error}", tree.display()))?;
        }
        Ok(trees)
    }
}

/// How many texts the checks of change requests say are proven, and of how many.
fn proven(changes: &[Value]) -> (u64, u64) {
    let checks = changes.iter().filter_map(|change| change["checks"].as_array()).flatten();
    let details = checks.filter(|check| check["name"] == "proof").filter_map(|check| check["detail"].as_str());
    details.fold((0, 0), |(equal, all), detail| {
        let number = |at| detail.split(' ').nth(at).and_then(|word| word.parse::<u64>().ok()).unwrap_or_default();
        (equal + number(0), all + number(2))
    })
}

/// The files below a directory, by their paths in it.
fn files(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let (Ok(relative), Ok(bytes)) = (path.strip_prefix(root), fs::read(&path)) {
                found.insert(relative.to_owned(), bytes);
            }
        }
    }
    found
}

impl Along {
    /// Whether the code is what the truth says, and was what it had been.
    pub(super) fn is_sound(&self) -> bool {
        let totals = &self.comparison["totals"];
        totals["wrong"] == 0 && totals["elsewhere"] == 0 && self.merged > 0 && self.not_back.is_empty()
    }

    pub(super) fn show(&self) {
        let total = |key: &str| self.comparison["totals"][key].as_u64().unwrap_or_default();
        println!(
            "  in one run    {} repositories: {} change requests merged, {} of {} texts proven equal; {} of {} places right, {} wrong",
            self.repositories,
            self.merged,
            self.proven.0,
            self.proven.1,
            total("found") + total("alike"),
            total("expected"),
            total("wrong"),
        );
        let back = if self.not_back.is_empty() {
            "every file as it was".to_owned()
        } else {
            format!("DIFFERENT: {}", self.not_back.join(", "))
        };
        println!("  taken back    {} change requests reverted; {back}", self.reverted);
    }
}
