//! Answers that the gateway makes when it cannot forward a request.

use std::fmt::Write;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use moongate_hooks::Origin;
use moongate_model::HttpsRedirectStatus;

use crate::dns::DnsError;

/// Why a request was not answered by its upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The request is not one that can be forwarded safely.
    BadRequest,
    /// The client paused for too long within the body of its request.
    RequestTimeout,
    /// The body of the request is larger than any may be.
    BodyTooLarge,
    /// The head of the request, or one of its lines, is too long.
    HeadTooLarge,
    /// What the request asks for is too long.
    UriTooLong,
    /// The method is not served.
    MethodNotAllowed,
    /// The body of the request is in a transfer coding that is not spoken.
    UnknownCoding,
    /// The request is in a version of HTTP that is not spoken on its connection.
    UnknownVersion,
    /// No route matched.
    NoRoute,
    /// The matched route is for TLS connections only.
    HttpsRequired(HttpsRedirectStatus),
    /// The matched route is for gRPC over TLS connections only.
    GrpcsRequired,
    /// The matched route is for gRPC only.
    NotGrpc,
    /// The matched route is for gRPC, which needs HTTP/2.
    Http2Required,
    /// The matched route has no service.
    NoService,
    /// The upstream's name has no address.
    NameResolution,
    /// No name server says what addresses the upstream's name has.
    NoNameServer,
    /// The upstream has targets, and none is available.
    NoPeer,
    /// The upstream refused, reset, or sent no valid response.
    BadGateway,
    /// The upstream was too slow.
    GatewayTimeout,
    /// A plugin failed and its failure policy is closed, or the gateway itself did.
    Internal,
}

impl From<DnsError> for Failure {
    fn from(error: DnsError) -> Self {
        match error {
            DnsError::NotFound => Self::NameResolution,
            DnsError::Unanswered => Self::NoNameServer,
        }
    }
}

