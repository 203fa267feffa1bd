//! Work that is due: found in the store, also after a restart.
//!
//! * `schedule`: taken up by this process, where it does all of the work
//! * `sweep`: announced, where work is shared
//! * `shards`: this process's part in shared work
//! * `wall_clock`: the consequences of a clock that is set back

pub(crate) mod schedule;
pub(crate) mod shards;
pub(crate) mod sweep;
pub(crate) mod wall_clock;
