//! The mapping files that are shipped with the program.

use kiungo_settings::inherit::{self, Inherited, NamedText};
use kiungo_settings::{Problems, print};

macro_rules! shipped {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../../../mappings/", $name, ".toml")))),*]
    };
}

const FILES: [(&str, &str); 9] = shipped! {
    "gsma-mobile-money" "gsma-sandbox" "gsma-sandbox-1-1-2"
    "mpesa-cd" "mpesa-gh" "mpesa-ls" "mpesa-mz" "mpesa-openapi" "mpesa-tz"
};

/// A shipped mapping as one text, with the values of the files that it extends and without comments.
///
/// # Errors
/// There is none of this id.
pub fn whole(id: &str) -> Result<String, Problems> {
    read(id).map(|read| print::whole(&read.document))
}

/// A shipped mapping and the files that it extends, as they are: the name of each, and its text.
///
/// # Errors
/// There is none of this id.
pub fn files(id: &str) -> Result<Vec<(&'static str, &'static str)>, Problems> {
    let read = read(id)?.document;
    let names = std::iter::once(read.file()).chain(read.parents().iter().map(String::as_str));
    Ok(names.filter_map(|name| FILES.into_iter().find(|(known, _)| *known == name)).collect())
}

fn read(id: &str) -> Result<Inherited, Problems> {
    let text = text_of(id).map_err(|why| Problems::one(id, why))?;
    inherit::read(id, &text, &|name| Ok(NamedText { name: name.to_owned(), text: text_of(name)? }))
}

fn text_of(name: &str) -> Result<String, String> {
    let found = FILES.into_iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| text.to_owned()).ok_or_else(|| format!("no mapping `{name}` is shipped"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_known_and_fits_its_parent() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../mappings");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let names = names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
        let known: BTreeSet<_> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(names.collect::<BTreeSet<_>>(), known);
        for (name, _) in FILES {
            assert_eq!(read(name).unwrap().problems, []);
        }
    }

    #[test]
    fn a_file_comes_with_the_files_that_it_extends() {
        let names = files("gsma-sandbox-1-1-2").unwrap().into_iter().map(|(name, _)| name);
        let expected = ["gsma-sandbox-1-1-2", "gsma-sandbox", "gsma-mobile-money"];
        assert_eq!(names.collect::<Vec<_>>(), expected);
        assert!(whole("mpesa-xx").unwrap_err().to_string().contains("no mapping `mpesa-xx`"));
    }
}
