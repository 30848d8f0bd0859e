// Hands the user name in a signed token on to the upstream.
//
// What is returned to the gateway is allocated, and freed by what wit-bindgen wrote; what is handed over to a function of the
// gateway stays ours.

#include "json.h"
#include "plugin.h"
#include <strings.h>

static const char SCHEMA[] =
    "{\"type\": \"object\", \"required\": [\"secret\"], \"properties\": {"
    "\"secret\": {\"type\": \"string\", \"description\": \"What tokens are signed with.\", \"x-encrypted\": true},"
    "\"header\": {\"type\": \"string\", \"default\": \"x-user\", \"description\": \"The header that goes upstream.\"}}}";

// One configuration, made once in each instance.
struct exports_moongate_plugin_lifecycle_plugin_t {
  char *header;
  moongate_plugin_crypto_own_verifier_t verifier;
};

typedef struct exports_moongate_plugin_lifecycle_plugin_t plugin_t;

void exports_moongate_plugin_lifecycle_describe(exports_moongate_plugin_lifecycle_manifest_t *manifest) {
  memset(manifest, 0, sizeof *manifest);
  plugin_string_dup(&manifest->name, "claim-c");
  plugin_string_dup(&manifest->version, "0.1.0");
  manifest->priority = 1450;
  manifest->schema.tag = EXPORTS_MOONGATE_PLUGIN_LIFECYCLE_CONFIG_SCHEMA_JSON_SCHEMA;
  plugin_string_dup(&manifest->schema.val.json_schema, SCHEMA);
  manifest->admin_routes.len = 1;
  manifest->admin_routes.ptr = calloc(1, sizeof *manifest->admin_routes.ptr);
  plugin_string_dup(&manifest->admin_routes.ptr->method, "GET");
  plugin_string_dup(&manifest->admin_routes.ptr->path, "/claim-c/ping");
}

bool exports_moongate_plugin_lifecycle_static_plugin_configure(
    plugin_string_t *config, exports_moongate_plugin_lifecycle_own_plugin_t *plugin,
    exports_moongate_plugin_lifecycle_list_problem_t *problems) {
  json_t json = json_of(config->ptr, config->len);
  char *secret = json_member_text(json, "secret"), *header = json_member_text(json, "header");
  plugin_string_free(config);
  plugin_string_t problem;
  plugin_t *made = malloc(sizeof *made);
  made->header = header;
  plugin_list_u8_t key = {(uint8_t *)secret, secret ? strlen(secret) : 0};
  bool good = secret && header &&
              moongate_plugin_crypto_static_verifier_secret(MOONGATE_PLUGIN_CRYPTO_ALGORITHM_HS256, &key,
                                                            &made->verifier, &problem);
  if (!good) {
    free(header);
    free(made);
    problems->len = 1;
    problems->ptr = calloc(1, sizeof *problems->ptr);
    plugin_string_dup(&problems->ptr->path, "secret");
    plugin_string_dup(&problems->ptr->message, "cannot be a key");
  } else {
    *plugin = exports_moongate_plugin_lifecycle_plugin_new(made);
  }
  free(secret);
  return good;
}

void exports_moongate_plugin_lifecycle_plugin_destructor(plugin_t *plugin) {
  moongate_plugin_crypto_verifier_drop_own(plugin->verifier);
  free(plugin->header);
  free(plugin);
}

// What URL-safe Base64 without padding stands for, in new memory; NULL when it is something else.
static uint8_t *decoded(const char *word, size_t length, size_t *size) {
  static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  uint8_t *bytes = malloc(length + 1);
  uint32_t bits = 0;
  int count = 0;
  *size = 0;
  for (size_t i = 0; i < length; i++) {
    const char *letter = word[i] ? strchr(ALPHABET, word[i]) : NULL;
    if (!letter) {
      free(bytes);
      return NULL;
    }
    bits = bits << 6 | (uint32_t)(letter - ALPHABET);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes[(*size)++] = (uint8_t)(bits >> count);
    }
  }
  return bytes;
}

// The expiry of a token's claims in whole seconds, or 0.
static uint64_t expiry(json_t claims) {
  json_t value;
  uint64_t seconds = 0;
  if (!json_member(claims, "exp", &value)) return 0;
  while (value.at < value.end && *value.at >= '0' && *value.at <= '9' && seconds < 1ull << 50) {
    seconds = seconds * 10 + (uint64_t)(*value.at++ - '0');
  }
  return seconds;
}

