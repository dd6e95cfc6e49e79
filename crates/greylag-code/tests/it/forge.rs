//! The embedded forge: what every forge must do, and death at every point.

use crate::estate::signed;
use greylag_code::forge::embedded::EmbeddedForge;
use greylag_code::git::{Edit, Edits, Git, ObjectId, Person, RefChange, Repository, Safety, Wanted};
use greylag_code::tree::Tree;
use greylag_driver::clock::ManualClock;
use greylag_driver::fault::Faults;
use greylag_driver::forge::conformance::{Make, World, conformance};
use greylag_driver::forge::{Forge, Head, Merge, Open, Policy, Revert, Reverted, State, Which};
use greylag_model::id::Timestamp;
use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const NAME: &str = "team/models";

pub(crate) struct Embedded {
    folder: TempDir,
    pub(crate) forge: EmbeddedForge,
    /// Of ours.
    workspace: Repository,
    /// Of somebody else.
    theirs: Repository,
}

pub(crate) fn open_forge(folder: &Path) -> EmbeddedForge {
    open_forge_with(folder, Git::default())
}

/// The same with a git of its own.
pub(crate) fn open_forge_with(folder: &Path, git: Git) -> EmbeddedForge {
    let clock = Arc::new(ManualClock::at(Timestamp(1_700_000_000_000)));
    let signer = Person { name: "Forge".to_owned(), email: "forge@example.com".to_owned() };
    EmbeddedForge::open(folder.join("forge"), git, clock, signer).unwrap()
}

/// The first commit of a branch, which has no parent.
fn root(repository: &Repository, files: &[(&str, &str)]) -> ObjectId {
    let estate = crate::estate::Estate::with(files);
    repository.fetch(&estate.remote(), &Wanted::default()).unwrap();
    repository.branch("main").unwrap().unwrap()
}

impl Embedded {
    pub(crate) fn new(policy: Policy, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let forge = open_forge(folder.path());
        let hosted = forge.host(NAME, policy).unwrap();
        let make = |name: &str| Repository::make(Git::default(), folder.path().join(name), Safety::Cache).unwrap();
        let (workspace, theirs) = (make("workspace.git"), make("theirs.git"));
        let main = root(&theirs, files);
        hosted.take(&theirs, &main, &[]).unwrap();
        hosted.move_branches(&[RefChange { branch: "main".to_owned(), from: None, to: Some(main) }]).unwrap();
        Self { folder, forge, workspace, theirs }
    }

    fn hosted(&self) -> Repository {
        self.forge.repository(NAME).unwrap()
    }

    /// Makes the forge anew on the same folder, as after a crash.
    fn restart(&mut self, faults: Option<Arc<dyn Faults>>) {
        let forge = open_forge(self.folder.path());
        self.forge = match faults {
            Some(faults) => forge.with_faults(faults),
            None => forge,
        };
    }
}

struct MakeEmbedded;

impl Make for MakeEmbedded {
    fn world(&self, policy: Policy, files: &[(&str, &str)]) -> Box<dyn World> {
        Box::new(Embedded::new(policy, files))
    }
}

impl World for Embedded {
    fn forge(&self) -> &dyn Forge {
        &self.forge
    }
    fn repository(&self) -> String {
        NAME.to_owned()
    }
    fn commit(&self, parent: &str, edits: &[(&str, Option<&str>)]) -> Head {
        let hosted = greylag_code::git::Remote::at(self.hosted().folder());
        self.workspace.fetch(&hosted, &Wanted::default()).unwrap();
        let tree = self.workspace.tree(&ObjectId::parse(parent).unwrap()).unwrap();
        let edit = |(path, text): &(&str, Option<&str>)| {
            let there = tree.read(path).unwrap().is_some();
            let edit = match text {
                None => Edit::Delete,
                Some(text) if there => Edit::Replace(text.as_bytes().to_vec()),
                Some(text) => Edit::Create(text.as_bytes().to_vec()),
            };
            ((*path).to_owned(), edit)
        };
        let edits: Edits = edits.iter().map(edit).collect();
        let commit = self.workspace.commit(&tree, &edits, &signed("change")).unwrap();
        Head { commit: commit.as_str().to_owned(), folder: self.workspace.folder().to_owned() }
    }
    fn push(&self, branch: &str, head: Option<&Head>) {
        let hosted = self.hosted();
        let to = head.map(|head| ObjectId::parse(&head.commit).unwrap());
        if let Some(to) = &to {
            self.theirs.take(&self.workspace, to, &[]).unwrap();
        }
        let change = RefChange { branch: branch.to_owned(), from: hosted.branch(branch).unwrap(), to };
        let remote = greylag_code::git::Remote::at(hosted.folder());
        assert_eq!(self.theirs.push(&remote, &change).unwrap(), greylag_code::git::Pushed::Done);
    }
    fn branch(&self, branch: &str) -> Option<String> {
        self.hosted().branch(branch).unwrap().map(|id| id.as_str().to_owned())
    }
    fn branches(&self) -> Vec<String> {
        self.hosted().branches().unwrap().into_keys().collect()
    }
    fn read(&self, branch: &str, path: &str) -> Option<String> {
        let tree = self.hosted().branch_tree(branch).unwrap().unwrap();
        tree.read(path).unwrap().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }
}

