//! `kiungo suspense suggestions`.

use serde_json::Value;

use crate::commands::answer::{members, text};
use crate::commands::client::Client;
use crate::failure::Failure;
use crate::terminal::output::{Output, note};

pub(crate) async fn suggest(client: &Client, id: &str, output: Output) -> Result<(), Failure> {
    let found = client.get(&["v1", "suspense", id, "suggestions"], &[]).await?;
    let headings = ["type", "id", "account no.", "holder", "currency", "what speaks for it"];
    output.list((&headings, &["holder", "what speaks for it"]), rows(&found), &found);
    if found.get("complete") == Some(&Value::Bool(false)) && !output.is_json() {
        note("the core did not answer everything: an account may be missing");
    }
    Ok(())
}

fn rows(found: &Value) -> Vec<Vec<String>> {
    let row = |suggestion: &Value| {
        let account = suggestion.get("account").unwrap_or(&Value::Null);
        let reasons = members(suggestion, "reasons").filter_map(Value::as_str);
        let reasons: Vec<&str> = reasons.map(in_words).collect();
        let mut row = ["type", "id", "account_no"].map(|key| text(account, key)).to_vec();
        row.extend(["holder", "currency"].map(|key| text(suggestion, key)));
        row.push(reasons.join("; "));
        row
    };
    members(found, "suggestions").map(row).collect()
}

/// A reason for a suggestion, in words.
fn in_words(reason: &str) -> &str {
    match reason {
        "typed" => "the text names it",
        "payer" => "its owner has the payer's number",
        "joined" => "the digits read as one number",
        "split" => "a part of the digits",
        "typed_digits" => "a part of the text names it",
        "corrected" => "letters read as digits",
        "similar" => "one digit differs",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_account_stands_with_what_speaks_for_it() {
        let found = json!({"complete": true, "suggestions": [
            {"account": {"type": "savings", "id": 42, "account_no": "000000042"},
             "currency": "TZS", "holder": "Asha Juma", "reasons": ["payer", "similar"]},
            {"account": {"type": "loan", "id": 7}, "currency": "TZS", "reasons": ["split"]},
        ]});
        let expected = [
            [
                "savings",
                "42",
                "000000042",
                "Asha Juma",
                "TZS",
                "its owner has the payer's number; one digit differs",
            ],
            ["loan", "7", "", "", "TZS", "a part of the digits"],
        ];
        assert_eq!(rows(&found), expected);
    }
}
