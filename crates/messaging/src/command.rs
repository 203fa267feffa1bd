//! The commands: their types, and the data of each.

use kiungo_api::problem::Problem;
use kiungo_api::scope::{About, Intent};
use kiungo_api::sha256_hex;
use kiungo_api::wire::request::{TransferRequest, digest};
use kiungo_api::wire::{NamedTransfer, read_request};
use kiungo_api::{Role, Wallets};
use kiungo_domain::{AccountRef, TransferId};
use kiungo_engine::PersonAction;
use kiungo_engine::request::NewTransfer;
use kiungo_store::ActionId;
use serde::Serialize;

use crate::command_data::{
    ApprovalData, ArrivalData, AssignmentData, ClaimData, DecisionData, DeclineData, InquiryData,
    OperationData, ReversalData,
};

/// The type of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandType {
    /// A transfer is wanted.
    Create,
    /// The other side is to be asked again.
    Inquire,
    /// A transfer is to be given back.
    Reverse,
    /// Suspended money is given its account.
    Assign,
    /// A person decides about a transfer.
    Decide,
    /// An operation of a provider is to be held.
    Hold,
    /// An operation of a provider is to go on.
    Release,
    /// A payment is to be brought in by its receipt.
    Claim,
    /// A quarantined arrival is to be handled again.
    HandleAgain,
    /// A quarantined arrival is to be dismissed.
    Dismiss,
    /// An action is approved by a second person.
    Approve,
    /// An action is declined.
    Decline,
}

impl CommandType {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Create,
        Self::Inquire,
        Self::Reverse,
        Self::Assign,
        Self::Decide,
        Self::Hold,
        Self::Release,
        Self::Claim,
        Self::HandleAgain,
        Self::Dismiss,
        Self::Approve,
        Self::Decline,
    ];

    /// The type of its `CloudEvent`, which is the routing key too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "transfer.create",
            Self::Inquire => "transfer.inquire",
            Self::Reverse => "transfer.reverse",
            Self::Assign => "suspense.assign",
            Self::Decide => "transfer.decide",
            Self::Hold => "provider.hold",
            Self::Release => "provider.release",
            Self::Claim => "payment.claim",
            Self::HandleAgain => "arrival.handle_again",
            Self::Dismiss => "arrival.dismiss",
            Self::Approve => "action.approve",
            Self::Decline => "action.decline",
        }
    }

    /// The command in a few words, for the documents.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Create => "A transfer is wanted",
            Self::Inquire => "The other side is to be asked again",
            Self::Reverse => "A transfer is to be given back",
            Self::Assign => "Suspended money is given its account",
            Self::Decide => "A person decides about a transfer",
            Self::Hold => "An operation of a provider is to be held",
            Self::Release => "An operation of a provider is to go on",
            Self::Claim => "A payment is to be brought in by its receipt",
            Self::HandleAgain => "A quarantined arrival is to be handled again",
            Self::Dismiss => "A quarantined arrival is to be dismissed",
            Self::Approve => "An action is approved by a second person",
            Self::Decline => "An action is declined",
        }
    }

    /// The type of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The role that it needs, as in the API.
    pub const fn role(self) -> Role {
        match self {
            Self::Create | Self::Inquire => Role::Write,
            Self::Reverse
            | Self::Assign
            | Self::Decide
            | Self::Hold
            | Self::Release
            | Self::Claim
            | Self::HandleAgain
            | Self::Dismiss
            | Self::Approve
            | Self::Decline => Role::Operate,
        }
    }
}

/// The content of a command, every member checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// A transfer.
    Create(Box<NewTransfer>),
    /// Asking the other side again.
    Inquire(NamedTransfer),
    /// An action of a person.
    Act {
        /// The action.
        action: Box<PersonAction>,
        /// The transfer as the client names it, where the action is about one.
        named: Option<NamedTransfer>,
        /// The reason.
        reason: String,
        /// The version of the transfer that the person saw.
        seen: Option<u64>,
    },
    /// A second person's judgement of an action.
    Review {
        /// The action.
        action: ActionId,
        /// True if it is approved.
        approved: bool,
        /// The reason.
        reason: String,
        /// The version of the transfer that the person saw.
        seen: Option<u64>,
    },
}

