//! The published schema of request bodies (`gsma-mobile-money-api.md` §10), field by field, down to
//! the smallest object. Properties that it does not know are nobody's business.

use serde_json::{Map, Value};

use super::error::{ApiError, Category};
use super::version::Version;
use super::{format, iso};
use kiungo_domain::Timestamp;

/// A property of an object.
struct Field {
    name: &'static str,
    kind: Kind,
    mandatory: bool,
    /// True if 1.2.0 brought it (§13).
    newer: bool,
}

/// The kind of value that is required.
enum Kind {
    /// A text with so many characters.
    Text(usize, usize),
    /// One of these words.
    Word(&'static [&'static str]),
    Amount,
    Currency,
    Country,
    Date,
    DateTime,
    Lei,
    GeoCode,
    Object(&'static [Field]),
    /// So many objects.
    List(usize, usize, &'static [Field]),
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, mandatory: false, newer: false }
}

impl Field {
    const fn mandatory(mut self) -> Self {
        self.mandatory = true;
        self
    }

    const fn newer(mut self) -> Self {
        self.newer = true;
        self
    }
}

/// The default bounds of a text.
const TEXT: Kind = Kind::Text(0, 256);
const INSTITUTION_TYPES: &[&str] = &["lei", "swiftbic", "organisationid"];

/// The fields that a transaction and a reversal have in common, beside amount, currency, parties
/// and type.
const COMMON: &[Field] = &[
    field("requestingOrganisationTransactionReference", TEXT),
    field("subType", TEXT),
    field("descriptionText", Kind::Text(0, 160)),
    field("fees", Kind::List(1, 20, FEE)),
    field("geoCode", Kind::GeoCode),
    field("requestingOrganisation", Kind::Object(ORGANISATION)).newer(),
    field("servicingIdentity", TEXT),
    field("requestDate", Kind::DateTime),
    field("customData", Kind::List(0, 20, PAIR)).newer(),
    field("metadata", Kind::List(0, 20, PAIR)),
    field("requestingLei", Kind::Lei),
    field("receivingLei", Kind::Lei),
];

/// The fields that a transaction has besides.
const TRANSACTION: &[Field] = &[
    field("originalTransactionReference", TEXT),
    field("internationalTransferInformation", Kind::Object(INTERNATIONAL)),
    field("oneTimeCode", TEXT),
    field("recipientKyc", Kind::Object(KYC)),
    field("senderKyc", Kind::Object(KYC)),
];

const PAIR: &[Field] =
    &[field("key", Kind::Text(1, 256)).mandatory(), field("value", Kind::Text(1, 256)).mandatory()];

const FEE: &[Field] = &[
    field("feeType", Kind::Text(1, 256)).mandatory(),
    field("feeAmount", Kind::Amount).mandatory(),
    field("feeCurrency", Kind::Currency).mandatory(),
];

const ORGANISATION: &[Field] = &[
    field("requestingOrganisationIdentifierType", Kind::Word(INSTITUTION_TYPES)).mandatory(),
    field("requestingOrganisationIdentifier", Kind::Text(1, 256)).mandatory(),
];

const INTERNATIONAL: &[Field] = &[
    field("originCountry", Kind::Country).mandatory(),
    field("quotationReference", Kind::Text(1, 256)),
    field("quoteId", Kind::Text(1, 256)),
    field("receivingCountry", Kind::Country),
    field("remittancePurpose", TEXT),
    field("relationshipSender", TEXT),
    field("deliveryMethod", Kind::Word(&["directtoaccount", "agent", "personaldelivery"])),
    field("sendingServiceProviderCountry", Kind::Country).newer(),
];

const KYC: &[Field] = &[
    field("birthCountry", Kind::Country),
    field("nationality", Kind::Country),
    field("dateOfBirth", Kind::Date),
    field("contactPhone", TEXT),
    field("emailAddress", TEXT),
    field("employerName", TEXT),
    field("occupation", TEXT),
    field("gender", Kind::Word(&["m", "f", "u"])),
    field("idDocument", Kind::List(0, 10, DOCUMENT)),
    field("postalAddress", Kind::Object(ADDRESS)),
    field("subjectName", Kind::Object(NAME)),
];

const DOCUMENT: &[Field] = &[
    field("idType", Kind::Word(DOCUMENT_TYPES)).mandatory(),
    field("idNumber", TEXT),
    field("issuer", TEXT),
    field("issuerPlace", TEXT),
    field("issueDate", Kind::Date),
    field("expiryDate", Kind::Date),
    field("issuerCountry", Kind::Country),
    field("otherIddescription", TEXT),
];

