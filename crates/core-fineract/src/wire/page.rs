//! The three paging shapes, and a bare list (`fineract.md` §2.2).

use serde::{Deserialize, Deserializer};

/// One page of a list.
#[derive(Debug, Clone)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// The number of rows on all pages, if the core states it.
    pub(crate) total: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Members<T> {
    page_items: Option<Vec<T>>,
    total_filtered_records: Option<u64>,
    content: Option<Vec<T>>,
    total_elements: Option<u64>,
    total: Option<u64>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let members = Members::<T>::deserialize(deserializer)?;
        let items = members
            .page_items
            .or(members.content)
            .ok_or_else(|| serde::de::Error::custom("a page without items"))?;
        let total = members.total_filtered_records.or(members.total_elements).or(members.total);
        Ok(Self { items, total })
    }
}

impl<T: serde::de::DeserializeOwned> Page<T> {
    /// Reads a page of any shape, or a list that is not paged at all.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, serde_json::Error> {
        let text = kiungo_transport::content::text(body);
        if text.trim_start().starts_with('[') {
            serde_json::from_str::<Vec<T>>(&text).map(|items| {
                let total = u64::try_from(items.len()).ok();
                Self { items, total }
            })
        } else {
            serde_json::from_str(&text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_shapes_are_one_page() {
        for text in [
            r#"{"totalFilteredRecords":1,"pageItems":[7]}"#,
            r#"{"content":[7],"totalElements":1,"totalPages":1,"number":0,"pageable":{}}"#,
            r#"{"total":1,"content":[7],"pageable":{"page":0}}"#,
            " [7]",
            "\u{feff}[7]",
        ] {
            let page = Page::<u64>::parse(text.as_bytes()).unwrap();
            assert_eq!((page.items, page.total), (vec![7], Some(1)), "{text}");
        }
        for text in ["{}", "null", "", "<html>", "{\"content\":7}"] {
            assert!(Page::<u64>::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
