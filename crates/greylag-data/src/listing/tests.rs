#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use tempfile::TempDir;

/// A directory with these files: `path` or `path=content`; `path -> target` is a link, `path/` a directory.
fn tree(entries: &[&str]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for entry in entries {
        let (path, target) = entry.split_once(" -> ").map_or((*entry, None), |(path, target)| (path, Some(target)));
        let whole = root.path().join(path);
        fs::create_dir_all(whole.parent().unwrap()).unwrap();
        match target {
            Some(target) => symlink(target, whole).unwrap(),
            None if path.ends_with('/') => fs::create_dir_all(whole).unwrap(),
            None => fs::write(whole, "x").unwrap(),
        }
    }
    root
}

fn anchor(root: &TempDir, path: &str) -> Anchor {
    Anchor { root: Some(root.path().to_str().unwrap().to_owned()), path: path.to_owned() }
}

fn show(root: &TempDir, path: &str, declared: Option<FileFormat>) -> String {
    match list(&anchor(root, path), declared) {
        Ok(listing) => {
            let mut out = format!("{:?} {} by {:?}\n", listing.shape, listing.format.name(), listing.partition_by);
            for file in &listing.files {
                let _ = writeln!(out, "{:?} {:?}", file.relative, file.partition);
            }
            out
        }
        Err(error) => {
            let place = root.path().to_str().unwrap();
            format!("{} {:?} {}", error.code, error.class, error.message.replace(place, "ROOT"))
        }
    }
}

#[test]
fn hidden_and_half_written_files_are_left_alone() {
    let root = tree(&[
        "t/b.parquet",
        "t/a.PARQUET",
        "t/.hidden.parquet",
        "t/_temporary/0/x.parquet",
        "t/_SUCCESS",
        "t/_metadata",
        "t/c.parquet.tmp",
        "t/.c.parquet.crc",
        "t/d.parquet._COPYING_",
        "t/e.parquet.inprogress",
        "t/f.parquet.part",
        "t/README.md",
        "t/view.sql",
        "t/.git/x.parquet",
    ]);
    fs::write(root.path().join("t/empty.parquet"), "").unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, root.path().join("t/pipe.parquet"), Mode::RWXU).unwrap();
    insta::assert_snapshot!(show(&root, "t", None), @r#"
    Directory parquet by []
    "a.PARQUET" []
    "b.parquet" []
    "#);
}

