//! Other proxies, for whoever has them installed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::ports;
use crate::process;

use super::contender::{Contender, Stage};
use super::nginx;
use super::scenario::{CLAIM, CLAIM_HEADER, SECRET, Scenario};

/// Starts those that are installed; the others say why not.
pub(crate) fn start(stage: &Stage) -> Vec<Result<Contender>> {
    vec![
        haproxy(stage).context("HAProxy is left out"),
        nginx_with_lua(stage).context("nginx with Lua is left out"),
        envoy(stage).context("Envoy is left out"),
    ]
}

fn haproxy(stage: &Stage) -> Result<Contender> {
    let program =
        process::find_program("haproxy").context("it is not installed (apt-get install haproxy)")?;
    let [port] = ports::choose([("HAProxy's port", 0)])?;
    let text = HAPROXY
        .replace("@PORT@", &port.to_string())
        .replace("@UPSTREAM@", &stage.upstream.to_string())
        .replace("@SECRET@", SECRET)
        .replace("@CLAIM@", CLAIM)
        .replace("@HEADER@", CLAIM_HEADER);
    let file = stage.write("haproxy.cfg", &text)?;
    let mut command = stage.pinned(stage.cores.proxy, &program);
    command.arg("-db").arg("-f").arg(file);
    Contender::start("HAProxy", command, port, &Scenario::COMMON, stage)
}

fn nginx_with_lua(stage: &Stage) -> Result<Contender> {
    let modules = Path::new("/usr/lib/nginx/modules");
    let mut load = String::new();
    for module in ["ndk_http_module.so", "ngx_http_lua_module.so"] {
        let file = modules.join(module);
        ensure!(
            file.is_file(),
            "its modules are not installed (apt-get install libnginx-mod-http-lua lua-cjson)"
        );
        load.push_str(&format!("load_module {};\n", file.display()));
    }
    let [port] = ports::choose([("nginx's port", 0)])?;
    let script = stage.write("jwt.lua", &LUA.replace("@SECRET@", SECRET).replace("@CLAIM@", CLAIM))?;
    let settings = format!("init_by_lua_block {{ check_token = dofile(\"{}\") }}", script.display());
    let locations = format!(
        "location / {{ {pass} }}\n    location /jwt {{ set $claim \"\"; access_by_lua_block {{ check_token() }} \
         add_header {CLAIM_HEADER} $claim; {pass} }}",
        pass = nginx::pass()
    );
    let server = nginx::proxy_server(stage, port, &settings, &locations);
    let command = nginx::command(stage, "nginx-lua", stage.cores.proxy, &load, &server)?;
    Contender::start("nginx+Lua", command, port, &Scenario::COMMON, stage)
}

fn envoy(stage: &Stage) -> Result<Contender> {
    let program = process::find_program("envoy").or_else(envoy_in_cache);
    let program = program.context("there is no `envoy` on PATH or in ~/.cache")?;
    let [port] = ports::choose([("Envoy's port", 0)])?;
    let file = stage.write("envoy.json", &format!("{:#}\n", envoy_config(port, stage.upstream)))?;
    let mut command = stage.pinned(stage.cores.proxy, &program);
    command.args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "error", "-c"]).arg(file);
    Contender::start("Envoy", command, port, &Scenario::COMMON, stage)
}

fn envoy_in_cache() -> Option<PathBuf> {
    let cache = PathBuf::from(std::env::var_os("HOME")?).join(".cache");
    ["envoy", "envoy/envoy", "envoy/bin/envoy"]
        .map(|name| cache.join(name))
        .into_iter()
        .find(|file| file.is_file())
}

