//! Checks that an account would take a booking now: the core's own rules, as far as they can be
//! read beforehand (`fineract.md` §9.1, §10.1).

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};
use kiungo_core_banking::{AccountCheck, AccountFacts, Booking, CheckAnswer, CoreOrder};
use kiungo_domain::outcome::{Reason, Rejection, Retry};
use kiungo_domain::{AccountKind, Currency, Money};

use crate::calendar::day;
use crate::client::{Client, ReadError};
use crate::config::HolderMatch;
use crate::lookup::{Account, Located, locate};
use crate::version::Profile;
use crate::wire::{self, Client as Owner, Loan, SavingsAccount};

/// Statuses and sub-statuses (`fineract.md` §9.1, §10.1).
const APPROVED: u64 = 200;
const ACTIVE: u64 = 300;
const LOAN_CLOSED: u64 = 600;
const LOAN_OVERPAID: u64 = 700;
const ESCHEAT: u64 = 300;
const BLOCK: u64 = 400;
const BLOCK_CREDIT: u64 = 500;
const BLOCK_DEBIT: u64 = 600;
/// Deposit types that take no ordinary postings: fixed and recurring.
const FIXED_TYPES: [u64; 2] = [200, 300];

/// The reason that a check failed or could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum No {
    Rejected(Rejection),
    Unclear(String),
}

/// Finds the account and checks it.
pub(crate) async fn check(client: &Client, profile: &Profile, check: &AccountCheck) -> CheckAnswer {
    match weigh(client, profile, check).await {
        Ok(facts) => CheckAnswer::Allowed(facts),
        Err(No::Rejected(rejection)) => CheckAnswer::Rejected(rejection),
        Err(No::Unclear(why)) => CheckAnswer::Unclear { why },
    }
}

async fn weigh(
    client: &Client,
    profile: &Profile,
    check: &AccountCheck,
) -> Result<AccountFacts, No> {
    let kinds = kinds(check)?;
    let account = match locate(client, profile, &check.account, &kinds).await {
        Located::One(account) => account,
        Located::None => {
            return Err(refused(
                "account_not_found",
                Reason::AccountNotFound,
                "there is no such account",
            ));
        }
        Located::Several => {
            // Several accounts fit this reference: no other reference is tried.
            return Err(refused(
                "account_ambiguous",
                Reason::Other,
                "several accounts fit, and one must not be guessed",
            ));
        }
        Located::Unclear(why) => return Err(No::Unclear(why)),
    };
    let settings = &client.settings;
    match &account {
        Account::Savings(account) => {
            let booking = check.booking.unwrap_or(Booking::Deposit);
            savings(account, booking, check.amount, day(check.at, &settings.zone))?;
        }
        Account::Loan(account) => {
            let booking = check.booking.unwrap_or(Booking::Repay);
            loan(account, booking, check.amount, settings.options.accept_overpayment)?;
        }
    }
    owner(client, check, &account).await?;
    facts(&account)
}

/// The kinds of account that may be meant.
fn kinds(check: &AccountCheck) -> Result<Vec<AccountKind>, No> {
    let by_booking = check.booking.map(|booking| match booking {
        Booking::Deposit | Booking::Withdraw => AccountKind::Savings,
        Booking::Repay | Booking::Disburse => AccountKind::Loan,
    });
    match (check.account.kind, by_booking) {
        (Some(named), Some(needed)) if named != needed => Err(refused(
            "account_kind",
            Reason::AccountState,
            "this booking is for the other kind of account",
        )),
        (Some(kind), _) | (None, Some(kind)) => Ok(vec![kind]),
        (None, None) => Ok(vec![AccountKind::Savings, AccountKind::Loan]),
    }
}

