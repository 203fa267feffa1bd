//! The order in which a request is checked before a handler sees it
//! (`fineract.md` §4.2), and what becomes of the answer.

use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use kiungo_domain::Timestamp;
use kiungo_simulator::response_faults;

use super::answer::Answer;
use super::body::Body;
use super::fault_draw::{EarlyError, Errand, Luck};
use super::json::{Json, Serializer};
use super::options::{Auth, User, Version};
use super::query::Query;
use super::refusal::Refusal;
use super::route::{self, NoRoute, Route};
use super::{Simulator, reads};

/// Largest request body that is read, in bytes: the container's limit for a form.
const BODY_LENGTH_MAX: usize = 2 * 1024 * 1024;

const PREFIX: &str = "/fineract-provider/";
const PROXY_PAGE: &str = "<html><head><title>503 Service Temporarily Unavailable</title></head>\
    <body><center><h1>503 Service Temporarily Unavailable</h1></center></body></html>";

/// A request, read and routed but not judged.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) query_text: String,
    pub(crate) query: Query,
    pub(crate) route: Result<Route, NoRoute>,
    pub(crate) body: Result<Option<Body>, Refusal>,
    pub(crate) raw_body: bytes::Bytes,
    pub(crate) at: Timestamp,
    is_post: bool,
    headers: HeaderMap,
}

/// The user who asks, and the tenant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guest<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) user: &'a User,
}

/// Answers every request outside `/_sim`.
pub(crate) async fn handle(State(simulator): State<Simulator>, request: Request) -> Response {
    let at = simulator.clock().now();
    let path = request.uri().path().to_owned();
    let response = match Call::read(request, &simulator).await {
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
    let errand = simulator.errand(&call);
    let luck = errand.draw(simulator.faults(), &call, simulator.options().version);
    if luck.reset_before {
        return response_faults::reset(Response::default());
    }
    if luck.error_before == Some(EarlyError::ProxyPage) {
        return Answer::html(503, PROXY_PAGE).respond(&call.path, call.at);
    }
    let (path, at) = (call.path.clone(), call.at);
    let answer = if luck.late_work {
        let simulator = simulator.clone();
        // A task of its own: the work is done though the client may have gone.
        let work = tokio::spawn(async move { answer(&simulator, &call, &errand, luck).await });
        work.await.unwrap_or_else(|_| Answer::reset())
    } else {
        answer(simulator, &call, &errand, luck).await
    };
    if luck.reset_after {
        return response_faults::reset(Response::default());
    }
    if luck.error_after {
        return Refusal::Server.answer().respond(&path, at);
    }
    if luck.html_after {
        return response_faults::html();
    }
    if luck.slow {
        tokio::time::sleep(simulator.faults().slow()).await;
    }
    answer.respond(&path, at)
}

async fn answer(simulator: &Simulator, call: &Call, errand: &Errand, luck: Luck) -> Answer {
    let done = if let Ok(Route::Command(_)) = &call.route {
        simulator.command(call, errand, luck).await
    } else {
        if luck.late_work {
            tokio::time::sleep(simulator.faults().slow()).await;
        }
        simulator.at_once(call, luck)
    };
    done.unwrap_or_else(|refusal| refusal.answer())
}

impl Simulator {
    /// Answers every request that is not a command.
    fn at_once(&self, call: &Call, luck: Luck) -> Result<Answer, Refusal> {
        if matches!(call.route, Ok(Route::Authentication)) {
            self.tenant(call)?;
            call.must_be_json()?;
            return self.authenticate(call);
        }
        let guest = self.admit(call)?;
        call.must_be_json()?;
        match &call.route {
            Err(NoRoute::NotFound) => Err(Refusal::Container(404)),
            Err(NoRoute::WrongMethod) => Err(Refusal::Container(405)),
            Ok(Route::Read(read)) => {
                guest.must_be_allowed(&read.task())?;
                if luck.error_before.is_some() {
                    return Err(Refusal::Server);
                }
                reads::read(self, guest, call, read)
            }
            Ok(Route::Decide(command)) => self.decide(guest, call, *command),
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
    pub(crate) fn admit<'a>(&'a self, call: &'a Call) -> Result<Guest<'a>, Refusal> {
        let tenant = self.tenant(call)?;
        let sent = call.header("authorization").unwrap_or("");
        let user = self.user(sent).ok_or(match self.options().auth {
            Auth::Basic => Refusal::Container(401),
            Auth::Bearer => Refusal::Unauthenticated,
        })?;
        Ok(Guest { tenant, user })
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

impl Guest<'_> {
    /// The user's password and permission, in that order.
    pub(crate) fn must_be_allowed(&self, task: &str) -> Result<(), Refusal> {
        if self.user.password_outdated {
            return Err(Refusal::PasswordOutdated);
        }
        if self.user.may(task) { Ok(()) } else { Err(Refusal::NotAuthorized(task.to_owned())) }
    }
}

impl Call {
    /// Reads and routes a request; the status of the container's page if that fails.
    async fn read(request: Request, simulator: &Simulator) -> Result<Self, u16> {
        let at = simulator.clock().now();
        let (parts, body) = request.into_parts();
        let raw_body = to_bytes(body, BODY_LENGTH_MAX).await.map_err(|_| 413_u16)?;
        let path = parts.uri.path().to_owned();
        let query_text = parts.uri.query().unwrap_or("").to_owned();
        let query = Query::parse(&query_text);
        let version = simulator.options().version;
        let api = path.strip_prefix(PREFIX).and_then(|path| path.strip_prefix("api/"));
        let is_post = parts.method == Method::POST;
        let releases =
            (version >= Version::V1_10, version >= Version::V1_15, version >= Version::V1_12);
        let command = query.get("command").unwrap_or("");
        let find = |is_post| match api {
            Some(api) => route::find(is_post, api, command, releases),
            None => Err(NoRoute::NotFound),
        };
        let is_known = is_post || parts.method == Method::GET;
        let route = match find(is_post) {
            // Of a path that no method knows, the method is not looked at.
            Ok(_) if !is_known => Err(NoRoute::WrongMethod),
            Err(NoRoute::NotFound) if find(!is_post).is_ok() => Err(NoRoute::WrongMethod),
            route => route,
        };
        let body = Body::parse(&raw_body);
        let headers = parts.headers;
        Ok(Self { path, query_text, query, route, body, raw_body, at, is_post, headers })
    }

    /// A body of another type than JSON is not read by any route.
    pub(crate) fn must_be_json(&self) -> Result<(), Refusal> {
        let is_json = |sent: &str| {
            sent.split(';').next().is_some_and(|kind| kind.trim() == "application/json")
        };
        let other = self.is_post && self.header("content-type").is_some_and(|sent| !is_json(sent));
        let routed = !matches!(self.route, Err(NoRoute::NotFound));
        if other && routed { Err(Refusal::Container(415)) } else { Ok(()) }
    }

    /// A header that is readable text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// The 400 of an unknown `?command=`.
pub(crate) fn unknown_command(call: &Call) -> Refusal {
    let value = call.query.get("command").unwrap_or("");
    let message = format!("The query parameter command has an unsupported value of: {value}");
    let code = "error.msg.query.parameter.value.unsupported";
    let known = match &call.route {
        Ok(Route::UnknownCommand(known)) => *known,
        _ => &[],
    };
    let known: Vec<Json> = known.iter().map(|word| Json::from(*word)).collect();
    let problem = super::refusal::Problem::new(code, message).of("command");
    Refusal::invalid(problem.arg("command").arg(value).arg(known))
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
