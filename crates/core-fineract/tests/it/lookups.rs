//! Finding accounts, and weighing what they would take.

use jiff::civil::date;
use kiungo_core_banking::{AccountCheck, Booking, CheckAnswer, Core as _};
use kiungo_domain::outcome::Reason;
use kiungo_domain::party::AccountKey;
use kiungo_domain::{AccountKind, AccountRef, CoreAccount, Msisdn};
use kiungo_simulator_fineract::{ClientSpec, SavingsSpec, Version};

use crate::world::{PHONE, VERSIONS, World, money};

async fn check(world: &World, key: AccountKey, booking: Booking) -> CheckAnswer {
    let check = AccountCheck {
        account: AccountRef { kind: None, key },
        booking: Some(booking),
        amount: money("100.00"),
        holder: Some(Msisdn::parse(PHONE).unwrap()),
        at: world.now(),
    };
    world.core.check(&check).await
}

#[tokio::test(start_paused = true)]
async fn accounts_are_found_by_every_name_in_every_version() {
    let savings = CoreAccount { kind: AccountKind::Savings, id: 1 };
    let loan = CoreAccount { kind: AccountKind::Loan, id: 2 };
    for version in VERSIONS {
        let world = World::of(version).await;
        for (key, booking, expected) in [
            (AccountKey::Id(1), Booking::Deposit, savings),
            (AccountKey::AccountNo("000000001".to_owned()), Booking::Withdraw, savings),
            (AccountKey::ExternalId("SV-1".to_owned()), Booking::Deposit, savings),
            (AccountKey::Phone(Msisdn::parse(PHONE).unwrap()), Booking::Deposit, savings),
            (AccountKey::Id(2), Booking::Repay, loan),
            (AccountKey::AccountNo("000000002".to_owned()), Booking::Repay, loan),
            (AccountKey::ExternalId("LN-2".to_owned()), Booking::Repay, loan),
        ] {
            let answer = check(&world, key.clone(), booking).await;
            let CheckAnswer::Allowed(facts) = answer else { panic!("{version:?} {key:?}") };
            assert_eq!(facts.account, expected, "{version:?} {key:?}");
            assert_eq!(facts.holder.as_deref(), Some("Asha Juma"));
        }
        for key in [
            AccountKey::Id(99),
            AccountKey::AccountNo("000000009".to_owned()),
            AccountKey::ExternalId("SV-9".to_owned()),
            AccountKey::Phone(Msisdn::parse("255700000009").unwrap()),
        ] {
            let answer = check(&world, key.clone(), Booking::Deposit).await;
            let CheckAnswer::Rejected(rejection) = answer else { panic!("{version:?} {key:?}") };
            assert_eq!(rejection.reason, Reason::AccountNotFound);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_booking_that_the_account_would_not_take_is_refused_before_anything_is_sent() {
    let world = World::of(Version::V1_14).await;
    let active = || SavingsSpec::active("TZS", 50_000);
    let specs = [
        SavingsSpec { locked_in_until: Some(date(2026, 9, 2)), ..active() },
        SavingsSpec { sub_status: 600, ..active() },
        SavingsSpec { minimum_minor: 45_000, ..active() },
        SavingsSpec { status: 600, ..active() },
    ];
    let client = ClientSpec {
        name: "Neema".to_owned(),
        mobile_no: String::new(),
        external_id: String::new(),
        closed: false,
        savings: specs.to_vec(),
        loans: Vec::new(),
    };
    let ids = world.simulator.open_client(client).unwrap();
    let withdrawal = async |id: u64| {
        let check = AccountCheck {
            account: AccountRef { kind: Some(AccountKind::Savings), key: AccountKey::Id(id) },
            booking: Some(Booking::Withdraw),
            amount: money("100.00"),
            holder: None,
            at: world.now(),
        };
        world.core.check(&check).await
    };
    let expected = [
        Reason::AccountState,
        Reason::AccountState,
        Reason::InsufficientFunds,
        Reason::AccountState,
    ];
    for (id, reason) in ids.savings.iter().zip(expected) {
        let answer = withdrawal(*id).await;
        let CheckAnswer::Rejected(rejection) = answer else { panic!("{id} {answer:?}") };
        assert_eq!(rejection.reason, reason, "{id} {rejection:?}");
    }
    // The lock-in has ended by the day that it names.
    tokio::time::sleep(std::time::Duration::from_hours(24)).await;
    assert!(matches!(withdrawal(ids.savings[0]).await, CheckAnswer::Allowed(_)));
}
