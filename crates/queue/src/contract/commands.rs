//! Commands.

use super::Harness;
use super::fixtures::{PREFETCH, command, next_command, no_command};

pub async fn a_command_comes_whole(harness: &dyn Harness) {
    let process = harness.open().await;
    let mut commands = (process.commands)();
    let sent = command(harness, "{\"a\": 1}");
    harness.send(sent.clone()).await;
    let came = next_command(&mut commands).await;
    assert_eq!((&came.user, &came.content_type), (&sent.user, &sent.content_type));
    assert_eq!((&came.routing_key, &came.body), (&sent.routing_key, &sent.body));
    assert!(!came.redelivered && came.redriven.is_none());
    came.settle.done().await.unwrap();
    let mut nameless = command(harness, "anything");
    (nameless.user, nameless.content_type) = (None, None);
    harness.send(nameless).await;
    let came = next_command(&mut commands).await;
    assert_eq!((came.user, came.content_type), (None, None));
}

pub async fn what_is_done_does_not_come_again(harness: &dyn Harness) {
    let process = harness.open().await;
    harness.send(command(harness, "1")).await;
    let mut commands = (process.commands)();
    next_command(&mut commands).await.settle.done().await.unwrap();
    drop(commands);
    let mut commands = (process.commands)();
    no_command(harness, &mut commands).await;
}

pub async fn what_is_put_off_comes_again(harness: &dyn Harness) {
    let process = harness.open().await;
    harness.send(command(harness, "1")).await;
    let mut commands = (process.commands)();
    next_command(&mut commands).await.settle.later().await.unwrap();
    let again = next_command(&mut commands).await;
    assert!(again.redelivered && again.body == "1");
}

pub async fn what_is_dropped_untold_comes_again(harness: &dyn Harness) {
    let process = harness.open().await;
    harness.send(command(harness, "1")).await;
    let mut commands = (process.commands)();
    drop(next_command(&mut commands).await);
    let again = next_command(&mut commands).await;
    assert!(again.redelivered && again.body == "1");
}

pub async fn unsettled_commands_are_bounded(harness: &dyn Harness) {
    let process = harness.open().await;
    let mut commands = (process.commands)();
    for _ in 0..=PREFETCH {
        harness.send(command(harness, "1")).await;
    }
    let mut held = Vec::new();
    for _ in 0..PREFETCH {
        held.push(next_command(&mut commands).await);
    }
    no_command(harness, &mut commands).await;
    held.remove(0).settle.done().await.unwrap();
    next_command(&mut commands).await.settle.done().await.unwrap();
}

pub async fn what_always_comes_back_is_given_up(harness: &dyn Harness) {
    let process = harness.open().await;
    harness.send(command(harness, "1")).await;
    let mut commands = (process.commands)();
    for _ in 0..21 {
        next_command(&mut commands).await.settle.later().await.unwrap();
    }
    no_command(harness, &mut commands).await;
    let dead = process.dead.list(10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert!(dead[0].reason == "delivery_limit" && dead[0].body == "1", "{dead:?}");
    assert_eq!(dead[0].user, Some(harness.user()));
}
