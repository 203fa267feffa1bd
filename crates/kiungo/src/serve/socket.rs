//! The socket that is listened on: our own, or one that was there before us.
//!
//! A socket that belongs to systemd outlives us: who connects while we are restarted waits in the
//! kernel's queue instead of being refused.

use std::net::{self, SocketAddr};

use listenfd::ListenFd;
use tokio::net::TcpListener;

use crate::config::Config;
use crate::failure::Failure;

/// The socket that whoever started us passed on (`LISTEN_FDS`). To be called before there are
/// threads: it removes the variables that told of it, so that nobody whom we start believes them.
///
/// # Errors
/// Something was passed on that is not one TCP socket.
pub(crate) fn passed() -> Result<Option<net::TcpListener>, Failure> {
    let mut passed = ListenFd::from_env();
    if passed.len() > 1 {
        return Err(Failure::Usage(format!(
            "{} sockets were passed on (LISTEN_FDS), and one is served: name one address in the \
             socket unit, and a reverse proxy for others",
            passed.len()
        )));
    }
    passed.take_tcp_listener(0).map_err(|error| {
        Failure::Usage(format!(
            "what was passed on (LISTEN_FDS) is no TCP socket: {error}; the socket unit needs \
             ListenStream= with an address and a port"
        ))
    })
}

/// The passed socket, or one of our own at `address`.
async fn listener(
    passed: Option<net::TcpListener>,
    address: SocketAddr,
) -> Result<TcpListener, Failure> {
    let Some(passed) = passed else {
        return TcpListener::bind(address).await.map_err(|error| {
            Failure::failed(format!(
                "cannot listen on {address} (server.listen, server.port): {error}"
            ))
        });
    };
    let usable = passed.set_nonblocking(true).and_then(|()| TcpListener::from_std(passed));
    usable.map_err(|error| Failure::failed(format!("the passed socket cannot be used: {error}")))
}

/// The socket on which a process listens.
pub(crate) enum Listen {
    /// The passed socket, or one at the configured address.
    Api(Option<net::TcpListener>),
    /// One at this address, for health and metrics alone; none without an address.
    Watch(Option<SocketAddr>),
}

impl Listen {
    pub(super) async fn listener(self, config: &Config) -> Result<Option<TcpListener>, Failure> {
        match self {
            Self::Api(passed) => listener(passed, config.server.address).await.map(Some),
            Self::Watch(None) => Ok(None),
            Self::Watch(Some(address)) => listener(None, address).await.map(Some),
        }
    }
}