impl Failure {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::BadRequest | Self::HeadTooLarge => StatusCode::BAD_REQUEST,
            Self::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UriTooLong => StatusCode::URI_TOO_LONG,
            Self::UnknownCoding => StatusCode::NOT_IMPLEMENTED,
            Self::UnknownVersion => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoRoute => StatusCode::NOT_FOUND,
            Self::HttpsRequired(redirect) => {
                StatusCode::from_u16(redirect.code()).unwrap_or(StatusCode::UPGRADE_REQUIRED)
            }
            // gRPC tells it in a header.
            Self::GrpcsRequired => StatusCode::OK,
            Self::NotGrpc => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Http2Required => StatusCode::UPGRADE_REQUIRED,
            Self::NoService | Self::NameResolution | Self::NoPeer => StatusCode::SERVICE_UNAVAILABLE,
            Self::BadGateway => StatusCode::BAD_GATEWAY,
            Self::GatewayTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::NoNameServer | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::BadRequest => "Bad request",
            Self::HeadTooLarge => "Request header or cookie too large",
            Self::RequestTimeout => "Request timeout",
            Self::BodyTooLarge => "Payload too large",
            Self::UriTooLong => "URI too long",
            Self::UnknownCoding => "501 Not Implemented",
            Self::UnknownVersion => "505 HTTP Version Not Supported",
            Self::MethodNotAllowed => "Method not allowed",
            Self::NoRoute => "no Route matched with those values",
            Self::HttpsRequired(_) => "Please use HTTPS protocol",
            Self::GrpcsRequired => "gRPC request matched gRPCs route",
            Self::NotGrpc => "Non-gRPC request matched gRPC route",
            Self::Http2Required => "Please use HTTP2 protocol",
            Self::NoService => "no Service found with those values",
            Self::NameResolution => "name resolution failed",
            Self::NoNameServer => "name resolution failed: no name server has an answer",
            Self::NoPeer => "failure to get a peer from the ring-balancer",
            Self::BadGateway => "An invalid response was received from the upstream server",
            Self::GatewayTimeout => "The upstream server is timing out",
            Self::Internal => "An unexpected error occurred",
        }
    }

    /// Who caused it.
    pub(crate) fn origin(self) -> Origin {
        match self {
            Self::BadRequest
            | Self::RequestTimeout
            | Self::BodyTooLarge
            | Self::HeadTooLarge
            | Self::UriTooLong
            | Self::UnknownCoding
            | Self::UnknownVersion
            | Self::MethodNotAllowed
            | Self::HttpsRequired(_)
            | Self::GrpcsRequired
            | Self::NotGrpc
            | Self::Http2Required
            | Self::NoRoute => Origin::Client,
            Self::BadGateway | Self::GatewayTimeout => Origin::Upstream,
            Self::NoService | Self::NameResolution | Self::NoNameServer | Self::NoPeer | Self::Internal => {
                Origin::Gateway
            }
        }
    }

    /// Whether the form of the body follows the rules for errors met on the way to the upstream: without an
    /// `Accept` header those look at the request's own type and the configured default.
    fn is_upstreams(self) -> bool {
        self.is_proxied()
            || matches!(
                self,
                Self::BadRequest
                    | Self::RequestTimeout
                    | Self::BodyTooLarge
                    | Self::HeadTooLarge
                    | Self::UriTooLong
                    | Self::MethodNotAllowed
            )
    }

    /// Whether it happened after the upstream's address was known.
    pub(crate) fn is_proxied(self) -> bool {
        self.origin() == Origin::Upstream
    }

    /// The body, in the form that the client asked for, and its type.
    pub(crate) fn body(
        self,
        request: &HeaderMap,
        default: ErrorType,
        request_id: &str,
    ) -> (HeaderValue, Bytes) {
        if matches!(self, Self::UnknownCoding | Self::UnknownVersion) {
            return (HeaderValue::from_static("text/html; charset=UTF-8"), page(self.message()).into());
        }
        if self.is_upstreams()
            && header(request, ACCEPT)
                .or_else(|| header(request, CONTENT_TYPE))
                .is_some_and(|kind| kind.contains("application/grpc"))
        {
            let body = format!("{{\"message\":\"{}\"}}", self.message());
            return (HeaderValue::from_static("application/json; charset=utf-8"), body.into());
        }
        let form = match header(request, ACCEPT) {
            // Such a head is not read any further.
            _ if matches!(self, Self::HeadTooLarge | Self::UriTooLong) => default,
            Some(accept) => ErrorType::negotiate(accept).unwrap_or(ErrorType::Json),
            None if self.is_upstreams() => {
                header(request, CONTENT_TYPE).and_then(ErrorType::negotiate).unwrap_or(default)
            }
            None => ErrorType::Json,
        };
        form.render(self.message(), request_id)
    }
}

/// The body of an error that a plugin tells of, in the form that the client asked for, and its type.
pub(crate) fn plugin_body(message: &str, request: &HeaderMap, request_id: &str) -> (HeaderValue, Bytes) {
    let form = header(request, ACCEPT).and_then(ErrorType::negotiate).unwrap_or(ErrorType::Json);
    // The gateway's own messages need no escapes; a plugin's may be made of anything.
    let escaped = match form {
        ErrorType::Json => {
            let quoted = serde_json::Value::from(message).to_string();
            quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
        }
        ErrorType::Plain => message.to_owned(),
        ErrorType::Html | ErrorType::Xml => {
            message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
        }
    };
    form.render(&escaped, request_id)
}

/// The form of an error body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorType {
    /// `application/json`.
    Json,
    /// `text/plain`.
    Plain,
    /// `text/html`.
    Html,
    /// `application/xml`.
    Xml,
}

