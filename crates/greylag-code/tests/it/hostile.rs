//! Hostile repositories do nothing: each is fetched, read, changed, offered, merged and reverted, or refused in good order,
//! and then nothing has happened outside. See [`Arena::exercise`] for what is looked at.

mod packs;
mod remotes;
mod trees;

use crate::estate::{Estate, files_below, signed};
use crate::forge::open_forge;
use greylag_code::git::{Edit, Edits, Git, Limits, RefChange, Repository, Safety, Wanted};
use greylag_code::tree::Tree;
use greylag_driver::error::DriverError;
use greylag_driver::forge::{Forge, Head, Merge, Open, Policy, Revert, Reverted};
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;

/// What is expected of a repository.
pub(crate) enum Expect {
    /// It is not even fetched.
    Refused,
    /// It is fetched, and has these regular files and no others.
    Has(&'static [&'static str]),
    /// It is fetched, and has so many regular files.
    Counts(usize),
    /// It is fetched, and reading it goes beyond a limit.
    Beyond,
    /// Either, in good order.
    Either,
}

/// A hostile repository, and what must stay as it is.
pub(crate) struct Arena {
    pub(crate) estate: Estate,
    listener: TcpListener,
}

impl Arena {
    pub(crate) fn new() -> Self {
        let estate = Estate::with(&[("a.sql", "select 1\n")]);
        std::fs::create_dir(estate.path("canary")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self { estate, listener }
    }

    /// A command that would be seen.
    pub(crate) fn payload(&self) -> String {
        format!("touch {}", self.estate.path("canary/it-ran").display())
    }

    /// An executable file that would be seen.
    pub(crate) fn script(&self, place: &str) -> PathBuf {
        let path = self.estate.path(place);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("#!/bin/sh\n{}\nexec \"$@\"\n", self.payload())).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        path
    }

    /// An address that would be seen.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/evil.git", self.listener.local_addr().unwrap())
    }

    fn limits() -> Limits {
        Limits { time: Duration::from_mins(1), file_bytes: 8 << 20, entries: 300_000, ..Limits::default() }
    }

    /// Everything is done with it, and then: no file is new but in what is ours, theirs is as it was, nobody has connected,
    /// and no process that knows of this folder is left.
    pub(crate) fn exercise(&self, expect: &Expect) {
        let before = files_below(self.estate.folder.path());
        let told = self.use_it(expect);
        match (expect, told) {
            (Expect::Refused | Expect::Beyond, Ok(())) => panic!("it was taken"),
            (Expect::Has(_) | Expect::Counts(_), Err(error)) => panic!("it was refused: {error}"),
            (Expect::Refused | Expect::Beyond | Expect::Either, Err(error)) => assert!(!error.message.is_empty()),
            (_, Ok(())) => {}
        }
        self.nothing_happened(&before);
    }

    fn nothing_happened(&self, before: &[PathBuf]) {
        let ours = [self.estate.path("ours.git"), self.estate.path("forge")];
        let mut after = files_below(self.estate.folder.path());
        after.retain(|path| !ours.iter().any(|ours| path.starts_with(ours)));
        assert_eq!(after, before, "files are new or gone");
        assert!(self.listener.accept().is_err(), "somebody connected");
        assert_eq!(processes_of(&self.estate), Vec::<String>::new(), "processes are left");
    }

    fn use_it(&self, expect: &Expect) -> Result<(), DriverError> {
        let git = Git::default().limited(Self::limits());
        let ours = Repository::make(git.clone(), self.estate.path("ours.git"), Safety::Cache)?;
        let fetched = ours.fetch(&self.estate.remote(), &Wanted::default());
        if !matches!(expect, Expect::Refused | Expect::Either) {
            fetched.as_ref().unwrap();
        }
        fetched?;
        let _ = ours.look(&self.estate.remote());
        let tree = ours.branch_tree("main")?.unwrap();
        let paths = tree.paths().unwrap();
        match expect {
            Expect::Has(expected) => assert_eq!(paths, *expected),
            Expect::Counts(expected) => assert_eq!(paths.len(), *expected),
            _ => {}
        }
        for path in paths.iter().take(200) {
            let read = tree.read(path).map_err(|error| *error.into_inner().unwrap().downcast::<DriverError>().unwrap());
            assert!(read?.is_some(), "{path}");
        }
        let edits: Edits = paths.iter().take(1).map(|path| (path.clone(), Edit::Replace(b"ours\n".to_vec()))).collect();
        let head = ours.commit(&tree, &edits, &signed("ours"))?;
        ours.patch(tree.commit(), &head)?;
        self.offer(&ours, tree.commit(), &Head { commit: head.to_string(), folder: ours.folder().to_owned() })
    }

    /// The way of a change through the forge.
    fn offer(&self, ours: &Repository, main: &greylag_code::git::ObjectId, head: &Head) -> Result<(), DriverError> {
        let forge = open_forge(self.estate.folder.path());
        let hosted = forge.host("hostile", Policy::ByHand)?;
        hosted.take(ours, main, &[])?;
        hosted.move_branches(&[RefChange { branch: "main".to_owned(), from: None, to: Some(main.clone()) }])?;
        let open = Open {
            repository: "hostile".to_owned(),
            key: "k".to_owned(),
            branch: "greylag/k".to_owned(),
            base: "main".to_owned(),
            head: head.clone(),
            title: "$(touch x) `touch x`\u{1b}[2J".to_owned(),
            description: "--upload-pack=touch x\n".to_owned(),
        };
        let at = forge.open(&open)?.at();
        forge.approve(&at, "ada")?;
        // The base moves, so that trees are really merged.
        let tree = hosted.tree(main)?;
        let new: Edits = [("greylag-test.txt".to_owned(), Edit::Create(b"new\n".to_vec()))].into();
        let moved = hosted.commit(&tree, &new, &signed("moved"))?;
        let change = RefChange { branch: "main".to_owned(), from: Some(main.clone()), to: Some(moved) };
        hosted.move_branches(&[change])?;
        let Merge::Merged { .. } = forge.merge(&at, "ada")? else { panic!("not merged") };
        let revert = Revert {
            repository: open.repository,
            number: 1,
            key: "undo".to_owned(),
            branch: "greylag/undo".to_owned(),
            title: "back".to_owned(),
            description: String::new(),
        };
        let Reverted::Opened(_) = forge.revert(&revert)? else { panic!("not reverted") };
        Ok(())
    }
}

