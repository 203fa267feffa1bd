//! `kiungo transfer suggestions`.

use serde_json::Value;

use crate::commands::Failure;
use crate::commands::client::Client;
use crate::commands::client::text;
use crate::commands::output::{Output, note};

pub(super) async fn run(client: &Client, id: &str, output: Output) -> Result<(), Failure> {
    let found = client.get(&["v1", "suspense", id, "suggestions"], &[]).await?;
    let headings = ["type", "id", "account no.", "holder", "currency", "what speaks for it"];
    output.table(&headings, rows(&found), &found);
    if found.get("complete") == Some(&Value::Bool(false)) && !output.is_json() {
        note("the core did not answer everything: an account may be missing");
    }
    Ok(())
}

fn rows(found: &Value) -> Vec<Vec<String>> {
    let suggestions = found.get("suggestions").and_then(Value::as_array).into_iter().flatten();
    let row = |suggestion: &Value| {
        let account = suggestion.get("account").unwrap_or(&Value::Null);
        let reasons = suggestion.get("reasons").and_then(Value::as_array).into_iter().flatten();
        let reasons: Vec<&str> = reasons.filter_map(Value::as_str).collect();
        let mut row = ["type", "id", "account_no"].map(|key| text(account, key)).to_vec();
        row.extend(["holder", "currency"].map(|key| text(suggestion, key)));
        row.push(reasons.join(", "));
        row
    };
    suggestions.map(row).collect()
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
            ["savings", "42", "000000042", "Asha Juma", "TZS", "payer, similar"],
            ["loan", "7", "", "", "TZS", "split"],
        ];
        assert_eq!(rows(&found), expected);
    }
}
