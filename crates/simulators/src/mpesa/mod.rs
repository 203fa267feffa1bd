//! An M-Pesa `OpenAPI` market: being written.
