// As much of a JSON reader as configurations and tokens need. The gateway has checked the configuration; the rest may be
// anything, so nothing is read behind `end`.

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *at;
  const char *end;
} json_t;

static json_t json_of(const void *text, size_t length) {
  return (json_t){text, (const char *)text + length};
}

static void json_space(json_t *json) {
  while (json->at < json->end && strchr(" \t\r\n", *json->at)) json->at++;
}

static bool json_take(json_t *json, char wanted) {
  json_space(json);
  if (json->at >= json->end || *json->at != wanted) return false;
  json->at++;
  return true;
}

// Reads a text into new memory, which is the caller's; escapes beyond ASCII are left out.
static char *json_text(json_t *json) {
  if (!json_take(json, '"')) return NULL;
  char *text = malloc((size_t)(json->end - json->at) + 1), *to = text;
  while (json->at < json->end && *json->at != '"') {
    char letter = *json->at++;
    if (letter == '\\' && json->at < json->end) {
      letter = *json->at++;
      const char *from = "bfnrt", *known = strchr(from, letter);
      if (letter == 'u') {
        char digits[5] = {0};
        if (json->end - json->at < 4) break;
        memcpy(digits, json->at, 4);
        json->at += 4;
        long code = strtol(digits, NULL, 16);
        if (code == 0 || code > 0x7f) continue;
        letter = (char)code;
      } else if (known) {
        letter = "\b\f\n\r\t"[known - from];
      }
    }
    *to++ = letter;
  }
  *to = 0;
  if (json_take(json, '"')) return text;
  free(text);
  return NULL;
}

// Goes behind a value of any kind.
static void json_skip(json_t *json) {
  int depth = 0;
  do {
    json_space(json);
    if (json->at >= json->end) return;
    char letter = *json->at;
    if (letter == '"') {
      free(json_text(json));
    } else {
      json->at++;
      if (letter == '{' || letter == '[') depth++;
      if (letter == '}' || letter == ']') depth--;
      if (depth == 0 && !strchr("}]", letter)) {
        while (json->at < json->end && !strchr(",]} \t\r\n", *json->at)) json->at++;
      }
    }
  } while (depth > 0);
}

// Finds a member of an object. `json` is left alone; `value` begins at the value.
static bool json_member(json_t json, const char *name, json_t *value) {
  if (!json_take(&json, '{')) return false;
  do {
    char *known = json_text(&json);
    if (!known || !json_take(&json, ':')) {
      free(known);
      return false;
    }
    bool found = strcmp(known, name) == 0;
    free(known);
    if (found) {
      json_space(&json);
      *value = json;
      return true;
    }
    json_skip(&json);
  } while (json_take(&json, ','));
  return false;
}

// The text of a member in new memory, or NULL.
static char *json_member_text(json_t json, const char *name) {
  json_t value;
  return json_member(json, name, &value) ? json_text(&value) : NULL;
}
