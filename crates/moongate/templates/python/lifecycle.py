"""The configuration of {{name}}; componentize-py looks for this class in a module of this name."""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.lifecycle import Problem

SCHEMA = {
    "type": "object",
    "properties": {
        "greeting": {
            "type": "string",
            "default": "good day",
            "description": "What is said.",
        },
    },
}


class Plugin(exports.lifecycle.Plugin):
    """One configuration, made once in each instance."""

    def __init__(self, greeting):
        self.greeting = greeting.encode()

    @classmethod
    def configure(cls, config):
        greeting = json.loads(config)["greeting"]
        if "\n" in greeting:
            raise Err([Problem("greeting", "must be one line")])
        return cls(greeting)