// Takes the user name out of a token, in new memory, or says what is wrong with the token.
static char *user(plugin_t *plugin, const char *token, size_t length, uint64_t now, const char **problem) {
  *problem = "not a token of this kind";
  const char *end = token + length;
  const char *first = memchr(token, '.', length);
  const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
  if (!second) return NULL;
  size_t head_size, payload_size, signature_size;
  uint8_t *head = decoded(token, (size_t)(first - token), &head_size);
  uint8_t *payload = decoded(first + 1, (size_t)(second - first - 1), &payload_size);
  uint8_t *signature = decoded(second + 1, (size_t)(end - second - 1), &signature_size);
  char *algorithm = head ? json_member_text(json_of(head, head_size), "alg") : NULL;
  char *name = NULL;
  if (algorithm && strcmp(algorithm, "HS256") == 0 && payload && signature) {
    plugin_list_u8_t message = {(uint8_t *)token, (size_t)(second - token)};
    plugin_list_u8_t shown = {signature, signature_size};
    json_t claims = json_of(payload, payload_size);
    if (!moongate_plugin_crypto_method_verifier_verify(moongate_plugin_crypto_borrow_verifier(plugin->verifier),
                                                       &message, &shown)) {
      *problem = "bad signature";
    } else if (expiry(claims) * 1000 <= now) {
      *problem = "expired";
    } else {
      name = json_member_text(claims, "username");
    }
  }
  free(head);
  free(payload);
  free(signature);
  free(algorithm);
  return name;
}

static void turn_away(const char *message, exports_moongate_plugin_request_hook_decision_t *decision) {
  decision->tag = MOONGATE_PLUGIN_HTTP_DECISION_FAIL;
  moongate_plugin_http_failure_t *failure = &decision->val.fail;
  failure->status = 401;
  plugin_string_dup(&failure->message, message);
  failure->headers.len = 1;
  failure->headers.ptr = calloc(1, sizeof *failure->headers.ptr);
  plugin_string_dup(&failure->headers.ptr->name, "www-authenticate");
  plugin_string_t value;
  plugin_string_dup(&value, "Bearer");
  failure->headers.ptr->value = (plugin_list_u8_t){value.ptr, value.len};
}

bool exports_moongate_plugin_request_hook_on_request(
    exports_moongate_plugin_request_hook_borrow_plugin_t plugin,
    exports_moongate_plugin_request_hook_borrow_request_t request,
    exports_moongate_plugin_request_hook_decision_t *decision, plugin_string_t *error) {
  plugin_string_t name;
  plugin_string_set(&name, "authorization");
  plugin_list_u8_t header = {0};
  bool there = moongate_plugin_http_method_request_header(request, &name, &header);
  if (!there || header.len <= 7 || strncasecmp((char *)header.ptr, "bearer ", 7) != 0) {
    if (there) plugin_list_u8_free(&header);
    turn_away("no token", decision);
    return true;
  }
  const char *problem;
  uint64_t now = moongate_plugin_http_method_request_started(request);
  char *found = user(plugin, (char *)header.ptr + 7, header.len - 7, now, &problem);
  plugin_list_u8_free(&header);
  if (!found) {
    turn_away(problem, decision);
    return true;
  }
  plugin_string_set(&name, plugin->header);
  plugin_list_u8_t value = {(uint8_t *)found, strlen(found)};
  moongate_plugin_http_header_error_t refused;
  bool set = moongate_plugin_http_method_request_set_header(request, &name, &value, &refused);
  free(found);
  if (!set) {
    plugin_string_dup(error, "the claim cannot be a header");
    return false;
  }
  decision->tag = MOONGATE_PLUGIN_HTTP_DECISION_CONTINUE;
  return true;
}

bool exports_moongate_plugin_admin_hook_on_admin(
    exports_moongate_plugin_admin_hook_admin_request_t *request,
    exports_moongate_plugin_admin_hook_reply_t *reply, plugin_string_t *error) {
  exports_moongate_plugin_admin_hook_admin_request_free(request);
  memset(reply, 0, sizeof *reply);
  reply->status = 200;
  plugin_string_t body;
  plugin_string_dup(&body, "PONG");
  reply->body = (plugin_list_u8_t){body.ptr, body.len};
  return true;
}
