use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::tree::are_same;

/// Joins `child.toml` with its parents, which stand under their names.
fn join(child: &str, parents: &[(&str, &str)]) -> Result<Inherited, Problems> {
    let parents: BTreeMap<_, _> = parents.iter().copied().collect();
    read("child.toml", child, &|name| {
        let text = parents.get(name).ok_or_else(|| format!("{name}.toml: there is none"))?;
        Ok(NamedText { name: format!("{name}.toml"), text: (*text).to_owned() })
    })
}

/// The text of a child with its parent `p`, and the problems.
fn joined(child: &str, parent: &str) -> (String, Vec<String>) {
    let joined = join(&format!("extends = \"p\"\n{child}"), &[("p", parent)]).unwrap();
    let problems = joined.problems.iter().map(ToString::to_string).collect();
    (print::whole(&joined.document), problems)
}

fn refused(child: &str, parents: &[(&str, &str)]) -> String {
    join(child, parents).unwrap_err().to_string()
}

const PARENT: &str = "[provider]\nfamily = \"x\"\n[codes.all]\nA-1 = { means = \"unknown\" }\n\
                      \"b.c/d\" = { means = \"pending\", text = \"wait\" }\n[hours]\nsunday = [1, 2]\n";

#[test]
fn tables_are_joined_and_lists_and_values_replaced() {
    let child =
        "[codes.all]\nA-1 = { means = \"rejected\", reason = \"other\" }\n[hours]\nsunday = [3]\n";
    let expected = "[codes.all]\nA-1 = { means = \"rejected\", reason = \"other\" }\n\
                    \"b.c/d\" = { means = \"pending\", text = \"wait\" }\n\n\
                    [hours]\nsunday = [3]\n\n[provider]\nfamily = \"x\"\n";
    assert_eq!(joined(child, PARENT), (expected.to_owned(), Vec::new()));
}

#[test]
fn keys_of_the_parent_are_removed() {
    let child = "unset = [\"hours\", \"provider.family\", 'codes.all.\"b.c/d\"']\n";
    let expected = "provider = {}\n\n[codes.all]\nA-1 = { means = \"unknown\" }\n";
    let (text, problems) = joined(child, PARENT);
    assert_eq!(problems, [""; 0]);
    assert_eq!(text.replace("[provider]\n", "provider = {}\n"), expected);
}

#[test]
fn a_removal_that_removes_nothing_names_the_nearest_key() {
    for (key, nearest) in [
        ("codes.all.A-2", "codes.all.A-1"),
        ("codes.al.A-1", "codes.all"),
        ("hour", "hours"),
        ("codes.all.b.c/d", "codes.all.\\\"b.c/d\\\""),
        ("hours.sunday.x", ""),
    ] {
        let (_, problems) = joined(&format!("unset = [\"{key}\"]\n"), PARENT);
        let [problem] = problems.as_slice() else { panic!("{key}: {problems:?}") };
        let said = format!("child.toml:2:10: unset[0]: the parent has no key `{key}`");
        assert!(problem.starts_with(&said), "{problem}");
        let nearest = nearest.replace("\\\"", "\"");
        let hint = format!("; the nearest one is `{nearest}`");
        assert!(nearest.is_empty() || problem.ends_with(&hint), "{problem}");
    }
    let twice = joined("unset = [\"hours\", \"hours\"]\n", PARENT).1;
    assert!(twice[0].starts_with("child.toml:2:19: unset[1]: the parent has no key"), "{twice:?}");
}

#[test]
fn removals_are_a_list_of_keys_of_a_parent() {
    let (_, problems) = joined("unset = [1, \"a..b\", \"\", 'a.\"b']\n", PARENT);
    assert_eq!(problems.len(), 4, "{problems:?}");
    let message = "must be a key with its tables, for example \"codes.collect.X\"";
    assert!(problems.iter().all(|problem| problem.ends_with(message)), "{problems:?}");
    let (_, problems) = joined("unset = \"hours\"\n", PARENT);
    assert!(problems[0].contains("child.toml:2:9: unset: must be a list of keys"), "{problems:?}");
    let orphan = join("unset = [\"a\"]\n", &[]).unwrap().problems;
    assert!(orphan[0].to_string().starts_with("child.toml:1:1: unset: has nothing to remove"));
}

