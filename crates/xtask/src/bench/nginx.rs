//! nginx, as the upstream and as the proxy that everything is compared with.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::http;
use crate::ports;
use crate::process::{self, Service};

use super::contender::{Contender, OTHER_ROUTES, Stage, other_path};
use super::scenario::{ADDED_HEADER, BODY, Scenario, UPSTREAM_BODY};

/// Starts the server that answers.
pub(crate) fn upstream(stage: &Stage) -> Result<Service> {
    stage.write("body", &"moongate".repeat(BODY / 8))?;
    let server = format!(
        "server {{ listen 127.0.0.1:{}; default_type application/json; location / {{ return 200 '{UPSTREAM_BODY}'; }} \
         location /told {{ return 200 \"told $http_{}\"; }} location = /body {{ root \"{}\"; sendfile on; }} }}",
        stage.upstream,
        ADDED_HEADER.replace('-', "_"),
        stage.directory.display(),
    );
    let command = command(stage, "upstream", stage.cores.load, "", &server)?;
    let mut service = Service::start("upstream", command, &stage.directory.join("upstream.log"))?;
    service.wait_until(START_LIMIT, &stage.interrupt, || {
        let answer = http::get(stage.upstream, "/", &[])?;
        ensure!(answer.body == UPSTREAM_BODY, "the upstream answers something else:\n{answer}");
        Ok(())
    })?;
    Ok(service)
}

/// Starts the proxy. Like the gateway it has a thousand routes and an access log, written in large pieces.
pub(crate) fn proxy(stage: &Stage) -> Result<Contender> {
    let [port, tls] = ports::choose([("nginx's port", 0), ("nginx's port for TLS", 0)])?;
    let [certificate, key] = &stage.identity;
    let mut locations = format!(
        "listen 127.0.0.1:{tls} ssl http2; ssl_certificate \"{}\"; ssl_certificate_key \"{}\"; \
         access_log \"{}\" combined buffer=64k flush=1s; location = /body {{ {} }} location / {{ {} }}",
        certificate.display(),
        key.display(),
        stage.directory.join("nginx-access.log").display(),
        pass().replace("proxy_pass http://backend/;", "proxy_pass http://backend;"),
        pass(),
    );
    for number in 0..OTHER_ROUTES {
        locations.push_str(&format!("\n    location {} {{ return 204; }}", other_path(number)));
    }
    let command = command(stage, "nginx", stage.cores.proxy, "", &proxy_server(stage, port, "", &locations))?;
    let scenarios = &[Scenario::W0, Scenario::Tls, Scenario::H2, Scenario::Body];
    Ok(Contender::start("nginx", command, port, scenarios, stage)?.with_tls(tls))
}

/// A server that passes requests on over connections that are kept.
pub(super) fn proxy_server(stage: &Stage, port: u16, settings: &str, locations: &str) -> String {
    format!(
        "{settings}\n  upstream backend {{ server 127.0.0.1:{}; keepalive 64; keepalive_requests 1000000000; }}\n  \
         server {{ listen 127.0.0.1:{port}; {locations} }}",
        stage.upstream
    )
}

/// What a location does that passes requests on. The headers are those that the gateway adds.
pub(super) fn pass() -> &'static str {
    r#"
      proxy_pass http://backend/;
      proxy_http_version 1.1;
      proxy_set_header Connection keep-alive;
      proxy_set_header Via "1.1 nginx";
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header X-Forwarded-Path $uri;
      proxy_set_header X-Kong-Request-Id $request_id;
      proxy_pass_header Server;
      proxy_pass_header Date;
      add_header Via "1.1 nginx";
      add_header X-Kong-Upstream-Latency $upstream_response_time;
      add_header X-Kong-Proxy-Latency $request_time;
      add_header X-Kong-Request-Id $request_id;
"#
}

/// nginx with one worker in the foreground; everything that it writes stays in the stage's directory.
pub(super) fn command(
    stage: &Stage,
    name: &str,
    core: usize,
    modules: &str,
    http: &str,
) -> Result<std::process::Command> {
    let program = process::find_program("nginx").context("nginx is gone")?;
    let directory = stage.directory.display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path \"{directory}/{name}-{kind}\";"))
        .join(" ");
    let text = format!(
        "{modules}daemon off;\nworker_processes 1;\npid \"{directory}/{name}.pid\";\nerror_log stderr error;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n  access_log off;\n  keepalive_requests 1000000000;\n  keepalive_timeout 3600s;\n  {temporary}\n  \
         {http}\n}}\n"
    );
    let file = stage.write(&format!("{name}.conf"), &text)?;
    let mut command = stage.pinned(core, &program);
    command.arg("-p").arg(&stage.directory).arg("-e").arg("stderr").arg("-c").arg(file);
    Ok(command)
}

const START_LIMIT: Duration = Duration::from_secs(10);