#[test]
fn it_is_a_forge() {
    conformance(&MakeEmbedded);
}

/// Stops at the n-th point, and notes all that it passes.
struct StopAt {
    left: Mutex<i64>,
    passed: Mutex<Vec<String>>,
}

impl StopAt {
    fn new(left: i64) -> Arc<Self> {
        Arc::new(Self { left: Mutex::new(left), passed: Mutex::default() })
    }
}

impl Faults for StopAt {
    fn hit(&self, point: &str) -> io::Result<()> {
        self.passed.lock().unwrap().push(point.to_owned());
        let mut left = self.left.lock().unwrap();
        *left -= 1;
        if *left < 0 { Err(io::Error::other("killed")) } else { Ok(()) }
    }
}

pub(crate) fn open_request(world: &Embedded, head: &Head) -> Open {
    Open {
        repository: world.repository(),
        key: "run/task".to_owned(),
        branch: "greylag/task".to_owned(),
        base: "main".to_owned(),
        head: head.clone(),
        title: "title".to_owned(),
        description: String::new(),
    }
}

const FILES: &[(&str, &str)] = &[("a", "1\n"), ("b", "1\n")];

/// All that a step does with a forge, each call again if it was killed.
fn life(world: &mut Embedded, stop: &Arc<StopAt>) -> usize {
    let mut kills = 0;
    let mut done = |world: &mut Embedded,
                    call: &dyn Fn(&Embedded) -> Result<(), greylag_driver::error::DriverError>| {
        while let Err(error) = call(world) {
            assert!(error.message.contains("killed"), "{error}");
            kills += 1;
            // Whoever was killed is begun anew; the second time nobody is.
            world.restart(Some(StopAt::new(i64::MAX)));
        }
    };
    world.restart(Some(Arc::clone(stop) as Arc<dyn Faults>));
    let main = world.branch("main").unwrap();
    let head = world.commit(&main, &[("a", Some("2\n"))]);
    let better = world.commit(&main, &[("a", Some("3\n"))]);
    let request = open_request(world, &head);
    let key = Which::Key(request.key.clone());
    done(world, &|world| world.forge.open(&request).map(|_| ()));
    done(world, &|world| world.forge.close(NAME, &key));
    done(world, &|world| world.forge.open(&request).map(|_| ()));
    let at = world.forge.find(NAME, &key).unwrap().unwrap().at();
    done(world, &|world| world.forge.update(&at, &better).map(|_| ()));
    let at = world.forge.find(NAME, &key).unwrap().unwrap().at();
    world.forge.approve(&at, "ada").unwrap();
    done(world, &|world| {
        let Merge::Merged { .. } = world.forge.merge(&at, "ada")? else { panic!("not merged") };
        Ok(())
    });
    let revert = Revert {
        repository: NAME.to_owned(),
        number: at.number,
        key: "run/task/undo".to_owned(),
        branch: "greylag/undo".to_owned(),
        title: "back".to_owned(),
        description: String::new(),
    };
    done(world, &|world| {
        let Reverted::Opened(_) = world.forge.revert(&revert)? else { panic!("not opened") };
        Ok(())
    });
    kills
}

#[test]
fn killed_at_every_point_it_does_everything_once() {
    let whole = StopAt::new(i64::MAX);
    assert_eq!(life(&mut Embedded::new(Policy::ByHand, FILES), &whole), 0);
    let points = whole.passed.lock().unwrap().clone();
    let names: BTreeSet<&str> = points.iter().map(String::as_str).collect();
    assert!(points.len() >= 26 && names.len() >= 16, "{points:?}");
    for (n, point) in points.iter().enumerate() {
        let mut world = Embedded::new(Policy::ByHand, FILES);
        assert_eq!(life(&mut world, &StopAt::new(n as i64)), 1, "{point}");
        world.restart(None);
        let all = world.forge.list(&greylag_driver::forge::Filter { limit: 10, ..Default::default() }).unwrap();
        let told: Vec<_> = all.iter().map(|request| (request.number, request.state, request.reverts)).collect();
        assert_eq!(told, [(1, State::Merged, None), (2, State::Open, Some(1))], "{point}");
        assert_eq!(world.branches(), ["greylag/undo", "main"], "{point}");
        assert_eq!(
            (world.read("main", "a"), world.read("greylag/undo", "a")),
            (Some("3\n".into()), Some("1\n".into()))
        );
        // One merge and no more: main, the change, the merge.
        let hosted = world.hosted();
        let main = hosted.branch("main").unwrap().unwrap();
        assert_eq!(all[0].merge_commit.as_deref(), Some(main.as_str()), "{point}");
    }
}

