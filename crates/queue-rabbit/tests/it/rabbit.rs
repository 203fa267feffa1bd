//! The queue in a `RabbitMQ` broker, in which each test has names of its own.

mod cuts;
mod place;
mod poison;

use std::time::Duration;

use kiungo_queue::contract::Harness as _;
use kiungo_queue::contract::fixtures::{collect, event, next, work, works};
use kiungo_queue::{Events as _, QueueError, Shard, WorkQueue as _};
use kiungo_queue_rabbit::{OpenError, RabbitOptions, RabbitQueue};
use place::Names;

kiungo_queue::queue_contract!(Names::new().await);

#[tokio::test]
async fn a_broker_that_is_not_there_is_named_without_its_password() {
    let options = RabbitOptions::new("amqp://kiungo:sesame@127.0.0.1:1/bank").unwrap();
    let error = RabbitQueue::open(options).await.err().unwrap();
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("127.0.0.1:1, virtual host bank") && !text.contains("sesame"), "{text}");
}

#[tokio::test]
async fn a_broker_that_speaks_no_tls_is_not_spoken_to_without_it() {
    let encrypted = place::url().replacen("amqp://", "amqps://", 1);
    let options = RabbitOptions::new(&encrypted).unwrap();
    let error = RabbitQueue::open(options).await.err().unwrap();
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_wrong_password_is_said_to_be_one() {
    let place = Names::new().await;
    let error = RabbitQueue::open(place.options().password("wrong")).await.err().unwrap();
    assert!(matches!(error, OpenError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn a_queue_with_other_arguments_is_named() {
    let place = Names::new().await;
    place.open().await;
    let mut options = place.options();
    options.delivery_limit = 7;
    let error = RabbitQueue::open(options).await.err().unwrap();
    let OpenError::Mismatch { name, .. } = &error else { panic!("{error}") };
    assert!(name.ends_with(".work.v1.00"), "{error}");
}

#[tokio::test]
async fn the_topology_is_declared_again_and_again() {
    let place = Names::new().await;
    let mut options = place.options();
    options.declares = false;
    let looking = RabbitQueue::open(options).await.unwrap();
    let names = looking.topology().exchanges.len() + looking.topology().queues.len();
    assert_eq!(looking.missing().await.unwrap().len(), names);
    RabbitQueue::open(place.options()).await.unwrap();
    RabbitQueue::open(place.options()).await.unwrap();
    assert_eq!(looking.missing().await.unwrap(), Vec::<String>::new());
    looking.ping().await.unwrap();
}

/// An exchange that has no queue takes everything, and confirms it.
#[tokio::test]
async fn work_that_no_queue_takes_is_an_error_for_its_announcer_alone() {
    let place = Names::new().await;
    let queue = RabbitQueue::open(place.options()).await.unwrap();
    place.delete_queue("work.v1.01").await;
    let slot = |shard| kiungo_queue::contract::fixtures::slot(shard);
    let lost = [(slot(0), work(1)), (slot(1), work(2))];
    let (one, two, three) = (works(3..300), works(300..600), works(600..603));
    let (before, refused, after, later) = tokio::join!(
        queue.announce(&one),
        queue.announce(&lost),
        queue.announce(&two),
        queue.announce(&three),
    );
    assert_eq!((before, after, later), (Ok(()), Ok(()), Ok(())));
    let Err(QueueError::Unroutable { routing_key, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(routing_key, "01");
    let mut member = queue.join(Shard(0)).await.unwrap();
    collect(&mut member, 601).await;
    let error = queue.join(Shard(1)).await.err().unwrap();
    assert!(error.to_string().contains("kiungo queue topology"), "{error}");
}

#[tokio::test]
async fn a_listener_hears_what_it_chose() {
    let place = Names::new().await;
    let queue = RabbitQueue::open(place.options()).await.unwrap();
    let mut listener = place.listen_to("transfer.*.completed").await;
    queue.publish(&(0..6).map(event).collect::<Vec<_>>()).await.unwrap();
    for number in [1, 3, 5] {
        assert_eq!(listener.next().await, event(number));
    }
}

#[tokio::test]
async fn a_closed_queue_refuses_and_its_memberships_end() {
    let place = Names::new().await;
    let queue = RabbitQueue::open(place.options()).await.unwrap();
    queue.announce(&works([1])).await.unwrap();
    let mut member = queue.join(Shard(0)).await.unwrap();
    let held = next(&mut member).await;
    let mut commands = queue.commands();
    queue.close().await;
    assert!(member.next().await.is_none() && member.next().await.is_none());
    let ended = tokio::time::timeout(Duration::from_secs(10), commands.next()).await;
    assert!(ended.unwrap().is_none());
    held.ack.acknowledge().await;
    let refused = queue.announce(&works([2])).await;
    assert!(matches!(refused, Err(QueueError::Unavailable(_))), "{refused:?}");
    assert!(!queue.is_up() && queue.ping().await.is_err());
}
