//! The account that a command names.

use clap::Args;
use serde_json::{Value, json};

use super::client::with;

/// The name of an account, by exactly one of three.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
#[allow(clippy::struct_field_names, reason = "they are the names of the options")]
pub(crate) struct Account {
    /// The account by the core's numeric id
    #[arg(long, value_name = "ID")]
    account_id: Option<u64>,
    /// The account by the number printed for the customer
    #[arg(long, value_name = "NUMBER")]
    account_no: Option<String>,
    /// The account by an id given by another system
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
}

impl Account {
    /// The account as the API names it.
    pub(crate) fn body(&self, kind: &str) -> Value {
        let account = with(json!({ "type": kind }), "id", self.account_id);
        let account = with(account, "account_no", self.account_no.as_deref());
        with(account, "external_id", self.external_id.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        account: Account,
    }

    #[test]
    fn an_account_is_named_by_exactly_one_of_three() {
        let read = |named: &[&str]| Line::try_parse_from(["line"].iter().chain(named));
        let (id, number) = (["--account-id", "42"], ["--account-no", "0042"]);
        let other = ["--external-id", "s-42"];
        for (named, expected) in [
            (&id[..], json!({ "type": "savings", "id": 42 })),
            (&number, json!({ "type": "savings", "account_no": "0042" })),
            (&other, json!({ "type": "savings", "external_id": "s-42" })),
        ] {
            assert_eq!(read(named).unwrap().account.body("savings"), expected);
        }
        assert!(read(&[]).is_err());
        for two in [[id, number].concat(), [id, other].concat(), [number, other].concat()] {
            assert!(read(&two).is_err(), "{two:?}");
        }
    }
}
