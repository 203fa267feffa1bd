//! The subject of a request: a read or a command, and the keys that its path names.

/// The form in which a path names a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    Id(u64),
    External(String),
}

/// A state-changing command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) action: Action,
    pub(crate) account: Key,
    pub(crate) transaction: Option<Key>,
}

/// The action of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Deposit,
    Withdraw,
    Hold,
    Release,
    Undo,
    Reverse,
    Approve,
    Disburse,
    UndoDisbursal,
    Repay,
    Refund,
    Adjust,
}

impl Action {
    /// The action's name in the command table.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Deposit => "DEPOSIT",
            Self::Withdraw => "WITHDRAWAL",
            Self::Hold => "HOLDAMOUNT",
            Self::Release => "RELEASEAMOUNT",
            Self::Undo => "UNDOTRANSACTION",
            Self::Reverse => "REVERSETRANSACTION",
            Self::Approve => "APPROVE",
            Self::Disburse => "DISBURSE",
            Self::UndoDisbursal => "DISBURSALUNDO",
            Self::Repay => "REPAYMENT",
            Self::Refund => "CREDITBALANCEREFUND",
            Self::Adjust => "ADJUST",
        }
    }

    /// True if it is about a loan.
    pub(crate) const fn is_loan(self) -> bool {
        matches!(
            self,
            Self::Approve
                | Self::Disburse
                | Self::UndoDisbursal
                | Self::Repay
                | Self::Refund
                | Self::Adjust
        )
    }

    /// The entity's name in the command table.
    pub(crate) const fn entity(self) -> &'static str {
        if self.is_loan() { "LOAN" } else { "SAVINGSACCOUNT" }
    }

    /// The permission it needs.
    pub(crate) fn task(self) -> String {
        format!("{}_{}", self.name(), self.entity())
    }

    /// The operation's name in the fault plan.
    pub(crate) const fn operation(self) -> &'static str {
        match self {
            Self::Deposit => "deposit",
            Self::Withdraw => "withdraw",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Undo | Self::Reverse | Self::UndoDisbursal | Self::Adjust => "undo",
            Self::Approve => "approve",
            Self::Disburse => "disburse",
            Self::Repay => "repay",
            Self::Refund => "refund",
        }
    }

    /// True if it reads a body of its own; the others ignore one.
    pub(crate) const fn needs_body(self) -> bool {
        !matches!(self, Self::Release | Self::Undo | Self::Reverse | Self::UndoDisbursal)
    }
}

/// The subject of a read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Read {
    Savings(Key),
    SavingsList,
    SavingsTransaction(Key, Key),
    SavingsSearch(Key),
    Loan(Key),
    LoanList,
    LoanTransaction(Key, Key),
    LoanTransactions(Key),
    LoanTemplate(Key),
    Client(Key),
    ClientAccounts(Key),
    ClientList,
    ClientSearch,
    Search,
    PaymentTypes,
    Offices,
    Currencies,
    Configurations,
    Configuration(String),
    BusinessDates,
    BusinessDate(String),
    GlClosures,
    Holidays,
    WorkingDays,
    ExternalEvents,
    Audits,
    WaitingCommands,
    Table(TableRead),
}

impl Read {
    /// The permission it needs.
    pub(crate) fn task(&self) -> String {
        let task = match self {
            Self::Table(TableRead::Definition(_)) => "READ_DATATABLE",
            Self::Table(read) => return format!("READ_{}", read.table()),
            Self::Savings(_)
            | Self::SavingsList
            | Self::SavingsTransaction(..)
            | Self::SavingsSearch(_) => "READ_SAVINGSACCOUNT",
            Self::Loan(_)
            | Self::LoanList
            | Self::LoanTransaction(..)
            | Self::LoanTransactions(_)
            | Self::LoanTemplate(_) => "READ_LOAN",
            Self::Client(_)
            | Self::ClientAccounts(_)
            | Self::ClientList
            | Self::ClientSearch
            | Self::Search => "READ_CLIENT",
            Self::PaymentTypes => "READ_PAYMENTTYPE",
            Self::Offices => "READ_OFFICE",
            Self::Currencies => "READ_CURRENCY",
            Self::Configurations | Self::Configuration(_) => "READ_CONFIGURATION",
            Self::BusinessDates | Self::BusinessDate(_) => "READ_BUSINESS_DATE",
            Self::GlClosures => "READ_GLCLOSURE",
            Self::Holidays => "READ_HOLIDAY",
            Self::WorkingDays => "READ_WORKINGDAYS",
            Self::ExternalEvents => "READ_EXTERNAL_EVENT_CONFIGURATION",
            Self::Audits | Self::WaitingCommands => "READ_AUDIT",
        };
        task.to_owned()
    }
}

/// The route of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    Read(Read),
    Command(Order),
    /// The path takes commands, but only these.
    UnknownCommand(&'static [&'static str]),
    Authentication,
    /// Approving or rejecting a command that waits.
    Decide(u64),
}

/// The reason that there is no route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoute {
    NotFound,
    WrongMethod,
}

/// The subject of a read of data tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TableRead {
    /// All rows of a record.
    Record(String, u64),
    /// One row of a record.
    Row(String, u64, u64),
    /// Rows by their fields.
    Query(String),
    /// The table itself.
    Definition(String),
}

impl TableRead {
    /// The route below `datatables`.
    pub(crate) fn of(is_post: bool, rest: &[&str], new_paths: bool) -> Option<Self> {
        match rest {
            [name, "query"] if is_post && new_paths => Some(Self::Query((*name).to_owned())),
            [name] if !is_post => Some(Self::Definition((*name).to_owned())),
            [name, record] if !is_post => {
                Some(Self::Record((*name).to_owned(), record.parse().ok()?))
            }
            [name, record, row] if !is_post => {
                let (record, row) = (record.parse().ok()?, row.parse().ok()?);
                Some(Self::Row((*name).to_owned(), record, row))
            }
            _ => None,
        }
    }

    /// The table.
    pub(crate) fn table(&self) -> &str {
        let (Self::Record(name, _)
        | Self::Row(name, ..)
        | Self::Query(name)
        | Self::Definition(name)) = self;
        name
    }
}
