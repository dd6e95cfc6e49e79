//! What is hostile in the files of a repository.

use super::{Arena, Expect, hostile};
use greylag_code::git::ObjectId;

/// A tree whose files are `a.sql` and these, in git's order.
fn point(arena: &Arena, entries: &[(&str, &[u8], &ObjectId)]) {
    let blob = arena.estate.object("blob", b"select 1\n");
    let mut entries = entries.to_vec();
    entries.push(("100644", b"a.sql", &blob));
    let key = |(mode, name, _): &(&str, &[u8], &ObjectId)| {
        let mut key = name.to_vec();
        if *mode == "40000" {
            key.push(b'/');
        }
        key
    };
    entries.sort_by_key(key);
    let tree = arena.estate.raw_tree(&entries);
    arena.estate.point("main", &tree);
}

/// One more file, of this mode.
fn file(arena: &Arena, mode: &str, name: &[u8], text: &[u8]) {
    let blob = arena.estate.object("blob", text);
    point(arena, &[(mode, name, &blob)]);
}

/// A folder with one file.
fn folder(arena: &Arena, name: &[u8], inside: &[u8], text: &[u8]) {
    let blob = arena.estate.object("blob", text);
    let tree = arena.estate.raw_tree(&[("100755", inside, &blob)]);
    point(arena, &[("40000", name, &tree)]);
}

fn modules(arena: &Arena, path: &str, url: &str, more: &str) {
    let commit = ObjectId::parse(&arena.estate.theirs(&["rev-parse", "main"])).unwrap();
    let text = format!("[submodule \"x\"]\n\tpath = {path}\n\turl = {url}\n{more}");
    let blob = arena.estate.object("blob", text.as_bytes());
    point(arena, &[("100644", b".gitmodules", &blob), ("160000", b"x", &commit)]);
}

const DRIVERS: &str = "* filter=evil diff=evil merge=evil working-tree-encoding=UTF-16 ident eol=crlf\n";

