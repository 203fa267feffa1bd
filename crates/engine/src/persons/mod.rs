//! Actions of persons: written down, approved by a second person where one is needed, carried out
//! once.
//!
//! * [`actions`]: the one way in for everything that a person does by hand
//! * `interrupted`: approved actions whose process died, completed
//! * `arrival_actions`: decisions about arrivals that are kept for persons
//! * `action_request`: the requests for actions, and the answers
//! * `action_content`: an action as it is stored

pub mod actions;

pub(crate) mod action_content;
pub(crate) mod action_request;
pub(crate) mod arrival_actions;
pub(crate) mod interrupted;
