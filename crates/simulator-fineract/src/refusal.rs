//! Refusals in the core's own words and forms (`fineract.md` §6).

use super::answer::Answer;
use super::json::{Json, Serializer};
use super::options::Database;

/// The reason that a request is not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The servlet container's own error page: no Fineract members.
    Container(u16),
    /// An exception nobody mapped: the container's 500 now, a small object when replayed.
    Unmapped(&'static str),
    /// Absent JSON: the bare parameter error.
    NoJson,
    /// Broken JSON: the same, with what the reader says.
    BrokenJson(String),
    /// 400 with every problem found.
    Invalid(Vec<Problem>),
    /// 400 for an expired password: the code also on top.
    PasswordOutdated,
    /// 401 envelope.
    Unauthenticated,
    /// 403: the user's permissions.
    NotAuthorized(String),
    /// 403: a domain rule.
    Rule(Problem),
    /// 403: the database's integrity; the real code also on top.
    Integrity(Problem),
    /// 404.
    NotFound(Problem),
    /// 503, of which several are final business refusals.
    Unavailable(Problem),
    /// 500 envelope.
    Server,
    /// 409: optimistic lock.
    OptimisticLock,
    /// 409: the database gave the statement up for another.
    QueryConflict,
    /// 409: the nightly job holds the loan. Sent without a JSON content type.
    LoanLocked(u64),
    /// Not a failure: the command waits for a second person. Carries the id of what it addresses.
    AwaitsApproval(Option<u64>),
}

/// One element of `errors`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    code: String,
    message: String,
    default_message: Option<Box<str>>,
    parameter: Option<Box<str>>,
    value: Option<Box<str>>,
    args: Vec<Option<Json>>,
}

impl Problem {
    /// A problem of the whole request: `parameterName` is `id`.
    pub(crate) fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            default_message: None,
            parameter: Some("id".into()),
            value: None,
            args: Vec::new(),
        }
    }

    /// The problem of one parameter.
    #[must_use]
    pub(crate) fn of(mut self, parameter: impl Into<String>) -> Self {
        self.parameter = Some(parameter.into().into_boxed_str());
        self
    }

    /// With the value that cannot be read, which is also its first argument.
    #[must_use]
    pub(crate) fn unreadable(mut self, value: &str) -> Self {
        self.value = Some(value.into());
        self.arg(value)
    }

    /// The problem of nothing in particular.
    #[must_use]
    pub(crate) fn of_nothing(mut self) -> Self {
        self.parameter = None;
        self
    }

    /// With one more argument.
    #[must_use]
    pub(crate) fn arg(mut self, value: impl Into<Json>) -> Self {
        self.args.push(Some(value.into()));
        self
    }

    /// With one more argument that is null, printed as `{}`.
    #[must_use]
    pub(crate) fn null_arg(mut self) -> Self {
        self.args.push(None);
        self
    }

    /// With a text of its own for users.
    #[must_use]
    pub(crate) fn for_users(mut self, message: impl Into<String>) -> Self {
        self.default_message = Some(message.into().into_boxed_str());
        self
    }

    fn json(&self) -> Json {
        let arg = |arg: &Option<Json>| match arg {
            Some(value) => Json::object().with("value", value.clone()),
            None => Json::object(),
        };
        let default_message = self.default_message.as_deref().unwrap_or(&self.message);
        Json::object()
            .with("developerMessage", self.message.as_str())
            .with("defaultUserMessage", default_message)
            .with("userMessageGlobalisationCode", self.code.as_str())
            .with_some("parameterName", self.parameter.as_deref())
            .with_some("value", self.value.as_deref())
            .with("args", self.args.iter().map(arg).collect::<Vec<_>>())
    }
}

const NOT_FOUND: &str = "The requested resource is not available.";
const UNAVAILABLE: &str =
    "The server is currently unable to handle the request , please try after some time.";
const SERVER: &str = "An unexpected error occured on the platform server.";
const INTEGRITY: &str = "The request caused a data integrity issue to be fired by the database.";
const INVALID: &str = "The request was invalid. This typically will happen due to validation errors which are provided.";
const RULE: &str = "Request was understood but caused a domain rule violation.";
const NOT_AUTHORIZED: &str = "The user associated with credentials passed on this request does not have sufficient privileges to perform this action.";
const BROKEN_JSON: &str = "The JSON syntax provided in the body of the request is invalid: ";
const NO_JSON: &str = "The JSON provided in the body of the request is invalid or missing.";
const OPTIMISTIC: &str = "The server is currently unable to handle the request due to concurrent modification  on optimistic lock [unknown], please try again";

const QUERY_CONFLICT: &str = "The server is currently unable to handle the request due to concurrent modification [unknown], please try again";

impl Refusal {
    /// One problem of one parameter.
    pub(crate) fn invalid(problem: Problem) -> Self {
        Self::Invalid(vec![problem])
    }

    /// The unspecific database failure, which up to 1.10.1 also reports a key collision.
    pub(crate) fn data_integrity() -> Self {
        let message = "Unknown data integrity issue with resource.";
        Self::Integrity(Problem::new("error.msg.data.integrity.issue", message))
    }

