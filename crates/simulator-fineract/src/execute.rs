//! Carrying commands out: the checks before the command table, the claim, the handler, the result.

use std::time::Duration;

use super::answer::Answer;
use super::bank::Bank;
use super::body::Body;
use super::calendar;
use super::call::{Call, Caller, unknown_command};
use super::command_context::{CommandContext, Contention};
use super::commands::{Claim, Draft, State};
use super::fault_draw::{DrawnFaults, EarlyError, FaultSubject};
use super::json::Serializer;
use super::options::Version;
use super::refusal::{Problem, Refusal};
use super::result::{CommandResult, awaiting_approval};
use super::route::{Action, Key, Order, Route};
use super::{Simulator, hook_delivery, loans, savings};

/// The waits of the server itself before it tries a key under processing again (`fineract.md`
/// §4.2).
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

/// The account and action that a command addresses, resolved.
#[derive(Debug, Clone, Copy)]
struct Target {
    action: Action,
    account: u64,
    transaction: Option<u64>,
}

impl Simulator {
    /// Carries a command out.
    pub(crate) async fn command(
        &self,
        call: &Call,
        subject: &FaultSubject,
        drawn: DrawnFaults,
    ) -> Result<Answer, Refusal> {
        let caller = self.admit(call)?;
        call.must_be_json()?;
        let Ok(Route::Command(order)) = &call.route else { return Err(unknown_command(call)) };
        let target = self.resolve(caller, order, drawn)?;
        let task = order.action.task();
        caller.must_be_allowed(&task)?;
        if self.is_forbidden_now() {
            return Err(Refusal::NotAuthorized(task));
        }
        if drawn.error_before == Some(EarlyError::Scheduler) {
            return Err(scheduler_running());
        }
        let body = call.body.as_ref().map_err(Clone::clone)?.as_ref();
        let wire_key = call.header(&self.options().idempotency_header).unwrap_or("");
        let key = Some(wire_key).filter(|key| !key.is_empty() && self.options().honours_keys());
        let draft = Draft {
            order,
            account: target.account,
            transaction: target.transaction,
            body,
            key,
            wire_key,
            maker: &caller.user.name,
            at: call.at,
        };
        let row = match self.claim(caller.tenant, &draft).await? {
            Claim::Mine(row) => row,
            Claim::Replay(answer) => return Ok(answer),
            _ => return Ok(too_early(call)),
        };
        let command = Duration::from_millis(self.options().command_ms);
        if !command.is_zero() {
            tokio::time::sleep(command).await;
        }
        if drawn.late_work {
            tokio::time::sleep(self.faults().slow()).await;
        }
        let drawn_refusal =
            subject.drawn_refusal(self.faults(), target.action, self.options().version);
        let context = CommandContext {
            options: self.options(),
            today: calendar::business_date(self.options(), self.clock().now()),
            user: &caller.user.name,
            key: wire_key,
            needs_approval: self.options().maker_checker.contains(&task)
                && !caller.user.is_checker_of(&task),
            drawn_refusal,
            contention: subject.contention(self.faults()),
        };
        let done = self
            .with_bank(caller.tenant, |bank| work(bank, &context, (row, key), target, body, drawn));
        // A command without a body sends no hook.
        if let Some(body) = body {
            let response = done.as_ref().ok().and_then(Answer::result);
            let event = (target.action.entity(), target.action.name());
            self.tell(caller.tenant, event, &hook_delivery::repeated(body), response.as_ref());
        }
        done
    }

    /// The nightly job's lock, and names instead of ids: both before the command is known.
    fn resolve(
        &self,
        caller: Caller<'_>,
        order: &Order,
        drawn: DrawnFaults,
    ) -> Result<Target, Refusal> {
        self.with_bank(caller.tenant, |bank| {
            let action = order.action;
            let account = if action.is_loan() {
                bank.loan_id(&order.account)?
            } else {
                bank.savings_id(&order.account)?
            };
            if drawn.loan_locked && bank.loan(account).is_ok() {
                return Err(Refusal::LoanLocked(account));
            }
            let transaction = match &order.transaction {
                None => None,
                Some(key) if action.is_loan() => Some(bank.loan_transaction_id(key)?),
                Some(key) => Some(bank.savings_transaction_id(key)?),
            };
            Ok(Target { action, account, transaction })
        })
    }

