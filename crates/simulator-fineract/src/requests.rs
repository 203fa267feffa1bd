//! The order in which a request is checked before a handler sees it
//! (`fineract.md` §4.2), and what becomes of the answer.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use kiungo_simulator::response_faults;

use super::answer::Answer;
use super::call::{Call, Caller, PREFIX, unknown_command};
use super::fault_draw::{DrawnFaults, EarlyError, FaultSubject};
use super::json::{Json, Serializer};
use super::options::{Auth, Version};
use super::refusal::Refusal;
use super::route::{NoRoute, Route};
use super::{Simulator, reads};

const PROXY_PAGE: &str = "<html><head><title>503 Service Temporarily Unavailable</title></head>\
    <body><center><h1>503 Service Temporarily Unavailable</h1></center></body></html>";

/// Answers every request outside `/_sim`.
pub(crate) async fn handle(State(simulator): State<Simulator>, request: Request) -> Response {
    let at = simulator.clock().now();
    let path = request.uri().path().to_owned();
    let response = match Call::read(request, at, simulator.options().version).await {
        Ok(call) => attend(&simulator, call).await,
        Err(status) => Answer::container(status).respond(&path, at),
    };
    simulator.close_now_and_then(response)
}

/// Carries a call out with the faults that are drawn for it.
async fn attend(simulator: &Simulator, call: Call) -> Response {
    if let Some(answer) = actuator(&call.path, simulator.options().version) {
        return answer.respond(&call.path, call.at);
    }
    let is_welcome = simulator.welcomes(&call);
    let mut response = attend_api(simulator, call).await;
    if is_welcome {
        let refresh = HeaderValue::from_static("true");
        response.headers_mut().insert("x-notification-refresh", refresh);
    }
    response
}

async fn attend_api(simulator: &Simulator, call: Call) -> Response {
    let subject = simulator.fault_subject(&call);
    let drawn = subject.draw(simulator.faults(), &call, simulator.options().version);
    if drawn.reset_before {
        return response_faults::reset(Response::default());
    }
    if drawn.error_before == Some(EarlyError::ProxyPage) {
        return Answer::html(503, PROXY_PAGE).respond(&call.path, call.at);
    }
    let (path, at) = (call.path.clone(), call.at);
    let answer = if drawn.late_work {
        let simulator = simulator.clone();
        // A task of its own: the work is done though the client may have gone.
        let work = tokio::spawn(async move { answer(&simulator, &call, &subject, drawn).await });
        work.await.unwrap_or_else(|_| Answer::reset())
    } else {
        answer(simulator, &call, &subject, drawn).await
    };
    if drawn.reset_after {
        return response_faults::reset(Response::default());
    }
    if drawn.error_after {
        return Refusal::Server.answer().respond(&path, at);
    }
    if drawn.html_after {
        return response_faults::html();
    }
    if drawn.slow {
        tokio::time::sleep(simulator.faults().slow()).await;
    }
    answer.respond(&path, at)
}

async fn answer(
    simulator: &Simulator,
    call: &Call,
    subject: &FaultSubject,
    drawn: DrawnFaults,
) -> Answer {
    let done = if let Ok(Route::Command(_)) = &call.route {
        simulator.command(call, subject, drawn).await
    } else {
        if drawn.late_work {
            tokio::time::sleep(simulator.faults().slow()).await;
        }
        simulator.at_once(call, drawn)
    };
    done.unwrap_or_else(|refusal| refusal.answer())
}

impl Simulator {
    /// The subject about which the fault plan is asked for this request.
    fn fault_subject(&self, call: &Call) -> FaultSubject {
        let tenant = call.header("fineract-platform-tenantid").unwrap_or("");
        let banks = self.lock();
        FaultSubject::of(call, banks.get(tenant))
    }

