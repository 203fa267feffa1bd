//! The mapping files of this repository.

use std::path::Path;

use kiungo_domain::party::AccountKey;
use kiungo_domain::typed::Likeness;
use kiungo_mapping::Mapping;

use crate::FAMILIES;

fn shipped(name: &str) -> Mapping {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mappings");
    Mapping::load(&folder.join(name), &FAMILIES).unwrap_or_else(|error| panic!("\n{error}"))
}

/// The files that are no providers: others extend them.
const PARENTS: [&str; 2] = ["gsma-mobile-money.toml", "mpesa-openapi.toml"];

#[test]
fn every_mapping_file_is_right_and_named_after_its_provider() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mappings");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if PARENTS.iter().any(|parent| path.ends_with(parent)) {
            continue;
        }
        let mapping = Mapping::load(&path, &FAMILIES).unwrap_or_else(|error| panic!("\n{error}"));
        assert_eq!(path.file_stem().unwrap().to_str(), Some(mapping.id().as_str()));
        assert!(FAMILIES.contains(&mapping.family()));
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

/// The accounts that the shipped rules take a text for, as words.
fn resolved(file: &str, typed: &str) -> Vec<String> {
    let name = |key: &AccountKey| match key {
        AccountKey::AccountNo(number) => number.clone(),
        AccountKey::Phone(number) => format!("+{}", number.digits()),
        other => panic!("{other:?}"),
    };
    shipped(file).resolve(typed, None).iter().map(|account| name(&account.key)).collect()
}

#[test]
fn the_owners_number_is_read_as_the_market_writes_it() {
    for (file, typed, expected) in [
        ("mpesa-tz.toml", "0712 345 678", &["+255712345678"][..]),
        ("mpesa-tz.toml", "+255 712-345-678", &["+255712345678"]),
        ("mpesa-cd.toml", "0812345678", &["+243812345678"]),
        ("mpesa-gh.toml", "024 123 4567", &["+233241234567"]),
        // Without a zero in front a number is as long as an account's, which goes first.
        ("mpesa-mz.toml", "841234567", &["841234567", "+258841234567"]),
        ("mpesa-ls.toml", "58123456", &["058123456", "+26658123456"]),
        ("mpesa-ls.toml", "5812 3456", &["+26658123456"]),
    ] {
        assert_eq!(resolved(file, typed), expected, "{file} {typed}");
    }
}

#[test]
fn the_shipped_rules_join_no_digits_that_were_typed_apart() {
    for file in ["mpesa-tz.toml", "mpesa-cd.toml", "mpesa-gh.toml", "gsma-sandbox.toml"] {
        for typed in ["1-1", "1/1", "1.1", "12/3", "100.00", "SV 1 1", "LN4-17"] {
            assert_eq!(resolved(file, typed), [""; 0], "{file} {typed}");
            let readings = shipped(file).readings(typed);
            for likeness in [Likeness::Joined, Likeness::Split] {
                assert!(readings.iter().any(|r| r.likeness == likeness), "{file} {typed}");
            }
        }
    }
}

#[test]
fn typed_references_are_read_or_at_least_suggested() {
    let account = "000000001".to_owned();
    for typed in ["SV-1", "SV–1", "SV\u{a0}1", "SV\u{200b}1", "SV#1", "SV,1", "1", "١", "۱"] {
        assert_eq!(resolved("mpesa-tz.toml", typed), std::slice::from_ref(&account), "{typed:?}");
    }
    for typed in ["A/C 1", "SVl", "0000000001", "SV1 JOHN"] {
        assert!(!resolved("mpesa-tz.toml", typed).contains(&account), "{typed}: a person decides");
        let readings = shipped("mpesa-tz.toml").readings(typed);
        let named = AccountKey::AccountNo(account.clone());
        assert!(readings.iter().any(|reading| reading.account.key == named), "{typed}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error =
        Mapping::load(Path::new("/nowhere/mpesa-xx.toml"), &FAMILIES).unwrap_err().to_string();
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
        Mapping::load(&path, &FAMILIES).unwrap_err().to_string()
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
    assert!(Mapping::load(folder.path(), &FAMILIES).is_err());
}