/// Processes, not this one, that have the folder among their arguments or work in it.
fn processes_of(estate: &Estate) -> Vec<String> {
    let folder = estate.folder.path().display().to_string();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.bytes().all(|byte| byte.is_ascii_digit()) || name == std::process::id().to_string() {
            continue;
        }
        let arguments = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let works_in = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ");
        if arguments.contains(&folder) || works_in.starts_with(estate.folder.path()) {
            found.push(arguments);
        }
    }
    found
}

/// One test for each hostile repository.
macro_rules! hostile {
    ($($(#[$doc:meta])* $name:ident: $expect:expr, |$arena:ident| $build:block)*) => {
        $(
            $(#[$doc])*
            #[test]
            fn $name() {
                let $arena = $crate::hostile::Arena::new();
                $build
                $arena.exercise(&$expect);
            }
        )*
    };
}
pub(crate) use hostile;

#[test]
fn the_arena_sees_what_happens() {
    let arena = Arena::new();
    let before = files_below(arena.estate.folder.path());
    arena.nothing_happened(&before);
    let seen = |arena: &Arena| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| arena.nothing_happened(&before))).is_err()
    };
    std::fs::write(arena.estate.path("canary/it-ran"), "").unwrap();
    assert!(seen(&arena));
    std::fs::remove_file(arena.estate.path("canary/it-ran")).unwrap();
    let connection = std::net::TcpStream::connect(arena.listener.local_addr().unwrap()).unwrap();
    assert!(seen(&arena));
    drop(connection);
    assert!(!seen(&arena));
    // A payload works where it is not held back: people's git runs the hook of the remote.
    let hook = arena.script("theirs.git/hooks/post-update");
    assert!(hook.is_file());
    arena.estate.git(&["clone", "-q", "theirs.git", "work"]);
    arena.estate.git(&["-C", "work", "commit", "-q", "--allow-empty", "-m", "x"]);
    arena.estate.git(&["-C", "work", "push", "-q"]);
    assert!(arena.estate.path("canary/it-ran").exists());
}
