//! The part that a process takes: it serves the API, does the work, or both.

use std::fmt;

use crate::config::Config;
use crate::config::queue::QueueAddress;
use crate::failure::Failure;

/// The part that a process takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProcessRole {
    /// The API, callbacks and commands; others do the work.
    Serve,
    /// The work.
    Work,
    /// Both.
    Both,
}

impl fmt::Display for ProcessRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Serve => "serve",
            Self::Work => "work",
            Self::Both => "both",
        })
    }
}

impl ProcessRole {
    pub(super) const fn serves(self) -> bool {
        matches!(self, Self::Serve | Self::Both)
    }

    pub(super) const fn works(self) -> bool {
        matches!(self, Self::Work | Self::Both)
    }
}

/// The role of a process with this configuration: with the embedded queue one process does
/// everything.
pub(super) fn role_with(config: &Config, role: ProcessRole) -> Result<ProcessRole, Failure> {
    match (&config.queue.address, role) {
        (QueueAddress::Rabbit(_), role) => Ok(role),
        (QueueAddress::Embedded, ProcessRole::Work) => Err(Failure::Usage(
            "the embedded queue has one process, which works by itself: `kiungo serve`; set \
             queue.url = \"amqp://…\" and database.url = \"postgres://…\" to share the work"
                .to_owned(),
        )),
        (QueueAddress::Embedded, _) => Ok(ProcessRole::Both),
    }
}
