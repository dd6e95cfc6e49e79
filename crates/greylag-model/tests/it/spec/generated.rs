use std::path::Path;

#[test]
fn committed_files_are_those_generated() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files = greylag_model::codegen::codegen();
    let differs =
        |(path, text): &&(String, String)| std::fs::read_to_string(root.join(path)).ok().as_ref() != Some(text);
    let stale: Vec<&str> = files.iter().filter(differs).map(|(path, _)| path.as_str()).collect();
    assert!(stale.is_empty(), "run `cargo xtask codegen` and commit: {stale:?} differ from the code");

    let known: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    for folder in ["docs/errors", "schemas"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = format!("{folder}/{}", entry.unwrap().file_name().to_string_lossy());
            assert!(known.contains(&path.as_str()), "`{path}` is not generated any more: delete it");
        }
    }
}