impl Request {
    /// Reads the data of a command of this type. Paths in the problem are from the root of the data.
    /// `wallets` knows how providers' numbers are written.
    pub fn read(kind: CommandType, data: &str, wallets: &dyn Wallets) -> Result<Self, Problem> {
        let data = data.as_bytes();
        match kind {
            CommandType::Create => {
                let new = read_request::<TransferRequest>(data)?.read(wallets)?;
                Ok(Self::Create(Box::new(new)))
            }
            CommandType::Inquire => read_request::<InquiryData>(data)?.read().map(Self::Inquire),
            CommandType::Reverse => read_request::<ReversalData>(data)?.read(),
            CommandType::Assign => read_request::<AssignmentData>(data)?.read(),
            CommandType::Decide => read_request::<DecisionData>(data)?.read(),
            CommandType::Hold => read_request::<OperationData>(data)?
                .read(|provider, operation| PersonAction::Hold { provider, operation }),
            CommandType::Release => read_request::<OperationData>(data)?
                .read(|provider, operation| PersonAction::Release { provider, operation }),
            CommandType::Claim => read_request::<ClaimData>(data)?.read(wallets),
            CommandType::HandleAgain => read_request::<ArrivalData>(data)?
                .read(|arrival| PersonAction::HandleAgain { arrival }),
            CommandType::Dismiss => {
                read_request::<ArrivalData>(data)?.read(|arrival| PersonAction::Dismiss { arrival })
            }
            CommandType::Approve => read_request::<ApprovalData>(data)?.read(),
            CommandType::Decline => read_request::<DeclineData>(data)?.read(),
        }
    }

    /// The subject of the command, as far as a client's scope asks.
    pub fn about(&self) -> About<'_> {
        match self {
            Self::Create(new) => About::New(new),
            Self::Inquire(named) => About::Transfer(named.id(), Intent::Move),
            Self::Act { action, .. } => About::of_action(action, Intent::Move),
            Self::Review { action, .. } => About::Action(*action, Intent::Move),
        }
    }

    /// The transfer as the client names it, where the command is about one that is there.
    pub(crate) const fn named(&self) -> Option<NamedTransfer> {
        match self {
            Self::Inquire(named) => Some(*named),
            Self::Act { named, .. } => *named,
            Self::Create(_) | Self::Review { .. } => None,
        }
    }

    /// SHA-256 of the meaning of the command. The digest of a transfer equals the API's, so that
    /// the same key with the same content is the same request on either way. The digests of
    /// reversals and assignments are those of version 0.1, because a command may be delivered again
    /// after an update.
    pub fn digest(&self) -> String {
        #[derive(Serialize)]
        struct First<'a> {
            form: u8,
            command: CommandName,
            transfer: TransferId,
            reason: Option<&'a str>,
            account: Option<&'a AccountRef>,
        }
        type CommandName = &'static str;
        #[derive(Serialize)]
        struct Second<'a> {
            form: u8,
            action: Option<&'a PersonAction>,
            judged: Option<(ActionId, bool)>,
            reason: &'a str,
            seen: Option<u64>,
        }
        let first = |command: CommandType, transfer, reason, account| {
            canonical(&First { form: 1, command: command.as_str(), transfer, reason, account })
        };
        match self {
            Self::Create(new) => digest(new),
            Self::Inquire(named) => first(CommandType::Inquire, named.id(), None, None),
            Self::Act { action, reason, seen, .. } => match &**action {
                PersonAction::Reverse { transfer } => {
                    first(CommandType::Reverse, *transfer, Some(reason), None)
                }
                PersonAction::Assign { transfer, account } => {
                    first(CommandType::Assign, *transfer, None, Some(account))
                }
                action => {
                    let (action, judged, seen) = (Some(action), None, *seen);
                    canonical(&Second { form: 2, action, judged, reason, seen })
                }
            },
            Self::Review { action, approved, reason, seen } => {
                let (judged, seen) = (Some((*action, *approved)), *seen);
                canonical(&Second { form: 2, action: None, judged, reason, seen })
            }
        }
    }
}

