//! The code that reads the estate's datasets: it moves in the very runs that convert them, and goes back with them.
//!
//! All repositories of the estate are hosted on the embedded forge, and every migration says that code moves along. What the
//! forge then has is compared with the truth, place by place; what it has after everything was taken back, with what it had.

use super::{Demo, Planned, path, say};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Classes in the order in which a file that several migrations concern takes the later one.
const CLASSES: [&str; 5] = ["unaffected", "mechanical", "agentic", "judgement", "unknown"];

/// What became of the code.
pub(super) struct Code {
    repositories: usize,
    /// The class of every file that a migration concerns, by repository and path: its place in [`CLASSES`].
    files: BTreeMap<(String, String), usize>,
    /// Edits of all plans.
    edits: u64,
    /// Change requests.
    changes: Vec<Value>,
    comparison: Value,
}

/// What became of it when everything was taken back.
pub(super) struct Back {
    reverted: usize,
    /// Of the datasets.
    comparison: Value,
    /// Repositories whose files are not what they were before.
    unlike: Vec<String>,
}

impl Demo {
    /// Takes all repositories of the estate into the forge, and lets every migration move them along.
    pub(super) fn host(&self) -> Result<Vec<String>, String> {
        let begun = Instant::now();
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
        self.with_consumers()?;
        say(&format!("forge: {} repositories hosted in {:.1} s", names.len(), begun.elapsed().as_secs_f64()));
        Ok(names)
    }

    /// The estate's migrations with code that moves along, in a directory beside it: nothing in the estate changes.
    fn with_consumers(&self) -> Result<(), String> {
        let (from, to) = (self.estate.join("migrations"), self.migrations());
        let failed = |place: &Path, error: std::io::Error| format!("`{}`: {error}", place.display());
        fs::create_dir_all(&to).map_err(|error| failed(&to, error))?;
        for entry in fs::read_dir(&from).map_err(|error| failed(&from, error))? {
            let file = entry.map_err(|error| failed(&from, error))?.path();
            let text = fs::read_to_string(&file).map_err(|error| failed(&file, error))?;
            // A file may begin with the connection that its datasets lie on.
            let (before, migration) = text.split_at(text.find("kind: Migration").unwrap_or_default());
            let before = before.replace("root: \"../data/", "root: \"../estate/data/");
            let migration = migration.replacen("\nspec:\n", "\nspec:\n  consumers: {merge: policy}\n", 1);
            let place = to.join(file.file_name().unwrap_or_default());
            fs::write(&place, format!("{before}{migration}")).map_err(|error| failed(&place, error))?;
        }
        Ok(())
    }

    pub(super) fn migrations(&self) -> PathBuf {
        self.estate.with_file_name("migrations")
    }

    /// What became of the code, compared with the truth.
    pub(super) fn code(&self, plans: &[Planned], names: &[String]) -> Result<Code, String> {
        let begun = Instant::now();
        let mut files: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut edits = 0;
        for scope in plans.iter().flat_map(|plan| &plan.scopes) {
            let repository = scope["repository"].as_str().unwrap_or_default();
            for file in scope["files"].as_array().into_iter().flatten() {
                let class = CLASSES.iter().position(|class| file["class"] == *class).unwrap_or_default();
                let path = file["path"].as_str().unwrap_or_default();
                let worst = files.entry((repository.to_owned(), path.to_owned())).or_default();
                *worst = class.max(*worst);
                edits += file["edits"].as_u64().unwrap_or_default();
            }
        }
        self.left(plans, names, &mut files)?;
        let changes = self.changes()?;
        let trees = self.fetch(names, "moved")?;
        let comparison = self.json(&["lab", "compare", &path(&self.estate)?, "--code", &path(&trees)?], &[0, 1])?;
        say(&format!("code on the forge compared with the truth in {:.1} s", begun.elapsed().as_secs_f64()));
        Ok(Code { repositories: names.len(), files, edits, changes, comparison })
    }

