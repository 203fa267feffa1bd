//! The client certificate, over a real handshake.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiungo_domain::Outcome;
use kiungo_provider::{Provider, ReadError};
use kiungo_provider_gsma::{AuthScheme, Gsma};
use kiungo_simulator::clock::Clock;
use kiungo_simulator::control::Provider as _;
use kiungo_simulator::delivery::HttpDelivery;
use kiungo_simulator::faults::{Faults, Plan};
use kiungo_simulator::serve::serve_tls;
use kiungo_simulator::tls::TlsFiles;
use kiungo_simulator_gsma::options::{Flow, Security};
use kiungo_simulator_gsma::{Options, Simulator};
use kiungo_transport::{Network, NetworkOptions};
use tokio::net::TcpListener;

use crate::world::*;

fn pem(name: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.join("../simulator/tests/fixtures/tls").join(name)
}

/// A provider that knows its clients by their certificate alone.
async fn provider() -> (Simulator, String) {
    let tls = TlsFiles {
        certificate_file: pem("server.pem"),
        key_file: pem("server.key"),
        client_authority_file: Some(pem("authority.pem")),
    };
    let security = Security { tls: Some(tls), ..Security::default() };
    let options =
        Options { currency: lsl(), flow: Flow::Synchronous, security, ..Options::default() };
    let delivery = Arc::new(HttpDelivery::default());
    let simulator = Simulator::new(options, Clock::System, delivery, Faults::new(Plan::none(7)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}/v1.2/mm", listener.local_addr().unwrap());
    tokio::spawn(serve_tls(listener, simulator.router(), simulator.tls().unwrap().unwrap()));
    (simulator, base)
}

fn adapter(base: &str, identity: Option<&str>) -> Gsma {
    let options = NetworkOptions {
        ca_pem: Some(std::fs::read(pem("authority.pem")).unwrap()),
        identity_pem: identity.map(|name| std::fs::read_to_string(pem(name)).unwrap().into()),
        ..NetworkOptions::default()
    };
    let mut mapping = Mapping::newer();
    base.clone_into(&mut mapping.gsma.base_url);
    mapping.gsma.auth = AuthScheme::None;
    mapping.adapter(Arc::new(Network::new(&options).unwrap()))
}

#[tokio::test]
async fn a_client_certificate_is_all_that_a_provider_needs_to_know_us() {
    let (simulator, base) = provider().await;
    let gsma = adapter(&base, Some("client-identity.pem"));
    gsma.probe().await.unwrap();
    let outcome = gsma.collect(&collection()).await;
    assert!(matches!(outcome, Outcome::Executed(_)), "{outcome:?}");
    assert_eq!(simulator.books().movements.len(), 1);
}

#[tokio::test]
async fn without_the_right_certificate_nothing_is_done_and_no_outcome_is_invented() {
    let (simulator, base) = provider().await;
    for identity in [None, Some("stranger-identity.pem")] {
        let gsma = adapter(&base, identity);
        // The handshake of TLS 1.3 ends before the server has judged the certificate, so that the
        // request may be under way already.
        let outcome = gsma.collect(&collection()).await;
        let open = matches!(outcome, Outcome::Unknown { .. } | Outcome::NotSent { .. });
        assert!(open, "{outcome:?}");
        let probed = gsma.probe().await;
        assert!(matches!(probed, Err(ReadError::Unavailable(_))), "{probed:?}");
    }
    assert_eq!(simulator.books().movements.len(), 0);
}
