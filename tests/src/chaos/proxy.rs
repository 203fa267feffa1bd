//! The way from a worker to the broker, which can be cut and can fall silent.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The number of bytes that are carried at once.
const PIECE: usize = 16 * 1024;

/// The state of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// All bytes arrive.
    Open,
    /// Connections break, and new ones do too.
    Cut,
    /// No byte arrives until it is open again; neither side is told.
    Silent,
}

/// A way; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Proxy {
    address: SocketAddr,
    way: watch::Sender<Way>,
    _carrying: JoinSet<()>,
}

impl Proxy {
    /// A way to `broker` from a free port.
    ///
    /// # Errors
    /// No port is free.
    pub(super) async fn start(broker: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (way, watched) = watch::channel(Way::Open);
        let mut carrying = JoinSet::new();
        carrying.spawn(accept(listener, broker, watched));
        Ok(Self { address, way, _carrying: carrying })
    }

    /// The address at which it begins.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes how it is.
    pub(super) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

async fn accept(listener: TcpListener, broker: SocketAddr, way: watch::Receiver<Way>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((near, _)) = accepted else { continue };
                if *way.borrow() != Way::Cut {
                    connections.spawn(carry(near, broker, way.clone()));
                }
            }
        }
    }
}

async fn carry(near: TcpStream, broker: SocketAddr, way: watch::Receiver<Way>) {
    let Ok(far) = TcpStream::connect(broker).await else { return };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    // The direction that ends first ends both.
    tokio::select! {
        biased;
        () = pump(near_in, far_out, way.clone()) => {}
        () = pump(far_in, near_out, way) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut way: watch::Receiver<Way>) {
    let mut piece = vec![0; PIECE];
    let mut changes = way.clone();
    loop {
        let read = tokio::select! {
            biased;
            _ = changes.wait_for(|way| *way == Way::Cut) => return,
            read = from.read(&mut piece) => read,
        };
        let Ok(count @ 1..) = read else { return };
        let open = way.wait_for(|way| *way != Way::Silent).await.map(|way| *way == Way::Open);
        if !matches!(open, Ok(true)) {
            return;
        }
        if to.write_all(piece.get(..count).unwrap_or_default()).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_way_carries_falls_silent_and_is_cut() {
        let broker = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let proxy = Proxy::start(broker.local_addr().unwrap()).await.unwrap();
        let mut near = TcpStream::connect(proxy.address()).await.unwrap();
        let (mut far, _) = broker.accept().await.unwrap();
        near.write_all(b"one").await.unwrap();
        let mut said = [0; 3];
        far.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"one");
        proxy.set(Way::Silent);
        near.write_all(b"two").await.unwrap();
        let nothing = timeout(Duration::from_millis(100), far.read_exact(&mut said)).await;
        assert!(nothing.is_err());
        proxy.set(Way::Open);
        far.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"two");
        proxy.set(Way::Cut);
        assert!(matches!(near.read(&mut said).await, Ok(0) | Err(_)));
        let mut again = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(matches!(again.read(&mut said).await, Ok(0) | Err(_)));
    }
}
