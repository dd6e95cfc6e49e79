//! What every forge must do.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a conformance suite is test code")]

use super::{At, ChangeRequest, Check, Filter, Forge, Head, Merge, Open, Policy, Revert, Reverted, State, Which};
use greylag_model::check::Verdict;
use greylag_model::code::Code;
use greylag_model::code::repository as code;
use greylag_model::spec::ErrorClass;

/// Makes forges.
pub trait Make {
    /// A forge with one repository, whose branch `main` has these files.
    fn world(&self, policy: Policy, files: &[(&str, &str)]) -> Box<dyn World>;
}

/// A forge with one repository, and the people who use that.
pub trait World {
    /// The forge.
    fn forge(&self) -> &dyn Forge;
    /// The repository's name.
    fn repository(&self) -> String;
    /// Writes a commit on top of another one, in a workspace of ours; `None` deletes a file.
    fn commit(&self, parent: &str, edits: &[(&str, Option<&str>)]) -> Head;
    /// Somebody else forces a branch to a commit, or deletes it.
    fn push(&self, branch: &str, head: Option<&Head>);
    /// Where a branch of the forge is.
    fn branch(&self, branch: &str) -> Option<String>;
    /// The names of all branches of the forge, in order.
    fn branches(&self) -> Vec<String>;
    /// A file of a branch of the forge.
    fn read(&self, branch: &str, path: &str) -> Option<String>;
}

const BRANCH: &str = "greylag/users-v2";
const FILES: &[(&str, &str)] = &[("a.sql", "select a\n"), ("b.sql", "select b\n"), ("c.sql", "select c\n")];

/// Runs the whole suite; panics where the forge differs.
pub fn conformance(make: &dyn Make) {
    opened_once(make);
    a_branch_of_somebody_else_is_left(make);
    an_answer_that_is_lost_costs_nothing(make);
    a_head_that_moved_is_seen(make);
    checks_and_approvals_are_of_one_head(make);
    by_hand(make);
    automatic(make);
    a_base_that_moved_is_merged(make);
    conflicts_are_told(make);
    closed_and_opened_again(make);
    closed_where_there_is_nothing(make);
    updated(make);
    edited(make);
    reverted(make);
    reverted_after_others(make);
    comments_are_kept(make);
    lists(make);
    what_is_not_there(make);
}

/// A world, and what is asked of it.
struct Scene {
    world: Box<dyn World>,
    main: String,
}

impl Scene {
    fn new(make: &dyn Make, policy: Policy) -> Self {
        let world = make.world(policy, FILES);
        let main = world.branch("main").unwrap();
        Self { world, main }
    }

    fn forge(&self) -> &dyn Forge {
        self.world.forge()
    }

    fn request(&self, key: &str, branch: &str, head: &Head) -> Open {
        Open {
            repository: self.world.repository(),
            key: key.to_owned(),
            branch: branch.to_owned(),
            base: "main".to_owned(),
            head: head.clone(),
            title: "Read `users_v2`".to_owned(),
            description: "Why.\n".to_owned(),
        }
    }

    /// Our edit of one file, on top of what `main` was at first.
    fn edit(&self, path: &str, text: &str) -> Head {
        self.world.commit(&self.main, &[(path, Some(text))])
    }

    fn open(&self, key: &str, branch: &str, head: &Head) -> ChangeRequest {
        self.forge().open(&self.request(key, branch, head)).unwrap()
    }

    /// The usual one.
    fn opened(&self) -> ChangeRequest {
        self.open("run/task", BRANCH, &self.edit("a.sql", "select a_v2\n"))
    }

    fn find(&self, number: u64) -> ChangeRequest {
        self.forge().find(&self.world.repository(), &Which::Number(number)).unwrap().unwrap()
    }

    fn merged(&self, at: &At) -> String {
        self.forge().approve(at, "ada").unwrap();
        let Merge::Merged { commit } = self.forge().merge(at, "ada").unwrap() else { panic!("not merged") };
        commit
    }

    /// Somebody else changes a file of `main`.
    fn move_base(&self, path: &str, text: Option<&str>) -> String {
        let head = self.world.commit(&self.world.branch("main").unwrap(), &[(path, text)]);
        self.world.push("main", Some(&head));
        head.commit
    }