    /// A key whose row another request has just written, as the database words it: up to 1.10.1 an
    /// unspecific database failure like any other.
    pub(crate) fn key_collision(database: Database, names: &str) -> Self {
        if database == Database::Mysql {
            return Self::data_integrity();
        }
        let message = format!(
            "ERROR: duplicate key value violates unique constraint \"unique_portfolio_command_source\"\n  \
             Detail: Key (action_name, entity_name, idempotency_key)=({names}) already exists."
        );
        Self::Integrity(Problem::new("error.msg.data.integrity.issue", message).of_nothing())
    }

    /// The answer as it goes over the wire.
    pub(crate) fn answer(&self) -> Answer {
        let (status, body) = match self {
            Self::Container(status) => return Answer::container(*status),
            Self::Unmapped(_) => return Answer::container(500),
            Self::NoJson => (400, bare(NO_JSON)),
            Self::BrokenJson(why) => (400, bare(&format!("{BROKEN_JSON}{why}"))),
            Self::Invalid(problems) => {
                let code = "validation.msg.validation.errors.exist";
                (400, envelope(400, INVALID, "Validation errors exist.", code, Some(problems)))
            }
            Self::PasswordOutdated => {
                let text = "The password of current user has expired, please reset it";
                let code = "error.msg.password.outdated";
                let problem = [Problem::new(code, text)];
                (400, envelope(400, text, text, code, Some(&problem)))
            }
            Self::Unauthenticated => {
                let text = "Invalid authentication details were passed in api request.";
                let user = "Unauthenticated. Please login.";
                (401, envelope(401, text, user, "error.msg.not.authenticated", None))
            }
            Self::NotAuthorized(task) => {
                let user = "Insufficient privileges to perform this action.";
                let code = "error.msg.not.authorized";
                let text = match task.strip_prefix("READ_") {
                    Some(what) => format!("User has no authority to READ {}s", what.to_lowercase()),
                    None => format!("User has no authority to: {task}"),
                };
                let problem = [Problem::new(code, text)];
                (403, envelope(403, NOT_AUTHORIZED, user, code, Some(&problem)))
            }
            Self::Rule(problem) => {
                let user = "Errors contain reason for domain rule violation.";
                let code = "validation.msg.domain.rule.violation";
                (403, envelope(403, RULE, user, code, Some(std::slice::from_ref(problem))))
            }
            Self::Integrity(problem) => {
                let (user, code) = (&problem.message, &problem.code);
                (403, envelope(403, INTEGRITY, user, code, Some(std::slice::from_ref(problem))))
            }
            Self::NotFound(problem) => {
                let code = "error.msg.resource.not.found";
                let errors = Some(std::slice::from_ref(problem));
                (404, envelope(404, NOT_FOUND, NOT_FOUND, code, errors))
            }
            Self::Unavailable(problem) => {
                let code = "error.msg.platform.service.unavailable";
                let errors = Some(std::slice::from_ref(problem));
                (503, envelope(503, UNAVAILABLE, UNAVAILABLE, code, errors))
            }
            Self::Server => {
                let code = "error.msg.platform.server.side.error";
                let problem = [Problem::new(code, SERVER)];
                (500, envelope(500, SERVER, SERVER, code, Some(&problem)))
            }
            Self::OptimisticLock => {
                let code = "error.msg.platform.service.optimistic lock.conflict";
                (409, envelope(409, OPTIMISTIC, OPTIMISTIC, code, None))
            }
            Self::QueryConflict => {
                let code = "error.msg.platform.service.query.conflict";
                (409, envelope(409, QUERY_CONFLICT, QUERY_CONFLICT, code, None))
            }
            Self::LoanLocked(id) => {
                let text = format!("Loan is locked by the COB job. Loan ID: {id}");
                let body = envelope(409, &text, &text, "error.msg.loan.locked", None);
                let body = Serializer::Jackson.print(&body);
                return Answer::json(409, body).without_content_type();
            }
            Self::AwaitsApproval(_) => (200, Json::object()),
        };
        Answer::json(status, Serializer::Jackson.print(&body))
    }

    /// The answer that is stored under the command's key: as it was sent, except for an unmapped
    /// exception, of which only a small object is left (`fineract.md` §4.2).
    pub(crate) fn stored(&self) -> Answer {
        match self {
            Self::Unmapped(message) => {
                let body = Json::object().with("Exception", *message);
                Answer::json(500, Serializer::Gson.print(&body))
            }
            other => other.answer(),
        }
    }
}

fn envelope(
    status: u16,
    developer: &str,
    user: &str,
    code: &str,
    errors: Option<&[Problem]>,
) -> Json {
    let errors = errors.map(|errors| errors.iter().map(Problem::json).collect::<Vec<_>>());
    Json::object()
        .with("developerMessage", developer)
        .with("httpStatusCode", status.to_string())
        .with("defaultUserMessage", user)
        .with("userMessageGlobalisationCode", code)
        .with_some("errors", errors)
}

fn bare(message: &str) -> Json {
    Problem::new("error.msg.invalid.request.body", message).json()
}