/// SHA-256 of the JSON form.
fn canonical(content: &impl Serialize) -> String {
    // Structs of plain values always have a JSON form.
    sha256_hex(&serde_json::to_vec(content).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use kiungo_domain::numbering::{Market, NumberError};
    use kiungo_domain::{Msisdn, ProviderId};
    use kiungo_engine::request::SubmitError;

    use super::*;

    /// Every provider is in Tanzania.
    struct Tanzania;

    impl Wallets for Tanzania {
        fn read_wallet(&self, _: &ProviderId, text: &str) -> Result<Msisdn, SubmitError> {
            Ok(Market::of(&["255"]).unwrap().read(text)?)
        }

        fn find_wallet(&self, _: Option<&ProviderId>, _: &str) -> Result<Msisdn, NumberError> {
            Err(NumberError::Unreadable)
        }
    }

    fn read(kind: CommandType, data: &str) -> Result<Request, Problem> {
        Request::read(kind, data, &Tanzania)
    }

    const ID: &str = "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2c00";

    fn faults(kind: CommandType, data: &str) -> String {
        let problem = read(kind, data).expect_err(data);
        let paths = problem.errors().iter().filter_map(|error| error.pointer.clone());
        paths.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_wrong_with_the_data_is_named_by_its_place() {
        use CommandType::{Assign, Create, Inquire, Reverse};
        let transfer = r#"{"kind":"deposit","provider":"mpesa-tz","msisdn":"255712345678",
            "account":{"type":"savings","id":1},"amount":AMOUNT,"currency":"TZS"}"#;
        let cases = [
            (Create, transfer.replace("AMOUNT", "125.50"), "#/amount"),
            (Create, transfer.replace("AMOUNT", r#""1e3""#), "#/amount"),
            (Create, transfer.replace("AMOUNT", r#""-5""#), "#/amount"),
            (Create, transfer.replace("AMOUNT", r#""5","amount":"6""#), "#"),
            (Create, transfer.replace("AMOUNT", r#""5","colour":"red""#), "#/colour"),
            (Create, transfer.replace("AMOUNT", "\"5\"").replace("2557", "084"), "#/msisdn"),
            (Create, transfer.replace("AMOUNT", "\"5\"").replace("2557", "x"), "#/msisdn"),
            (Inquire, "{}".to_owned(), "#/transfer"),
            (Reverse, "{}".to_owned(), "#/transfer #/reason"),
            (Assign, r#"{"account":{"id":1}}"#.to_owned(), "#/transfer #/account/type"),
            (Inquire, r#"{"transfer":"x"}"#.to_owned(), "#/transfer"),
            (Inquire, format!(r#"{{"transfer":"{ID}","reason":"x"}}"#), "#/reason"),
            (Reverse, format!(r#"{{"transfer":"{ID}","reason":""}}"#), "#/reason"),
            (Reverse, r#"{"transfer":"","reason":""}"#.to_owned(), "#/transfer #/reason"),
            (Assign, format!(r#"{{"transfer":"{ID}","account":["savings",1]}}"#), "#/account"),
            (Assign, format!(r#"{{"transfer":"{ID}","account":{{"type":"loan"}}}}"#), "#/account"),
        ];
        for (kind, data, path) in cases {
            assert_eq!(faults(kind, &data), path, "{data}");
        }
    }

    #[test]
    fn commands_that_mean_something_else_have_another_digest() {
        let other = "019354a0-5c1e-7d3a-9d3c-8a6f0e1b2d00";
        let digests: BTreeSet<String> = [
            (CommandType::Inquire, format!(r#"{{"transfer":"{ID}"}}"#)),
            (CommandType::Reverse, format!(r#"{{"transfer":"{ID}","reason":"a"}}"#)),
            (CommandType::Reverse, format!(r#"{{"transfer":"{ID}","reason":"b"}}"#)),
            (CommandType::Reverse, format!(r#"{{"transfer":"{other}","reason":"a"}}"#)),
            (
                CommandType::Assign,
                format!(r#"{{"transfer":"{ID}","account":{{"type":"loan","id":1}}}}"#),
            ),
            (
                CommandType::Assign,
                format!(r#"{{"transfer":"{ID}","account":{{"type":"loan","id":2}}}}"#),
            ),
        ]
        .into_iter()
        .map(|(kind, data)| read(kind, &data).unwrap().digest())
        .collect();
        assert_eq!(digests.len(), 6);
        let spaced = format!(r#"{{ "reason": "a", "transfer": "{ID}" }}"#);
        let spaced = read(CommandType::Reverse, &spaced).unwrap().digest();
        assert!(digests.contains(&spaced));
    }
}
