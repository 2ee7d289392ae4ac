"""Pushes gauges to a Pushgateway with prometheus_client; arguments as those of push.go."""

import os
import sys

from prometheus_client import CollectorRegistry, Gauge, push_to_gateway, pushadd_to_gateway
from prometheus_client.exposition import basic_auth_handler, default_handler

method, url, job, *pairs = sys.argv[1:]
registry = CollectorRegistry()
for pair in pairs:
    name, value = pair.split("=")
    Gauge(name, "A pushed gauge.", registry=registry).set(float(value))


def with_password(url, method, timeout, headers, data):
    user, password = os.environ["PUSH_USER"], os.environ["PUSH_PASSWORD"]
    return basic_auth_handler(url, method, timeout, headers, data, user, password)


push = pushadd_to_gateway if method == "add" else push_to_gateway
push(url, job=job, registry=registry, handler=with_password if "PUSH_USER" in os.environ else default_handler)
