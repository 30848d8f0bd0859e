"""{{name}}: greets the upstream of each request, and its client."""

import json

from lifecycle import SCHEMA
from wit_world import exports
from wit_world.exports.lifecycle import AdminRoute, ConfigSchema_JsonSchema, Manifest
from wit_world.imports.http import Decision_Continue, Reply


class Lifecycle(exports.Lifecycle):
    def describe(self):
        return Manifest(
            name="{{name}}",
            version="0.1.0",
            priority=800,
            schema=ConfigSchema_JsonSchema(json.dumps(SCHEMA)),
            admin_routes=[AdminRoute("GET", "/{{name}}/ping", False)],
            entities=[],
            timer_interval=0,
        )


class RequestHook(exports.RequestHook):
    def on_request(self, plugin, request):
        request.set_header("x-greeting", plugin.greeting)
        return Decision_Continue()


class ResponseHook(exports.ResponseHook):
    def on_response(self, plugin, response):
        response.set_header("x-{{name}}", plugin.greeting)


class AdminHook(exports.AdminHook):
    def on_admin(self, request):
        return Reply(200, [], b"PONG")
