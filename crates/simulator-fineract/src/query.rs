//! A request's query parameters.

use super::json::Json;
use super::refusal::{Problem, Refusal};

/// Query parameters in the order sent; the first of a name counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads the part of a URL behind the question mark.
    pub(crate) fn parse(text: &str) -> Self {
        Self { pairs: serde_urlencoded::from_str(text).unwrap_or_default() }
    }

    /// A parameter that is there and not blank.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(key, _)| key == name)?;
        (!found.1.trim().is_empty()).then_some(found.1.as_str())
    }

    /// True if a list parameter such as `associations` names this, or all.
    pub(crate) fn lists(&self, parameter: &str, name: &str) -> bool {
        let listed = self.get(parameter).unwrap_or("");
        listed.split(',').any(|item| item == name || item == "all")
    }

    /// A part of a list: `offset` rows skipped, at most `limit` (200) shown; not positive means all.
    pub(crate) fn slice<T>(&self, rows: Vec<T>) -> Vec<T> {
        let number = |name| self.get(name).and_then(|text: &str| text.parse::<i64>().ok());
        let limit = number("limit").unwrap_or(200);
        let limit =
            if limit <= 0 { usize::MAX } else { usize::try_from(limit).unwrap_or(usize::MAX) };
        let offset = usize::try_from(number("offset").unwrap_or(0)).unwrap_or(0);
        rows.into_iter().skip(offset).take(limit).collect()
    }

    /// Applies `fields`: of the names that the resource knows, those that were not asked for are
    /// removed at every depth (`fineract.md` §2.2).
    pub(crate) fn only_fields(&self, json: Json, known: &[&str]) -> Result<Json, Refusal> {
        let Some(fields) = self.get("fields") else { return Ok(json) };
        let asked: Vec<&str> = fields.split(',').map(str::trim).collect();
        let unknown = asked.iter().filter(|name| !known.contains(name));
        let problems: Vec<Problem> = unknown
            .map(|name| {
                let message = format!("The parameter {name} is not supported.");
                Problem::new("error.msg.parameter.unsupported", message).of(*name).arg(*name)
            })
            .collect();
        if !problems.is_empty() {
            return Err(Refusal::Invalid(problems));
        }
        Ok(json.without(&|name| known.contains(&name) && !asked.contains(&name)))
    }
}

/// The second paging shape: Fineract's own page (`fineract.md` §2.2).
pub(crate) fn page(total: usize, items: Vec<Json>) -> Json {
    Json::object().with("totalFilteredRecords", total).with("pageItems", items)
}
