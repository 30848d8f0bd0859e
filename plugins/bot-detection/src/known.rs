//! The crawlers that are known.

/// Whether somebody who says this of himself is a crawler, or a library that crawlers are made with.
pub(crate) fn is_crawler(agent: &str) -> bool {
    NAMES.iter().any(|name| agent.contains(name))
        || PROGRAMS.iter().any(|name| is_program(agent, name))
        || is_kind(agent)
}

/// Whether there is this name with nothing, or a version, behind it.
fn is_program(agent: &str, name: &str) -> bool {
    agent.match_indices(name).any(|(at, _)| {
        let behind = agent.get(at + name.len()..).unwrap_or_default();
        !behind.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '-')
    })
}

/// Whether there is a word that ends in `bot`, `spider` or `crawler`, and a version behind it.
fn is_kind(agent: &str) -> bool {
    KINDS.iter().any(|kind| {
        agent.match_indices(kind).any(|(at, _)| {
            let before = agent.get(..at).unwrap_or_default();
            let mut behind = agent.get(at + kind.len()..).unwrap_or_default().chars();
            before.ends_with(|last: char| last.is_ascii_alphabetic())
                && matches!(behind.next(), Some('/' | ' ' | '-'))
                && behind.next().is_some_and(|digit| digit.is_ascii_digit())
        })
    })
}

const KINDS: [&str; 6] = ["bot", "Bot", "spider", "Spider", "crawler", "Crawler"];

/// Parts of what crawlers say.
const NAMES: &[&str] = &[
    "AdsBot-Google",
    "AhrefsBot",
    "AppEngine-Google",
    "Applebot",
    "Ask Jeeves",
    "Baiduspider",
    "BingPreview",
    "Bytespider",
    "CCBot",
    "DotBot",
    "DuckDuckBot",
    "FeedFetcher-Google",
    "Feedfetcher-Google",
    "GPTBot",
    "Googlebot",
    "Google Web Preview",
    "Google-HTTP-Java-Client",
    "LinkedInBot",
    "MJ12bot",
    "MSIECrawler",
    "Mediapartners-Google",
    "PetalBot",
    "Pingdom.com_bot_version_",
    "Pinterestbot",
    "SemrushBot",
    "Slackbot",
    "TLSProber",
    "TelegramBot",
    "Teoma",
    "Twitterbot",
    "YahooSeeker",
    "Yahoo! Slurp",
    "YandexBot",
    "adidxbot",
    "archive.org_bot",
    "baiduspider",
    "bingbot",
    "discordbot",
    "Discordbot",
    "facebookexternalhit",
    "heritrix",
    "ia_archiver",
    "msnbot",
];

/// Names of libraries.
const PROGRAMS: &[&str] = &[
    "Apache-HttpClient",
    "Go-http-client",
    "HttpMonitor",
    "Nutch",
    "Python-urllib",
    "WinHTTP",
    "axios",
    "http%20client",
    "okhttp",
    "reqwest",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crawlers_are_known_by_name_or_kind() {
        for agent in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (compatible; Yahoo! Slurp)",
            "facebookexternalhit/1.1",
            "SomeBot/1.0",
            "MyNewSpider 2",
            "Go-http-client/1.1",
            "okhttp",
            "Python-urllib/3.9",
            "reqwest/0.12",
        ] {
            assert!(is_crawler(agent), "{agent}");
        }
    }

    #[test]
    fn browsers_and_tools_are_not() {
        for agent in [
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
            "curl/8.5.0",
            "Wget/1.21",
            "python-requests/2.31",
            "python-urllib/3.9",
            "Java/17.0.1",
            "bot/1.0",
            "robots are fine",
            "okhttpx/1",
        ] {
            assert!(!is_crawler(agent), "{agent}");
        }
    }
}
