//! The options of the HTTP server.

use std::time::Duration;

use kiungo_api::Role;
use kiungo_server::{ApiKey, ServerOptions};

use crate::config::{self, Config};

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
        keys: config.api.keys.iter().map(key).collect(),
        callback_secrets: secrets.collect(),
        hook_secrets: super::requests::hook_secrets(config),
        ..ServerOptions::default().sized_for(connections.in_all_max)
    }
}

fn seconds(time: Duration) -> u64 {
    time.as_secs().max(1)
}

fn key(key: &config::ApiKey) -> ApiKey {
    let role = |role: &config::Role| match role {
        config::Role::Read => Role::Read,
        config::Role::Write => Role::Write,
        config::Role::Operate => Role::Operate,
    };
    let roles = key.roles.iter().map(role).collect();
    let sha256 = hex::encode(key.sha256);
    ApiKey { name: key.name.clone(), sha256, roles, scope: key.scope.clone() }
}
