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

#[test]
fn a_file_that_is_huge_or_no_text_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let load = |content: &[u8]| {
        let path = folder.path().join("mpesa-xx.toml");
        std::fs::write(&path, content).unwrap();
        Mapping::load(&path).unwrap_err().to_string()
    };
    let utf16: Vec<u8> = crate::SMALL.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut latin = crate::SMALL.as_bytes().to_vec();
    latin.extend(b"# caf\xe9");
    for (content, says) in [
        (vec![b'#'; 1024 * 1024 + 1], "is 1048577 bytes long"),
        (utf16, "mpesa-xx.toml"),
        (latin, "valid UTF-8"),
        (b"\xff\xfe\x00".to_vec(), "valid UTF-8"),
    ] {
        let message = load(&content);
        assert!(message.contains("mpesa-xx.toml") && message.contains(says), "{message}");
    }
    assert!(Mapping::load(folder.path()).is_err());
}
