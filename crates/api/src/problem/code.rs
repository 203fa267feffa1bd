//! The codes: one for each thing that can go wrong, with its status, title and page.

use http::StatusCode;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:ident, $title:literal, $page:literal;)*) => {
        /// The kind of a problem. The words never change; new ones may be added.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// All codes, in the order of their statuses.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The stable word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The problem in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// Cause, consequence and remedy.
            pub const fn page(self) -> &'static str {
                match self { $(Self::$name => $page,)* }
            }
        }
    };
}

codes! {
    /// The request cannot be read.
    MalformedRequest = "malformed_request", BAD_REQUEST, "The request cannot be read",
        "The body is not JSON in UTF-8, is nested too deeply, broke off, or the address is not properly encoded. Nothing was done. Repair the program that made the request.";
    /// No idempotency key.
    IdempotencyKeyMissing = "idempotency_key_missing", BAD_REQUEST, "An idempotency key is required",
        "A transfer is created under a key of your choice, in the header `Idempotency-Key`: 1 to 200 visible ASCII characters, sent once. Nothing was done. Take a new key for each transfer that is wanted, and the same key whenever you repeat a request.";
    /// No valid API key.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "A valid API key is required",
        "The header `Authorization: Bearer …` is missing, or its key is not known. Nothing was done.";
    /// The key lacks a role.
    Forbidden = "forbidden", FORBIDDEN, "The API key does not allow this",
        "The key is known but lacks the role that `detail` names, or it is bound to a part of the business (cores, providers, kinds, a largest amount) that this is not in; `detail` says which. Nothing was done. Ask whoever runs this server for a key that allows it.";
    /// No such address.
    NotFound = "not_found", NOT_FOUND, "There is nothing at this address",
        "The address is not one of this API. See the list of operations.";
    /// No such transfer.
    TransferNotFound = "transfer_not_found", NOT_FOUND, "There is no such transfer",
        "The id is not one of a transfer, nor a reference of one of its operations.";
    /// No such provider.
    ProviderNotFound = "provider_not_found", NOT_FOUND, "There is no such provider",
        "No provider of this name is configured. `GET /v1/providers` lists them.";
    /// The provider does not offer it.
    NotOffered = "not_offered", NOT_FOUND, "The provider does not offer this",
        "The provider's API has nothing of the kind. `GET /v1/providers` says what each offers.";
    /// No such wallet.
    WalletNotFound = "wallet_not_found", NOT_FOUND, "There is no such wallet",
        "The provider knows no wallet with this number.";
    /// No such request of a core.
    CoreRequestNotFound = "core_request_not_found", NOT_FOUND, "There is no such request of a core",
        "No request of this name was taken up from this core. `GET /v1/core-requests?state=all` lists them.";
    /// No such action.
    ActionNotFound = "action_not_found", NOT_FOUND, "There is no such action",
        "The id is not one of an action of a person. `GET /v1/actions?state=all` lists them.";
    /// No such arrival.
    ArrivalNotFound = "arrival_not_found", NOT_FOUND, "There is no such arrival",
        "The number is not one of something that arrived from a provider. `GET /v1/cases` names those that wait for a person as `inbox`.";
    /// The method does not fit.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The method is not allowed here",
        "The address exists, for the methods that the header `Allow` names.";
    /// The request took too long.
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, "The request took too long",
        "It did not arrive whole, or was not answered, within the server's bound. Whether it was carried out is not known: repeat a transfer under the same idempotency key, which tells; read a transfer before you repeat anything else.";
    /// The transfer's state forbids it.
    Conflict = "conflict", CONFLICT, "The transfer's state does not allow this",
        "The transfer exists, and is in a state in which this cannot be done; `detail` says which, and what would allow it. Nothing was done.";
    /// The state of the core's request does not allow the decision.
    CoreRequestConflict = "core_request_conflict", CONFLICT, "The request cannot be decided so",
        "The request of the core exists, and where it stands this cannot be decided: it has become a transfer, the core does not ask for it any more, or it is not what was shown; `detail` says which, and `version` where it is now if another version was named. Nothing is paid. Read it again before you decide.";
    /// The object is not as it was shown.
    Changed = "changed", CONFLICT, "It has changed since it was shown",
        "The request names the version that was shown, and it is at another one now, which `detail` says. Nothing was done. Read it again, and decide about what you see then.";
    /// The action cannot be carried out or judged.
    ActionConflict = "action_conflict", CONFLICT, "The action cannot be carried out so",
        "The action exists or would be possible, and not as things stand: it was approved, declined or carried out before, the same person proposed it, nothing holds the operation, or the arrival is not quarantined; `detail` says which. Nothing was done.";
    /// The transfer is being worked on.
    TransferBusy = "transfer_busy", CONFLICT, "The transfer is being worked on",
        "Another step of the same transfer is running. Nothing was done. Try again after the time in `Retry-After`.";
    /// The body is too large.
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "The body is too large",
        "The body is longer than the server's bound. Nothing was done.";
    /// Not JSON.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body must be JSON",
        "Send `Content-Type: application/json`, in UTF-8, without `Content-Encoding`. Nothing was done.";
    /// Members or parameters are wrong.
    InvalidRequest = "invalid_request", UNPROCESSABLE_ENTITY, "The request cannot be carried out",
        "The request can be read, and some of it is wrong: `errors` names each member as a JSON pointer, or each parameter, with what is wrong. Nothing was done, and the idempotency key is still unused.";
    /// No such provider is configured.
    UnknownProvider = "unknown_provider", UNPROCESSABLE_ENTITY, "The provider is not configured",
        "The request names a provider that is not configured. Nothing was done, and the idempotency key is still unused. `GET /v1/providers` lists them.";
    /// No such core is configured.
    UnknownCore = "unknown_core", UNPROCESSABLE_ENTITY, "The core is not configured",
        "The request names a core that is not configured. Nothing was done, and the idempotency key is still unused. Leave `core` out to take the provider's own.";
    /// The provider's rules forbid the transfer.
    TransferRefused = "transfer_refused", UNPROCESSABLE_ENTITY, "The provider's rules forbid the transfer",
        "A limit of the provider, for one transfer or for the day of a wallet or of the organisation, its currency or its decimals forbid it; `rule` says which in one word, `detail` in a sentence. Nothing was stored, and the idempotency key is still unused.";
    /// The key belongs to another request.
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The idempotency key belongs to another request",
        "The same key came before, with another content; `transfer` is what it created. Nothing was done. Take a new key for a new transfer; to repeat a request, send exactly what you sent.";
    /// Too many requests of one client.
    TooManyRequests = "too_many_requests", TOO_MANY_REQUESTS, "Too many requests at a time",
        "This client has as many requests in flight as it may. Nothing was done. Try again after the time in `Retry-After`, with the same idempotency key.";
    /// The head is too large.
    HeadersTooLarge = "headers_too_large", REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too large",
        "The first line and headers together are longer, or more, than the server's bound. Nothing was done.";
    /// A bug.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something is wrong with this server",
        "A defect of ours, or a database that holds something unreadable. Whether the request was carried out is not known: repeat a transfer under the same idempotency key, which tells. Report it with the request's id.";
    /// The provider gave no usable answer.
    ProviderUnavailable = "provider_unavailable", BAD_GATEWAY, "The provider gave no usable answer",
        "The provider was asked and did not answer as it should. No money moved. Try again later.";
    /// The provider refuses us.
    ProviderRepair = "provider_repair", BAD_GATEWAY, "The provider refuses our login or configuration",
        "A person must repair credentials, permissions or configuration; `detail` says what. No money moved.";
    /// The core gave no usable answer.
    CoreUnavailable = "core_unavailable", BAD_GATEWAY, "The core gave no usable answer",
        "The core was asked and did not answer as it should. Nothing was decided, and no money moved. Try again later.";
    /// The server is full.
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "The server is full",
        "As many requests are in flight as the server takes. Nothing was done. Try again after the time in `Retry-After`, with the same idempotency key.";
    /// The provider is not asked now.
    ProviderBusy = "provider_busy", SERVICE_UNAVAILABLE, "The provider is not asked at the moment",
        "Questions have a share of what a provider is asked, so that they never hold up transfers; it is used up, or the provider is closed or does not answer. Nobody was asked. Try again after the time in `Retry-After`.";
    /// The core is not asked now.
    CoreBusy = "core_busy", SERVICE_UNAVAILABLE, "The core is not asked at the moment",
        "Questions have a share of what a core is asked, so that they never hold up transfers; it is used up, or the core does not answer. Nobody was asked. Try again after the time in `Retry-After`.";
    /// The backlog is full.
    BacklogFull = "backlog_full", SERVICE_UNAVAILABLE, "The backlog is full",
        "More transfers wait than the engine may hold. Nothing was stored. Try again after the time in `Retry-After`, with the same idempotency key.";
    /// The server is starting or stopping.
    NotReady = "not_ready", SERVICE_UNAVAILABLE, "The server is starting or stopping",
        "It takes no work at this moment. Nothing was done. Try again after the time in `Retry-After`, with the same idempotency key.";
    /// The database does not answer.
    StoreUnavailable = "store_unavailable", SERVICE_UNAVAILABLE, "The database does not answer",
        "Whether the request was carried out is not known: repeat a transfer under the same idempotency key, which tells; read a transfer before you repeat anything else.";
}

