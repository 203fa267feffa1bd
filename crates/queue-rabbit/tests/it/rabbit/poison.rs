//! Unreadable messages do not stop the queue.

use std::collections::BTreeSet;
use std::time::Duration;

use kiungo_queue::contract::Harness as _;
use kiungo_queue::contract::fixtures::{collect, command, event, next_command, work, works};
use kiungo_queue::{DeadLetter, DeadLetters as _, Events as _, Shard, WorkQueue as _};
use kiungo_queue_rabbit::RabbitQueue;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use super::place::Names;

fn kinds() -> Vec<Vec<u8>> {
    let texts: &[&[u8]] = &[
        b"",
        b"work please",
        b"[1,2,3]",
        br#"{"work":"all of it"}"#,
        br#"{"work":[]}"#,
        br#"{"work":[1],"urgent":true}"#,
        br#"{"work":["not-an-id"]}"#,
        br#"{"work":[1],"work":[2]}"#,
        br#"{"work":[99999999999999999999]}"#,
        b"\x00\x01\xfe\xff binary",
        b"\xff\xfe{\x00\"\x00w\x00\"\x00:\x001\x00}\x00",
    ];
    let mut kinds: Vec<_> = texts.iter().map(|text| text.to_vec()).collect();
    kinds.push(vec![b'['; 20_000]);
    kinds.push(vec![b'9'; 1_000_000]);
    kinds
}

/// The dead letters, as soon as there are this many.
async fn letters(queue: &RabbitQueue, count: usize) -> Vec<DeadLetter> {
    let arrived = async {
        loop {
            let dead = queue.list(1_000).await.unwrap();
            if dead.len() >= count {
                return dead;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), arrived).await.expect("they arrive")
}

#[tokio::test]
async fn poison_of_every_kind_ends_among_the_dead_letters_and_stops_nothing() {
    let place = Names::new().await;
    let queue = RabbitQueue::open(place.options()).await.unwrap();
    for (number, body) in (0..).zip(kinds()) {
        place.publish("work", "00", BasicProperties::default(), &body).await;
        queue.announce(&works([number])).await.unwrap();
    }
    let count = kinds().len();
    let mut member = queue.join(Shard(0)).await.unwrap();
    let (came, _) = collect(&mut member, count).await;
    assert_eq!(came, (0..).take(count).map(work).collect::<Vec<_>>());
    let dead = letters(&queue, count).await;
    let bodies: BTreeSet<_> = dead.iter().map(|letter| letter.body.to_vec()).collect();
    assert_eq!(bodies, kinds().into_iter().collect());
    for letter in &dead {
        assert!(letter.reason.len() > 10 && letter.routing_key == "00", "{letter:?}");
        assert!(
            letter.exchange == place.topology().work_exchange()
                && letter.queue.ends_with(".work.v1.00")
        );
    }
    let ids: BTreeSet<_> = dead.iter().map(|letter| &letter.id).collect();
    assert_eq!(ids.len(), count, "each has a name of its own");
    // Reading them has not changed their names.
    let again = queue.list(1_000).await.unwrap();
    let ids = |letters: &[DeadLetter]| letters.iter().map(|l| l.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&dead));
}

#[tokio::test]
async fn what_was_redriven_in_vain_is_given_up_again() {
    let place = Names::new().await;
    let queue = RabbitQueue::open(place.options()).await.unwrap();
    let _member = {
        place.publish("work", "00", BasicProperties::default(), b"poison").await;
        let mut member = queue.join(Shard(0)).await.unwrap();
        queue.announce(&works([1])).await.unwrap();
        collect(&mut member, 1).await;
        let dead = letters(&queue, 1).await;
        queue.redrive(&dead[0].id, "amina", "once more").await.unwrap().unwrap();
        queue.announce(&works([2])).await.unwrap();
        collect(&mut member, 1).await;
        member
    };
    let dead = letters(&queue, 1).await;
    assert!(dead.len() == 1 && dead[0].body == "poison", "{dead:?}");
}

/// Headers by which the broker would send it elsewhere or drop it, and such as only we may write.
#[tokio::test]
async fn a_senders_headers_neither_mislead_nor_get_lost() {
    let place = Names::new().await;
    let queue = RabbitQueue::open(place.options()).await.unwrap();
    let mut listener = place.listen().await;
    let text = |text: &str| AMQPValue::LongString(text.into());
    let mut headers = FieldTable::default();
    headers.insert("tenant".into(), text("north"));
    headers.insert("kiungo-user".into(), text("somebody-else"));
    headers.insert("kiungo-redriven-by".into(), text("nobody"));
    let properties = BasicProperties::default()
        .with_headers(headers)
        .with_expiration("60000".into())
        .with_message_id("order-7".into());
    place.publish("commands", "transfer.create", properties, b"{}").await;
    let mut commands = queue.commands();
    let came = next_command(&mut commands).await;
    assert_eq!((came.user, came.redriven), (None, None));
    came.settle.reject("no", Some("a.b")).await.unwrap();
    let dead = queue.list(1).await.unwrap();
    assert_eq!((dead[0].id.0.as_str(), &dead[0].user), ("order-7", &None));
    queue.redrive(&dead[0].id, "amina", "again").await.unwrap().unwrap();
    let came = next_command(&mut commands).await;
    assert_eq!(came.user, None);
    assert_eq!(came.redriven.unwrap().by, "amina");
    came.settle.done().await.unwrap();
    assert_eq!(queue.list(1).await.unwrap(), []);
    queue.publish(&[event(1)]).await.unwrap();
    assert_eq!(listener.next().await, event(1));
    place.send(command(&place, "{}")).await;
    assert_eq!(next_command(&mut commands).await.user, Some(place.options().user().to_owned()));
}
