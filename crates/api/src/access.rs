//! The rights of a caller.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;

use crate::Scope;

/// The holder of an API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The name of the key.
    pub client: Arc<str>,
    roles: BTreeSet<Role>,
    scope: Arc<Scope>,
}

impl Identity {
    /// The holder of the key of this name.
    pub fn new(client: &str, roles: BTreeSet<Role>, scope: Scope) -> Self {
        Self { client: Arc::from(client), roles, scope: Arc::new(scope) }
    }

    /// True if the key has this role.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// The part of the business that the key may see and move.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }
}

/// A right of a key. None includes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looking: transfers, providers, suspense, cases, metrics.
    Read,
    /// Creating transfers, and asking for their outcomes.
    Write,
    /// An operator's work: reversals, assignments, suggestions; sees phone numbers in full.
    Operate,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Operate];

    /// The role of that name.
    ///
    /// # Errors
    /// The names of the roles, if it has none of them.
    pub fn of(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == name);
        found.ok_or_else(|| format!("`{name}` is not one of \"read\", \"write\", \"operate\""))
    }

    /// The word used in the configuration and in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Operate => "operate",
        }
    }
}
