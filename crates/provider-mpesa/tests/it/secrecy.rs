//! Keys, sessions and phone numbers are never to be read in a log, an error or an outcome.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kiungo_domain::transfer::StepName;
use kiungo_provider::Provider;
use kiungo_provider::order::WalletOperation;
use tokio::time::sleep;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{
    API_KEY, Step, callback, fixture, inquiry, order, public_key, reverse_order, tanzania,
};

/// Secrets that a market may repeat from what it was sent.
const CANARIES: &str = "password=Canary-1, Authorization: Bearer Canary-2, token: 'Canary 3'";

/// All that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn neither_keys_nor_sessions_nor_phone_numbers_are_told() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    // For all tests of this binary: what a test logs on another thread is not lost, and checked too.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let (mpesa, market) = tanzania();
    let mut told = vec![format!("{mpesa:?}")];
    let chatty = "{\"output_ResponseCode\":\"INS-989\",\"output_ResponseDesc\":\"255712345678\"}";
    market.script_sessions([Step::answer(400, chatty)]);
    told.push(format!("{:?}", mpesa.probe().await));
    sleep(Duration::from_secs(2)).await;
    let named = fixture("collect/failed.json").replace("Transaction Failed", "255712345678 failed");
    for (status, body) in [
        (201, fixture("collect/accepted.json")),
        (401, named.clone()),
        (401, named.replace("INS-6", "INS-255712345678")),
        (400, named.replace("INS-6", "INS-994")),
        (403, String::new()),
        (200, "<html>255712345678</html>".to_owned()),
        (200, format!("<html>{}</html>", "password=Canary-1 ".repeat(1_000))),
        (400, fixture("collect/failed.json").replace("Transaction Failed", CANARIES)),
        (422, fixture("collect/failed.json").replace("INS-6", CANARIES)),
        (201, format!("{{\"output_ResponseCode\": {{\"password\": {CANARIES:?}}}}}")),
        (201, format!("{{\"output_ResponseDesc\": {CANARIES:?}")),
    ] {
        if status == 403 {
            market.script_trials([Step::answer(403, "255712345678")]);
        }
        market.script(vec![Step::Answer(status, body); 4]);
        told.push(format!("{:?}", mpesa.collect(&order(StepName::First)).await));
        told.push(format!("{:?}", mpesa.pay_out(&order(StepName::Second)).await));
        told.push(format!("{:?}", mpesa.reverse().unwrap().reverse(&reverse_order()).await));
        told.push(format!("{:?}", mpesa.inquire(&inquiry(WalletOperation::Collect)).await));
    }
    for body in [
        fixture("callback/failure.json").replace("Transaction Failed", CANARIES),
        format!("{{\"input_ResultCode\": {CANARIES:?}"),
        format!("{{\"input_ResultCode\": [{CANARIES:?}]}}"),
    ] {
        told.push(format!("{:?}", mpesa.read_callback(&callback("results", &body))));
    }
    let result = fixture("callback/failure.json").replace("Transaction Failed", "255712345678");
    told.push(format!("{:?}", mpesa.read_callback(&callback("results", &result))));

    let log = log.text();
    for expected in ["session was created", "session was refused", "limit of the organisation"] {
        assert!(log.contains(expected), "{expected}: {log}");
    }
    told.push(log);
    let key = public_key();
    for text in told {
        for secret in [API_KEY, "Canary", "session-number", "712345", key.get(40..80).unwrap()] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
}