/// A savings account's own rules.
pub(crate) fn savings(
    account: &SavingsAccount,
    booking: Booking,
    amount: Money,
    today: Date,
) -> Result<(), No> {
    money(&account.currency, amount)?;
    if account.deposit_type.is_some_and(|deposit| FIXED_TYPES.contains(&deposit.id)) {
        return Err(state("a fixed or recurring deposit takes no such posting"));
    }
    if account.status.id != ACTIVE {
        return Err(state(&format!("the account's status is {}, not active", account.status.id)));
    }
    let sub_status = account.sub_status.map_or(0, |status| status.id);
    let blocked_by = match booking {
        Booking::Withdraw => BLOCK_DEBIT,
        Booking::Deposit | Booking::Repay | Booking::Disburse => BLOCK_CREDIT,
    };
    if [ESCHEAT, BLOCK, blocked_by].contains(&sub_status) {
        return Err(state(&format!("the account is blocked (sub-status {sub_status})")));
    }
    if booking != Booking::Withdraw {
        return Ok(());
    }
    if locked_in_until(account).is_some_and(|end| today < end) {
        return Err(state("the account is in its lock-in period"));
    }
    let available = available(account, amount.currency())
        .ok_or_else(|| No::Unclear("the account's balance cannot be read".to_owned()))?;
    if i128::from(amount.minor()) > available {
        let message = "the account has too little money available";
        return Err(refused("insufficient_balance", Reason::InsufficientFunds, message));
    }
    Ok(())
}

/// The reason that the core would refuse to reverse a booking on this account (`fineract.md` §9.3);
/// `None` if the account shows no such reason.
pub(crate) fn undo_refusal(account: &SavingsAccount, original: &CoreOrder) -> Option<Rejection> {
    let refusal = |no: No| match no {
        No::Rejected(rejection) => Some(rejection),
        No::Unclear(_) => None,
    };
    if account.status.id != ACTIVE {
        return refusal(state(&format!(
            "the account's status is {}, not active",
            account.status.id
        )));
    }
    let amount = original.amount;
    let spent = original.booking == Booking::Deposit
        && available(account, amount.currency())
            .is_some_and(|available| i128::from(amount.minor()) > available);
    if spent {
        let message = "the deposit has been spent: the account has too little money available";
        return refusal(refused("insufficient_balance", Reason::InsufficientFunds, message));
    }
    None
}

/// The amount that a withdrawal may take, in minor units: the available balance, less the minimum
/// where it is enforced, plus the overdraft where it is allowed (`fineract.md` §9.1).
fn available(account: &SavingsAccount, currency: Currency) -> Option<i128> {
    let minor = |value: Option<wire::Decimal>| match value {
        Some(value) => value.minor_floor(currency),
        // Omitted while zero.
        None => Some(0),
    };
    let summary = account.summary.as_ref()?;
    let mut available = match (summary.available_balance, summary.account_balance) {
        (Some(available), _) => available.minor_floor(currency)?,
        (None, Some(balance)) => balance
            .minor_floor(currency)?
            .checked_sub(minor(account.on_hold_funds)?)?
            .checked_sub(minor(account.savings_amount_on_hold)?)?,
        (None, None) => return None,
    };
    if account.enforce_min_required_balance {
        available = available.checked_sub(minor(account.min_required_balance)?)?;
    }
    if account.allow_overdraft {
        available = available.checked_add(minor(account.overdraft_limit)?)?;
    }
    Some(available)
}

/// The end of the lock-in period. The core states only its beginning and length.
fn locked_in_until(account: &SavingsAccount) -> Option<Date> {
    let start = account.timeline.as_ref()?.activated_on_date?.0;
    let count = account.lockin_period_frequency.filter(|count| (1..=1000).contains(count))?;
    let span: Span = match account.lockin_period_frequency_type?.id {
        0 => count.days(),
        1 => count.weeks(),
        2 => count.months(),
        3 => count.years(),
        _ => return None,
    };
    Some(start.saturating_add(span))
}

/// A loan's own rules.
pub(crate) fn loan(
    loan: &Loan,
    booking: Booking,
    amount: Money,
    accept_overpayment: bool,
) -> Result<(), No> {
    money(&loan.currency, amount)?;
    let status = loan.status.id;
    if booking == Booking::Disburse {
        if status != APPROVED {
            return Err(state(&format!("the loan's status is {status}, not approved")));
        }
        return approved(loan, amount);
    }
    match status {
        ACTIVE => Ok(()),
        LOAN_CLOSED | LOAN_OVERPAID if accept_overpayment => Ok(()),
        LOAN_CLOSED | LOAN_OVERPAID => Err(state("the loan owes nothing any more")),
        _ => Err(state(&format!("the loan's status is {status}, not active"))),
    }
}

