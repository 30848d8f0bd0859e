// {{name}}: greets the upstream of each request, and its client.
//
// What is returned to the gateway is allocated, and freed by what wit-bindgen wrote; what is handed over to a function of the
// gateway stays ours.

#include "json.h"
#include "plugin.h"

static const char SCHEMA[] =
    "{\"type\": \"object\", \"properties\": {\"greeting\": {"
    "\"type\": \"string\", \"default\": \"good day\", \"description\": \"What is said.\"}}}";

// One configuration, made once in each instance.
struct exports_moongate_plugin_lifecycle_plugin_t {
  char *greeting;
};

static plugin_list_u8_t bytes_of(char *text) {
  return (plugin_list_u8_t){(uint8_t *)text, strlen(text)};
}

void exports_moongate_plugin_lifecycle_describe(exports_moongate_plugin_lifecycle_manifest_t *manifest) {
  memset(manifest, 0, sizeof *manifest);
  plugin_string_dup(&manifest->name, "{{name}}");
  plugin_string_dup(&manifest->version, "0.1.0");
  manifest->priority = 800;
  manifest->schema.tag = EXPORTS_MOONGATE_PLUGIN_LIFECYCLE_CONFIG_SCHEMA_JSON_SCHEMA;
  plugin_string_dup(&manifest->schema.val.json_schema, SCHEMA);
  manifest->admin_routes.len = 1;
  manifest->admin_routes.ptr = calloc(1, sizeof *manifest->admin_routes.ptr);
  plugin_string_dup(&manifest->admin_routes.ptr->method, "GET");
  plugin_string_dup(&manifest->admin_routes.ptr->path, "/{{name}}/ping");
}

bool exports_moongate_plugin_lifecycle_static_plugin_configure(
    plugin_string_t *config, exports_moongate_plugin_lifecycle_own_plugin_t *plugin,
    exports_moongate_plugin_lifecycle_list_problem_t *problems) {
  char *greeting = json_member_text(json_of(config->ptr, config->len), "greeting");
  plugin_string_free(config);
  if (!greeting || strchr(greeting, '\n')) {
    free(greeting);
    problems->len = 1;
    problems->ptr = calloc(1, sizeof *problems->ptr);
    plugin_string_dup(&problems->ptr->path, "greeting");
    plugin_string_dup(&problems->ptr->message, "must be one line");
    return false;
  }
  exports_moongate_plugin_lifecycle_plugin_t *made = malloc(sizeof *made);
  made->greeting = greeting;
  *plugin = exports_moongate_plugin_lifecycle_plugin_new(made);
  return true;
}

void exports_moongate_plugin_lifecycle_plugin_destructor(exports_moongate_plugin_lifecycle_plugin_t *plugin) {
  free(plugin->greeting);
  free(plugin);
}

bool exports_moongate_plugin_request_hook_on_request(
    exports_moongate_plugin_request_hook_borrow_plugin_t plugin,
    exports_moongate_plugin_request_hook_borrow_request_t request,
    exports_moongate_plugin_request_hook_decision_t *decision, plugin_string_t *error) {
  plugin_string_t name;
  plugin_string_set(&name, "x-greeting");
  plugin_list_u8_t value = bytes_of(plugin->greeting);
  moongate_plugin_http_header_error_t refused;
  if (!moongate_plugin_http_method_request_set_header(request, &name, &value, &refused)) {
    plugin_string_dup(error, "the greeting cannot be a header");
    return false;
  }
  decision->tag = MOONGATE_PLUGIN_HTTP_DECISION_CONTINUE;
  return true;
}

bool exports_moongate_plugin_response_hook_on_response(
    exports_moongate_plugin_response_hook_borrow_plugin_t plugin,
    exports_moongate_plugin_response_hook_borrow_response_t response, plugin_string_t *error) {
  plugin_string_t name;
  plugin_string_set(&name, "x-{{name}}");
  plugin_list_u8_t value = bytes_of(plugin->greeting);
  moongate_plugin_http_header_error_t refused;
  if (!moongate_plugin_http_method_response_set_header(response, &name, &value, &refused)) {
    plugin_string_dup(error, "the greeting cannot be a header");
    return false;
  }
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
