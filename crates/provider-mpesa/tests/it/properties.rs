//! No input causes a panic or an invented result; all that goes out is legal.

use kiungo_domain::outcome::Reason;
use kiungo_domain::transfer::StepName;
use kiungo_domain::{Finding, Outcome};
use kiungo_provider::order::WalletOperation;
use kiungo_provider::{CallbackContent, CallbackDecision, Provider, RawCallback, Refusal};
use kiungo_provider_mpesa::{Mpesa, Notification};
use proptest::prelude::*;
use std::sync::{Arc, OnceLock};

use crate::support::{
    Market, Step, adapter, callback, fixture, inquiry, mapping, order, reference,
};

/// Runs under virtual time, in one world per case.
fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(future)
}

fn world() -> (Arc<Mpesa>, Arc<Market>) {
    let mut quick = mapping("tz");
    quick.mpesa.notification = Notification::C2bConfirmation;
    adapter(quick)
}

fn reader() -> &'static Mpesa {
    static READER: OnceLock<Arc<Mpesa>> = OnceLock::new();
    READER.get_or_init(|| world().0)
}

/// A true answer with a piece replaced: close to what is accepted, so that the readers go deep.
fn damaged(names: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    (0..names.len(), any::<prop::sample::Index>(), 0_usize..30, any::<Vec<u8>>()).prop_map(
        |(which, at, cut, piece)| {
            let mut body = fixture(names[which])
                .replace("{id}", &reference(StepName::First).compact())
                .into_bytes();
            let from = at.index(body.len());
            let to = (from + cut).min(body.len());
            body.splice(from..to, piece.into_iter().take(8));
            body
        },
    )
}

const ANSWERS: &[&str] =
    &["collect/completed.json", "collect/failed.json", "inquire/completed.json"];
const CALLBACKS: &[&str] =
    &["callback/success.json", "callback/failure.json", "callback/payment.json"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_answer_panics_or_completes_without_its_code(
        body in prop_oneof![damaged(ANSWERS), any::<Vec<u8>>()],
        status in 200_u16..600,
    ) {
        let text = String::from_utf8_lossy(&body).into_owned();
        let (outcome, finding) = run(async {
            let (mpesa, market) = world();
            market.script([Step::answer(status, &text), Step::answer(status, &text)]);
            let outcome = mpesa.pay_out(&order(StepName::Second)).await;
            (outcome, mpesa.inquire(&inquiry(WalletOperation::PayOut)).await)
        });
        if matches!(outcome, Outcome::Executed(_)) {
            prop_assert!(text.contains("INS-0") && (200..300).contains(&status), "{}", text);
        }
        if matches!(finding, Finding::Executed(_) | Finding::Reversed(_)) {
            prop_assert!(text.contains("INS-0") && (200..300).contains(&status), "{}", text);
        }
    }

    #[test]
    fn only_legal_texts_go_out(label in "\\PC*", description in "\\PC*") {
        let body = run(async {
            let (mpesa, market) = world();
            let mut order = order(StepName::First);
            order.label = label;
            order.description = description;
            mpesa.collect(&order).await;
            market.calls().remove(0).body
        });
        let field = |name: &str| body[name].as_str().unwrap().to_owned();
        let label = field("input_TransactionReference");
        prop_assert!((1..=20).contains(&label.len()));
        prop_assert!(label.bytes().all(|b| b.is_ascii_alphanumeric()));
        let description = field("input_PurchasedItemsDesc");
        prop_assert!((1..=256).contains(&description.len()));
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b' ' || b == b'_';
        prop_assert!(description.bytes().all(legal));
        let id = field("input_ThirdPartyConversationID");
        prop_assert!((20..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
}

proptest! {
    #[test]
    fn no_callback_panics_or_claims_without_its_code(
        body in prop_oneof![damaged(CALLBACKS), any::<Vec<u8>>()],
        path in prop_oneof![Just("results"), Just("confirmation"), Just("validation"), Just("%x")],
    ) {
        let callback = RawCallback { body: body.clone().into(), ..callback(path, "") };
        if let Ok(CallbackContent::Result { finding: Finding::Executed(_), .. }) =
            reader().read_callback(&callback)
        {
            prop_assert!(String::from_utf8_lossy(&body).contains("0\""));
        }
        for decision in [CallbackDecision::Accepted, CallbackDecision::Refused(Refusal::by_rule(Reason::AccountNotFound, "no")), CallbackDecision::Unreadable] {
            let reply = reader().reply(&callback, &decision);
            if let Some((_, body)) = reply.body {
                prop_assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok());
            }
        }
    }
}
