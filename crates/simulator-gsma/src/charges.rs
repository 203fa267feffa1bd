//! The provider's charges for operations (`gsma-mobile-money-api.md` §10.12), as [`super::conduct`]
//! has them.

use kiungo_domain::{Currency, Money};
use kiungo_simulator::books::Movement;
use kiungo_simulator::ledger::{FLOAT, Hindrance};
use serde_json::{Map, Value, json};

use super::Simulator;
use super::conduct::{Charge, PaidBy};
use super::state::State;

/// The party that gets the charges, in the books.
const CHARGES: &str = "charges";

impl Simulator {
    /// The charge for an operation.
    pub(super) fn charge(&self, operation: &str) -> Option<Charge> {
        let charge = self.options().conduct.charges.get(operation).copied();
        charge.filter(|charge| charge.minor > 0)
    }
}

impl Charge {
    /// Checks that a customer who pays `amount` can pay the charge, too.
    pub(super) fn fits(
        self,
        state: &mut State,
        customer: &str,
        amount: Money,
    ) -> Result<(), Hindrance> {
        if self.paid_by == PaidBy::Organisation {
            return Ok(());
        }
        let has = state.balance(customer, amount.currency()).ok_or(Hindrance::UnknownParty)?;
        let needs = amount.minor().checked_add(self.minor).ok_or(Hindrance::Overflow)?;
        if has < needs { Err(Hindrance::Insufficient) } else { Ok(()) }
    }

    /// Takes the charge for what was executed as `receipt`, as far as the payer has it, and states
    /// it. The charge's own line in the books names that receipt as its label.
    pub(super) fn take(
        self,
        state: &mut State,
        customer: &str,
        currency: Currency,
        receipt: &str,
        echo: &mut Map<String, Value>,
    ) {
        let Some(amount) = Money::from_minor(self.minor, currency) else { return };
        let payer = match self.paid_by {
            PaidBy::Customer => customer,
            PaidBy::Organisation => FLOAT,
        };
        if state.ledger.balance(CHARGES).is_none() {
            state.ledger.open(CHARGES, 0);
        }
        let party = if payer == FLOAT { CHARGES } else { payer };
        let movement = Movement {
            receipt: state.new_reference(),
            reference: String::new(),
            operation: "fee".to_owned(),
            party: state.purse_name(party, currency),
            amount_minor: amount.minor(),
            currency: currency.code().to_owned(),
            label: receipt.to_owned(),
            unasked: true,
            ..Movement::default()
        };
        if state.transfer(payer, CHARGES, amount, movement).is_ok() {
            let fee = json!([{
                "feeType": self.paid_by.word(),
                "feeAmount": amount.to_short_decimal(),
                "feeCurrency": currency.code(),
            }]);
            echo.insert("fees".to_owned(), fee);
        }
    }
}
