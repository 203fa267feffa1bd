//! Tests of everything that outlives the broker's restart.

use super::Harness;
use super::fixtures::{collect, command, next, next_command, work, works};
use crate::Shard;

pub async fn what_was_confirmed_outlives_a_restart(harness: &dyn Harness) {
    let process = harness.open().await;
    process.work.announce(&works(0..10)).await.unwrap();
    process.work.announce(&works(10..20)).await.unwrap();
    harness.send(command(harness, "1")).await;
    harness.send(command(harness, "2")).await;
    let mut member = process.work.join(Shard(0)).await.unwrap();
    let held = next(&mut member).await;
    let mut commands = (process.commands)();
    next_command(&mut commands).await.settle.reject("no", None).await.unwrap();
    drop((held, member, commands));
    let Some(process) = harness.restart(process).await else { return };
    let mut member = process.work.join(Shard(0)).await.unwrap();
    assert_eq!(collect(&mut member, 20).await, ((0..20).map(work).collect(), true));
    assert_eq!(next_command(&mut (process.commands)()).await.body, "2");
    assert_eq!(process.dead.list(10).await.unwrap()[0].body, "1");
}
