//! Checks that the broker is there, and as it should be.

use kiungo_queue_rabbit::RabbitQueue;

use super::finding::Finding;
use crate::config::Config;
use crate::config::queue::QueueAddress;

const SUBJECT: &str = "queue";

/// Logs in, and looks for what should be there, without making it.
pub(super) async fn examine(config: &Config) -> Finding {
    let QueueAddress::Rabbit(options) = &config.queue.address else {
        return Finding::ok("queue", SUBJECT, "embedded: one process");
    };
    let failed = |why: &dyn std::fmt::Display| {
        let advice = "check that the broker runs and is reached from here, and that queue.url, the user, \
                      the password and the virtual host are right";
        Finding::failed("queue_failed", SUBJECT, config.queue.failure(why).to_string(), advice)
    };
    let mut options = options.as_ref().clone();
    options.declares = false;
    let broker = options.shown();
    let queue = match RabbitQueue::open(options).await {
        Ok(queue) => queue,
        Err(error) => return failed(&error),
    };
    let missing = queue.missing().await;
    queue.close().await;
    match missing {
        Err(error) => failed(&error),
        Ok(missing) if missing.is_empty() => {
            Finding::ok("queue", SUBJECT, format!("{broker} answers, and everything is there"))
        }
        Ok(missing) => {
            let count = missing.len();
            let found = format!("{broker} answers; exchanges and queues to be made: {count}");
            let advice = "kiungo queue topology --declare, or start Kiungo";
            Finding::warning("queue_incomplete", SUBJECT, found, advice)
        }
    }
}