const DOCUMENT_TYPES: &[&str] = &[
    "passport",
    "nationalregistration",
    "otherId",
    "drivinglicence",
    "socialsecurity",
    "alienregistration",
    "nationalidcard",
    "employer",
    "taxid",
    "seniorcitizenscard",
    "marriagecertificate",
    "birthcertificate",
    "healthcard",
    "votersid",
    "villageelderLetter",
    "pancard",
    "officialletter",
];

const ADDRESS: &[Field] = &[
    field("addressLine1", TEXT),
    field("addressLine2", TEXT),
    field("addressLine3", TEXT),
    field("city", TEXT),
    field("stateProvince", TEXT),
    field("postalCode", TEXT),
    field("country", Kind::Country).mandatory(),
];

const NAME: &[Field] = &[
    field("title", TEXT),
    field("firstName", TEXT),
    field("middleName", TEXT),
    field("lastName", TEXT),
    field("fullName", TEXT),
    field("nativeName", TEXT),
];

/// The violations that were found so far; all fields are reported at once. A field inside another
/// is named by its path, as in `senderKyc/idDocument/0/idType`.
#[derive(Default)]
pub(super) struct Violations {
    found: Vec<(&'static str, String, String)>,
}

impl Violations {
    pub(super) fn add(&mut self, code: &'static str, field: &str, violated: &str) {
        self.found.push((code, field.to_owned(), violated.to_owned()));
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn into_result(self, now: Timestamp) -> Result<(), ApiError> {
        let Some((code, _, _)) = self.found.first() else { return Ok(()) };
        let mut error = ApiError::new(Category::Validation, code, "Invalid JSON Field", now);
        for (_, field, violated) in &self.found {
            error = error.field(field, violated);
        }
        Err(error)
    }
}

/// The schema of a version, with or without insistence on its enumerations and gaps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schema {
    pub(super) version: Version,
    pub(super) strict: bool,
}

impl Schema {
    /// The optional properties of a transaction, checked.
    pub(super) fn transaction(
        self,
        body: &Map<String, Value>,
        violations: &mut Violations,
    ) -> Map<String, Value> {
        let mut known = self.reversal(body, violations);
        known.extend(self.properties(TRANSACTION, body, "", violations));
        known
    }

    /// The optional properties of a reversal, checked.
    pub(super) fn reversal(
        self,
        body: &Map<String, Value>,
        violations: &mut Violations,
    ) -> Map<String, Value> {
        self.properties(COMMON, body, "", violations)
    }

    /// The properties of an object that the version knows, checked.
    fn properties(
        self,
        fields: &'static [Field],
        object: &Map<String, Value>,
        path: &str,
        violations: &mut Violations,
    ) -> Map<String, Value> {
        let mut known = Map::new();
        for field in fields {
            let place = format!("{path}{}", field.name);
            let Some(value) = object.get(field.name) else {
                if field.mandatory {
                    violations.add("mandatoryValueNotSupplied", &place, "mandatory");
                }
                continue;
            };
            if field.newer && self.version == Version::V1_1 {
                if self.strict {
                    violations.add("formatError", &place, "not a property in this version");
                }
                continue;
            }
            self.value(&field.kind, value, &place, violations);
            known.insert(field.name.to_owned(), self.kept(&field.kind, value));
        }
        known
    }

    /// The value as it is kept: of a date with a time, as published clients send it, the date.
    fn kept(self, kind: &Kind, value: &Value) -> Value {
        match (kind, value) {
            (Kind::Object(fields), Value::Object(object)) => {
                let kept = object.iter().map(|(name, value)| {
                    let field = fields.iter().find(|field| field.name == name);
                    let value = field.map_or_else(|| value.clone(), |f| self.kept(&f.kind, value));
                    (name.clone(), value)
                });
                Value::Object(kept.collect())
            }
            (Kind::List(_, _, fields), Value::Array(items)) => {
                items.iter().map(|item| self.kept(&Kind::Object(fields), item)).collect()
            }
            (Kind::Date, Value::String(text)) => match text.split_once('T') {
                Some((date, _)) if !self.strict => date.into(),
                _ => value.clone(),
            },
            _ => value.clone(),
        }
    }

