//! Takes a key out of a request.

use moongate_sdk::{HeaderError, Request, text};

use crate::place::Places;

/// Takes what stands under a name out of the headers, the query and, where keys may be there, the body.
pub(crate) fn hide(request: &Request, name: &str, places: &Places<'_, '_, '_>) -> Result<(), HeaderError> {
    if let Some(query) = request.query() {
        let query = rewritten(&query, name);
        request.set_query((!query.is_empty()).then_some(query.as_str()));
    }
    for name in [name, &name.replace('_', "-")] {
        match request.remove_header(name) {
            // No header can have a name that is none, and those of the gateway carry no keys.
            Ok(()) | Err(HeaderError::InvalidName | HeaderError::Forbidden) => {}
            Err(error) => return Err(error),
        }
    }
    if let Some(body) = places.body().and_then(|body| body.without(name)) {
        request.set_body(body);
    }
    Ok(())
}

/// The query without a name. The others are decoded, sorted by their names and written anew, which is how clients of
/// other gateways know it.
fn rewritten(query: &str, name: &str) -> String {
    let mut pairs = text::pairs(query);
    pairs.retain(|(known, _)| known != name);
    pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
    text::encode_pairs(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}
