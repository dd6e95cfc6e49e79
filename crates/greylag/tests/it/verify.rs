//! `rewrite --verify` and `trust` on the real binary, with repositories whose command means no good.

use crate::rewrite::{read, rig, words};
use crate::rig::Rig;
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;

const OLD: &str = "select uid, name from raw.users_v1;\n";
const NEW: &str = "select user_id as uid, name from raw.users_v2;\n";
/// Green if the file is old or new.
const TEST: &str = "grep -q 'users_v[12]' a.sql && echo looked at $(cat a.sql)\n";
const SETTINGS: &str = "verify: {run: [sh, test.sh], timeout: 20s, limits: {processes: 20}}\n";

const CHECKS: [&str; 7] = ["parses", "resolves", "outputs", "lineage", "scope", "idempotent", "command"];

fn verify(rig: &Rig) -> Value {
    rig.json(["rewrite", "-f", "m.yaml", "repository", "--verify"])
}

fn verdict_of_command(rig: &Rig) -> (String, String) {
    let list = verify(rig);
    assert_eq!(words(&list, "check"), CHECKS);
    let item = &list["items"][6];
    let text = |key: &str| item[key].as_str().unwrap().to_owned();
    (text("verdict"), text("detail"))
}

#[test]
fn checks_are_shown_and_the_files_written() {
    let rig = rig(&[("a.sql", OLD), ("b.sql", "select 1;\n")]);
    let said = rig.run(["rewrite", "-f", "m.yaml", "repository", "--verify", "--write"]).ended(0);
    let lines: Vec<String> =
        said.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        lines,
        [
            "REPOSITORY CHECK VERDICT DETAIL",
            "repository parses pass 1 text, read as before",
            "repository resolves pass 1 use of the new datasets, all of whose columns are there",
            "repository outputs pass 1 statement with the same columns",
            "repository lineage pass 3 values made of what the mapping says",
            "repository scope pass 1 file changed, as planned",
            "repository idempotent pass nothing to rewrite in 2 files",
        ]
    );
    assert_eq!(read(&rig, "a.sql"), NEW);
    rig.run(["rewrite", "-f", "m.yaml", "repository", "--verify", "--patch"]).ended(64);
}

#[test]
fn a_command_is_run_only_once_it_is_trusted_as_it_is() {
    let rig = rig(&[("a.sql", OLD), (".greylag.yaml", SETTINGS), ("test.sh", TEST)]);
    let (verdict, detail) = verdict_of_command(&rig);
    assert_eq!((verdict.as_str(), detail.as_str()), ("unknown", "`sh test.sh` is not trusted, and was not run"));
    // Where nobody can confirm, nothing is trusted.
    let said = rig.run(["trust", "repository"]).ended(5);
    for line in [
        "run         \"sh\" \"test.sh\"",
        "timeout     20s",
        "20 processes",
        "no network",
        " test.sh",
        " .greylag.yaml",
    ] {
        assert!(said.stdout.contains(line), "{line}: {}", said.stdout);
    }
    assert_eq!(verdict_of_command(&rig).0, "unknown");
    rig.run(["trust", "repository", "--yes"]).ended(0);
    let list = verify(&rig);
    assert_eq!(list["items"][6]["verdict"], "pass", "{list}");
    assert_eq!(list["items"][6]["before"]["said"][0], format!("looked at {}", OLD.trim()));
    assert_eq!(list["items"][6]["after"]["said"][0], format!("looked at {}", NEW.trim()));
    // It is known by what it does: another script is another command.
    rig.write("repository/test.sh", "true\n");
    assert_eq!(verdict_of_command(&rig).0, "unknown");
    rig.write("repository/test.sh", TEST);
    assert_eq!(verdict_of_command(&rig).0, "pass");
    // And by its place: the same in another repository is not trusted.
    fs::rename(rig.path("repository"), rig.path("moved")).unwrap();
    let list = rig.json(["rewrite", "-f", "m.yaml", "moved", "--verify"]);
    assert_eq!(list["items"][6]["verdict"], "unknown");
    fs::rename(rig.path("moved"), rig.path("repository")).unwrap();
    assert_eq!(rig.json(["trust", "--list"])["items"][0]["command"]["run"][1], "test.sh");
    rig.run(["trust", "repository", "--revoke"]).ended(0);
    assert_eq!(verdict_of_command(&rig).0, "unknown");
    assert_eq!(rig.json(["trust", "--list"])["items"].as_array().unwrap().len(), 0);
}

