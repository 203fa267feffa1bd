//! The options of the HTTP server.

use std::time::Duration;

use kiungo_server::ServerOptions;

use crate::config::Config;

/// The server's options from the configuration.
pub(super) fn options(config: &Config) -> ServerOptions {
    let server = &config.server;
    let secrets = config.providers.iter();
    let secrets = secrets.filter_map(|p| Some((p.id.clone(), p.callback_secret.clone()?)));
    let connections = &server.connections;
    ServerOptions {
        api_body_bytes_max: server.body_bytes_max,
        callback_body_bytes_max: server.body_bytes_max,
        request_timeout_s: seconds(server.request_timeout),
        connections_per_peer_max: connections.per_peer_max,
        proxies: connections.proxies.clone(),
        head_timeout_s: seconds(connections.head_timeout),
        body_timeout_s: seconds(connections.body_timeout),
        idle_timeout_s: seconds(connections.idle_timeout),
        answer_timeout_s: seconds(connections.answer_timeout),
        keys: config.api.keys.clone(),
        callback_secrets: secrets.collect(),
        hook_secrets: super::requests::hook_secrets(config),
        ..ServerOptions::default().sized_for(connections.in_all_max)
    }
}

fn seconds(time: Duration) -> u64 {
    time.as_secs().max(1)
}
