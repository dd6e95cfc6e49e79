//! Files and folders beside a migration file that its commands name: looked at when a plan is made.

use greylag_model::custom::{Script, hash_of};
use greylag_model::snapshot::Snapshot;
use greylag_model::spec::Migration;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path};

/// Largest script.
const LARGEST: u64 = 16 << 20;

/// Looks at them; `file` is the migration file as it was named.
pub(crate) fn look(migration: &Migration, file: &str, snapshot: &mut Snapshot) {
    let folder = if file == "-" { Path::new(".") } else { Path::new(file).parent().unwrap_or_else(|| Path::new(".")) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let (mut files, mut folders) = (BTreeSet::new(), BTreeSet::new());
    for command in &migration.spec.commands {
        let words = command.run.iter().chain(command.undo.iter().flatten()).chain(&command.files);
        files.extend(words.filter(|word| word.starts_with("./")));
        folders.extend(&command.writes);
    }
    for name in files {
        snapshot.scripts.insert(name.clone(), beside(folder, name, false));
    }
    for name in folders {
        snapshot.scripts.insert(name.clone(), beside(folder, name, true));
    }
}

fn beside(folder: &Path, name: &str, is_folder: bool) -> Result<Script, String> {
    let outside = || Err("is not beside the migration file".to_owned());
    if !name.starts_with("./") || Path::new(name).components().any(|part| part == Component::ParentDir) {
        return outside();
    }
    let there = |error: std::io::Error| format!("cannot be had: {error}");
    let root = fs::canonicalize(folder).map_err(there)?;
    let path = fs::canonicalize(folder.join(name)).map_err(there)?;
    // A link may lead anywhere.
    if path == root || !path.starts_with(&root) {
        return outside();
    }
    let metadata = fs::metadata(&path).map_err(there)?;
    let text = path.to_str().ok_or("has a path that is not UTF-8")?.to_owned();
    match (metadata.is_dir(), is_folder) {
        (true, true) => Ok(Script { path: text, hash: String::new() }),
        (false, true) => Err("is no folder".to_owned()),
        (true, false) => Err("is a folder, not a file".to_owned()),
        (false, false) if metadata.len() > LARGEST => Err(format!("has more than {} MiB", LARGEST >> 20)),
        (false, false) => Ok(Script { path: text, hash: hash_of(&fs::read(&path).map_err(there)?) }),
    }
}
