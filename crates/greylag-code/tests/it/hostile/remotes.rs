//! What is hostile in a repository's own folder, or in who serves it.

use super::{Arena, Expect, hostile};
use crate::estate::{Estate, files_below, signed};
use greylag_code::git::{Edit, Edits, RefChange, Remote, Wanted};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// Everything in a configuration that names a command.
fn commands(arena: &Arena) -> Vec<(&'static str, String)> {
    let evil = arena.script("theirs.git/evil").display().to_string();
    let names = [
        "uploadpack.packObjectsHook",
        "core.fsmonitor",
        "core.alternateRefsCommand",
        "core.sshCommand",
        "core.gitProxy",
        "core.askPass",
        "core.pager",
        "core.editor",
        "credential.helper",
        "diff.external",
        "gpg.program",
        "gpg.ssh.program",
        "sequence.editor",
        "interactive.diffFilter",
        "core.hooksPath",
    ];
    names.into_iter().map(|name| (name, evil.clone())).collect()
}

fn only_pack(estate: &Estate) -> PathBuf {
    estate.theirs(&["repack", "-adq"]);
    let packs = files_below(&estate.path("theirs.git/objects/pack"));
    let pack = packs.into_iter().find(|path| path.extension().is_some_and(|end| end == "pack")).unwrap();
    std::fs::set_permissions(&pack, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    pack
}

/// A loose object of these bytes, whatever its id: one block of zlib that is not compressed.
fn loose(estate: &Estate, id: &str, bytes: &[u8]) {
    let length = u16::try_from(bytes.len()).unwrap();
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in bytes {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    let mut all = vec![0x78, 0x01, 0x01];
    all.extend(length.to_le_bytes());
    all.extend((!length).to_le_bytes());
    all.extend_from_slice(bytes);
    all.extend(((high << 16) | low).to_be_bytes());
    let path = estate.path("theirs.git/objects").join(&id[..2]);
    std::fs::create_dir_all(&path).unwrap();
    std::fs::write(path.join(&id[2..]), all).unwrap();
}

hostile! {
    commands_in_the_configuration: Expect::Has(&["a.sql"]), |arena| {
        for (name, command) in commands(&arena) {
            arena.estate.theirs(&["config", name, &command]);
        }
    }
    commands_in_a_file_that_it_includes: Expect::Has(&["a.sql"]), |arena| {
        for (name, command) in commands(&arena) {
            arena.estate.git(&["config", "-f", "included", name, &command]);
        }
        arena.estate.theirs(&["config", "include.path", &arena.estate.path("included").display().to_string()]);
    }
    hooks_of_the_remote: Expect::Has(&["a.sql"]), |arena| {
        for hook in ["pre-upload-pack", "post-upload-pack", "reference-transaction", "post-checkout", "post-rewrite", "pre-auto-gc"] {
            arena.script(&format!("theirs.git/hooks/{hook}"));
        }
    }
    objects_of_somebody_else: Expect::Refused, |arena| {
        arena.estate.git(&["clone", "-q", "--bare", "theirs.git", "secret.git"]);
        let secret = arena.estate.git(&["--git-dir=secret.git", "commit-tree", "main^{tree}", "-m", "s3cret"]);
        let objects = arena.estate.path("secret.git/objects").display().to_string();
        std::fs::write(arena.estate.path("theirs.git/objects/info/alternates"), objects + "\n").unwrap();
        std::fs::write(arena.estate.path("theirs.git/refs/heads/main"), secret + "\n").unwrap();
    }
    a_head_that_leads_out: Expect::Either, |arena| {
        std::fs::write(arena.estate.path("theirs.git/HEAD"), "ref: ../../../../../../etc/passwd\n").unwrap();
    }
    a_head_that_is_a_link: Expect::Either, |arena| {
        std::fs::write(arena.estate.path("secret"), "s3cret\n").unwrap();
        std::fs::remove_file(arena.estate.path("theirs.git/HEAD")).unwrap();
        symlink(arena.estate.path("secret"), arena.estate.path("theirs.git/HEAD")).unwrap();
    }
    a_branch_that_is_a_link: Expect::Either, |arena| {
        std::fs::write(arena.estate.path("secret"), "s3cret\n").unwrap();
        symlink(arena.estate.path("secret"), arena.estate.path("theirs.git/refs/heads/evil")).unwrap();
    }
    branches_with_strange_names: Expect::Has(&["a.sql"]), |arena| {
        let main = arena.estate.theirs(&["rev-parse", "main"]);
        for name in ["refs/heads/$(id)", "refs/heads/a;b", "refs/heads/\u{202e}x", "refs/heads/x'\"", "refs/heads/HEAD", "refs/heads/refs/heads/main"] {
            arena.estate.theirs(&["update-ref", name, &main]);
        }
        std::fs::write(arena.estate.path("theirs.git/refs/heads/-x"), format!("{main}\n")).unwrap();
    }
    branches_that_lead_out: Expect::Either, |arena| {
        let main = arena.estate.theirs(&["rev-parse", "main"]);
        let packed = format!("# pack-refs with: peeled fully-peeled sorted \n{main} refs/heads/../../../x\n{main} refs/heads/main\n");
        std::fs::write(arena.estate.path("theirs.git/packed-refs"), packed).unwrap();
    }
    objects_that_are_replaced: Expect::Has(&["a.sql"]), |arena| {
        let main = arena.estate.theirs(&["rev-parse", "main"]);
        let other = arena.estate.change("other", None, &[("evil", "x\n")]);
        arena.estate.theirs(&["replace", "-f", &main, other.as_str()]);
    }
    a_work_tree_elsewhere: Expect::Either, |arena| {
        arena.estate.theirs(&["config", "core.bare", "false"]);
        arena.estate.theirs(&["config", "core.worktree", &arena.estate.path("canary").display().to_string()]);
    }
    a_pack_that_is_damaged: Expect::Refused, |arena| {
        let pack = only_pack(&arena.estate);
        let mut bytes = std::fs::read(&pack).unwrap();
        let length = bytes.len();
        bytes[14..length - 24].iter_mut().for_each(|byte| *byte ^= 0x55);
        std::fs::write(pack, bytes).unwrap();
    }
    a_pack_that_is_cut: Expect::Refused, |arena| {
        let pack = only_pack(&arena.estate);
        let bytes = std::fs::read(&pack).unwrap();
        std::fs::write(pack, &bytes[..bytes.len() / 2]).unwrap();
    }
    a_file_that_says_it_has_ten_gigabytes: Expect::Refused, |arena| {
        let id = "12345678".repeat(5);
        loose(&arena.estate, &id, b"blob 10737418240\0x");
        let tree = arena.estate.raw_tree(&[("100644", b"big", &greylag_code::git::ObjectId::parse(&id).unwrap())]);
        arena.estate.point("main", &tree);
    }
    an_object_that_is_another_one: Expect::Refused, |arena| {
        let id = "abcdef01".repeat(5);
        loose(&arena.estate, &id, b"blob 1\0x");
        let tree = arena.estate.raw_tree(&[("100644", b"b", &greylag_code::git::ObjectId::parse(&id).unwrap())]);
        arena.estate.point("main", &tree);
    }
    a_branch_without_its_commit: Expect::Refused, |arena| {
        let path = arena.estate.path("theirs.git/refs/heads/main");
        std::fs::write(path, format!("{}\n", "1".repeat(40))).unwrap();
    }
    no_repository_at_all: Expect::Refused, |arena| {
        std::fs::remove_dir_all(arena.estate.path("theirs.git/objects")).unwrap();
    }
}

#[test]
fn no_hook_is_run_where_something_is_pushed() {
    let arena = Arena::new();
    for hook in ["pre-receive", "update", "post-receive", "post-update", "reference-transaction", "proc-receive"] {
        arena.script(&format!("theirs.git/hooks/{hook}"));
    }
    for (name, command) in commands(&arena) {
        arena.estate.theirs(&["config", name, &command]);
    }
    let ours = arena.estate.ours();
    ours.fetch(&arena.estate.remote(), &Wanted::default()).unwrap();
    let tree = ours.branch_tree("main").unwrap().unwrap();
    let edits: Edits = [("a.sql".to_owned(), Edit::Replace(b"x".to_vec()))].into();
    let head = ours.commit(&tree, &edits, &signed("x")).unwrap();
    let change = RefChange { branch: "greylag/x".to_owned(), from: None, to: Some(head) };
    ours.push(&arena.estate.remote(), &change).unwrap();
    assert!(files_below(&arena.estate.path("canary")).is_empty());
    assert!(arena.estate.theirs(&["for-each-ref"]).contains("greylag/x"));
}

#[test]
fn who_is_forced_while_it_is_fetched_is_fetched_as_it_was() {
    let estate = Estate::with(&[("a", "1\n")]);
    let (one, two) = (estate.change("one", None, &[("a", "2\n")]), estate.change("two", None, &[("b", "3\n")]));
    let ours = estate.ours();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                for id in [&one, &two] {
                    estate.try_git(&["--git-dir=theirs.git", "update-ref", "refs/heads/main", id.as_str()], b"");
                }
            }
        });
        let mut fetched = 0;
        for _ in 0..10 {
            // One that meets the moment of the change may be refused; what is here is whole all the same.
            fetched += usize::from(ours.fetch(&estate.remote(), &Wanted::default()).is_ok());
            if let Some(tree) = ours.branch_tree("main").unwrap() {
                assert!([&one, &two].contains(&tree.commit()) || fetched <= 1, "{}", tree.commit());
            }
        }
        over.store(true, Ordering::SeqCst);
        assert!(fetched > 0);
    });
}

#[test]
fn a_remote_that_sends_elsewhere_is_not_followed() {
    let (front, behind) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    behind.set_nonblocking(true).unwrap();
    let to = behind.local_addr().unwrap();
    let url = format!("http://{}/a.git", front.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = front.accept().unwrap();
        let mut head = [0; 4_096];
        let length = stream.read(&mut head).unwrap();
        write!(stream, "HTTP/1.1 302 x\r\nLocation: http://{to}/a.git/info/refs\r\nContent-Length: 0\r\n\r\n").unwrap();
        String::from_utf8_lossy(&head[..length]).into_owned()
    });
    let estate = Estate::new();
    let remote = Remote::parse(&url).unwrap().with_header("Authorization: Bearer s3cret");
    let error = estate.ours().fetch(&remote, &Wanted::default()).unwrap_err();
    assert!(!error.message.contains("s3cret"), "{error}");
    assert!(server.join().unwrap().contains("Authorization: Bearer s3cret"), "who was asked gets the header");
    assert!(behind.accept().is_err(), "the redirection was followed");
}