    fn revert(&self, number: u64) -> Reverted {
        let revert = Revert {
            repository: self.world.repository(),
            number,
            key: "run/task/undo".to_owned(),
            branch: "greylag/undo".to_owned(),
            title: "Read `users` again".to_owned(),
            description: String::new(),
        };
        self.forge().revert(&revert).unwrap()
    }
}

fn check(name: &str, verdict: Verdict) -> Check {
    Check { name: name.to_owned(), verdict, detail: "42 rows".to_owned(), link: None }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(told: Result<T, crate::error::DriverError>, class: ErrorClass, code: Code) {
    let error = told.expect_err("it was done");
    assert_eq!((error.class, error.code), (class, code), "{error}");
}

fn opened_once(make: &dyn Make) {
    let scene = Scene::new(make, Policy::ByHand);
    let opened = scene.opened();
    assert_eq!((opened.number, opened.state, opened.key.as_str()), (1, State::Open, "run/task"));
    assert_eq!(
        (opened.branch.as_str(), opened.base.as_str(), opened.title.as_str()),
        (BRANCH, "main", "Read `users_v2`")
    );
    assert_eq!((opened.merge_commit.clone(), opened.reverts), (None, None));
    assert_eq!(scene.world.branch(BRANCH).as_deref(), Some(opened.head.as_str()));
    assert_eq!(scene.world.read(BRANCH, "a.sql").as_deref(), Some("select a_v2\n"));
    assert_eq!(scene.opened(), opened);
    // Another head does not move one that is open: that is an update.
    let other = scene.edit("a.sql", "select a_v3\n");
    assert_eq!(scene.open("run/task", BRANCH, &other), opened);
    assert_eq!(scene.find(1), opened);
    let by_key = scene.forge().find(&scene.world.repository(), &Which::Key("run/task".to_owned())).unwrap();
    assert_eq!(by_key, Some(opened));
    assert_eq!(scene.open("run/other", "greylag/other", &other).number, 2);
    assert_eq!(scene.world.branches(), ["greylag/other", BRANCH, "main"]);
}

fn a_branch_of_somebody_else_is_left(make: &dyn Make) {
    let scene = Scene::new(make, Policy::ByHand);
    let theirs = scene.edit("c.sql", "theirs\n");
    scene.world.push(BRANCH, Some(&theirs));
    let open = scene.request("run/task", BRANCH, &scene.edit("a.sql", "select a_v2\n"));
    for _ in 0..2 {
        refused(scene.forge().open(&open), ErrorClass::Conflict, code::FORGE_TAKEN);
        assert_eq!(scene.world.branch(BRANCH).as_deref(), Some(theirs.commit.as_str()));
    }
    assert_eq!(scene.forge().find(&open.repository, &Which::Key(open.key.clone())).unwrap(), None);
    scene.forge().close(&open.repository, &Which::Key(open.key.clone())).unwrap();
    assert_eq!(scene.world.branch(BRANCH).as_deref(), Some(theirs.commit.as_str()));
    scene.world.push(BRANCH, None);
    assert_eq!(scene.forge().open(&open).unwrap().state, State::Open);
    // Nor is a change request opened into its own base, or into a branch that is not there.
    let into = |base: &str, branch: &str| Open {
        base: base.to_owned(),
        key: format!("{base}-{branch}"),
        ..scene.request("", branch, &theirs)
    };
    refused(scene.forge().open(&into("none", "greylag/none")), ErrorClass::Permanent, code::FORGE_UNKNOWN);
    refused(scene.forge().open(&into("main", "main")), ErrorClass::Conflict, code::FORGE_TAKEN);
    assert_eq!(scene.world.branches(), [BRANCH, "main"]);
}

/// Each call is made twice, as by somebody who has not heard the first answer.
fn an_answer_that_is_lost_costs_nothing(make: &dyn Make) {
    let scene = Scene::new(make, Policy::ByHand);
    let (one, two) = (scene.opened(), scene.opened());
    assert_eq!(one, two);
    let head = scene.world.commit(&one.head, &[("b.sql", Some("select b_v2\n"))]);
    let updated: Vec<_> = (0..2).map(|_| scene.forge().update(&one.at(), &head).unwrap()).collect();
    assert_eq!((&updated[0], updated[0].head.as_str()), (&updated[1], head.commit.as_str()));
    let at = updated[0].at();
    for _ in 0..2 {
        scene.forge().approve(&at, "ada").unwrap();
        scene.forge().check(&at, &[check("proof", Verdict::Pass)]).unwrap();
        scene.forge().comment(&at.repository, at.number, "verdicts", "greylag", "all well").unwrap();
    }
    let seen = scene.find(1);
    assert_eq!((seen.approvals.len(), seen.checks.len(), seen.comments.len()), (1, 1, 1));
    let merged: Vec<_> = (0..2).map(|_| scene.forge().merge(&at, "ada").unwrap()).collect();
    assert_eq!(merged[0], merged[1]);
    let main = scene.world.branch("main").unwrap();
    assert_eq!(merged[0], Merge::Merged { commit: main.clone() });
    assert_eq!(scene.world.branch("main"), Some(main));
    let reverts: Vec<_> = (0..2).map(|_| scene.revert(1)).collect();
    assert_eq!(reverts[0], reverts[1]);
    let key = Which::Key("run/task/undo".to_owned());
    for _ in 0..2 {
        scene.forge().close(&at.repository, &key).unwrap();
    }
    assert_eq!(scene.world.branches(), ["main"]);
    // What is merged is answered to whoever opens it once more, and stays merged.
    assert_eq!(scene.opened().state, State::Merged);
    assert_eq!(scene.world.branches(), ["main"]);
}

fn a_head_that_moved_is_seen(make: &dyn Make) {
    let scene = Scene::new(make, Policy::ByHand);
    let opened = scene.opened();
    let forced = scene.edit("a.sql", "select forced\n");
    scene.world.push(BRANCH, Some(&forced));
    let seen = scene.find(1);
    assert_eq!((seen.head.as_str(), seen.state), (forced.commit.as_str(), State::Open));
    let at = opened.at();
    refused(scene.forge().merge(&at, "ada"), ErrorClass::Conflict, code::GIT_MOVED);
    refused(scene.forge().approve(&at, "ada"), ErrorClass::Conflict, code::GIT_MOVED);
    refused(scene.forge().check(&at, &[check("proof", Verdict::Pass)]), ErrorClass::Conflict, code::GIT_MOVED);
    let ours = scene.edit("a.sql", "select ours\n");
    refused(scene.forge().update(&at, &ours), ErrorClass::Conflict, code::GIT_MOVED);
    assert_eq!(scene.world.branch(BRANCH).as_deref(), Some(forced.commit.as_str()));
    assert_eq!(scene.opened().head, forced.commit);
    scene.merged(&seen.at());
    assert_eq!(scene.world.read("main", "a.sql").as_deref(), Some("select forced\n"));
    // One whose branch is deleted is closed.
    let other = scene.open("run/other", "greylag/other", &ours);
    scene.world.push("greylag/other", None);
    let gone = scene.find(other.number);
    assert_eq!((gone.state, gone.head.as_str()), (State::Closed, ours.commit.as_str()));
    refused(scene.forge().merge(&other.at(), "ada"), ErrorClass::Permanent, code::FORGE_STATE);
}

fn checks_and_approvals_are_of_one_head(make: &dyn Make) {
    let scene = Scene::new(make, Policy::ByHand);
    let at = scene.opened().at();
    scene.forge().approve(&at, "ada").unwrap();
    scene.forge().approve(&at, "bob").unwrap();
    scene.forge().check(&at, &[check("proof", Verdict::Unknown), check("build", Verdict::Pass)]).unwrap();
    scene.forge().check(&at, &[check("proof", Verdict::Fail)]).unwrap();
    let seen = scene.find(1);
    assert_eq!(seen.approvals, ["ada", "bob"]);
    assert_eq!(seen.checks, [check("build", Verdict::Pass), check("proof", Verdict::Fail)]);
    let head = scene.world.commit(&at.head, &[("b.sql", Some("more\n"))]);
    let updated = scene.forge().update(&at, &head).unwrap();
    assert_eq!((updated.approvals.len(), updated.checks.len()), (0, 0));
    assert_eq!(scene.find(1), updated);
}

fn by_hand(make: &dyn Make) {
    let scene = Scene::new(make, Policy::ByHand);
    let at = scene.opened().at();
    let refusal = |scene: &Scene| matches!(scene.forge().merge(&at, "ada").unwrap(), Merge::Refused { .. });
    assert!(refusal(&scene));
    scene.forge().check(&at, &[check("proof", Verdict::Fail)]).unwrap();
    scene.forge().approve(&at, "ada").unwrap();
    assert!(refusal(&scene), "a check has failed");
    scene.forge().check(&at, &[check("proof", Verdict::Unknown)]).unwrap();
    let commit = scene.merged(&at);
    let seen = scene.find(1);
    assert_eq!(
        (seen.state, seen.merge_commit.as_deref(), &seen.head),
        (State::Merged, Some(commit.as_str()), &at.head)
    );
    assert_eq!(scene.world.branch("main"), Some(commit));
    assert_eq!(scene.world.branches(), ["main"], "a branch that is merged goes");
    assert_eq!(scene.world.read("main", "a.sql").as_deref(), Some("select a_v2\n"));
    refused(scene.forge().approve(&at, "ada"), ErrorClass::Permanent, code::FORGE_STATE);
    refused(scene.forge().close(&at.repository, &Which::Number(1)), ErrorClass::Permanent, code::FORGE_STATE);
}

fn automatic(make: &dyn Make) {
    let scene = Scene::new(make, Policy::Automatic);
    let at = scene.opened().at();
    let pending = |scene: &Scene| matches!(scene.forge().merge(&at, "greylag").unwrap(), Merge::Pending { .. });
    assert!(pending(&scene));
    scene.forge().check(&at, &[check("proof", Verdict::Pass), check("build", Verdict::Unknown)]).unwrap();
    assert!(pending(&scene) && pending(&scene));
    assert_eq!(scene.find(1).state, State::Open);
    scene.forge().check(&at, &[check("build", Verdict::Fail)]).unwrap();
    assert!(matches!(scene.forge().merge(&at, "greylag").unwrap(), Merge::Refused { .. }));
    scene.forge().check(&at, &[check("build", Verdict::Pass)]).unwrap();
    let commit = scene.world.branch("main");
    assert_eq!(commit.as_deref(), Some(scene.main.as_str()), "nothing was merged so far");
    let Merge::Merged { commit } = scene.forge().merge(&at, "greylag").unwrap() else { panic!("not merged") };
    assert_eq!(scene.world.branch("main"), Some(commit));
}

fn a_base_that_moved_is_merged(make: &dyn Make) {
    let scene = Scene::new(make, Policy::ByHand);
    let opened = scene.opened();
    let (one, two) = (scene.edit("b.sql", "select b_v2\n"), scene.edit("c.sql", "select c_v2\n"));
    let one = scene.open("run/one", "greylag/one", &one);
    let two = scene.open("run/two", "greylag/two", &two);
    scene.move_base("d.sql", Some("select d\n"));
    for request in [&opened, &one, &two] {
        scene.merged(&request.at());
    }
    for (path, text) in [("a", "select a_v2\n"), ("b", "select b_v2\n"), ("c", "select c_v2\n"), ("d", "select d\n")] {
        assert_eq!(scene.world.read("main", &format!("{path}.sql")).as_deref(), Some(text));
    }
    // What somebody has merged by hand is merged.
    let by_hand = scene.world.commit(&scene.world.branch("main").unwrap(), &[("a.sql", Some("select a_v3\n"))]);
    let request = scene.open("run/by-hand", "greylag/by-hand", &by_hand);
    scene.world.push("main", Some(&by_hand));
    assert_eq!(scene.merged(&request.at()), by_hand.commit);
    assert_eq!(scene.world.branches(), ["main"]);
}

fn conflicts_are_told(make: &dyn Make) {
    let scene = Scene::new(make, Policy::ByHand);
    let head =
        scene.world.commit(&scene.main, &[("a.sql", Some("ours\n")), ("b.sql", None), ("c.sql", Some("ours\n"))]);
    let at = scene.open("run/task", BRANCH, &head).at();
    scene.move_base("a.sql", Some("theirs\n"));
    let main = scene.move_base("b.sql", Some("theirs\n"));
    scene.forge().approve(&at, "ada").unwrap();
    let conflict = Merge::Conflict { paths: vec!["a.sql".to_owned(), "b.sql".to_owned()] };
    assert_eq!(scene.forge().merge(&at, "ada").unwrap(), conflict);
    assert_eq!(scene.forge().merge(&at, "ada").unwrap(), conflict);
    assert_eq!((scene.world.branch("main"), scene.find(1).state), (Some(main.clone()), State::Open));
    // It is resolved by another commit.
    let resolved = scene.world.commit(&main, &[("a.sql", Some("both\n"))]);
    let updated = scene.forge().update(&at, &resolved).unwrap();
    scene.merged(&updated.at());
    assert_eq!(scene.world.read("main", "a.sql").as_deref(), Some("both\n"));
}

fn closed_and_opened_again(make: &dyn Make) {
    let scene = Scene::new(make, Policy::ByHand);
    let opened = scene.opened();
    scene.forge().close(&opened.repository, &Which::Number(opened.number)).unwrap();
    assert_eq!((scene.find(1).state, scene.world.branches()), (State::Closed, vec!["main".to_owned()]));
    refused(scene.forge().merge(&opened.at(), "ada"), ErrorClass::Permanent, code::FORGE_STATE);
    let other = scene.edit("a.sql", "select a_v3\n");
    let again = scene.open("run/task", BRANCH, &other);
    assert_eq!((again.number, again.state, again.head.as_str()), (1, State::Open, other.commit.as_str()));
    assert_eq!(scene.world.branch(BRANCH), Some(other.commit));
    scene.merged(&again.at());
}

fn closed_where_there_is_nothing(make: &dyn Make) {
    let scene = Scene::new(make, Policy::ByHand);
    scene.forge().close(&scene.world.repository(), &Which::Key("never".to_owned())).unwrap();
    let opened = scene.opened();
    scene.forge().close(&opened.repository, &Which::Key(opened.key)).unwrap();
    assert_eq!(scene.world.branches(), ["main"]);
}

fn updated(make: &dyn Make) {
    let scene = Scene::new(make, Policy::ByHand);
    let opened = scene.opened();
    // Also to one that does not descend from the first.
    let head = scene.edit("a.sql", "select a_v3\n");
    let updated = scene.forge().update(&opened.at(), &head).unwrap();
    assert_eq!((updated.number, updated.head.as_str()), (1, head.commit.as_str()));
    assert_eq!(scene.world.read(BRANCH, "a.sql").as_deref(), Some("select a_v3\n"));
    let third = scene.edit("a.sql", "select a_v4\n");
    refused(scene.forge().update(&opened.at(), &third), ErrorClass::Conflict, code::GIT_MOVED);
}

fn reverted(make: &dyn Make) {
    let scene = Scene::new(make, Policy::ByHand);
    let opened = scene.opened();
    let revert = Revert {
        repository: opened.repository.clone(),
        number: opened.number,
        key: "undo".to_owned(),
        branch: "greylag/undo".to_owned(),
        title: String::new(),
        description: String::new(),
    };
    refused(scene.forge().revert(&revert), ErrorClass::Permanent, code::FORGE_STATE);
    scene.merged(&opened.at());
    scene.move_base("b.sql", Some("select b, 2\n"));
    let Reverted::Opened(back) = scene.revert(1) else { panic!("not opened") };
    assert_eq!((back.number, back.reverts, back.base.as_str()), (2, Some(1), "main"));
    scene.merged(&back.at());
    assert_eq!(scene.world.read("main", "a.sql").as_deref(), Some("select a\n"));
    assert_eq!(scene.world.read("main", "b.sql").as_deref(), Some("select b, 2\n"));
    let Reverted::Opened(again) = scene.revert(1) else { panic!("not answered") };
    assert_eq!((again.number, again.state), (2, State::Merged));
    assert_eq!(scene.forge().revert(&Revert { key: "undo/again".to_owned(), ..revert }).unwrap(), Reverted::Already);
    assert_eq!(scene.world.branches(), ["main"]);
}

fn reverted_after_others(make: &dyn Make) {
    let scene = Scene::new(make, Policy::ByHand);
    let head = scene.world.commit(&scene.main, &[("a.sql", Some("ours\n")), ("b.sql", Some("ours\n"))]);
    scene.merged(&scene.open("run/task", BRANCH, &head).at());
    let main = scene.move_base("b.sql", Some("theirs\n"));
    assert_eq!(scene.revert(1), Reverted::Conflict { paths: vec!["b.sql".to_owned()] });
    assert_eq!((scene.world.branches(), scene.world.branch("main")), (vec!["main".to_owned()], Some(main)));
}

fn edited(make: &dyn Make) {
    let scene = Scene::new(make, Policy::ByHand);
    let at = scene.opened().at();
    scene.forge().approve(&at, "ada").unwrap();
    scene.forge().check(&at, &[check("proof", Verdict::Pass)]).unwrap();
    let before = scene.find(1);
    let edit = |title: &str| scene.forge().edit(&at.repository, 1, title, "Why, in other words.\n");
    // Done twice, it is the same, and nothing but the words has changed.
    for _ in 0..2 {
        let told = edit("Read `users_v3`").unwrap();
        assert_eq!((told.title.as_str(), told.description.as_str()), ("Read `users_v3`", "Why, in other words.\n"));
        assert_eq!(told, scene.find(1));
        let (title, description) = (before.title.clone(), before.description.clone());
        assert_eq!(ChangeRequest { title, description, ..told }, before);
    }
    assert_eq!(scene.opened().title, "Read `users_v3`", "who opens it again does not take them back");
    scene.merged(&at);
    refused(edit("late"), ErrorClass::Permanent, code::FORGE_STATE);
    refused(scene.forge().edit(&at.repository, 2, "none", ""), ErrorClass::Permanent, code::FORGE_UNKNOWN);
    assert_eq!(scene.find(1).title, "Read `users_v3`");
}

fn comments_are_kept(make: &dyn Make) {
    let scene = Scene::new(make, Policy::ByHand);
    let at = scene.opened().at();
    let say = |key: &str, text: &str| scene.forge().comment(&at.repository, 1, key, "greylag", text).unwrap();
    say("a", "one");
    say("b", "<script>\u{1b}[2J é\n");
    say("a", "two");
    scene.merged(&at);
    say("c", "merged");
    let texts: Vec<_> = scene.find(1).comments.into_iter().map(|comment| (comment.key, comment.text)).collect();
    let expected = [("a", "two"), ("b", "<script>\u{1b}[2J é\n"), ("c", "merged")];
    assert_eq!(texts, expected.map(|(key, text)| (key.to_owned(), text.to_owned())));
}

fn lists(make: &dyn Make) {
    let scene = Scene::new(make, Policy::ByHand);
    let head = scene.edit("a.sql", "select a_v2\n");
    let all: Vec<_> = (1..=5).map(|n| scene.open(&format!("k{n}"), &format!("greylag/{n}"), &head)).collect();
    let repository = scene.world.repository();
    scene.forge().close(&repository, &Which::Number(2)).unwrap();
    scene.merged(&all[3].at());
    let list = |state, after: Option<u64>, limit| -> Vec<u64> {
        let after = after.map(|number| (repository.clone(), number));
        let filter = Filter { repository: Some(repository.clone()), state, after, limit };
        let found = scene.forge().list(&filter).unwrap();
        found
            .into_iter()
            .inspect(|request| assert_eq!(*request, scene.find(request.number)))
            .map(|r| r.number)
            .collect()
    };
    assert_eq!(list(None, None, 10), [1, 2, 3, 4, 5]);
    assert_eq!(list(Some(State::Open), None, 10), [1, 3, 5]);
    assert_eq!(list(Some(State::Open), Some(1), 1), [3]);
    assert_eq!(list(Some(State::Merged), None, 10), [4]);
    assert_eq!(list(Some(State::Closed), None, 10), [2]);
    assert_eq!(list(None, Some(5), 10), [0_u64; 0]);
    let elsewhere = Filter { repository: Some("none".to_owned()), limit: 10, ..Filter::default() };
    assert_eq!(scene.forge().list(&elsewhere).unwrap(), []);
    assert_eq!(scene.forge().list(&Filter { limit: 3, ..Filter::default() }).unwrap().len(), 3);
}

fn what_is_not_there(make: &dyn Make) {
    let scene = Scene::new(make, Policy::ByHand);
    let repository = scene.world.repository();
    assert_eq!(scene.forge().find(&repository, &Which::Number(1)).unwrap(), None);
    assert_eq!(scene.forge().find(&repository, &Which::Key(String::new())).unwrap(), None);
    let unknown = |told| refused(told, ErrorClass::Permanent, code::FORGE_UNKNOWN);
    unknown(scene.forge().find("none", &Which::Number(1)).map(|_| ()));
    unknown(scene.forge().comment(&repository, 1, "a", "b", "c"));
    let at = At { repository, number: 1, head: scene.main.clone() };
    unknown(scene.forge().approve(&at, "ada"));
    unknown(scene.forge().merge(&at, "ada").map(|_| ()));
    let elsewhere = Open { repository: "none".to_owned(), ..scene.request("k", BRANCH, &scene.edit("a.sql", "x")) };
    unknown(scene.forge().open(&elsewhere).map(|_| ()));
}

#[cfg(test)]
mod tests {
    #[test]
    fn memory() {
        super::conformance(&super::super::MakeMemory);
    }
}
