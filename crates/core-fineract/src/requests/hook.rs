//! Reads the hint of a webhook (`fineract.md` §14). It is not signed, so nothing of it is believed
//! but that it may be worth reading something.

use std::borrow::Cow;

use kiungo_core_banking::{Hint, RawHook};
use serde_json::Value;

use super::{RequestOptions, Subject};

pub(super) fn hint(tenant: &str, options: &RequestOptions, hook: &RawHook) -> Hint {
    let of_another = hook.header("fineract-platform-tenantid").is_some_and(|named| named != tenant);
    if of_another {
        return Hint::Nothing;
    }
    // Sent as a form, the body is not told apart further: the list tells.
    let body: Option<Value> = serde_json::from_slice(&hook.body).ok();
    let named = |header: &str, member: &str| {
        let in_body =
            || body.as_ref()?.get(member)?.as_str().map(|text| Cow::from(text.to_owned()));
        hook.header(header).map(Cow::from).or_else(in_body).unwrap_or_default()
    };
    let entity = named("x-fineract-entity", "entityName");
    let action = named("x-fineract-action", "actionName");
    // A command that failed, or waits for a second person, is told without these.
    let done = body.as_ref().map(|body| body.pointer("/response/resourceId").and_then(whole));
    if entity.eq_ignore_ascii_case("LOAN") && action.eq_ignore_ascii_case("APPROVE") {
        if !options.disbursements {
            return Hint::Nothing;
        }
        return match done {
            Some(Some(loan)) => Subject::Loan(loan).id().map_or(Hint::Nothing, Hint::Request),
            Some(None) => Hint::Nothing,
            None => Hint::Somewhere,
        };
    }
    row_of(options, &entity, body.as_ref())
}

/// The hint of a row of a data table: the answer to its making names the record, and the row where
/// a record has many. Where it does not, the list tells.
fn row_of(options: &RequestOptions, entity: &str, body: Option<&Value>) -> Hint {
    let is = |name: &str| entity.eq_ignore_ascii_case(name);
    let number = |name: &str| body?.pointer(&format!("/response/{name}")).and_then(whole);
    let subject = if options.withdrawals.as_ref().is_some_and(|table| is(&table.name)) {
        let names = number("savingsId").zip(number("resourceId"));
        names.map(|(account, row)| Subject::Withdrawal { account, row })
    } else if let Some(table) = options.tables.iter().find(|table| is(&table.name)) {
        let loan = (!table.of_client && options.disbursements).then(|| number("loanId")).flatten();
        loan.map(Subject::Loan)
    } else {
        return Hint::Nothing;
    };
    subject.and_then(|subject| subject.id().ok()).map_or(Hint::Somewhere, Hint::Request)
}

/// A whole number, which may come as `3.0`.
fn whole(value: &Value) -> Option<u64> {
    let text = value.as_number()?.to_string();
    text.strip_suffix(".0").unwrap_or(&text).parse().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use kiungo_core_banking::RequestId;

    use super::super::{DataTable, WithdrawalTable};
    use super::*;

    fn options() -> RequestOptions {
        let table = |name: &str| DataTable { of_client: false, name: name.to_owned() };
        let withdrawals = WithdrawalTable {
            name: "mm_withdrawal".to_owned(),
            amount: "amount".to_owned(),
            state: "state".to_owned(),
            open: "requested".to_owned(),
        };
        RequestOptions {
            disbursements: true,
            withdrawals: Some(withdrawals),
            tables: BTreeSet::from([table("mobile_money")]),
            columns: BTreeSet::new(),
        }
    }

    fn hinted(headers: &[(&str, &str)], body: &str) -> Hint {
        let header = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let headers = headers.iter().map(header).collect();
        hint("default", &options(), &RawHook { headers, body: body.as_bytes().to_vec() })
    }

    const APPROVED: [(&str, &str); 2] =
        [("x-fineract-entity", "LOAN"), ("x-fineract-action", "APPROVE")];

    #[test]
    fn an_approval_names_its_loan() {
        let loan = |id: u64| Hint::Request(RequestId::new(&format!("loan-{id}")).unwrap());
        for body in
            [r#"{"response":{"resourceId":7,"loanId":7}}"#, r#"{"response":{"resourceId":7.0}}"#]
        {
            assert_eq!(hinted(&APPROVED, body), loan(7), "{body}");
        }
        let body = r#"{"entityName":"LOAN","actionName":"APPROVE","response":{"resourceId":8}}"#;
        assert_eq!(hinted(&[], body), loan(8));
        assert_eq!(hinted(&APPROVED, "entityName=LOAN&actionName=APPROVE"), Hint::Somewhere);
    }

    #[test]
    fn a_failed_or_foreign_hook_hints_at_nothing() {
        for body in [
            r#"{"request":{}}"#,
            r#"{"response":{}}"#,
            r#"{"response":{"resourceId":"7"}}"#,
            r#"{"response":{"resourceId":7.5}}"#,
            r#"{"response":{"resourceId":-7}}"#,
            "[]",
            "7",
        ] {
            assert_eq!(hinted(&APPROVED, body), Hint::Nothing, "{body}");
        }
        let body = r#"{"response":{"resourceId":7}}"#;
        let mut elsewhere = APPROVED.to_vec();
        elsewhere.push(("fineract-platform-tenantid", "other"));
        assert_eq!(hinted(&elsewhere, body), Hint::Nothing);
        let repaid = [("x-fineract-entity", "LOAN"), ("x-fineract-action", "REPAYMENT")];
        assert_eq!(hinted(&repaid, body), Hint::Nothing);
        assert_eq!(hinted(&[], ""), Hint::Nothing);
    }

    #[test]
    fn a_row_of_a_table_that_matters_hints_at_the_list() {
        for table in ["mm_withdrawal", "MOBILE_MONEY"] {
            let headers = [("x-fineract-entity", table), ("x-fineract-action", "CREATE")];
            assert_eq!(hinted(&headers, "{}"), Hint::Somewhere);
        }
    }

    /// As a real server tells of them.
    #[test]
    fn a_row_that_is_named_is_looked_at_itself() {
        let told = |table: &str, response: &str| {
            let headers = [("x-fineract-entity", table), ("x-fineract-action", "CREATE")];
            hinted(
                &headers,
                &format!(r#"{{"createdByName":"t","request":{{}},"response":{response}}}"#),
            )
        };
        let request = |name: &str| Hint::Request(RequestId::new(name).unwrap());
        let row = r#"{"clientId":4,"savingsId":57,"resourceId":3}"#;
        assert_eq!(told("mm_withdrawal", row), request("withdrawal-57-3"));
        let fields = r#"{"clientId":4,"loanId":142,"resourceId":142}"#;
        assert_eq!(told("mobile_money", fields), request("loan-142"));
        assert_eq!(told("mobile_money", r#"{"clientId":4,"resourceId":4}"#), Hint::Somewhere);
        assert_eq!(told("other", row), Hint::Nothing);
    }
}
