//! Fetching, reading, committing, merging, reverting, pushing.

use crate::estate::{Estate, files_below, signed};
use greylag_code::git::{
    Edit, Edits, Git, Limits, Merged, NewFile, ObjectId, Pushed, RefChange, Remote, Repository, Safety, Wanted,
};
use greylag_code::tree::Tree;
use greylag_driver::error::DriverError;
use greylag_model::code::repository as code;
use greylag_model::spec::ErrorClass;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

const FILES: &[(&str, &str)] = &[("models/a.sql", "select 1\n"), ("models/b.sql", "select 2\n"), ("readme", "hello\n")];

fn fetched(estate: &Estate) -> (Repository, ObjectId) {
    let ours = estate.ours();
    ours.fetch(&estate.remote(), &Wanted::default()).unwrap();
    let main = ours.branch("main").unwrap().unwrap();
    (ours, main)
}

fn edits(edits: &[(&str, Edit)]) -> Edits {
    edits.iter().map(|(path, edit)| ((*path).to_owned(), edit.clone())).collect()
}

fn replace(text: &str) -> Edit {
    Edit::Replace(text.as_bytes().to_vec())
}

fn texts(repository: &Repository, commit: &ObjectId) -> Vec<(String, String)> {
    let tree = repository.tree(commit).unwrap();
    let read = |path: String| {
        let text = String::from_utf8(tree.read(&path).unwrap().unwrap().to_vec()).unwrap();
        (path, text)
    };
    tree.paths().unwrap().into_iter().map(read).collect()
}

#[test]
fn git_is_there() {
    assert!(Git::default().version().unwrap().starts_with("2."));
    let error = Git::new("/nowhere/git").version().unwrap_err();
    assert_eq!((error.class, error.code), (ErrorClass::Transient, code::GIT_START));
}

#[test]
fn what_was_fetched_is_read() {
    let estate = Estate::with(FILES);
    let (ours, main) = fetched(&estate);
    assert_eq!(main.as_str(), estate.theirs(&["rev-parse", "main"]));
    let expected: Vec<_> = FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    assert_eq!(texts(&ours, &main), expected);
    let tree = ours.branch_tree("main").unwrap().unwrap();
    assert_eq!(*tree.commit(), main);
    for path in ["models", "none", "", "../readme", "models/../readme"] {
        assert_eq!(tree.read(path).unwrap(), None, "{path}");
    }
    assert!(ours.branch_tree("none").unwrap().is_none());
    assert_eq!(ours.look(&estate.remote()).unwrap().0.as_deref(), Some("main"));
}