#[test]
fn a_value_that_repeats_the_parents_is_an_error() {
    let child = "[provider]\nfamily = \"x\"\n[hours]\nsunday = [ 1, 2 ]\n\
                 [codes.all]\nA-1.means = \"unknown\"\n\"b.c/d\" = { text = \"other\" }\n";
    let (_, problems) = joined(child, PARENT);
    let expected = [
        "child.toml:7:13: codes.all.A-1.means: says the same as p.toml:4: remove it",
        "child.toml:5:10: hours.sunday: says the same as p.toml:7: remove it",
        "child.toml:3:10: provider.family: says the same as p.toml:2: remove it",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn the_parent_is_a_file_of_the_same_folder_named_first() {
    let first = refused("a = 1\nextends = \"p\"\n", &[("p", "")]);
    assert!(first.starts_with("child.toml:2:1: extends: must be the first key"), "{first}");
    for name in ["\"\"", "\"../p\"", "\"p.toml\"", "[\"p\"]", "1"] {
        let said = refused(&format!("extends = {name}\n"), &[("p", "")]);
        let expected = "child.toml:1:11: extends: must be the name of a file in the same folder";
        assert!(said.starts_with(expected), "{said}");
    }
    let absent = refused("extends = \"q\"\n", &[("p", "")]);
    assert_eq!(absent, "child.toml:1:11: extends: q.toml: there is none");
    let broken = refused("extends = \"p\"\n", &[("p", "a = 1\nb = ")]);
    assert!(broken.starts_with("p.toml:2:"), "{broken}");
}

#[test]
fn a_circle_is_an_error() {
    let circle =
        refused("extends = \"a\"\n", &[("a", "extends = \"b\""), ("b", "extends = \"a\"")]);
    assert_eq!(circle, "b.toml:1:11: extends: is a circle: child extends a extends b extends a");
    let itself = refused("extends = \"child\"\n", &[("child", "")]);
    assert_eq!(itself, "child.toml:1:11: extends: is a circle: child extends child");
}

#[test]
fn a_file_has_three_parents_at_most() {
    let chain = [
        ("a", "extends = \"b\"\n"),
        ("b", "extends = \"c\"\n"),
        ("c", "x = 1"),
        ("d", "extends = \"a\"\n"),
    ];
    let most = join("extends = \"a\"\n", &chain).unwrap().document;
    assert_eq!(most.parents(), ["a.toml", "b.toml", "c.toml"]);
    let more = refused("extends = \"d\"\n", &chain);
    let expected = "b.toml:1:11: extends: is one parent too many: child extends d extends a extends b, \
                    and 3 parents are the most";
    assert_eq!(more, expected);
}

#[test]
fn a_value_that_is_sealed_is_named_with_both_places() {
    for child in ["[provider]\nfamily = \"y\"", "unset = [\"provider\"]", "provider = 1"] {
        let joined = join(&format!("extends = \"p\"\n{child}"), &[("p", PARENT)]).unwrap();
        let [problem] = joined.document.sealed("provider.family", "a promise").try_into().unwrap();
        let end = "provider.family: is a promise, which p.toml:2 states: a child cannot change it";
        assert!(problem.to_string().ends_with(end), "{problem}");
        assert_eq!((problem.file.as_str(), problem.line > 1), ("child.toml", true));
    }
    let open = join("extends = \"p\"\n[provider]\nid = \"y\"", &[("p", PARENT)]).unwrap();
    assert_eq!(open.document.sealed("provider.id", "a promise"), []);
}

#[test]
fn each_value_is_printed_with_the_place_that_it_comes_from() {
    let child = "extends = \"p\"\n[codes.all]\nA-1.text = \"why\"\n[hours]\nsunday = [\n 3]\n";
    let joined = join(child, &[("p", PARENT)]).unwrap().document;
    let expected = "[codes.all]  # child.toml:2\n\
                    \"b.c/d\" = { means = \"pending\", text = \"wait\" }  # p.toml:5\n\n\
                    [codes.all.A-1]  # child.toml:3\nmeans = \"unknown\"  # p.toml:4\n\
                    text = \"why\"  # child.toml:3\n\n\
                    [hours]  # child.toml:4\nsunday = [3]  # child.toml:5\n\n\
                    [provider]  # p.toml:1\nfamily = \"x\"  # p.toml:2\n";
    assert_eq!(print::with_places(&joined), expected);
}

/// Keys that are values in every file, and tables that are tables in every file, as a mapping has them.
const KEYS: [&str; 7] = ["a", "b", "t.a", "t.\"b c\"", "t.u.a", "t.u.b", "v.a"];

fn some_keys() -> impl Strategy<Value = Vec<String>> {
    let line = |key: &'static str| {
        prop_oneof!["[0-3]", "\"[xy]\"", "\\[[0-2], [0-2]\\]"]
            .prop_map(move |value| format!("{key} = {value}\n"))
    };
    let line = move |key| proptest::option::of(line(key));
    KEYS.map(line).to_vec().prop_map(|lines| lines.into_iter().flatten().collect())
}

fn in_two_orders() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    some_keys().prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle()))
}

