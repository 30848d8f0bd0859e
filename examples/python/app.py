"""Hands the user name in a signed token on to the upstream."""

import json

from lifecycle import SCHEMA, Refusal
from wit_world import exports
from wit_world.exports.lifecycle import AdminRoute, ConfigSchema_JsonSchema, Manifest
from wit_world.imports.http import Decision_Continue, Decision_Fail, Failure, Header, Reply


class Lifecycle(exports.Lifecycle):
    def describe(self):
        return Manifest(
            name="claim-python",
            version="0.1.0",
            priority=1450,
            schema=ConfigSchema_JsonSchema(json.dumps(SCHEMA)),
            admin_routes=[AdminRoute("GET", "/claim-python/ping", False)],
            entities=[],
            timer_interval=0,
        )


class RequestHook(exports.RequestHook):
    def on_request(self, plugin, request):
        try:
            user = plugin.user(request)
        except Refusal as refusal:
            headers = [Header("www-authenticate", b"Bearer")]
            return Decision_Fail(Failure(401, str(refusal), headers))
        request.set_header(plugin.header, user.encode())
        return Decision_Continue()


class AdminHook(exports.AdminHook):
    def on_admin(self, request):
        return Reply(200, [], b"PONG")
