//! The mapping files of this repository.

use std::path::Path;

use kiungo_mapping::Mapping;

#[test]
fn every_mapping_file_is_right_and_named_after_its_provider() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mappings");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mapping = Mapping::load(&path).unwrap_or_else(|error| panic!("\n{error}"));
        assert_eq!(path.file_stem().unwrap().to_str(), Some(mapping.id().as_str()));
        assert!(mapping.has_section(mapping.family().as_str()));
        names.push(mapping.id().to_string());
    }
    names.sort();
    let expected = [
        "gsma-sandbox",
        "gsma-sandbox-1-1-2",
        "mpesa-cd",
        "mpesa-gh",
        "mpesa-ls",
        "mpesa-mz",
        "mpesa-tz",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Mapping::load(Path::new("/nowhere/mpesa-xx.toml")).unwrap_err().to_string();
    assert!(
        error.starts_with("/nowhere/mpesa-xx.toml: the mapping file cannot be read"),
        "{error}"
    );
}
