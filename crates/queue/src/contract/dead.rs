//! Dead letters.

use std::time::{SystemTime, UNIX_EPOCH};

use super::fixtures::{command, next_command, no_command};
use super::{Harness, Process};
use crate::{Commands, DeadLetterId, Redriven};

async fn reject(harness: &dyn Harness, process: &Process, body: &'static str) -> Box<dyn Commands> {
    harness.send(command(harness, body)).await;
    let mut commands = (process.commands)();
    let settle = next_command(&mut commands).await.settle;
    settle.reject("an amount is missing", Some("data.amount")).await.unwrap();
    commands
}

pub async fn a_rejected_command_is_a_dead_letter_whole(harness: &dyn Harness) {
    let process = harness.open().await;
    let sent = command(harness, "{\"strange\": \"\u{e9}\"}");
    let mut commands = reject(harness, &process, "{\"strange\": \"\u{e9}\"}").await;
    no_command(harness, &mut commands).await;
    let dead = process.dead.list(10).await.unwrap();
    assert_eq!(dead.len(), 1);
    let letter = &dead[0];
    assert_eq!((letter.body.clone(), letter.content_type.clone()), (sent.body, sent.content_type));
    assert_eq!(letter.routing_key, sent.routing_key);
    assert!(letter.exchange.ends_with(".commands") && letter.queue.ends_with(".commands.v1"));
    assert_eq!(letter.user, sent.user);
    assert_eq!(letter.reason, "an amount is missing");
    assert_eq!(letter.path.as_deref(), Some("data.amount"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
    let age = i128::try_from(now).unwrap() - i128::from(letter.given_up_at.unwrap().as_micros());
    assert!((-60_000_000..60_000_000).contains(&age), "{letter:?}");
}

pub async fn the_oldest_dead_letters_are_listed_and_stay(harness: &dyn Harness) {
    let process = harness.open().await;
    for body in ["1", "2", "3"] {
        reject(harness, &process, body).await;
    }
    for _ in 0..2 {
        let dead = process.dead.list(2).await.unwrap();
        let bodies: Vec<_> = dead.iter().map(|letter| letter.body.clone()).collect();
        assert_eq!(bodies, ["1", "2"]);
    }
    let dead = process.dead.list(1_000_000).await.unwrap();
    assert_eq!(dead.len(), 3);
    assert!(dead[0].id != dead[1].id && dead[1].id != dead[2].id, "{dead:?}");
}

pub async fn a_redriven_command_comes_again_marked(harness: &dyn Harness) {
    let process = harness.open().await;
    for body in ["1", "2"] {
        reject(harness, &process, body).await;
    }
    let dead = process.dead.list(10).await.unwrap();
    let sent = process.dead.redrive(&dead[1].id, "amina", "the product exists now").await.unwrap();
    assert_eq!(sent.as_ref(), Some(&dead[1]));
    assert_eq!(process.dead.list(10).await.unwrap(), dead[..1]);
    let mut commands = (process.commands)();
    let again = next_command(&mut commands).await;
    let (by, reason) = ("amina".to_owned(), "the product exists now".to_owned());
    assert_eq!(again.redriven, Some(Redriven { by, reason }));
    assert_eq!((again.body, again.user), (dead[1].body.clone(), dead[1].user.clone()));
    assert_eq!(again.content_type, dead[1].content_type);
    again.settle.reject("still not", None).await.unwrap();
    let dead = process.dead.list(10).await.unwrap();
    let told: Vec<_> = dead.iter().map(|d| (d.reason.as_str(), d.path.is_some())).collect();
    assert_eq!(told, [("an amount is missing", true), ("still not", false)]);
}

pub async fn there_is_nothing_to_redrive_under_an_unknown_name(harness: &dyn Harness) {
    let process = harness.open().await;
    let unknown = DeadLetterId("unknown".to_owned());
    assert_eq!(process.dead.redrive(&unknown, "amina", "why not").await.unwrap(), None);
    let mut commands = reject(harness, &process, "1").await;
    assert_eq!(process.dead.redrive(&unknown, "amina", "why not").await.unwrap(), None);
    assert_eq!(process.dead.list(10).await.unwrap().len(), 1);
    no_command(harness, &mut commands).await;
}

pub async fn a_discarded_dead_letter_is_gone_and_the_others_stay(harness: &dyn Harness) {
    let process = harness.open().await;
    for body in ["1", "2", "3"] {
        // This consumer waits for no further command, so it takes none from the next consumer.
        drop(reject(harness, &process, body).await);
    }
    let dead = process.dead.list(10).await.unwrap();
    let gone = process.dead.discard(&dead[1].id).await.unwrap();
    assert_eq!(gone.as_ref(), Some(&dead[1]));
    assert_eq!(process.dead.discard(&dead[1].id).await.unwrap(), None);
    let mut left = process.dead.list(10).await.unwrap();
    // A broker may return the messages that were read in another order.
    left.sort_by(|one, other| one.body.cmp(&other.body));
    assert_eq!(left, [dead[0].clone(), dead[2].clone()]);
    no_command(harness, &mut (process.commands)()).await;
}