#[test]
fn a_change_that_a_repositorys_own_tests_refuse_is_not_written() {
    let test = "grep -q users_v1 a.sql || { printf '\\033[31mno users_v1\\n' >&2; exit 3; }\n";
    let rig = rig(&[("a.sql", OLD), (".greylag.yaml", SETTINGS), ("test.sh", test)]);
    rig.run(["trust", "repository", "--yes"]).ended(0);
    let said = rig.run(["rewrite", "-f", "m.yaml", "repository", "--verify", "--write"]).ended(1);
    assert!(
        said.stdout.contains("`sh test.sh` ended with code 3 after the change, and was green before"),
        "{}",
        said.stdout
    );
    assert!(said.stderr.contains("  no users_v1\n") && !said.stderr.contains('\u{1b}'), "{}", said.stderr);
    assert!(said.stderr.contains("not written, since checks fail"), "{}", said.stderr);
    assert_eq!(read(&rig, "a.sql"), OLD);
    // One that was red before says nothing.
    rig.write("repository/test.sh", "exit 1\n");
    rig.run(["trust", "repository", "--yes"]).ended(0);
    let (verdict, detail) = verdict_of_command(&rig);
    assert_eq!(
        (verdict.as_str(), detail.as_str()),
        ("unknown", "`sh test.sh` ended with code 1 before the change already")
    );
}

#[test]
fn what_is_no_command_is_told() {
    let rig = rig(&[("a.sql", OLD), (".greylag.yaml", "verify: make\n")]);
    let (verdict, detail) = verdict_of_command(&rig);
    assert_eq!(
        (verdict.as_str(), detail.as_str()),
        ("unknown", "`.greylag.yaml:1`: `verify` is text, where a command is wanted")
    );
    rig.run(["trust", "repository", "--yes"]).ended(1);
    rig.write("repository/.greylag.yaml", "dialect: duckdb\n");
    let said = rig.run(["trust", "repository", "--yes"]).ended(1);
    assert!(said.stderr.contains("names no command"), "{}", said.stderr);
    rig.run(["trust"]).ended(64);
    // A program that is not there.
    rig.write("repository/.greylag.yaml", "verify: [no-such-program]\n");
    rig.run(["trust", "repository", "--yes"]).ended(0);
    let (verdict, detail) = verdict_of_command(&rig);
    assert!(verdict == "unknown" && detail.contains("no-such-program"), "{detail}");
}

/// Runs a trusted command; answers what it ended with and said, on the tree before the change.
fn hostile(rig: &Rig, script: &str) -> Value {
    rig.write("repository/test.sh", script);
    rig.run(["trust", "repository", "--yes"]).ended(0);
    verify(rig)["items"][6].clone()
}

