//! Orders to test with.

use kiungo_core_banking::{Booking, CoreOrder, UndoOrder};
use kiungo_domain::transfer::StepName;
use kiungo_domain::{
    AccountKind, CoreAccount, Currency, Money, Msisdn, Receipt, Reference, Timestamp, TransferId,
};
use uuid::Uuid;

pub(crate) const TRANSFER: u128 = 0x0190_0000_0000_7000_8000_0000_0000_1200;

pub(crate) fn reference(step: StepName) -> Reference {
    Reference::new(TransferId::new(Uuid::from_u128(TRANSFER)), step, 0)
}

pub(crate) fn order(booking: Booking) -> CoreOrder {
    let (kind, id) = match booking {
        Booking::Deposit | Booking::Withdraw => (AccountKind::Savings, 34),
        Booking::Repay | Booking::Disburse => (AccountKind::Loan, 3),
    };
    let inbound = matches!(booking, Booking::Deposit | Booking::Repay);
    let at = Timestamp::from_micros(1_788_253_200_000_000);
    CoreOrder {
        reference: reference(if inbound { StepName::Second } else { StepName::First }),
        booking,
        account: CoreAccount { kind, id },
        amount: Money::parse("1000.00", Currency::from_code("TZS").unwrap()).unwrap(),
        msisdn: Some(Msisdn::parse("255700000001").unwrap()),
        receipt: inbound.then(|| Receipt::new("MM7Q2K9").unwrap()),
        payment_type: Some(3),
        value_at: at,
        at,
    }
}

pub(crate) fn undo(booking: Booking) -> UndoOrder {
    let original = order(booking);
    UndoOrder {
        reference: reference(StepName::UndoFirst),
        transaction: Receipt::new("567").unwrap(),
        at: original.at,
        original,
    }
}
