//! `Did you mean`.

/// The name that `text` is most likely a misspelling of.
pub(super) fn closest<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let text = text.to_ascii_lowercase();
    // A third of the letters may be wrong; more are another word.
    let limit = (text.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&text, &name.to_ascii_lowercase()), name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// What has another name here than with Kong.
pub(super) fn renamed(name: &str) -> Option<&'static str> {
    Some(match name {
        "nginx_worker_processes" => "workers",
        "plugins" | "lua_package_path" | "wasm_filters_path" => "plugin_dirs",
        "nginx_http_client_header_timeout" => "client_header_timeout",
        "nginx_http_client_body_timeout" => "client_body_timeout",
        "nginx_http_keepalive_timeout" => "client_idle_timeout",
        "nginx_http_large_client_header_buffers" => "max_header_size",
        "nginx_proxy_client_max_body_size" => "client_max_body_size",
        "resolver_mem_cache_size" => "dns_cache_size",
        _ => return None,
    })
}