    /// Answers every request that is not a command.
    fn at_once(&self, call: &Call, drawn: DrawnFaults) -> Result<Answer, Refusal> {
        if matches!(call.route, Ok(Route::Authentication)) {
            self.tenant(call)?;
            call.must_be_json()?;
            return self.authenticate(call);
        }
        let caller = self.admit(call)?;
        call.must_be_json()?;
        match &call.route {
            Err(NoRoute::NotFound) => Err(Refusal::Container(404)),
            Err(NoRoute::WrongMethod) => Err(Refusal::Container(405)),
            Ok(Route::Read(read)) => {
                caller.must_be_allowed(&read.task())?;
                if drawn.error_before.is_some() {
                    return Err(Refusal::Server);
                }
                reads::read(self, caller, call, read)
            }
            Ok(Route::Decide(command)) => self.decide(caller, call, *command),
            Ok(Route::UnknownCommand(_) | Route::Command(_) | Route::Authentication) => {
                Err(unknown_command(call))
            }
        }
    }

    /// True if the request comes as far as the routes: its answer then says so.
    fn welcomes(&self, call: &Call) -> bool {
        match call.route {
            Ok(Route::Authentication) => self.tenant(call).is_ok(),
            _ => self.admit(call).is_ok(),
        }
    }

    /// Tenant first, then the login.
    pub(crate) fn admit<'a>(&'a self, call: &'a Call) -> Result<Caller<'a>, Refusal> {
        let tenant = self.tenant(call)?;
        let sent = call.header("authorization").unwrap_or("");
        let user = self.user(sent).ok_or(match self.options().auth {
            Auth::Basic => Refusal::Container(401),
            Auth::Bearer => Refusal::Unauthenticated,
        })?;
        Ok(Caller { tenant, user })
    }

    fn tenant<'a>(&self, call: &'a Call) -> Result<&'a str, Refusal> {
        let header = call.header("fineract-platform-tenantid");
        let tenant = header.or_else(|| call.query.get("tenantIdentifier"));
        tenant.filter(|tenant| self.has_tenant(tenant)).ok_or(Refusal::Container(400))
    }

    /// `POST /authentication`: what a login is worth.
    fn authenticate(&self, call: &Call) -> Result<Answer, Refusal> {
        let body = call.body.clone()?.ok_or(Refusal::NoJson)?;
        let (name, password) = (body.text("username"), body.text("password"));
        let user = self.options().users.iter().find(|user| {
            Some(user.name.as_str()) == name && Some(user.password.as_str()) == password
        });
        let user = user.ok_or(Refusal::Unauthenticated)?;
        let permissions = user.permissions.iter().map(|held| Json::from(held.as_str())).collect();
        let role = Json::object()
            .with("id", 1_i64)
            .with("name", "Connector")
            .with("description", "Moves money.")
            .with("disabled", false);
        let json = Json::object()
            .with("username", user.name.as_str())
            .with("userId", 1_i64)
            .with("base64EncodedAuthenticationKey", super::simulator::basic_key(user))
            .with("authenticated", true)
            .with("officeId", super::result::OFFICE_ID)
            .with("officeName", super::result::OFFICE_NAME)
            .with("roles", vec![role])
            .with("permissions", Json::List(permissions))
            .with("shouldRenewPassword", user.password_outdated)
            .with("isTwoFactorAuthenticationRequired", false);
        Ok(Answer::ok(Serializer::Gson, &json))
    }
}

fn actuator(path: &str, version: Version) -> Option<Answer> {
    let json = match path.strip_prefix(PREFIX)? {
        "actuator/health" => Json::object().with("status", "UP"),
        "actuator/info" => {
            let build = Json::object().with("version", version.number());
            let git = Json::object().with("branch", "release").with("build", build);
            Json::object().with("git", git)
        }
        _ => return None,
    };
    Some(Answer::ok(Serializer::Gson, &json))
}

impl Simulator {
    /// Asks to close the connection after so many responses, and with every answer of a status upon
    /// which the container does.
    fn close_now_and_then(&self, mut response: Response) -> Response {
        let closes = matches!(response.status().as_u16(), 400 | 413 | 500 | 503);
        if (self.count_response() || closes) && response.status() != StatusCode::SWITCHING_PROTOCOLS
        {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
