//! From a tree of files to what is evaluated: packages, macros and templates, parsed once and shared.

use super::project::{Node, NodeKind, Package, Problem};
use super::settings::{Settings, below, inside};
use super::yaml::{self, Scalar, Yaml};
use crate::tree::Tree;
use greylag_syntax::jinja::ast::{self, Macro, MacroKind, Template};
use greylag_syntax::jinja::{Error, parse, parse_blocks};
use greylag_syntax::trace::{FileId, Files, Span};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The macros that dbt brings along, in our own words.
const CORE: &str = include_str!("core.jinja");

/// The name of the package that they are in.
pub(super) const CORE_PACKAGE: &str = "dbt";

/// A package with what it says of itself.
#[derive(Debug)]
pub(super) struct LoadedPackage {
    pub(super) public: Package,
    pub(super) settings: Settings,
}

/// A node before it is evaluated.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) kind: NodeKind,
    pub(super) package: usize,
    pub(super) name: String,
    pub(super) name_at: Vec<Span>,
    pub(super) version: Option<String>,
    pub(super) latest: bool,
    pub(super) file: FileId,
    pub(super) at: Span,
    /// Package, folders and name.
    pub(super) fqn: Vec<String>,
    pub(super) template: Option<Result<Arc<Template>, Error>>,
    /// Which block of the template it is, if it is not all of it.
    pub(super) block: Option<usize>,
    /// Its entries in YAML, the more specific first.
    pub(super) properties: Vec<Yaml>,
}

impl Draft {
    /// What is rendered.
    pub(super) fn body(&self) -> &[ast::Node] {
        let Some(Ok(template)) = &self.template else { return &[] };
        match self.block {
            None => &template.body,
            Some(block) => template.blocks().nth(block).map_or(&[], |block| &block.body),
        }
    }

    /// The section of `dbt_project.yml` that configures it.
    pub(super) const fn section(&self) -> &'static str {
        match self.kind {
            NodeKind::Model | NodeKind::PythonModel | NodeKind::Analysis => "models",
            NodeKind::Snapshot => "snapshots",
            NodeKind::Test => "data_tests",
            NodeKind::Seed => "seeds",
        }
    }

    pub(super) fn id(&self, packages: &[LoadedPackage]) -> String {
        let package = packages.get(self.package).map_or("", |package| &package.public.name);
        let version = self.version.as_ref().map_or_else(String::new, |version| format!(".v{version}"));
        format!("{}.{package}.{}{version}", self.kind.prefix(), self.name)
    }
}

/// An entry of YAML, of which package it is and the section that it stands in.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) package: usize,
    pub(super) section: String,
    pub(super) yaml: Yaml,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) files: Files,
    pub(super) packages: Vec<LoadedPackage>,
    pub(super) missing: Vec<String>,
    pub(super) macros: HashMap<String, HashMap<String, Arc<Macro>>>,
    pub(super) drafts: Vec<Draft>,
    pub(super) entries: Vec<Entry>,
    pub(super) problems: Vec<Problem>,
}

/// What a file is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Macros,
    Node(NodeKind),
    Snapshots,
}

/// Whose a package is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The project itself.
    Own,
    /// A folder of the same repository that the project names.
    Local,
    /// Another project's, installed beside this one.
    Installed,
}

/// A template that is to be parsed.
struct Job {
    role: Role,
    package: usize,
    file: FileId,
    at: Span,
    /// Folders and file below the path that it was found in.
    rest: String,
}

/// Reads a project.
///
/// # Errors
/// The tree cannot be read, or there is no project at the root.
pub(super) fn load(tree: &dyn Tree, root: &str, threads: usize) -> io::Result<Loaded> {
    let paths = tree.paths()?;
    let mut loader = Loader { tree, paths, loaded: Loaded::default(), jobs: Vec::new() };
    loader.package(root, Whose::Own)?;
    if loader.loaded.packages.is_empty() {
        let message = format!("there is no `dbt_project.yml` of a project in `{root}`");
        return Err(io::Error::new(io::ErrorKind::NotFound, message));
    }
    for package in 0..loader.loaded.packages.len() {
        loader.files_of(package)?;
    }
    loader.core();
    let templates = parse_all(&loader.loaded.files, &loader.jobs, threads);
    let jobs = std::mem::take(&mut loader.jobs);
    for (job, template) in jobs.into_iter().zip(templates) {
        loader.keep(job, template);
    }
    super::properties::attach(&mut loader.loaded);
    Ok(loader.loaded)
}