    /// Claims a row, with the server's own patience.
    async fn claim(&self, tenant: &str, draft: &Draft<'_>) -> Result<Claim, Refusal> {
        let old = self.options().version <= Version::V1_10;
        let mut pauses = PAUSES.into_iter();
        loop {
            let draft = Draft { at: self.clock().now(), ..draft.clone() };
            let claim = self.with_bank(tenant, |bank| Ok(bank.commands.claim(&draft)))?;
            match claim {
                Claim::KeyTooLong => return Err(Refusal::data_integrity()),
                Claim::Collision if old => {
                    let (action, key) = (draft.order.action, draft.key.unwrap_or(""));
                    let names = format!("{}, {}, {key}", action.name(), action.entity());
                    return Err(Refusal::key_collision(self.options().database, &names));
                }
                Claim::Mine(_) | Claim::Replay(_) => return Ok(claim),
                Claim::Collision | Claim::UnderProcessing => match pauses.next() {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => return Ok(claim),
                },
            }
        }
    }

    /// A second person approves or rejects a command that waits (`fineract.md` §3.2).
    pub(crate) fn decide(
        &self,
        caller: Caller<'_>,
        call: &Call,
        command: u64,
    ) -> Result<Answer, Refusal> {
        let context = CommandContext {
            options: self.options(),
            today: calendar::business_date(self.options(), call.at),
            user: &caller.user.name,
            key: "",
            needs_approval: false,
            drawn_refusal: None,
            contention: Contention::default(),
        };
        let approve = match call.query.get("command").map(str::to_ascii_lowercase).as_deref() {
            Some("approve") => true,
            Some("reject") => false,
            _ => return Err(unknown_command(call)),
        };
        self.with_bank(caller.tenant, |bank| {
            let waiting =
                bank.commands.get(command).filter(|row| row.state == State::AwaitingApproval);
            let Some(waiting) = waiting else {
                let message = format!("Command with identifier {command} does not exist");
                let problem = Problem::new("error.msg.command.id.invalid", message);
                return Err(Refusal::NotFound(problem.arg(command)));
            };
            let task = waiting.order.action.task();
            if !caller.user.is_checker_of(&task) {
                return Err(Refusal::NotAuthorized(format!("{task}_CHECKER")));
            }
            if waiting.maker == caller.user.name {
                let message = "The same user cannot approve a command that he made.";
                let problem = Problem::new("error.msg.command.unsupported", message);
                return Err(Refusal::invalid(problem));
            }
            let target = Target {
                action: waiting.order.action,
                account: waiting.account,
                transaction: waiting.transaction,
            };
            let body = Body::parse(waiting.body.as_deref().unwrap_or("").as_bytes())?;
            let key = waiting.key.clone();
            if !approve {
                bank.commands.settle(command, State::Rejected);
                let json = super::json::Json::object().with("commandId", command);
                return Ok(Answer::ok(Serializer::Gson, &json));
            }
            let context = CommandContext { key: &key, ..context };
            let result = run(bank, &context, target, body.as_ref())?;
            let answer = Answer::ok(Serializer::Gson, &result.json(context.version()));
            bank.commands.settle(command, State::Processed(answer.clone()));
            Ok(answer)
        })
    }
}

/// Runs the handler and settles the row; or crashes in one of the two windows.
fn work(
    bank: &mut Bank,
    context: &CommandContext<'_>,
    (row, key): (u64, Option<&str>),
    target: Target,
    body: Option<&Body>,
    drawn: DrawnFaults,
) -> Result<Answer, Refusal> {
    // From 1.15 on money and result are one transaction: no window is left.
    let one_transaction = context.version() >= Version::V1_15;
    if drawn.stuck_before {
        if one_transaction {
            bank.commands.forget(row, key);
        } else if key.is_some() {
            bank.commands.settle(row, State::Stuck);
        }
        return Ok(Answer::reset());
    }
    if drawn.error_before == Some(EarlyError::Handler) {
        bank.commands.settle(row, State::Failed(Refusal::Server.stored()));
        return Err(Refusal::Server);
    }
    let done = run(bank, context, target, body);
    let stuck = drawn.stuck_after && done.is_ok();
    if stuck && !one_transaction {
        return Ok(Answer::reset());
    }
    let (state, answer) = match done {
        Ok(result) => {
            let answer = Answer::ok(Serializer::Gson, &result.json(context.version()));
            (State::Processed(answer.clone()), answer)
        }
        Err(Refusal::AwaitsApproval(resource)) => {
            let json = awaiting_approval(row, resource, context.version());
            (State::AwaitingApproval, Answer::ok(Serializer::Gson, &json))
        }
        Err(refusal) => (State::Failed(refusal.stored()), refusal.answer()),
    };
    bank.commands.settle(row, state);
    Ok(if stuck { Answer::reset() } else { answer })
}

