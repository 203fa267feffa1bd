//! Text on the terminal of the person who runs a command.
//!
//! * `output`: answers on standard output, as tables or JSON
//! * `layout`: text and tables that fit the width
//! * `when`: moments in the zone of this machine

pub(crate) mod layout;
pub(crate) mod output;
pub(crate) mod when;