/// Whether rules of a package leave a file of it out.
fn is_ignored(rules: &Gitignore, path: &str, root: &str) -> bool {
    inside(path, root).is_some_and(|rest| rules.matched_path_or_any_parents(rest, false).is_ignore())
}

struct Loader<'a> {
    tree: &'a dyn Tree,
    paths: Vec<String>,
    loaded: Loaded,
    jobs: Vec<Job>,
}

impl Loader<'_> {
    /// The number of a file; one that is read for several packages has one.
    fn read(&mut self, path: &str) -> io::Result<Option<FileId>> {
        if let Some(known) = self.loaded.files.find(path) {
            return Ok(Some(known));
        }
        let Some(bytes) = self.tree.read(path)? else { return Ok(None) };
        match std::str::from_utf8(&bytes) {
            Ok(text) => Ok(self.loaded.files.add(path, text)),
            Err(_) => {
                self.problem(path, "the file is not text in UTF-8");
                Ok(None)
            }
        }
    }

    fn problem(&mut self, path: &str, message: impl Into<String>) {
        self.loaded.problems.push(Problem { path: path.to_owned(), message: message.into() });
    }

    fn yaml(&mut self, path: &str) -> io::Result<Option<Yaml>> {
        let Some(file) = self.read(path)? else { return Ok(None) };
        let text = self.loaded.files.text(file).clone();
        Ok(yaml::read(file, &text).unwrap_or_else(|message| {
            self.problem(path, message);
            None
        }))
    }

    /// Reads a package, and those that it says are local or that are installed.
    fn package(&mut self, root: &str, whose: Whose) -> io::Result<()> {
        if self.loaded.packages.iter().any(|package| package.public.root == root) {
            return Ok(());
        }
        let path = below(root, "dbt_project.yml").unwrap_or_default();
        let Some(settings) = self.yaml(&path)?.and_then(Settings::of) else { return Ok(()) };
        if self.loaded.packages.iter().any(|package| package.public.name == settings.name) {
            return Ok(());
        }
        let public =
            Package { name: settings.name.clone(), root: root.to_owned(), installed: whose == Whose::Installed };
        let installed = below(root, &settings.packages).unwrap_or_default();
        self.loaded.packages.push(LoadedPackage { public, settings });
        if whose == Whose::Own {
            for root in self.installed(&installed)? {
                self.package(&root, Whose::Installed)?;
            }
        }
        let mut wanted = Vec::new();
        for file in ["packages.yml", "dependencies.yml"] {
            let path = below(root, file).unwrap_or_default();
            let Some(yaml) = self.yaml(&path)? else { continue };
            for package in yaml.get("packages").map(Yaml::items).unwrap_or_default() {
                if let Some(local) = package.text("local").and_then(|local| below(root, local.as_str())) {
                    self.package(&local, if whose == Whose::Own { Whose::Local } else { whose })?;
                }
                let hub = package.text("package").map(|from| (package_name(from), true));
                wanted.extend(hub.or_else(|| package.text("git").map(|from| (package_name(from), false))));
            }
        }
        if whose == Whose::Own {
            let names: BTreeSet<&str> = self.loaded.packages.iter().map(|package| &*package.public.name).collect();
            let installed = self.loaded.packages.iter().filter(|package| package.public.installed);
            let mut others: BTreeSet<&str> = installed.map(|package| &*package.public.name).collect();
            let mut missing = Vec::new();
            for (name, is_sure) in wanted {
                if !others.remove(name.as_str()) && !names.contains(name.as_str()) {
                    missing.push((name, is_sure));
                }
            }
            // A package from a repository may have another name than that: one that nobody else wants is taken for it.
            missing.retain(|(_, is_sure)| *is_sure || others.pop_first().is_none());
            self.loaded.missing = missing.into_iter().map(|(name, _)| name).collect();
        }
        Ok(())
    }

    /// The folders of installed packages; their files are known from then on, whether they are in the tree or beside it.
    fn installed(&mut self, folder: &str) -> io::Result<Vec<String>> {
        let files = self.tree.installed(folder)?;
        let projects = files.iter().filter_map(|path| {
            let name = inside(path, folder)?.strip_suffix("/dbt_project.yml")?;
            (!name.contains('/')).then(|| format!("{folder}/{name}"))
        });
        let projects = projects.collect();
        self.paths.extend(files);
        self.paths.sort();
        self.paths.dedup();
        Ok(projects)
    }

    /// What the `.dbtignore` of a package leaves out.
    fn ignored(&self, root: &str) -> io::Result<Option<Gitignore>> {
        let path = below(root, ".dbtignore").unwrap_or_default();
        let Some(bytes) = self.tree.read(&path)? else { return Ok(None) };
        let mut builder = GitignoreBuilder::new("");
        for line in String::from_utf8_lossy(&bytes).lines() {
            // A rule that cannot be read ignores nothing.
            let _ = builder.add_line(None, line);
        }
        Ok(builder.build().ok().filter(|rules| !rules.is_empty()))
    }

    /// Reads the files of a package and notes what is to be parsed.
    fn files_of(&mut self, package: usize) -> io::Result<()> {
        let Some(LoadedPackage { public, settings }) = self.loaded.packages.get(package) else { return Ok(()) };
        let root = public.root.clone();
        let roles: Vec<(Vec<String>, Role)> = vec![
            (settings.macros.clone(), Role::Macros),
            (settings.models.clone(), Role::Node(NodeKind::Model)),
            (settings.snapshots.clone(), Role::Snapshots),
            (settings.analyses.clone(), Role::Node(NodeKind::Analysis)),
            (settings.tests.clone(), Role::Node(NodeKind::Test)),
            (settings.seeds.clone(), Role::Node(NodeKind::Seed)),
        ];
        let packages = below(&root, &settings.packages).unwrap_or_default();
        let ignored = self.ignored(&root)?;
        let mut yamls = BTreeSet::new();
        for (folders, role) in roles {
            for folder in folders.iter().filter_map(|folder| below(&root, folder)) {
                let inside_it: Vec<(String, String)> = self
                    .paths
                    .iter()
                    .filter(|path| inside(path, &packages).is_none() || inside(&root, &packages).is_some())
                    .filter(|path| !ignored.as_ref().is_some_and(|rules| is_ignored(rules, path, &root)))
                    .filter_map(|path| Some((path.clone(), inside(path, &folder)?.to_owned())))
                    .collect();
                for (path, rest) in inside_it {
                    if matches!(extension(&path), "yml" | "yaml") {
                        yamls.insert(path);
                    } else {
                        self.file(package, role, &path, rest)?;
                    }
                }
            }
        }
        for path in yamls {
            self.properties(package, &path)?;
        }
        Ok(())
    }

    fn file(&mut self, package: usize, role: Role, path: &str, rest: String) -> io::Result<()> {
        let role = match (role, extension(path)) {
            (Role::Node(NodeKind::Test), "sql") if rest.starts_with("generic/") => Role::Macros,
            (Role::Node(NodeKind::Seed), "csv") => role,
            (Role::Node(NodeKind::Model), "py") => Role::Node(NodeKind::PythonModel),
            (Role::Node(NodeKind::Seed), _) => return Ok(()),
            (_, "sql") => role,
            _ => return Ok(()),
        };
        if role == Role::Node(NodeKind::Seed) {
            // Its bytes are data and not code.
            let Some(file) = self.loaded.files.add(path, "") else { return Ok(()) };
            self.jobs.push(Job { role, package, file, at: Span::new(file, 0..0), rest });
            return Ok(());
        }
        let Some(file) = self.read(path)? else { return Ok(()) };
        let text = self.loaded.files.text(file);
        // As dbt does, blanks around a model's text are no part of it.
        let start = text.len() - text.trim_start().len();
        let end = text.trim_end().len().max(start);
        let range = if role == Role::Macros { 0..text.len() } else { start..end };
        let at = Span::new(file, range.start as u32..range.end as u32);
        self.jobs.push(Job { role, package, file, at, rest });
        Ok(())
    }

    fn properties(&mut self, package: usize, path: &str) -> io::Result<()> {
        let Some(yaml) = self.yaml(path)? else { return Ok(()) };
        for (section, entries) in yaml.entries() {
            let section = section.as_str();
            if matches!(
                section,
                "models" | "sources" | "seeds" | "snapshots" | "analyses" | "exposures" | "data_tests" | "tests"
            ) {
                for entry in entries.items() {
                    let entry = Entry { package, section: section.to_owned(), yaml: entry.clone() };
                    self.loaded.entries.push(entry);
                }
            }
        }
        Ok(())
    }

    /// Notes dbt's own macros.
    fn core(&mut self) {
        if let Some(file) = self.loaded.files.add("<dbt>/core.jinja", CORE) {
            let at = Span::new(file, 0..CORE.len() as u32);
            self.jobs.push(Job { role: Role::Macros, package: usize::MAX, file, at, rest: String::new() });
        }
    }

    fn keep(&mut self, job: Job, (template, errors): Parsed) {
        let of_template = template.as_ref().and_then(|template| template.as_ref().err());
        for error in errors.iter().chain(of_template) {
            let place = error.with_place(&self.loaded.files);
            let path = self.loaded.files.path(job.file).to_owned();
            self.problem(&path, place.strip_prefix(&format!("{path}:")).unwrap_or(&place).to_owned());
        }
        match (job.role, template) {
            (Role::Macros, Some(Ok(template))) => self.keep_macros(job.package, &template),
            (Role::Macros, _) => {}
            (Role::Snapshots, Some(Ok(template))) => {
                let template = Arc::new(template);
                for (index, block) in template.blocks().enumerate().filter(|(_, block)| &*block.kind == "snapshot") {
                    let draft = Draft {
                        block: Some(index),
                        name: block.name.to_string(),
                        name_at: vec![block.name_at],
                        at: block.inner,
                        ..self.draft(&job, NodeKind::Snapshot, Some(Ok(template.clone())))
                    };
                    self.loaded.drafts.push(draft);
                }
            }
            (Role::Snapshots, _) => {}
            (Role::Node(kind), template) => {
                let draft = self.draft(&job, kind, template.map(|template| template.map(Arc::new)));
                self.loaded.drafts.push(draft);
            }
        }
    }

    fn draft(&self, job: &Job, kind: NodeKind, template: Option<Result<Arc<Template>, Error>>) -> Draft {
        let rest = job.rest.rsplit_once('.').map_or(&*job.rest, |(rest, _)| rest);
        let package = self.loaded.packages.get(job.package).map_or("", |package| &package.public.name);
        let fqn: Vec<String> = [package].into_iter().chain(rest.split('/')).map(str::to_owned).collect();
        Draft {
            kind,
            package: job.package,
            name: fqn.last().cloned().unwrap_or_default(),
            name_at: Vec::new(),
            version: None,
            latest: true,
            file: job.file,
            at: job.at,
            fqn,
            template,
            block: None,
            properties: Vec::new(),
        }
    }

    fn keep_macros(&mut self, package: usize, template: &Template) {
        let name = self.loaded.packages.get(package).map_or(CORE_PACKAGE, |package| &package.public.name);
        let macros = self.loaded.macros.entry(name.to_owned()).or_default();
        for found in template.macros() {
            let name = match found.kind {
                MacroKind::Test => format!("test_{}", found.name),
                _ => found.name.to_string(),
            };
            macros.insert(name, found.clone());
        }
    }
}

fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// The name that a package most likely has: the last part of where it is from.
fn package_name(from: &Scalar) -> String {
    let last = from.as_str().trim_end_matches('/').trim_end_matches(".git").rsplit('/').next().unwrap_or_default();
    last.replace('-', "_")
}

/// A template, none of what is no template; and why parts of it could not be read.
type Parsed = (Option<Result<Template, Error>>, Vec<Error>);

/// Parses templates, several at a time.
fn parse_all(files: &Files, jobs: &[Job], threads: usize) -> Vec<Parsed> {
    let results = in_threads(jobs.len(), threads, |index| {
        let job = &jobs[index];
        let text = files.text(job.file);
        match job.role {
            Role::Node(NodeKind::Seed | NodeKind::PythonModel) => (None, Vec::new()),
            Role::Node(_) => (Some(parse(job.file, text, job.at.range())), Vec::new()),
            Role::Macros | Role::Snapshots => {
                let (template, errors) = parse_blocks(job.file, text, job.at.range());
                (Some(Ok(template)), errors)
            }
        }
    });
    results.into_values().collect()
}

/// Does numbered work in threads; the results by number.
pub(super) fn in_threads<T: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> T + Sync,
) -> BTreeMap<usize, T> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return done;
            }
            done.push((index, work(index)));
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads.max(1)).map(|_| scope.spawn(worker)).collect();
        let mut all = worker();
        for handle in workers {
            match handle.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all.into_iter().collect()
    })
}

impl Node {
    /// The path of its file.
    pub fn path<'a>(&self, files: &'a Files) -> &'a str {
        files.path(self.file)
    }
}