    fn value(self, kind: &Kind, value: &Value, place: &str, violations: &mut Violations) {
        match (kind, value) {
            (Kind::Object(fields), Value::Object(object)) => {
                self.properties(fields, object, &format!("{place}/"), violations);
            }
            (Kind::List(min, max, fields), Value::Array(items)) => {
                if !(*min..=*max).contains(&items.len()) {
                    violations.add("lengthError", place, &format!("{min} to {max} items"));
                }
                for (index, item) in items.iter().enumerate() {
                    self.value(
                        &Kind::Object(fields),
                        item,
                        &format!("{place}/{index}"),
                        violations,
                    );
                }
            }
            (Kind::Object(_), _) => violations.add("formatError", place, "object"),
            (Kind::List(..), _) => violations.add("formatError", place, "array"),
            (_, Value::String(text)) => self.text(kind, text, place, violations),
            _ => violations.add("formatError", place, "string"),
        }
    }

    fn text(self, kind: &Kind, text: &str, place: &str, violations: &mut Violations) {
        let (min, max) = if let Kind::Text(min, max) = kind { (*min, *max) } else { (0, 256) };
        if !(min..=max).contains(&text.chars().count()) {
            violations.add("lengthError", place, &format!("{min} to {max} characters"));
            return;
        }
        let (fits, violated) = match kind {
            Kind::Amount => {
                (format::is_amount(text, self.version), format::amount_pattern(self.version))
            }
            Kind::Currency => (!self.strict || iso::is_currency(text), "ISO 4217"),
            Kind::Country => (!self.strict || iso::is_country(text), "ISO 3166-1 alpha-2"),
            Kind::Word(words) => (!self.strict || words.contains(&text), "a listed word"),
            Kind::Date => (self.is_date(text), "date"),
            Kind::DateTime => (format::read_date_time(text).is_some(), "date-time"),
            Kind::Lei => (is_lei(text), "^[A-Z0-9]{4}00[A-Z0-9]{12}\\d{2}$"),
            Kind::GeoCode => (is_geo_code(text), "latitude,longitude"),
            Kind::Text(..) | Kind::Object(_) | Kind::List(..) => (true, ""),
        };
        if !fits {
            violations.add("formatError", place, violated);
        }
    }
}

impl Schema {
    /// True if a text is a date; unless strict, also a date-time (§7.2).
    fn is_date(self, text: &str) -> bool {
        let timed = text.contains(['T', 't', ' ']);
        if timed {
            !self.strict && format::read_date_time(text).is_some()
        } else {
            text.parse::<jiff::civil::Date>().is_ok()
        }
    }
}

/// The type of an institution's identifier (§2.1).
pub(super) fn is_institution_type(word: &str) -> bool {
    INSTITUTION_TYPES.contains(&word)
}

fn is_lei(text: &str) -> bool {
    text.len() == 20
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 5 => byte == b'0',
            18 | 19 => byte.is_ascii_digit(),
            _ => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
        })
}

/// Latitude and longitude with at most six decimals, no blank and no plus (§7.2).
fn is_geo_code(text: &str) -> bool {
    let degrees = |text: &str, most: u32| {
        let bare = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = bare.split_once('.').map_or((bare, None), |(w, f)| (w, Some(f)));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let whole_fits = (1..=3).contains(&whole.len())
            && digits(whole)
            && (whole.len() == 1 || !whole.starts_with('0') || most == 180 && whole.len() == 2)
            && whole
                .parse::<u32>()
                .is_ok_and(|whole| whole < most || (whole == most && fraction.is_none()));
        let fraction_fits =
            fraction.is_none_or(|part| (1..=6).contains(&part.len()) && digits(part));
        whole_fits && fraction_fits
    };
    text.split_once(',')
        .is_some_and(|(latitude, longitude)| degrees(latitude, 90) && degrees(longitude, 180))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_on_earth_are_told_from_others() {
        for text in ["-6.8,39.28", "0,0", "90,180", "-90,-180", "89.123456,179.5", "5,05"] {
            assert!(is_geo_code(text), "{text}");
        }
        for text in [
            "",
            "5",
            "91,0",
            "90.1,0",
            "0,181",
            "0,180.5",
            "1.1234567,1",
            "1, 1",
            "+1,1",
            "05,1",
            "1,1,1",
            "1.,1",
            "a,b",
        ] {
            assert!(!is_geo_code(text), "{text}");
        }
    }

    #[test]
    fn legal_entity_identifiers_have_two_zeros_in_the_middle() {
        assert!(is_lei("AAAA0012221222122212"));
        for text in ["", "AAAA1012221222122212", "AAAA00122212221222AA", "aaaa0012221222122212"] {
            assert!(!is_lei(text), "{text}");
        }
    }
}
