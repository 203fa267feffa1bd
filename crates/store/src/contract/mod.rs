//! The requirements on every store, as one suite of tests. A store's tests say how one is opened
//! ([`Harness`]) and let [`store_contract!`](crate::store_contract) make a test of each point.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests, shared by several stores"
)]

pub mod account_locks;
pub mod actions;
pub mod archive;
pub mod cases;
pub mod commits;
pub mod comparison;
pub mod dues;
pub mod durability;
pub mod fixtures;
pub mod groups;
pub mod inbox;
pub mod leases;
pub mod limits;
pub mod outbox;
pub mod projection;
pub mod requests;
pub mod searches;

use std::sync::Arc;

use async_trait::async_trait;

use crate::Store;

/// The way in which a test opens its store.
#[async_trait]
pub trait Harness: Send + Sync {
    /// Opens the store, empty the first time.
    async fn open(&self) -> Arc<dyn Store>;

    /// Opens it as a store that keeps an outbox.
    async fn open_with_outbox(&self) -> Arc<dyn Store>;

    /// Closes the store and opens it again; `None` if it does not outlive its process.
    async fn reopen(&self, store: Arc<dyn Store>) -> Option<Arc<dyn Store>>;
}

/// Makes a test of every point of the contract; `$harness` makes a fresh [`Harness`].
#[macro_export]
macro_rules! store_contract {
    ($harness:expr) => {
        $crate::store_contract! { $harness,
            commits::{
                a_change_is_there_whole,
                a_change_adds_to_what_was_there,
                a_change_on_another_version_is_stale,
                a_refused_change_leaves_nothing,
                a_receipt_belongs_to_one_transfer,
                a_receipt_of_another_provider_is_another_receipt,
                an_idempotency_key_names_its_holder,
                an_inbox_item_is_handled_once,
                an_unbalanced_decision_is_refused,
                a_decision_with_a_gap_is_refused,
            }
            groups::{
                sixty_four_writers_commit_side_by_side,
                of_ten_thousand_duplicates_one_wins,
                of_many_claims_to_a_receipt_one_wins,
                a_refused_member_does_not_hurt_the_others,
                of_two_changes_of_a_transfer_in_one_batch_the_second_stands,
                a_postponement_follows_the_commit_of_its_version_in_one_batch,
                the_same_arrival_from_many_sides_is_one_item,
            }
            dues::{
                the_longest_due_comes_first,
                an_arrival_that_waits_is_due_like_a_transfer,
                a_transfer_is_postponed_at_its_version_only,
                a_change_replaces_the_due_time,
                what_is_taken_comes_back_when_its_time_is_over,
                concurrent_takers_take_each_once,
                inbox_items_are_taken_once_and_come_back,
            }
            account_locks::{
                an_account_is_held_by_one_transfer,
                another_core_or_kind_is_another_account,
                an_account_lock_that_is_free_again_can_be_taken,
                an_account_goes_from_hand_to_hand_within_a_batch,
                of_sixty_four_rivals_for_an_account_one_wins,
                a_stale_decision_is_stale_whoever_holds_the_account,
                a_refused_decision_takes_no_account,
                who_is_given_another_account_lets_go_of_the_first,
            }
            limits::{
                a_day_is_used_up_by_value_and_by_count,
                each_wallet_direction_provider_currency_and_day_counts_by_itself,
                whose_limit_and_which_is_told,
                what_is_definitely_not_executed_leaves_its_room,
                what_was_executed_counts_though_it_is_given_back,
                what_is_executed_already_counts_and_is_never_refused,
                a_transfer_counts_on_the_day_of_its_allowance,
                a_transfer_is_not_judged_again_by_the_day_on_which_it_counts,
                of_sixty_four_rivals_for_a_days_room_those_that_fit_are_taken,
                a_change_that_does_not_fit_does_not_hurt_the_others,
                a_day_goes_from_hand_to_hand_within_a_batch,
                a_known_key_goes_before_a_full_day,
                a_day_stays_used_over_archive_and_restart,
            }
            outbox::{
                what_becomes_known_is_told_in_order,
                a_refused_change_tells_nothing,
                what_was_told_is_gone,
                a_store_without_outbox_writes_none,
                many_writers_keep_the_order_of_each_transfer,
            }
            leases::{
                a_lease_is_taken_renewed_lost_and_released,
                of_sixty_four_who_want_a_lease_one_has_it,
                leases_are_listed_by_name,
            }
            actions::{
                actions_of_persons_are_listed_newest_first,
                an_action_changes_on_its_version_only,
                of_many_who_judge_an_action_one_does,
            }
            inbox::{
                an_arrival_is_stored_whole_and_once,
                an_item_waits_is_postponed_and_handled,
                what_is_handled_stays_handled,
                of_two_decisions_about_an_arrival_one_is_taken,
                an_unknown_item_is_an_error,
            }
            cases::{
                a_case_opens_changes_and_closes_with_its_transfer,
                a_quarantined_item_is_a_case_until_it_is_handled,
                an_arrival_that_stays_unclear_is_a_case_and_goes_on,
                holds_are_kept_since_they_began_and_end,
                a_held_operation_is_one_case_until_nothing_holds_it,
                what_is_due_is_brought_forward,
                cases_are_paged_newest_first,
            }
            searches::{
                every_filter_narrows_the_search,
                accounts_and_amounts_are_found_as_people_write_them,
                pages_neither_lose_nor_repeat_a_row,
                a_page_has_a_bound,
                a_strange_cursor_is_an_error,
            }
            projection::{
                every_scenario_is_told_alike_by_journal_and_projection,
                the_ledger_is_the_sum_of_all_postings,
                the_overview_counts_what_is_there,
                transfers_that_hold_their_account_are_named,
                every_collection_under_way_is_found_by_what_a_payment_tells,
            }
            archive::{
                what_is_archived_is_found_by_id_and_receipt_only,
                only_what_is_settled_is_archived,
                the_oldest_are_archived_first_within_the_bound,
                what_is_archived_refuses_whoever_comes_second,
                what_happens_to_an_archived_transfer_brings_it_back,
            }
            requests::{
                a_request_is_stored_whole_and_once,
                a_request_changes_on_its_version_only,
                of_many_writers_of_one_request_one_writes,
                known_and_accepted_requests_are_found,
                requests_are_paged_newest_first,
            }
            durability::{
                everything_is_there_after_a_restart,
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
