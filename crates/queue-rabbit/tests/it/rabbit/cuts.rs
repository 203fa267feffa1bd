//! The way to the broker is cut, and comes back.

use std::sync::Arc;
use std::time::Duration;

use kiungo_queue::contract::fixtures::{collect, command, next, next_command, work, works};
use kiungo_queue::contract::{Harness as _, Process};
use kiungo_queue::{Events as _, QueueError, Shard, WorkQueue as _};
use kiungo_queue_rabbit::RabbitQueue;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::place::{Names, url};

/// The state of the link.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Open,
    /// The broker's messages do not arrive; those to the broker do.
    Deaf,
    /// No connection, old or new.
    Cut,
}

/// A link to the broker that can be cut.
struct Cable {
    port: u16,
    way: watch::Sender<Way>,
    _runs: JoinSet<()>,
}

impl Cable {
    async fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (way, seen) = watch::channel(Way::Open);
        let mut runs = JoinSet::new();
        runs.spawn(async move {
            let mut links = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                let seen = seen.clone();
                if *seen.borrow() != Way::Cut {
                    links.spawn(link(near, seen));
                }
            }
        });
        Self { port, way, _runs: runs }
    }

    fn set(&self, way: Way) {
        self.way.send_replace(way);
    }

    fn url(&self) -> String {
        let (before, behind) =
            url().split_once('@').map(|(b, a)| (b.to_owned(), a.to_owned())).unwrap();
        let host_ends = behind.find('/').unwrap_or(behind.len());
        format!("{before}@127.0.0.1:{}{}", self.port, &behind[host_ends..])
    }
}

async fn link(near: TcpStream, mut way: watch::Receiver<Way>) {
    let address = url();
    let host = address.split('@').nth(1).unwrap().split('/').next().unwrap().to_owned();
    let far = TcpStream::connect(host).await.unwrap();
    let (mut from_near, mut to_near) = near.into_split();
    let (mut from_far, mut to_far) = far.into_split();
    let seen = way.clone();
    let mut both = JoinSet::new();
    both.spawn(async move {
        let _ = tokio::io::copy(&mut from_near, &mut to_far).await;
    });
    both.spawn(async move {
        let mut bytes = vec![0; 65_536];
        while let Ok(count @ 1..) = from_far.read(&mut bytes).await {
            if *seen.borrow() == Way::Open && to_near.write_all(&bytes[..count]).await.is_err() {
                return;
            }
        }
    });
    tokio::select! {
        biased;
        _ = way.wait_for(|way| *way == Way::Cut) => {}
        _ = both.join_next() => {}
    }
}

async fn queue(place: &Names, cable: &Cable) -> RabbitQueue {
    let mut options = place.options_at(&cable.url());
    options.confirm_timeout = Duration::from_secs(2);
    RabbitQueue::open(options).await.unwrap()
}

async fn until_up(queue: &RabbitQueue) {
    let up = async {
        while queue.ping().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), up).await.expect("it comes back");
}

#[tokio::test]
async fn what_was_not_acknowledged_when_the_link_was_cut_comes_again() {
    let (place, cable) = (Names::new().await, Cable::new().await);
    let queue = queue(&place, &cable).await;
    for number in 0..3 {
        queue.announce(&works([number])).await.unwrap();
    }
    let mut member = queue.join(Shard(0)).await.unwrap();
    collect(&mut member, 1).await;
    let held = next(&mut member).await;
    cable.set(Way::Cut);
    // One more was on its way; then the membership ends.
    while member.next().await.is_some() {}
    held.ack.acknowledge().await;
    let late = queue.announce(&works([7])).await;
    assert!(matches!(late, Err(QueueError::Unavailable(_))), "{late:?}");
    assert!(queue.publish(&[]).await.is_ok() && queue.join(Shard(0)).await.is_err());
    cable.set(Way::Open);
    until_up(&queue).await;
    let mut member = queue.join(Shard(0)).await.unwrap();
    let (came, again) = collect(&mut member, 2).await;
    assert!(again && came == [work(1), work(2)], "{came:?}");
    queue.announce(&works([8])).await.unwrap();
    assert_eq!(collect(&mut member, 1).await, (vec![work(8)], false));
}

#[tokio::test]
async fn an_announcement_whose_confirmation_is_lost_is_an_error_and_may_arrive() {
    let (place, cable) = (Names::new().await, Cable::new().await);
    let queue = queue(&place, &cable).await;
    queue.announce(&works([1])).await.unwrap();
    cable.set(Way::Deaf);
    let unsure = queue.announce(&works([2])).await;
    assert!(matches!(unsure, Err(QueueError::Unavailable(_))), "{unsure:?}");
    cable.set(Way::Cut);
    cable.set(Way::Open);
    let Process { work: other, .. } = place.open().await;
    let mut member = other.join(Shard(0)).await.unwrap();
    assert_eq!(collect(&mut member, 2).await.0, [work(1), work(2)]);
    until_up(&queue).await;
    queue.announce(&works([3])).await.unwrap();
    assert_eq!(collect(&mut member, 1).await.0, [work(3)]);
}

#[tokio::test]
async fn a_link_that_falls_silent_is_noticed_and_replaced() {
    let (place, cable) = (Names::new().await, Cable::new().await);
    let mut options = place.options_at(&cable.url());
    options.heartbeat = Duration::from_secs(1);
    let queue = RabbitQueue::open(options).await.unwrap();
    let mut member = queue.join(Shard(0)).await.unwrap();
    cable.set(Way::Deaf);
    let ended = tokio::time::timeout(Duration::from_secs(20), member.next()).await;
    assert!(ended.expect("it is noticed").is_none());
    cable.set(Way::Open);
    until_up(&queue).await;
    queue.announce(&works([1])).await.unwrap();
    let mut member = queue.join(Shard(0)).await.unwrap();
    assert_eq!(collect(&mut member, 1).await.0, [work(1)]);
}

#[tokio::test]
async fn commands_come_again_once_the_link_is_back() {
    let (place, cable) = (Names::new().await, Cable::new().await);
    let queue = queue(&place, &cable).await;
    let mut commands = queue.commands();
    place.send(command(&place, "1")).await;
    let held = next_command(&mut commands).await;
    cable.set(Way::Cut);
    until_down(&queue).await;
    assert!(held.settle.done().await.is_err());
    cable.set(Way::Open);
    let again = next_command(&mut commands).await;
    assert!(again.redelivered && again.body == "1");
    again.settle.done().await.unwrap();
}

#[tokio::test]
async fn a_queue_starts_before_its_broker_is_there() {
    let (place, cable) = (Names::new().await, Cable::new().await);
    cable.set(Way::Cut);
    let queue = Arc::new(RabbitQueue::start(place.options_at(&cable.url())));
    let waiting = tokio::spawn({
        let queue = Arc::clone(&queue);
        async move { queue.announce(&works([1])).await }
    });
    until_down(&queue).await;
    cable.set(Way::Open);
    waiting.await.unwrap().unwrap();
    let mut member = queue.join(Shard(0)).await.unwrap();
    assert_eq!(collect(&mut member, 1).await.0, [work(1)]);
}

async fn until_down(queue: &RabbitQueue) {
    let down = async {
        while queue.is_up() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), down).await.expect("it is noticed");
}
