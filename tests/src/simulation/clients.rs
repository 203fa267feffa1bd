//! The clients of the institution, and their accounts in the core.

use std::sync::{Mutex, PoisonError};

use kiungo_domain::{Currency, Money, Msisdn};
use kiungo_simulator_fineract::{ClientSpec, LoanSpec, LoanStatus, SavingsSpec};

use super::Failure;
use super::counterparties::Counterparties;
use super::workload::Workload;

/// A client of the institution.
pub(super) struct Client {
    pub(super) msisdn: Msisdn,
    pub(super) savings: u64,
    pub(super) loan: u64,
    /// Approved loans, one for each disbursement, by the amount they were approved for.
    approved: Mutex<Vec<(u64, u64)>>,
}

impl Client {
    /// Opens an account of each kind, and a loan for each disbursement of the workload.
    pub(super) fn open(
        counterparties: &Counterparties,
        workload: &Workload,
        index: usize,
    ) -> Result<Self, Failure> {
        let digits = format!("2557000{index:05}");
        let approved: Vec<u64> = workload.disbursements(index).map(|act| act.shillings).collect();
        let mut loans = vec![LoanSpec::new(LoanStatus::Active, "TZS", 10_000_000_000)];
        loans.extend(approved.iter().map(|shillings| {
            let minor = i64::try_from(shillings * 100).unwrap_or(i64::MAX);
            LoanSpec::new(LoanStatus::Approved, "TZS", minor)
        }));
        let ids = counterparties.core.open_client(ClientSpec {
            name: format!("Client {index}"),
            mobile_no: digits.clone(),
            external_id: format!("C-{index}"),
            closed: false,
            // Little enough that some withdrawals find too little.
            savings: vec![SavingsSpec::active("TZS", 3_000_000)],
            loans,
        })?;
        let savings = *ids.savings.first().ok_or("the client has no savings account")?;
        let loan = *ids.loans.first().ok_or("the client has no loan")?;
        let approved = approved.into_iter().zip(ids.loans.iter().skip(1).copied()).collect();
        Ok(Self { msisdn: Msisdn::parse(&digits)?, savings, loan, approved: Mutex::new(approved) })
    }

    /// A loan that was approved for this much, once.
    pub(super) fn take_approved(&self, shillings: u64) -> Option<u64> {
        let mut approved = self.approved.lock().unwrap_or_else(PoisonError::into_inner);
        let index = approved.iter().position(|(amount, _)| *amount == shillings)?;
        Some(approved.swap_remove(index).1)
    }
}

/// So many shillings.
pub(super) fn money(shillings: u64) -> Option<Money> {
    let currency = Currency::from_code("TZS").ok()?;
    Money::from_minor(i64::try_from(shillings.checked_mul(100)?).ok()?, currency)
}
