//! As much of JSON Schema as our schemas use. An unknown keyword is an error, so that none is skipped
//! in silence.

use serde_json::Value;

/// Returns the faults of a value, with their places. References are looked up in `root`.
pub fn faults(root: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (keyword, rule) in schema.as_object().expect("a schema is an object") {
        found.extend(faults_of(root, schema, keyword, rule, value, place));
    }
    found
}

fn faults_of(
    root: &Value,
    schema: &Value,
    keyword: &str,
    rule: &Value,
    value: &Value,
    place: &str,
) -> Vec<String> {
    let fault = |fits: bool| {
        if fits { Vec::new() } else { vec![format!("{place}: {keyword} {rule}, not {value}")] }
    };
    match keyword {
        "$schema" | "$defs" | "title" | "description" | "examples" | "format" => Vec::new(),
        "$ref" => {
            let pointer = rule.as_str().unwrap().trim_start_matches('#');
            faults(root, root.pointer(pointer).expect(pointer), value, place)
        }
        "type" => fault(match rule {
            Value::String(name) => is(value, name),
            rule => rule.as_array().unwrap().iter().any(|name| is(value, name.as_str().unwrap())),
        }),
        "const" => fault(value == rule),
        "enum" => fault(rule.as_array().unwrap().contains(value)),
        "minimum" => fault(value.as_i64().is_none_or(|n| n >= rule.as_i64().unwrap())),
        "minLength" => fault(length(value).is_none_or(|n| n >= rule.as_u64().unwrap())),
        "maxLength" => fault(length(value).is_none_or(|n| n <= rule.as_u64().unwrap())),
        "pattern" => {
            let pattern = rule.as_str().unwrap();
            fault(value.as_str().is_none_or(|text| fits_pattern(pattern, text)))
        }
        "propertyNames" => {
            assert_eq!(rule["pattern"], "^([a-z0-9]+|data_base64)$");
            let lower =
                |name: &String| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            fault(value.as_object().is_none_or(|members| members.keys().all(lower)))
        }
        "required" => {
            let names = rule.as_array().unwrap();
            fault(names.iter().all(|name| value.get(name.as_str().unwrap()).is_some()))
        }
        "properties" => {
            let rules = rule.as_object().unwrap().iter();
            let given = rules.filter_map(|(name, rule)| Some((name, rule, value.get(name)?)));
            given
                .flat_map(|(name, rule, v)| faults(root, rule, v, &format!("{place}/{name}")))
                .collect()
        }
        "additionalProperties" => {
            let known = schema["properties"].as_object().unwrap();
            let Some(members) = value.as_object() else { return Vec::new() };
            let others = members.iter().filter(|(name, _)| !known.contains_key(*name));
            match rule {
                Value::Bool(allowed) => fault(*allowed || others.count() == 0),
                rule => others
                    .flat_map(|(n, v)| faults(root, rule, v, &format!("{place}/{n}")))
                    .collect(),
            }
        }
        "items" => {
            let items = value.as_array().into_iter().flatten();
            items.flat_map(|item| faults(root, rule, item, &format!("{place}/-"))).collect()
        }
        "oneOf" => {
            let fitting = |rule: &&Value| faults(root, rule, value, place).is_empty();
            fault(rule.as_array().unwrap().iter().filter(fitting).count() == 1)
        }
        keyword => panic!("{place}: the keyword {keyword} is not known here"),
    }
}

fn fits_pattern(pattern: &str, text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match pattern {
        "^[0-9]{10}$" => text.len() == 10 && digits(text),
        "^[a-z0-9-]{1,32}$" => {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            (1..=32).contains(&text.len()) && text.bytes().all(plain)
        }
        "^[A-Z]{3}$" => text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()),
        r"^[0-9]+(\.[0-9]+)?$" => {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
            digits(whole) && digits(fraction)
        }
        "^[^0-9]*([0-9][^0-9]*){6,17}$" => {
            (6..=17).contains(&text.bytes().filter(u8::is_ascii_digit).count())
        }
        "^[0-9A-Fa-f-]{32,36}$" => {
            let plain = |b: u8| b.is_ascii_hexdigit() || b == b'-';
            (32..=36).contains(&text.len()) && text.bytes().all(plain)
        }
        pattern => panic!("the pattern {pattern} is not known here"),
    }
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        name => panic!("the type {name} is not known here"),
    }
}

fn length(value: &Value) -> Option<u64> {
    value.as_str().map(|text| u64::try_from(text.chars().count()).unwrap())
}