#[test]
fn one_that_is_given_up_leaves_no_branch() {
    for points in [0..6, 6..20] {
        for n in points {
            let mut world = Embedded::new(Policy::ByHand, FILES);
            let head = world.commit(&world.branch("main").unwrap(), &[("a", Some("2\n"))]);
            let request = open_request(&world, &head);
            let key = Which::Key(request.key.clone());
            if n >= 6 {
                world.forge.open(&request).unwrap();
            }
            world.restart(Some(StopAt::new(n % 6)));
            // Killed while it is opened, or moved, and then nobody wants it any more.
            let told = if n < 6 {
                world.forge.open(&request).map(|_| ())
            } else {
                let other = world.commit(&world.branch("main").unwrap(), &[("a", Some("4\n"))]);
                let at = world.forge.find(NAME, &key).unwrap().unwrap().at();
                world.forge.update(&at, &other).map(|_| ())
            };
            assert!(told.is_err() || n % 6 >= 4, "{n}");
            world.restart(None);
            world.forge.close(NAME, &key).unwrap();
            assert_eq!(world.branches(), ["main"], "{n}");
            // Nor does giving up die half-way.
            let found = world.forge.find(NAME, &key).unwrap().map(|request| request.state);
            assert!(matches!(found, None | Some(State::Closed)), "{n}: {found:?}");
        }
    }
}

#[test]
fn a_merge_that_lost_a_race_is_made_anew() {
    let mut world = Embedded::new(Policy::ByHand, FILES);
    let main = world.branch("main").unwrap();
    let head = world.commit(&main, &[("a", Some("2\n"))]);
    let at = world.forge.open(&open_request(&world, &head)).unwrap().at();
    world.forge.approve(&at, "ada").unwrap();
    // Somebody pushes to the base between the look and the merge.
    struct Race {
        hosted: Repository,
        to: ObjectId,
    }
    impl Faults for Race {
        fn hit(&self, point: &str) -> io::Result<()> {
            if point == "forge/merge:after-intent" && !self.hosted.contains(&self.main(), &self.to).unwrap() {
                let change =
                    RefChange { branch: "main".to_owned(), from: Some(self.main()), to: Some(self.to.clone()) };
                self.hosted.move_branches(&[change]).unwrap();
            }
            Ok(())
        }
    }
    impl Race {
        fn main(&self) -> ObjectId {
            self.hosted.branch("main").unwrap().unwrap()
        }
    }
    let other = ObjectId::parse(&world.commit(&main, &[("b", Some("2\n"))]).commit).unwrap();
    let hosted = world.hosted();
    hosted.take(&world.workspace, &other, &["main"]).unwrap();
    world.restart(Some(Arc::new(Race { hosted, to: other.clone() })));
    let Merge::Merged { commit } = world.forge.merge(&at, "ada").unwrap() else { panic!("not merged") };
    assert!(world.hosted().contains(&ObjectId::parse(&commit).unwrap(), &other).unwrap());
    assert_eq!((world.read("main", "a"), world.read("main", "b")), (Some("2\n".into()), Some("2\n".into())));
}

#[test]
fn names_of_repositories_do_not_lead_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let forge = open_forge(folder.path());
    for name in ["../x", "/x", "a/../../x", ".git", "a.git/b", "-x", "", "a b", "a\0"] {
        assert!(forge.host(name, Policy::ByHand).is_err(), "{name:?}");
    }
    forge.host("a/b.c", Policy::ByHand).unwrap();
    assert_eq!(forge.hosted().unwrap(), ["a/b.c"]);
}

#[test]
fn threads_open_one_change_request() {
    let world = Embedded::new(Policy::ByHand, FILES);
    let head = world.commit(&world.branch("main").unwrap(), &[("a", Some("2\n"))]);
    let request = open_request(&world, &head);
    let other = open_forge(world.folder.path());
    std::thread::scope(|scope| {
        for forge in [&world.forge, &other, &world.forge, &other] {
            let request = &request;
            scope.spawn(move || assert_eq!(forge.open(request).unwrap().number, 1));
        }
    });
    assert_eq!(world.branches(), ["greylag/task", "main"]);
}