    /// Files of repositories in which no rule has anything to do: a plan counts them, and names none.
    fn left(
        &self,
        plans: &[Planned],
        names: &[String],
        files: &mut BTreeMap<(String, String), usize>,
    ) -> Result<(), String> {
        let folder = self.estate.join("repositories");
        let (migrations, mut args) = (path(&self.migrations())?, vec!["rewrite".to_owned(), "-f".to_owned()]);
        args.push(migrations);
        for name in names {
            args.push(path(&folder.join(name))?);
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let counted: u64 =
            plans.iter().flat_map(|plan| CLASSES.map(|class| plan.files[class].as_u64())).flatten().sum();
        for item in self.json(&args, &[0, 3])?["items"].as_array().into_iter().flatten() {
            let class = CLASSES.iter().position(|class| item["class"] == *class).unwrap_or_default();
            let file =
                Path::new(item["path"].as_str().unwrap_or_default()).strip_prefix(&folder).unwrap_or(Path::new(""));
            let Some((name, rest)) = file.to_str().and_then(|file| file.split_once('/')) else { continue };
            let known = (name.to_owned(), rest.to_owned());
            if class > 0 && !files.contains_key(&known) {
                files.insert(known, class);
            }
        }
        // A file counts for each migration that it is left by, so there are as many or more.
        let concerned = files.values().filter(|class| **class > 0).count() as u64;
        if concerned <= counted {
            Ok(())
        } else {
            Err(format!("{concerned} files are concerned, and plans counted {counted}"))
        }
    }

    /// Takes all runs back, and looks at what there is then.
    pub(super) fn take_back(&self, names: &[String]) -> Result<Back, String> {
        let begun = Instant::now();
        for run in self.json(&["runs", "--limit", "10000"], &[0])?["items"].as_array().into_iter().flatten() {
            self.carry_on(&["undo", run["id"].as_str().unwrap_or_default(), "--yes", "--quiet"])?;
        }
        let took = begun.elapsed();
        let reverted = self.changes()?.iter().filter(|change| !change["reverts"].is_null()).count();
        let comparison = self.json(&["lab", "compare", &path(&self.estate)?, "--undone"], &[0, 1])?;
        let now = self.fetch(names, "back")?;
        let differs = |name: &&String| files(&self.estate.join("repositories").join(name)) != files(&now.join(name));
        say(&format!("everything taken back in {:.1} s, compared with what was there before", took.as_secs_f64()));
        Ok(Back { reverted, comparison, unlike: names.iter().filter(differs).cloned().collect() })
    }

    fn changes(&self) -> Result<Vec<Value>, String> {
        let listed = self.json(&["changes", "list"], &[0])?;
        Ok(listed["items"].as_array().cloned().unwrap_or_default())
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

/// How many texts the checks of change requests say are proven equal, and how many there are.
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

impl Code {
    /// Whether nothing is wrong, nothing was changed that must stay, and nothing is missed in files that rules can move.
    pub(super) fn is_sound(&self) -> bool {
        let totals = &self.comparison["totals"];
        let missed = &self.comparison["classes"]["mechanical"]["missed"];
        totals["wrong"] == 0 && totals["elsewhere"] == 0 && *missed == 0 && self.merged() > 0
    }

    fn merged(&self) -> usize {
        self.changes.iter().filter(|change| change["state"] == "merged").count()
    }

    /// The funnel, and how it stands to the truth.
    pub(super) fn show(&self) {
        let all = self.comparison["files"].as_u64().unwrap_or_default() as usize;
        let concerned = |class: usize| self.files.values().filter(|worst| **worst == class).count();
        let found = |class: usize| match class {
            0 => all.saturating_sub((1..CLASSES.len()).map(concerned).sum()),
            class => concerned(class),
        };
        let truth = |class: usize| self.comparison["filesByClass"][CLASSES[class]].as_u64().unwrap_or_default();
        let classes = |count: &dyn Fn(usize) -> String| {
            let classes: Vec<String> =
                CLASSES.iter().enumerate().map(|(at, class)| format!("{} {class}", count(at))).collect();
            classes.join(", ")
        };
        println!(
            "  code found    {} repositories, {all} files: {}",
            self.repositories,
            classes(&|class| found(class).to_string())
        );
        println!("  in truth      {}", classes(&|class| truth(class).to_string()));
        let (equal, texts) = proven(&self.changes);
        println!(
            "  code moved    {} edits in {} change requests, {} of them merged; {equal} texts proven equal, {} unprovable",
            self.edits,
            self.changes.len(),
            self.merged(),
            texts - equal,
        );
        let total = |key: &str| self.comparison["totals"][key].as_u64().unwrap_or_default();
        println!(
            "  code's truth  {} of {} places right, {} left to somebody, {} wrong, {} bytes changed elsewhere",
            total("found") + total("alike"),
            total("expected"),
            total("missed"),
            total("wrong"),
            total("elsewhere"),
        );
    }
}

impl Back {
    /// Whether everything is as it was.
    pub(super) fn is_sound(&self) -> bool {
        self.comparison["equal"] == true && self.unlike.is_empty()
    }

    pub(super) fn show(&self) {
        let datasets = match self.comparison["differences"].as_array().map_or(0, Vec::len) {
            0 => "every dataset".to_owned(),
            differences => format!("DIFFERENT ({differences}) datasets"),
        };
        let code = if self.unlike.is_empty() {
            "every file of code as they were".to_owned()
        } else {
            format!("DIFFERENT code of {}", self.unlike.join(", "))
        };
        println!("  taken back    {} change requests reverted; {datasets} and {code}", self.reverted);
    }
}