/// Any tree, whose values stand on any of some lines.
fn any_value() -> impl Strategy<Value = Value> {
    let text = "[a-z \"\\\\\n\t\u{1}ä]{0,4}";
    let leaf = prop_oneof![
        text.prop_map(Kind::Text),
        "(0|-?[1-9][0-9]{0,3})".prop_map(|digits| Kind::Integer(digits, 10)),
        "[1-9a-f]{1,3}".prop_map(|digits| Kind::Integer(digits, 16)),
        "[1-9]\\.[0-9]{1,2}".prop_map(Kind::Float),
        any::<bool>().prop_map(Kind::Boolean),
        Just(Kind::Date("2026-11-30".to_owned())),
    ];
    let placed = |kind: BoxedStrategy<Kind>| {
        (kind, 0..LINES).prop_map(|(kind, at)| Value { at: at..at, kind }).boxed()
    };
    placed(leaf.boxed()).prop_recursive(4, 24, 4, move |inner| {
        let key = "[a-c \"\\.ä-]{0,3}";
        let entry = inner.clone().prop_map(|value| Entry { key_at: 0..0, value });
        let table = proptest::collection::btree_map(key, entry, 0..4).prop_map(Kind::Table);
        let list = proptest::collection::vec(inner, 0..4).prop_map(Kind::List);
        placed(prop_oneof![table, list].boxed())
    })
}

const LINES: usize = 4;

proptest! {
    #[test]
    fn a_child_without_keys_is_its_parent(parent in some_keys()) {
        let parent = parent.concat();
        let joined = join("extends = \"p\"\n", &[("p", &parent)]).unwrap();
        let parent = Document::parse("p.toml", &parent).unwrap();
        prop_assert!(are_same(&joined.document.root, &parent.root));
        prop_assert!(joined.problems.is_empty());
    }

    #[test]
    fn the_order_of_keys_does_not_matter((one, two) in in_two_orders(), parent in in_two_orders()) {
        let join = |child: &[String], parent: &[String]| {
            join(&format!("extends = \"p\"\n{}", child.concat()), &[("p", &parent.concat())]).unwrap()
        };
        let (one, two) = (join(&one, &parent.0), join(&two, &parent.1));
        prop_assert!(are_same(&one.document.root, &two.document.root));
        prop_assert_eq!(one.problems.len(), two.problems.len());
    }

    #[test]
    fn three_files_are_joined_from_either_end(
        grandparent in some_keys(),
        parent in some_keys(),
        child in some_keys(),
    ) {
        let (grandparent, parent, child) = (grandparent.concat(), parent.concat(), child.concat());
        let middle = format!("extends = \"g\"\n{parent}");
        let last = format!("extends = \"p\"\n{child}");
        let whole = join(&last, &[("p", &middle), ("g", &grandparent)]).unwrap().document;
        let later = join(&last, &[("p", &parent)]).unwrap().document;
        let later = format!("extends = \"g\"\n{}", print::whole(&later));
        let later = join(&later, &[("g", &grandparent)]).unwrap().document;
        prop_assert!(are_same(&whole.root, &later.root));
    }

    #[test]
    fn what_is_printed_is_read_as_it_was(value in any_value()) {
        let root = Entries::from([("x".to_owned(), Entry { key_at: 0..0, value })]);
        let empty = Document::parse("x.toml", &"\n".repeat(LINES)).unwrap();
        let document = Document { root, ..empty };
        for text in [print::whole(&document), print::with_places(&document)] {
            let read = Document::parse("y.toml", &text).unwrap();
            prop_assert!(are_same(&read.root, &document.root), "{text}");
        }
    }
}