/// Everything that it may try, each told if it works.
fn said(item: &Value) -> Vec<&str> {
    item["before"]["said"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect()
}

#[test]
fn a_command_writes_and_reads_nothing_but_its_copy() {
    let rig = rig(&[("a.sql", OLD), (".greylag.yaml", SETTINGS), ("tests/one.sql", "select 1;\n"), ("own/x", "1\n")]);
    let root = rig.path("");
    let root = root.display();
    rig.write("secret", "canary\n");
    symlink(rig.path("secret"), rig.path("repository/link")).unwrap();
    symlink(rig.path(""), rig.path("repository/folder")).unwrap();
    fs::create_dir_all(rig.path("repository/.git/hooks")).unwrap();
    rig.write("repository/.git/config", "[core]\n");
    let script = format!(
        "say() {{ echo \"it could $1\"; }}
        for place in {root}/x {root}/repository/a.sql {root}/home/x /usr/x /etc/x /x ../x /proc/sys/kernel/x; do
            {{ echo bad > $place; }} 2>/dev/null && say \"write $place\"; done
        for place in {root}/secret link folder/secret {root}/home/state.db /etc/passwd .git/config {root}/home/trust/*; do
            cat $place >/dev/null 2>&1 && say \"read $place\"; done
        for place in test.sh tests/one.sql tests/new.sql .greylag.yaml; do
            {{ echo bad > $place; }} 2>/dev/null && say \"change $place\"; done
        ln -s {root}/secret own/out && cat own/out 2>/dev/null && say 'follow its own link'
        mkdir -p own/deep && cd own/deep && {{ cat ../../../secret 2>/dev/null && say 'climb'; }}; cd /work
        mount -t tmpfs none own 2>/dev/null && say mount
        [ \"$(env | cut -d= -f1 | grep -vx OLDPWD | sort | tr '\\n' ' ')\" = 'HOME LANG PATH PWD TMPDIR ' ] || say \"see $(env)\"
        cat /proc/1/environ | tr '\\0' '\\n' | grep -q GREYLAG && say 'see the environment of others'
        echo changed > a.sql && echo made > own/new && echo done\n"
    );
    let item = hostile(&rig, &script);
    assert_eq!(said(&item), ["done"], "{item}");
    assert_eq!(item["verdict"], "pass", "{item}");
    // What it did to its copy is not in the repository.
    assert_eq!(read(&rig, "a.sql"), OLD);
    assert_eq!(read(&rig, "own/x"), "1\n");
    assert!(!rig.path("repository/own/new").exists() && !rig.path("x").exists() && !rig.path("repository/x").exists());
    assert_eq!(fs::read_to_string(rig.path("secret")).unwrap(), "canary\n");
    assert!(left(&rig.path("home/scratch")).is_empty(), "copies go");
}

/// What is in a folder.
fn left(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_command_reaches_nobody() {
    let rig = rig(&[("a.sql", OLD), (".greylag.yaml", SETTINGS)]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = format!(
        "perl -MIO::Socket::INET -e 'IO::Socket::INET->new(PeerAddr => \"127.0.0.1:{port}\", Timeout => 5) or die \"no: $!\\n\"; print \"yes\\n\"'
        [ \"$(ls /sys/class/net 2>/dev/null | grep -vx lo)\" = '' ] || echo it has a network
        getent hosts example.com && echo it has names
        true\n"
    );
    let item = hostile(&rig, &script);
    assert_eq!(said(&item).len(), 1, "{item}");
    assert!(said(&item)[0].starts_with("no: "), "{item}");
    assert!(listener.accept().is_err(), "nobody connected");
}

#[test]
fn a_command_that_takes_all_is_ended_and_leaves_nothing() {
    let rig = rig(&[("a.sql", OLD), (".greylag.yaml", SETTINGS)]);
    let bomb = "bomb() { bomb greylag-verify-bomb | bomb & }; bomb; sleep 3; exit 1\n";
    let item = hostile(&rig, bomb);
    assert_eq!(item["verdict"], "unknown", "{item}");
    let daemon = "setsid sh -c 'trap \"\" TERM HUP; sleep 600 # greylag-verify-daemon' & echo done\n";
    assert_eq!(said(&hostile(&rig, daemon)), ["done"]);
    let settings = SETTINGS.replace("processes: 20", "disk: 4MiB").replace("20s", "5s");
    rig.write("repository/.greylag.yaml", settings);
    let filler = "n=0; while :; do n=$((n+1)); head -c 1000000 /dev/zero > f$n || exit 1; done\n";
    let item = hostile(&rig, filler);
    assert_eq!(item["verdict"], "unknown", "{item}");
    assert_eq!(item["detail"], "`sh test.sh` went beyond its limit of disk before the change already", "{item}");
    for word in ["greylag-verify-bomb", "greylag-verify-daemon"] {
        assert!(!is_alive(word), "{word}");
    }
}

/// Whether a process with this word among its arguments is left on the machine.
fn is_alive(word: &str) -> bool {
    fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let told = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&told).contains(word)
    })
}

#[test]
fn what_a_command_leaves_behind_links_stays() {
    // A command that turns its copy into links has nothing removed behind them.
    let rig = rig(&[("a.sql", OLD), (".greylag.yaml", SETTINGS), ("own/x", "1\n")]);
    rig.write("outside/kept", "kept\n");
    let outside = rig.path("outside");
    let script = format!("rm -r own && ln -s {} own && mkdir deep && chmod 500 deep && echo done\n", outside.display());
    assert_eq!(said(&hostile(&rig, &script)), ["done"]);
    assert_eq!(fs::read_to_string(rig.path("outside/kept")).unwrap(), "kept\n");
    // Settings behind a link are none of the repository's.
    rig.write("elsewhere.yaml", SETTINGS);
    fs::remove_file(rig.path("repository/.greylag.yaml")).unwrap();
    symlink(rig.path("elsewhere.yaml"), rig.path("repository/.greylag.yaml")).unwrap();
    let said = rig.run(["trust", "repository", "--yes"]).ended(1);
    assert!(said.stderr.contains("names no command"), "{}", said.stderr);
}