hostile! {
    hooks_in_the_tree: Expect::Has(&["a.sql", "hooks/post-checkout"]), |arena| {
        folder(&arena, b"hooks", b"post-checkout", format!("#!/bin/sh\n{}\n", arena.payload()).as_bytes());
    }
    a_submodule_whose_url_is_an_option: Expect::Refused, |arena| {
        modules(&arena, "x", &format!("-u{}", arena.payload()), "");
    }
    a_submodule_whose_url_is_a_command: Expect::Either, |arena| {
        modules(&arena, "x", &format!("ext::sh -c {}", arena.payload()), "");
    }
    a_submodule_on_this_machine: Expect::Has(&[".gitmodules", "a.sql"]), |arena| {
        modules(&arena, "x", &format!("file://{}", arena.estate.path("theirs.git").display()), "");
    }
    a_submodule_on_the_network: Expect::Has(&[".gitmodules", "a.sql"]), |arena| {
        modules(&arena, "x", &arena.url(), "\tupdate = checkout\n");
    }
    a_submodule_whose_path_ends_with_a_return: Expect::Has(&[".gitmodules", "a.sql"]), |arena| {
        modules(&arena, "\"x\r\"", &arena.url(), "");
    }
    a_submodule_with_a_command_for_its_update: Expect::Refused, |arena| {
        modules(&arena, "x", &arena.url(), &format!("\tupdate = !{}\n", arena.payload()));
    }
    a_submodule_whose_name_leads_out: Expect::Refused, |arena| {
        let text = format!("[submodule \"../../x\"]\n\tpath = x\n\turl = {}\n", arena.url());
        file(&arena, "100644", b".gitmodules", text.as_bytes());
    }
    submodules_told_by_a_link: Expect::Refused, |arena| {
        file(&arena, "120000", b".gitmodules", b"a.sql");
    }
    a_nested_bare_repository: Expect::Has(&["HEAD", "a.sql", "config", "objects/x", "refs/x"]), |arena| {
        let config = format!("[core]\n\tbare = true\n\trepositoryformatversion = 0\n\tfsmonitor = {}\n", arena.payload());
        let (head, config) = (arena.estate.object("blob", b"ref: refs/heads/main\n"), arena.estate.object("blob", config.as_bytes()));
        let inside = arena.estate.raw_tree(&[("100644", b"x", &head)]);
        let entries: [(&str, &[u8], &ObjectId); 4] =
            [("100644", b"HEAD", &head), ("100644", b"config", &config), ("40000", b"objects", &inside), ("40000", b"refs", &inside)];
        point(&arena, &entries);
    }
    drivers_in_attributes: Expect::Has(&[".gitattributes", "a.sql"]), |arena| {
        let evil = arena.script("theirs.git/evil").display().to_string();
        for name in ["filter.evil.smudge", "filter.evil.clean", "filter.evil.process", "diff.evil.command", "diff.evil.textconv", "merge.evil.driver"] {
            arena.estate.theirs(&["config", name, &evil]);
        }
        file(&arena, "100644", b".gitattributes", DRIVERS.as_bytes());
    }
    large_files_elsewhere: Expect::Has(&[".gitattributes", ".lfsconfig", "a.sql", "big.bin"]), |arena| {
        let oid = "1".repeat(64);
        let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 10\n");
        let blob = |text: &str| arena.estate.object("blob", text.as_bytes());
        let (attributes, pointer) = (blob("*.bin filter=lfs diff=lfs merge=lfs -text\n"), blob(&pointer));
        let (config, link) = (blob(&format!("[lfs]\n\turl = {}\n", arena.url())), blob(".git/lfs"));
        let entries: [(&str, &[u8], &ObjectId); 4] = [
            ("100644", b".gitattributes", &attributes), ("100644", b".lfsconfig", &config), ("100644", b"big.bin", &pointer),
            ("120000", b"lfs", &link),
        ];
        point(&arena, &entries);
    }
    links_that_lead_out: Expect::Has(&["a.sql"]), |arena| {
        let blob = |text: &str| arena.estate.object("blob", text.as_bytes());
        let (absolute, up, git) = (blob("/etc/passwd"), blob("../../../../etc"), blob(".git/hooks"));
        point(&arena, &[("120000", b"b", &absolute), ("120000", b"c", &up), ("120000", b"d", &git)]);
    }
    a_link_that_is_a_folder_too: Expect::Refused, |arena| {
        let link = arena.estate.object("blob", b"/tmp");
        let inside = arena.estate.raw_tree(&[("100644", b"x", &link)]);
        point(&arena, &[("120000", b"d", &link), ("40000", b"d", &inside)]);
    }
    a_link_that_is_a_folder_in_other_letters: Expect::Has(&["D/x", "a.sql"]), |arena| {
        let link = arena.estate.object("blob", b"/tmp");
        let inside = arena.estate.raw_tree(&[("100644", b"x", &link)]);
        point(&arena, &[("120000", b"d", &link), ("40000", b"D", &inside)]);
    }
    dot_git: Expect::Refused, |arena| { folder(&arena, b".git", b"config", b"x"); }
    dot_git_in_capitals: Expect::Refused, |arena| { folder(&arena, b".GIT", b"config", b"x"); }
    dot_git_by_its_short_name: Expect::Refused, |arena| { folder(&arena, b"git~1", b"config", b"x"); }
    dot_git_with_what_is_ignored: Expect::Refused, |arena| { folder(&arena, ".g\u{200c}it".as_bytes(), b"config", b"x"); }
    dot_git_with_a_stream: Expect::Either, |arena| { folder(&arena, b".git::$INDEX_ALLOCATION", b"config", b"x"); }
    a_folder_above: Expect::Refused, |arena| { folder(&arena, b"..", b"x", b"x"); }
    an_absolute_name: Expect::Refused, |arena| { file(&arena, "100644", b"/etc/passwd", b"x"); }
    a_name_that_leads_out: Expect::Refused, |arena| { file(&arena, "100644", b"b/../../../x", b"x"); }
    a_name_that_leads_out_elsewhere: Expect::Has(&["a.sql"]), |arena| { file(&arena, "100644", b"..\\..\\x", b"x"); }
    an_empty_name: Expect::Refused, |arena| { file(&arena, "100644", b"", b"x"); }
    names_that_are_not_seen: Expect::Has(&["a.sql"]), |arena| {
        let blob = arena.estate.object("blob", b"x");
        let names = ["b\nc", "d\u{1b}[2J", "e\u{202e}lqs.a", "f\r", "g\u{7f}"];
        let mut entries: Vec<(&str, &[u8], &ObjectId)> = names.iter().map(|name| ("100644", name.as_bytes(), &blob)).collect();
        entries.push(("100644", b"h\xff\xfe", &blob));
        point(&arena, &entries);
    }
    names_that_are_options_and_commands: Expect::Has(&["$(touch x)", "--output=x", "-rf", "a.sql", "b;touch x", "c\"d", "e|x"]), |arena| {
        let blob = arena.estate.object("blob", b"x");
        // One with a backslash is left out.
        let names: [&[u8]; 7] = [b"$(touch x)", b"--output=x", b"-rf", b"b;touch x", b"c\"d", b"c\"\\x", b"e|x"];
        let entries: Vec<(&str, &[u8], &ObjectId)> = names.iter().map(|name| ("100644", *name, &blob)).collect();
        point(&arena, &entries);
    }
    a_name_of_four_thousand_bytes: Expect::Counts(2), |arena| { file(&arena, "100644", &[b'x'; 4_000], b"x"); }
    a_longer_name: Expect::Refused, |arena| { file(&arena, "100644", &[b'x'; 4_200], b"x"); }
    a_strange_mode: Expect::Either, |arena| { file(&arena, "100000", b"b", b"x"); }
    two_hundred_folders_deep: Expect::Counts(2), |arena| { deep(&arena, 200); }
    three_hundred_folders_deep: Expect::Beyond, |arena| { deep(&arena, 300); }
    a_hundred_thousand_files: Expect::Counts(100_001), |arena| {
        let blob = arena.estate.object("blob", b"x");
        let names: Vec<String> = (0..100_000).map(|n| format!("f{n:06}")).collect();
        let entries: Vec<(&str, &[u8], &ObjectId)> = names.iter().map(|name| ("100644", name.as_bytes(), &blob)).collect();
        point(&arena, &entries);
    }
    /// Ten folders, each of which has the same ten, and so on: ten thousand million files in eleven objects.
    a_bomb_of_folders: Expect::Beyond, |arena| {
        let mut inner = arena.estate.object("blob", b"x");
        for level in 0..10 {
            let names: Vec<String> = (0..10).map(|n| format!("d{n}")).collect();
            let mode = if level == 0 { "100644" } else { "40000" };
            let entries: Vec<(&str, &[u8], &ObjectId)> = names.iter().map(|name| (mode, name.as_bytes(), &inner)).collect();
            inner = arena.estate.raw_tree(&entries);
        }
        point(&arena, &[("40000", b"bomb", &inner)]);
    }
    /// Sixteen megabytes that take sixteen kilobytes to send.
    a_file_beyond_the_limit: Expect::Beyond, |arena| { file(&arena, "100644", b"b", &vec![0; 16 << 20]); }
    a_patch_that_is_a_page: Expect::Has(&["a.sql", "b"]), |arena| {
        file(&arena, "100644", b"b", "<script>alert(1)</script>\u{1b}]0;x\u{7}\u{202e}\n".as_bytes());
    }
    a_commit_that_says_too_much: Expect::Either, |arena| {
        let tree = arena.estate.theirs(&["rev-parse", "main^{tree}"]);
        let text = format!("tree {tree}\nauthor A\u{1b} <a@b> <c@d> 1 +0000\ncommitter -x <> 99999999999999999999 +9999\ngpgsig x\n\n\0x\n");
        let commit = arena.estate.object("commit", text.as_bytes());
        arena.estate.theirs(&["update-ref", "refs/heads/main", commit.as_str()]);
    }
}

fn deep(arena: &Arena, levels: usize) {
    let blob = arena.estate.object("blob", b"x");
    let mut inner = arena.estate.raw_tree(&[("100644", b"f", &blob)]);
    for _ in 1..levels {
        inner = arena.estate.raw_tree(&[("40000", b"d", &inner)]);
    }
    point(arena, &[("40000", b"d", &inner)]);
}
