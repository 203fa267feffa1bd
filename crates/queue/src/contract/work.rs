//! Announcing work, and taking part in a shard.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::Harness;
use super::fixtures::{PREFETCH, SHARDS, collect, next, silent, slot, work, works};
use crate::{Shard, Work};

const FIRST: Shard = Shard(0);

pub async fn announced_work_arrives_in_order(harness: &dyn Harness) {
    let process = harness.open().await;
    assert_eq!(process.work.shards(), SHARDS);
    let announced = [work(7), Work::Arrival(3), work(1), work(7), Work::Arrival(12)];
    for work in announced {
        process.work.announce(&[(slot(0), work)]).await.unwrap();
    }
    let more: Vec<_> = works(10..20);
    process.work.announce(&more).await.unwrap();
    let mut member = process.work.join(FIRST).await.unwrap();
    let (came, again) = collect(&mut member, 15).await;
    assert_eq!(came, announced.into_iter().chain((10..20).map(work)).collect::<Vec<_>>());
    assert!(!again);
}

pub async fn a_long_announcement_arrives_whole(harness: &dyn Harness) {
    let process = harness.open().await;
    let shard_of = |number: u32| u16::try_from(number % u32::from(SHARDS)).unwrap();
    let long: Vec<_> = (0..1_000).map(|number| (slot(shard_of(number)), work(number))).collect();
    process.work.announce(&long).await.unwrap();
    for shard in 0..SHARDS {
        let wanted: Vec<_> = (0..1_000).filter(|n| shard_of(*n) == shard).map(work).collect();
        let mut member = process.work.join(Shard(shard)).await.unwrap();
        let (came, _) = collect(&mut member, wanted.len()).await;
        assert_eq!(came, wanted);
        silent(harness, &mut member).await;
    }
}

pub async fn what_many_announce_at_once_arrives(harness: &dyn Harness) {
    let process = harness.open().await;
    let parts: Vec<_> = (0..100).map(|n| works([n * 2, n * 2 + 1])).collect();
    let announced = join_all(parts.iter().map(|part| process.work.announce(part))).await;
    assert!(announced.iter().all(Result::is_ok), "{announced:?}");
    let mut member = process.work.join(FIRST).await.unwrap();
    let (came, _) = collect(&mut member, 200).await;
    let places: BTreeMap<_, _> = came.iter().zip(0..).collect();
    assert_eq!(places.len(), 200);
    for n in 0..100 {
        assert!(places[&work(n * 2)] < places[&work(n * 2 + 1)]);
    }
}

pub async fn what_is_acknowledged_does_not_come_again(harness: &dyn Harness) {
    let process = harness.open().await;
    process.work.announce(&works([1])).await.unwrap();
    let mut member = process.work.join(FIRST).await.unwrap();
    collect(&mut member, 1).await;
    process.work.announce(&works([2])).await.unwrap();
    drop(next(&mut member).await.ack);
    drop(member);
    let mut member = process.work.join(FIRST).await.unwrap();
    let (came, again) = collect(&mut member, 1).await;
    assert!(came == [work(2)] && again);
    silent(harness, &mut member).await;
}

pub async fn one_member_is_active(harness: &dyn Harness) {
    let (one, other) = (harness.open().await, harness.open().await);
    let mut active = one.work.join(FIRST).await.unwrap();
    let mut standby = other.work.join(FIRST).await.unwrap();
    for number in 0..5 {
        other.work.announce(&works([number])).await.unwrap();
        assert_eq!(collect(&mut active, 1).await.0, [work(number)]);
    }
    one.work.announce(&works([5])).await.unwrap();
    silent(harness, &mut standby).await;
    assert_eq!(collect(&mut active, 1).await.0, [work(5)]);
}

pub async fn another_takes_over_what_a_dropped_member_did_not_acknowledge(harness: &dyn Harness) {
    let (one, other) = (harness.open().await, harness.open().await);
    let mut active = one.work.join(FIRST).await.unwrap();
    let mut standby = other.work.join(FIRST).await.unwrap();
    for number in 0..3 {
        one.work.announce(&works([number])).await.unwrap();
    }
    let (first, second) = (next(&mut active).await, next(&mut active).await);
    first.ack.acknowledge().await;
    silent(harness, &mut standby).await;
    drop(active);
    let taken = next(&mut standby).await;
    assert_eq!(taken.work, second.work);
    assert!(taken.redelivered);
    // The acknowledgement of a replaced member has no effect.
    second.ack.acknowledge().await;
    assert_eq!(next(&mut standby).await.work, [work(2)]);
    drop((taken, standby));
    let mut third = one.work.join(FIRST).await.unwrap();
    assert_eq!(collect(&mut third, 2).await, (vec![work(1), work(2)], true));
}

pub async fn one_that_leaves_lets_the_next_one_in_and_still_acknowledges(harness: &dyn Harness) {
    let (one, other) = (harness.open().await, harness.open().await);
    let mut active = one.work.join(FIRST).await.unwrap();
    let mut standby = other.work.join(FIRST).await.unwrap();
    one.work.announce(&works([1])).await.unwrap();
    let held = next(&mut active).await;
    active.leave().await;
    one.work.announce(&works([2])).await.unwrap();
    assert_eq!(collect(&mut standby, 1).await, (vec![work(2)], false));
    held.ack.acknowledge().await;
    silent(harness, &mut standby).await;
}

pub async fn what_is_dropped_after_leaving_comes_again(harness: &dyn Harness) {
    let process = harness.open().await;
    for number in 1..4 {
        process.work.announce(&works([number])).await.unwrap();
    }
    let mut active = process.work.join(FIRST).await.unwrap();
    let held = next(&mut active).await;
    active.leave().await;
    let mut other = process.work.join(FIRST).await.unwrap();
    // Work that the first member had not been given yet comes at once; the work that it holds comes
    // once the member is dropped.
    assert_eq!(collect(&mut other, 2).await.0, [work(2), work(3)]);
    silent(harness, &mut other).await;
    drop(held);
    assert_eq!(collect(&mut other, 1).await, (vec![work(1)], true));
}

pub async fn a_member_holds_a_bounded_number(harness: &dyn Harness) {
    let process = harness.open().await;
    let mut member = process.work.join(FIRST).await.unwrap();
    for number in 0..u32::from(PREFETCH) + 2 {
        process.work.announce(&works([number])).await.unwrap();
    }
    let mut held = Vec::new();
    for number in 0..u32::from(PREFETCH) {
        let delivery = next(&mut member).await;
        assert_eq!(delivery.work, [work(number)]);
        held.push(delivery.ack);
    }
    silent(harness, &mut member).await;
    held.remove(1).acknowledge().await;
    assert_eq!(next(&mut member).await.work, [work(u32::from(PREFETCH))]);
    silent(harness, &mut member).await;
}

pub async fn an_empty_announcement_is_nothing(harness: &dyn Harness) {
    let process = harness.open().await;
    process.work.announce(&[]).await.unwrap();
    let mut member = process.work.join(FIRST).await.unwrap();
    silent(harness, &mut member).await;
}
