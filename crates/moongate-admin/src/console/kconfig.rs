//! `/kconfig.js`: what the pages have to know of the node that serves them, in the form of Kong's.

use super::ConsoleOptions;

/// The script. Pages read each value as JSON, or as a text where it is none; an empty one stands for a default.
pub(super) fn write(options: &ConsoleOptions) -> String {
    let url = quotable(options.admin_url.as_deref().unwrap_or_default());
    let text = |port: Option<u16>| port.map(|port| port.to_string()).unwrap_or_default();
    let (port, tls_port) = (text(options.admin_port), text(options.admin_tls_port));
    format!(
        "window.K_CONFIG = {{\n  'ADMIN_GUI_PATH': '/',\n  'ADMIN_API_URL': '{url}',\n  'ADMIN_API_PORT': '{port}',\n  \
         'ADMIN_API_SSL_PORT': '{tls_port}',\n  'ANONYMOUS_REPORTS': 'false'\n}}\n"
    )
}

/// Nothing that could end a text in quotes, or the script around it.
fn quotable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !"'\\<>".contains(*c)).collect()
}
