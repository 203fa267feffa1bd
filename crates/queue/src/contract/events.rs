//! Events.

use super::Harness;
use super::fixtures::event;

pub async fn events_arrive_whole_and_in_order(harness: &dyn Harness) {
    let process = harness.open().await;
    let mut listener = harness.listen().await;
    let events: Vec<_> = (0..300).map(event).collect();
    for part in events.chunks(70) {
        process.events.publish(part).await.unwrap();
    }
    for event in events {
        assert_eq!(listener.next().await, event);
    }
}

pub async fn an_event_that_nobody_hears_is_published(harness: &dyn Harness) {
    let process = harness.open().await;
    process.events.publish(&[event(1), event(2)]).await.unwrap();
    process.events.publish(&[]).await.unwrap();
    let mut listener = harness.listen().await;
    process.events.publish(&[event(3)]).await.unwrap();
    // An implementation that keeps all events may deliver the old ones too.
    while listener.next().await != event(3) {}
}