impl ErrorType {
    /// The form of the media type with the highest quality, the first of equals; `None` when none is known.
    fn negotiate(accept: &str) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let Some(form) = parts.next().and_then(Self::of_media_type) else { continue };
            let quality =
                parts.find_map(|part| part.strip_prefix("q=")).and_then(|q| q.parse().ok()).unwrap_or(1.0);
            if best.is_none_or(|(known, _)| quality > known) {
                best = Some((quality, form));
            }
        }
        best.map(|(_, form)| form)
    }

    fn of_media_type(name: &str) -> Option<Self> {
        match name {
            "application/json" | "application/*" | "*/*" => Some(Self::Json),
            "text/plain" | "text/*" => Some(Self::Plain),
            "text/html" => Some(Self::Html),
            "application/xml" => Some(Self::Xml),
            _ => None,
        }
    }

    fn render(self, message: &str, request_id: &str) -> (HeaderValue, Bytes) {
        let mut body = String::with_capacity(160);
        // Writing to a string cannot fail.
        let (content_type, _) = match self {
            Self::Json => (
                "application/json; charset=utf-8",
                write!(body, "{{\n  \"message\":\"{message}\",\n  \"request_id\":\"{request_id}\"\n}}"),
            ),
            Self::Plain => {
                ("text/plain; charset=utf-8", write!(body, "{message}\nrequest_id: {request_id}\n"))
            }
            Self::Html => (
                "text/html; charset=utf-8",
                write!(
                    body,
                    "<!doctype html>\n<html>\n  <head>\n    <meta charset=\"utf-8\">\n    <title>Error</title>\n  \
                     </head>\n  <body>\n    <h1>Error</h1>\n    <p>{message}.</p>\n    <p>request_id: \
                     {request_id}</p>\n  </body>\n</html>\n"
                ),
            ),
            Self::Xml => (
                "application/xml; charset=utf-8",
                write!(
                    body,
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<error>\n  <message>{message}</message>\n  \
                     <requestid>{request_id}</requestid>\n</error>\n"
                ),
            ),
        };
        (HeaderValue::from_static(content_type), body.into())
    }
}

/// A page for whoever gets to see what went wrong below requests.
pub(crate) fn page(title: &str) -> String {
    format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n\
         </html>\r\n"
    )
}

fn header(headers: &HeaderMap, name: http::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(accept: &str) -> Option<ErrorType> {
        ErrorType::negotiate(accept)
    }

    #[test]
    fn the_media_type_with_the_highest_quality_wins_and_the_first_of_equals() {
        assert_eq!(form("text/html;q=0.5, application/xml;q=0.9"), Some(ErrorType::Xml));
        assert_eq!(form("text/plain, text/html"), Some(ErrorType::Plain));
        assert_eq!(form("image/png, text/html;q=0.1"), Some(ErrorType::Html));
        assert_eq!(form("image/png"), None);
        assert_eq!(form("TEXT/HTML"), None);
    }

    #[test]
    fn a_client_that_asks_for_nothing_gets_json_or_for_upstream_errors_the_default() {
        let nothing = HeaderMap::new();
        let (kind, body) = Failure::NoRoute.body(&nothing, ErrorType::Plain, "id");
        assert_eq!(kind, "application/json; charset=utf-8");
        assert_eq!(
            body,
            "{\n  \"message\":\"no Route matched with those values\",\n  \"request_id\":\"id\"\n}"
        );
        let (kind, body) = Failure::BadGateway.body(&nothing, ErrorType::Plain, "id");
        assert_eq!(kind, "text/plain; charset=utf-8");
        assert_eq!(body, "An invalid response was received from the upstream server\nrequest_id: id\n");
    }

    #[test]
    fn whoever_asks_for_grpc_gets_the_message_alone() {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/grpc"));
        let (kind, body) = Failure::BadGateway.body(&headers, ErrorType::Plain, "id");
        assert_eq!(kind, "application/json; charset=utf-8");
        assert_eq!(body, r#"{"message":"An invalid response was received from the upstream server"}"#);
        let (_, body) = Failure::NoRoute.body(&headers, ErrorType::Plain, "id");
        assert!(body.ends_with(b"\"request_id\":\"id\"\n}"));
    }

    #[test]
    fn a_method_that_is_not_served_is_told_in_the_default_form() {
        let (kind, body) = Failure::MethodNotAllowed.body(&HeaderMap::new(), ErrorType::Plain, "id");
        assert_eq!(kind, "text/plain; charset=utf-8");
        assert_eq!(body, "Method not allowed\nrequest_id: id\n");
    }
}
