//! Files of SQL that are run as they stand.

use crate::maker::change;
use greylag_code::repository::{Options, Report, look};
use greylag_code::tree::MemoryTree;
use greylag_model::consumer::TableChange;
use greylag_model::spec::Judgement;

fn looked(files: &[(&str, &str)], change: &TableChange) -> Report {
    look(&MemoryTree::new(files.iter().copied()), std::slice::from_ref(change), Options::default()).unwrap()
}

#[test]
fn only_what_may_name_what_changes_is_read() {
    let files = [
        ("a.sql", "select uid from shop.\"users_v1\"; select 1"),
        ("b.sql", "select uid from SHOP.USERS_V1"),
        ("c.sql", "select uid from shop.orders"),
        ("d.sql", "select uid from shop.users_v10"),
    ];
    let report = looked(&files, &change());
    assert_eq!(report.files.iter().map(|file| &*file.path).collect::<Vec<_>>(), ["a.sql", "b.sql"]);
    // That of `d.sql` has the letters of the name and is another one's.
    assert_eq!((report.seen.sql, report.seen.statements), (4, 4));
}

#[test]
fn a_comment_for_people_goes_where_nothing_else_names_the_dataset() {
    let text = "names are longer.".to_owned();
    let mut judged = change();
    judged.columns[2].judgement = Some(Judgement { guide: "https://w.example.com/kept".to_owned(), text });
    let before = [("a.sql", "select kept from shop.users_v1")];
    let report = looked(&before, &judged);
    let noted = report.files[0].new.as_deref().unwrap();
    assert!(noted.contains("judgement: names are longer."), "{noted}");
    let back = looked(&[("a.sql", noted)], &judged.reversed("users_v2"));
    assert_eq!(back.files[0].new.as_deref(), Some(before[0].1));
}