#[test]
fn files_say_where_a_branch_is_before_a_fetch() {
    let estate = Estate::with(FILES);
    let main = estate.theirs(&["rev-parse", "main"]);
    let plainly = |branch| estate.remote().plainly(branch).map(|(name, commit)| format!("{name} {commit}"));
    assert_eq!(plainly(None), Some(format!("main {main}")));
    let side = estate.change("side", None, &[("x", "1\n")]);
    estate.theirs(&["pack-refs", "--all"]);
    assert_eq!(plainly(Some("side")), Some(format!("side {side}")));
    assert_eq!(plainly(Some("none")), None);
    assert_eq!(plainly(Some("../main")), None);
    // What is not plain is git's to tell.
    estate.theirs(&["symbolic-ref", "refs/heads/other", "refs/heads/side"]);
    assert_eq!(plainly(Some("other")), None);
    std::fs::remove_file(estate.path("theirs.git/HEAD")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", estate.path("theirs.git/HEAD")).unwrap();
    assert_eq!(plainly(None), None);
    assert_eq!(Remote::parse("https://example.com/a.git").unwrap().plainly(None), None);
}

#[test]
fn trees_beside_each_other_are_read_by_one_process() {
    let estate = Estate::with(FILES);
    let (ours, main) = fetched(&estate);
    let tree = ours.tree(&main).unwrap();
    assert_eq!(tree.read("models/a.sql").unwrap().as_deref(), Some(FILES[0].1.as_bytes()));
    // It was started before the commit was written, and finds it.
    let commit = ours.commit(&tree, &edits(&[("models/a.sql", replace("select 11\n"))]), &signed("x")).unwrap();
    let beside = tree.beside(&commit).unwrap();
    assert_eq!(*beside.commit(), commit);
    assert_eq!(beside.paths().unwrap(), tree.paths().unwrap());
    assert_eq!(beside.read("models/a.sql").unwrap().as_deref(), Some(&b"select 11\n"[..]));
    assert_eq!(tree.read("models/a.sql").unwrap().as_deref(), Some(FILES[0].1.as_bytes()));
    // After one that is not there, the others are read as before.
    let none = ObjectId::parse(&"1".repeat(40)).unwrap();
    assert_eq!(tree.beside(&none).err().map(|error| error.code), Some(code::GIT_OBJECT));
    drop(beside);
    assert_eq!(tree.read(FILES[1].0).unwrap().as_deref(), Some(FILES[1].1.as_bytes()));
}

#[test]
fn nothing_is_shared_with_a_remote_on_this_machine() {
    let estate = Estate::with(FILES);
    let (ours, _) = fetched(&estate);
    assert!(!ours.folder().join("objects/info/alternates").exists());
    let theirs: Vec<u64> = files_below(&estate.path("theirs.git")).iter().map(|path| inode(path)).collect();
    assert!(files_below(ours.folder()).iter().all(|path| !theirs.contains(&inode(path))));
}

fn inode(path: &std::path::Path) -> u64 {
    path.symlink_metadata().unwrap().ino()
}

#[test]
fn fetching_follows_what_was_forced_and_deleted() {
    let estate = Estate::with(FILES);
    let first = estate.change("side", None, &[("x", "1\n")]);
    let (ours, _) = fetched(&estate);
    assert_eq!(ours.branch("side").unwrap(), Some(first));
    estate.theirs(&["update-ref", "-d", "refs/heads/side"]);
    estate.theirs(&["update-ref", "-d", "refs/heads/main"]);
    let forced = estate.change("main", None, &[("y", "2\n")]);
    ours.fetch(&estate.remote(), &Wanted::default()).unwrap();
    assert_eq!(ours.branches().unwrap().into_iter().collect::<Vec<_>>(), [("main".to_owned(), forced)]);
    let shallow = Repository::make(Git::default(), estate.path("shallow.git"), Safety::Cache).unwrap();
    estate.change("main", None, &[("y", "3\n")]);
    shallow.fetch(&estate.remote(), &Wanted { branches: vec!["main".to_owned()], depth: Some(1) }).unwrap();
    assert!(shallow.folder().join("shallow").is_file());
    assert_eq!(texts(&shallow, &shallow.branch("main").unwrap().unwrap()), [("y".to_owned(), "3\n".to_owned())]);
}

#[test]
fn the_same_edits_are_the_same_commit() {
    let estate = Estate::with(FILES);
    let (ours, main) = fetched(&estate);
    let tree = ours.tree(&main).unwrap();
    let edits = edits(&[
        ("models/a.sql", replace("select 11\n")),
        ("models/b.sql", Edit::Delete),
        ("models/\"new\" one.sql", Edit::Create(b"\xff\0\n".to_vec())),
    ]);
    let commit = ours.commit(&tree, &edits, &signed("Move to users_v2\n\nWhy.\n")).unwrap();
    assert_eq!(ours.commit(&tree, &edits, &signed("Move to users_v2\n\nWhy.\n")).unwrap(), commit);
    assert_ne!(ours.commit(&tree, &edits, &signed("Other")).unwrap(), commit);
    let made = ours.tree(&commit).unwrap();
    assert_eq!(made.paths().unwrap(), ["models/\"new\" one.sql", "models/a.sql", "readme"]);
    assert_eq!(made.read("models/\"new\" one.sql").unwrap().as_deref(), Some(&b"\xff\0\n"[..]));
    assert_eq!(made.read("models/a.sql").unwrap().as_deref(), Some(&b"select 11\n"[..]));
    assert_eq!(ours.changed(&main, &commit).unwrap(), ["models/\"new\" one.sql", "models/a.sql", "models/b.sql"]);
    // No reference was left behind, and people's git finds nothing to complain of.
    assert_eq!(ours.branches().unwrap().len(), 1);
    assert!(!ours.folder().join("refs/none").exists());
    estate.git(&["--git-dir=ours.git", "fsck", "--strict", commit.as_str()]);
}

#[test]
fn a_mode_is_kept() {
    let estate = Estate::with(FILES);
    estate.theirs_fed(
        &["fast-import", "--quiet"],
        b"commit refs/heads/main\ncommitter A <a@b> 1 +0000\ndata 1\nx\nfrom refs/heads/main^0\nM 100755 inline run.sh\ndata 3\nhi\n\n",
    );
    let (ours, main) = fetched(&estate);
    let commit = ours.commit(&ours.tree(&main).unwrap(), &edits(&[("run.sh", replace("ho\n"))]), &signed("x")).unwrap();
    assert!(estate.git(&["--git-dir=ours.git", "ls-tree", commit.as_str(), "run.sh"]).starts_with("100755"));
}

#[test]
fn a_history_begins_with_files_that_had_none() {
    let folder = tempfile::tempdir().unwrap();
    let ours = Repository::make(Git::default(), folder.path().join("a.git"), Safety::Cache).unwrap();
    assert_eq!(ours.default_branch().unwrap(), "main");
    ours.set_default_branch("trunk").unwrap();
    assert_eq!(ours.default_branch().unwrap(), "trunk");
    assert!(ours.set_default_branch("-x").is_err());
    let file = |text: &str, executable| NewFile { bytes: text.as_bytes().to_vec(), executable };
    let files = [("run \"it\".sh", file("#!/bin/sh\n", true)), ("sql/a.sql", file("select 1\n", false))];
    let files: BTreeMap<_, _> = files.map(|(path, file)| (path.to_owned(), file)).into();
    let first = ours.first_commit(&files, &signed("First\n")).unwrap();
    assert_eq!(ours.first_commit(&files, &signed("First\n")).unwrap(), first);
    assert_eq!(ours.branches().unwrap().len(), 0, "nothing refers to it yet");
    ours.move_branches(&[RefChange { branch: "trunk".to_owned(), from: None, to: Some(first.clone()) }]).unwrap();
    let expected = [("run \"it\".sh", "#!/bin/sh\n"), ("sql/a.sql", "select 1\n")];
    assert_eq!(texts(&ours, &first), expected.map(|(path, text)| (path.to_owned(), text.to_owned())));
    let tree = ours.tree(&first).unwrap();
    let second = ours.commit(&tree, &edits(&[("sql/a.sql", replace("select 2\n"))]), &signed("Second\n")).unwrap();
    let change = RefChange { branch: "trunk".to_owned(), from: Some(first.clone()), to: Some(second.clone()) };
    ours.move_branches(&[change]).unwrap();
    assert_eq!(ours.roots("trunk").unwrap(), std::slice::from_ref(&first));
    let written = ours.written(&second).unwrap();
    assert_eq!((written.parents, written.committer), (vec![first.clone()], signed("").committer));
    assert_eq!(ours.written(&first).unwrap().parents, []);
    let hidden: BTreeMap<_, _> = [(".git/config".to_owned(), file("", false))].into();
    assert_eq!(ours.first_commit(&hidden, &signed("x\n")).unwrap_err().class, ErrorClass::Denied);
}

#[test]
fn nothing_is_committed_where_nothing_changes() {
    let estate = Estate::with(FILES);
    let (ours, main) = fetched(&estate);
    let tree = ours.tree(&main).unwrap();
    let same = edits(&[("readme", replace("hello\n"))]);
    assert_eq!(ours.commit_if_new(&tree, &same, &signed("x")).unwrap(), None);
    assert!(ours.commit_if_new(&tree, &edits(&[("readme", replace("other\n"))]), &signed("x")).unwrap().is_some());
}

#[test]
fn only_regular_files_are_edited() {
    let estate = Estate::with(FILES);
    let blob = estate.object("blob", b"/etc/passwd");
    let commit = ObjectId::parse(&estate.theirs(&["rev-parse", "main"])).unwrap();
    let tree =
        estate.raw_tree(&[("100644", b"file", &blob), ("120000", b"link", &blob), ("160000", b"module", &commit)]);
    estate.point("main", &tree);
    let (ours, main) = fetched(&estate);
    let tree = ours.tree(&main).unwrap();
    assert_eq!((tree.paths().unwrap(), tree.left_out()), (vec!["file".to_owned()], 2));
    let create = || Edit::Create(b"x".to_vec());
    let cases = [
        ("link", replace("x")),
        ("link", Edit::Delete),
        ("module", replace("x")),
        ("none", replace("x")),
        ("none", Edit::Delete),
        ("file", create()),
        ("link", create()),
        ("link/x", create()),
        ("module/x", create()),
        ("file/x", create()),
        ("FILE", create()),
        ("Link/x", create()),
        (".git/hooks/x", create()),
        ("a/.GIT", create()),
        ("../x", create()),
        ("/x", create()),
        ("a\nb", create()),
        ("git~1/x", create()),
    ];
    for (path, edit) in cases {
        let error = ours.commit(&tree, &edits(&[(path, edit)]), &signed("x")).unwrap_err();
        assert_eq!((error.class, error.code), (ErrorClass::Denied, code::GIT_PATH), "{path}");
    }
    let two = edits(&[("a", create()), ("a/b", create())]);
    assert_eq!(ours.commit(&tree, &two, &signed("x")).unwrap_err().code, code::GIT_PATH);
    let moved = edits(&[("file", Edit::Delete), ("file/x", create())]);
    let commit = ours.commit(&tree, &moved, &signed("x")).unwrap();
    assert_eq!(ours.tree(&commit).unwrap().paths().unwrap(), ["file/x"]);
}

#[test]
fn nobody_signs_with_a_name_that_says_more() {
    let estate = Estate::with(FILES);
    let (ours, main) = fetched(&estate);
    for name in ["", "a\nb", "a <b@c>"] {
        let mut signed = signed("x");
        signed.author.name = name.to_owned();
        assert!(ours.commit(&ours.tree(&main).unwrap(), &edits(&[("readme", replace("x"))]), &signed).is_err());
    }
}

#[test]
fn branches_move_all_or_none() {
    let estate = Estate::with(FILES);
    let (ours, main) = fetched(&estate);
    let other = ours.commit(&ours.tree(&main).unwrap(), &edits(&[("readme", replace("x"))]), &signed("x")).unwrap();
    let change = |branch: &str, from: Option<&ObjectId>, to: Option<&ObjectId>| RefChange {
        branch: branch.to_owned(),
        from: from.cloned(),
        to: to.cloned(),
    };
    ours.move_branches(&[change("a", None, Some(&main)), change("b", None, Some(&main))]).unwrap();
    for wrong in [
        change("b", Some(&other), Some(&main)),
        change("b", None, Some(&other)),
        change("b", Some(&other), None),
        change("none", Some(&main), Some(&other)),
        change("none", Some(&main), None),
        change("a/b", None, Some(&main)),
    ] {
        let moves = [change("a", Some(&main), Some(&other)), wrong];
        let error = ours.move_branches(&moves).unwrap_err();
        assert_eq!((error.class, error.code), (ErrorClass::Conflict, code::GIT_MOVED), "{error}");
        assert_eq!(ours.branch("a").unwrap(), Some(main.clone()));
    }
    ours.move_branches(&[change("a", Some(&main), Some(&other)), change("b", Some(&main), None)]).unwrap();
    assert_eq!((ours.branch("a").unwrap(), ours.branch("b").unwrap()), (Some(other), None));
    assert!(ours.move_branches(&[change("-d", None, Some(&main))]).is_err());
}

/// Both sides change these files; what becomes of it.
fn merged(
    base: &[(&str, &str)],
    theirs: &[(&str, &str)],
    ours: &[(&str, Edit)],
) -> Result<Vec<(String, String)>, Vec<String>> {
    let estate = Estate::with(base);
    let (repository, main) = fetched(&estate);
    let head = repository.commit(&repository.tree(&main).unwrap(), &edits(ours), &signed("ours")).unwrap();
    estate.change("main", None, theirs);
    repository.fetch(&estate.remote(), &Wanted::default()).unwrap();
    let now = repository.branch("main").unwrap().unwrap();
    assert_eq!(repository.merge_base(&now, &head).unwrap(), Some(main));
    match repository.merge(&now, &head, &signed("Merge")).unwrap() {
        Merged::Commit(commit) => {
            assert!(repository.contains(&commit, &head).unwrap() && repository.contains(&commit, &now).unwrap());
            assert_eq!(repository.merge(&commit, &head, &signed("Merge")).unwrap(), Merged::Already);
            Ok(texts(&repository, &commit))
        }
        Merged::Conflict(paths) => Err(paths),
        Merged::Already => panic!("nothing to merge"),
    }
}

#[test]
fn a_base_that_moved_is_merged() {
    let text = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    let theirs = text.replace('1', "one");
    let told = merged(&[("a", text)], &[("a", &theirs)], &[("a", replace(&text.replace('9', "nine")))]);
    assert_eq!(told, Ok(vec![("a".to_owned(), "one\n2\n3\n4\n5\n6\n7\n8\nnine\n".to_owned())]));
    let told = merged(&[("a", "1\n"), ("b", "1\n")], &[("a", "2\n"), ("b", "2\n")], &[("a", replace("3\n"))]);
    assert_eq!(told, Err(vec!["a".to_owned()]));
    let told = merged(&[("a", "1\n"), ("b", "1\n")], &[("a", ""), ("c", "x\n")], &[("a", replace("3\n"))]);
    assert_eq!(told, Err(vec!["a".to_owned()]));
    let told = merged(&[("a", "1\n"), ("b", "1\n")], &[("b", "2\n")], &[("a", Edit::Delete)]);
    assert_eq!(told, Ok(vec![("b".to_owned(), "2\n".to_owned())]));
}

#[test]
fn a_merge_is_taken_back() {
    let estate = Estate::with(&[("a", "1\n2\n3\n4\n5\n6\n7\n"), ("b", "b\n")]);
    let (ours, main) = fetched(&estate);
    let head =
        ours.commit(&ours.tree(&main).unwrap(), &edits(&[("a", replace("one\n2\n3\n4\n5\n6\n7\n"))]), &signed("x"));
    let Merged::Commit(merge) = ours.merge(&main, &head.unwrap(), &signed("Merge")).unwrap() else {
        panic!("no merge")
    };
    let later = |text: &str| {
        ours.commit(&ours.tree(&merge).unwrap(), &edits(&[("a", replace(text))]), &signed("later")).unwrap()
    };
    let Merged::Commit(back) = ours.revert(&later("one\n2\n3\n4\n5\n6\nseven\n"), &merge, &signed("Revert")).unwrap()
    else {
        panic!("no revert")
    };
    assert_eq!(texts(&ours, &back)[0].1, "1\n2\n3\n4\n5\n6\nseven\n");
    let conflict = ours.revert(&later("uno\n2\n3\n4\n5\n6\n7\n"), &merge, &signed("Revert")).unwrap();
    assert_eq!(conflict, Merged::Conflict(vec!["a".to_owned()]));
    assert_eq!(ours.revert(&back, &merge, &signed("Revert")).unwrap(), Merged::Already);
}

#[test]
fn a_patch_leads_from_one_commit_to_the_other() {
    let estate = Estate::with(&[("a", "1\n"), ("b", "b\n")]);
    let (ours, main) = fetched(&estate);
    let changes = edits(&[("a", replace("2\n")), ("b", Edit::Delete), ("c", Edit::Create(vec![0, 255, 1]))]);
    let head = ours.commit(&ours.tree(&main).unwrap(), &changes, &signed("x")).unwrap();
    let patch = ours.patch(&main, &head).unwrap();
    let text = String::from_utf8(patch.clone()).unwrap();
    assert!(text.contains("-1\n+2\n") && text.contains("GIT binary patch"), "{text}");
    estate.git(&["clone", "-q", "theirs.git", "work"]);
    let applied = estate.try_git(&["-C", "work", "apply", "--index"], &patch);
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    assert_eq!(
        estate.git(&["-C", "work", "write-tree"]),
        estate.git(&["--git-dir=ours.git", "rev-parse", &format!("{head}^{{tree}}")])
    );
}

#[test]
fn a_push_moves_only_what_is_where_it_is_expected() {
    let estate = Estate::with(FILES);
    let (ours, main) = fetched(&estate);
    let remote = estate.remote();
    let commit = |text: &str| {
        ours.commit(&ours.tree(&main).unwrap(), &edits(&[("readme", replace(text))]), &signed("x")).unwrap()
    };
    let (one, two) = (commit("1\n"), commit("2\n"));
    let push = |from: Option<&ObjectId>, to: Option<&ObjectId>| {
        ours.push(&remote, &RefChange { branch: "greylag/x".to_owned(), from: from.cloned(), to: to.cloned() }).unwrap()
    };
    assert_eq!(push(None, Some(&one)), Pushed::Done);
    assert_eq!(push(None, Some(&two)), Pushed::Moved);
    assert_eq!(push(Some(&one), Some(&two)), Pushed::Done);
    assert_eq!(push(Some(&one), Some(&two)), Pushed::Done, "it is there already");
    let forced = estate.change("greylag/x", Some(&main), &[("readme", "forced\n")]);
    assert_eq!(push(Some(&two), Some(&one)), Pushed::Moved);
    assert_eq!(push(Some(&two), None), Pushed::Moved);
    assert_eq!(estate.theirs(&["rev-parse", "greylag/x"]), forced.as_str());
    assert_eq!(push(Some(&forced), None), Pushed::Done);
    assert_eq!(estate.theirs(&["for-each-ref", "--format=%(refname)"]), "refs/heads/main");
}

#[test]
fn commits_go_from_one_repository_of_ours_to_another() {
    let estate = Estate::with(FILES);
    let (ours, main) = fetched(&estate);
    let forge = Repository::make(Git::default(), estate.path("forge.git"), Safety::Durable).unwrap();
    forge.take(&ours, &main, &[]).unwrap();
    let small = ours.commit(&ours.tree(&main).unwrap(), &edits(&[("readme", replace("x"))]), &signed("x")).unwrap();
    let many: Edits = (0..600).map(|n| (format!("n/{n}"), Edit::Create(format!("{n}").into_bytes()))).collect();
    let large = ours.commit(&ours.tree(&main).unwrap(), &many, &signed("x")).unwrap();
    for head in [&small, &large, &small] {
        forge.take(&ours, head, &["main"]).unwrap();
        assert_eq!(texts(&forge, head), texts(&ours, head));
    }
    let error = forge.take(&ours, &ObjectId::parse(&"1".repeat(40)).unwrap(), &[]).unwrap_err();
    assert_eq!(error.code, code::GIT_FAILED);
}

fn limited(limits: Limits) -> Result<usize, DriverError> {
    let estate = Estate::with(&[("a/b/c/d/big", &"x".repeat(100_000)), ("a/b/e", "1"), ("f", "2")]);
    let ours = Repository::make(Git::default().limited(limits), estate.path("ours.git"), Safety::Cache)?;
    ours.fetch(&estate.remote(), &Wanted::default())?;
    let tree = ours.branch_tree("main")?.unwrap();
    let read = tree.read("a/b/c/d/big").map_err(|error| error.into_inner().unwrap().downcast::<DriverError>().unwrap());
    Ok(read.map_err(|error| *error)?.unwrap().len())
}

#[test]
fn limits_are_kept() {
    assert_eq!(limited(Limits::default()), Ok(100_000));
    let cases = [
        Limits { file_bytes: 99_999, ..Limits::default() },
        Limits { entries: 6, ..Limits::default() },
        Limits { depth: 3, ..Limits::default() },
        Limits { time: Duration::from_micros(1), ..Limits::default() },
    ];
    for limits in cases {
        let error = limited(limits.clone()).unwrap_err();
        assert_eq!(error.code, code::GIT_LIMIT, "{limits:?}: {error}");
    }
    // Where it meets this limit depends on what the system's libraries take.
    assert!(limited(Limits { memory_bytes: 200_000, ..Limits::default() }).is_err());
    let room = Limits { entries: 7, depth: 4, file_bytes: 100_000, ..Limits::default() };
    assert_eq!(limited(room), Ok(100_000));
}

#[test]
fn one_that_hangs_is_ended() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let estate = Estate::new();
    let limits = Limits { time: Duration::from_millis(300), ..Limits::default() };
    let ours = Repository::make(Git::default().limited(limits), estate.path("ours.git"), Safety::Cache).unwrap();
    let url = format!("http://{}/a.git", listener.local_addr().unwrap());
    let began = Instant::now();
    let error = ours.fetch(&Remote::parse(&url).unwrap(), &Wanted::default()).unwrap_err();
    assert_eq!((error.class, error.code), (ErrorClass::Transient, code::GIT_LIMIT));
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn errors_say_what_trying_again_means() {
    let estate = Estate::with(FILES);
    let ours = estate.ours();
    let fetch = |url: &str| ours.fetch(&Remote::parse(url).unwrap(), &Wanted::default()).unwrap_err().class;
    assert_eq!(fetch(&estate.path("none.git").display().to_string()), ErrorClass::Permanent);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(fetch(&format!("http://{closed}/a.git")), ErrorClass::Transient);
    assert_eq!(fetch("ssh://git@example.com/a.git"), ErrorClass::Denied);
    let no_branch = Wanted { branches: vec!["none".to_owned()], depth: None };
    assert_eq!(ours.fetch(&estate.remote(), &no_branch).unwrap_err().class, ErrorClass::Permanent);
}