fn approved(loan: &Loan, amount: Money) -> Result<(), No> {
    let approved = loan
        .approved_principal
        .or(loan.principal)
        .and_then(|value| value.minor_floor(amount.currency()))
        .ok_or_else(|| No::Unclear("the loan's approved amount cannot be read".to_owned()))?;
    if i128::from(amount.minor()) > approved {
        let message = "the amount is more than was approved";
        return Err(refused("above_approved_amount", Reason::AmountNotAllowed, message));
    }
    Ok(())
}

/// Refuses an amount that does not fit the core's currency: the core would round it silently
/// (`fineract.md` §18).
fn money(currency: &wire::Currency, amount: Money) -> Result<(), No> {
    let refuse = |message: &str| Err(refused("currency", Reason::AmountNotAllowed, message));
    if currency.code != amount.currency().code() {
        return refuse(&format!("the account is kept in {}", tidy_code(&currency.code)));
    }
    let Some(places) = currency.decimal_places else { return Ok(()) };
    if !amount.fits(places) {
        return refuse(&format!("the core keeps this currency with {places} decimals"));
    }
    // Multiples are only enforced for currencies without decimals.
    let multiple = currency.in_multiples_of.filter(|multiple| places == 0 && *multiple > 1);
    let whole = amount.minor() / amount.currency().unit(0);
    if let Some(multiple) = multiple
        && !whole.unsigned_abs().is_multiple_of(multiple)
    {
        return refuse(&format!("the core rounds this currency to multiples of {multiple}"));
    }
    Ok(())
}

fn tidy_code(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).take(8).collect()
}

/// The owner's rules: active, and with the wallet's number if that is asked.
async fn owner(client: &Client, check: &AccountCheck, account: &Account) -> Result<(), No> {
    let options = &client.settings.options;
    if !options.check_owner && check.holder.is_none() {
        return Ok(());
    }
    let client_id = match account {
        Account::Savings(account) => account.client_id,
        Account::Loan(loan) => loan.client_id,
    };
    let owner: Option<Owner> = match client_id {
        None => None,
        Some(id) => match client.read(&format!("/api/v1/clients/{id}")).await {
            Ok(owner) => Some(owner),
            Err(ReadError::NotFound { .. }) => None,
            Err(error) => return Err(No::Unclear(error.why())),
        },
    };
    if owner.as_ref().is_some_and(|owner| owner.status.id != ACTIVE) {
        return Err(state("the account's owner is not active"));
    }
    let Some(holder) = &check.holder else { return Ok(()) };
    let known = owner.as_ref().and_then(|owner| owner.mobile_no.get());
    match (known, options.holder_match) {
        (Some(number), _) if holder.is_written(number) => Ok(()),
        (Some(_), _) => {
            let message = "the wallet's number is not the account owner's";
            Err(refused("holder_mismatch", Reason::Other, message))
        }
        (None, HolderMatch::Phone) => {
            let message = "the core knows no phone number of the account's owner, so nobody knows \
                           whether the wallet is theirs; enter it in the core";
            Err(refused("holder_unknown", Reason::Other, message))
        }
        (None, HolderMatch::PhoneIfKnown) => Ok(()),
    }
}

/// The facts that are reported about an account.
pub(crate) fn facts(account: &Account) -> Result<AccountFacts, No> {
    let (account_no, currency, holder) = match account {
        Account::Savings(a) => {
            (&a.account_no, &a.currency, a.client_name.get().or(a.group_name.get()))
        }
        Account::Loan(loan) => {
            let group = loan.group.as_ref().and_then(|group| group.name.get());
            (&loan.account_no, &loan.currency, loan.client_name.get().or(group))
        }
    };
    let currency = Currency::from_code(&currency.code)
        .map_err(|error| No::Unclear(format!("the account's currency: {error}")))?;
    Ok(AccountFacts {
        account: account.id(),
        account_no: account_no.clone(),
        currency,
        holder: holder.map(str::to_owned),
    })
}

fn state(message: &str) -> No {
    refused("account_state", Reason::AccountState, message)
}

fn refused(code: &str, reason: Reason, message: &str) -> No {
    No::Rejected(Rejection {
        code: code.to_owned(),
        reason,
        message: message.to_owned(),
        retry: Retry::Never,
    })
}