fn envoy_config(port: u16, upstream: u16) -> Value {
    let address = |port: u16| json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } });
    let append = |key: &str, value: &str| json!({ "header": { "key": key, "value": value } });
    let key = json!({
        "keys": [{ "kty": "oct", "alg": "HS256", "kid": "bench", "k": URL_SAFE_NO_PAD.encode(SECRET) }],
    });
    let jwt = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": { "bench": {
            "local_jwks": { "inline_string": key.to_string() },
            "claim_to_headers": [{ "header_name": CLAIM_HEADER, "claim_name": CLAIM }],
        } },
        "rules": [{ "match": { "prefix": "/jwt" }, "requires": { "provider_name": "bench" } }],
    });
    let claim = append(CLAIM_HEADER, &format!("%REQ({CLAIM_HEADER})%"));
    let manager = json!({
        "@type":
            "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "use_remote_address": true,
        "via": "1.1 envoy",
        "route_config": { "virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "request_headers_to_add": [
                append("X-Real-IP", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
                append("X-Forwarded-Host", "%REQ(:AUTHORITY)%"),
                append("X-Forwarded-Port", "%DOWNSTREAM_LOCAL_PORT%"),
                append("X-Forwarded-Path", "%REQ(:PATH)%"),
            ],
            "routes": [
                {
                    "match": { "prefix": "/jwt" },
                    "route": { "cluster": "upstream", "prefix_rewrite": "/" },
                    "response_headers_to_add": [claim],
                },
                { "match": { "prefix": "/" }, "route": { "cluster": "upstream" } },
            ],
        }] },
        "http_filters": [
            { "name": "envoy.filters.http.jwt_authn", "typed_config": jwt },
            { "name": "envoy.filters.http.router", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
            } },
        ],
    });
    json!({ "static_resources": {
        "listeners": [{
            "address": address(port),
            "filter_chains": [{ "filters": [
                { "name": "envoy.filters.network.http_connection_manager", "typed_config": manager },
            ] }],
        }],
        "clusters": [{
            "name": "upstream",
            "type": "STATIC",
            "connect_timeout": "5s",
            "load_assignment": { "cluster_name": "upstream", "endpoints": [
                { "lb_endpoints": [{ "endpoint": { "address": address(upstream) } }] },
            ] },
        }],
    } })
}

const HAPROXY: &str = r#"global
  nbthread 1
  maxconn 4096

defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 1h
  http-reuse always

frontend bench
  bind 127.0.0.1:@PORT@
  unique-id-format %[uuid()]
  unique-id-header X-Kong-Request-Id
  option forwardfor
  http-request set-header Via "1.1 haproxy"
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Forwarded-Path %[path]
  http-response set-header Via "1.1 haproxy"
  http-response set-header X-Kong-Upstream-Latency %Tr
  http-response set-header X-Kong-Proxy-Latency %Tw
  http-response set-header X-Kong-Request-Id %[unique-id]

  acl jwt path_beg /jwt
  http-request set-var(txn.token) http_auth_bearer if jwt
  http-request deny deny_status 401 if jwt !{ var(txn.token),jwt_header_query('$.alg') -m str HS256 }
  http-request deny deny_status 401 if jwt !{ var(txn.token),jwt_verify("HS256","@SECRET@") -m int 1 }
  http-request set-var(txn.now) date() if jwt
  http-request set-var(txn.exp) var(txn.token),jwt_payload_query('$.exp','int') if jwt
  http-request deny deny_status 401 if jwt !{ var(txn.exp),sub(txn.now) -m int gt 0 }
  http-request set-var(txn.claim) var(txn.token),jwt_payload_query('$.@CLAIM@') if jwt
  http-request set-path / if jwt
  http-response set-header @HEADER@ %[var(txn.claim)] if { var(txn.claim) -m found }
  default_backend upstream

backend upstream
  server upstream 127.0.0.1:@UPSTREAM@
"#;

/// nginx already has OpenSSL in its process, so its HMAC is at hand.
const LUA: &str = r#"local ffi = require "ffi"
local json = require "cjson.safe"
local base64 = require "ngx.base64"

ffi.cdef [[
  const void *EVP_sha256(void);
  unsigned char *HMAC(const void *md, const void *key, int key_length, const char *data, size_t length,
                      unsigned char *out, unsigned int *out_length);
]]

local secret = "@SECRET@"
local digest = ffi.C.EVP_sha256()
local out = ffi.new("unsigned char[32]")
local out_length = ffi.new("unsigned int[1]")

return function()
  local authorization = ngx.var.http_authorization
  local signed, head, payload, signature =
    (authorization or ""):match("^Bearer (([%w_-]+)%.([%w_-]+))%.([%w_-]+)$")
  if not signed then
    return ngx.exit(401)
  end
  local algorithm = json.decode(base64.decode_base64url(head) or "")
  if not algorithm or algorithm.alg ~= "HS256" then
    return ngx.exit(401)
  end
  ffi.C.HMAC(digest, secret, #secret, signed, #signed, out, out_length)
  if base64.decode_base64url(signature) ~= ffi.string(out, out_length[0]) then
    return ngx.exit(401)
  end
  local claims = json.decode(base64.decode_base64url(payload) or "")
  if not claims or type(claims.exp) ~= "number" or claims.exp <= ngx.time() then
    return ngx.exit(401)
  end
  ngx.var.claim = claims.@CLAIM@
end
"#;