#[test]
fn odd_names_are_kept() {
    let root = tree(&["t/a\nb.csv", "t/\"; DROP TABLE x --.csv", "t/Zürich 🦢.csv", "t/it's.csv"]);
    insta::assert_snapshot!(show(&root, "t", None), @r#"
    Directory csv by []
    "\"; DROP TABLE x --.csv" []
    "Zürich 🦢.csv" []
    "a\nb.csv" []
    "it's.csv" []
    "#);
}

#[test]
fn a_name_that_is_not_unicode_is_an_error() {
    use std::os::unix::ffi::OsStrExt;
    let root = tree(&["t/a.csv"]);
    fs::write(root.path().join("t").join(std::ffi::OsStr::from_bytes(b"\xff.csv")), "x").unwrap();
    insta::assert_snapshot!(show(&root, "t", None), @"GL0610 Permanent the name `\u{fffd}.csv` in `ROOT/t` is not UTF-8");
}

#[test]
fn partitions_come_from_directories() {
    let root = tree(&[
        "t/_p=1/when=2024-01-01 10%3A00/a.csv",
        "t/_p=__HIVE_DEFAULT_PARTITION__/when=x%2Fy/a.csv",
        "t/_p=1/when=2024-01-01 10%3A00/b.csv",
    ]);
    insta::assert_snapshot!(show(&root, "t", None), @r#"
    Directory csv by ["_p", "when"]
    "_p=1/when=2024-01-01 10%3A00/a.csv" [Some("1"), Some("2024-01-01 10:00")]
    "_p=1/when=2024-01-01 10%3A00/b.csv" [Some("1"), Some("2024-01-01 10:00")]
    "_p=__HIVE_DEFAULT_PARTITION__/when=x%2Fy/a.csv" [None, Some("x/y")]
    "#);
}

#[test]
fn uneven_partitions_are_an_error() {
    let uneven = tree(&["t/p=1/a.csv", "t/b.csv"]);
    insta::assert_snapshot!(show(&uneven, "t", None), @"GL0608 Permanent `b.csv` and `p=1/a.csv` have different partitions in `ROOT/t`");
    let plain = tree(&["t/p=1/x/a.csv"]);
    insta::assert_snapshot!(show(&plain, "t", None), @"GL0608 Permanent `p=1/x/a.csv` lies in plain and partition directories in `ROOT/t`");
    let twice = tree(&["t/p=1/p=2/a.csv"]);
    insta::assert_snapshot!(show(&twice, "t", None), @"GL0608 Permanent `p=1/p=2/a.csv` names a partition column twice in `ROOT/t`");
}

#[test]
fn plain_sub_directories_are_one_dataset() {
    let root = tree(&["t/2024/a.csv", "t/b.csv"]);
    insta::assert_snapshot!(show(&root, "t", None), @r#"
    Directory csv by []
    "2024/a.csv" []
    "b.csv" []
    "#);
}

#[test]
fn formats_do_not_mix() {
    let both = tree(&["t/a.csv", "t/b.parquet"]);
    insta::assert_snapshot!(show(&both, "t", None), @"GL0607 Permanent `ROOT/t` holds csv (`a.csv`) and parquet (`b.parquet`)");
    insta::assert_snapshot!(show(&both, "t", Some(FileFormat::Csv)), @"GL0607 Permanent `b.parquet` in `ROOT/t` is not csv");
    let foreign = tree(&["t/a.csv", "t/b.csv.gz"]);
    insta::assert_snapshot!(show(&foreign, "t", None), @"GL0607 Permanent `b.csv.gz` in `ROOT/t` is not Parquet, CSV, JSON lines or Avro");
}

#[test]
fn names_without_an_extension_are_told_by_their_first_bytes_or_declared() {
    let root = tree(&["t/000000_0", "t/notes.txt", "single"]);
    insta::assert_snapshot!(show(&root, "t", None), @"GL0612 Permanent `ROOT/t` has no data files");
    insta::assert_snapshot!(show(&root, "t", Some(FileFormat::Csv)), @r#"
    Directory csv by []
    "000000_0" []
    "notes.txt" []
    "#);
    fs::write(root.path().join("t/000000_0"), "PAR1....").unwrap();
    insta::assert_snapshot!(show(&root, "t", None), @r#"
    Directory parquet by []
    "000000_0" []
    "#);
    insta::assert_snapshot!(show(&root, "single", None), @"GL0606 Permanent cannot tell the format of `ROOT/single`");
}

#[test]
fn tables_of_other_systems_are_refused() {
    let delta = tree(&["t/a.parquet", "t/_delta_log/0.json"]);
    insta::assert_snapshot!(show(&delta, "t", None), @"GL0611 Permanent `ROOT/t` is a table of Delta, and its files hold rows that the table has deleted");
    let iceberg = tree(&["t/data/a.parquet", "t/metadata/v1.metadata.json"]);
    insta::assert_snapshot!(show(&iceberg, "t", None), @"GL0611 Permanent `ROOT/t` is a table of Iceberg, and its files hold rows that the table has deleted");
}

#[test]
fn what_is_not_there_is_named() {
    let root = tree(&["t/"]);
    insta::assert_snapshot!(show(&root, "t", None), @"GL0612 Permanent `ROOT/t` has no data files");
    insta::assert_snapshot!(show(&root, "gone.csv", None), @"GL0601 Permanent cannot open `ROOT/gone.csv`: no such file or directory");
}

#[test]
fn links_stay_beneath_the_root() {
    let outside = tree(&["secret.csv"]);
    let target = outside.path().join("secret.csv");
    let root = tree(&["data/a.csv", "t/inside.csv -> ../data/a.csv", "t/tmp.csv.tmp -> /nowhere"]);
    insta::assert_snapshot!(show(&root, "t", None), @r#"
    Directory csv by []
    "inside.csv" []
    "#);
    for (link, target) in [
        ("t/x.csv", target.to_str().unwrap()),
        ("t/x.csv", "../../../../../../../../etc/hostname"),
        ("t/x.csv", "/proc/self/environ"),
        ("t/x.csv", "x.csv"),
    ] {
        symlink(target, root.path().join(link)).unwrap();
        let error = list(&anchor(&root, "t"), None).unwrap_err();
        assert_eq!(error.code, code::OUTSIDE_ROOT, "{target}: {error}");
        assert_eq!(anchor(&root, "t").open("x.csv").unwrap_err().code, code::OUTSIDE_ROOT);
        fs::remove_file(root.path().join(link)).unwrap();
    }
    assert_eq!(anchor(&root, "../x").open("").unwrap_err().code, code::OUTSIDE_ROOT);
    assert_eq!(anchor(&root, "t").open("../data/a.csv").unwrap_err().code, code::OUTSIDE_ROOT);
}

#[test]
fn a_circle_of_links_ends() {
    let root = tree(&["t/a.csv", "t/loop -> ."]);
    insta::assert_snapshot!(show(&root, "t", None), @"GL0605 Permanent `ROOT/t/loop` leads in a circle, or deeper than 64 directories");
}

#[test]
fn a_location_without_a_root_may_be_a_link() {
    let root = tree(&["data/a.csv", "link -> data"]);
    let path = root.path().join("link").to_str().unwrap().to_owned();
    let listing = list(&Anchor { root: None, path }, None).unwrap();
    assert_eq!(listing.files[0].relative, "a.csv");
    assert!(listing.anchor.open("a.csv").is_ok());
}

#[test]
fn permission_denied_is_a_class_of_its_own() {
    if rustix::process::geteuid().is_root() {
        // The superuser is never denied; the mapping is what can be shown.
        let denied = io_error("open", Path::new("/x"), &std::io::ErrorKind::PermissionDenied.into());
        assert_eq!(denied.class, greylag_model::spec::ErrorClass::Denied);
        return;
    }
    let root = tree(&["a.csv"]);
    fs::set_permissions(root.path().join("a.csv"), fs::Permissions::from_mode(0o000)).unwrap();
    insta::assert_snapshot!(show(&root, "a.csv", None), @"GL0602 Denied cannot open `ROOT/a.csv`: permission denied");
}

#[test]
fn pipes_do_not_block() {
    let root = tree(&["x"]);
    rustix::fs::mkfifoat(rustix::fs::CWD, root.path().join("p.csv"), Mode::RWXU).unwrap();
    insta::assert_snapshot!(show(&root, "p.csv", None), @"GL0606 Permanent `ROOT/p.csv` is not a regular file");
}
