//! The introduction of the `OpenAPI` document and of its page.

/// The facts that every reader should know first. Paragraphs; back-ticks for code.
pub(super) const OVERVIEW: &[&str] = &[
    "Kiungo moves customers' money between a wallet at a mobile money provider and an account in \
     the core, and can prove, for every shilling, where it is.",
    "Every request needs an API key, `Authorization: Bearer …`. A key has roles: `read` looks, \
     `write` creates transfers and asks after them, `operate` does an operator's work and sees \
     phone numbers in full. None includes another. A key may besides be bound to some cores, \
     providers and kinds of transfers: others do not exist for it, in lists as by their names; and \
     to a largest amount, above which it sees transfers and does not move them. A page of a list \
     may then be shorter than `limit`: it is the last one when it has no `next`.",
    "Amounts are texts such as `125.50`, gross, never zero, with no more decimals than the currency \
     has. Moments are RFC 3339 in UTC with microseconds. A member without a value is left out of \
     an answer; an unknown member in a request is an error.",
    "A transfer is created under an `Idempotency-Key` of your choice. Whatever happens (a time-out, \
     a 5xx, a lost connection), send the same request again with the same key: it is carried out \
     once, and answered as the first time, with `Idempotency-Replayed: true`.",
    "A transfer is answered with 202 once it is durable, and is then on its way. Its end is \
     `completed`, `failed` or `reversed`; until the other side has given evidence, it is none of \
     these, however long that takes.",
    "Errors are problem details (RFC 9457), `application/problem+json`. `code` is a stable word; \
     each is described under Problems. Every answer carries `X-Request-Id`, taken from the request \
     if it has one.",
];
