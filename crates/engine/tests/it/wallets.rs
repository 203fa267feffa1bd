use kiungo_domain::numbering::NumberError;
use kiungo_domain::outcome::Reason;
use kiungo_domain::{Kind, Msisdn, ProviderId};
use kiungo_engine::{Engine, NewTransfer, SubmitError};
use kiungo_store::TransferQuery;

use crate::world::{World, provider_id, submit, transfer, value};

async fn stored(engine: &Engine) -> usize {
    let all = TransferQuery { limit: 500, ..TransferQuery::default() };
    engine.store().search(&all).await.unwrap().rows.len()
}

#[tokio::test]
async fn a_wallet_that_the_provider_cannot_have_is_refused_before_anything_is_stored() {
    let engine = World::new().engine();
    for (kind, digits) in [
        (Kind::Withdrawal, "254712345678"),
        (Kind::Disbursement, "0712345678"),
        (Kind::Deposit, "255222123456"),
    ] {
        let msisdn = Msisdn::parse(digits).unwrap();
        let new = NewTransfer { msisdn, ..transfer(kind, "100") };
        let refused = submit(&engine, digits, new).await;
        let elsewhere = |error: &NumberError| matches!(error, NumberError::Elsewhere { .. });
        assert!(
            matches!(&refused, Err(SubmitError::Wallet(error)) if elsewhere(error)),
            "{digits} {refused:?}"
        );
    }
    assert_eq!(stored(&engine).await, 0);
}

#[tokio::test]
async fn a_wallets_day_cannot_be_passed_by_another_notation() {
    let world = World::new();
    *world.wallet_may.lock().unwrap() = Some(value("6000"));
    let engine = world.engine();
    let notations = ["255700000001", "00255700000001", "0700000001", "+255 700 000 001"];
    for (index, text) in notations.into_iter().enumerate() {
        let msisdn = engine.read_wallet(&provider_id(), text).unwrap();
        let new = NewTransfer { msisdn, ..transfer(Kind::Deposit, "5000") };
        match submit(&engine, text, new).await {
            Ok(_) => assert_eq!(index, 0, "{text}"),
            Err(SubmitError::Rejected(why)) => assert_eq!(why.reason, Reason::LimitExceeded),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(stored(&engine).await, 1);
}

#[tokio::test]
async fn a_wallet_is_searched_for_in_every_notation() {
    let engine = World::new().engine();
    let nobody = ProviderId::new("nobody").unwrap();
    let find = |provider: Option<&ProviderId>, text: &str| {
        engine.find_wallet(provider, text).map(|number| number.digits().to_owned())
    };
    for text in ["0700000001", "255700000001", "+255 700 000 001"] {
        assert_eq!(find(None, text).as_deref(), Ok("255700000001"), "{text}");
        assert_eq!(find(Some(&provider_id()), text).as_deref(), Ok("255700000001"), "{text}");
    }
    // Transfers stay when their provider goes.
    assert_eq!(find(Some(&nobody), "+254700000001").as_deref(), Ok("254700000001"));
    for text in ["0841234567", "x"] {
        assert_eq!(find(None, text), Err(NumberError::Unreadable), "{text}");
    }
    let unknown = engine.read_wallet(&nobody, "255700000001");
    assert!(matches!(unknown, Err(SubmitError::UnknownProvider(_))), "{unknown:?}");
}