impl Code {
    /// The address of the problem's description: RFC 9457 allows a relative reference, which leads
    /// to the server's own page.
    pub fn type_uri(self) -> String {
        format!("/docs#problem-{}", self.as_str())
    }

    /// The code for an error status that a library chose.
    pub fn for_status(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthenticated,
            StatusCode::FORBIDDEN => Self::Forbidden,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Self::RequestTimeout,
            StatusCode::PAYLOAD_TOO_LARGE => Self::PayloadTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::TOO_MANY_REQUESTS => Self::TooManyRequests,
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Self::HeadersTooLarge,
            StatusCode::SERVICE_UNAVAILABLE => Self::Overloaded,
            status if status.is_client_error() => Self::MalformedRequest,
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_unique_an_error_and_explained() {
        let words: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        for code in Code::ALL {
            let status = code.status();
            assert!(status.is_client_error() || status.is_server_error(), "{code:?}");
            assert!(code.page().ends_with('.') && code.page().len() > 40, "{code:?}");
        }
        let bound = format!("1 to {} visible ASCII", crate::wire::check::KEY_CHARS_MAX);
        assert!(Code::IdempotencyKeyMissing.page().contains(&bound));
    }

    #[test]
    fn a_library_status_keeps_its_number_where_we_know_it() {
        for code in Code::ALL {
            let class = Code::for_status(code.status()).status().as_u16() / 100;
            assert_eq!(class, code.status().as_u16() / 100, "{code:?}");
        }
    }
}