fn run(
    bank: &mut Bank,
    context: &CommandContext<'_>,
    target: Target,
    body: Option<&Body>,
) -> Result<CommandResult, Refusal> {
    let empty = Body::default();
    let Some(body) = body.or_else(|| (!target.action.needs_body()).then_some(&empty)) else {
        return Err(Refusal::NoJson);
    };
    let (account, transaction) = (target.account, target.transaction.unwrap_or(0));
    match target.action {
        Action::Deposit => savings::post::deposit(bank, context, account, body),
        Action::Withdraw => savings::post::withdraw(bank, context, account, body),
        Action::Hold => savings::hold::hold(bank, context, account, body),
        Action::Release => savings::hold::release(bank, context, account, transaction),
        Action::Undo => savings::undo::undo(bank, context, account, transaction),
        Action::Reverse => savings::undo::reverse(bank, context, account, transaction),
        Action::Approve => loans::disburse::approve(bank, context, account, body),
        Action::Disburse => loans::disburse::disburse(bank, context, account, body),
        Action::UndoDisbursal => loans::disburse::undo_disbursal(bank, context, account, body),
        Action::Repay => loans::post::repay(bank, context, account, body),
        Action::Refund => loans::post::refund(bank, context, account, body),
        Action::Adjust => loans::adjust::adjust(bank, context, account, transaction, body),
    }
}

/// 425 echoes the request, with the cache header.
fn too_early(call: &Call) -> Answer {
    let body = call.body.as_ref().ok().and_then(Option::as_ref).map_or("", Body::raw);
    Answer::json(425, body).replayed()
}

fn scheduler_running() -> Refusal {
    let job = "Apply Annual Fee For Savings";
    let message = format!(
        "Execution is in-process for jobs {job}...., so update operations are not allowed at this moment"
    );
    Refusal::Unavailable(Problem::new("error.msg.sheduler.job.currently.running", message).arg(job))
}

impl Bank {
    /// The id behind a key of a savings account. An id is not checked here.
    pub(crate) fn savings_id(&self, key: &Key) -> Result<u64, Refusal> {
        match (key, self.names.savings_external_id.get(external(key))) {
            (Key::Id(id), _) | (Key::External(_), Some(id)) => Ok(*id),
            // It looks the id up first and then finds no account with no id.
            (Key::External(_), None) => {
                let message = "Savings account with identifier null does not exist";
                let problem = Problem::new("error.msg.saving.account.id.invalid", message);
                Err(Refusal::NotFound(problem.null_arg()))
            }
        }
    }

    /// The id behind a key of a loan.
    pub(crate) fn loan_id(&self, key: &Key) -> Result<u64, Refusal> {
        let names = &self.names.loan_external_id;
        by_name(key, names.get(external(key)), "loan.external.id.invalid", "Loan")
    }

    /// The id behind a key of a client.
    pub(crate) fn client_id(&self, key: &Key) -> Result<u64, Refusal> {
        let names = &self.names.client_external_id;
        by_name(key, names.get(external(key)), "client.external.id.invalid", "Client")
    }

    /// The id behind a key of a loan's row.
    pub(crate) fn loan_transaction_id(&self, key: &Key) -> Result<u64, Refusal> {
        let names = &self.names.loan_transaction_external_id;
        by_name(
            key,
            names.get(external(key)),
            "loan.transaction.external.id.invalid",
            "Transaction",
        )
    }

    /// The id behind a key of a savings account's row.
    pub(crate) fn savings_transaction_id(&self, key: &Key) -> Result<u64, Refusal> {
        let names = &self.names.savings_transaction_external_id;
        let code = "saving.account.transaction.external.id.invalid";
        by_name(key, names.get(external(key)), code, "Savings account transaction")
    }
}

fn external(key: &Key) -> &str {
    match key {
        Key::External(name) => name,
        Key::Id(_) => "",
    }
}

fn by_name(key: &Key, found: Option<&u64>, code: &str, what: &str) -> Result<u64, Refusal> {
    match (key, found) {
        (Key::Id(id), _) | (Key::External(_), Some(id)) => Ok(*id),
        (Key::External(name), None) => {
            let message = format!("{what} with external identifier {name} does not exist");
            let problem = Problem::new(format!("error.msg.{code}"), message);
            Err(Refusal::NotFound(problem.arg(name.as_str())))
        }
    }
}
