//! The requirements on every queue, as one suite of tests. A queue's tests say where one is opened
//! ([`Harness`]) and let [`queue_contract!`](crate::queue_contract) make a test of each point.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests, shared by several queues"
)]

pub mod commands;
pub mod dead;
pub mod events;
pub mod fixtures;
pub mod restart;
pub mod work;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Commands, DeadLetters, EventMessage, Events, SentCommand, WorkQueue};

/// The part of the queue that one process has.
pub struct Process {
    pub work: Arc<dyn WorkQueue>,
    pub events: Arc<dyn Events>,
    pub dead: Arc<dyn DeadLetters>,
    pub commands: Box<dyn Fn() -> Box<dyn Commands> + Send + Sync>,
}

/// A listener to all events.
#[async_trait]
pub trait Listener: Send {
    /// The next one.
    async fn next(&mut self) -> EventMessage;
}

/// The way in which a test opens its queue.
#[async_trait]
pub trait Harness: Send + Sync {
    /// A process that begins to use the queue, which is empty the first time and has
    /// [`story::PREFETCH`].
    async fn open(&self) -> Process;

    /// Restarts the broker; `None` if it does not outlive its process.
    async fn restart(&self, process: Process) -> Option<Process>;

    /// Listens to all events from now on.
    async fn listen(&self) -> Box<dyn Listener>;

    /// Sends a command, in the name of [`Harness::user`] if it has a user.
    async fn send(&self, command: SentCommand);

    /// A name that the broker knows.
    fn user(&self) -> String;

    /// The time of silence after which it is certain that nothing more will come.
    fn patience(&self) -> Duration;
}

/// Makes a test of every point of the contract; `$harness` makes a fresh [`Harness`].
#[macro_export]
macro_rules! queue_contract {
    ($harness:expr) => {
        $crate::queue_contract! { $harness,
            work::{
                announced_work_arrives_in_order,
                a_long_announcement_arrives_whole,
                what_many_announce_at_once_arrives,
                what_is_acknowledged_does_not_come_again,
                one_member_is_active,
                another_takes_over_what_a_dropped_member_did_not_acknowledge,
                one_that_leaves_lets_the_next_one_in_and_still_acknowledges,
                what_is_dropped_after_leaving_comes_again,
                a_member_holds_a_bounded_number,
                an_empty_announcement_is_nothing,
            }
            events::{
                events_arrive_whole_and_in_order,
                an_event_that_nobody_hears_is_published,
            }
            commands::{
                a_command_comes_whole,
                what_is_done_does_not_come_again,
                what_is_put_off_comes_again,
                what_is_dropped_untold_comes_again,
                unsettled_commands_are_bounded,
                what_always_comes_back_is_given_up,
            }
            dead::{
                a_discarded_dead_letter_is_gone_and_the_others_stay,
                a_rejected_command_is_a_dead_letter_whole,
                the_oldest_dead_letters_are_listed_and_stay,
                a_redriven_command_comes_again_marked,
                there_is_nothing_to_redrive_under_an_unknown_name,
            }
            restart::{
                what_was_confirmed_outlives_a_restart,
            }
        }
    };
    ($harness:expr, $($group:ident::{ $($point:ident),+ $(,)? })+) => {
        $(mod $group {
            use super::*;
            $(
                #[tokio::test]
                async fn $point() {
                    $crate::contract::$group::$point(&$harness).await;
                }
            )+
        })+
    };
}
